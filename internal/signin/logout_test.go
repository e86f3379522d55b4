package signin_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

const (
	theirSLO    = "https://idp.example/slo"
	afterLogout = "https://app.example/bye"
)

// withLogout gives the connection an address for logouts, and the application one to go to afterwards.
func (w *world) withLogout(options string, more ...func(*sso.Change)) {
	w.t.Helper()
	ch := sso.Change{SLOURL: ref(theirSLO), Options: []byte(options)}
	for _, one := range more {
		one(&ch)
	}
	var err error
	w.conn, err = w.conns.Update(ctx, operator(), w.conn.ID, ch)
	w.ok(err)
	w.registerLogout()
}

func (w *world) registerLogout() {
	w.t.Helper()
	_, err := w.issuer.Update(ctx, w.app.ID, issuer.Change{SignOut: &[]string{afterLogout}})
	w.ok(err)
}

func byPost(ch *sso.Change) { ch.SLOBinding = ref(sso.Post) }

// signOut is what the application sends the browser to, once it is signed in.
func (w *world) signOut(hint, state string) string {
	return "/oauth2/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {afterLogout}, "state": {state}}.Encode()
}

// signedIn signs a browser in and gives the application's ID token.
func (b *browser) signedIn() string {
	b.w.t.Helper()
	_, tokens := b.w.redeem(b.signIn())
	return tokens["id_token"].(string)
}

// theirs is what the provider holds a message of ours against.
func (w *world) theirs(c sso.Connection) saml.LogoutExpectation {
	w.t.Helper()
	block, _ := pem.Decode([]byte(c.SPCertificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	w.ok(err)
	return saml.LogoutExpectation{
		Now: w.now(), Issuer: c.Addresses(w.server.URL).EntityID, Destinations: []string{theirSLO, theirSLO + "/answers"}, Certificates: []*x509.Certificate{cert},
	}
}

// asked reads the request that a redirect carries to the provider.
func (w *world) asked(to *url.URL) *saml.LogoutRequest {
	w.t.Helper()
	if !strings.HasPrefix(to.String(), theirSLO+"?") {
		w.t.Fatalf("led to %s, want the provider's address for logouts", to)
	}
	l, err := saml.ConsumeLogoutRedirect(to.RawQuery, w.theirs(w.conn))
	w.ok(err)
	if l.Request == nil {
		w.t.Fatal("no request")
	}
	return l.Request
}

func (w *world) theirKey(p *samltest.IDP) *rsa.PrivateKey {
	w.t.Helper()
	key, ok := p.Key.(*rsa.PrivateKey)
	if !ok {
		w.t.Fatal("no RSA key")
	}
	return key
}

// answerTo is a right answer of the provider.
func (w *world) answerTo(request string) saml.LogoutResponse {
	return saml.LogoutResponse{
		ID: saml.NewRequestID(), Issuer: w.idp.EntityID, Destination: w.conn.Addresses(w.server.URL).SLO, IssuedAt: w.now(), InResponseTo: request, Status: saml.StatusSuccess,
	}
}

func (w *world) redirected(r saml.LogoutResponse, p *samltest.IDP) string {
	w.t.Helper()
	address, err := r.Redirect("", w.theirKey(p))
	w.ok(err)
	return address
}

// logoutRequest is a right request of a provider about a session.
func (w *world) logoutRequest(c sso.Connection, p *samltest.IDP, name string, indexes ...string) saml.LogoutRequest {
	return saml.LogoutRequest{
		ID: saml.NewRequestID(), Issuer: p.EntityID, Destination: c.Addresses(w.server.URL).SLO, IssuedAt: w.now(), NotOnOrAfter: w.now().Add(time.Minute),
		NameID: saml.NameID{Value: name}, SessionIndexes: indexes,
	}
}

func (w *world) wantLiving(n int) {
	w.t.Helper()
	if got := w.living(); got != n {
		w.t.Errorf("%d sessions live, want %d", got, n)
	}
}

func (w *world) leadsTo(a answer, want string) {
	w.t.Helper()
	if got := a.location(w.t).String(); got != want {
		w.t.Errorf("led to %s, want %s", got, want)
	}
}

func TestLogout_goes_on_to_the_provider_and_comes_back_to_the_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b := w.browser()
		hint := b.signedIn()
		away := b.get(w.signOut(hint, "s 1"))
		w.wantLiving(0) // before the provider is asked: it may never answer
		r := w.asked(away.location(t))
		if r.NameID.Value != samltest.Person || r.NameID.Format == "" || !slices.Equal(r.SessionIndexes, []string{"_session-1"}) || r.NotOnOrAfter.Sub(w.now()) > 6*time.Minute {
			t.Errorf("asked %+v", r)
		}
		kept := strings.Join(away.Header.Values("Set-Cookie"), "\n")
		if !strings.Contains(kept, "rollcall-session=;") || !strings.Contains(kept, "rollcall-logout=") || !strings.Contains(kept, "Max-Age=600") || strings.Contains(kept, "app.example") {
			t.Errorf("cookies %s", kept)
		}
		if away.location(t).Query().Has("RelayState") {
			t.Error("the way back travels with the request")
		}
		answered := w.redirected(w.answerTo(r.ID), w.idp)
		w.leadsTo(b.get(answered), afterLogout+"?state=s+1")
		w.leadsTo(b.get(answered), "/signed-out") // once
		w.leadsTo(w.browser().get(answered), "/signed-out")
		b.get("/signed-out").want(t, http.StatusOK)
		w.wantTypes("session.revoked")
	})
}

