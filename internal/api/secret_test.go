package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// People paste secrets where ids, cursors and names are wanted. Whatever a route says to that, neither the answer nor any log may
// repeat it.
func TestSecrets_sent_in_the_wrong_place_are_in_no_refusal_and_no_log(t *testing.T) {
	onOne(t, func(w *world) {
		organization := w.organization("Acme")
		front := web.Front{
			Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), NewID: func() string { return "req_1" },
		}.Wrap(w.server)
		refused, asked := 0, 0
		for _, secret := range []string{
			w.key.Reveal(), token.NewSecret("sk").Reveal(), token.NewSecret("scim").Reveal(), token.NewSecret("whsec").Reveal(),
			w.key.Reveal()[:len(w.key.Reveal())-1], strings.TrimPrefix(token.NewSecret("scim").Reveal(), "scim_"),
		} {
			send := func(method, path, body string, more http.Header) {
				t.Helper()
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header = http.Header{"Authorization": {"Bearer " + w.key.Reveal()}, "User-Agent": {secret}, "Content-Type": {secret}}
				for name, values := range more {
					r.Header[name] = values
				}
				got := httptest.NewRecorder()
				front.ServeHTTP(got, r)
				asked++
				if got.Code >= http.StatusBadRequest {
					refused++
				}
				if got.Code >= http.StatusBadRequest && holds(got.Body.String(), secret) {
					t.Errorf("%s %s %s: the answer repeats it: %s", method, path, body, got.Body)
				}
				if holds(w.log.String(), secret) {
					t.Fatalf("%s %s: the log repeats it: %s", method, path, w.log)
				}
				w.log.Reset()
			}
			for _, row := range table() {
				for method := range row.methods {
					for _, path := range fillings(row.pattern, secret, organization) {
						send(method, path, "", nil)
						send(method, path+"?after="+secret, "", nil)
						send(method, path+"?before="+secret+"&limit="+secret+"&order="+secret, "", nil)
						send(method, path+"?limit="+secret, "", nil)
						send(method, path+"?order="+secret, "", nil)
						for _, name := range []string{"organization_id", "directory", "group", "user", "events", "range_start", "state", "event", secret} {
							send(method, path+"?"+name+"="+secret, "", nil)
						}
						for _, body := range []string{
							secret, `{"` + secret + `":1`, `{"name":` + secret + `}`, `{"name":"` + secret + `"}`, `{"name":["` + secret + `"]}`,
							`{"name":"a","` + secret + `":"a","` + secret + `":"b"}`, `{"name":"a","` + secret + `":"\u0000"}`,
							`{"organization_id":"` + secret + `","name":"` + secret + `","type":"` + secret + `"}`,
							`{"organization_id":"` + organization + `","name":"a","type":"okta scim v2.0","provider":"` + secret + `"}`,
							`{"organization_id":"` + organization + `","name":"a","type":"okta scim v2.0","label":"` + secret + `"}`,
							`{"organization_id":"` + organization + `","name":"a","type":"okta scim v2.0","extensions":{"` + secret + `":1}}`,
							`{"name":"a","domains":["` + secret + `"]}`, `{"name":"a","domain_data":[{"domain":"` + secret + `","state":"` + secret + `"}]}`,
							`{"name":"a","external_id":"` + secret + `"}`, `{"name":"a","metadata":{"` + secret + `":["a"]}}`,
							`{"name":"a","metadata":{"` + secret + strings.Repeat("a", 40) + `":"` + secret + `"}}`,
							`{"events":["` + secret + `"],"endpoint_url":"` + secret + `","event_id":"` + secret + `","start":"` + secret + `"}`,
							`{"value":"` + secret + `","permissions":["` + secret + `"],"expires_at":"` + secret + `"}`,
						} {
							send(method, path, body, nil)
						}
						send(method, path, `{"name":""}`, http.Header{idempotencyKey: {secret + strings.Repeat("a", 255)}})
						send(method, path, `{"name":""}`, http.Header{"Content-Encoding": {secret}})
					}
				}
			}
			send("GET", "/"+secret, "", nil)
			send(secret, "/events", "", nil)
			send("GET", "/events", "", http.Header{"Authorization": {"Bearer " + strings.ToLower(secret)}})
			send("GET", "/events", "", http.Header{"Authorization": {secret}})
		}
		if refused < asked/3 || asked < 1000 {
			t.Errorf("of %d requests only %d were refused", asked, refused)
		}
	})
}

// fillings are addresses of a pattern with the secret in them, and with something that is there.
func fillings(pattern, secret, organization string) []string {
	var out []string
	for _, value := range []string{secret, "org_" + secret, organization} {
		path := pattern
		for strings.Contains(path, "{") {
			from, to := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
			path = path[:from] + value + path[to+1:]
		}
		if len(out) == 0 || path != out[len(out)-1] {
			out = append(out, path)
		}
	}
	return out
}

// holds: a text shows so much of a secret that the rest could be tried.
func holds(text, secret string) bool {
	const telling = 20
	at := strings.IndexByte(secret, '_') + 1
	return strings.Contains(text, secret[at:at+telling])
}
