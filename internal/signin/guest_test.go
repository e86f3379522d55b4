package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

const guestsAddress = "eve@home.example"

// withIdentity is what a provider says of somebody else than Alice.
func withIdentity(m samltest.Message, id, email string) samltest.Message {
	m = withEmail(m, email)
	for i, a := range m.Attributes {
		if strings.Contains(a.Name, "objectidentifier") {
			m.Attributes[i].Values = []string{id}
		}
	}
	return m
}

// vouches has the provider answer the request that an address of it carries.
func (b *browser) vouches(to *url.URL, id, email string) answer {
	b.w.t.Helper()
	return b.deliver(b.w.conn, withIdentity(b.w.message(b.w.conn, b.w.requestID(to)), id, email), to.Query().Get("RelayState"))
}

// guest has a browser come in for the first time as an invited guest, whom the policy binds.
func (w *world) guest() (*browser, member.Invitation) {
	w.t.Helper()
	w.browser().signIn() // from here on the provider is required
	i, link := w.invite(string(w.org.ID), guestsAddress)
	b := w.browser()
	if said := text(b.get(link).want(w.t, http.StatusOK).body); !strings.Contains(said, "Then you sign in through "+w.conn.Name+", and you are in.") || !strings.Contains(said, "Accept and mail me a code") {
		w.t.Errorf("the page says %s", said)
	}
	page := b.post(link, nil).want(w.t, http.StatusOK)
	to := w.codeIn(b, page).location(w.t)
	if !strings.HasPrefix(to.String(), "https://idp.example/sso") || w.stateOf(i.ID) != member.InvitationPending {
		w.t.Fatalf("led to %s; the invitation is %s before the provider has spoken", to, w.stateOf(i.ID))
	}
	if done := b.vouches(to, "eve-1", guestsAddress).location(w.t); done.Path != lifecycle.JoinedPath {
		w.t.Fatalf("led to %s", done)
	}
	return b, i
}

func (w *world) eve() member.Member {
	w.t.Helper()
	u, err := w.members.UserByEmail(ctx, guestsAddress)
	w.ok(err)
	m, err := w.members.MemberOf(ctx, string(w.org.ID), u.ID)
	w.ok(err)
	return m
}

// proves has a browser prove an address for a sign-in, and gives what comes next.
func (b *browser) proves(email string, more ...string) answer {
	b.w.t.Helper()
	_, code, magic := b.w.mailed(b, email, more...)
	return b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}})
}

func TestInvited_guest_proves_the_address_and_comes_in_through_the_required_provider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, i := w.guest()
		m := w.eve()
		if m.Membership.State != member.Active || m.Membership.Primary || m.Membership.Why != member.WhyInvitation || w.stateOf(i.ID) != member.InvitationAccepted {
			t.Errorf("%+v, invitation %s", m.Membership, w.stateOf(i.ID))
		}
		if m.User.HomeOrganizationID != "" || !m.User.EmailVerified {
			t.Errorf("the account became %+v", m.User)
		}
		w.wantCode(b, w.org.ID)
		known, err := w.members.Identities(ctx, m.User.ID)
		w.ok(err)
		if len(known) != 1 || known[0].LinkedBy != member.LinkedByProof {
			t.Errorf("identities %+v", known)
		}

		again := w.browser() // another day, at another desk: begun by the application
		for _, more := range [][]string{nil, {"organization", string(w.org.ID), "prompt", "select_account"}} {
			to := again.proves(guestsAddress, more...).location(t)
			w.code(again.vouches(to, "eve-1", guestsAddress).location(t))
			again.get("/sign-out")
			again = w.browser()
		}
	})
}

