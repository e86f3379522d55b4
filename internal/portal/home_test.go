package portal

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Send takes a letter.
func (d *desk) Send(_ context.Context, l mail.Letter) error {
	d.letters = append(d.letters, l)
	return nil
}

func (d *desk) offboardings(sessions *session.Service, sealer *db.Sealer, log *slog.Logger) *lifecycle.Offboardings {
	clock := func() time.Time { return d.now }
	hooks := webhook.NewService(webhook.Options{DB: d.db, Events: d.events, IDs: d.ids, Sealer: sealer, Now: clock, Logger: log, KnownType: func(event.Type) bool { return true }})
	keys := issuer.NewService(issuer.Options{
		DB: d.db, Events: d.events, IDs: d.ids, Sealer: sealer, Sessions: sessions, Issuer: stepsBase, ClientID: d.orgs.ClientID, Now: clock, Logger: log,
	})
	d.must(keys.TendKeys(d.Context()))
	d.leavers = lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
		DB: d.db, Events: d.events, IDs: d.ids, Organizations: d.orgs, Directories: d.dirs, Webhooks: hooks, Issuer: keys, Now: clock, Logger: log,
	})
	return d.leavers
}

// company is an organization that has one of everything.
type company struct {
	*adminBrowser
	org        org.Organization
	connection sso.Connection
	oidc       sso.Connection
	directory  directory.Directory
	token      string
	contact    itadmin.Contact
	member     member.Member
	leaver     lifecycle.Offboarding
	hold       string
}

func (d *desk) company(name string) company {
	d.Helper()
	c := company{org: d.organization(name)}
	c.adminBrowser = d.enter(c.org.ID, itadmin.Everything)
	ctx, p := d.Context(), d.provider()
	var err error
	c.connection, err = d.conns.Create(ctx, d.operator(), sso.New{OrganizationID: string(c.org.ID), Type: "GenericSAML", Settings: sso.Change{
		Name: new(name + " sign-in"), MetadataXML: new(p.metadata()),
	}})
	d.must(err)
	c.oidc = d.oidcConnection(c.org, d.now.Add(365*24*time.Hour))
	c.directory, _, err = d.dirs.Create(ctx, d.operator(), directory.New{OrganizationID: string(c.org.ID), Name: name + " people", Type: "okta scim v2.0"})
	d.must(err)
	tokens, err := d.dirs.Tokens(ctx, c.directory.ID)
	d.must(err)
	c.token = string(tokens[0].ID)
	c.hold = d.ids.NewID("directory_hold")
	var once db.Write
	once.Exec(`INSERT INTO directory_holds (id, organization_id, directory_id, state, reason, people, departed, active, until_at, engaged_at, ended_at) VALUES ($1, $2, $3, 'released', 'expired', 0, 0, 0, 1, 1, 1)`,
		c.hold, string(c.org.ID), string(c.directory.ID))
	d.must(d.db.Write(ctx, &once))
	c.contact, err = d.admins.AddContact(ctx, d.operator(), c.org.ID, itadmin.NewContact{Email: strings.ToLower(name) + "-it@example.com"})
	d.must(err)
	for _, who := range []string{"stays", "leaves"} {
		u, err := d.members.CreateUser(ctx, d.operator(), newUser(who+"@"+strings.ToLower(name)+".example"))
		d.must(err)
		m, err := d.members.CreateMembership(ctx, d.operator(), newMembership(u.ID, string(c.org.ID)))
		d.must(err)
		c.member = m
	}
	_, err = d.members.Deactivate(ctx, d.operator(), c.member.Membership.ID)
	d.must(err)
	d.now = d.now.Add(time.Minute)
	_, err = d.leavers.Begin(ctx)
	d.must(err)
	found, _, err := d.leavers.List(ctx, lifecycle.OffboardingQuery{OrganizationID: string(c.org.ID), Limit: 10})
	d.must(err)
	if len(found) != 1 {
		d.Fatalf("%d leavers", len(found))
	}
	c.leaver = found[0]
	return c
}

