package member_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

const ada = "ada@acme.example"

// person is Ada as a directory in her verified domain has her.
func person(organizationID string) member.DirectoryPerson {
	return member.DirectoryPerson{
		OrganizationID: organizationID, DirectoryID: "directory_1", DirectoryName: "Okta of Acme", DirectoryUserID: "directory_user_1", Says: member.SaysActive,
		Provisioning: member.Invite, Email: ada, EmailVerified: true, FirstName: "Ada", LastName: "Lovelace",
	}
}

func (h *house) applied(d member.DirectoryPerson, want member.Outcome) member.Member {
	h.t.Helper()
	got, err := h.apply(d)
	h.must(err)
	if got != want {
		h.t.Errorf("outcome %s, want %s", got, want)
	}
	u, err := h.members.UserByEmail(h.t.Context(), d.Email)
	if fault.Is(err, fault.NotFound) {
		return member.Member{}
	}
	h.must(err)
	m, err := h.members.MemberOf(h.t.Context(), d.OrganizationID, u.ID)
	if !fault.Is(err, fault.NotFound) {
		h.must(err)
	}
	return m
}

func (h *house) is(m member.Member, state member.State, why member.Why, primary bool) {
	h.t.Helper()
	if got := m.Membership; got.State != state || got.Why != why || got.Primary != primary {
		h.t.Errorf("%s, %s, primary %t; want %s, %s, primary %t", got.State, got.Why, got.Primary, state, why, primary)
	}
}

// all gives the types of events after a number of them, of whatever kind.
func (h *house) all(skip int) (types []string) {
	h.t.Helper()
	found, err := h.events.List(h.t.Context(), event.Query{Limit: 1000})
	h.must(err)
	for _, e := range found[min(skip, len(found)):] {
		types = append(types, string(e.Type))
	}
	return types
}

func (h *house) wantAll(skip int, want ...string) {
	h.t.Helper()
	got := h.all(skip)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Errorf("events\n got %v\nwant %v", got, want)
	}
}

func onEachInviting(t *testing.T, story func(h *house)) {
	t.Helper()
	onEach(t, func(h *house) {
		h.invites()
		story(h)
	})
}

func managed(t *testing.T, err error) {
	t.Helper()
	refusal, ok := fault.As(err)
	if !ok || refusal.Kind != fault.Conflict || refusal.Code != "directory_managed" || !strings.Contains(refusal.Message, "Okta of Acme") {
		t.Errorf("%v, want directory_managed with the directory's name", err)
	}
}

func TestDirectory_invites_whom_nobody_knows_and_the_first_sign_in_needs_no_link(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		before := len(h.all(0))
		m := h.applied(person(acme), member.OutcomeInvited)
		h.is(m, member.Pending, member.WhyInvitedByDirectory, true)
		h.wantAll(before, "user.created", "organization_membership.created", "invitation.created")
		if m.User.FirstName != "Ada" || m.Membership.InvitationID == "" || !m.Membership.JoinedAt.IsZero() {
			t.Errorf("%+v", m)
		}
		before = len(h.all(0))
		h.applied(person(acme), member.OutcomeUnchanged)
		h.wantAll(before)
		ad, _ := h.in(inDirectory(arrival(acme, "1", ada), "directory_user_1", member.JoinedByEmail, ada))
		if ad.User.ID != m.User.ID || ad.Membership.ID != m.Membership.ID {
			t.Errorf("somebody else signed in: %+v", ad)
		}
		m, err := h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(m, member.Active, member.WhyDirectory, true)
		if m.Membership.JoinedBy != member.ViaInvitation || m.Membership.JoinedAt.IsZero() {
			t.Errorf("joined by %q at %s", m.Membership.JoinedBy, m.Membership.JoinedAt)
		}
		if i, err := h.members.Invitation(t.Context(), member.InvitationID(m.Membership.InvitationID)); err != nil || i.State != member.InvitationAccepted {
			t.Errorf("invitation %s, %v", i.State, err)
		}
	})
}

