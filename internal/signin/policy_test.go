package signin_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// optional makes single sign-on a choice in the organization.
func (w *world) optional() {
	w.t.Helper()
	w.set(org.PolicyChange{SSO: ref(org.Optional)})
}

func (w *world) set(c org.PolicyChange, confirm ...int) {
	w.t.Helper()
	var number *int
	if len(confirm) > 0 {
		number = &confirm[0]
	}
	_, err := w.policy.Set(ctx, operator(), w.org.ID, c, number)
	w.ok(err)
}

// joined makes somebody with an account of their own an active member, as an invitation does.
func (w *world) joined(id org.ID, email string, primary bool) member.UserID {
	w.t.Helper()
	u, err := w.members.UserByEmail(ctx, email)
	var as db.Write
	if err != nil {
		u, err = w.members.SignUpInto(ctx, &as, email, event.Context{Actor: operator()})
	}
	w.ok(err)
	as.Exec(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, version, created_at, updated_at)
		VALUES ($1, $2, $3, 'active', $4, 'member', 'sign_in', 1, 1, 1)`, "om_"+email+string(id), string(id), string(u.ID), primary)
	w.ok(w.db.Write(ctx, &as))
	return u.ID
}

// codeFor has a code mailed by its own button, which is there for every address.
func (w *world) codeFor(b *browser, email string, more ...string) (code, magic string) {
	w.t.Helper()
	before := len(w.letters())
	page := b.get(w.authorization(append([]string{"prompt", "select_account"}, more...)...)).want(w.t, http.StatusOK)
	sent := b.post("/sign-in", url.Values{"continue": {page.hidden(w.t, "continue")}, "email": {email}, "way": {"code"}}).want(w.t, http.StatusOK)
	all := w.letters()
	if len(all) != before+1 || all[before].To != email {
		w.t.Fatalf("%d letters for %s, want one: %s", len(all)-before, email, text(sent.body))
	}
	return regexp.MustCompile(`\b\d{6}\b`).FindString(all[before].Text), sent.hidden(w.t, "magic")
}

// byCode proves an address and goes on to an organization.
func (b *browser) byCode(email string, id org.ID) answer {
	b.w.t.Helper()
	code, magic := b.w.codeFor(b, email, "organization", string(id), "scope", offline, "prompt", "login select_account")
	return b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}})
}

// entered are the tokens of somebody who came in by a code.
func (b *browser) entered(email string, id org.ID) map[string]any {
	b.w.t.Helper()
	_, tokens := b.w.redeem(b.w.code(b.byCode(email, id).location(b.w.t)))
	if tokens["refresh_token"] == nil || b.w.claims(tokens)["org_id"] != string(id) {
		b.w.t.Fatalf("%s got %v", email, tokens)
	}
	return tokens
}

// refresh is the application's, and gives the next tokens.
func (w *world) refresh(tokens map[string]any) (int, map[string]any) {
	w.t.Helper()
	return w.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}})
}

func (w *world) switchOff() {
	w.t.Helper()
	_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Inactive)})
	w.ok(err)
}

func (w *world) wantShut(a answer) {
	w.t.Helper()
	a.want(w.t, http.StatusForbidden)
	if !strings.Contains(a.body, "switched off at present") || strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), "rollcall-session=s") {
		w.t.Errorf("%s, cookies %v", text(a.body), a.Header.Values("Set-Cookie"))
	}
}

func TestPolicy_holds_while_the_connection_or_the_feature_is_switched_off(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn() // now it is required
		w.switchOff()
		w.wantShut(w.browser().byCode("alice@acme.example", w.org.ID))
		if !strings.Contains(w.log.String(), "no connection of the organization lets anybody in") || !strings.Contains(w.log.String(), string(w.org.ID)) {
			t.Errorf("the log says %s", w.log)
		}
		_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Active)})
		w.ok(err)
		_, err = w.orgs.SetFeatures(ctx, operator(), w.org.ID, map[org.Feature]bool{org.SSO: false})
		w.ok(err)
		w.wantShut(w.browser().byCode("alice@acme.example", w.org.ID))
		if !strings.Contains(w.log.String(), "the feature sso is switched off") {
			t.Errorf("the log says %s", w.log)
		}
		var inside int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE organization_id = $1 AND connection_id IS NULL`, string(w.org.ID)).Scan(&inside))
		if inside != 0 || w.living() != 2 { // two proofs of an address, at no organization
			t.Errorf("%d sessions of the organization, %d living", inside, w.living())
		}
		now, err := w.policy.Get(ctx, w.org.ID)
		if err != nil || now.Reach != lifecycle.Shut {
			t.Errorf("%+v %v", now, err)
		}
	})
}

