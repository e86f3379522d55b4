package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// forwarded sends what a proxy would, and gives the SCIM address told and the line of the log.
func forwarded(t *testing.T, p *process) (endpoint string, line object) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+"/directories", nil)
	must(t, err)
	r.Header = http.Header{
		"Authorization": {"Bearer " + managementKey}, "X-Forwarded-For": {"198.51.100.7"},
		"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"sync.example.com"},
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	var page object
	must(t, json.NewDecoder(res.Body).Decode(&page))
	if res.StatusCode != http.StatusOK || len(list(page, "data")) != 1 {
		t.Fatalf("%d %v", res.StatusCode, page)
	}
	return text(list(page, "data")[0], "scim_endpoint"), p.access(t, res.Header.Get("X-Request-Id"))
}

func TestForwarded_headers_of_a_stranger_are_ignored(t *testing.T) {
	h := newHome(t, db.SQLite)
	p := h.start(t)
	newTenant(t, p, "Behind")
	endpoint, line := forwarded(t, p)
	if !strings.HasPrefix(endpoint, p.url+"/") || text(line, "ip") != "127.0.0.1" {
		t.Errorf("a stranger's word is believed: %s %v", endpoint, line)
	}
	p.stop(t)

	p = h.start(t, "--trusted-proxies", "127.0.0.0/8")
	endpoint, line = forwarded(t, p)
	if !strings.HasPrefix(endpoint, "https://sync.example.com/scim/v2/") || text(line, "ip") != "198.51.100.7" {
		t.Errorf("a trusted proxy's word is not believed: %s %v", endpoint, line)
	}
	p.stop(t)

	p = h.start(t, "--public-url", "https://people.example.com")
	if p.url != "https://people.example.com" {
		t.Errorf("with a public URL the server says it is at %s", p.url)
	}
	p.url = "http://" + p.says(t, p.log, listening)
	if endpoint, _ = forwarded(t, p); !strings.HasPrefix(endpoint, "https://people.example.com/scim/v2/") {
		t.Errorf("with a public URL the address is %s", endpoint)
	}
	p.stop(t)
}
