package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/token"
)

// invite asks somebody in, and gives the path of the link that was mailed.
func (w *world) invite(organizationID, email string) (member.Invitation, string) {
	w.t.Helper()
	before := len(w.letters())
	i, err := w.members.Invite(ctx, operator(), member.NewInvitation{OrganizationID: organizationID, Email: email})
	w.ok(err)
	all := w.letters()
	if len(all) != before+1 {
		w.t.Fatalf("%d letters", len(all)-before)
	}
	return i, w.linkIn(all[len(all)-1].Text)
}

func (w *world) linkIn(letter string) string {
	w.t.Helper()
	_, rest, found := strings.Cut(letter, w.server.URL)
	if !found {
		w.t.Fatalf("no link in %s", letter)
	}
	return strings.Fields(rest)[0]
}

func (w *world) stateOf(id member.InvitationID) member.InvitationState {
	w.t.Helper()
	i, err := w.members.Invitation(ctx, id)
	w.ok(err)
	return i.State
}

func (w *world) exec(text string) {
	w.t.Helper()
	var write db.Write
	write.Exec(text)
	w.ok(w.db.Write(ctx, &write))
}

// codeIn proves an address with the code that was mailed last.
func (w *world) codeIn(b *browser, page answer) answer {
	w.t.Helper()
	all := w.letters()
	return b.post("/sign-in/code", url.Values{"magic": {page.hidden(w.t, "magic")}, "continue": {page.hidden(w.t, "continue")}, "code": {regexp.MustCompile(`\b\d{6}\b`).FindString(all[len(all)-1].Text)}})
}

func TestInvited_guest_accepts_by_a_mailed_code(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		i, link := w.invite(string(o.ID), "eve@home.example")
		b := w.browser()
		for range 2 {
			page := b.get(link).want(t, http.StatusOK)
			if said := text(page.body); !strings.Contains(said, "Join Globex") || !strings.Contains(said, "eve@home.example") || !strings.Contains(said, "We mail you a code") ||
				strings.Contains(page.body, "<script") {
				t.Fatalf("%s", said)
			}
		}
		if len(w.letters()) != 1 || w.stateOf(i.ID) != member.InvitationPending {
			t.Fatal("opening the link has done something")
		}
		page := b.post(link, nil).want(t, http.StatusOK)
		if w.stateOf(i.ID) != member.InvitationPending {
			t.Fatal("accepted before the address was proven")
		}
		if to := w.codeIn(b, page).location(t); to.Path != lifecycle.JoinedPath {
			t.Fatalf("led to %s", to)
		}
		if said := text(b.get(lifecycle.JoinedPath).want(t, http.StatusOK).body); !strings.Contains(said, "You are a member of Globex") {
			t.Errorf("%s", said)
		}
		u, err := w.members.UserByEmail(ctx, "eve@home.example")
		w.ok(err)
		m, err := w.members.MemberOf(ctx, string(o.ID), u.ID)
		w.ok(err)
		if m.Membership.State != member.Active || m.Membership.Primary || m.Membership.Why != member.WhyInvitation || w.stateOf(i.ID) != member.InvitationAccepted {
			t.Errorf("%+v", m.Membership)
		}
		if said := text(b.get(link).want(t, http.StatusOK).body); !strings.Contains(said, "has been accepted") || strings.Contains(said, "Globex") || strings.Contains(said, "eve@") {
			t.Errorf("%s", said)
		}
		w.wantCode(b, o.ID)
	})
}

// wantCode asks as the application for a sign-in at an organization, which the browser's session gives without a question.
func (w *world) wantCode(b *browser, id org.ID) {
	w.t.Helper()
	if to := b.get(w.authorization("organization", string(id))).location(w.t); w.code(to) == "" {
		w.t.Errorf("led to %s", to)
	}
}

func TestInvited_person_of_the_organizations_domain_accepts_through_its_connection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i, link := w.invite(string(w.org.ID), samltest.Person)
		b := w.browser()
		if said := text(b.get(link).want(t, http.StatusOK).body); !strings.Contains(said, "through Acme SAML") {
			t.Fatalf("%s", said)
		}
		to := b.post(link, nil).location(t)
		if !strings.HasPrefix(to.String(), "https://idp.example/sso") || len(w.letters()) != 1 {
			t.Fatalf("led to %s", to)
		}
		m := w.message(w.conn, w.requestID(to))
		if done := b.deliver(w.conn, m, to.Query().Get("RelayState")).location(t); done.Path != lifecycle.JoinedPath {
			t.Fatalf("led to %s", done)
		}
		if w.stateOf(i.ID) != member.InvitationAccepted {
			t.Error("not accepted")
		}
		w.wantCode(b, w.org.ID)
	})
}

