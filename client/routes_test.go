package client

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every call is made once: method, address and body are the contract's.
func TestRoutes_are_those_of_the_contract(t *testing.T) {
	var got string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.RequestURI()
		if len(text) > 0 {
			got += " " + string(text)
		}
		answer(w, 200, `{"object":"list","data":[],"list_metadata":{"before":null,"after":null}}`)
	})
	ctx := context.Background()
	name, none, yes := "N", "", true
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	calls := map[string]func() error{
		"GET /organizations?limit=100":         func() error { _, err := Collect(c.Organizations(ctx, OrganizationQuery{}), 0); return err },
		"GET /organizations/o":                 func() error { _, err := c.Organization(ctx, "o"); return err },
		"GET /organizations/external_id/e%2F1": func() error { _, err := c.OrganizationByExternalID(ctx, "e/1"); return err },
		`POST /organizations {"name":"N","domain_data":[{"domain":"a.com","state":"verified"}]}`: func() error {
			_, err := c.CreateOrganization(ctx, NewOrganization{Name: "N", Domains: []DomainData{{"a.com", "verified"}}})
			return err
		},
		`PUT /organizations/o {"external_id":null,"metadata":{"k":null},"name":"N"}`: func() error {
			_, err := c.UpdateOrganization(ctx, "o", OrganizationChange{Name: &name, ExternalID: &none, Metadata: map[string]*string{"k": nil}})
			return err
		},
		"DELETE /organizations/o":     func() error { return c.DeleteOrganization(ctx, "o") },
		"GET /organizations/o/policy": func() error { _, err := c.Policy(ctx, "o"); return err },
		`PUT /organizations/o/policy {"confirm":3,"jit":null,"optional_until":null,"session_idle_seconds":null,"session_life_seconds":3600,"sso":"N"}`: func() error {
			number, hour, zero := 3, 3600, 0
			_, err := c.SetPolicy(ctx, "o", PolicyChange{SSO: &name, OptionalUntil: &time.Time{}, JIT: &none, SessionIdleSeconds: &zero, SessionLifeSeconds: &hour, Confirm: &number})
			return err
		},
		`PUT /organizations/o/policy {"optional_until":"2026-01-15T12:00:00Z"}`: func() error { _, err := c.SetPolicy(ctx, "o", PolicyChange{OptionalUntil: &at}); return err },
		"GET /organizations/o/left_out?connection=c&limit=100&sso=s": func() error {
			_, err := Collect(c.LeftOut(ctx, "o", LeftOutQuery{SSO: "s", ConnectionID: "c"}), 0)
			return err
		},
		"GET /organizations/o/left_out?limit=100&without=identity_provider": func() error {
			_, err := Collect(c.LeftOut(ctx, "o", LeftOutQuery{Without: "identity_provider"}), 0)
			return err
		},
		"POST /organizations/o/end_sessions {}":              func() error { _, err := c.EndSessions(ctx, "o", ""); return err },
		`POST /organizations/o/end_sessions {"user_id":"u"}`: func() error { _, err := c.EndSessions(ctx, "o", "u"); return err },
		"DELETE /organizations/o/identity_provider":          func() error { return c.DeleteIdentityProvider(ctx, "o", nil) },
		"DELETE /organizations/o/identity_provider?confirm=3": func() error {
			number := 3
			return c.DeleteIdentityProvider(ctx, "o", &number)
		},
		"GET /organizations/o/identity_provider_switches?limit=100": func() error { _, err := Collect(c.Switches(ctx, "o", Listing{}), 0); return err },
		`POST /organizations/o/identity_provider_switches {"from":{"directory_id":"d1"},"to":{"directory_id":"d2"}}`: func() error {
			_, err := c.CreateSwitch(ctx, "o", SwitchSide{DirectoryID: "d1"}, SwitchSide{DirectoryID: "d2"})
			return err
		},
		"GET /organizations/o/identity_provider_switches/s": func() error { _, err := c.Switch(ctx, "o", "s"); return err },
		"GET /organizations/o/identity_provider_switches/s/people?limit=100&match=m": func() error {
			_, err := Collect(c.SwitchPeople(ctx, "o", "s", SwitchMatchQuery{Match: "m"}), 0)
			return err
		},
		"GET /organizations/o/identity_provider_switches/s/groups?limit=100": func() error {
			_, err := Collect(c.SwitchGroups(ctx, "o", "s", SwitchMatchQuery{}), 0)
			return err
		},
		`PUT /organizations/o/identity_provider_switches/s/people/p {"new_id":null}`: func() error { _, err := c.SetSwitchPerson(ctx, "o", "s", "p", ""); return err },
		`PUT /organizations/o/identity_provider_switches/s/groups/g {"new_id":"h"}`:  func() error { _, err := c.SetSwitchGroup(ctx, "o", "s", "g", "h"); return err },
		`POST /organizations/o/identity_provider_switches/s/cut_over {"expected_groups_lost":2,"expected_leaving":1,"expected_unmatched":3}`: func() error {
			unmatched, lost, leaving := 3, 2, 1
			_, err := c.CutOverSwitch(ctx, "o", "s", CutOver{Unmatched: &unmatched, GroupsLost: &lost, Leaving: &leaving})
			return err
		},
		"POST /organizations/o/identity_provider_switches/s/revert": func() error { _, err := c.RevertSwitch(ctx, "o", "s"); return err },
		"POST /organizations/o/identity_provider_switches/s/cancel": func() error { _, err := c.CancelSwitch(ctx, "o", "s"); return err },
		"GET /organizations/o/contacts?limit=100":                   func() error { _, err := Collect(c.Contacts(ctx, "o"), 0); return err },
		`POST /organizations/o/contacts {"email":"e"}`:              func() error { _, err := c.CreateContact(ctx, "o", "e", ""); return err },
		`POST /organizations/o/contacts {"email":"e","name":"N"}`:   func() error { _, err := c.CreateContact(ctx, "o", "e", "N"); return err },
		"DELETE /organizations/o/contacts/c":                        func() error { return c.DeleteContact(ctx, "o", "c") },
		"POST /organizations/o/contacts/c/send_link":                func() error { _, err := c.SendPortalLink(ctx, "o", "c"); return err },
		`POST /portal/generate_link {"organization":"o"}`:           func() error { _, err := c.GeneratePortalLink(ctx, NewPortalLink{OrganizationID: "o"}); return err },
		`POST /portal/generate_link {"organization":"o","intent":"sso","return_url":"r","success_url":"s","it_contact_emails":["e"]}`: func() error {
			_, err := c.GeneratePortalLink(ctx, NewPortalLink{OrganizationID: "o", Intent: "sso", ReturnURL: "r", SuccessURL: "s", ITContactEmails: []string{"e"}})
			return err
		},
		"GET /organizations/o/break_glass_users": func() error { _, err := Collect(c.BreakGlassUsers(ctx, "o"), 0); return err },
		`POST /organizations/o/break_glass_users {"expires_at":"2026-01-15T12:00:00Z","reason":"r","user_id":"u"}`: func() error {
			_, err := c.NameBreakGlassUser(ctx, "o", "u", "r", at)
			return err
		},
		"DELETE /organizations/o/break_glass_users/u": func() error { return c.RevokeBreakGlassUser(ctx, "o", "u") },
		"GET /organizations/o/features":               func() error { _, err := c.Features(ctx, "o"); return err },
		`PUT /organizations/o/features {"features":{"directory_sync":false}}`: func() error {
			_, err := c.SetFeatures(ctx, "o", map[string]bool{"directory_sync": false})
			return err
		},
		`POST /organization_domains {"domain":"a.com","organization_id":"o"}`: func() error { _, err := c.AddDomain(ctx, "o", "a.com"); return err },
		"GET /organization_domains/d":                                         func() error { _, err := c.Domain(ctx, "d"); return err },
		"POST /organization_domains/d/verify":                                 func() error { _, err := c.VerifyDomain(ctx, "d"); return err },
		`POST /organization_domains/d/verify {"verification_strategy":"manual"}`: func() error {
			_, err := c.VouchForDomain(ctx, "d")
			return err
		},
		"DELETE /organization_domains/d": func() error { return c.DeleteDomain(ctx, "d") },

		"GET /organizations/o/api_keys?limit=100": func() error { _, err := Collect(c.APIKeys(ctx, "o", Listing{}), 0); return err },
		`POST /organizations/o/api_keys {"name":"N","permissions":["scim"],"expires_at":"2026-01-15T12:00:00Z"}`: func() error {
			_, err := c.CreateAPIKey(ctx, "o", NewAPIKey{Name: "N", Permissions: []string{"scim"}, ExpiresAt: at})
			return err
		},
		"POST /api_keys/k/expire {}":                                    func() error { _, err := c.ExpireAPIKey(ctx, "k", time.Time{}); return err },
		`POST /api_keys/k/expire {"expires_at":"2026-01-15T12:00:00Z"}`: func() error { _, err := c.ExpireAPIKey(ctx, "k", at); return err },
		"DELETE /api_keys/k":                                            func() error { return c.DeleteAPIKey(ctx, "k") },
		`POST /api_keys/validations {"value":"v"}`:                      func() error { _, _, err := c.ValidateAPIKey(ctx, "v"); return err },

		"GET /directories?limit=100&order=asc&organization_id=o&search=s": func() error {
			_, err := Collect(c.Directories(ctx, DirectoryQuery{Listing: Listing{Ascending: true}, OrganizationID: "o", Search: "s"}), 0)
			return err
		},
		"GET /directories/d": func() error { _, err := c.Directory(ctx, "d"); return err },
		`POST /directories {"organization_id":"o","name":"N","type":"okta scim v2.0"}`: func() error {
			_, err := c.CreateDirectory(ctx, NewDirectory{OrganizationID: "o", Name: "N", Type: "okta scim v2.0"})
			return err
		},
		`PATCH /directories/d {"extensions":[],"label":null,"name":"N","strict":true}`: func() error {
			_, err := c.UpdateDirectory(ctx, "d", DirectoryChange{Name: &name, Label: &none, Strict: &yes, Extensions: json.RawMessage("[]")})
			return err
		},
		"DELETE /directories/d":       func() error { return c.DeleteDirectory(ctx, "d") },
		"POST /directories/d/go_live": func() error { _, err := c.GoLive(ctx, "d"); return err },
		"GET /directories/d/brake":    func() error { _, err := c.Brake(ctx, "d"); return err },
		`PUT /directories/d/brake {"enabled":true,"people":3}`: func() error {
			_, err := c.SetBrake(ctx, "d", Brake{Enabled: true, People: 3})
			return err
		},
		"GET /directories/d/holds?limit=100":  func() error { _, err := Collect(c.Holds(ctx, "d", Listing{}), 0); return err },
		"POST /directories/d/holds/h/release": func() error { _, err := c.ReleaseHold(ctx, "d", "h"); return err },
		"POST /directories/d/holds/h/undo":    func() error { _, err := c.UndoHold(ctx, "d", "h"); return err },
		"GET /directories/d/provisioning":     func() error { _, err := c.Provisioning(ctx, "d"); return err },
		"GET /directories/d/provisioning/preview?limit=100&provisioning=direct": func() error {
			_, err := Collect(c.PreviewProvisioning(ctx, "d", "direct", Listing{}), 0)
			return err
		},
		"GET /directories/d/tokens?limit=100":    func() error { _, err := Collect(c.Tokens(ctx, "d"), 0); return err },
		"POST /directories/d/tokens":             func() error { _, err := c.CreateToken(ctx, "d"); return err },
		"DELETE /directories/d/tokens/t":         func() error { return c.RevokeToken(ctx, "d", "t") },
		"GET /directories/d/exchanges?limit=100": func() error { _, err := Collect(c.Exchanges(ctx, "d", Listing{}), 0); return err },

		"GET /directory_users?directory=d&email=e&group=g&idp_id=i&limit=5&state=active": func() error {
			_, err := Collect(c.DirectoryUsers(ctx, DirectoryUserQuery{Listing: Listing{PageSize: 5}, DirectoryID: "d", GroupID: "g", Email: "e", IdPID: "i", States: []string{"active"}}), 0)
			return err
		},
		"GET /directory_users/u":    func() error { _, err := c.DirectoryUser(ctx, "u"); return err },
		"DELETE /directory_users/u": func() error { return c.EraseDirectoryUser(ctx, "u") },
		"GET /directory_groups?directory=d&limit=100&user=u": func() error {
			_, err := Collect(c.DirectoryGroups(ctx, DirectoryGroupQuery{DirectoryID: "d", UserID: "u"}), 0)
			return err
		},
		"GET /directory_groups/g": func() error { _, err := c.DirectoryGroup(ctx, "g"); return err },

		"GET /events?after=e&events=a%2Cb&limit=100&order=asc&organization_id=o&range_end=2026-01-15T12%3A00%3A00Z&range_start=2026-01-15T12%3A00%3A00Z": func() error {
			_, err := Collect(c.Events(ctx, EventQuery{Types: []string{"a", "b"}, OrganizationID: "o", After: "e", From: at, Until: at}), 0)
			return err
		},
		"GET /events?limit=1&order=desc": func() error { _, err := c.LastEvent(ctx, EventQuery{}); return err },
		"GET /event_consumers?limit=100": func() error { _, err := Collect(c.Consumers(ctx), 0); return err },
		"GET /event_consumers/n":         func() error { _, err := c.Consumer(ctx, "n"); return err },
		`POST /event_consumers {"name":"n","events":["a"],"organization_id":"o","start":"now"}`: func() error {
			_, err := c.CreateConsumer(ctx, NewConsumer{Name: "n", Types: []string{"a"}, OrganizationID: "o", Start: Now})
			return err
		},
		"DELETE /event_consumers/n":                            func() error { return c.DeleteConsumer(ctx, "n") },
		"GET /event_consumers/n/events?limit=20":               func() error { _, err := c.ConsumerEvents(ctx, "n", 20); return err },
		`POST /event_consumers/n/acknowledge {"event_id":"e"}`: func() error { _, err := c.Acknowledge(ctx, "n", "e"); return err },

		"GET /webhook_endpoints?limit=100": func() error { _, err := Collect(c.WebhookEndpoints(ctx, Listing{}), 0); return err },
		"GET /webhook_endpoints/w":         func() error { _, err := c.WebhookEndpoint(ctx, "w"); return err },
		`POST /webhook_endpoints {"endpoint_url":"https://a.com","events":["a"]}`: func() error {
			_, err := c.CreateWebhookEndpoint(ctx, NewWebhookEndpoint{URL: "https://a.com", Types: []string{"a"}})
			return err
		},
		`PATCH /webhook_endpoints/w {"status":"N"}`: func() error {
			_, err := c.UpdateWebhookEndpoint(ctx, "w", WebhookEndpointChange{Status: &name})
			return err
		},
		"DELETE /webhook_endpoints/w": func() error { return c.DeleteWebhookEndpoint(ctx, "w") },
		`POST /webhook_endpoints/w/rotate_secret {"keep_old_for_seconds":60}`: func() error {
			_, err := c.RotateWebhookSecret(ctx, "w", time.Minute)
			return err
		},
		"GET /webhook_endpoints/w/deliveries?event=a&limit=100&state=failed": func() error {
			_, err := Collect(c.Deliveries(ctx, "w", DeliveryQuery{State: "failed", Type: "a"}), 0)
			return err
		},
		"GET /webhook_deliveries/v":                        func() error { _, err := c.Delivery(ctx, "v"); return err },
		"POST /webhook_deliveries/v/replay":                func() error { _, err := c.ReplayDelivery(ctx, "v"); return err },
		`POST /webhook_endpoints/w/replay {"failed":true}`: func() error { _, err := c.ReplayEvents(ctx, "w", Replay{Failed: true}); return err },
		`POST /webhook_endpoints/w/replay {"range_start":"2026-01-15T12:00:00Z"}`: func() error {
			_, err := c.ReplayEvents(ctx, "w", Replay{From: at})
			return err
		},

		"GET /connections?connection_type=OktaSAML&domain=a.com&limit=100&organization_id=o&search=s": func() error {
			_, err := Collect(c.Connections(ctx, ConnectionQuery{OrganizationID: "o", Type: "OktaSAML", Domain: "a.com", Search: "s"}), 0)
			return err
		},
		"GET /connections/c": func() error { _, err := c.Connection(ctx, "c"); return err },
		`POST /connections {"connection_type":"OktaSAML","metadata_url":"https://a.com","name":"N","options":{"sign_requests":true},"organization_id":"o"}`: func() error {
			_, err := c.CreateConnection(ctx, NewConnection{OrganizationID: "o", Name: "N", Type: "OktaSAML", ConnectionSettings: ConnectionSettings{
				MetadataURL: new("https://a.com"), Options: map[string]any{"sign_requests": true},
			}})
			return err
		},
		`POST /connections {"client_id":"i","client_secret":"s","client_secret_expires_at":"2027-01-31T00:00:00Z","issuer":"https://a.com","name":"N","organization_id":"o","protocol":"oidc","provider":"okta"}`: func() error {
			_, err := c.CreateConnection(ctx, NewConnection{OrganizationID: "o", Name: "N", Provider: "okta", Protocol: "oidc", ConnectionSettings: ConnectionSettings{
				Issuer: new("https://a.com"), ClientID: new("i"), ClientSecret: new("s"), ClientSecretExpiresAt: new(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)),
			}})
			return err
		},
		`PATCH /connections/c {"acs_paths":["/p"],"attribute_map":{"dept":["d"]},"certificates":["C"],"idp_entity_id":"E","metadata_url":null,"metadata_xml":"X","name":"N",` +
			`"slo_binding":"post","slo_response_url":"R","slo_url":null,"sp_entity_id":null,"sso_binding":"redirect","sso_url":"S","state":"inactive"}`: func() error {
			_, err := c.UpdateConnection(ctx, "c", ConnectionChange{Name: &name, State: new("inactive"), ConnectionSettings: ConnectionSettings{
				AttributeMap: &map[string][]string{"dept": {"d"}}, ACSPaths: &[]string{"/p"}, SPEntityID: &none, MetadataURL: &none, MetadataXML: new("X"),
				IDPEntityID: new("E"), SSOURL: new("S"), SSOBinding: new("redirect"), SLOURL: &none, SLOBinding: new("post"), SLOResponseURL: new("R"), Certificates: &[]string{"C"},
			}})
			return err
		},
		"DELETE /connections/c":                        func() error { return c.DeleteConnection(ctx, "c") },
		"POST /connections/c/refresh_metadata":         func() error { _, err := c.RefreshMetadata(ctx, "c"); return err },
		"POST /connections/c/approve_metadata":         func() error { _, err := c.ApproveMetadata(ctx, "c"); return err },
		"GET /connections/c/certificates?limit=100":    func() error { _, err := Collect(c.ConnectionCertificates(ctx, "c"), 0); return err },
		"DELETE /connections/c/certificates/f":         func() error { return c.DeleteCertificate(ctx, "c", "f") },
		"POST /connections/c/test_sign_ins":            func() error { _, err := c.CreateTestSignIn(ctx, "c"); return err },
		"GET /sign_in_attempts/a":                      func() error { _, err := c.SignInAttempt(ctx, "a"); return err },
		"GET /connections/c/sign_in_attempts?limit=20": func() error { _, err := Collect(c.SignInAttempts(ctx, "c", Listing{PageSize: 20}), 0); return err },
		`POST /connections/c/certificates {"certificate":"C"}`: func() error {
			_, err := c.AddCertificate(ctx, "c", "C")
			return err
		},

		"GET /connect/applications?limit=100&organization_id=o": func() error { _, err := Collect(c.Applications(ctx, "o", Listing{}), 0); return err },
		"GET /connect/applications/a":                           func() error { _, err := c.Application(ctx, "a"); return err },
		`POST /connect/applications {"application_type":"oauth","is_first_party":true,"name":"N"}`: func() error {
			_, err := c.CreateApplication(ctx, NewApplication{Name: "N"})
			return err
		},
		`POST /connect/applications {"application_type":"oauth","backchannel_logout_uri":"L","description":"D","initiate_login_uri":"I","is_first_party":false,"is_public":true,"name":"N",` +
			`"organization_id":"o","post_logout_redirect_uris":["P"],"redirect_uris":[{"uri":"A"},{"uri":"B","default":true}],"scopes":["openid"],"signing_alg":"ES256","uses_pkce":true}`: func() error {
			_, err := c.CreateApplication(ctx, NewApplication{
				Name: "N", Description: "D", OrganizationID: "o", Public: true, UsesPKCE: true, Scopes: []string{"openid"}, RedirectURIs: []ApplicationURI{{"A", false}, {"B", true}},
				PostLogoutRedirectURIs: []string{"P"}, LogoutURI: "L", InitiateLoginURI: "I", SigningAlgorithm: "ES256",
			})
			return err
		},
		`PUT /connect/applications/a {"backchannel_logout_uri":null,"description":null,"initiate_login_uri":null,"name":"N","post_logout_redirect_uris":[],"redirect_uris":[{"uri":"A"}],` +
			`"scopes":["openid"],"signing_alg":"RS256","uses_pkce":true}`: func() error {
			_, err := c.UpdateApplication(ctx, "a", ApplicationChange{
				Name: &name, Description: &none, UsesPKCE: &yes, Scopes: &[]string{"openid"}, RedirectURIs: &[]ApplicationURI{{URI: "A"}},
				PostLogoutRedirectURIs: &[]string{}, LogoutURI: &none, InitiateLoginURI: &none, SigningAlgorithm: new("RS256"),
			})
			return err
		},
		"DELETE /connect/applications/a":                          func() error { return c.DeleteApplication(ctx, "a") },
		"POST /connect/applications/a/client_secrets":             func() error { _, err := c.CreateApplicationSecret(ctx, "a"); return err },
		"DELETE /connect/client_secrets/s":                        func() error { return c.DeleteApplicationSecret(ctx, "s") },
		"GET /connect/applications/a/logout_deliveries?limit=100": func() error { _, err := Collect(c.LogoutDeliveries(ctx, "a", Listing{}), 0); return err },
		"GET /user_management/redirect_uris?limit=100":            func() error { _, err := Collect(c.RedirectURIs(ctx, Listing{}), 0); return err },
		`POST /user_management/redirect_uris {"uri":"A"}`:         func() error { _, err := c.AddRedirectURI(ctx, "A"); return err },
		"DELETE /user_management/redirect_uris/r":                 func() error { return c.DeleteRedirectURI(ctx, "r") },
		"GET /connect/applications/a/gap":                         func() error { _, err := c.ApplicationGap(ctx, "a"); return err },
		`POST /sso/logout/authorize {"profile_id":"p"}`:           func() error { _, err := c.AuthorizeLogout(ctx, "p"); return err },
		"POST /events/e/acknowledge":                              func() error { _, err := c.AcknowledgeEvent(ctx, "e"); return err },
		"GET /signing_keys?limit=100":                             func() error { _, err := Collect(c.SigningKeys(ctx), 0); return err },
		`POST /signing_keys/rotate {"compromised":false}`:         func() error { _, err := c.RotateSigningKeys(ctx, KeyRotation{}); return err },
		`POST /signing_keys/rotate {"signing_alg":"ES256","compromised":true}`: func() error {
			_, err := c.RotateSigningKeys(ctx, KeyRotation{Algorithm: "ES256", Compromised: true})
			return err
		},
	}
	maps.Copy(calls, peopleCalls(ctx, c))
	for want, do := range calls {
		got = ""
		if err := do(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
	}
	everyRouteIsCalled(t, slices.Collect(maps.Keys(calls)))
}

