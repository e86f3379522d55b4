package scimapi_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// benchUser is a person as Okta sends one with a well filled profile.
func benchUser(i int, title string) []byte {
	return fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"userName":"u%07d@load.example","externalId":"00u%07d","name":{"givenName":"Ada","familyName":"Lovelace","formatted":"Ada Lovelace"},
"displayName":"Ada Lovelace","nickName":"Ada","title":%q,"userType":"Employee","preferredLanguage":"en-US","locale":"en-US","timezone":"Europe/Berlin",
"active":true,"emails":[{"primary":true,"value":"u%07d@load.example","type":"work"},{"value":"home%07d@home.example","type":"home"}],
"phoneNumbers":[{"primary":true,"value":"+1-555-%07d","type":"work"}],
"addresses":[{"type":"work","primary":true,"streetAddress":"%d Main Street","locality":"Springfield","region":"OR","postalCode":"97477","country":"US"}],
"groups":[],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%07d","costCenter":"4130","organization":"Example","division":"Platform","department":"Engineering"}}`,
		i, i, title, i, i, i, i, i)
}

// quiet answers a request without a network, so that a profile shows the edge and the store alone.
type quiet struct {
	status int
	header http.Header
}

func (q *quiet) Header() http.Header         { return q.header }
func (q *quiet) Write(b []byte) (int, error) { return len(b), nil }
func (q *quiet) WriteHeader(status int)      { q.status = status }

// The hot requests, eight at a time, through everything but the network.
func BenchmarkHotPath(b *testing.B) {
	const people = 1000
	h := scimapitest.SQLite(b, func(o *scimapi.Options) { o.Logger = slog.New(slog.DiscardHandler) })
	f := h.Linked(directory.New{})
	base := "http://localhost/scim/v2/" + f.Directory.AddressKey
	do := func(b *testing.B, method, path string, body []byte, want int) {
		var reader io.Reader
		if body != nil {
			reader = bytes.NewReader(body)
		}
		r := httptest.NewRequest(method, base+path, reader)
		r.Header.Set("Authorization", "Bearer "+f.Token.Reveal())
		w := &quiet{header: http.Header{}, status: http.StatusOK}
		h.Server.Config.Handler.ServeHTTP(w, r)
		if w.status != want {
			b.Errorf("%s %s: %d, want %d", method, path, w.status, want)
		}
	}
	for i := range people {
		do(b, "POST", "/Users", benchUser(i, "Engineer"), 201)
	}
	var ids []string
	for _, u := range f.Do("GET", "/Users?count=1000", "").Want(200).Object()["Resources"].([]any) {
		ids = append(ids, u.(map[string]any)["id"].(string))
	}
	var next atomic.Int64
	next.Store(people)
	for _, c := range []struct {
		name string
		do   func(b *testing.B, n int)
	}{
		{"create", func(b *testing.B, n int) { do(b, "POST", "/Users", benchUser(n, "Engineer"), 201) }},
		{"get", func(b *testing.B, n int) { do(b, "GET", "/Users/"+ids[n%people], nil, 200) }},
		{"lookup", func(b *testing.B, n int) {
			do(b, "GET", fmt.Sprintf("/Users?filter=userName+eq+%%22u%07d%%40load.example%%22", n%people), nil, 200)
		}},
		{"patch", func(b *testing.B, n int) {
			do(b, "PATCH", "/Users/"+ids[n%people], fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":%t}}]}`, n/people%2 == 0), 200)
		}},
		{"put", func(b *testing.B, n int) {
			do(b, "PUT", "/Users/"+ids[n%people], benchUser(n%people, fmt.Sprint(n)), 200)
		}},
		{"list", func(b *testing.B, n int) { do(b, "GET", "/Users?startIndex=900&count=100", nil, 200) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					c.do(b, int(next.Add(1)))
				}
			})
		})
	}
}

// Five hundred people join a group in one request, and leave it in the next.
func BenchmarkFiveHundredMembers(b *testing.B) {
	h := scimapitest.SQLite(b, func(o *scimapi.Options) { o.Logger = slog.New(slog.DiscardHandler) })
	f := h.Linked(directory.New{})
	var members bytes.Buffer
	for i := range 500 {
		if i > 0 {
			members.WriteByte(',')
		}
		fmt.Fprintf(&members, `{"value":%q}`, f.Do("POST", "/Users", string(benchUser(i, "Engineer"))).Want(201).ID())
	}
	group := f.Do("POST", "/Groups", `{"displayName":"Staff"}`).Want(201).ID()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		op := []string{"add", "remove"}[i%2]
		f.Do("PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"`+op+`","path":"members","value":[`+members.String()+`]}]}`).Want(204)
	}
}