func TestFirst_sign_in_through_the_connection_accepts_without_the_link(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i, _ := w.invite(string(w.org.ID), samltest.Person)
		w.browser().signIn()
		if w.stateOf(i.ID) != member.InvitationAccepted {
			t.Error("not accepted")
		}
	})
}

func TestConnection_of_the_organization_proves_for_another_address_and_that_of_others_does_not(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, link := w.invite(string(w.org.ID), "grace@acme.example")
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		j, foreign := w.invite(string(other.ID), "grace.hopper@acme.example")
		accepts := func(path string) answer { // the provider says another address, of the same domain
			b := w.browser()
			to := b.post(path, nil).location(t)
			return b.deliver(w.conn, w.message(w.conn, w.requestID(to)), to.Query().Get("RelayState"))
		}
		if a := accepts(foreign); a.StatusCode != http.StatusForbidden || w.stateOf(j.ID) != member.InvitationPending {
			t.Errorf("%d: %s", a.StatusCode, text(a.body))
		}
		if to := accepts(link).location(t); to.Path != lifecycle.JoinedPath {
			t.Errorf("led to %s", to)
		}
	})
}

func TestLinks_that_open_nothing_say_so_and_name_nobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		revoked, link := w.invite(string(w.org.ID), "ada@acme.example")
		_, err := w.members.RevokeInvitation(ctx, operator(), revoked.ID)
		w.ok(err)
		unknown := lifecycle.InvitationPath + token.NewSecret("invitation").Reveal()
		want := text(b.get(unknown).want(t, http.StatusNotFound).body)
		for _, path := range []string{link, lifecycle.InvitationPath + "x", lifecycle.InvitationPath + "%00"} {
			if a := b.get(path); a.StatusCode != http.StatusNotFound || path != lifecycle.InvitationPath+"%00" && text(a.body) != want {
				t.Errorf("%s: %d %s", path, a.StatusCode, text(a.body))
			}
			if a := b.post(path, nil); a.StatusCode != http.StatusNotFound {
				t.Errorf("post %s: %d", path, a.StatusCode)
			}
		}
		_, expired := w.invite(string(w.org.ID), "eve@home.example")
		w.later(member.InvitationLife)
		for _, a := range []answer{b.get(expired), b.post(expired, nil)} {
			if said := text(a.want(t, http.StatusGone).body); !strings.Contains(said, "has expired") || strings.Contains(said, "Acme") || strings.Contains(said, "eve@") {
				t.Errorf("%s", said)
			}
		}
	})
}

func TestExpired_link_of_a_directorys_invitation_renews_itself_once_an_hour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i, link := w.invite(string(w.org.ID), "ada@acme.example")
		w.exec(`UPDATE invitations SET directory_id = 'directory_1'`)
		w.later(member.InvitationLife)
		b := w.browser()
		if said := text(b.get(link).want(t, http.StatusOK).body); !strings.Contains(said, "Mail me a new link") || strings.Contains(said, "Acme") {
			t.Fatalf("%s", said)
		}
		before := len(w.letters())
		for range 3 {
			if said := text(b.post(link, url.Values{"renew": {"yes"}}).want(t, http.StatusOK).body); !strings.Contains(said, "Check your email") {
				t.Fatalf("%s", said)
			}
		}
		all := w.letters()
		if len(all) != before+1 {
			t.Fatalf("%d letters", len(all)-before)
		}
		b.get(link).want(t, http.StatusNotFound)
		if said := text(b.get(w.linkIn(all[len(all)-1].Text)).want(t, http.StatusOK).body); !strings.Contains(said, "Join Acme") || w.stateOf(i.ID) != member.InvitationPending {
			t.Errorf("%s", said)
		}
	})
}

func TestLink_of_somebody_who_is_shut_out_says_that_it_cannot_be_used_now(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Invite})
		u := f.hire(`{"userName":"eve@home.example","active":true}`)
		w.provision()
		all := w.letters()
		link, b := w.linkIn(all[len(all)-1].Text), w.browser()
		b.get(link).want(t, http.StatusOK)
		f.active(u.ID, false)
		for _, later := range []time.Duration{0, member.InvitationLife} {
			w.later(later)
			before := len(w.letters())
			for _, a := range []answer{b.get(link), b.post(link, nil)} {
				if said := text(a.want(t, http.StatusForbidden).body); !strings.Contains(said, "cannot be used now") || strings.Contains(said, "Join") || strings.Contains(said, "eve@") {
					t.Errorf("%s", said)
				}
			}
			b.post(link, url.Values{"renew": {"yes"}}).want(t, http.StatusOK)
			if n := len(w.letters()) - before; n != 0 {
				t.Errorf("%d letters", n)
			}
		}
		f.active(u.ID, true)
		w.provision()
		if said := text(b.get(link).want(t, http.StatusOK).body); !strings.Contains(said, "Mail me a new link") {
			t.Errorf("%s", said)
		}
	})
}