// without are routes that the table above does not call, and why not.
func without() map[string]string {
	return map[string]string{
		"GET /connect/applications/{id}/client_secrets":  "a bare array: see TestArrays_are_read",
		"GET /user_management/users/{id}/sso_identities": "likewise",
		"GET /events/snapshot":                           "a stream, which Snapshot reads: see its tests",
		"GET /user_management/users/{id}/identities":     "accounts at social networks, of which there are none; SSOIdentities gives what there is",
	}
}

// everyRouteIsCalled reads the URL table of the server as a text, for the client lives without the house.
func everyRouteIsCalled(t *testing.T, calls []string) {
	t.Helper()
	table, err := os.ReadFile("../internal/api/routes.go")
	must(t, err)
	var routes []string
	row := regexp.MustCompile(`(?s)\{"(/[^"]+)", "\w+", map\[string\]handler\{(.*?)\}\},\n`)
	for _, found := range row.FindAllStringSubmatch(string(table), -1) {
		for _, method := range regexp.MustCompile(`http\.Method(\w+):`).FindAllStringSubmatch(found[2], -1) {
			routes = append(routes, strings.ToUpper(method[1])+" "+found[1])
		}
	}
	if len(routes) < 150 {
		t.Fatalf("only %d routes were found in the server's table", len(routes))
	}
	called := without()
	for _, call := range calls {
		method, rest, _ := strings.Cut(call, " ")
		address, _, _ := strings.Cut(rest, " ")
		address, _, _ = strings.Cut(address, "?")
		called[routeOf(routes, method+" "+address)] = ""
	}
	for _, route := range routes {
		if _, ok := called[route]; !ok {
			t.Errorf("nothing calls %s", route)
		}
		delete(called, route)
	}
	for route := range called {
		t.Errorf("there is no route %q", route)
	}
}