func TestLogout_by_post_survives_that_the_cookie_does_not_come_with_the_answer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("", byPost)
		b := w.browser()
		page := b.get(w.signOut(b.signedIn(), "s1")).want(t, http.StatusOK)
		w.wantLiving(0)
		if !strings.Contains(page.body, `action="`+theirSLO+`"`) {
			t.Fatalf("no form to the provider: %s", text(page.body))
		}
		l, err := saml.ConsumeLogoutPost(url.Values{"SAMLRequest": {page.hidden(t, "SAMLRequest")}}, w.theirs(w.conn))
		w.ok(err)
		form, err := w.answerTo(l.Request.ID).Post("", w.theirKey(w.idp), w.idp.Certificate)
		w.ok(err)
		fields := url.Values{}
		for _, f := range form.Fields {
			fields.Set(f[0], f[1])
		}
		// Without TLS the browser's cookie stays at home when another site posts.
		bounce := w.browser().post("/saml/"+w.conn.Key+"/slo", fields).want(t, http.StatusOK)
		fields.Set("rollcall_again", bounce.hidden(t, "rollcall_again"))
		if bounce.hidden(t, "SAMLResponse") != fields.Get("SAMLResponse") {
			t.Error("another answer is posted again")
		}
		w.leadsTo(b.post("/saml/"+w.conn.Key+"/slo", fields), afterLogout+"?state=s1")
		w.leadsTo(w.browser().post("/saml/"+w.conn.Key+"/slo", fields), "/signed-out")
	})
}

