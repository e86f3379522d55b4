package signin_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// BenchmarkACS is a sign-in's own work, from the posted response to the redirect with the code, beside what nobody can do without: parsing
// the same document, validating its one signature of RSA 2048, and one commit of the same rows. The two take turns, so that a busy machine
// is busy for both; medians are compared. With the second verifier, as the server comes, and by the first alone, which is what a sign-in
// costs beside it. Memory is collected as the server has it.
func BenchmarkACS(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		for name, one := range map[string]bool{"two-verifiers": false, "one-verifier": true} {
			b.Run(string(engine)+"/"+name, func(b *testing.B) { benchmarkACS(b, dbtest.Open(b, engine, migrations.Files), one) })
		}
	}
}

// acsRounds is how many sign-ins are prepared at a time.
const acsRounds = 50

func benchmarkACS(b *testing.B, d *db.DB, one bool) {
	was := debug.SetGCPercent(dbtest.CollectAt)
	b.Cleanup(func() { debug.SetGCPercent(was) })
	plenty := signin.Rate{PerSecond: 1e9, Burst: 1e9}
	w := assembleWith(b, d, func(c *sso.Config) { c.OneVerifier = one }, func(_ *lifecycle.SignInOptions, o *signin.Options) {
		o.Limits = signin.Limits{Pages: plenty, Mails: plenty, Failures: plenty}
	})
	w.furnish()
	w.browser().signIn()
	least := w.leastWork()
	for range 10 { // what is prepared once is
		w.serve(w.prepared(w.browser()).request)
	}
	var ours, floor, ratios []float64
	b.ResetTimer()
	for done := 0; done < b.N; done += acsRounds {
		b.StopTimer()
		var ready []prepared
		for i := range min(acsRounds, b.N-done) {
			p := w.prepared(w.browser()) // each person has a browser of their own
			p.number = done + i
			least.prepare(p.number)
			ready = append(ready, p)
		}
		b.StartTimer()
		for i, p := range ready {
			mine, its := func() float64 { return took(func() { w.serve(p.request) }) }, func() float64 { return took(func() { least.do(p) }) }
			var a, f float64
			if i%2 == 0 {
				a, f = mine(), its()
			} else {
				f, a = its(), mine()
			}
			ours, floor, ratios = append(ours, a), append(floor, f), append(ratios, a/f)
		}
	}
	b.StopTimer()
	b.ReportMetric(median(ours), "sign-in-µs")
	b.ReportMetric(median(floor), "floor-µs")
	b.ReportMetric(median(ours)/median(floor), "times-floor")
	b.ReportMetric(median(ratios), "times-floor-by-turns")
}