// routeOf finds the route of an address, of several the one that names more of it.
func routeOf(routes []string, call string) string {
	best, most := call, -1
	for _, route := range routes {
		want, got, same := strings.Split(route, "/"), strings.Split(call, "/"), 0
		matches := len(want) == len(got)
		for i := 0; matches && i < len(want); i++ {
			matches = want[i] == got[i] || strings.HasPrefix(want[i], "{")
			if want[i] == got[i] {
				same++
			}
		}
		if matches && same > most {
			best, most = route, same
		}
	}
	return best
}

// Two lists are bare arrays.
func TestArrays_are_read(t *testing.T) {
	var got, body string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.URL.RequestURI()
		answer(w, 200, "%s", body)
	})
	body = `[{"id":"secret_2","secret_hint":"xyz","last_used_at":null,"new":1},{"id":"secret_1","secret_hint":"abc","last_used_at":"2026-01-15T12:00:00.000Z"}]`
	found, err := c.ApplicationSecrets(t.Context(), "a")
	must(t, err)
	if got != "GET /connect/applications/a/client_secrets" || len(found) != 2 || found[0].ID != "secret_2" || found[0].Hint != "xyz" ||
		!found[0].LastUsedAt.IsZero() || found[1].LastUsedAt.Year() != 2026 || string(found[0].JSON()) != `{"id":"secret_2","secret_hint":"xyz","last_used_at":null,"new":1}` {
		t.Errorf("%s: %+v", got, found)
	}
	body = `[{"connection_id":"conn_1","idp_id":"ann","linked_by":"email"}]`
	who, err := c.SSOIdentities(t.Context(), "u")
	must(t, err)
	if got != "GET /user_management/users/u/sso_identities" || len(who) != 1 || who[0].ConnectionID != "conn_1" || who[0].IdPID != "ann" || who[0].LinkedBy != "email" {
		t.Errorf("%s: %+v", got, who)
	}
	body = `{"object":"list"}`
	if _, err := c.SSOIdentities(t.Context(), "u"); err == nil {
		t.Error("an object passes for an array")
	}
}

func TestAttempt_passes_only_with_all_its_checks(t *testing.T) {
	for text, want := range map[string][2]bool{ // finished, passed
		`{"state":"at_provider"}`:                                           {false, false},
		`{"state":"succeeded","checks":[{"passed":true}]}`:                  {true, true},
		`{"state":"succeeded","checks":[{"passed":true},{"passed":false}]}`: {true, false},
		`{"state":"failed","error":{"code":"expired"},"checks":[]}`:         {true, false},
		`{"state":"timed_out","error":{"code":"timed_out"},"checks":null}`:  {true, false},
	} {
		a, err := decode[SignInAttempt]([]byte(text))
		must(t, err)
		if a.Finished() != want[0] || a.Passed() != want[1] {
			t.Errorf("%s: finished %v, passed %v", text, a.Finished(), a.Passed())
		}
	}
}