// path fills the placeholders of an address with what belongs to the company.
func (c company) path(pattern string) string {
	return strings.NewReplacer("/secrets/{connection}", "/secrets/"+string(c.oidc.ID), "{connection}", string(c.connection.ID), "{directory}", string(c.directory.ID), "{token}", c.token, "{contact}", c.contact.ID,
		"{hold}", c.hold, "{offboarding}", c.leaver.ID, "{fingerprint}", c.connection.Certificates[0].Fingerprint).Replace(pattern)
}

// ids and names that only the company may see.
func (c company) secrets() []string {
	return []string{
		string(c.org.ID), c.org.Name + " sign-in", c.org.Name + " people", c.contact.Email, string(c.connection.ID), string(c.directory.ID),
		"@" + strings.ToLower(c.org.Name) + ".example", c.leaver.ID, c.token, c.hold,
	}
}

func TestSession_of_one_organization_never_shows_or_changes_anothers_anything_at_any_address(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		ours, theirs := d.company("Ours"), d.company("Theirs")
		known := map[string]bool{}
		for _, one := range stepRoutes() {
			known[one.pattern] = true // their own test walks them
		}
		before := len(d.audit(theirs.org.ID))
		asked := 0
		for _, r := range table() {
			if !r.inside() || known[r.pattern] || r.pattern == "/portal/sign-out" || r.pattern == "/portal/delete" {
				continue
			}
			named := strings.Contains(r.pattern, "{")
			wants := func(got seen) {
				t.Helper()
				if got.hides(theirs.secrets()...); named && got.status != http.StatusNotFound {
					t.Errorf("%s of another organization: %d", r.pattern, got.status)
				}
				asked++
			}
			query := "?" + url.Values{"organization_id": {string(theirs.org.ID)}, "organization": {string(theirs.org.ID)}}.Encode()
			if r.call.get != nil {
				wants(ours.get(theirs.path(r.pattern) + query))
				if got := theirs.get(theirs.path(r.pattern)); got.status >= http.StatusBadRequest {
					t.Errorf("%s of one's own: %d %.500s", r.pattern, got.status, text(got.body))
				}
			}
			if r.call.post != nil {
				wants(ours.post(theirs.path(r.pattern)+query, "organization_id", string(theirs.org.ID), "certificate", "x", "email", "new@ours.example"))
			}
		}
		if asked < 14 {
			t.Errorf("asked only %d addresses", asked)
		}
		if after := d.audit(theirs.org.ID); len(after) != before {
			t.Errorf("something of the other organization was changed: %+v", after[0])
		}
		ours.post("/portal/delete", "confirm", "Ours", "left_out", "1").leads()
		theirs.get("/portal/home").wants(http.StatusOK).shows("Theirs sign-in", "Theirs people")
		if left, _, err := d.dirs.List(d.Context(), directory.ListQuery{OrganizationID: string(ours.org.ID), Limit: 5}); err != nil || len(left) != 0 {
			t.Errorf("%d directories of one's own are left, %v", len(left), err)
		}
	})
}

func TestLink_for_one_intent_opens_the_pages_of_that_intent_alone(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		for _, intent := range itadmin.Intents() {
			b := d.enter(c.org.ID, intent)
			open := 0
			for _, r := range table() {
				if !r.inside() || r.call.get == nil || r.pattern == "/portal/done" {
					continue
				}
				want := r.serves(intent)
				if got := b.get(c.path(r.pattern)); want != (got.status < http.StatusBadRequest) {
					t.Errorf("%s with a link for %s: %d", r.pattern, intent, got.status)
				}
				if want {
					open++
				}
			}
			if open == 0 || b.get(landing(intent)).status >= http.StatusBadRequest {
				t.Errorf("a link for %s leads nowhere", intent)
			}
			b.post("/portal/delete", "confirm", "Acme", "left_out", "1").wants(http.StatusForbidden)
			b.post("/portal/contacts", "email", "evil@example.com").wants(http.StatusForbidden)
			home := b.get("/portal/home").wants(http.StatusOK)
			if intent != itadmin.SSO && intent != itadmin.CertificateRenewal {
				home.hides("Acme sign-in")
			}
			if intent != itadmin.DirectorySync {
				home.hides("Acme people")
			}
		}
	})
}