func TestProvisioning_decides_what_becomes_of_a_person(t *testing.T) {
	onEachInviting(t, func(h *house) {
		for _, c := range []struct {
			name     string
			how      member.Provisioning
			account  bool // there is one, proven
			verified bool
			email    string
			says     member.Says
			want     member.Outcome
			state    member.State
			primary  bool
		}{
			{name: "invite, unknown", how: member.Invite, verified: true, want: member.OutcomeInvited, state: member.Pending, primary: true},
			{name: "direct, unknown", how: member.Direct, verified: true, want: member.OutcomeActivated, state: member.Active, primary: true},
			{name: "existing only, unknown", how: member.ExistingOnly, verified: true, want: member.OutcomeNotExisting},
			{name: "invite, known", how: member.Invite, account: true, verified: true, want: member.OutcomeLinked, state: member.Active, primary: true},
			{name: "direct, known", how: member.Direct, account: true, verified: true, want: member.OutcomeLinked, state: member.Active, primary: true},
			{name: "existing only, known", how: member.ExistingOnly, account: true, verified: true, want: member.OutcomeLinked, state: member.Active, primary: true},
			{name: "invite, unknown outside", how: member.Invite, want: member.OutcomeInvited, state: member.Pending},
			{name: "invite, known outside", how: member.Invite, account: true, want: member.OutcomeInvited, state: member.Pending},
			{name: "direct, unknown outside", how: member.Direct, want: member.OutcomeInvited, state: member.Pending},
			{name: "direct, known outside", how: member.Direct, account: true, want: member.OutcomeInvited, state: member.Pending},
			{name: "existing only, unknown outside", how: member.ExistingOnly, want: member.OutcomeNotExisting},
			{name: "existing only, known outside", how: member.ExistingOnly, account: true, want: member.OutcomeNotExisting},
			{name: "no address", how: member.Direct, email: "none", verified: true, want: member.OutcomeNoEmail},
			{name: "inactive from the start", how: member.Direct, verified: true, says: member.SaysInactive, want: member.OutcomeStored},
			{name: "inactive from the start, known", how: member.Direct, account: true, verified: true, says: member.SaysInactive, want: member.OutcomeStored},
		} {
			acme := h.organization(c.name)
			d := person(acme)
			d.Provisioning, d.EmailVerified, d.Email = c.how, c.verified, strings.NewReplacer(" ", "-", ",", "").Replace(c.name)+"@acme.example"
			if c.email != "" {
				d.Email = c.email
			}
			if c.says != "" {
				d.Says = c.says
			}
			if c.account {
				_, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: d.Email, EmailVerified: true})
				h.must(err)
			}
			m := h.applied(d, c.want)
			if m.Membership.State != c.state || m.Membership.Primary != c.primary {
				t.Errorf("%s: %s, primary %t (%s)", c.name, m.Membership.State, m.Membership.Primary, m.Membership.Why)
			}
			if joined := m.Membership.DirectoryUserID != ""; joined != (c.verified && c.state != "") {
				t.Errorf("%s: joined for signing in %t", c.name, joined)
			}
		}
	})
}

func TestPrimary_member_whom_the_directory_shuts_out_loses_the_account_and_gets_it_back(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other, third := h.organization("Acme"), h.organization("Other"), h.organization("Third")
		d := person(acme)
		d.Provisioning = member.Direct
		d.Mapped = access.Mapped{DrivesLicences: true}
		m := h.applied(d, member.OutcomeActivated)
		_, one := h.in(inDirectory(arrival(acme, "1", ada), "directory_user_1", member.JoinedByEmail, ada))
		_, two := h.in(arrival(other, "1", ada))
		guest, three := h.in(arrival(third, "1", ada))
		own := person(third)
		own.DirectoryID, own.DirectoryUserID = "directory_3", "directory_user_3"
		h.applied(own, member.OutcomeLinked)
		before := len(h.all(0))
		for _, says := range []member.Says{member.SaysInactive, member.SaysRemoved} {
			gone := d
			gone.Says = says
			h.must(h.restrict(gone))
		}
		if h.living(one) || h.living(two) || h.living(three) {
			t.Error("sessions of a deprovisioned account go on")
		}
		m, err := h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(m, member.Removed, member.WhyDirectoryRemoved, true)
		if m.User.DeprovisionedBy != acme || m.User.DeprovisionedAt.IsZero() {
			t.Errorf("%+v", m.User)
		}
		at := func(organizationID string) member.Member {
			t.Helper()
			m, err := h.members.MemberOf(t.Context(), organizationID, guest.User.ID)
			h.must(err)
			return m
		}
		h.is(at(other), member.Inactive, member.WhyAccountDeprovisioned, false)
		h.is(at(third), member.Active, member.WhyDirectory, false)
		h.wantAll(before, "user.deactivated", "organization_membership.updated", "organization_membership.updated", "session.revoked", "session.revoked", "session.revoked",
			"organization_membership.deleted")
		dropped := arrival(acme, "1", ada)
		dropped.Standing.Says = member.SaysUnknown
		h.refused(dropped, member.CodeDeprovisioned)
		h.refused(arrival(other, "1", ada), member.CodeDeprovisioned)
		if _, err := h.members.Reactivate(t.Context(), operator(), at(other).Membership.ID); !fault.Is(err, fault.Conflict) || strings.Contains(err.Error(), "Okta of Acme") {
			t.Errorf("another organization's deprovisioning lifted by hand, or named: %v", err)
		}
		_, err = h.members.CreateMembership(t.Context(), operator(), member.NewMembership{OrganizationID: acme, UserID: m.User.ID})
		managed(t, err)

		before = len(h.all(0))
		h.applied(d, member.OutcomeReturned)
		m, err = h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(m, member.Active, member.WhyDirectory, true)
		h.is(at(other), member.Active, member.WhySignIn, false)
		if m.User.DeprovisionedBy != "" {
			t.Error("the account is still deprovisioned")
		}
		h.wantAll(before, "user.reactivated", "organization_membership.created", "organization_membership.updated")
	})
}

