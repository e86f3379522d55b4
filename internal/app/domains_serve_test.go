package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Every host is served; what is shown follows the configuration.
func TestCustom_domains_are_shown_and_every_host_is_served(t *testing.T) {
	c := testConfig(t)
	c.APIKey = token.NewSecret("sk")
	actor := event.Actor{ID: "test", Source: event.API}

	// The organization has to be there before its domain can be configured.
	a := build(t, c)
	o, err := a.organizations.Create(t.Context(), actor, org.New{Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := a.directories.Create(t.Context(), actor, directory.New{OrganizationID: string(o.ID), Name: "People", Type: directory.GenericSCIM, Label: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	c.PublicURL = &url.URL{Scheme: "https", Host: "sync.example.com"}
	c.CustomDomains = []web.Domain{
		{URL: &url.URL{Scheme: "https", Host: "scim.acme.example"}, Organization: string(o.ID)},
		{URL: &url.URL{Scheme: "https", Host: "scim.app.example"}},
	}
	a = build(t, c)
	start(t, a)
	ask := func(host, path string, bearer token.Secret) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer.Reveal())
		}
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s at %s: %d %s %v", path, host, res.StatusCode, body, err)
		}
		return string(body)
	}
	location := func(host string, bearer token.Secret) string {
		t.Helper()
		var got struct {
			Meta struct{ Location string }
		}
		if err := json.Unmarshal([]byte(ask(host, "/scim/v2/acme/ServiceProviderConfig", bearer)), &got); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(got.Meta.Location, "/scim/v2/acme/ServiceProviderConfig")
	}
	for host, want := range map[string]string{
		"scim.acme.example": "https://scim.acme.example", "scim.app.example:443": "https://scim.app.example", "sync.example.com": "https://sync.example.com",
		"old.example": "https://scim.acme.example", "127.0.0.1": "https://scim.acme.example",
	} {
		if got := location(host, secret); got != want {
			t.Errorf("called at %s the location begins with %s, want %s", host, got, want)
		}
		if got := ask(host, "/directories", c.APIKey); !strings.Contains(got, `"scim_endpoint":"https://scim.acme.example/scim/v2/acme"`) {
			t.Errorf("called at %s the API shows %s", host, got)
		}
	}
	if got := location("old.example", ""); got != "https://scim.app.example" {
		t.Errorf("a stranger at another host is shown %s", got)
	}
}