func TestS24_an_answer_that_is_not_the_providers_to_this_browsers_logout_leads_to_our_own_page(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		stranger := samltest.New(w.idp.EntityID)
		stranger.Key = samltest.RSA("stranger", 2048)
		for name, c := range map[string]struct {
			make func(saml.LogoutResponse) string
			code sso.Code
		}{
			"unsigned": {func(r saml.LogoutResponse) string {
				whole, _, _ := strings.Cut(w.redirected(r, w.idp), "&SigAlg=")
				return whole
			}, sso.Unsigned},
			"another key":     {func(r saml.LogoutResponse) string { return w.redirected(r, stranger) }, sso.SignatureInvalid},
			"another request": {func(r saml.LogoutResponse) string { r.InResponseTo = "_other"; return w.redirected(r, w.idp) }, sso.InResponseToUnknown},
			"another issuer": {func(r saml.LogoutResponse) string {
				r.Issuer = "https://other.example/"
				return w.redirected(r, w.idp)
			}, sso.IssuerMismatch},
			"another address": {func(r saml.LogoutResponse) string {
				address := w.redirected(r, w.idp)
				r.Destination = "https://evil.example/slo"
				_, query, _ := strings.Cut(w.redirected(r, w.idp), "?")
				to, _, _ := strings.Cut(address, "?")
				return to + "?" + query
			}, sso.DestinationMismatch},
			"too late": {func(r saml.LogoutResponse) string {
				r.IssuedAt = r.IssuedAt.Add(-time.Hour)
				return w.redirected(r, w.idp)
			}, sso.Expired},
			"a no": {func(r saml.LogoutResponse) string { r.Status = saml.StatusResponder; return w.redirected(r, w.idp) }, sso.IDPDenied},
		} {
			b := w.browser()
			r := w.asked(b.get(w.signOut(b.signedIn(), "s1")).location(t))
			w.wantLiving(0)
			w.leadsTo(b.get(c.make(w.answerTo(r.ID))), "/signed-out")
			noted := w.attempts(w.conn)[0]
			if noted.Refused == nil || noted.Refused.Code != c.code {
				t.Errorf("%s: noted %+v, want %s", name, noted.Refused, c.code)
			}
			// What was refused takes nobody's way away.
			w.leadsTo(b.get(w.redirected(w.answerTo(r.ID), w.idp)), afterLogout+"?state=s1")
		}
	})
}

func TestLogout_reached_by_the_provider_alone_is_done_though_other_applications_were_not(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b := w.browser()
		r := w.answerTo(w.asked(b.get(w.signOut(b.signedIn(), "s1")).location(t)).ID)
		r.Status, r.Detail = saml.StatusResponder, saml.StatusPartialLogout
		w.leadsTo(b.get(w.redirected(r, w.idp)), afterLogout+"?state=s1")
	})
}

func TestLogout_is_forgotten_when_the_provider_takes_more_than_ten_minutes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b := w.browser()
		r := w.asked(b.get(w.signOut(b.signedIn(), "s1")).location(t))
		w.later(10 * time.Minute)
		w.leadsTo(b.get(w.redirected(w.answerTo(r.ID), w.idp)), "/signed-out")
	})
}

func TestLogout_stays_here_where_no_provider_is_to_be_told(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.registerLogout()
		b := w.browser()
		w.leadsTo(b.get(w.signOut(b.signedIn(), "s1")), afterLogout+"?state=s1") // no address
		w.withLogout(`{"single_logout":false}`)
		w.leadsTo(b.get(w.signOut(b.signedIn(), "s1")), afterLogout+"?state=s1")
		w.withLogout(`{"single_logout":null}`)
		hint := b.signedIn()
		w.asked(b.get(w.signOut(hint, "s1")).location(t))
		w.leadsTo(b.get(w.signOut(hint, "s1")), afterLogout+"?state=s1") // nothing was left to end
		w.wantLiving(0)
		long := strings.Repeat("x", 3000)
		w.leadsTo(b.get(w.signOut(b.signedIn(), long)), afterLogout+"?state="+long) // would not fit into a cookie
		w.wantLiving(0)
	})
}

func TestLogout_by_the_button_goes_on_to_the_provider_too(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b := w.browser()
		b.signedIn()
		b.get("/oauth2/logout").want(t, http.StatusOK)
		w.wantLiving(1)
		r := w.asked(b.post("/sign-out", url.Values{}, "Sec-Fetch-Site", "same-origin").location(t))
		w.leadsTo(b.get(w.redirected(w.answerTo(r.ID), w.idp)), "/signed-out")
	})
}