// P09: a provider asserts the address of somebody whom another organization, or nobody, has verified. It may bring in a guest only together
// with the proof that the guest gives in the same browser; with neither the link nor what it has learned before.
func TestP09_a_provider_alone_never_signs_in_as_a_guest(t *testing.T) {
	refused := func(w *world, a answer, code sso.Code) {
		w.t.Helper()
		w.refusedWith(a, w.conn, code)
	}
	atProvider := func(w *world, b *browser) *url.URL {
		w.t.Helper()
		return b.get(w.authorization("organization", string(w.org.ID))).location(w.t)
	}
	t.Run("who was invited and has the link", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.browser().signIn()
			i, link := w.invite(string(w.org.ID), guestsAddress)
			b := w.browser()
			b.post(link, nil).want(t, http.StatusOK) // the code is in the guest's mailbox alone
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
			if w.stateOf(i.ID) != member.InvitationPending || w.eve().Membership.State != member.Pending {
				t.Error("came in without the proof")
			}
		})
	})
	t.Run("who has come in before", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.guest()
			for _, said := range []struct {
				id, email string
				code      sso.Code
			}{
				{"eve-1", guestsAddress, sso.EmailDomainNotAllowed},
				{"eve-2", guestsAddress, sso.EmailDomainNotAllowed},
				{"eve-1", "eve@acme.example", sso.IdentityConflict}, // an address for which it may speak
			} {
				b := w.browser()
				refused(w, b.vouches(atProvider(w, b), said.id, said.email), said.code)
			}
			_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{Options: []byte(`{"allow_outside_domains":true}`)})
			w.ok(err)
			b := w.browser()
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
		})
	})
	t.Run("who has proven another address", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.guest()
			b := w.browser()
			w.code(b.proves("mallory@home.example").location(t))
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
		})
	})
	t.Run("whose proof has ended", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.guest()
			b := w.browser()
			to := b.proves(guestsAddress).location(t)
			_, err := w.policy.EndSessions(ctx, operator(), w.org.ID, "")
			w.ok(err)
			w.exec(`UPDATE sessions SET ended_at = 1 WHERE organization_id IS NULL OR organization_id = ''`)
			refused(w, b.vouches(to, "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
		})
	})
	t.Run("who was not invited, or has not accepted", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.browser().signIn()
			b := w.browser()
			w.code(b.proves(guestsAddress).location(t)) // with no organization
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
			i, _ := w.invite(string(w.org.ID), guestsAddress)
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
			if w.stateOf(i.ID) != member.InvitationPending {
				t.Error("accepted for somebody who has not opened the link")
			}
			other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
			w.ok(err)
			_, link := w.invite(string(other.ID), guestsAddress) // another organization's opens nothing here
			b.post(link, nil).want(t, http.StatusOK)
			refused(w, b.vouches(atProvider(w, b), "eve-1", guestsAddress), sso.EmailDomainNotAllowed)
		})
	})
}

func TestGuest_is_never_joined_with_a_person_of_the_directory_by_the_provider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		w.provisioned()
		w.feed(directory.New{Provisioning: directory.ExistingOnly}).hire(`{"userName":"eve","externalId":"eve-1","active":true}`)
		_, link := w.invite(string(w.org.ID), guestsAddress)
		b := w.browser()
		to := w.codeIn(b, b.post(link, nil).want(t, http.StatusOK)).location(t)
		if done := b.vouches(to, "eve-1", guestsAddress).location(t); done.Path != lifecycle.JoinedPath {
			t.Fatalf("led to %s", done)
		}
		if m := w.eve().Membership; m.DirectoryUserID != "" {
			t.Errorf("joined with %s", m.DirectoryUserID)
		}
	})
}

func TestInvited_guest_goes_straight_to_the_provider_where_no_mail_is_sent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn()
		i, err := w.members.Invite(ctx, operator(), member.NewInvitation{OrganizationID: string(w.org.ID), Email: guestsAddress})
		w.ok(err)
		b := w.browser()
		to := b.post("/invitations/"+i.Token.Reveal(), nil).location(t)
		w.refusedWith(b.vouches(to, "eve-1", guestsAddress), w.conn, sso.EmailDomainNotAllowed)
		own := w.browser() // an address for which the provider may speak is proof enough
		to = own.post("/invitations/"+i.Token.Reveal(), nil).location(t)
		if done := own.vouches(to, "eve-1", "eve@acme.example").location(t); done.Path != lifecycle.JoinedPath {
			t.Errorf("led to %s", done)
		}
	}, func(lo *lifecycle.SignInOptions, _ *signin.Options) { lo.Mails = nil })
}
