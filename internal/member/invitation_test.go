package member_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

var updateInvitations = flag.Bool("update-invitations", false, "write the golden files of invitations anew")

// hosts is a house that invites, with a clock and a letter box.
type hosts struct {
	mu sync.Mutex
	*house
	ahead   atomic.Int64 // nanoseconds by which its clock is ahead
	mails   *mail.Outbox
	letters []mail.Letter
}

func (h *hosts) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

func (h *hosts) pass(d time.Duration) { h.ahead.Add(int64(d)) }

// Send keeps the letter.
func (h *hosts) Send(_ context.Context, l mail.Letter) error {
	h.mu.Lock() // letters are sent beside each other
	defer h.mu.Unlock()
	h.letters = append(h.letters, l)
	return nil
}

func onEachHosts(t *testing.T, story func(h *hosts)) {
	t.Helper()
	onEach(t, func(plain *house) {
		h := &hosts{house: plain}
		ids := token.NewSource(h.now)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		h.must(err)
		h.mails, err = mail.NewOutbox(mail.Options{DB: h.db, IDs: ids, Sealer: sealer, Now: h.now, Logger: slog.New(slog.DiscardHandler), Sender: h, App: "Acme App"})
		h.must(err)
		h.members = member.NewService(h.db, h.events, ids, h.orgs, h.sessions, h.now)
		h.members.SetInviting(member.Inviting{
			Sealer: sealer, Mails: h.mails, Base: func(string) string { return "https://id.example" },
		})
		story(h)
	})
}

func (h *hosts) invite(n member.NewInvitation) member.Invitation {
	h.t.Helper()
	i, err := h.members.Invite(h.t.Context(), operator(), n)
	h.must(err)
	return i
}

// mailed sends what is due and gives the last letter.
func (h *hosts) mailed() mail.Letter {
	h.t.Helper()
	for {
		n, err := h.mails.Send(h.t.Context())
		h.must(err)
		if n == 0 {
			break
		}
	}
	if len(h.letters) == 0 {
		h.t.Fatal("nothing was mailed")
	}
	return h.letters[len(h.letters)-1]
}

func (h *hosts) exec(text string, args ...any) {
	h.t.Helper()
	var w db.Write
	w.Exec(text, args...)
	h.must(h.db.Write(h.t.Context(), &w))
}

func (h *hosts) wantRefused(err error, kind fault.Kind, code string) {
	h.t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || f.Code != code {
		h.t.Errorf("%v, want %s %s", err, kind, code)
	}
}

func (h *hosts) state(id member.MembershipID) member.Membership {
	h.t.Helper()
	m, err := h.members.Member(h.t.Context(), id)
	h.must(err)
	return m.Membership
}

// user gives an account whose address is proven.
func (h *hosts) user(email string) member.User {
	h.t.Helper()
	var w db.Write
	u, err := h.members.SignUpInto(h.t.Context(), &w, email, event.Context{Actor: operator()})
	h.must(err)
	h.must(h.db.Write(h.t.Context(), &w))
	return u
}

func (h *hosts) invitationEvents() (types []string, last event.Event) {
	h.t.Helper()
	all, err := h.events.List(h.t.Context(), event.Query{Limit: 500, Types: []event.Type{
		event.InvitationCreated, event.InvitationAccepted, event.InvitationResent, event.InvitationRevoked,
	}})
	h.must(err)
	for _, e := range all {
		types, last = append(types, strings.TrimPrefix(string(e.Type), "invitation.")), e
	}
	return types, last
}

func (h *hosts) wantEvents(want ...string) {
	h.t.Helper()
	if got, _ := h.invitationEvents(); !slices.Equal(got, want) {
		h.t.Errorf("events %v, want %v", got, want)
	}
}

