package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// mailed asks for a code for an address and gives what the mail says.
func (w *world) mailed(b *browser, email string, more ...string) (link, code, magic string) {
	w.t.Helper()
	return w.mailedAt(b, w.authorization(more...), email)
}

// mailedAt is mailed for a sign-in that begins at an address.
func (w *world) mailedAt(b *browser, address, email string) (link, code, magic string) {
	w.t.Helper()
	before := len(w.letters())
	page := b.get(address).want(w.t, http.StatusOK)
	sent := b.post("/sign-in", url.Values{"continue": {page.hidden(w.t, "continue")}, "email": {email}, "way": {"email"}}).want(w.t, http.StatusOK)
	all := w.letters()
	if len(all) != before+1 {
		w.t.Fatalf("%d letters for %s, want one: %s", len(all)-before, email, text(sent.body))
	}
	letter := all[len(all)-1]
	if letter.To != email {
		w.t.Fatalf("the letter went to %s", letter.To)
	}
	code = regexp.MustCompile(`\b\d{6}\b`).FindString(letter.Text)
	link = strings.TrimPrefix(regexp.MustCompile(`http://\S+/sign-in/link/[A-Za-z0-9_]+`).FindString(letter.Text), w.server.URL)
	if code == "" || link == "" {
		w.t.Fatalf("no code or link in: %s", letter.Text)
	}
	return link, code, sent.hidden(w.t, "magic")
}

// letters sends what is to be sent and gives all that was.
func (w *world) letters() []letter {
	w.t.Helper()
	_, err := w.mails.Send(ctx)
	w.ok(err)
	w.inbox.mu.Lock()
	defer w.inbox.mu.Unlock()
	out := make([]letter, len(w.inbox.got))
	for i, l := range w.inbox.got {
		out[i] = letter{l.To, l.Text}
	}
	return out
}

type letter struct{ To, Text string }

// hire stores a person in a directory.
func (w *world) hire(secret token.Secret, document string) {
	w.t.Helper()
	door, err := w.dirs.Authenticate(ctx, "", secret)
	w.ok(err)
	w.ok(w.dirs.NoteAccepted(ctx, door))
	o, err := scim.ReadObject([]byte(document), scim.DefaultLimits)
	w.ok(err)
	o, err = scim.Standard().User.Prepare(o, scim.Mode{})
	w.ok(err)
	_, _, err = w.dirs.CreateUser(ctx, door, o, func(directory.Outcome) *directory.Exchange {
		return &directory.Exchange{At: time.Now(), Method: "POST", Path: "/Users", Status: 201, RequestID: "req"}
	})
	w.ok(err)
}

// profile redeems a code on the compatible route, as an SDK does.
func (w *world) profile(code string) map[string]any {
	w.t.Helper()
	a := w.browser().post("/sso/token", url.Values{
		"client_id": {w.app.ClientID}, "client_secret": {managementKey.Reveal()}, "grant_type": {"authorization_code"}, "code": {code},
	}).want(w.t, http.StatusOK)
	out := map[string]any{}
	w.ok(json.Unmarshal([]byte(a.body), &out))
	return out
}

// paths gives a connection addresses of a former vendor.
func (w *world) paths(c sso.Connection, paths ...string) sso.Connection {
	w.t.Helper()
	c, err := w.conns.Update(ctx, operator(), c.ID, sso.Change{Paths: &paths})
	w.ok(err)
	return c
}
