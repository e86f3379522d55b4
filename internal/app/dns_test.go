package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/org/dnstest"
)

func TestDomain_is_proven_by_the_configured_DNS_server(t *testing.T) {
	names := dnstest.New(t)
	c := testConfig(t)
	c.DNSServer = names.Address
	a := build(t, c)
	start(t, a)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(path, body string) map[string]any {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+a.NewKey.Reveal())
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		var out map[string]any
		if err != nil || res.StatusCode != http.StatusCreated || json.Unmarshal(text, &out) != nil {
			t.Fatalf("%s: %d %s %v", path, res.StatusCode, text, err)
		}
		return out
	}
	id := post("/organizations", `{"name":"Acme"}`)["id"].(string)
	domain := post("/organization_domains", `{"organization_id":"`+id+`","domain":"example.com"}`)
	path := "/organization_domains/" + domain["id"].(string) + "/verify"
	if got := post(path, ""); got["state"] != "pending" {
		t.Errorf("without a record: %v", got)
	}
	record := domain["verification_records"].([]any)[0].(map[string]any)
	names.Set(record["name"].(string), record["value"].(string))
	if got := post(path, ""); got["state"] != "verified" {
		t.Errorf("with the record: %v", got)
	}
}
