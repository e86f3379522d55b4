package signin_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
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
