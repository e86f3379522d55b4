package idp

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEvery_connection_type_stands_for_one_provider(t *testing.T) {
	c := loadCatalog(t)
	want := map[ConnectionType]Slug{
		"ADFSSAML": "adfs", "Auth0SAML": "auth0", "AzureSAML": "entra-id", "ClassLinkSAML": "classlink", "CloudflareSAML": "cloudflare-access",
		"CyberArkSAML": "cyberark", "DuoSAML": "duo", "GenericSAML": "custom-saml", "GoogleSAML": "google-workspace", "JumpCloudSAML": "jumpcloud",
		"KeycloakSAML": "keycloak", "LastPassSAML": "lastpass", "MiniOrangeSAML": "miniorange", "NetIqSAML": "netiq-opentext", "OktaSAML": "okta",
		"OneLoginSAML": "onelogin", "OracleSAML": "oracle-oci-iam", "PingFederateSAML": "pingfederate", "PingOneSAML": "pingone",
		"RipplingSAML": "rippling", "SalesforceSAML": "salesforce", "ShibbolethSAML": "shibboleth", "SimpleSamlPhpSAML": "simplesamlphp",
		"VMwareSAML": "omnissa-workspace-one", "EntraIdOIDC": "entra-id", "GenericOIDC": "custom-oidc", "GoogleOIDC": "google-workspace", "OktaOIDC": "okta",
	}
	for _, protocol := range []Protocol{SAML, OIDC} {
		for _, connectionType := range ConnectionTypes(protocol) {
			providers := c.ByConnectionType(connectionType)
			if len(providers) == 0 || providers[0].Slug != want[connectionType] {
				t.Errorf("%s: got %v, want %s first", connectionType, slugsOf(providers), want[connectionType])
			}
			if got, ok := connectionType.Protocol(); got != protocol || !ok {
				t.Errorf("%s speaks %q, %t; want %s", connectionType, got, ok, protocol)
			}
			delete(want, connectionType)
		}
	}
	if len(want) > 0 {
		t.Errorf("these types cannot be created: %v", want)
	}
}

func TestA_generic_connection_may_be_of_every_provider_without_a_type(t *testing.T) {
	c := loadCatalog(t)
	got := slugsOf(c.ByConnectionType(ConnectionGenericSAML))
	if want := []Slug{"custom-saml", "authentik", "aws-iam-identity-center", "fusionauth", "ibm-verify", "zitadel"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if generic := slugsOf(c.ByConnectionType(ConnectionGenericOIDC)); generic[0] != "custom-oidc" || !slices.Contains(generic, "keycloak") {
		t.Errorf("got %v, want custom-oidc first and keycloak among them", generic)
	}
	for _, unknown := range []ConnectionType{"", "Pending", "okta"} {
		if _, ok := unknown.Protocol(); ok || len(c.ByConnectionType(unknown)) != 0 {
			t.Errorf("type %q: got %v, want nobody", unknown, slugsOf(c.ByConnectionType(unknown)))
		}
	}
	if types := ConnectionTypes(SCIM); len(types) != 0 {
		t.Errorf("SCIM has connection types %v, want none", types)
	}
}

func TestClaims_of_more_than_twenty_providers_are_known(t *testing.T) {
	c := loadCatalog(t)
	complete := 0
	for _, provider := range c.Providers() {
		for protocol, claims := range provider.Claims {
			for _, claim := range []Claim{ClaimID, ClaimEmail, ClaimFirstName, ClaimLastName} {
				if len(claims[claim]) == 0 {
					t.Errorf("%s: no name for %s by %s", provider.Slug, claim, protocol)
				}
			}
		}
		if len(provider.Claims) > 0 {
			complete++
		}
	}
	if complete < 22 {
		t.Errorf("claims of %d providers are known, want at least 20 and the two generic ones", complete)
	}
}

// Somebody who chose the wrong provider, or none, still signs in with a name and an email.
func TestNames_of_every_provider_are_well_known(t *testing.T) {
	c := loadCatalog(t)
	for _, protocol := range []Protocol{SAML, OIDC} {
		known := make(map[string]Claim)
		for claim, names := range c.WellKnownClaims(protocol) {
			for _, name := range names {
				if other, twice := known[name]; twice {
					t.Errorf("%s %q means both %s and %s", protocol, name, other, claim)
				}
				known[name] = claim
			}
		}
		for _, provider := range c.Providers() {
			for claim, names := range provider.Claims[protocol] {
				for _, name := range names {
					if known[name] == "" && !(protocol == OIDC && claim == ClaimID) {
						t.Errorf("%s: %s %q for %s is not well known", provider.Slug, protocol, name, claim)
					}
				}
			}
		}
	}
}

// OpenID Connect core 5.7: only iss and sub together identify a person. A claim that merely looks like an identifier could be
// anything at an unknown provider.
func TestAn_unknown_openid_provider_identifies_people_by_sub_only(t *testing.T) {
	c := loadCatalog(t)
	if got := c.ClaimNames("nobody", OIDC)[ClaimID]; !slices.Equal(got, []string{"sub"}) {
		t.Errorf("got %q, want sub alone", got)
	}
	if got := c.ClaimNames("entra-id", OIDC)[ClaimID]; !slices.Equal(got, []string{"oid", "sub"}) {
		t.Errorf("Entra ID: got %q, want oid, then sub", got)
	}
}

func TestA_providers_own_names_come_first_and_keep_their_meaning(t *testing.T) {
	c := loadCatalog(t)
	const name = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	entra := c.ClaimNames("entra-id", SAML)
	if entra[ClaimID][0] != "http://schemas.microsoft.com/identity/claims/objectidentifier" || !slices.Contains(entra[ClaimEmail], "mail") {
		t.Errorf("got id %q, email %q; want its own first and the well-known after", entra[ClaimID], entra[ClaimEmail])
	}
	if slices.Contains(entra[ClaimDisplayName], name) || !slices.Contains(entra[ClaimEmail], name) {
		t.Errorf("the name claim is Entra's user principal name, got display_name %q, email %q", entra[ClaimDisplayName], entra[ClaimEmail])
	}
	if !slices.Contains(c.ClaimNames("custom-saml", SAML)[ClaimDisplayName], name) {
		t.Error("elsewhere the name claim is what a person is called")
	}
	for claim, names := range entra {
		if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
			t.Errorf("%s has a name twice: %q", claim, names)
		}
	}
}