func TestInvitation_makes_a_pending_member_and_a_mail_with_its_link(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Globex")
		inviter := h.user("grace@globex.example")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "Ada@home.example", InviterUserID: inviter.ID, Role: "member"})
		if i.State != member.InvitationPending || i.MembershipID == "" || i.ExpiresAt.Sub(i.CreatedAt) != member.InvitationLife || !token.WellFormed(i.Token, "invitation") {
			t.Errorf("%+v", i)
		}
		m := h.state(i.MembershipID)
		if m.State != member.Pending || m.Primary || m.Why != "invited" || m.Role != "member" {
			t.Errorf("membership %+v", m)
		}
		h.wantEvents("created")
		l := h.mailed()
		if l.To != "Ada@home.example" || l.Subject != "You are invited to join Globex on Acme App" || !strings.Contains(l.Text, "grace@globex.example has invited you") ||
			!strings.Contains(l.Text, h.members.AcceptURL(i)) || !strings.Contains(l.HTML, h.members.AcceptURL(i)) {
			t.Errorf("mailed %+v", l)
		}
		var hash, sealed string
		h.must(h.db.QueryRow(t.Context(), `SELECT token_hash, token FROM invitations`).Scan(&hash, &sealed))
		if hash != string(token.HashOf(i.Token)) || strings.Contains(sealed, i.Token.Reveal()) {
			t.Errorf("stored %s and %s", hash, sealed)
		}
		for _, read := range []func() (member.Invitation, error){
			func() (member.Invitation, error) { return h.members.Invitation(t.Context(), i.ID) },
			func() (member.Invitation, error) { return h.members.InvitationByToken(t.Context(), i.Token) },
		} {
			got, err := read()
			if err != nil || got.ID != i.ID || got.Token != i.Token || got.InviterUserID != inviter.ID {
				t.Errorf("%+v: %v", got, err)
			}
		}
		for _, bad := range []token.Secret{"", "x", i.Token + "x", token.NewSecret("invitation")} {
			_, err := h.members.InvitationByToken(t.Context(), bad)
			h.wantRefused(err, fault.NotFound, "entity_not_found")
		}
	})
}

func TestRole_of_an_invitation_is_said_to_be_the_invitations_until_a_hand_gives_another(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, _ := h.acme()
		bare := h.invite(member.NewInvitation{OrganizationID: acme, Email: "bob@home.example"})
		if m := h.state(bare.MembershipID); m.RoleSource() != member.RoleByDefault {
			t.Errorf("an invitation without a role makes it %s", m.RoleSource())
		}
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", Role: "editor"})
		if m := h.state(i.MembershipID); m.Role != "editor" || m.RoleSource() != member.RoleByInvitation {
			t.Errorf("invited, the role is %s, by %s", m.Role, m.RoleSource())
		}
		_, err := h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		h.must(err)
		if m := h.state(i.MembershipID); m.State != member.Active || m.Role != "editor" || m.RoleSource() != member.RoleByInvitation {
			t.Errorf("accepted, the role is %s, by %s, %s", m.Role, m.RoleSource(), m.State)
		}
		_, err = h.members.UpdateMembership(t.Context(), operator(), i.MembershipID, member.MembershipChanges{Role: ptr("viewer")})
		h.must(err)
		if m := h.state(i.MembershipID); m.Role != "viewer" || m.RoleSource() != member.RoleByHand {
			t.Errorf("given by hand, the role is %s, by %s", m.Role, m.RoleSource())
		}
	})
}

// The last word of a directory that is gone stands until a hand says otherwise. What it had given stays where the invitation names no role.
func TestInvitation_of_somebody_whom_a_former_directory_had_wanted_waits_to_be_accepted(t *testing.T) {
	for role, want := range map[string]struct {
		role string
		by   member.RoleSource
	}{"": {"editor", member.RoleByDirectory}, "viewer": {"viewer", member.RoleByInvitation}} {
		onEachHosts(t, func(h *hosts) {
			acme, _ := h.acme()
			d := named(acme, "ada", access.Mapped{DrivesRoles: true, Roles: []string{"editor"}})
			m := h.applied(d, member.OutcomeActivated)
			h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
				return h.members.FreezeTx(t.Context(), tx, acme, d.DirectoryID, directorys(d.DirectoryID))
			}))
			h.must(h.members.Remove(t.Context(), operator(), m.Membership.ID))
			i := h.invite(member.NewInvitation{OrganizationID: acme, Email: d.Email, Role: role})
			is := h.state(i.MembershipID)
			if i.MembershipID != m.Membership.ID || is.State != member.Pending || is.Why != member.WhyInvited || is.Role != want.role || is.RoleSource() != want.by {
				t.Errorf("invited with the role %q: %s %s by %s", role, is.State, is.Role, is.RoleSource())
			}
		})
	}
}