func TestPolicy_starts_with_the_first_who_comes_in_through_the_provider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.org.ID, "guest@home.example", false)
		if now, err := w.policy.Get(ctx, w.org.ID); err != nil || now.Reach != lifecycle.NotStarted || now.InForce != org.RequiredForAll {
			t.Errorf("%+v %v", now, err)
		}
		b := w.browser()
		tokens := b.entered("guest@home.example", w.org.ID)
		status, tokens := w.refresh(tokens)
		if status != http.StatusOK {
			t.Fatalf("before it starts: %d %v", status, tokens)
		}
		w.browser().signIn()
		if got := w.introspect(tokens["access_token"].(string)); got["active"] != false {
			t.Errorf("the access token is %v", got)
		}
		if status, answer := w.refresh(tokens); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
			t.Errorf("refreshed: %d %v", status, answer)
		}
		w.requestID(b.get(w.authorization("organization", string(w.org.ID))).location(t)) // no silent sign-in
		w.requestID(w.browser().byCode("guest@home.example", w.org.ID).location(t))
	})
}

func TestPolicy_of_primary_members_leaves_guests_their_codes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		w.joined(w.org.ID, "guest@home.example", false)
		w.set(org.PolicyChange{SSO: ref(org.RequiredForPrimary)})
		b := w.browser()
		status, _ := w.refresh(b.entered("guest@home.example", w.org.ID))
		if status != http.StatusOK {
			t.Errorf("a guest's refresh: %d", status)
		}
		w.code(b.get(w.authorization("organization", string(w.org.ID))).location(t)) // silently
		w.requestID(w.browser().byCode("alice@acme.example", w.org.ID).location(t))
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll)}, 1)
		w.requestID(w.browser().byCode("guest@home.example", w.org.ID).location(t))
	})
}

func TestPolicy_that_is_optional_leaves_everybody_the_choice_until_its_date(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll), OptionalUntil: ref(w.now().Add(time.Hour))})
		b := w.browser()
		page := b.get(w.authorization("organization", string(w.org.ID))).want(t, http.StatusOK)
		for _, way := range []string{"email", "sso"} { // whoever goes on as always comes to the provider
			w.requestID(b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {"alice@acme.example"}, "way": {way}}).location(t))
		}
		tokens := b.entered("alice@acme.example", w.org.ID)
		status, tokens := w.refresh(tokens)
		if status != http.StatusOK {
			t.Fatalf("before the date: %d", status)
		}
		w.later(time.Hour)
		if status, answer := w.refresh(tokens); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
			t.Errorf("after the date: %d %v", status, answer)
		}
		w.requestID(w.browser().byCode("alice@acme.example", w.org.ID).location(t))
		w.requestID(w.browser().get(w.authorization("organization", string(w.org.ID))).location(t))
	})
}