func TestLogout_of_a_profile_goes_on_to_its_provider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("")
		b, other := w.browser(), w.browser()
		b.signedIn()
		other.signedIn()
		var profile string
		w.ok(w.db.QueryRow(ctx, "SELECT id FROM profiles").Scan(&profile))
		ticket, err := w.issuer.AuthorizeLogout(ctx, profile)
		w.ok(err)
		r := w.asked(b.get(ticket.URL).location(t))
		w.wantLiving(0)
		if r.NameID.Value != samltest.Person || !slices.Equal(r.SessionIndexes, []string{"_session-1"}) {
			t.Errorf("asked %+v", r)
		}
		w.leadsTo(b.get(w.redirected(w.answerTo(r.ID), w.idp)), "/signed-out")
		// A browser without a session of that profile means all of the person's.
		ticket, err = w.issuer.AuthorizeLogout(ctx, profile)
		w.ok(err)
		if r := w.asked(w.browser().get(ticket.URL).location(t)); r.NameID.Value != samltest.Person || len(r.SessionIndexes) != 0 {
			t.Errorf("asked %+v", r)
		}
	})
}

func TestLogout_changes_to_the_host_that_the_provider_answers_to(t *testing.T) {
	dedicated := ""
	each(t, func(t *testing.T, w *world) {
		dedicated = strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
		w.withLogout("")
		b := w.browser()
		hop := b.get(w.authorization("organization", string(w.org.ID))).location(t)
		to := b.get(hop.String()).location(t)
		at := w.conn.Addresses(dedicated)
		m := w.idp.Message(samltest.To{EntityID: at.EntityID, ACS: at.ACS}, w.now())
		m.InResponseTo = w.requestID(to)
		_, tokens := w.redeem(w.code(b.post(at.ACS, posted(w.idp.Respond(m, samltest.AssertionSigned), to.Query().Get("RelayState"))).location(t)))
		out := b.get(w.signOut(tokens["id_token"].(string), "s1")).location(t)
		w.wantLiving(0)
		if !strings.HasPrefix(out.String(), dedicated+lifecycle.LeavePath+"?to=") || strings.Contains(out.String(), "alice") {
			t.Fatalf("led to %s", out)
		}
		away := b.get(out.String())
		l, err := saml.ConsumeLogoutRedirect(away.location(t).RawQuery, func() saml.LogoutExpectation {
			e := w.theirs(w.conn)
			e.Issuer = at.EntityID
			return e
		}())
		w.ok(err)
		if !strings.Contains(strings.Join(away.Header.Values("Set-Cookie"), "\n"), "rollcall-session=;") {
			t.Error("the host of the session keeps its cookie")
		}
		r := w.answerTo(l.Request.ID)
		r.Destination = at.SLO
		w.leadsTo(b.get(w.redirected(r, w.idp)), afterLogout+"?state=s1")
		b.get(dedicated+lifecycle.LeavePath+"?to=x").want(t, http.StatusNotFound)
		w.later(time.Minute)
		b.get(out.String()).want(t, http.StatusNotFound)
	}, func(lo *lifecycle.SignInOptions, so *signin.Options) {
		here := so.Bases
		bases := func(id string) []string {
			if id != "" && dedicated != "" {
				return []string{dedicated, here("")[0]}
			}
			return here(id)
		}
		lo.Bases, so.Bases = bases, bases
	})
}

