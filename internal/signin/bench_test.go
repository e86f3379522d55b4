package signin_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
)

// BenchmarkACS is a sign-in's own work, from the posted response to the redirect with the code, beside what nobody can do without: parsing
// the document, validating its one signature of RSA 2048, and one commit of the same rows. The second verifier is on.
func BenchmarkACS(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(string(engine), func(b *testing.B) {
			b.Run("sign-in", func(b *testing.B) { benchmarkACS(b, dbtest.Open(b, engine, migrations.Files)) })
			b.Run("floor", func(b *testing.B) { benchmarkFloor(b, dbtest.Open(b, engine, migrations.Files)) })
		})
	}
}

// prepared is a request with all that it needs, made before the clock runs.
func (w *world) prepared(browser *browser) *http.Request {
	request, relay := browser.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
	body := posted(w.idp.Respond(w.message(w.conn, request), samltest.AssertionSigned), relay).Encode()
	r := httptest.NewRequest(http.MethodPost, w.server.URL+"/saml/"+w.conn.Key+"/acs", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	u, err := url.Parse(w.server.URL)
	w.ok(err)
	for _, c := range browser.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
	return r
}

func benchmarkACS(b *testing.B, d *db.DB) {
	plenty := signin.Rate{PerSecond: 1e9, Burst: 1e9}
	w := newWorld(b, d, func(_ *lifecycle.SignInOptions, o *signin.Options) {
		o.Limits = signin.Limits{Pages: plenty, Mails: plenty, Failures: plenty}
	})
	w.browser().signIn()
	browser := w.browser()
	requests := make([]*http.Request, b.N)
	for i := range requests {
		requests[i] = w.prepared(browser)
	}
	handler := w.server.Config.Handler
	b.ReportAllocs()
	b.ResetTimer()
	for _, r := range requests {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusSeeOther {
			b.Fatalf("status %d: %s", rec.Code, text(rec.Body.String()))
		}
	}
}

// rows are those of a sign-in of somebody who is known: what it must write whatever program does it.
func rows(w *db.Write, i int) {
	id := fmt.Sprintf("floor-%09d", i)
	w.Exec(`UPDATE sign_in_attempts SET state = 'succeeded', finished_at = $2 WHERE id = $1`, id, i)
	w.Exec(`INSERT INTO used_assertions (connection_id, hash, expires_at) VALUES ('c', $1, $2)`, id, i)
	w.Exec(`UPDATE users SET last_sign_in_at = $2 WHERE id = $1`, id, i)
	w.Exec(`UPDATE user_identities SET last_used_at = $2 WHERE connection_id = 'c' AND idp_id = $1`, id, i)
	w.Exec(`INSERT INTO sessions (id, cookie_hash, organization_id, user_id, auth_method, amr, authenticated_at, created_at, seen_at, idle_seconds, expires_at)
		VALUES ($1, $1, 'o', 'u', 'sso', '[]', $2, $2, $2, 1, $2)`, id, i)
	w.Exec(`INSERT INTO authorization_codes (hash, application_id, organization_id, redirect_uri, scope, style, grant_id, amr, authenticated_at, created_at, expires_at)
		VALUES ($1, 'a', 'o', 'r', 's', 'oidc', $1, '[]', $2, $2, $2)`, id, i)
	w.Exec(`INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, 'a', $2)`, id, i)
}

func benchmarkFloor(b *testing.B, d *db.DB) {
	w := newWorld(b, d)
	document := w.idp.Respond(w.message(w.conn, "_request"), samltest.AssertionSigned)
	roots := &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{w.idp.Certificate}}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(document); err != nil {
			b.Fatal(err)
		}
		assertion := doc.Root().SelectElement("Assertion")
		if _, err := dsig.NewDefaultValidationContext(roots).Validate(assertion); err != nil {
			b.Fatal(err)
		}
		var write db.Write
		rows(&write, i)
		if err := d.Write(ctx, &write); err != nil {
			b.Fatal(err)
		}
	}
}