func TestTightening_ends_what_it_does_not_let_go_on_and_nothing_else(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		through := w.browser().tokens()
		w.optional()
		guest, saved := w.joined(w.org.ID, "guest@home.example", false), w.joined(w.org.ID, "saved@home.example", false)
		_, err := w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: saved, Reason: "keeps the keys", ExpiresAt: w.now().Add(time.Hour)})
		w.ok(err)
		free, exempt := w.browser().entered("guest@home.example", w.org.ID), w.browser().entered("saved@home.example", w.org.ID)
		before := len(w.revoked())
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll)}, 1)
		if status, _ := w.refresh(free); status != http.StatusBadRequest {
			t.Errorf("the guest's session goes on: %d", status)
		}
		if !w.refreshes(through) || !w.refreshes(exempt) {
			t.Errorf("through the provider %v, break-glass %v", w.refreshes(through), w.refreshes(exempt))
		}
		if got := w.revoked()[before:]; !slices.Equal(got, []string{"sso_required"}) {
			t.Errorf("ended %v of %s", got, guest)
		}
	})
}

// A refresh that was begun before the policy was tightened must not be done after it.
func TestRefreshes_beside_a_policy_that_is_tightened_leave_no_token(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		w.optional()
		w.joined(w.org.ID, "guest@home.example", false)
		b := w.browser()
		start := make(chan struct{})
		var all sync.WaitGroup
		var mu sync.Mutex
		var last []map[string]any
		for range 4 {
			tokens := b.entered("guest@home.example", w.org.ID)
			all.Go(func() {
				<-start
				for {
					status, next := w.refresh(tokens)
					if status != http.StatusOK {
						break
					}
					tokens = next
				}
				mu.Lock()
				defer mu.Unlock()
				last = append(last, tokens)
			})
		}
		close(start)
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll)}, 1)
		all.Wait()
		for _, tokens := range last {
			if w.introspect(tokens["access_token"].(string))["active"] != false || w.refreshes(tokens) {
				t.Errorf("a token outlived the change: %v", tokens)
			}
		}
		var free int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE organization_id = $1 AND connection_id IS NULL AND ended_at IS NULL`, string(w.org.ID)).Scan(&free))
		if free != 0 || len(last) != 4 {
			t.Errorf("%d sessions without the provider, %d clients", free, len(last))
		}
	})
}

func TestPolicy_of_one_organization_says_nothing_about_another(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn()
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		alice := w.joined(other.ID, "alice@acme.example", false)
		free := w.browser().entered("alice@acme.example", other.ID) // Acme demands its provider, Globex has none
		w.requestID(w.browser().byCode("alice@acme.example", w.org.ID).location(t))

		w.connect(other.ID, w.idp, "")
		var as db.Write // as somebody's first sign-in leaves it
		as.Exec(`UPDATE connections SET first_success_at = 1, state = 'active' WHERE organization_id = $1`, string(other.ID))
		w.ok(w.db.Write(ctx, &as))
		if status, _ := w.refresh(free); status != http.StatusBadRequest {
			t.Errorf("Globex demands its provider, and a guest's refresh is %d", status)
		}
		// The session through Acme's connection does not satisfy Globex.
		if to := b.get(w.authorization("organization", string(other.ID), "prompt", "none")).location(t); to.Query().Get("error") != "login_required" {
			t.Errorf("led to %s", to)
		}
		_, err = w.policy.NameBreakGlass(ctx, operator(), other.ID, lifecycle.NewBreakGlass{UserID: alice, Reason: "of Globex", ExpiresAt: w.now().Add(time.Hour)})
		w.ok(err)
		w.browser().entered("alice@acme.example", other.ID)
		w.requestID(w.browser().byCode("alice@acme.example", w.org.ID).location(t)) // no exemption from Acme's
		_, err = w.policy.Set(ctx, operator(), other.ID, org.PolicyChange{SSO: ref(org.Optional)}, nil)
		w.ok(err)
		w.requestID(w.browser().byCode("alice@acme.example", w.org.ID).location(t))
	})
}

func TestBreak_glass_exempts_from_the_policy_for_its_time_and_from_nothing_else(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		u, err := w.members.UserByEmail(ctx, "alice@acme.example")
		w.ok(err)
		w.switchOff()
		name := func() {
			_, err := w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: u.ID, Reason: "the provider is down", ExpiresAt: w.now().Add(time.Hour)})
			w.ok(err)
		}
		name()
		b := w.browser()
		tokens := b.entered("alice@acme.example", w.org.ID)
		w.wantTypes("break_glass_user.created", "break_glass_user.signed_in")
		status, tokens := w.refresh(tokens)
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, tokens)
		}
		w.code(b.get(w.authorization("organization", string(w.org.ID))).location(t)) // the session satisfies the application

		w.later(time.Hour)
		if status, _ := w.refresh(tokens); status != http.StatusBadRequest {
			t.Errorf("after its time: %d", status)
		}
		w.wantShut(w.browser().byCode("alice@acme.example", w.org.ID))

		name()
		tokens = w.browser().entered("alice@acme.example", w.org.ID)
		w.ok(w.policy.RevokeBreakGlass(ctx, operator(), w.org.ID, u.ID))
		if got := w.introspect(tokens["access_token"].(string)); got["active"] != false {
			t.Errorf("revoked, the token is %v", got)
		}
		w.wantTypes("break_glass_user.deleted")

		name()
		m, err := w.members.MemberOf(ctx, string(w.org.ID), u.ID)
		w.ok(err)
		_, err = w.members.Deactivate(ctx, operator(), m.Membership.ID)
		w.ok(err)
		if a := w.browser().byCodeUnsent("alice@acme.example", w.org.ID); a != 0 {
			t.Errorf("%d letters to somebody who was shut out", a)
		}
	})
}

// byCodeUnsent asks for a code and gives how many were mailed.
func (b *browser) byCodeUnsent(email string, id org.ID) int {
	b.w.t.Helper()
	before := len(b.w.letters())
	page := b.get(b.w.authorization("prompt", "select_account", "organization", string(id))).want(b.w.t, http.StatusOK)
	b.post("/sign-in", url.Values{"continue": {page.hidden(b.w.t, "continue")}, "email": {email}, "way": {"code"}}).want(b.w.t, http.StatusOK)
	return len(b.w.letters()) - before
}

func TestBreak_glass_never_lets_in_whom_a_directory_wants_out(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		guest := w.joined(w.org.ID, "guest@home.example", false)
		_, err := w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: guest, Reason: "keeps the keys", ExpiresAt: w.now().Add(time.Hour)})
		w.ok(err)
		tokens := w.browser().entered("guest@home.example", w.org.ID)
		m, err := w.members.MemberOf(ctx, string(w.org.ID), guest)
		w.ok(err)
		_, err = w.members.Deactivate(ctx, operator(), m.Membership.ID)
		w.ok(err)
		if status, _ := w.refresh(tokens); status != http.StatusBadRequest {
			t.Errorf("refreshed by somebody who was shut out: %d", status)
		}
		if to := w.browser().byCode("guest@home.example", w.org.ID).location(t); to.Query().Get("error") != "access_denied" {
			t.Errorf("led to %s", to)
		}
	})
}

// As above, by the directory itself and not by a hand: one who is at home elsewhere, and one whose account goes with it.
func TestBreak_glass_never_lets_in_whom_a_directory_has_deprovisioned(t *testing.T) {
	for how, leave := range map[string]func(f feed, id directory.UserID){
		"inactive": func(f feed, id directory.UserID) { f.active(id, false) },
		"deleted":  func(f feed, id directory.UserID) { f.gone(id) },
	} {
		for email, primary := range map[string]bool{"guest@home.example": false, "keeper@acme.example": true} {
			t.Run(how+" "+email, func(t *testing.T) {
				each(t, func(t *testing.T, w *world) {
					w.provisioned()
					w.browser().signIn()
					keeper := w.joined(w.org.ID, email, primary)
					w.exec(`UPDATE organization_memberships SET joined_by = 'sign_in' WHERE joined_by IS NULL`)
					f := w.feed(directory.New{Provisioning: directory.Direct})
					u := f.hire(`{"userName":"` + email + `","active":true}`)
					w.provision()
					_, err := w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: keeper, Reason: "keeps the keys", ExpiresAt: w.now().Add(time.Hour)})
					w.ok(err)
					tokens := w.browser().entered(email, w.org.ID)
					leave(f, u.ID)
					if got := w.place(email); !strings.Contains(got, "directory_") {
						t.Fatalf("%s is %q", email, got)
					}
					if status, _ := w.refresh(tokens); status != http.StatusBadRequest {
						t.Errorf("refreshed by somebody whom the directory has put out: %d", status)
					}
					if primary { // an account that is taken away is not even mailed a code
						if n := w.browser().byCodeUnsent(email, w.org.ID); n != 0 {
							t.Errorf("%d codes were mailed", n)
						}
						return
					}
					if to := w.browser().byCode(email, w.org.ID).location(t); to.Query().Get("error") != "access_denied" {
						t.Errorf("led to %s", to)
					}
				})
			})
		}
	}
}

func TestStranger_does_not_learn_who_is_a_break_glass_user(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		u, err := w.members.UserByEmail(ctx, "alice@acme.example")
		w.ok(err)
		_, err = w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: u.ID, Reason: "keeps the keys", ExpiresAt: w.now().Add(time.Hour)})
		w.ok(err)
		seen := map[string][]string{}
		for _, email := range []string{"alice@acme.example", "bob@acme.example"} { // exempt, and nobody's
			for _, way := range []string{"email", "sso", "code"} {
				b := w.browser()
				page := b.get(w.authorization()).want(t, http.StatusOK)
				a := b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {email}, "way": {way}})
				to, _ := url.Parse(a.Header.Get("Location"))
				seen[way] = append(seen[way], http.StatusText(a.StatusCode)+to.Host+strings.ReplaceAll(text(a.body), email, "EMAIL"))
			}
		}
		for way, both := range seen {
			if both[0] != both[1] {
				t.Errorf("%s: %s\n%s", way, both[0], both[1])
			}
		}
	})
}

func TestPolicy_says_who_is_created_just_in_time(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		try := func() answer {
			b := w.browser()
			request, relay := w.begin(b)
			return b.deliver(w.conn, w.message(w.conn, request), relay)
		}
		w.set(org.PolicyChange{JIT: ref(org.JITOff)})
		w.refusedWith(try(), w.conn, member.CodeNotAMember)
		w.set(org.PolicyChange{JIT: ref(org.JITDirectory)})
		w.refusedWith(try(), w.conn, member.CodeNotInDirectory)
		if w.count("users") != 0 {
			t.Error("somebody was created")
		}
		w.set(org.PolicyChange{JIT: ref(org.JITDefault)}) // no directory: the verified domain
		w.code(try().location(t))
		w.set(org.PolicyChange{JIT: ref(org.JITOff)}) // a member is a member
		w.code(try().location(t))
	})
}

func TestSession_lives_as_long_as_its_organization_says(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.set(org.PolicyChange{Idle: ref(10 * time.Minute), Life: ref(20 * time.Minute)})
		tokens := w.browser().tokens()
		w.later(9 * time.Minute)
		status, tokens := w.refresh(tokens)
		if status != http.StatusOK {
			t.Fatalf("within its idle time: %d", status)
		}
		w.later(11 * time.Minute)
		if status, _ := w.refresh(tokens); status != http.StatusBadRequest {
			t.Errorf("at its end: %d", status)
		}
		w.set(org.PolicyChange{Idle: ref(time.Duration(0)), Life: ref(time.Duration(0))})
		long := w.browser().tokens()
		w.set(org.PolicyChange{Idle: ref(5 * time.Minute)}) // shortens what lives
		w.later(5*time.Minute + time.Second)
		if status, _ := w.refresh(long); status != http.StatusBadRequest {
			t.Errorf("unused for longer than the new idle time: %d", status)
		}
	})
}

func TestEntering_by_a_code_beside_a_policy_that_is_tightened_leaves_no_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		w.optional()
		w.joined(w.org.ID, "guest@home.example", false)
		type proof struct {
			b    *browser
			form url.Values
		}
		var proofs []proof
		for range 4 {
			b := w.browser()
			code, magic := w.codeFor(b, "guest@home.example", "organization", string(w.org.ID), "prompt", "login select_account")
			proofs = append(proofs, proof{b, url.Values{"magic": {magic}, "code": {code}}})
		}
		start := make(chan struct{})
		var all sync.WaitGroup
		for _, p := range proofs {
			all.Go(func() {
				<-start
				p.b.post("/sign-in/code", p.form) // to the application or to the provider, whichever was first
			})
		}
		close(start)
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll)}, 1)
		all.Wait()
		var free int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE organization_id = $1 AND connection_id IS NULL AND ended_at IS NULL`, string(w.org.ID)).Scan(&free))
		if free != 0 {
			t.Errorf("%d sessions without the provider", free)
		}
	})
}