func TestProvider_ends_exactly_the_session_that_it_names_and_is_answered_where_it_wants(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("", func(ch *sso.Change) { ch.SLOResponseURL = ref(theirSLO + "/answers") })
		sign := func(index string) *browser {
			b := w.browser()
			request, relay := b.atProvider(w.authorization("organization", string(w.org.ID)))
			m := w.message(w.conn, request)
			m.SessionIndex = index
			w.code(b.deliver(w.conn, m, relay).location(t))
			return b
		}
		first := sign("_one")
		sign("_two")
		w.wantLiving(2)
		other := samltest.New("https://other.example/metadata")
		other.Signer = samltest.NewSigner(samltest.RSA("other", 2048), samltest.Year(2020), samltest.Year(2040))
		tenant, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other"})
		w.ok(err)
		theirConn := w.connect(tenant.ID, other, "")
		send := func(c sso.Connection, p *samltest.IDP, r saml.LogoutRequest) answer {
			address, err := r.Redirect("their state", w.theirKey(p))
			w.ok(err)
			return w.browser().get(strings.Replace(address, w.conn.Key, c.Key, 1))
		}
		// S24: nobody but the connection's own provider ends anything.
		send(w.conn, other, w.logoutRequest(w.conn, other, samltest.Person, "_one")).want(t, http.StatusForbidden)
		impostor := w.logoutRequest(w.conn, other, samltest.Person, "_one")
		impostor.Issuer = w.idp.EntityID
		send(w.conn, other, impostor).want(t, http.StatusForbidden)
		send(theirConn, w.idp, w.logoutRequest(w.conn, w.idp, samltest.Person, "_one")).want(t, http.StatusForbidden)
		send(theirConn, other, w.logoutRequest(theirConn, other, samltest.Person, "_one")).want(t, http.StatusSeeOther)
		w.leadsTo(send(theirConn, other, w.logoutRequest(theirConn, other, samltest.Person)), "/signed-out")
		w.wantLiving(2)
		send(w.conn, w.idp, w.logoutRequest(w.conn, w.idp, "bob@acme.example", "_one")).want(t, http.StatusSeeOther)
		w.wantLiving(2)

		r := w.logoutRequest(w.conn, w.idp, samltest.Person, "_one")
		to := send(w.conn, w.idp, r).location(t)
		w.wantLiving(1)
		if !strings.HasPrefix(to.String(), theirSLO+"/answers?") || to.Query().Get("RelayState") != "their state" {
			t.Fatalf("answered to %s", to)
		}
		l, err := saml.ConsumeLogoutRedirect(to.RawQuery, w.theirs(w.conn))
		w.ok(err)
		if l.Response == nil || l.Response.InResponseTo != r.ID || l.Response.Status != saml.StatusSuccess {
			t.Errorf("answered %+v", l.Response)
		}
		send(w.conn, w.idp, r).want(t, http.StatusForbidden) // the same once more
		if noted := w.attempts(w.conn)[0]; noted.Refused == nil || noted.Refused.Code != sso.Replayed {
			t.Errorf("noted %+v", noted.Refused)
		}
		w.requestID(first.get(w.authorization("organization", string(w.org.ID))).location(t)) // has to sign in again
		send(w.conn, w.idp, w.logoutRequest(w.conn, w.idp, samltest.Person)).want(t, http.StatusSeeOther)
		w.wantLiving(0) // no index: all of the person's
	})
}

func TestProvider_may_post_its_logout_and_does_not_cost_another_person_their_cookie(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withLogout("", byPost)
		b, bystander := w.browser(), w.browser()
		b.signedIn()
		request, relay := bystander.atProvider(w.authorization("organization", string(w.org.ID)))
		m := w.message(w.conn, request)
		m.NameID, m.SessionIndex = "bob@acme.example", "_bob"
		m.Attributes[0].Values, m.Attributes[3].Values = []string{"bob@acme.example"}, []string{"bob"}
		w.code(bystander.deliver(w.conn, m, relay).location(t))
		w.wantLiving(2)
		r := w.logoutRequest(w.conn, w.idp, samltest.Person, "_session-1")
		form, err := r.Post("their state", w.theirKey(w.idp), w.idp.Certificate)
		w.ok(err)
		fields := url.Values{}
		for _, f := range form.Fields {
			fields.Set(f[0], f[1])
		}
		tampered := url.Values{"SAMLRequest": {strings.Replace(fields.Get("SAMLRequest"), "A", "B", 1)}}
		bystander.post("/saml/"+w.conn.Key+"/slo", tampered).want(t, http.StatusBadRequest)
		unsigned, err := base64.StdEncoding.DecodeString(fields.Get("SAMLRequest"))
		w.ok(err)
		unsigned = regexp.MustCompile(`(?s)<ds:Signature.*</ds:Signature>`).ReplaceAll(unsigned, nil)
		bystander.post("/saml/"+w.conn.Key+"/slo", url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(unsigned)}}).want(t, http.StatusForbidden)
		both := url.Values{"SAMLRequest": fields["SAMLRequest"], "SAMLResponse": fields["SAMLRequest"]}
		bystander.post("/saml/"+w.conn.Key+"/slo", both).want(t, http.StatusBadRequest)
		w.wantLiving(2)
		page := bystander.post("/saml/"+w.conn.Key+"/slo", fields).want(t, http.StatusOK)
		w.wantLiving(1)
		if len(page.Header.Values("Set-Cookie")) != 0 {
			t.Errorf("cookies %v", page.Header.Values("Set-Cookie"))
		}
		l, err := saml.ConsumeLogoutPost(url.Values{"SAMLResponse": {page.hidden(t, "SAMLResponse")}}, w.theirs(w.conn))
		w.ok(err)
		if l.Response == nil || l.Response.InResponseTo != r.ID || page.hidden(t, "RelayState") != "their state" {
			t.Errorf("answered %+v", l.Response)
		}
	})
}

