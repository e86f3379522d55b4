package member_test

import (
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
)

// lookers are directories that remember whom they are to look at again.
type lookers struct{ due []string }

func (l *lookers) DueInto(_ *db.Write, organizationID, directoryID, directoryUserID string) {
	l.due = append(l.due, organizationID+" "+directoryID+" "+directoryUserID)
}

// holders are the names of those who hold a licence, and of those who wait for it.
func (h *house) holders(organizationID, licence string, names ...string) (held, wait []string) {
	h.t.Helper()
	for _, name := range names {
		u, err := h.members.UserByEmail(h.t.Context(), name+"@acme.example")
		h.must(err)
		m, err := h.members.MemberOf(h.t.Context(), organizationID, u.ID)
		h.must(err)
		switch {
		case m.Membership.Licence == licence:
			held = append(held, name)
		case m.Membership.WantedLicence == licence && m.Membership.State == member.Active:
			wait = append(wait, name)
		}
	}
	return held, wait
}

func TestSeats_that_come_free_go_to_who_has_waited_longest(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, give := h.acme()
		h.licence(acme, "pro", 2, access.Admit)
		all := []string{"a", "b", "z", "c", "d"} // z waits before c, whatever their names and ids
		pro := access.Mapped{DrivesLicences: true, Licence: "pro"}
		for _, name := range all {
			h.applied(named(acme, name, pro), member.OutcomeActivated)
		}
		is := func(what string, wantHeld, wantWait []string) {
			t.Helper()
			if held, wait := h.holders(acme, "pro", all...); !slices.Equal(held, wantHeld) || !slices.Equal(wait, wantWait) {
				t.Errorf("%s: %v hold it, %v wait; want %v and %v", what, held, wait, wantHeld, wantWait)
			}
		}
		h.must(h.members.GiveSeats(t.Context()))
		is("no seat is free", []string{"a", "b"}, []string{"z", "c", "d"})

		gone := named(acme, "a", pro)
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		mark := len(h.all(0))
		h.must(h.members.GiveSeats(t.Context()))
		is("a directory deactivated somebody", []string{"b", "z"}, []string{"c", "d"})
		h.wantAll(mark, "organization_membership.updated")
		h.must(h.members.GiveSeats(t.Context()))
		h.wantAll(mark, "organization_membership.updated")

		seats := ptr(int64(3))
		_, err := give.UpdateLicenceType(t.Context(), operator(), acme, "pro", access.LicenceTypeChanges{Seats: &seats})
		h.must(err)
		h.must(h.members.GiveSeats(t.Context()))
		is("a seat more was bought", []string{"b", "z", "c"}, []string{"d"})

		u, err := h.members.UserByEmail(t.Context(), "z@acme.example")
		h.must(err)
		h.must(h.members.DeleteUser(t.Context(), operator(), u.ID))
		all = []string{"a", "b", "c", "d"}
		h.must(h.members.GiveSeats(t.Context()))
		is("an account was deleted", []string{"b", "c", "d"}, nil)

		h.applied(named(acme, "a", pro), member.OutcomeReturned) // who comes back waits like anybody
		is("one came back", []string{"b", "c", "d"}, []string{"a"})
		none := (*int64)(nil)
		_, err = give.UpdateLicenceType(t.Context(), operator(), acme, "pro", access.LicenceTypeChanges{Seats: &none})
		h.must(err)
		h.must(h.members.GiveSeats(t.Context()))
		is("as many as are wanted", []string{"a", "b", "c", "d"}, nil)
	})
}