func TestInvitation_is_refused_where_it_makes_no_sense(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		in, _ := h.in(arrival(acme, "1", "in@acme.example"))
		out, _ := h.in(arrival(acme, "2", "out@acme.example"))
		_, err := h.members.Deactivate(t.Context(), operator(), out.Membership.ID)
		h.must(err)
		h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		h.invite(member.NewInvitation{Email: "app@home.example"})
		for code, c := range map[string]struct {
			kind fault.Kind
			n    member.NewInvitation
		}{
			"invalid_email":                         {fault.Unprocessable, member.NewInvitation{OrganizationID: acme, Email: "ada"}},
			"email_already_invited_to_organization": {fault.Invalid, member.NewInvitation{OrganizationID: acme, Email: "ADA@home.example"}},
			"email_already_invited":                 {fault.Invalid, member.NewInvitation{Email: "APP@home.example"}},
			"user_already_organization_member":      {fault.Invalid, member.NewInvitation{OrganizationID: acme, Email: in.User.Email}},
			"membership_inactive":                   {fault.Conflict, member.NewInvitation{OrganizationID: acme, Email: out.User.Email}},
			"user_already_exists":                   {fault.Invalid, member.NewInvitation{Email: in.User.Email}},
			"expires_in_days_too_short":             {fault.Invalid, member.NewInvitation{OrganizationID: acme, Email: "x@home.example", ExpiresInDays: -1}},
			"expires_in_days_too_long":              {fault.Invalid, member.NewInvitation{OrganizationID: acme, Email: "x@home.example", ExpiresInDays: 31}},
			"invalid_role":                          {fault.Invalid, member.NewInvitation{OrganizationID: acme, Email: "x@home.example", Role: "emperor"}},
			"invalid_licence":                       {fault.Unprocessable, member.NewInvitation{OrganizationID: acme, Email: "x@home.example", Licence: "gold"}},
			"organization_required":                 {fault.Unprocessable, member.NewInvitation{Email: "x@home.example", Role: "member"}},
			"entity_not_found":                      {fault.NotFound, member.NewInvitation{OrganizationID: "org_none", Email: "x@home.example"}},
		} {
			_, err := h.members.Invite(t.Context(), operator(), c.n)
			h.wantRefused(err, c.kind, code)
		}
		h.wantEvents("created", "created")
	})
}

func TestPerson_whom_a_directory_put_out_is_not_invited_back(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		gone, _ := h.in(arrival(acme, "1", "gone@acme.example"))
		for _, state := range []string{"inactive", "removed"} {
			h.exec(`UPDATE organization_memberships SET state = $1, why = $2`, state, "directory_"+state)
			h.exec(`DELETE FROM membership_claims`)
			h.exec(`INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim,
				version, created_at, updated_at) VALUES ($1, 'directory_1', 'directory_user_1', $2, $3, 'invite', '', '{}', 1, 1, 1)`, acme, string(gone.Membership.ID), state)
			_, err := h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: gone.User.Email})
			h.wantRefused(err, fault.Conflict, "directory_managed")
		}
	})
}

func TestAcceptance_by_the_person_makes_a_guest_or_where_the_domain_says_so_a_primary_member(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		d, err := h.orgs.CreateDomain(t.Context(), operator(), org.ID(acme), "acme.example")
		h.must(err)
		_, err = h.orgs.VouchForDomain(t.Context(), operator(), d.ID)
		h.must(err)
		for email, primary := range map[string]bool{"ada@acme.example": true, "eve@home.example": false} {
			i := h.invite(member.NewInvitation{OrganizationID: acme, Email: email})
			u := h.user(email)
			accepted, err := h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, false)
			h.must(err)
			if accepted.State != member.InvitationAccepted || accepted.AcceptedUserID != u.ID || accepted.AcceptedAt.IsZero() {
				t.Errorf("%+v", accepted)
			}
			m, err := h.members.MemberOf(t.Context(), acme, u.ID)
			h.must(err)
			if m.Membership.State != member.Active || m.Membership.Primary != primary || m.Membership.Why != "invitation" || (m.User.HomeOrganizationID == acme) != primary {
				t.Errorf("%s: %+v of %+v", email, m.Membership, m.User)
			}
			again, err := h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, false)
			if err != nil || again.Version != accepted.Version {
				t.Errorf("again: %+v, %v", again, err)
			}
		}
		h.wantEvents("created", "accepted", "created", "accepted")
	})
}

func TestAcceptance_takes_the_invited_address_proven_or_the_organizations_connection(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		other := h.user("eve@home.example")
		_, err := h.members.AcceptInvitationAs(t.Context(), i.ID, other.ID, false)
		h.wantRefused(err, fault.Forbidden, "invitation_cannot_be_used_for_email")
		unproven := h.state(i.MembershipID).UserID
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, unproven, false)
		h.wantRefused(err, fault.Forbidden, "invitation_cannot_be_used_for_email")
		in, _ := h.in(arrival(acme, "1", "ada.lovelace@acme.example"))
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, in.User.ID, true)
		h.must(err)
		if m := h.state(i.MembershipID); m.State != member.Removed {
			t.Errorf("what waited for the invited address is %+v", m)
		}
	})
}

