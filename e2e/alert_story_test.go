package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database of a server that has stopped

	sdk "github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

// longEnough is more than anybody waits before they are mailed of a wrong token or a webhook that fails.
const longEnough = 61 * time.Minute

// openAlerts counts what the server has noticed, whether it was mailed or not.
func (h *home) openAlerts(t *testing.T) (n int) {
	t.Helper()
	d, err := sql.Open("sqlite", "file:"+h.databaseFile()+"?mode=ro")
	must(t, err)
	must(t, d.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM alerts WHERE closed_at IS NULL`).Scan(&n))
	must(t, d.Close())
	return n
}

// anHourLater stops the server, has what it noticed be an hour older, and starts it again: nobody waits for an hour in a test, and that it is
// mailed after all shows that a restart forgets nothing.
func (s *saas) anHourLater() {
	s.t.Helper()
	s.p.stop(s.t)
	d, err := sql.Open("sqlite", s.h.databaseFile())
	must(s.t, err)
	_, err = d.ExecContext(s.t.Context(), `UPDATE alerts SET opened_at = opened_at - $1`, longEnough.Microseconds())
	must(s.t, err)
	must(s.t, d.Close())
	s.p = s.h.start(s.t)
	s.api = s.p.api()
}

// comesWith has the provider come with another token than its own.
func (c *company) comesWith(token string) *simulate.SCIMClient {
	c.t.Helper()
	catalog, err := idp.Load()
	must(c.t, err)
	who, _ := catalog.Provider("okta")
	made, err := simulate.NewSCIMClient(who, simulate.Target{BaseURL: c.p.url + c.address, Token: token}, simulate.SCIMOptions{Seed: 1})
	must(c.t, err)
	return made
}

// told waits for a mail that comes of a look, for three of them.
func (s *saas) told(email, subject string) letter {
	s.t.Helper()
	for deadline := time.Now().Add(100 * time.Second); time.Now().Before(deadline); time.Sleep(time.Second) {
		for _, l := range s.inbox.to(email) {
			if strings.HasSuffix(l.subject, subject) {
				return l
			}
		}
	}
	s.t.Fatalf("%s is not told that %s", email, subject)
	return letter{}
}

// wantMails has somebody have so many mails of a subject by now.
func (s *saas) wantMails(email, subject string, want int) {
	s.t.Helper()
	n := 0
	for _, l := range s.inbox.to(email) {
		if strings.HasSuffix(l.subject, subject) {
			n++
		}
	}
	if n != want {
		s.t.Errorf("%s has %d mails %q, want %d", email, n, subject, want)
	}
}

// A provider's token is wrong and the app's webhook answers 500. Whoever mends each is mailed once with the way to do it, and once when it is well; the
// IT admin comes by the mail to the page where the token is made, with no session to begin with.
func TestAlerts_are_mailed_once_with_the_way_to_mend_it_and_once_when_it_is_well(t *testing.T) {
	t.Parallel() // most of it is waiting for the next look, which is every half minute
	s := newSaaS(t, db.SQLite, "--operator-email", operates)
	var answers, arrived atomic.Int64
	answers.Store(http.StatusInternalServerError)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := answers.Load()
		if w.WriteHeader(int(status)); status == http.StatusOK {
			arrived.Add(1)
		}
	}))
	t.Cleanup(receiver.Close)
	hook, err := sdkOf(t, s.p).CreateWebhookEndpoint(t.Context(), sdk.NewWebhookEndpoint{URL: receiver.URL + "/hook", Types: allTypes()})
	must(t, err)
	c := s.newCompany("Globex", "globex.example")
	s.api.must(t, 201, "POST", "/organizations/"+c.id+"/contacts", `{"email":"`+irma+`"}`)
	c.sync("")
	c.hire(c.person("Ada"))
	wrong := c.comesWith(c.token[:len(c.token)-4] + "0000")
	for range 3 {
		if err := wrong.Connect(t.Context()); err == nil {
			t.Fatal("a wrong token opens the directory")
		}
	}
	const (
		still, works = "Directory sync stands still: the token that Okta sends is refused", "Directory sync works again: Okta comes with a good token"
	)
	fails, arrives := "The webhook endpoint "+receiver.URL+"/hook fails", "The webhook endpoint "+receiver.URL+"/hook works again"
	eventually(t, "the two to be noticed", func() bool { return s.h.openAlerts(t) == 2 })
	for _, subject := range []string{still, fails} {
		s.wantMails(irma, subject, 0)
		s.wantMails(operates, subject, 0)
	}

	s.anHourLater()
	page := "/portal/tokens/" + c.directory
	if l := s.told(irma, still); l.subject != "Globex: "+still || !strings.Contains(l.text, "Make a new token, paste it at the identity provider") || !strings.Contains(l.text, s.p.url+page) {
		t.Errorf("the IT admin is mailed %q %s", l.subject, l.text)
	}
	if l := s.told(operates, still); !strings.Contains(l.text, "/dashboard/directories/"+c.directory+"/tokens") || strings.Contains(l.text, "/portal/") {
		t.Errorf("the operator is mailed %s", l.text)
	}
	if l := s.told(operates, fails); !strings.Contains(l.text, "/dashboard/webhooks/"+hook.ID) || !strings.Contains(l.text, "Look at the last attempts") {
		t.Errorf("the operator is mailed %s", l.text)
	}

	// The IT admin mends it from the mail; the app's people mend their receiver.
	next := s.newTokenFrom(page)
	answers.Store(http.StatusOK)
	c.okta = c.comesWith(next)
	must(t, c.okta.Connect(t.Context()))
	c.hire(c.person("Ben"))
	eventually(t, "a delivery to arrive", func() bool { return arrived.Load() > 0 })
	s.told(irma, works)
	s.told(operates, works)
	s.told(operates, arrives)
	time.Sleep(35 * time.Second) // one look more
	for _, subject := range []string{still, works} {
		s.wantMails(irma, subject, 1)
		s.wantMails(operates, subject, 1)
	}
	for _, subject := range []string{fails, arrives} { // the app's webhooks are no matter of its customers
		s.wantMails(irma, subject, 0)
		s.wantMails(operates, subject, 1)
	}
	if n := s.h.openAlerts(t); n != 0 {
		t.Errorf("%d alerts are open when all is well", n)
	}
	s.p.stop(t)
}

// from follows a mail to a page of the portal as a contact who has no session: by a link and a code, both mailed.
func (s *saas) from(to *tour, page string) {
	s.t.Helper()
	to.opens(s.p.url + page)
	to.sees("Get a link to the portal")
	to.types("email", irma)
	to.presses("Mail me a link")
	to.sees("Look into your mail")
	to.opens(s.inbox.linkTo(irma, "/portal/link/"))
	to.presses("Open")
	to.sees("Enter your code")
	to.types("code", s.inbox.portalCode(irma, 0))
	to.presses("Continue")
	until(s.t, func() bool { return to.value("location.pathname") == page })
}

// newTokenFrom makes a token on the page to which a mail led.
func (s *saas) newTokenFrom(page string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(browser(s.t, true), 2*time.Minute)
	defer cancel()
	to := &tour{T: s.t, ctx: ctx, story: "alert"}
	s.from(to, page)
	to.sees("Tokens of directory sync")
	to.takes("tokens")
	to.presses("Make a token")
	to.sees("Here is the new token")
	to.takes("token-made")
	made := regexp.MustCompile(`\bscim_\w+`).FindString(to.value("document.querySelector('main').innerText"))
	to.opens(s.p.url + "/portal/home")
	to.sees("The token that Okta sends is refused", "Manage Directory Sync")
	to.takes("home")
	return made
}

// A provider's wrong filter shuts half of a company out. Who looks after it is mailed, is led to who is held, and has them in again; that somebody was out
// the app hears of the first alone, who left before it was a burst.
func TestBrake_is_mailed_and_undone_from_the_mail(t *testing.T) {
	t.Parallel()
	s := newSaaS(t, db.SQLite, "--operator-email", operates)
	c := s.newCompany("Globex", "globex.example")
	s.api.must(t, 201, "POST", "/organizations/"+c.id+"/contacts", fmt.Sprintf(`{"email":%q}`, irma))
	people := make([]simulate.Person, 6)
	for i, name := range []string{"Ada", "Ben", "Cleo", "Dan", "Eve", "Finn"} {
		people[i] = c.person(name)
	}
	c.connect("", people...)
	c.sync(`"provisioning":"direct"`)
	c.hire(people...)
	ben := c.visitor(people[1])
	ben.signIn(c.id)
	s.api.must(t, 200, "PUT", "/directories/"+c.directory+"/brake", `{"enabled":true,"share_percent":10,"people":2,"window_minutes":15,"hold_minutes":60}`)
	for _, p := range people[:3] {
		must(t, c.okta.Leave(t.Context(), p.Email))
	}
	c.settled()
	if ben.refreshes() {
		t.Error("somebody who is held is still signed in")
	}
	s.wantEvents(c.id, 0, "organization_membership.updated")
	const engaged = "The brake of a directory holds people who were shut out in a burst"
	l := s.inbox.about(irma, 0, engaged)
	if !strings.Contains(l.subject, "Globex: ") || !strings.Contains(l.text, "2 of 6 active people left; release it or undo it until ") {
		t.Errorf("the IT admin is mailed %q %s", l.subject, l.text)
	}
	page := regexp.MustCompile(`/portal/brake/` + c.directory + `/directory_hold_\w+`).FindString(l.text)
	if o := s.inbox.about(operates, 0, engaged); page == "" || !strings.Contains(o.text, "/dashboard/directories/"+c.directory+"/holds/directory_hold_") {
		t.Fatalf("mailed is %s to the IT admin, %s to the operator", l.text, o.text)
	}

	ctx, cancel := context.WithTimeout(browser(t, true), 2*time.Minute)
	defer cancel()
	to := &tour{T: t, ctx: ctx, story: "brake"}
	s.from(to, page)
	to.sees("2 of 6 active people left in a burst", "ben@globex.example", "cleo@globex.example")
	to.takes("held")
	to.presses("Undo: keep them")
	to.sees("Let 2 people in again?")
	to.takes("undo")
	to.presses("Keep 2 people")
	to.sees("In, until the directory writes them again")
	to.takes("undone")
	s.inbox.about(irma, 0, "Held people of a directory were let in again")
	c.want(people[0].Email, "primary inactive directory_inactive")
	c.want(people[1].Email, "primary active held_by_brake")
	c.visitor(people[1]).signIn(c.id)
	var told []string // that somebody is out of the first alone, and of the others why they are in
	for _, e := range s.events(c.id, "organization_membership.updated", "organization_membership.deleted") {
		told = append(told, text(e, "data", "status")+" "+text(e, "data", "why"))
	}
	if want := []string{"inactive directory_inactive", "active held_by_brake", "active held_by_brake"}; !slices.Equal(told, want) {
		t.Errorf("the app is told %q, want %q", told, want)
	}
	s.p.stop(t)
}