func TestPolicies_that_are_set_at_once_are_all_kept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for _, c := range []org.PolicyChange{{SSO: ref(org.Optional)}, {JIT: ref(org.JITOff)}, {Idle: ref(10 * time.Minute)}} {
			all.Go(func() {
				if _, err := w.policy.Set(ctx, operator(), w.org.ID, c, nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		p, err := w.policy.Get(ctx, w.org.ID)
		if err != nil || p.SSO != org.Optional || p.Policy.JIT != org.JITOff || p.Idle != 10*time.Minute || p.Version != 3 {
			t.Errorf("%+v %v", p, err)
		}
	})
}

func TestLeft_out_are_those_whom_the_provider_might_not_bring_with_the_reasons(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn() // Alice has come in, and lies in the domain
		w.joined(w.org.ID, "bob@acme.example", true)
		w.joined(w.org.ID, "guest@home.example", false)
		saved := w.joined(w.org.ID, "saved@home.example", false)
		_, err := w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: saved, Reason: "keeps the keys", ExpiresAt: w.now().Add(time.Hour)})
		w.ok(err)
		reasons := func(as org.SSOPolicy) map[string]string {
			found, more, err := w.policy.LeftOut(ctx, lifecycle.LeftOutQuery{OrganizationID: w.org.ID, As: as, Limit: 10})
			w.ok(err)
			out := map[string]string{}
			for _, one := range found {
				for _, r := range one.Reasons {
					out[one.Member.User.Email] += string(r) + " "
				}
			}
			if more {
				t.Error("more follow")
			}
			return out
		}
		want := func(as org.SSOPolicy, want map[string]string) {
			t.Helper()
			if got := reasons(as); !maps.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", as, got, want)
			}
		}
		want("", map[string]string{"bob@acme.example": "never_signed_in ", "guest@home.example": "never_signed_in outside_domains "})
		want(org.RequiredForPrimary, map[string]string{"bob@acme.example": "never_signed_in "})
		_, secret, err := w.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(w.org.ID), Name: "Directory", Type: directory.GenericSCIM})
		w.ok(err)
		w.hire(secret, `{"userName":"bob@acme.example","active":true}`)
		want("", map[string]string{
			"alice@acme.example": "not_in_directory ", "bob@acme.example": "never_signed_in ", "guest@home.example": "never_signed_in outside_domains not_in_directory ",
		})
		_, err = w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{Options: []byte(`{"allow_outside_domains":true}`)})
		w.ok(err)
		if got := reasons("")["guest@home.example"]; got != "never_signed_in not_in_directory " {
			t.Errorf("with a connection that takes any address: %s", got)
		}
		// The number that a refusal names is that of the list.
		w.optional()
		_, err = w.policy.Set(ctx, operator(), w.org.ID, org.PolicyChange{SSO: ref(org.RequiredForAll)}, nil)
		var unconfirmed *lifecycle.ConfirmationError
		if !errors.As(err, &unconfirmed) || unconfirmed.Number != 3 {
			t.Errorf("%v", err)
		}
	})
}

