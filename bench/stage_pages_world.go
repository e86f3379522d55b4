package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// shown is what pages are about, beside people and groups: one of each noun.
type shown struct{ directory, connection, collecting, hold, switched string } // ids

// entity is of an answer what the next request needs.
type entity struct {
	ID       string `json:"id"`
	Slug     string `json:"slug"`
	Endpoint string `json:"scim_endpoint"`
	Token    string `json:"bearer_token"`
	URL      string `json:"url"`
}

// furnish makes one of each noun that pages show, and begins a switch to a directory that has everybody of the old one.
func (s *side) furnish(ctx context.Context, d *directory, id string) (out shown, err error) {
	out.directory = id
	post := func(path string, body map[string]any) (made entity) {
		if err == nil {
			if err = s.api(ctx, http.MethodPost, path, body, &made); err != nil {
				err = fmt.Errorf("furnish: %w", err)
			}
		}
		return made
	}
	org := "/organizations/" + d.organization
	provider := samltest.New("https://idp.example/metadata")
	out.connection = post("/connections", map[string]any{
		"organization_id": d.organization, "name": "Sign-ins", "connection_type": "GenericSAML", "idp_entity_id": provider.EntityID, "sso_url": "https://idp.example/sso",
		"certificates": []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate.Raw}))},
	}).ID
	test := post("/connections/"+out.connection+"/test_sign_ins", nil)
	post("/connections", map[string]any{
		"organization_id": d.organization, "name": "OpenID", "connection_type": "GenericOIDC",
	})
	post("/authorization/permissions", map[string]any{"slug": "read", "name": "Read"})
	post("/authorization/roles", map[string]any{"slug": "editor", "name": "Editor"})
	post("/authorization/organizations/"+d.organization+"/roles", map[string]any{"slug": "org-lead", "name": "Lead"})
	post(org+"/groups", map[string]any{"name": "Team"})
	post(org+"/licence_types", map[string]any{"slug": "seat", "name": "Seat", "seats": 10})
	post(org+"/api_keys", map[string]any{"name": "Bench"})
	post(org+"/contacts", map[string]any{"email": "it@load.example", "name": "IT"})
	post("/webhook_endpoints", map[string]any{"endpoint_url": "http://127.0.0.1:9/bench", "events": []string{"dsync.user.updated"}})
	post("/connect/applications", map[string]any{"name": "Bench", "application_type": "oauth", "is_first_party": true, "is_public": true, "redirect_uris": []map[string]any{{"uri": "https://app.example/callback"}}})
	post("/organization_domains", map[string]any{"organization_id": d.organization, "domain": "pending.example"})
	out.collecting = post("/directories", map[string]any{"organization_id": d.organization, "name": "Collects", "type": "okta scim v2.0", "live": false}).ID
	next := post("/directories", map[string]any{"organization_id": d.organization, "name": "Next", "type": "generic scim v2.0", "live": false})
	if err != nil {
		return out, err
	}
	if err := s.furnishMore(ctx, org, test.URL); err != nil {
		return out, err
	}
	if out.hold, err = s.hold(ctx, d, id); err != nil {
		return out, err
	}
	base, err := pathOf(next.Endpoint)
	if err != nil {
		return out, err
	}
	if err := s.fill(ctx, &directory{addr: s.addr, tag: d.tag, base: base, token: next.Token, organization: d.organization}, len(d.people)); err != nil {
		return out, err
	}
	out.switched = post(org+"/identity_provider_switches", map[string]any{
		"from": map[string]any{"directory_id": id}, "to": map[string]any{"directory_id": next.ID},
	}).ID
	return out, err
}

// furnishMore begins a sign-in, and names somebody who may come in without the identity provider.
func (s *side) furnishMore(ctx context.Context, org, signIn string) error {
	u, err := url.Parse(signIn)
	if err != nil {
		return err
	}
	client := newBrowser()
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+u.RequestURI(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	var people struct {
		Data []entity `json:"data"`
	}
	if err := s.api(ctx, http.MethodGet, "/user_management/users?limit=1", nil, &people); err != nil {
		return err
	}
	if len(people.Data) == 0 {
		return errors.New("nobody has an account")
	}
	return s.api(ctx, http.MethodPost, org+"/break_glass_users", map[string]any{
		"user_id": people.Data[0].ID, "reason": "The identity provider may be down.", "expires_at": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	}, &struct{}{})
}

// hold has a directory's brake hold a hundredth of its people.
func (s *side) hold(ctx context.Context, d *directory, id string) (string, error) {
	settings := map[string]any{"enabled": true, "share_percent": 1, "people": 2, "window_minutes": 15, "hold_minutes": 60}
	if err := s.api(ctx, http.MethodPut, "/directories/"+id+"/brake", settings, &struct{}{}); err != nil {
		return "", err
	}
	c := d.dial()
	defer c.close()
	for _, p := range d.people[:len(d.people)/100+5] {
		status, doc, err := c.do("PATCH", d.base+"/Users/"+p.id, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`))
		if err != nil {
			return "", err
		}
		if err := answered("deactivate", http.StatusOK, status, doc, p.id); err != nil {
			return "", err
		}
	}
	var holds struct {
		Data []entity `json:"data"`
	}
	if err := s.api(ctx, http.MethodGet, "/directories/"+id+"/holds", nil, &holds); err != nil {
		return "", err
	}
	if len(holds.Data) == 0 {
		return "", fmt.Errorf("the brake holds nobody")
	}
	return holds.Data[0].ID, nil
}

// inDashboard and inPortal are where the walk begins: home, and what links lead to in another state alone.
func (s shown) inDashboard(organization string) []string {
	const dashboard = "/dashboard/"
	one := dashboard + "organizations/" + organization + "/switches/" + s.switched
	return []string{
		dashboard, one + "/revert", one + "?kind=groups", dashboard + "directories/" + s.directory + "/brake", dashboard + "directories/" + s.collecting + "/go-live",
		dashboard + "connections/" + s.connection + "/deactivate",
	}
}

func (s shown) inPortal() []string {
	sso, sync := "/portal/sso/", "/portal/directory/"
	return []string{
		"/portal/home", "/portal/domains",
		"/portal/sso", sso + "new", sso + "new/okta", sso + s.connection + "/attributes", sso + s.connection + "/people",
		"/portal/directory", sync + "new", sync + "new/okta", sync + s.directory + "/mapping", sync + s.collecting + "/live",
	}
}