func TestGuest_whom_the_directory_shuts_out_loses_this_organization_only(t *testing.T) {
	onEachInviting(t, func(h *house) {
		home, acme := h.organization("Home"), h.organization("Acme")
		_, kept := h.in(arrival(home, "1", ada))
		_, lost := h.in(arrival(acme, "1", ada))
		m := h.applied(person(acme), member.OutcomeLinked)
		h.is(m, member.Active, member.WhyDirectory, false)
		gone := person(acme)
		gone.Says = member.SaysInactive
		before := len(h.all(0))
		h.must(h.restrict(gone))
		if h.living(lost) || !h.living(kept) {
			t.Error("the wrong sessions ended")
		}
		h.wantAll(before, "organization_membership.updated", "session.revoked")
		m, err := h.members.Member(t.Context(), m.Membership.ID)
		h.must(err)
		h.is(m, member.Inactive, member.WhyDirectoryInactive, false)
		if m.User.DeprovisionedBy != "" {
			t.Error("a guest's account was taken away")
		}
		_, err = h.members.Reactivate(t.Context(), operator(), m.Membership.ID)
		managed(t, err)
	})
}

func TestBlock_outlives_the_directorys_return_and_is_refused_to_nobody(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning = member.Direct
		m := h.applied(d, member.OutcomeActivated)
		_, s := h.in(inDirectory(arrival(acme, "1", ada), "directory_user_1", member.JoinedByEmail, ada))
		blocked, err := h.members.Deactivate(t.Context(), operator(), m.Membership.ID)
		h.must(err)
		h.is(blocked, member.Inactive, member.WhyDeactivated, true)
		if h.living(s) || blocked.Membership.BlockedBy != operator().ID {
			t.Errorf("%+v", blocked.Membership)
		}
		gone := d
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		h.is(h.applied(d, member.OutcomeUpdated), member.Inactive, member.WhyDeactivated, true)
		h.refused(inDirectory(arrival(acme, "1", ada), "directory_user_1", member.JoinedByEmail, ada), member.CodeMembershipInactive)
		managed(t, h.members.Remove(t.Context(), operator(), m.Membership.ID))
		back, err := h.members.Reactivate(t.Context(), operator(), m.Membership.ID)
		h.must(err)
		h.is(back, member.Active, member.WhyDirectory, true)
	})
}

func TestDeleted_directory_leaves_everybody_as_they_are_and_bars_nobody(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, other := h.organization("Acme"), h.organization("Other")
		d := person(acme)
		d.Provisioning = member.Direct
		m := h.applied(d, member.OutcomeActivated)
		h.in(arrival(other, "1", ada))
		gone := d
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		freeze := func(organizationID string) {
			h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
				return h.members.FreezeTx(t.Context(), tx, organizationID, "directory_1", directorys("directory_1"))
			}))
		}
		if id, managed, err := h.members.ManagedBy(t.Context(), h.db, m.Membership.ID); err != nil || !managed || id != "directory_1" {
			t.Errorf("managed by %q, %v", id, err)
		}
		freeze(other)
		_, err := h.members.Reactivate(t.Context(), operator(), m.Membership.ID)
		managed(t, err)
		before := len(h.all(0))
		freeze(acme)
		h.wantAll(before)
		if _, managed, err := h.members.ManagedBy(t.Context(), h.db, m.Membership.ID); err != nil || managed {
			t.Errorf("managed by a directory that is gone: %v", err)
		}
		h.refused(arrival(acme, "1", ada), member.CodeMembershipInactive)
		back, err := h.members.Reactivate(t.Context(), operator(), m.Membership.ID)
		h.must(err)
		h.is(back, member.Active, member.WhyReactivated, true)
		if back.User.DeprovisionedBy != "" {
			t.Error("reinstated, and the account is still taken away")
		}
		h.wantAll(before, "organization_membership.updated", "organization_membership.updated", "user.reactivated")
		_, err = h.members.UpdateUser(t.Context(), operator(), m.User.ID, member.UserChanges{FirstName: ptr("Augusta")})
		h.must(err)
	})
}