func TestInvitation_pages_are_not_there_where_the_app_keeps_the_accounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, link := w.invite(string(w.org.ID), "ada@acme.example")
		b := w.browser()
		b.get(link).want(t, http.StatusNotFound)
		b.post(link, nil).want(t, http.StatusNotFound)
	}, func(o *lifecycle.SignInOptions, _ *signin.Options) { o.ProfilesOnly = true })
}

func TestForm_of_an_invitation_is_taken_from_its_own_page_alone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, link := w.invite(string(w.org.ID), "eve@home.example")
		before := len(w.letters())
		w.browser().post(link, nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
		if len(w.letters()) != before {
			t.Error("mailed")
		}
	})
}

// tokenOf is the token of a mailed link.
func tokenOf(link string) string { return strings.TrimPrefix(link, lifecycle.InvitationPath) }

func TestApplication_takes_an_invitation_along_into_the_sign_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		i, link := w.invite(string(o.ID), "eve@home.example")
		b := w.browser()
		to := b.get(w.accountURL("provider", "authkit", "invitation_token", tokenOf(link), "prompt", "none")).location(t)
		if to.Query().Get("error") != "login_required" {
			t.Errorf("%s", to)
		}
		page := b.get(w.accountURL("provider", "authkit", "invitation_token", tokenOf(link))).want(t, http.StatusOK)
		if !strings.Contains(page.body, "eve@home.example") || w.stateOf(i.ID) != member.InvitationPending {
			t.Errorf("%s", text(page.body))
		}
		out := w.authenticated(w.code(w.codeIn(b, page).location(t)))
		if out["organization_id"] != string(o.ID) || w.stateOf(i.ID) != member.InvitationAccepted {
			t.Errorf("%v", out)
		}

		sso, link := w.invite(string(w.org.ID), samltest.Person)
		out = w.authenticated(w.browser().through(w.accountURL("provider", "authkit", "invitation_token", tokenOf(link))))
		if out["organization_id"] != string(w.org.ID) || w.stateOf(sso.ID) != member.InvitationAccepted {
			t.Errorf("%v", out)
		}
	})
}

func TestApplication_is_told_of_an_invitation_that_is_not_open(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		i, link := w.invite(string(o.ID), "eve@home.example")
		_, err = w.members.RevokeInvitation(ctx, operator(), i.ID)
		w.ok(err)
		_, open := w.invite(string(o.ID), "dan@home.example")
		for _, c := range [][3]string{
			{tokenOf(link), "", "invitation_invalid"}, {"nonsense", "", "invitation_invalid"}, {tokenOf(open), string(w.org.ID), "invalid_connection_selector"},
		} {
			more := []string{"provider", "authkit", "invitation_token", c[0]}
			if c[1] != "" {
				more = append(more, "organization_id", c[1])
			}
			to := w.browser().get(w.accountURL(more...)).location(t)
			if got := to.Query().Get("error"); got != c[2] || strings.Contains(to.String(), "invitation_token") {
				t.Errorf("%v: %s", c, to)
			}
		}
	})
}

func TestCode_is_redeemed_with_an_invitation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		theirs, link := w.invite(string(o.ID), samltest.Person)
		other, foreign := w.invite(string(o.ID), "eve@home.example")
		code := w.browser().through(w.accountURL("organization_id", string(w.org.ID)))
		redeem := func(invitation string) (int, map[string]any) {
			return w.authenticate(map[string]any{"grant_type": "authorization_code", "code": code, "invitation_token": invitation})
		}
		if status, out := redeem(tokenOf(foreign)); status != http.StatusBadRequest || out["error"] != "invitation_cannot_be_used_for_email" || w.stateOf(other.ID) != member.InvitationPending {
			t.Errorf("%d %v", status, out)
		}
		if status, out := redeem("nonsense"); status != http.StatusBadRequest || out["error"] != "invitation_invalid" {
			t.Errorf("%d %v", status, out)
		}
		status, out := redeem(tokenOf(link)) // the code is still good
		if status != http.StatusOK || w.stateOf(theirs.ID) != member.InvitationAccepted {
			t.Fatalf("%d %v, %s", status, out, w.stateOf(theirs.ID))
		}
		// A session is of one organization: the new one is entered by another authorization, as any other is.
		if status, next := w.refreshed(out["refresh_token"], "organization_id", string(o.ID)); status != http.StatusBadRequest || next["error"] != "sso_required" {
			t.Errorf("%d %v", status, next)
		}
	})
}