func TestApplication_is_told_by_the_back_channel_of_a_session_that_the_provider_ended(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		told := make(chan string, 4)
		app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.PostFormValue("logout_token") }))
		t.Cleanup(app.Close)
		_, err := w.issuer.Update(ctx, w.app.ID, issuer.Change{LogoutURI: ref(app.URL)})
		w.ok(err)
		w.withLogout("")
		b := w.browser()
		_, tokens := w.redeem(b.signIn())
		sid := w.claims(tokens)["sid"]
		w.dispatching()
		address, err := w.logoutRequest(w.conn, w.idp, samltest.Person, "_session-1").Redirect("", w.theirKey(w.idp))
		w.ok(err)
		w.browser().get(address).want(t, http.StatusSeeOther)
		select {
		case raw := <-told:
			claims := w.claims(map[string]any{"id_token": raw})
			if claims["sid"] != sid || claims["aud"] != w.app.ClientID || claims["events"] == nil {
				t.Errorf("told %v", claims)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the application was not told")
		}
	})
}

// dispatching runs the back channel until the test ends.
func (w *world) dispatching() {
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.issuer.Run(running)
	}()
	w.t.Cleanup(func() {
		stop()
		<-done
	})
}

func TestLogout_at_an_OpenID_provider_is_a_choice_and_comes_back(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.registerLogout()
		p := w.provider(w.org.ID)
		b := w.browser()
		enter := func() string {
			_, tokens := w.redeem(w.code(b.get(p.away(b).String()).location(t)))
			return tokens["id_token"].(string)
		}
		w.leadsTo(b.get(w.signOut(enter(), "s1")), afterLogout+"?state=s1")
		var err error
		p.conn, err = w.conns.Update(ctx, operator(), p.conn.ID, sso.Change{Options: []byte(`{"single_logout":true}`)})
		w.ok(err)
		to := b.get(w.signOut(enter(), "s1")).location(t)
		w.wantLiving(0)
		q := to.Query()
		back := w.server.URL + "/oidc/" + p.conn.Key + "/signed-out"
		if !strings.HasPrefix(to.String(), p.server.URL+"/logout?") || q.Get("tenant") != "1" || q.Get("client_id") != "rollcall" || q.Get("post_logout_redirect_uri") != back || q.Get("state") == "" || q.Has("id_token_hint") {
			t.Fatalf("led to %s", to)
		}
		state := "?state=" + url.QueryEscape(q.Get("state"))
		w.leadsTo(b.get(back+"?state=other"), "/signed-out")
		w.leadsTo(b.get(back), "/signed-out")
		w.leadsTo(w.browser().get(back+state), "/signed-out")
		w.leadsTo(b.get("/oidc/"+w.provider(w.org.ID).conn.Key+"/signed-out"+state), "/signed-out") // of another connection
		w.leadsTo(b.get(back+state), afterLogout+"?state=s1")
		w.leadsTo(b.get(back+state), "/signed-out")
		b.get("/oidc/nothing/signed-out").want(t, http.StatusNotFound)
	})
}