func TestInvitation_expires_and_then_another_takes_its_place(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", ExpiresInDays: 2})
		u := h.user("ada@home.example")
		h.pass(48*time.Hour + time.Second)
		got, err := h.members.InvitationByToken(t.Context(), i.Token)
		if err != nil || got.State != member.InvitationExpired {
			t.Errorf("%+v: %v", got, err)
		}
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, false)
		h.wantRefused(err, fault.Invalid, "invite_not_pending")
		_, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		h.wantRefused(err, fault.Invalid, "invite_not_pending")
		_, err = h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.wantRefused(err, fault.Invalid, "invite_expired")
		next := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		if next.MembershipID != i.MembershipID {
			t.Errorf("%s, want the membership that was waiting: %s", next.MembershipID, i.MembershipID)
		}
		_, err = h.members.AcceptInvitationAs(t.Context(), next.ID, u.ID, false)
		h.must(err)
	})
}

func TestRevoked_invitation_lets_nobody_in_and_the_person_can_be_invited_again(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		revoked, err := h.members.RevokeInvitation(t.Context(), operator(), i.ID)
		h.must(err)
		if revoked.State != member.InvitationRevoked || revoked.RevokedAt.IsZero() || revoked.Token != "" || h.members.AcceptURL(revoked) != "" {
			t.Errorf("%+v", revoked)
		}
		if m := h.state(i.MembershipID); m.State != member.Removed {
			t.Errorf("membership %+v", m)
		}
		u := h.user("ada@home.example")
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, false)
		h.wantRefused(err, fault.Invalid, "invite_not_pending")
		_, err = h.members.RevokeInvitation(t.Context(), operator(), i.ID)
		h.wantRefused(err, fault.Invalid, "invite_not_pending")
		_, err = h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.wantRefused(err, fault.Invalid, "invite_revoked")
		next := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		if m := h.state(next.MembershipID); m.State != member.Pending || next.Token == i.Token {
			t.Errorf("membership %+v", m)
		}
		_, err = h.members.AcceptInvitation(t.Context(), operator(), next.ID)
		h.must(err)
		if m := h.state(next.MembershipID); m.State != member.Active {
			t.Errorf("membership %+v", m)
		}
		h.wantEvents("created", "revoked", "created", "accepted")
	})
}

func TestResending_is_limited_and_keeps_the_link(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", ExpiresInDays: 30})
		_, err := h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.wantRefused(err, fault.Limited, "too_many_mails")
		for range member.MaxInvitationMails - 1 {
			h.mailed() // what has not gone out yet another mail takes the place of
			h.pass(member.InvitationMailPause)
			again, err := h.members.ResendInvitation(t.Context(), operator(), i.ID, "de")
			h.must(err)
			if again.Token != i.Token || !again.ExpiresAt.Equal(i.ExpiresAt) || again.Locale != "de" {
				t.Fatalf("%+v", again)
			}
		}
		h.pass(time.Hour)
		_, err = h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.wantRefused(err, fault.Limited, "too_many_mails")
		if h.mailed(); len(h.letters) != member.MaxInvitationMails {
			t.Errorf("%d letters", len(h.letters))
		}
	})
}