func TestClaim_names_handed_out_are_the_callers_own(t *testing.T) {
	c := loadCatalog(t)
	c.WellKnownClaims(SAML)[ClaimEmail][0] = "changed"
	c.ClaimNames("okta", SAML)[ClaimEmail][0] = "changed"
	if got := c.ClaimNames("okta", SAML)[ClaimEmail][0]; got != "email" {
		t.Errorf("the catalogue changed: %q", got)
	}
	if got := c.WellKnownClaims(SCIM); len(got) != 0 {
		t.Errorf("SCIM asserts nothing at a sign-in, got %v", got)
	}
}

func TestWhat_rests_on_hearsay_is_marked(t *testing.T) {
	c := loadCatalog(t)
	rippling, _ := c.Provider("rippling")
	if !slices.Equal(rippling.Unverified, []string{"nameid_format"}) || rippling.NameIDFormat != NameIDEmail {
		t.Errorf("got %q, %q; want its NameID format in doubt", rippling.NameIDFormat, rippling.Unverified)
	}
}

func TestFaulty_connection_types_are_refused_with_the_reason(t *testing.T) {
	const claims = `"claims": {"saml": {"id": ["id"]}}`
	cases := []struct{ name, members, want string }{
		{"a type of another protocol", `"connection_types": {"saml": "OktaOIDC"}, ` + claims, `connection_types.saml is "OktaOIDC"`},
		{"an unknown type", `"connection_types": {"saml": "OktaSaml"}, ` + claims, `connection_types.saml is "OktaSaml"`},
		{"a protocol it lacks", `"connection_types": {"saml": "GenericSAML", "oidc": "OktaOIDC"}, ` + claims, "connection_types.oidc"},
		{"no type", claims, "connection_types.saml and claims.saml must be set"},
		{"no claims", `"connection_types": {"saml": "GenericSAML"}`, "connection_types.saml and claims.saml must be set"},
		{"standing for another's type", `"connection_types": {"saml": "OktaSAML"}, "stands_for_connections": ["GenericSAML"], ` + claims, "not in connection_types"},
		{"a transient name", `"connection_types": {"saml": "OktaSAML"}, "nameid_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", ` + claims, "nameid_format has"},
		{"doubt about a claim it lacks", `"connection_types": {"saml": "OktaSAML"}, "unverified": ["claims.saml.email"], ` + claims, `unverified has "claims.saml.email"`},
		{"doubt about no format", `"connection_types": {"saml": "OktaSAML"}, "unverified": ["nameid_format"], ` + claims, `unverified has "nameid_format"`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			json := `{"name": "A", "protocols": ["saml"], "without_scim": "No.", ` + tc.members + `}`
			_, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(json)}}, false)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
	withoutSAML := `{"name": "A", "protocols": ["oidc"], "without_scim": "No.", "connection_types": {"oidc": "GenericOIDC"}, "claims": {"oidc": {"id": ["sub"]}}, "nameid_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}`
	if _, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(withoutSAML)}}, false); err == nil || !strings.Contains(err.Error(), "nameid_format without saml") {
		t.Errorf("got %v, want a NameID format without SAML refused", err)
	}
}

func TestConnection_types_that_stand_for_nobody_or_two_are_named(t *testing.T) {
	okta := `{"name": "A", "protocols": ["saml"], "without_scim": "No.", "connection_types": {"saml": "OktaSAML"}, "claims": {"saml": {"id": ["id"]}}}`
	_, err := load(fstest.MapFS{"a/idp.json": {Data: []byte(okta)}, "b/idp.json": {Data: []byte(okta)}}, false)
	if err == nil {
		t.Fatal("want faults, got none")
	}
	for _, want := range []string{`connection type "OktaSAML": want exactly one provider it stands for, got ["a" "b"]`, `connection type "GenericSAML"`, `connection type "OktaOIDC"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestSignInNames_are_the_claim_names_and_worked_out_once(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	slugs := []Slug{"", "nobody", "somebody-else"}
	for _, p := range c.Providers() {
		slugs = append(slugs, p.Slug)
	}
	for _, slug := range slugs {
		for _, protocol := range []Protocol{SAML, OIDC} {
			got := c.SignInNames(slug, protocol)
			if want := c.ClaimNames(slug, protocol); !reflect.DeepEqual(got, want) {
				t.Errorf("%q, %s: %v, want %v", slug, protocol, got, want)
			}
			if again := c.SignInNames(slug, protocol); reflect.ValueOf(again).Pointer() != reflect.ValueOf(got).Pointer() {
				t.Errorf("%q, %s: worked out twice", slug, protocol)
			}
		}
	}
	kept := 0
	c.names.Range(func(any, any) bool { kept++; return true })
	if want := 2 * (len(c.Providers()) + 1); kept != want {
		t.Errorf("%d are kept, want %d: those of unknown providers once", kept, want)
	}
}