func ptr[T any](v T) *T { return &v }

func TestDirectory_manages_names_address_and_what_it_maps(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning, d.Mapped = member.Direct, access.Mapped{Attributes: map[string]any{"department": "Engines", "manager": []string{"a", "b"}}}
		m := h.applied(d, member.OutcomeActivated)
		if got := m.Membership.CustomAttributes["department"]; got != "Engines" {
			t.Errorf("attributes %v", m.Membership.CustomAttributes)
		}
		for _, c := range []member.UserChanges{{FirstName: ptr("Augusta")}, {LastName: ptr("King")}, {Email: ptr("augusta@acme.example")}} {
			_, err := h.members.UpdateUser(t.Context(), operator(), m.User.ID, c)
			managed(t, err)
		}
		u, err := h.members.UpdateUser(t.Context(), operator(), m.User.ID, member.UserChanges{ExternalID: ptr("7"), Metadata: map[string]*string{"tier": ptr("gold")}})
		h.must(err)
		if u.ExternalID != "7" || u.Metadata["tier"] != "gold" || u.Version != m.User.Version+1 {
			t.Errorf("%+v", u)
		}
		before := len(h.all(0))
		d.Email, d.LastName = "ada.king@acme.example", "King"
		m = h.applied(d, member.OutcomeUpdated)
		if m.User.ID != u.ID || m.User.LastName != "King" || m.User.Metadata["tier"] != "gold" {
			t.Errorf("%+v", m.User)
		}
		h.wantAll(before, "user.updated")
		_, err = h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: ada})
		h.must(err)
		d.Email = ada // somebody else's by now
		_, err = h.apply(d)
		h.must(err)
		if u, err := h.members.User(t.Context(), u.ID); err != nil || u.Email != "ada.king@acme.example" {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// What changes nothing is decided by what was read, too: by the time of the answer the person has to be out.
func TestWord_that_changes_nothing_is_lost_when_an_earlier_one_is_applied_meanwhile(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		in := person(acme)
		in.Provisioning = member.Direct
		out := in
		out.Says = member.SaysInactive
		for _, before := range [][]member.DirectoryPerson{{out}, {in, out}} { // a stranger who was stored, a member who was shut out
			for _, d := range before {
				_, err := h.apply(d)
				h.must(err)
			}
			var w db.Write
			h.must(h.members.RestrictInto(h.t.Context(), h.db, &w, out, nil, event.Context{}))
			_, err := h.apply(in)
			h.must(err)
			var lost *db.GuardError
			if err := h.db.Write(h.t.Context(), &w); !errors.As(err, &lost) {
				h.t.Errorf("%v; want a lost guard, for the person is in", err)
			}
			_, err = h.apply(out)
			h.must(err)
		}
	})
}

// between does something after the first of several questions was answered.
type between struct {
	db.Reader

	do func()
}

func (b *between) Query(ctx context.Context, text string, args ...any) (db.Rows, error) {
	rows, err := b.Reader.Query(ctx, text, args...)
	if b.do == nil || err != nil {
		return rows, err
	}
	return &last{rows, b}, nil
}

// last are the rows of the first answer; it is over when they are closed.
type last struct {
	db.Rows

	of *between
}

func (l *last) Close() {
	l.Rows.Close()
	if do := l.of.do; do != nil {
		l.of.do = nil
		do()
	}
}

// The claim and the account that it was joined with are read in one round trip, each in its turn.
func TestWord_about_somebody_whose_claim_moves_between_two_answers_shuts_nobody_out(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		in := person(acme)
		in.Provisioning = member.Direct
		mine := h.applied(in, member.OutcomeActivated)
		bob := in
		bob.DirectoryID, bob.DirectoryUserID, bob.Email = "directory_2", "directory_user_2", "bob@acme.example"
		theirs := h.applied(bob, member.OutcomeActivated)
		out := in
		out.Says = member.SaysInactive
		r := &between{Reader: h.db, do: func() {
			h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE membership_claims SET membership_id = $2, version = version + 1 WHERE directory_user_id = $1`, in.DirectoryUserID, string(theirs.Membership.ID))
				return err
			}))
		}}
		var w db.Write
		h.must(h.members.RestrictInto(t.Context(), r, &w, out, nil, event.Context{}))
		var lost *db.GuardError
		if err := h.db.Write(t.Context(), &w); r.do != nil || !errors.As(err, &lost) {
			t.Errorf("%v; want a lost guard, for the claim is about somebody else by now", err)
		}
		for _, m := range []member.Member{mine, theirs} {
			now, err := h.members.MemberOf(t.Context(), acme, m.User.ID)
			h.must(err)
			h.is(now, member.Active, member.WhyDirectory, true)
		}
	})
}
