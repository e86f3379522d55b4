package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/rollcallhq/rollcall/internal/web"
)

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAddresses_follow_the_host_called_if_it_is_a_known_one_and_new_ones_the_preferred(t *testing.T) {
	public := address(t, "https://sync.example.com/")
	own := web.Domain{URL: address(t, "https://scim.acme.example"), Organization: "org_acme"}
	all := web.Domain{URL: address(t, "https://scim.app.example")}
	const sync, acme, app = "https://sync.example.com", "https://scim.acme.example", "https://scim.app.example"
	for _, one := range []struct {
		name, host, organization string
		public                   *url.URL
		more                     []web.Domain
		called, preferred        string
	}{
		{"nothing configured", "old.example", "org_acme", nil, nil, "http://old.example", "http://old.example"},
		{"a public URL", "stranger.example", "org_acme", public, nil, sync, sync},
		{"for all", "stranger.example", "org_acme", public, []web.Domain{all}, app, app},
		{"for all, called by the public URL", "sync.example.com", "org_acme", public, []web.Domain{all}, sync, app},
		{"of one's own", "stranger.example", "org_acme", public, []web.Domain{own, all}, acme, acme},
		{"of another", "stranger.example", "org_other", public, []web.Domain{own}, sync, sync},
		{"of another, called", "SCIM.acme.example:443", "org_other", public, []web.Domain{own}, acme, sync},
		{"of one's own, called by that for all", "scim.app.example.", "org_acme", public, []web.Domain{own, all}, app, acme},
		{"a stranger", "stranger.example", "", public, []web.Domain{own}, sync, sync},
		{"of one's own without a public URL", "old.example", "org_acme", nil, []web.Domain{own}, acme, acme},
		{"of another without a public URL", "old.example", "org_other", nil, []web.Domain{own}, "http://old.example", "http://old.example"},
		{"junk", "x<script>", "org_other", public, []web.Domain{own}, sync, sync},
	} {
		domains := web.NewDomains(one.public, one.more...)
		d := newDesk()
		d.front.PublicURL, d.front.Domains = one.public, domains
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r.Host = one.host
		var called, preferred string
		d.serve(func(_ http.ResponseWriter, r *http.Request) error {
			called, preferred = domains.Called(r, one.organization), domains.Preferred(r, one.organization)
			return nil
		}, r)
		if called != one.called || preferred != one.preferred {
			t.Errorf("%s: called %s, want %s; preferred %s, want %s", one.name, called, one.called, preferred, one.preferred)
		}
	}
}

func TestForwarded_host_counts_only_from_a_trusted_proxy(t *testing.T) {
	domains := web.NewDomains(address(t, "https://sync.example.com"), web.Domain{URL: address(t, "https://scim.acme.example"), Organization: "org_acme"})
	for _, one := range []struct {
		proxies web.Proxies
		want    string
	}{
		{nil, "https://sync.example.com"},
		{web.Proxies{netip.MustParsePrefix("192.0.2.0/24")}, "https://scim.acme.example"},
	} {
		d := newDesk()
		d.front.PublicURL, d.front.Domains, d.front.Proxies = address(t, "https://sync.example.com"), domains, one.proxies
		r := httptest.NewRequest(http.MethodGet, "/x", nil) // from 192.0.2.1
		r.Host = "inside:8080"
		r.Header.Set("X-Forwarded-Host", "scim.acme.example")
		var got string
		d.serve(func(_ http.ResponseWriter, r *http.Request) error {
			got = domains.Called(r, "org_other")
			return nil
		}, r)
		if got != one.want {
			t.Errorf("with proxies %v: %s, want %s", one.proxies, got, one.want)
		}
	}
}