func TestEvery_post_of_the_portal_needs_the_token_of_its_session_and_our_own_origin(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c, other := d.company("Acme"), d.enter(d.organization("Other").ID, itadmin.Everything)
		posts := 0
		for _, r := range routes() {
			if r.call.post == nil {
				continue
			}
			posts++
			for _, form := range []string{"", "csrf=" + strings.Repeat("0", 64), "csrf=" + other.adminToken()} {
				c.do(http.MethodPost, c.path(r.pattern), form).wants(http.StatusForbidden)
			}
			forged := httptest.NewRequest(http.MethodPost, c.path(r.pattern), strings.NewReader("csrf="+c.adminToken()))
			forged.Header.Set("Cookie", c.cookie)
			forged.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			forged.Header.Set("Sec-Fetch-Site", "cross-site")
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, forged)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s from another site: %d", r.pattern, w.Code)
			}
		}
		if posts < 7 {
			t.Errorf("only %d posts", posts)
		}
		c.get("/portal/home").wants(http.StatusOK).shows("Acme sign-in", "Acme people")
	})
}

func (b *adminBrowser) adminToken() string { return b.token() }

func TestWithout_a_session_every_page_leads_to_where_one_asks_for_a_link(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		stranger := &adminBrowser{desk: d, cookie: "rollcall-portal=nonsense"}
		for _, r := range routes() {
			if !r.inside() {
				continue
			}
			for _, method := range r.methods() {
				got := stranger.do(method, c.path(r.pattern), "")
				if got.leads() != "/portal" {
					t.Errorf("%s %s leads to %q", method, r.pattern, got.to)
				}
			}
		}
		c.post("/portal/sign-out").leads()
		if to := c.get("/portal/home").leads(); to != "/portal" {
			t.Errorf("after signing out home leads to %q", to)
		}
		stranger.get("/portal/nowhere").wants(http.StatusNotFound)
		stranger.do(http.MethodDelete, "/portal/home", "").wants(http.StatusMethodNotAllowed)
	})
}

func TestMailed_link_is_asked_for_opened_by_a_button_and_proven_by_a_code(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		_, err := d.admins.AddContact(d.Context(), d.operator(), o.ID, itadmin.NewContact{Email: "ida@acme.example", Name: "Ida Admin"})
		d.must(err)
		b := &adminBrowser{desk: d}
		known := b.visit("/portal", "email", "ida@acme.example").wants(http.StatusOK)
		unknown := b.visit("/portal", "email", "who@acme.example").wants(http.StatusOK)
		if strings.ReplaceAll(text(known.body), "ida@", "who@") != text(unknown.body) {
			t.Errorf("the answers differ:\n%s\n%s", text(known.body), text(unknown.body))
		}
		b.visit("/portal", "email", "nonsense").wants(http.StatusUnprocessableEntity)
		_, err = d.admins.AnswerAsks(d.Context())
		d.must(err)
		link := regexp.MustCompile(stepsBase + `(/portal/link/\S+)`).FindStringSubmatch(d.sent("ida@acme.example"))[1]
		for range 3 {
			b.get(link).wants(http.StatusOK).shows("Acme", "i…@acme.example")
		}
		if to := b.visit(link).leads(); to != "/portal/code" {
			t.Fatalf("the link leads to %q", to)
		}
		if to := b.get("/portal/home").leads(); to != "/portal" {
			t.Errorf("without its code the session leads home: %q", to)
		}
		b.get("/portal/code").wants(http.StatusOK).shows("i…@acme.example")
		b.visit("/portal/code", "code", "12").wants(http.StatusUnprocessableEntity)
		code := regexp.MustCompile(`(?m)^ +(\d{6})$`).FindStringSubmatch(d.sent("ida@acme.example"))[1]
		if to := b.visit("/portal/code", "code", code).leads(); to != "/portal/home" {
			t.Fatalf("the code leads to %q", to)
		}
		b.get("/portal/home").wants(http.StatusOK).shows("Ida Admin", "Manage SSO", "Manage Directory Sync")
		b.get("/portal/link/portal_nonsense").wants(http.StatusNotFound).shows("Get a fresh link")
		b.visit("/portal/link/portal_nonsense").wants(http.StatusNotFound)
		if to := b.get("/portal").leads(); to != "/portal/home" {
			t.Errorf("who is in is sent to %q", to)
		}
	})
}