func TestHundred_acceptances_of_one_invitation_make_one(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		var at sync.WaitGroup
		var won, late atomic.Int64
		for range 100 {
			at.Go(func() {
				_, err := h.members.AcceptInvitation(context.Background(), operator(), i.ID)
				f, refused := fault.As(err)
				switch {
				case err == nil:
					won.Add(1)
				case refused && f.Code == "invite_not_pending":
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		at.Wait()
		if won.Load() != 1 || late.Load() != 99 {
			t.Errorf("%d won, %d were late", won.Load(), late.Load())
		}
		h.wantEvents("created", "accepted")
		h.wantTold(0, "user.created", "organization_membership.created", "organization_membership.updated")
	})
}

func TestInvitations_of_one_address_at_the_same_time_make_one(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		var at sync.WaitGroup
		var won atomic.Int64
		for range 16 {
			at.Go(func() {
				_, err := h.members.Invite(context.Background(), operator(), member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
				f, refused := fault.As(err)
				switch {
				case err == nil:
					won.Add(1)
				case !refused || f.Code != "email_already_invited_to_organization":
					t.Error(err)
				}
			})
		}
		at.Wait()
		if won.Load() != 1 || h.count(`SELECT COUNT(*) FROM invitations`) != 1 || h.count(`SELECT COUNT(*) FROM users`) != 1 {
			t.Errorf("%d won", won.Load())
		}
	})
}

func TestInvitations_are_listed_by_organization_and_address(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme, other := h.organization("Acme"), h.organization("Other")
		a := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example"})
		b := h.invite(member.NewInvitation{OrganizationID: acme, Email: "eve@home.example"})
		c := h.invite(member.NewInvitation{OrganizationID: other, Email: "ada@home.example"})
		for name, q := range map[string]struct {
			q    member.InvitationQuery
			want []member.InvitationID
			more bool
		}{
			"all":          {member.InvitationQuery{Limit: 10}, []member.InvitationID{c.ID, b.ID, a.ID}, false},
			"organization": {member.InvitationQuery{OrganizationID: acme, Limit: 10, Ascending: true}, []member.InvitationID{a.ID, b.ID}, false},
			"address":      {member.InvitationQuery{Email: "ADA@home.example", Limit: 1}, []member.InvitationID{c.ID}, true},
		} {
			found, more, err := h.members.Invitations(t.Context(), q.q)
			h.must(err)
			var got []member.InvitationID
			for _, i := range found {
				got = append(got, i.ID)
			}
			if !slices.Equal(got, q.want) || more != q.more {
				t.Errorf("%s: %v, %t; want %v", name, got, more, q.want)
			}
		}
	})
}

var moving = regexp.MustCompile(`"((?:invitation|org|user)_)[0-9A-Z]{26}"|"20\d\d-[0-9T:.-]+Z"`)

func TestInvitation_events_are_as_in_the_golden_files(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		golden := func(name string) {
			_, last := h.invitationEvents()
			if string(last.Type) != name {
				t.Fatalf("%s, want %s", last.Type, name)
			}
			if strings.Contains(string(last.Data), "token") {
				t.Errorf("%s tells the token: %s", name, last.Data)
			}
			var whole map[string]any
			h.must(json.Unmarshal(last.Data, &whole))
			pretty, err := json.MarshalIndent(whole, "", "  ")
			h.must(err)
			got := append(moving.ReplaceAll(pretty, []byte(`"$1…"`)), '\n')
			file := filepath.Join("testdata", name+".json")
			if *updateInvitations {
				h.must(os.WriteFile(file, got, 0o600))
			}
			want, err := os.ReadFile(file)
			if err != nil || string(got) != string(want) {
				t.Errorf("%s: %v\n%s", name, err, got)
			}
		}
		i := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", Role: "member"})
		golden("invitation.created")
		h.pass(time.Minute)
		_, err := h.members.ResendInvitation(t.Context(), operator(), i.ID, "")
		h.must(err)
		golden("invitation.resent")
		_, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		h.must(err)
		golden("invitation.accepted")
		_, err = h.members.RevokeInvitation(t.Context(), operator(), h.invite(member.NewInvitation{OrganizationID: acme, Email: "eve@home.example"}).ID)
		h.must(err)
		golden("invitation.revoked")
	})
}

func TestDeleted_account_is_taken_out_of_its_invitations(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		i := h.invite(member.NewInvitation{OrganizationID: h.organization("Acme"), Email: "ada@home.example"})
		h.must(h.members.DeleteUser(t.Context(), operator(), h.state(i.MembershipID).UserID))
		got, err := h.members.Invitation(t.Context(), i.ID)
		if err != nil || got.Email != "" || got.State != member.InvitationRevoked || got.Token != "" {
			t.Errorf("%+v: %v", got, err)
		}
		if _, err := h.members.InvitationByToken(t.Context(), i.Token); err != nil && !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if _, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID); err == nil || errors.Is(err, context.Canceled) {
			t.Error("accepted")
		}
	})
}