// R14: OpenID Connect Back-Channel Logout 1.0, sections 2.6 and 2.8.
func TestR14_back_channel_of_a_provider_ends_its_sessions_alone_and_refuses_what_is_no_logout_token(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, foreign := w.provider(w.org.ID), w.provider(w.org.ID)
		for range 2 {
			b := w.browser()
			w.code(b.get(p.away(b).String()).location(t))
		}
		w.wantLiving(2)
		var sid string
		w.ok(w.db.QueryRow(ctx, "SELECT idp_session FROM sessions ORDER BY id LIMIT 1").Scan(&sid))
		send := func(from *provider, at sso.Connection, typ oidc.Type, change func(map[string]any)) answer {
			claims := oidc.LogoutClaims(from.server.URL, "rollcall", "ada-1", sid, saml.NewRequestID(), w.now())
			if change != nil {
				change(claims)
			}
			raw, err := oidc.Sign(from.key, typ, claims)
			w.ok(err)
			return w.told(at, raw)
		}
		for name, change := range map[string]func(map[string]any){
			"another audience": func(c map[string]any) { c["aud"] = "other" },
			"another issuer":   func(c map[string]any) { c["iss"] = foreign.server.URL },
			"too late": func(c map[string]any) {
				c["iat"], c["exp"] = w.now().Add(-2*time.Hour).Unix(), w.now().Add(-time.Hour).Unix()
			},
			"no event": func(c map[string]any) { c["events"] = map[string]any{} },
			"a nonce":  func(c map[string]any) { c["nonce"] = "n" },
			"nobody":   func(c map[string]any) { delete(c, "sub"); delete(c, "sid") },
			"no id":    func(c map[string]any) { delete(c, "jti") },
		} {
			if a := send(p, p.conn, oidc.TypeLogoutToken, change); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		send(p, p.conn, oidc.TypeIDToken, func(c map[string]any) { delete(c, "events"); c["nonce"] = "n" }).want(t, http.StatusBadRequest)
		good, err := oidc.Sign(p.key, oidc.TypeLogoutToken, oidc.LogoutClaims(p.server.URL, "rollcall", "ada-1", sid, "jti-1", w.now()))
		w.ok(err)
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"logout+jwt"}`)) + "." + strings.Split(good, ".")[1] + "."
		for _, raw := range []string{"", "x", none, good[:len(good)-4] + "AAAA"} {
			w.told(p.conn, raw).want(t, http.StatusBadRequest)
		}
		// Another provider's own good word has no effect on sessions that are not through it.
		w.told(foreign.conn, good).want(t, http.StatusBadRequest)
		send(foreign, foreign.conn, oidc.TypeLogoutToken, nil).want(t, http.StatusOK)
		w.told(sso.Connection{Key: "nothing"}, good).want(t, http.StatusBadRequest)
		w.told(w.conn, good).want(t, http.StatusBadRequest)
		w.wantLiving(2)

		if a := w.told(p.conn, good).want(t, http.StatusOK); a.Header.Get("Cache-Control") != "no-store" || a.body != "" {
			t.Errorf("%v %q", a.Header, a.body)
		}
		w.wantLiving(1)
		w.told(p.conn, good).want(t, http.StatusBadRequest) // the same once more
		if noted := w.attempts(p.conn)[0]; noted.Refused == nil || noted.Refused.Code != sso.Replayed {
			t.Errorf("noted %+v", noted.Refused)
		}
		send(p, p.conn, oidc.TypeLogoutToken, func(c map[string]any) { delete(c, "sid") }).want(t, http.StatusOK)
		w.wantLiving(0) // no session named: all of the person's
		w.wantTypes("session.revoked")
	})
}

// told posts a logout token to a connection's back channel; a refusal has to be JSON that nobody keeps.
func (w *world) told(c sso.Connection, raw string) answer {
	w.t.Helper()
	a := w.browser().post("/oidc/"+c.Key+"/backchannel-logout", url.Values{"logout_token": {raw}})
	if a.StatusCode >= http.StatusBadRequest {
		var refusal struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		w.ok(json.Unmarshal([]byte(a.body), &refusal))
		if refusal.Error != "invalid_request" || refusal.Description == "" || a.Header.Get("Cache-Control") != "no-store" {
			w.t.Errorf("refused with %s, %v", a.body, a.Header)
		}
	}
	return a
}