// took is how long something takes, in microseconds.
func took(what func()) float64 {
	start := time.Now()
	what()
	return float64(time.Since(start)) / float64(time.Microsecond)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// prepared is a request with all that it needs, made before the clock runs, and the document that it carries.
type prepared struct {
	number   int
	request  *http.Request
	document []byte
}

func (w *world) prepared(browser *browser) prepared {
	request, relay := browser.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
	document := w.idp.Respond(w.message(w.conn, request), samltest.AssertionSigned)
	r := httptest.NewRequest(http.MethodPost, w.server.URL+"/saml/"+w.conn.Key+"/acs", strings.NewReader(posted(document, relay).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	u, err := url.Parse(w.server.URL)
	w.ok(err)
	for _, c := range browser.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
	return prepared{request: r, document: document}
}

func (w *world) serve(r *http.Request) {
	rec := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusSeeOther {
		w.t.Fatalf("status %d: %s", rec.Code, text(rec.Body.String()))
	}
}

// leastWork writes what a sign-in of somebody who is known must write, whatever program does it: the same rows with values of the same
// size, taken from a sign-in that was.
type leastWork struct {
	w                           *world
	roots                       *dsig.MemoryX509CertificateStore
	user, checks, raw, idp      string
	continuation, session, code string
	entries                     []event.Entry
}

func (w *world) leastWork() *leastWork {
	l := &leastWork{w: w, roots: &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{w.idp.Certificate}}}
	w.ok(w.db.QueryRow(ctx, `SELECT a.user_id, a.checks, a.raw, a.session_id, i.idp_id FROM sign_in_attempts a JOIN user_identities i ON i.user_id = a.user_id
		WHERE a.state = 'succeeded'`).Scan(&l.user, &l.checks, &l.raw, &l.session, &l.idp))
	w.ok(w.db.QueryRow(ctx, `SELECT hash FROM authorization_codes`).Scan(&l.code))
	for _, kind := range []event.Type{event.SessionCreated, event.SSOSucceeded} {
		found, err := w.events.List(ctx, event.Query{Types: []event.Type{kind}, Limit: 1})
		w.ok(err)
		l.entries = append(l.entries, event.Entry{OrganizationID: string(w.org.ID), Type: kind, Context: found[0].Context, Data: found[0].Data})
	}
	l.continuation = strings.Repeat("c", 900)
	return l
}

// as gives a text of the length of another, and of its own.
func as(example string, number int) string {
	return fmt.Sprintf("%0*d", len(example), number)
}

// prepare makes the attempt that do ends.
func (l *leastWork) prepare(number int) {
	var w db.Write
	w.Exec(`INSERT INTO sign_in_attempts (id, organization_id, connection_id, kind, state, request_hash, browser, continuation, force_authn, created_at, expires_at)
		VALUES ($1, $2, $3, 'sign_in', 'at_provider', $4, $4, $5, FALSE, $6, $7)`, as(l.session, number), string(l.w.org.ID), string(l.w.conn.ID), as(l.code, number),
		l.continuation, time.Now().UnixMicro(), time.Now().Add(time.Hour).UnixMicro())
	l.w.ok(l.w.db.Write(ctx, &w))
}

func (l *leastWork) do(p prepared) {
	doc := etree.NewDocument()
	l.w.ok(doc.ReadFromBytes(p.document))
	_, err := dsig.NewDefaultValidationContext(l.roots).Validate(doc.Root().SelectElement("Assertion"))
	l.w.ok(err)
	w := db.Write{Lane: string(l.w.org.ID)}
	l.rows(&w, p.number)
	l.w.ok(l.w.db.Write(ctx, &w))
}

func (l *leastWork) rows(w *db.Write, number int) {
	id, hash, now, organization, connection := as(l.session, number), as(l.code, number), time.Now(), string(l.w.org.ID), string(l.w.conn.ID)
	at, later := now.UnixMicro(), now.Add(time.Hour).UnixMicro()
	w.Exec(`UPDATE users SET last_sign_in_at = $2 WHERE id = $1`, l.user, at)
	w.Exec(`UPDATE user_identities SET last_used_at = $3 WHERE connection_id = $1 AND idp_id = $2`, connection, l.idp, at)
	w.Exec(`INSERT INTO sessions (id, cookie_hash, organization_id, user_id, connection_id, profile_id, idp_session, auth_method, amr, ip, user_agent,
		authenticated_at, created_at, seen_at, idle_seconds, expires_at) VALUES ($1, $2, $3, $4, $5, $1, $2, 'sso', '[]', '127.0.0.1', 'test', $6, $6, $6, 3600, $7)`,
		id, hash, organization, l.user, connection, at, later)
	w.Exec(`UPDATE sign_in_attempts SET state = 'succeeded', checks = $2, profile_id = $1, user_id = $3, session_id = $1, idp_id = $4, email = $4, raw = $5,
		finished_at = $6, continuation = NULL WHERE id = $1`, id, l.checks, l.user, l.idp, l.raw, at)
	w.Exec(`INSERT INTO used_assertions (connection_id, hash, expires_at) VALUES ($1, $2, $3)`, connection, hash, later)
	w.Exec(`INSERT INTO authorization_codes (hash, application_id, organization_id, session_id, user_id, profile_id, connection_id, redirect_uri, challenge, nonce,
		scope, style, grant_id, amr, authenticated_at, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $1, 'n-1', 'openid profile email', 'oidc', $4, '[]', $8, $8, $9)`,
		hash, l.w.app.ID, organization, id, l.user, connection, callback, at, later)
	w.Exec(`INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, $2, $3)`, id, l.w.app.ID, at)
	l.w.events.Append(w, now, l.entries...)
}