// visit posts a form before the door, and keeps the cookie.
func (b *adminBrowser) visit(path string, pairs ...string) seen {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Cookie", b.cookie)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") {
			b.Errorf("the cookie is %v", c)
		}
		b.cookie = c.Name + "=" + c.Value
	}
	return seen{b.T, w.Code, w.Header().Get("Location"), w.Body.String()}
}

// sent is the text of the one mail that waits, to an address.
func (d *desk) sent(to string) string {
	d.Helper()
	d.letters = nil
	_, err := d.mails.Send(d.Context())
	d.must(err)
	if len(d.letters) != 1 || d.letters[0].To != to {
		d.Fatalf("mailed %+v", d.letters)
	}
	return d.letters[0].Text
}

func TestIdentity_provider_is_deleted_by_who_types_the_name_and_has_seen_whom_it_leaves_out(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		c.get("/portal/delete").wants(http.StatusOK).shows("Acme sign-in", "Acme people")
		c.post("/portal/delete", "confirm", "acme").wants(http.StatusUnprocessableEntity)
		warned := c.post("/portal/delete", "confirm", "Acme").wants(http.StatusConflict).shows("stays@acme.example", `name="left_out" value="1"`)
		warned.shows("Some people would have no way in", "comes in through this identity provider and has no other way in", "Type the name again")
		warned.shows("nobody has proven the address")
		c.post("/portal/delete", "confirm", "Acme", "left_out", "7").wants(http.StatusConflict)
		c.post("/portal/delete", "confirm", "acme", "left_out", "1").wants(http.StatusUnprocessableEntity).shows("stays@acme.example", "nobody has proven the address")
		c.get("/portal/home").shows("Acme sign-in")
		c.post("/portal/delete", "confirm", "Acme", "left_out", "1").leads()
		c.get("/portal/home").wants(http.StatusOK).hides("Acme sign-in", "Acme people")
		c.get("/portal/delete").leads()
		last := d.audit(c.org.ID)
		found := false
		for _, e := range last {
			found = found || e.Action == event.Action(event.ConnectionDeleted) && e.Context.Actor.Source == event.AdminPortal
		}
		if !found {
			t.Errorf("the audit does not say by whom: %+v", last)
		}
	})
}

func TestTokens_are_rotated_without_a_gap_and_shown_once(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		path := "/portal/tokens/" + string(c.directory.ID)
		made := c.post(path).wants(http.StatusOK)
		secret := regexp.MustCompile(`scim_[0-9A-Za-z]{49}`).FindString(made.body)
		if secret == "" {
			t.Fatalf("no token is shown: %.2000s", text(made.body))
		}
		c.get(path).wants(http.StatusOK).hides(secret)
		c.post(path).wants(http.StatusConflict)
		c.post(path + "/" + c.token + "/revoke").leads()
		tokens, err := d.dirs.Tokens(d.Context(), c.directory.ID)
		d.must(err)
		if len(tokens) != 2 || tokens[0].RevokedAt.IsZero() || !tokens[1].RevokedAt.IsZero() {
			t.Errorf("the tokens are %+v", tokens)
		}
	})
}

func TestCertificates_are_renewed_side_by_side_and_the_last_one_stays(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		b := d.enter(c.org.ID, itadmin.CertificateRenewal)
		path := b.get("/portal/certificates").leads()
		first := c.connection.Certificates[0].Fingerprint
		b.get(path).wants(http.StatusOK).shows(first)
		b.post(path + "/" + first + "/delete").wants(http.StatusConflict).shows("the only certificate")
		b.post(path, "certificate", "nonsense \"><script>").wants(http.StatusUnprocessableEntity).hides("<script>\"", "><script>")
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		d.must(err)
		b.post(path, "certificate", pemOfSigner(samltest.NewSigner(key, d.now.Add(-time.Hour), d.now.Add(time.Hour)))).leads()
		b.post(path + "/" + first + "/delete").leads()
		b.get(path).wants(http.StatusOK).hides(first)
		b.post(path + "/" + strings.Repeat("0", 64) + "/delete").wants(http.StatusConflict)
	})
}