func TestSeats_that_come_free_let_in_whom_the_licence_kept_out(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, give := h.acme()
		h.licence(acme, "strict", 1, access.Refuse)
		strict := access.Mapped{DrivesLicences: true, Licence: "strict"}
		var again lookers
		h.members.SetDirectories(&again)
		h.applied(named(acme, "a", strict), member.OutcomeActivated)
		for _, name := range []string{"z", "b"} {
			h.applied(named(acme, name, strict), member.OutcomeRefused)
		}
		h.applied(named(acme, "z", strict), member.OutcomeRefused) // it goes on waiting since when it did
		h.must(h.members.GiveSeats(t.Context()))
		if len(again.due) != 0 {
			t.Errorf("no seat is free, and %v are looked at", again.due)
		}
		gone := named(acme, "a", strict)
		gone.Says = member.SaysInactive
		h.must(h.restrict(gone))
		h.must(h.members.GiveSeats(t.Context()))
		if want := []string{acme + " directory_1 directory_user_z"}; !slices.Equal(again.due, want) {
			t.Errorf("%v are looked at, want %v", again.due, want)
		}
		h.applied(named(acme, "z", strict), member.OutcomeActivated)

		again.due = nil
		admit := access.Admit
		_, err := give.UpdateLicenceType(t.Context(), operator(), acme, "strict", access.LicenceTypeChanges{OverLimit: &admit})
		h.must(err)
		h.must(h.members.GiveSeats(t.Context()))
		if want := []string{acme + " directory_1 directory_user_b"}; !slices.Equal(again.due, want) {
			t.Errorf("%v are looked at, want %v", again.due, want)
		}
		h.applied(named(acme, "b", strict), member.OutcomeActivated)
		again.due = nil
		h.must(h.members.GiveSeats(t.Context()))
		if len(again.due) != 0 {
			t.Errorf("%v are looked at for ever", again.due)
		}
	})
}

func TestSeats_are_not_kept_free_for_somebody_whom_a_brake_holds(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, give := h.acme()
		h.licence(acme, "pro", 1, access.Admit)
		pro := access.Mapped{DrivesLicences: true, Licence: "pro"}
		for _, name := range []string{"a", "b", "c"} {
			h.applied(named(acme, name, pro), member.OutcomeActivated)
		}
		held := named(acme, "b", pro)
		held.Says, held.Held = member.SaysInactive, member.HeldWaiting
		h.must(h.restrict(held))
		seats := ptr(int64(2))
		_, err := give.UpdateLicenceType(t.Context(), operator(), acme, "pro", access.LicenceTypeChanges{Seats: &seats})
		h.must(err)
		h.must(h.members.GiveSeats(t.Context()))
		if got, _ := h.holders(acme, "pro", "a", "b", "c"); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("%v hold it, want a and c", got)
		}
	})
}

func TestSeats_that_somebody_who_returns_finds_taken_are_told_of(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme, _ := h.acme()
		for _, slug := range []string{"mapped", "given"} {
			h.licence(acme, slug, 1, access.Admit)
		}
		told := func() (n int) {
			for _, kind := range h.all(0) {
				if kind == "licence.limit_reached" {
					n++
				}
			}
			return n
		}
		for i, slug := range []string{"mapped", "given"} {
			m := access.Mapped{}
			if slug == "mapped" {
				m = access.Mapped{DrivesLicences: true, Licence: slug}
			}
			ada, ben := named(acme, "ada-"+slug, m), named(acme, "ben-"+slug, m)
			takes := func(d member.DirectoryPerson, want member.Outcome) {
				t.Helper()
				in := h.applied(d, want)
				if slug == "given" {
					_, err := h.members.UpdateMembership(t.Context(), operator(), in.Membership.ID, member.MembershipChanges{Licence: &slug})
					h.must(err)
				}
			}
			takes(ada, member.OutcomeActivated)
			gone := ada
			gone.Says = member.SaysInactive
			h.must(h.restrict(gone))
			takes(ben, member.OutcomeActivated)
			if n := told(); n != i {
				t.Errorf("%s: told %d times before anybody found the seat taken", slug, n)
			}
			back := h.applied(ada, member.OutcomeReturned)
			if back.Membership.Licence != "" || back.Membership.WantedLicence != slug || told() != i+1 {
				t.Errorf("%s: %q, wants %q, told %d times", slug, back.Membership.Licence, back.Membership.WantedLicence, told())
			}
			if _, err := h.apply(ada); err != nil || told() != i+1 { // who goes on waiting is told of once
				t.Errorf("%s: %v, told %d times", slug, err, told())
			}
		}
	})
}