func TestDeleting_the_identity_provider_keeps_the_people_who_come_in_by_codes_then(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d, secret, err := w.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(w.org.ID), Name: "Directory", Type: directory.GenericSCIM})
		w.ok(err)
		w.hire(secret, `{"userName":"alice@acme.example","active":true}`)
		through := w.browser().tokens()
		w.joined(w.org.ID, "guest@home.example", false)
		var as db.Write // as a connection that takes any address leaves it
		as.Exec(`UPDATE users SET email_verified = FALSE WHERE email_key = 'guest@home.example'`)
		as.Exec(`DELETE FROM membership_claims`)
		as.Exec(`INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim, version, created_at, updated_at)
			SELECT organization_id, $1, 'directory_user_1', id, 'active', 'invite', 'linked', '{}', 1, 1, 1 FROM organization_memberships WHERE is_primary`, string(d.ID))
		w.ok(w.db.Write(ctx, &as))
		var unconfirmed *lifecycle.ConfirmationError
		if err := w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, nil); !errors.As(err, &unconfirmed) || unconfirmed.Number != 1 || !strings.Contains(err.Error(), "guest@home.example") {
			t.Fatalf("%v", err)
		}
		w.ok(w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, ref(1)))
		w.wantTypes("connection.deleted", "dsync.deleted", "session.revoked")
		if w.refreshes(through) {
			t.Error("a session through the provider goes on")
		}
		if _, err := w.dirs.Get(ctx, d.ID); err == nil {
			t.Error("the directory is still there")
		}
		var frozen int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM membership_claims WHERE organization_id = $1 AND frozen_at IS NOT NULL`, string(w.org.ID)).Scan(&frozen))
		if frozen != 1 {
			t.Errorf("of %d people is frozen what the directory said, want one", frozen)
		}
		status, _ := w.refresh(w.browser().entered("alice@acme.example", w.org.ID))
		if status != http.StatusOK {
			t.Errorf("by a code: %d", status)
		}
	})
}

// unmailed are the verbs of the same installation without a mail server.
func (w *world) unmailed() *lifecycle.Policies {
	return lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: w.db, Events: w.events, Organizations: w.orgs, Directories: w.dirs, Members: w.members, Connections: w.conns, Access: w.members.Access(), Now: w.now,
	})
}

// leftWithout are those who have no other way in, page by page, as "address status reasons".
func (w *world) leftWithout(p *lifecycle.Policies) (out []string) {
	w.t.Helper()
	q := lifecycle.LeftOutQuery{OrganizationID: w.org.ID, Without: true, Limit: 3, Ascending: true}
	n, err := p.CountLeftOut(ctx, q)
	w.ok(err)
	for more := true; more; {
		var page []lifecycle.LeftOut
		page, more, err = p.LeftOut(ctx, q)
		w.ok(err)
		for _, one := range page {
			out = append(out, fmt.Sprintf("%s %s %s", one.Member.User.Email, one.Member.Membership.State, one.Reasons))
			q.After = string(one.Member.Membership.ID)
		}
	}
	if n != len(out) {
		w.t.Errorf("%d are counted, %d are listed", n, len(out))
	}
	slices.Sort(out)
	return out
}

func TestLeft_without_the_identity_provider_are_all_listed_pending_people_too(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Invite})
		f.hire(`{"userName":"pia@acme.example","active":true}`)
		w.provision()
		w.wantPlace("pia@acme.example", "primary pending invited_by_directory")
		var mailed, unmailed []string
		for i := range 6 {
			email := fmt.Sprintf("guest%d@home.example", i)
			w.joined(w.org.ID, email, false)
			mailed = append(mailed, email+" active [address_not_proven]")
			unmailed = append(unmailed, email+" active [no_mail_sent address_not_proven]")
		}
		var as db.Write
		as.Exec(`UPDATE users SET email_verified = FALSE WHERE email_key LIKE 'guest%'`)
		w.ok(w.db.Write(ctx, &as))
		unmailed = append(unmailed, "pia@acme.example pending [no_mail_sent]")
		if got := w.leftWithout(w.policy); !slices.Equal(got, mailed) {
			t.Errorf("%q, want %q", got, mailed)
		}
		if got := w.leftWithout(w.unmailed()); !slices.Equal(got, unmailed) {
			t.Errorf("without mails %q, want %q", got, unmailed)
		}
		err := w.unmailed().DeleteIdentityProvider(ctx, operator(), w.org.ID, ref(6))
		var asks *lifecycle.ConfirmationError
		if !errors.As(err, &asks) || asks.Number != 7 || len(asks.Names) != 5 {
			t.Fatalf("%v", err)
		}
		if !strings.Contains(err.Error(), "/organizations/"+string(w.org.ID)+"/left_out?without=identity_provider") {
			t.Errorf("it does not say where all are listed: %v", err)
		}
		w.ok(w.unmailed().DeleteIdentityProvider(ctx, operator(), w.org.ID, ref(7)))
	})
}

// TestNumber_that_was_confirmed: the transaction waits for another, in which one more becomes a member.
func TestNumber_that_was_confirmed_is_counted_again_in_the_transaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.org.ID, "gus@home.example", false)
		w.joined(w.org.ID, "late@home.example", false)
		var as db.Write
		as.Exec(`UPDATE users SET email_verified = FALSE WHERE email_key = 'gus@home.example'`)
		w.ok(w.db.Write(ctx, &as))
		done := make(chan error, 1)
		w.ok(w.db.Tx(ctx, func(tx db.Tx) error {
			if err := w.orgs.LockTx(ctx, tx, w.org.ID); err != nil {
				return err
			}
			go func() { done <- w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, ref(1)) }()
			time.Sleep(300 * time.Millisecond) // it has counted one by then
			_, err := tx.Exec(ctx, `UPDATE users SET email_verified = FALSE WHERE email_key = 'late@home.example'`)
			return err
		}))
		err := <-done
		var asks *lifecycle.ConfirmationError
		if !errors.As(err, &asks) || asks.Number != 2 || !strings.Contains(err.Error(), "late@home.example") {
			t.Errorf("%v", err)
		}
		if _, err := w.conns.Get(ctx, w.conn.ID); err != nil {
			t.Errorf("the connection is gone: %v", err)
		}
	})
}

func TestGuest_who_has_come_in_by_code_and_provider_is_not_outside_the_domains(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.org.ID, "guest@home.example", false)
		reasons := func(p *lifecycle.Policies) (out []lifecycle.LeftOutReason) {
			found, _, err := p.LeftOut(ctx, lifecycle.LeftOutQuery{OrganizationID: w.org.ID, Limit: 10})
			w.ok(err)
			for _, one := range found {
				out = append(out, one.Reasons...)
			}
			return out
		}
		if got := reasons(w.policy); !slices.Equal(got, []lifecycle.LeftOutReason{lifecycle.NeverCameIn, lifecycle.OutsideDomains}) {
			t.Errorf("before: %v", got)
		}
		w.came(w.conn, "guest@home.example")
		if got := reasons(w.policy); len(got) != 0 {
			t.Errorf("a guest who comes in by two proofs: %v", got)
		}
		if got := reasons(w.unmailed()); !slices.Equal(got, []lifecycle.LeftOutReason{lifecycle.OutsideDomains}) {
			t.Errorf("where no code is mailed: %v", got)
		}
	})
}

// came has an account be known to a connection, as who has come in by code and provider is.
func (w *world) came(c sso.Connection, email string) {
	w.t.Helper()
	var as db.Write
	as.Exec(`INSERT INTO user_identities (organization_id, connection_id, idp_id, user_id, linked_by, created_at, last_used_at)
		SELECT $1, $2, 'proof-' || id, id, 'proof', 1, 1 FROM users WHERE email_key = $3`, c.OrganizationID, string(c.ID), email)
	w.ok(w.db.Write(ctx, &as))
}