func TestWho_has_access_is_told_of_any_day_and_exported(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		c.get("/portal/access").wants(http.StatusOK).shows("stays@acme.example").hides("leaves@acme.example")
		c.get("/portal/access?day=2001-01-01").wants(http.StatusOK).hides("stays@acme.example")
		c.get("/portal/access?day=tomorrow").wants(http.StatusOK).shows("Choose a day that has begun.")
		c.get("/portal/access?day=2999-01-01").wants(http.StatusOK).shows("Choose a day that has begun.")
		c.get("/portal/access.csv").wants(http.StatusOK).shows("stays@acme.example").hides("leaves@acme.example")
		c.get("/portal/access.csv?day=2999-01-01").wants(http.StatusUnprocessableEntity)
		c.get("/portal/leavers").wants(http.StatusOK).shows("leaves@acme.example").hides("stays@acme.example")
		if jws := c.get("/portal/leavers/" + c.leaver.ID + "/receipt").wants(http.StatusOK).body; strings.Count(jws, ".") != 2 {
			t.Errorf("the receipt is %.200s", jws)
		}
		c.get("/portal/audit").wants(http.StatusOK).shows("connection.created", "contact.created")
		c.get("/portal/audit.csv").wants(http.StatusOK).shows("connection.created", string(c.connection.ID))
	})
}

func TestContacts_are_added_and_removed_in_the_portal(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		c.post("/portal/contacts", "email", "max@acme.example", "name", `"><script>alert(1)</script>`).leads()
		c.get("/portal/contacts").wants(http.StatusOK).shows("max@acme.example").hides("<script>alert(1)")
		c.post("/portal/contacts", "email", "MAX@acme.example").wants(http.StatusUnprocessableEntity)
		c.post("/portal/contacts", "email", "nonsense").wants(http.StatusUnprocessableEntity)
		c.post("/portal/contacts/" + c.contact.ID + "/remove").leads()
		c.get("/portal/contacts").wants(http.StatusOK).hides(c.contact.Email)
	})
}

func TestWay_back_leads_to_the_app_and_never_into_a_script(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization(`Acme "><img src=x>`)
		enter := func(back, success string) *adminBrowser {
			_, address, err := d.admins.MakeLink(d.Context(), d.operator(), itadmin.NewLink{OrganizationID: o.ID, ReturnURL: back, SuccessURL: success})
			d.must(err)
			b := &adminBrowser{desk: d}
			b.visit(strings.TrimPrefix(address.Reveal(), stepsBase)).leads()
			return b
		}
		b := enter("https://app.example/back?a=1", "")
		b.get("/portal/home").shows("https://app.example/back?a=1").hides("<img src=x>")
		if to := b.get("/portal/done").leads(); to != "https://app.example/back?a=1" {
			t.Errorf("done leads to %q", to)
		}
		if to := enter("https://app.example/back", "https://app.example/done").get("/portal/done").leads(); to != "https://app.example/done" {
			t.Errorf("done leads to %q", to)
		}
		if to := enter("", "").get("/portal/done").leads(); to != "/portal/home" {
			t.Errorf("done leads to %q", to)
		}
	})
}

func TestGuessing_is_slowed_for_each_network(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		limited := New(Options{Admins: d.admins, Organizations: d.orgs, Site: d.site, Now: func() time.Time { return d.now }, Logger: slog.New(slog.DiscardHandler)})
		last := 0
		for range DefaultLimits().Entry.Burst + 1 {
			w := httptest.NewRecorder()
			limited.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/portal/link/portal_nonsense", nil))
			last = w.Code
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the last answer is %d", last)
		}
	})
}
