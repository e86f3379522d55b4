package signin_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/token"
)

// braked switches the brake of a directory on, so that the second who leaves is held, and has its people leave.
func (w *world) braked(f feed, leavers ...directory.User) feed {
	w.t.Helper()
	_, err := w.dirs.SetBrake(ctx, operator(), f.door.Directory.ID, directory.Brake{Enabled: true, Share: 1, People: 2, Window: 15, Hold: 60})
	w.ok(err)
	f = w.enter(f.dirs, f.secret)
	for _, u := range leavers {
		f.active(u.ID, false)
	}
	return f
}

func (w *world) wantHeld(email string, held bool) {
	w.t.Helper()
	if m := w.member(email); m == nil || m.Membership.Held() != held {
		w.t.Errorf("%s is held: %+v", email, m)
	}
}

// since are the types of the events after so many.
func (w *world) since(n int) map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, kind := range w.types()[n:] {
		out[kind]++
	}
	return out
}

func TestDeleting_the_identity_provider_releases_what_its_brake_holds_as_deleting_the_directory_does(t *testing.T) {
	for name, remove := range map[string]func(w *world, f feed) error{
		"directory": func(w *world, f feed) error { return w.dirs.Delete(ctx, operator(), f.door.Directory.ID) },
		"identity provider": func(w *world, _ feed) error {
			err := w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, nil)
			if asks := (*lifecycle.ConfirmationError)(nil); errors.As(err, &asks) {
				err = w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, &asks.Number)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.provisioned()
				f := w.feed(directory.New{Provisioning: directory.Direct})
				var people []directory.User
				for _, who := range []string{"ada", "bob", "eve", "gus"} {
					people = append(people, f.hire(`{"userName":"`+who+`@acme.example","active":true}`))
				}
				w.provision()
				f = w.braked(f, people[:2]...)
				f.gone(people[2].ID)
				w.wantHeld("bob@acme.example", true)
				w.wantHeld("eve@acme.example", true)
				before := len(w.types())
				w.ok(remove(w, f))
				w.ok(w.dirs.KeepHolds(ctx))
				w.wantHeld("bob@acme.example", false)
				w.wantPlace("bob@acme.example", "primary inactive directory_inactive")
				w.wantPlace("eve@acme.example", "primary removed directory_removed")
				w.wantPlace("gus@acme.example", "primary active directory")
				u, err := w.members.UserByEmail(ctx, "bob@acme.example")
				if err != nil || u.DeprovisionedAt.IsZero() {
					t.Errorf("the account goes on: %+v %v", u, err)
				}
				told := w.since(before)
				for kind, want := range map[string]int{
					"directory.brake_released": 1, "user.deactivated": 2, "organization_membership.updated": 1, "organization_membership.deleted": 1, "dsync.deleted": 1,
					"dsync.user.updated": 0, "dsync.user.deleted": 0,
				} {
					if told[kind] != want {
						t.Errorf("%d events %s, want %d", told[kind], kind, want)
					}
				}
				var waiting int
				w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM membership_claims WHERE held IS NOT NULL`).Scan(&waiting))
				if waiting != 0 || w.count("directory_holds") != 1 {
					t.Errorf("%d words still wait; %d holds", waiting, w.count("directory_holds"))
				}
			})
		})
	}
}

// TestCut_over_while_a_brake_holds_people: the new directory decides about those who are matched, and the hold ends by itself for the others.
func TestCut_over_while_a_brake_holds_people_leaves_nobody_held_for_ever(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		m.old = w.braked(m.old, m.was["p03"], m.was["p02"], m.was["p11"], m.was["p09"])
		for _, one := range []string{"p02", "p11", "p09"} {
			w.wantHeld(one+"@acme.example", true)
		}
		m.tested()
		now, err := m.s.Get(ctx, w.org.ID, m.sw.ID)
		w.ok(err)
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, lifecycle.Expected{
			Unmatched: number(now.Counts.People.Without()), GroupsLost: &now.Counts.GroupsLost, Leaving: &now.Counts.Leaving,
		})
		w.ok(err)
		w.provision()
		w.provision()
		w.wantHeld("p02@acme.example", false)
		w.wantPlace("p02@acme.example", "primary active directory")
		w.wantHeld("p11@acme.example", false)
		w.wantPlace("p11@acme.example", "primary inactive directory_inactive")
		w.wantHeld("p09@acme.example", true)
		before := len(w.types())
		w.later(61 * time.Minute)
		w.ok(w.dirs.KeepHolds(ctx))
		w.provision()
		w.wantHeld("p09@acme.example", false)
		w.wantPlace("p09@acme.example", "primary inactive directory_inactive")
		if told := w.since(before); told["directory.brake_released"] != 1 || told["user.deactivated"] != 1 || told["organization_membership.updated"] != 1 {
			t.Errorf("told of %v", told)
		}

		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		w.provision()
		w.provision()
		for _, one := range []string{"p02", "p11", "p09"} {
			w.wantHeld(one+"@acme.example", false)
			w.wantPlace(one+"@acme.example", "primary inactive directory_inactive")
		}
		if found, _, err := w.dirs.Holds(ctx, directory.HoldQuery{Directory: m.old.door.Directory.ID, Limit: 10}); err != nil || !slices.ContainsFunc(found, func(h directory.Hold) bool { return h.State == directory.HoldReleased }) {
			t.Errorf("%+v %v", found, err)
		}
	})
}

// offboardings follows memberships that end, with neither webhooks nor logouts.
func (w *world) offboardings() *lifecycle.Offboardings {
	return lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
		DB: w.db, Events: w.events, IDs: token.NewSource(time.Now), Organizations: w.orgs, Directories: w.dirs, Issuer: w.issuer, Now: w.now,
	})
}

// receipts are those of the organization by why and address, after all there is to do was done once.
func (w *world) receipts(s *lifecycle.Offboardings) map[string]lifecycle.Offboarding {
	w.t.Helper()
	_, err := s.Begin(ctx)
	w.ok(err)
	w.execute(`UPDATE offboardings SET next_at = 1 WHERE next_at IS NOT NULL`)
	_, err = s.Follow(ctx)
	w.ok(err)
	found, _, err := s.List(ctx, lifecycle.OffboardingQuery{OrganizationID: string(w.org.ID), Limit: 100})
	w.ok(err)
	out := map[string]lifecycle.Offboarding{}
	for _, f := range found {
		u, err := w.members.User(ctx, member.UserID(f.UserID))
		w.ok(err)
		out[u.Email] = f
	}
	return out
}

func (w *world) execute(text string) {
	w.t.Helper()
	var as db.Write
	as.Exec(text)
	w.ok(w.db.Write(ctx, &as))
}

// told is the id of the event of a type that a receipt names; "" none.
func told(f lifecycle.Offboarding, kind event.Type) string {
	for _, e := range f.Receipt.Events {
		if e.Type == kind {
			return e.ID
		}
	}
	return ""
}

func TestReceipt_of_held_people_waits_for_the_release_and_takes_its_events_for_acknowledgements(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Direct})
		var people []directory.User
		for _, who := range []string{"first", "alice", "eve", "stays"} {
			people = append(people, f.hire(`{"userName":"`+who+`@acme.example","active":true}`))
		}
		w.provision()
		w.visitor() // Alice has a session; Eve has none
		f = w.braked(f, people[:2]...)
		f.gone(people[2].ID)
		s := w.offboardings()
		before := w.receipts(s)
		for email, events := range map[string]int{"alice@acme.example": 1, "eve@acme.example": 0} {
			r := before[email].Receipt
			if len(r.Events) != events || len(r.Missing) == 0 || r.Missing[0] != (lifecycle.ReceiptMissing{Step: "event", Why: "the brake holds what follows"}) {
				t.Errorf("%s, held: %+v", email, r)
			}
		}
		// The app's word about what it was told is kept, and the receipt goes on waiting for the rest.
		_, err := s.Acknowledge(ctx, operator(), told(before["alice@acme.example"], event.SessionRevoked))
		w.ok(err)
		if got := w.receipts(s)["alice@acme.example"]; !got.FrozenAt.IsZero() {
			t.Errorf("frozen before the hold has ended: %+v", got.Receipt)
		}
		hold, _, err := w.dirs.WaitingOf(ctx, w.directory(f))
		w.ok(err)
		_, err = w.dirs.Release(ctx, operator(), f.door.Directory.ID, hold.ID)
		w.ok(err)
		after := w.receipts(s)
		if got := after["alice@acme.example"].Receipt; !got.Frozen || !got.Complete || len(got.Events) != 4 || told(after["alice@acme.example"], event.OrganizationMembershipUpdated) == "" {
			t.Errorf("Alice: %+v", got)
		}
		eve := after["eve@acme.example"]
		if len(eve.Receipt.Events) != 3 || len(eve.Receipt.Missing) != 1 || eve.Receipt.Missing[0].Step != "acknowledgement" {
			t.Errorf("Eve: %+v", eve.Receipt)
		}
		_, err = s.Acknowledge(ctx, operator(), told(eve, event.OrganizationMembershipDeleted))
		w.ok(err)
		if got := w.receipts(s)["eve@acme.example"].Receipt; !got.Complete || !got.Frozen {
			t.Errorf("Eve, acknowledged: %+v", got)
		}
	})
}

func (w *world) directory(f feed) directory.Directory {
	w.t.Helper()
	d, err := w.dirs.Get(ctx, f.door.Directory.ID)
	w.ok(err)
	return d
}

func TestCut_over_carries_the_setting_of_the_brake_and_a_revert_gives_it_back(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		set := directory.Brake{Enabled: true, Share: 7, People: 3, Window: 20, Hold: 40}
		brakes := func() [2]directory.Brake {
			return [2]directory.Brake{w.directory(m.old).Brake, w.directory(m.next).Brake}
		}
		_, err := w.dirs.SetBrake(ctx, operator(), m.old.door.Directory.ID, set)
		w.ok(err)
		m.cutOver()
		if got := brakes(); got != [2]directory.Brake{set, set} || m.sw.Before.Brake != switching.MappingCarried {
			t.Errorf("cut over: %+v, %q", got, m.sw.Before.Brake)
		}
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		if got := brakes(); got != [2]directory.Brake{set, directory.DefaultBrake()} {
			t.Errorf("reverted: %+v", got)
		}
		var audited int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM audit_entries WHERE action = 'directory.brake_updated'`).Scan(&audited))
		if audited != 3 {
			t.Errorf("audited %d times, want that it was set, carried and given back", audited)
		}
	})
}

func TestCut_over_keeps_the_brake_that_the_new_directory_has_of_its_own(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		own := directory.Brake{Enabled: true, Share: 50, People: 9, Window: 5, Hold: 10}
		_, err := w.dirs.SetBrake(ctx, operator(), m.next.door.Directory.ID, own)
		w.ok(err)
		_, err = w.dirs.SetBrake(ctx, operator(), m.old.door.Directory.ID, directory.Brake{Enabled: true, Share: 7, People: 3, Window: 20, Hold: 40})
		w.ok(err)
		m.cutOver()
		if got := w.directory(m.next).Brake; got != own || m.sw.Before.Brake != switching.MappingKept {
			t.Errorf("cut over: %+v, %q", got, m.sw.Before.Brake)
		}
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		if got := w.directory(m.next).Brake; got != own {
			t.Errorf("reverted: %+v", got)
		}
	})
}
