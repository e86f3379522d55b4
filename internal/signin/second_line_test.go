package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Whoever may not come in has no session left: it ends with what shut them out. These look at what still stands where one was left.
func TestTokens_of_somebody_who_may_not_come_in_any_more_are_not_renewed_though_a_session_lives(t *testing.T) {
	for name, shut := range map[string]string{
		"the membership is inactive":    `UPDATE organization_memberships SET state = 'inactive'`,
		"the membership is pending":     `UPDATE organization_memberships SET state = 'pending'`,
		"the membership is gone":        `DELETE FROM organization_memberships`,
		"the connection lets nobody in": `UPDATE connections SET state = 'inactive'`,
		"the connection is another's":   `UPDATE connections SET organization_id = 'org_other'`,
		"the profile is another's":      `UPDATE profiles SET organization_id = 'org_other'`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				b := w.browser()
				tokens := b.tokens()
				w.behind(shut)
				if status, got := w.refresh(tokens); status == http.StatusOK || got["access_token"] != nil {
					t.Errorf("renewed: %v", got)
				}
				if to := b.get(w.authorization("organization", string(w.org.ID), "prompt", "none")).Header.Get("Location"); strings.Contains(to, "code=") {
					t.Errorf("a code from the session: %s", to)
				}
			})
		})
	}
}

// behind changes what is stored, past all verbs.
func (w *world) behind(text string) {
	w.t.Helper()
	other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other"})
	w.ok(err)
	w.exec(strings.ReplaceAll(text, "org_other", string(other.ID)))
}

// A session is good for the organization that it is of: the choice of an organization is for those who have proven an address, and offers
// what is theirs.
func TestSession_of_one_organization_chooses_no_other(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn() // vouched for by Acme's provider
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		w.joined(other.ID, "alice@acme.example", false)
		third, err := w.orgs.Create(ctx, operator(), org.New{Name: "Hooli"}) // of which she is no member
		w.ok(err)
		sealed := b.get(w.authorization("prompt", "select_account")).want(t, http.StatusOK).hidden(t, "continue")
		named := b.get(w.authorization("prompt", "select_account", "organization", string(w.org.ID))).want(t, http.StatusOK).hidden(t, "continue")
		for what, c := range map[string]struct{ sealed, organization string }{
			"another one of theirs":  {sealed, string(other.ID)},
			"one that is not theirs": {sealed, string(third.ID)},
			"none":                   {sealed, ""},
			"another than the one the application names": {named, string(other.ID)},
		} {
			a := b.post("/sign-in/organization", url.Values{"choice": {c.sealed}, "organization": {c.organization}})
			if to := a.Header.Get("Location"); strings.Contains(to, "code=") {
				t.Errorf("%s: led to %s", what, to)
			}
		}
		if n := w.count("sessions"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestAnswer_that_was_used_says_nothing_of_its_session_in_another_browser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		w.code(b.deliver(w.conn, m, relay).location(t))
		if again := b.deliver(w.conn, m, relay); !strings.Contains(text(again.body), "already") {
			t.Fatalf("%s", text(again.body))
		}
		stranger := w.browser()
		w.begin(stranger) // has a cookie of its own
		if a := stranger.deliver(w.conn, m, relay).want(t, http.StatusForbidden); strings.Contains(text(a.body), "signed in already") || strings.Contains(a.body, "app.example") && strings.Contains(a.body, "Alice") {
			t.Errorf("%s", text(a.body))
		}
		w.exec(`UPDATE sessions SET ended_at = 1`)
		b.deliver(w.conn, m, relay).want(t, http.StatusForbidden)
	})
}

func TestInvitation_that_was_taken_back_while_its_code_was_on_the_way_leads_nowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		i, link := w.invite(string(w.org.ID), guestsAddress)
		b := w.browser()
		page := b.post(link, nil).want(t, http.StatusOK)
		_, err := w.members.RevokeInvitation(ctx, operator(), i.ID)
		w.ok(err)
		if a := w.codeIn(b, page); a.StatusCode == http.StatusSeeOther {
			t.Errorf("led to %s", a.Header.Get("Location"))
		}
		if m := w.member(guestsAddress); m != nil && m.Membership.State == member.Active {
			t.Errorf("%+v", m.Membership)
		}
	})
}

func TestInvitation_to_the_app_alone_is_accepted_by_the_code(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		i, link := w.invite("", guestsAddress)
		b := w.browser()
		if to := w.codeIn(b, b.post(link, nil).want(t, http.StatusOK)).location(t); to.Path != lifecycle.JoinedPath || w.stateOf(i.ID) != member.InvitationAccepted {
			t.Errorf("led to %s, the invitation is %s", to, w.stateOf(i.ID))
		}
	})
}