func TestErasure_takes_the_address_out_of_what_the_log_says_of_invitations(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		app := h.invite(member.NewInvitation{Email: "ada@home.example"})
		gone := h.invite(member.NewInvitation{OrganizationID: acme, Email: "ada@home.example", Role: "member"})
		stays := h.invite(member.NewInvitation{OrganizationID: acme, Email: "eve@home.example"})
		renamed := ptr("ada.lovelace@home.example") // both were sent to what is a former address when the account goes
		id := h.state(gone.MembershipID).UserID
		_, err := h.members.UpdateUser(t.Context(), operator(), id, member.UserChanges{Email: renamed})
		h.must(err)
		h.must(h.members.DeleteUser(t.Context(), operator(), id))
		for range 10 {
			n, err := h.events.Erase(t.Context(), time.Now().Add(100*24*time.Hour))
			h.must(err)
			if n == 0 {
				break
			}
		}
		found, err := h.events.List(t.Context(), event.Query{Limit: 1000})
		h.must(err)
		told := map[member.InvitationID]int{}
		for _, e := range found {
			if e.Type != event.InvitationCreated {
				continue
			}
			var data struct {
				ID    member.InvitationID `json:"id"`
				Email string              `json:"email"`
				Role  *string             `json:"role_slug"`
			}
			h.must(json.Unmarshal(e.Data, &data))
			told[data.ID]++
			switch {
			case data.ID == gone.ID && (data.Email != "" || data.Role == nil || *data.Role != "member"),
				data.ID == app.ID && data.Email != "",
				data.ID == stays.ID && data.Email != "eve@home.example":
				t.Errorf("%s", e.Data)
			}
		}
		if len(told) != 3 {
			t.Errorf("told of %v", told)
		}
	})
}

func TestErasure_of_a_directory_person_takes_their_invitation_along(t *testing.T) {
	onEachHosts(t, func(h *hosts) {
		acme := h.organization("Acme")
		d := named(acme, "cid", access.Mapped{})
		d.Provisioning, d.Email, d.EmailVerified = member.Invite, "cid@home.example", false
		_, err := h.apply(d)
		h.must(err)
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.events.ForgetTx(t.Context(), tx, acme, d.DirectoryUserID, time.Now())
		}))
		for range 10 {
			n, err := h.events.Erase(t.Context(), time.Now().Add(100*24*time.Hour))
			h.must(err)
			if n == 0 {
				break
			}
		}
		_, last := h.invitationEvents()
		if !strings.Contains(string(last.Data), `"email":""`) {
			t.Errorf("%s", last.Data)
		}
	})
}

func TestInvitation_of_whom_a_hand_had_blocked_and_then_removed(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		u, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada, EmailVerified: true})
		h.must(err)
		m, err := h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: u.ID})
		h.must(err)
		id := m.Membership.ID
		_, err = h.members.Deactivate(t.Context(), operator(), id)
		h.must(err)
		_, err = h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: ada})
		if e, _ := fault.As(err); e == nil || e.Code != member.CodeMembershipInactive {
			t.Errorf("invited whom a hand blocks: %v", err)
		}
		h.must(h.members.Remove(t.Context(), operator(), id))
		i, err := h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: acme, Email: ada})
		h.must(err)
		m, err = h.members.Member(t.Context(), id)
		h.must(err)
		h.is(m, member.Pending, member.WhyInvited, false)
		_, err = h.members.AcceptInvitation(t.Context(), operator(), i.ID)
		h.must(err)
		m, err = h.members.Member(t.Context(), id)
		h.must(err)
		h.is(m, member.Active, member.WhyInvitation, false)
	})
}

func TestDeprovisioned_account_accepts_where_an_own_directory_wants_the_person(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other, third := h.organization("Acme"), h.organization("Other"), h.organization("Third")
		d := person(acme)
		d.Provisioning = member.Direct
		u := h.applied(d, member.OutcomeActivated).User
		i, err := h.members.Invite(t.Context(), operator(), member.NewInvitation{OrganizationID: third, Email: ada})
		h.must(err)
		d.Says = member.SaysInactive
		h.must(h.restrict(d))
		own := person(other)
		own.EmailVerified, own.DirectoryID, own.DirectoryUserID = false, "directory_2", "directory_user_2"
		m := h.applied(own, member.OutcomeInvited)
		h.is(m, member.Pending, member.WhyInvitedByDirectory, false)

		_, err = h.members.AcceptInvitationAs(t.Context(), member.InvitationID(m.Membership.InvitationID), u.ID, false)
		h.must(err)
		m, err = h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(m, member.Active, member.WhyDirectory, false)
		_, err = h.members.AcceptInvitationAs(t.Context(), i.ID, u.ID, false)
		if e, _ := fault.As(err); e == nil || e.Code != member.CodeDeprovisioned {
			t.Errorf("accepted where no directory wants the person: %v", err)
		}
	})
}
