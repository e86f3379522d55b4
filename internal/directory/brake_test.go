package directory_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestBrake_trips_over_the_share_and_at_the_number(t *testing.T) {
	b := directory.Brake{Enabled: true, Share: 10, People: 5}
	for _, c := range []struct {
		left, active int64
		want         bool
	}{
		{4, 5, false},
		{5, 5, true},
		{5, 49, true},
		{5, 50, false},
		{6, 50, true},
		{5, 51, false},
		{10, 100, false},
		{11, 100, true},
		{0, 0, false},
		{10_001, 100_000, true},
		{10_000, 100_000, false},
	} {
		if got := b.Trips(c.left, c.active); got != c.want {
			t.Errorf("%d of %d: %t", c.left, c.active, got)
		}
	}
	if (directory.Brake{Enabled: true, Share: 1, People: 1}).Trips(1, 1) {
		t.Error("somebody who leaves alone is held")
	}
	if (directory.Brake{Share: 1, People: 2}).Trips(100, 100) {
		t.Error("a brake that is off holds people")
	}
}

// street is a directory of ten people with a brake, whose clock is moved by hand, and the members it brings about.
type street struct {
	*house
	clock    *clock
	members  *member.Service
	sessions *session.Service
	people   []directory.User
	group    directory.Group
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// three held of ten: the third who leaves is over the threshold.
func three() directory.Brake {
	return directory.Brake{Enabled: true, Share: 20, People: 2, Window: 15, Hold: 60}
}

func onStreet(t *testing.T, n directory.New, story func(*street)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		n.Provisioning = directory.Direct
		s := &street{house: newHouse(t, open(), n), clock: &clock{at: time.Now()}}
		ids := token.NewSource(time.Now)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		s.ok(err)
		s.sessions = session.NewService(session.Options{DB: s.db, Events: s.events, IDs: ids, Sealer: sealer, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		s.members = member.NewService(s.db, s.events, ids, s.orgs, s.sessions, time.Now)
		s.s = s.process()
		s.domain("acme.example")
		s.reopen()
		for i := range 10 {
			s.people = append(s.people, s.person(fmt.Sprintf("p%d@acme.example", i)))
		}
		var all []string
		for _, u := range s.people {
			all = append(all, string(u.ID))
		}
		s.group = s.house.group("Staff", all...)
		s.provision(s.s)
		s.brake(three())
		s.news()
		story(s)
	})
}

// process is one more process on the same database.
func (s *street) process() *directory.Service {
	d := s.service(directory.Options{Now: s.clock.now})
	d.SetMembers(s.members, s.teams())
	return d
}

func (s *street) brake(b directory.Brake) {
	s.t.Helper()
	_, err := s.s.SetBrake(ctx, actor(), s.dir.ID, b)
	s.ok(err)
	s.reopen()
}

func (s *street) leave(people ...int) {
	s.t.Helper()
	for _, i := range people {
		s.activate(s.people[i].ID, false)
	}
}

func (s *street) remove(i int) {
	s.t.Helper()
	s.ok(s.s.DeleteUser(ctx, s.a, string(s.people[i].ID), directory.Condition{}, record))
}

func (s *street) member(i int) member.Member {
	s.t.Helper()
	u, err := s.members.UserByEmail(ctx, fmt.Sprintf("p%d@acme.example", i))
	s.ok(err)
	m, err := s.members.MemberOf(ctx, string(s.org.ID), u.ID)
	s.ok(err)
	return m
}

func (s *street) wantMember(i int, state member.State, why member.Why, held bool) {
	s.t.Helper()
	if m := s.member(i).Membership; m.State != state || m.Why != why || m.Held() != held {
		s.t.Errorf("person %d is %s, %s, held %t; want %s, %s, %t", i, m.State, m.Why, m.Held(), state, why, held)
	}
}

// wantKnown asks how the API shows a person; "" if it does not.
func (s *street) wantKnown(i int, state string, held bool) {
	s.t.Helper()
	u, d, err := s.s.APIUser(ctx, s.people[i].ID)
	if fault.Is(err, fault.NotFound) && state == "" {
		return
	}
	s.ok(err)
	shown, err := directory.UserPayload(d, u)
	s.ok(err)
	if !strings.Contains(string(shown), `"state":"`+state+`"`) || (u.Held != "") != held {
		s.t.Errorf("person %d is shown as %s, held %q; want %s", i, shown, u.Held, state)
	}
	if in := len(u.Groups) == 1; in != (state == "active") {
		s.t.Errorf("person %d is shown in %d groups", i, len(u.Groups))
	}
}

func (s *street) holds() []directory.Hold {
	s.t.Helper()
	found, _, err := s.s.Holds(ctx, directory.HoldQuery{Directory: s.dir.ID, Limit: 10})
	s.ok(err)
	return found
}

func (s *street) hold() directory.Hold {
	s.t.Helper()
	found := s.holds()
	if len(found) != 1 {
		s.t.Fatalf("%d holds", len(found))
	}
	return found[0]
}

func (s *street) standing(i int) directory.Standing {
	s.t.Helper()
	f, err := directory.StandingOf(ctx, s.db, string(s.org.ID), directory.Keys{Email: fmt.Sprintf("p%d@acme.example", i), EmailVerified: true})
	s.ok(err)
	return f.Standing
}

func (s *street) signIn(i int) session.Session {
	s.t.Helper()
	var w db.Write
	started := s.sessions.StartInto(&w, session.New{
		Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: string(s.org.ID), UserID: string(s.member(i).User.ID), Method: session.SSO,
	})
	s.ok(s.db.Write(ctx, &w))
	s.events.Nudge()
	return started
}

func (s *street) living(one session.Session) bool {
	s.t.Helper()
	var n int
	s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE id = $1 AND ended_at IS NULL`, one.ID).Scan(&n))
	return n == 1
}

func TestBurst_under_the_threshold_is_not_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		if found := s.holds(); len(found) != 0 {
			t.Errorf("%+v", found)
		}
		for i := range 2 {
			s.wantMember(i, member.Inactive, member.WhyDirectoryInactive, false)
			s.wantKnown(i, "inactive", false)
		}
		s.clock.move(16 * time.Minute) // the window is over
		s.leave(2)
		if found := s.holds(); len(found) != 0 {
			t.Errorf("those who left before the window count: %+v", found)
		}
	})
}

func TestBurst_over_the_threshold_ends_access_at_once_and_holds_the_rest(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		_, err := s.members.Access().CreateLicenceType(ctx, actor(), access.NewLicenceType{OrganizationID: string(s.org.ID), Slug: "pro", Name: "Pro"})
		s.ok(err)
		pro := "pro"
		_, err = s.members.UpdateMembership(ctx, actor(), s.member(2).Membership.ID, member.MembershipChanges{Licence: &pro})
		s.ok(err)
		guests, err := s.orgs.Create(ctx, actor(), org.New{Name: "Guests"})
		s.ok(err)
		elsewhere, err := s.members.CreateMembership(ctx, actor(), member.NewMembership{OrganizationID: string(guests.ID), UserID: s.member(2).User.ID})
		s.ok(err)
		here := s.signIn(2)
		s.leave(0, 1)
		s.news()
		s.leave(2)
		s.wantNews("directory.brake_engaged", "session.revoked")
		if s.living(here) {
			t.Error("a session goes on")
		}
		if got := s.standing(2); got != directory.StandingInactive {
			t.Errorf("at a sign-in the directory says %s", got)
		}
		s.wantMember(0, member.Inactive, member.WhyDirectoryInactive, false)
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)
		m := s.member(2)
		if m.Membership.Licence != "pro" || m.User.DeprovisionedBy != "" {
			t.Errorf("the seat or the account is gone: %+v", m)
		}
		if shown := string(m.Payload()); !strings.Contains(shown, `"status":"active"`) || !strings.Contains(shown, `"why":"held_by_brake"`) || !strings.Contains(shown, `"held":true`) {
			t.Errorf("shown as %s", shown)
		}
		if shown := string(m.Membership.Payload()); !strings.Contains(shown, `"status":"active"`) || !strings.Contains(shown, `"why":"directory"`) || strings.Contains(shown, "held") {
			t.Errorf("snapshots show %s", shown)
		}
		other, err := s.members.Member(ctx, elsewhere.Membership.ID)
		s.ok(err)
		if other.Membership.State != member.Active {
			t.Errorf("elsewhere the person is %s", other.Membership.State)
		}
		in, err := s.s.GetUser(ctx, s.a, string(s.people[2].ID), true)
		s.ok(err)
		if in.Active {
			t.Error("SCIM shows somebody as active whom the provider shut out")
		}
		s.wantKnown(2, "active", true)
		s.wantKnown(0, "inactive", false)
		if h := s.hold(); h.State != directory.HoldWaits || h.People != 1 || h.Departed != 3 || h.Active != 10 || h.Until.Sub(h.EngagedAt) != time.Hour {
			t.Errorf("%+v", h)
		}
		s.leave(3)
		s.wantNews()
		if h := s.hold(); h.People != 2 {
			t.Errorf("%+v", h)
		}
		list, _, _, err := s.s.APIUsers(ctx, directory.APIQuery{Group: s.group.ID, Limit: 20})
		s.ok(err)
		if len(list) != 8 {
			t.Errorf("%d people are shown in the group, want the ten without those who left before", len(list))
		}
		s.provision(s.s) // whoever looks again finds nothing else
		s.wantNews()
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)

		s.ok(release(s))
		news := s.news()
		want := []string{
			"directory.brake_released",
			"user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated", "organization_membership.updated",
			"user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated",
		}
		if !slices.Equal(news, want) {
			t.Errorf("events\n got %v\nwant %v", news, want)
		}
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
		if m := s.member(2); m.Membership.Licence != "" || m.User.DeprovisionedBy == "" {
			t.Errorf("released, and the seat or the account is kept: %+v", m)
		}
		s.wantKnown(2, "inactive", false)
		if h := s.hold(); h.State != directory.HoldReleased || h.Reason != directory.EndedByHand || h.EndedBy != "test" {
			t.Errorf("%+v", h)
		}
	})
}

func release(s *street) error {
	_, err := s.s.Release(ctx, actor(), s.dir.ID, s.hold().ID)
	return err
}

func undo(s *street) error {
	_, err := s.s.Undo(ctx, actor(), s.dir.ID, s.hold().ID)
	return err
}

func TestHold_that_has_ended_cannot_be_ended_again(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.ok(release(s))
		s.wantFault(undo(s), fault.Conflict, "hold_ended")
		s.wantFault(release(s), fault.Conflict, "hold_ended")
		_, err := s.s.Release(ctx, actor(), s.dir.ID, "directory_hold_01JDXA5Q0G8YQZP0R3M4T7W9KE")
		s.wantFault(err, fault.NotFound, "entity_not_found")
		other, _ := s.directory(directory.New{Name: "Other"})
		_, err = s.s.Undo(ctx, actor(), other.ID, s.hold().ID)
		s.wantFault(err, fault.NotFound, "entity_not_found")
	})
}

func TestUndone_hold_keeps_people_in_until_the_directory_writes_them(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3)
		s.news()
		s.ok(undo(s))
		s.wantNews("directory.brake_undone", "organization_membership.updated", "organization_membership.updated")
		for _, i := range []int{2, 3} {
			s.wantMember(i, member.Active, member.WhyHeldByBrake, false)
			s.wantKnown(i, "active", true)
			if got := s.standing(i); got != directory.StandingActive {
				t.Errorf("at a sign-in the directory says %s", got)
			}
		}
		s.clock.move(time.Hour)
		s.ok(s.s.KeepHolds(ctx))
		s.wantNews()
		s.activate(s.people[2].ID, false) // the same again: now it rules
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
		s.wantNews("user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated")
		s.wantKnown(2, "inactive", false)
		s.activate(s.people[3].ID, true)
		s.provision(s.s)
		s.wantMember(3, member.Active, member.WhyDirectory, false)
		s.wantNews("organization_membership.updated") // of the reason alone
		s.wantKnown(3, "active", false)
	})
}

func TestPerson_whom_the_directory_lets_in_while_held_is_in_without_any_event(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3)
		s.news()
		s.activate(s.people[2].ID, true)
		s.provision(s.s)
		s.wantNews()
		s.wantMember(2, member.Active, member.WhyDirectory, false)
		s.wantKnown(2, "active", false)
		s.edit(s.people[3].ID, put("title", "Engineer")) // still out
		s.provision(s.s)
		s.wantNews()
		s.wantMember(3, member.Inactive, member.WhyHeldByBrake, true)
		s.ok(release(s))
		s.wantNews("directory.brake_released", "user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated")
		people, err := s.s.HeldBy(ctx, s.dir.ID, s.hold().ID)
		s.ok(err)
		if got := people[s.hold().ID]; len(got) != 2 || got[0].State != directory.HeldReturned || got[1].State != directory.HeldApplied {
			t.Errorf("%+v", got)
		}
	})
}

func TestPerson_who_leaves_alone_is_never_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		b := three()
		b.Share, b.People = 1, 2
		s.brake(b)
		s.leave(0)
		if found := s.holds(); len(found) != 0 {
			t.Errorf("%+v", found)
		}
		s.activate(s.people[0].ID, true) // and who came back does not count
		s.leave(1)
		if found := s.holds(); len(found) != 0 {
			t.Errorf("%+v", found)
		}
		s.leave(1, 1)
		s.leave(2)
		s.hold()
	})
}

func TestBrake_has_ranges(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		for _, change := range []func(*directory.Brake){
			func(b *directory.Brake) { b.Share = 0 }, func(b *directory.Brake) { b.Share = 100 },
			func(b *directory.Brake) { b.People = 1 }, func(b *directory.Brake) { b.People = 100_001 },
			func(b *directory.Brake) { b.Window = 0 }, func(b *directory.Brake) { b.Window = 1441 },
			func(b *directory.Brake) { b.Hold = 0 }, func(b *directory.Brake) { b.Hold = 61 },
		} {
			b := three()
			change(&b)
			_, err := s.s.SetBrake(ctx, actor(), s.dir.ID, b)
			s.wantFault(err, fault.Unprocessable, "invalid")
		}
		_, err := s.s.SetBrake(ctx, actor(), "directory_01JDXA5Q0G8YQZP0R3M4T7W9KE", three())
		s.wantFault(err, fault.NotFound, "entity_not_found")
	})
}

func TestHold_follows_by_itself_when_its_time_has_come_once_in_all_processes(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3, 4, 5)
		s.news()
		s.clock.move(59 * time.Minute)
		s.ok(s.s.KeepHolds(ctx))
		s.wantNews()
		s.clock.move(2 * time.Minute)
		s.ok(s.s.EndDueHolds(ctx)) // and this process is killed
		s.wantNews("directory.brake_released")
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)
		var both sync.WaitGroup
		for range 2 {
			other := s.process()
			both.Go(func() {
				if err := other.KeepHolds(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		count := map[string]int{}
		for _, one := range s.news() {
			count[one]++
		}
		if len(count) != 4 || count["user.updated"] != 4 || count["~group.user_removed"] != 4 || count["user.deactivated"] != 4 || count["organization_membership.updated"] != 4 {
			t.Errorf("%v", count)
		}
		if h := s.hold(); h.Reason != directory.EndedByTime || h.EndedBy != "" {
			t.Errorf("%+v", h)
		}
		s.reopen()
		if s.a.Directory.Holding {
			t.Error("the directory counts as holding somebody")
		}
	})
}

func TestRun_ends_holds_whose_time_has_come(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.clock.move(time.Hour)
		running := make(chan struct{})
		run, stop := context.WithCancel(ctx)
		go func() {
			defer close(running)
			s.s.Run(run)
		}()
		for range 100 {
			if s.member(2).Membership.Why == member.WhyDirectoryInactive {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		stop()
		<-running
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestRemoved_person_is_gone_from_SCIM_and_known_to_consumers_while_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.news()
		s.remove(2)
		s.leave(3)
		s.remove(3) // who was held already
		s.wantNews("directory.brake_engaged")
		for _, i := range []int{2, 3} {
			_, err := s.s.GetUser(ctx, s.a, string(s.people[i].ID), true)
			s.wantFault(err, fault.NotFound, "")
			s.wantKnown(i, "active", true)
			s.wantMember(i, member.Inactive, member.WhyHeldByBrake, true)
			groups, _, _, err := s.s.APIGroups(ctx, directory.APIQuery{User: s.people[i].ID, Limit: 5})
			s.ok(err)
			if len(groups) != 1 {
				t.Errorf("shown in %d groups", len(groups))
			}
		}
		list, _, more, err := s.s.APIUsers(ctx, directory.APIQuery{Directory: s.dir.ID, Limit: 3, Ascending: true})
		s.ok(err)
		if len(list) != 3 || !more || list[2].ID != s.people[2].ID {
			t.Errorf("%d people, %t: %+v", len(list), more, list)
		}
		list, _, more, err = s.s.APIUsers(ctx, directory.APIQuery{Directory: s.dir.ID, Limit: 20, After: string(list[2].ID), Ascending: true})
		s.ok(err)
		if len(list) != 7 || more || list[0].ID != s.people[3].ID {
			t.Errorf("%d people, %t: %+v", len(list), more, list)
		}
		if present := s.present(); present["dsync.user.created"] != 10 || present["dsync.group.user_added"] != 8 {
			t.Errorf("a snapshot has %v", present)
		}
		s.ok(release(s))
		want := []string{
			"directory.brake_released",
			"~group.user_removed", "user.deleted", "user.deactivated", "organization_membership.deleted",
			"~group.user_removed", "user.deleted", "user.deactivated", "organization_membership.deleted",
		}
		if got := s.news(); !slices.Equal(got, want) {
			t.Errorf("events\n got %v\nwant %v", got, want)
		}
		s.wantKnown(2, "", false)
		s.wantMember(2, member.Removed, member.WhyDirectoryRemoved, false)
	})
}

// present counts what a snapshot has.
func (s *street) present() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	s.ok(s.db.Snapshot(ctx, func(r db.Reader) error {
		d, err := s.s.PresentDirectory(ctx, r, s.dir.ID)
		if err != nil {
			return err
		}
		return s.s.Present(ctx, r, d, func(kind event.Type, _ time.Time, _ []byte) error {
			out[string(kind)]++
			return nil
		})
	}))
	return out
}

func TestRemoved_person_who_is_made_again_while_held_comes_back_under_the_same_id(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		s.remove(3)
		s.news()
		s.reopen()
		back := s.person("p2@acme.example")
		s.provision(s.s)
		if back.ID != s.people[2].ID {
			t.Errorf("made as %s, known as %s", back.ID, s.people[2].ID)
		}
		s.wantNews("~group.user_removed") // a removal ends that for good
		s.wantMember(2, member.Active, member.WhyDirectory, false)
		s.ok(undo(s))
		s.wantNews("directory.brake_undone", "organization_membership.updated")
		s.wantMember(3, member.Active, member.WhyHeldByBrake, false)
		s.wantKnown(3, "active", true)
		s.reopen()
		if back = s.person("p3@acme.example"); back.ID != s.people[3].ID || back.Version < 2 {
			t.Errorf("made as %+v, known as %s", back, s.people[3].ID)
		}
		s.provision(s.s)
		s.wantNews("~group.user_removed", "organization_membership.updated")
		s.wantMember(3, member.Active, member.WhyDirectory, false)
		if again := s.edited(back.ID); again.Version != back.Version+1 {
			t.Errorf("version %d after %d", again.Version, back.Version)
		}
	})
}

func (s *street) edited(id directory.UserID) directory.User {
	s.t.Helper()
	u, _, err := s.s.UpdateUser(ctx, s.a, string(id), directory.Condition{}, put("title", "Engineer"), record)
	s.ok(err)
	return u
}

func TestPerson_who_was_removed_and_is_kept_signs_in(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		s.ok(undo(s))
		m := s.member(2)
		a := member.Arrival{
			OrganizationID: string(s.org.ID), ConnectionID: "conn_1", IDPID: "p2", Email: "p2@acme.example", EmailVerified: true, JIT: member.JITDirectory,
			Standing: member.Standing{Says: member.SaysUnknown},
		}
		f, err := s.members.Facts(ctx, s.db, a)
		s.ok(err)
		if _, err := member.Admit(f, a, time.Now()); err != nil || m.Membership.State != member.Active {
			t.Errorf("%v: %+v", err, m.Membership)
		}
	})
}

func TestInactive_people_who_are_removed_for_consumers_are_so_once_the_hold_ends(t *testing.T) {
	onStreet(t, directory.New{InactiveUsers: directory.Removed}, func(s *street) {
		s.leave(0, 1, 2)
		s.news()
		s.ok(s.s.Align(ctx))
		s.wantNews()
		s.wantKnown(2, "active", true)
		s.ok(release(s))
		s.wantNews("directory.brake_released", "~group.user_removed", "user.deleted", "user.deactivated", "organization_membership.updated")
		s.wantKnown(2, "", false)
	})
}

func TestSuspension_by_a_refused_request_is_held_too(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.news()
		done, err := s.s.SuspendUser(ctx, s.a, string(s.people[2].ID), record)
		s.ok(err)
		if !done {
			t.Error("not suspended")
		}
		s.wantNews("directory.brake_engaged")
		s.wantKnown(2, "active", true)
		if got := s.standing(2); got != directory.StandingInactive {
			t.Errorf("at a sign-in the directory says %s", got)
		}
		s.ok(undo(s))
		if got := s.standing(2); got != directory.StandingActive {
			t.Errorf("kept, and the directory says %s", got)
		}
	})
}

func TestBrake_that_is_switched_off_releases_what_it_holds(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.news()
		b := three()
		b.Enabled = false
		s.brake(b)
		s.wantNews("directory.brake_released", "user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated")
		if h := s.hold(); h.Reason != directory.EndedBySwitch {
			t.Errorf("%+v", h)
		}
		s.leave(3, 4, 5)
		s.hold()
		s.wantMember(5, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestDirectory_that_is_deleted_releases_what_it_holds_and_tells_of_no_person(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.remove(3)
		s.news()
		s.ok(s.s.Delete(ctx, actor(), s.dir.ID))
		s.wantNews("dsync.deleted", "directory.brake_released", "user.deactivated", "organization_membership.updated", "user.deactivated", "organization_membership.deleted")
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
		s.wantMember(3, member.Removed, member.WhyDirectoryRemoved, false)
	})
}

func TestAnother_directory_that_wants_a_held_person_has_them_in(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		first := s.a
		_, secret := s.directory(directory.New{Name: "Entra", Provisioning: directory.Direct})
		s.a = s.open(secret)
		s.person("p2@acme.example")
		s.provision(s.s)
		s.a = first
		s.leave(0, 1, 2, 3)
		s.wantMember(2, member.Active, member.WhyDirectory, false)
		s.wantMember(3, member.Inactive, member.WhyHeldByBrake, true)
		s.ok(release(s))
		s.wantMember(2, member.Active, member.WhyDirectory, false)
		s.wantMember(3, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestErasure_of_somebody_who_is_held_tells_and_forgets(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.remove(3)
		s.news()
		s.ok(s.s.Erase(ctx, actor(), s.people[2].ID))
		s.ok(s.s.Erase(ctx, actor(), s.people[3].ID))
		count := map[string]int{}
		for _, one := range s.news() {
			count[one]++
		}
		if count["user.deleted"] != 2 || count["~group.user_removed"] != 2 || count["user.deactivated"] != 2 || count["organization_membership.deleted"] != 2 {
			t.Errorf("%v", count)
		}
		var documents int
		s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_held_people WHERE document IS NOT NULL OR user_name_key <> '' OR external_id IS NOT NULL`).Scan(&documents))
		if documents != 0 {
			t.Errorf("%d documents are kept", documents)
		}
		s.wantKnown(2, "", false)
		s.wantKnown(3, "", false)
		s.ok(release(s))
		s.wantNews("directory.brake_released")
	})
}

func TestGroup_of_a_held_person_is_told_of_as_before(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.news()
		s.house.members(s.group, scim.MembersRemove, string(s.people[2].ID))
		s.wantNews("group.user_removed")
		s.ok(release(s))
		s.wantNews("directory.brake_released", "user.updated", "user.deactivated", "organization_membership.updated")
	})
}

// TestTwo_processes_count_together: of ten who leave at once, in two processes, no more than two are not held.
func TestTwo_processes_count_together(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		other := s.process()
		var all sync.WaitGroup
		for i, u := range s.people {
			of := []*directory.Service{s.s, other}[i%2]
			all.Go(func() {
				_, _, err := of.UpdateUser(ctx, s.a, string(u.ID), directory.Condition{MentionsActive: true}, inactive(), record)
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if h := s.hold(); h.People != 8 {
			t.Errorf("%d are held", h.People)
		}
	})
}

func TestBrake_that_is_off_asks_and_writes_nothing_of_its_own(t *testing.T) {
	each(t, func(h *house) {
		for _, table := range []string{"directory_brakes", "directory_departures", "directory_holds", "directory_held_people"} {
			_, err := h.exec(`DROP TABLE ` + table)
			h.ok(err)
		}
		ada, bob := h.person("ada"), h.person("bob")
		g := h.group("Staff", string(ada.ID), string(bob.ID))
		h.activate(ada.ID, false)
		h.activate(ada.ID, true)
		h.ok(h.s.DeleteUser(ctx, h.a, string(bob.ID), directory.Condition{}, record))
		h.members(g, scim.MembersRemove, string(ada.ID))
		_, _, _, err := h.s.APIUsers(ctx, directory.APIQuery{Directory: h.dir.ID, Limit: 5})
		h.ok(err)
		h.wantNews("user.created", "user.created", "group.created", "group.user_added", "group.user_added", "user.updated", "~group.user_removed",
			"user.updated", "~group.user_added", "~group.user_removed", "user.deleted", "group.user_removed")
	})
}

// once is a record that does something else after a request has read and decided, before it writes; the first time only.
func once(other func()) directory.Record {
	done := false
	return func(o directory.Outcome) *directory.Exchange {
		if !done {
			done = true
			other()
		}
		return record(o)
	}
}

// hooked are members that do something else after a hold's end was decided, before it is written; the first time only.
type hooked struct {
	*member.Service
	other  func()
	silent bool // members take over nothing, and guard nothing
}

func (h *hooked) EndHoldInto(ctx context.Context, r db.Reader, w *db.Write, e member.HoldEnd, cause event.Context) error {
	if !h.silent {
		if err := h.Service.EndHoldInto(ctx, r, w, e, cause); err != nil {
			return err
		}
	}
	if other := h.other; other != nil {
		h.other = nil
		other()
	}
	return nil
}

func TestPerson_who_leaves_while_the_hold_is_undone_is_not_kept_by_it(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		other := s.process()
		_, _, err := s.s.UpdateUser(ctx, s.a, string(s.people[3].ID), directory.Condition{MentionsActive: true}, inactive(), once(func() {
			_, err := other.Undo(ctx, actor(), s.dir.ID, s.hold().ID)
			s.ok(err)
		}))
		s.ok(err)
		s.wantMember(2, member.Active, member.WhyHeldByBrake, false)
		s.wantMember(3, member.Inactive, member.WhyHeldByBrake, true)
		if found := s.holds(); len(found) != 2 || found[0].State != directory.HoldWaits || found[0].People != 1 || found[1].People != 1 {
			t.Errorf("%+v", found)
		}
	})
}

func inactive() func(*scim.Object) (*scim.Object, error) {
	return set(scim.Member{Name: "active", Value: scim.BoolOf(false)})
}

func TestPerson_whom_the_directory_writes_while_the_hold_ends_is_what_it_says(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3)
		h := &hooked{Service: s.members}
		s.s.SetMembers(h, s.teams())
		s.news()
		other := s.process()
		h.other = func() {
			_, _, err := other.UpdateUser(ctx, s.a, string(s.people[2].ID), directory.Condition{MentionsActive: true}, set(scim.Member{Name: "active", Value: scim.BoolOf(true)}), record)
			s.ok(err)
		}
		s.ok(release(s))
		s.provision(s.s)
		s.wantNews("directory.brake_released", "user.updated", "~group.user_removed", "user.deactivated", "organization_membership.updated")
		s.wantMember(2, member.Active, member.WhyDirectory, false)
		s.wantKnown(2, "active", false)
		s.wantMember(3, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestPeople_of_a_hold_are_told_of_once_though_another_process_was_faster(t *testing.T) {
	for name, end := range map[string]func(*street) error{"release": release, "undo": undo, "directory deleted": func(s *street) error {
		return s.s.Delete(ctx, actor(), s.dir.ID)
	}} {
		t.Run(name, func(t *testing.T) {
			onStreet(t, directory.New{}, func(s *street) {
				s.leave(0, 1, 2)
				s.remove(3)
				h := &hooked{Service: s.members}
				s.s.SetMembers(h, s.teams())
				s.news()
				other := s.process()
				h.other = func() { s.ok(other.KeepHolds(ctx)) }
				s.ok(end(s))
				count := map[string]int{}
				for _, one := range s.news() {
					count[one]++
				}
				for kind, n := range count {
					if most := map[string]int{"organization_membership.updated": 2, "user.deactivated": 2, "~group.user_removed": 2}[kind]; n > max(most, 1) {
						t.Errorf("%s was told %d times", kind, n)
					}
				}
				if count["user.deleted"] != map[string]int{"release": 1}[name] {
					t.Errorf("the removed person was told of %d times", count["user.deleted"])
				}
				if count["organization_membership.updated"]+count["organization_membership.deleted"] != 2 {
					t.Errorf("%v", count)
				}
			})
		})
	}
}

func TestHeld_person_who_is_changed_while_the_hold_ends_is_told_of_as_they_are(t *testing.T) {
	for _, kept := range []bool{false, true} {
		onStreet(t, directory.New{}, func(s *street) {
			s.leave(0, 1, 2)
			h := &hooked{Service: s.members}
			s.s.SetMembers(h, s.teams())
			s.news()
			other := s.process()
			h.other = func() {
				_, _, err := other.UpdateUser(ctx, s.a, string(s.people[2].ID), directory.Condition{}, put("displayName", "Ada L."), record)
				s.ok(err)
			}
			if kept {
				s.ok(undo(s))
				s.wantKnown(2, "active", true)
				if got := s.standing(2); got != directory.StandingActive {
					t.Errorf("kept, and the directory says %s", got)
				}
				s.activate(s.people[2].ID, true)
			} else {
				s.ok(release(s))
				s.wantKnown(2, "inactive", false)
			}
			told := s.newEvents()
			at := slices.IndexFunc(told, func(e event.Event) bool { return e.Type == event.DirectoryUserUpdated })
			if at < 0 || !strings.Contains(string(told[at].Data), `"name":"Ada L."`) {
				t.Errorf("kept %t: of %d events none tells of the name", kept, len(told))
			}
		})
	}
}

func TestHeld_person_who_joins_a_group_while_the_hold_ends_leaves_that_too(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		sales := s.house.group("Sales")
		s.leave(0, 1, 2)
		h := &hooked{Service: s.members}
		s.s.SetMembers(h, s.teams())
		s.news()
		h.other = func() { s.house.members(sales, scim.MembersAdd, string(s.people[2].ID)) }
		s.ok(release(s))
		s.wantNews("directory.brake_released", "group.user_added", "user.updated", "~group.user_removed", "~group.user_removed", "user.deactivated", "organization_membership.updated")
	})
}

func TestPeople_of_a_hold_are_told_of_once_without_what_members_guard(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.remove(3)
		h, g := &hooked{Service: s.members, silent: true}, &hooked{Service: s.members, silent: true}
		s.s.SetMembers(h, s.teams())
		other := s.process()
		other.SetMembers(g, s.teams())
		s.news()
		h.other = func() { s.ok(other.KeepHolds(ctx)) }
		s.ok(release(s))
		s.wantNews("directory.brake_released", "user.updated", "~group.user_removed", "~group.user_removed", "user.deleted")
	})
}

func TestRemoved_person_of_a_hold_is_told_of_once(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		h := &hooked{Service: s.members, silent: true}
		s.s.SetMembers(h, s.teams())
		other := s.process()
		other.SetMembers(&hooked{Service: s.members, silent: true}, s.teams())
		s.news()
		h.other = func() { s.ok(other.KeepHolds(ctx)) }
		s.ok(release(s))
		s.wantNews("directory.brake_released", "~group.user_removed", "user.deleted")
	})
}

func TestPerson_who_is_made_again_while_the_hold_ends_is_somebody_new(t *testing.T) {
	for _, active := range []bool{true, false} {
		for _, kept := range []bool{true, false} { // the accounts, here
			onStreet(t, directory.New{}, func(s *street) {
				other := s.process()
				want := []string{"directory.brake_released", "~group.user_removed", "user.deleted", "user.deactivated", "organization_membership.deleted", "user.created"}
				if !kept {
					s.s.SetMembers(nil, nil)
					other.SetMembers(nil, nil)
					want = slices.Delete(want, 3, 5)
				}
				s.leave(0, 1)
				s.remove(2)
				s.reopen()
				s.news()
				u, _, err := s.s.CreateUser(ctx, s.a, doc(t, fmt.Sprintf(`{"userName":"p2@acme.example","active":%t}`, active)), once(func() {
					_, err := other.Release(ctx, actor(), s.dir.ID, s.hold().ID)
					s.ok(err)
				}))
				s.ok(err)
				if u.ID == s.people[2].ID || u.Version != 1 || u.Held != "" {
					t.Errorf("%+v", u)
				}
				s.wantNews(want...)
			})
		}
	}
}

func TestPerson_who_is_made_under_the_name_of_a_held_one_is_known_by_the_external_id(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		first := s.user(`{"userName":"zoe@acme.example","externalId":"zoe-1","active":true}`)
		second := s.user(`{"userName":"kim@acme.example","externalId":"kim-1","active":true}`)
		for _, u := range []directory.User{first, second} {
			s.ok(s.s.DeleteUser(ctx, s.a, string(u.ID), directory.Condition{}, record))
		}
		s.reopen()
		if other := s.user(`{"userName":"zoe@acme.example","externalId":"zoe-2","active":true}`); other.ID == first.ID {
			t.Error("somebody else, who has the name now, is taken for who was removed")
		}
		if back := s.user(`{"userName":"kim.married@acme.example","externalId":"kim-1","active":true}`); back.ID != second.ID {
			t.Error("who was removed and is made again under another name is somebody new")
		}
	})
}

func TestPerson_who_is_made_again_inactive_stays_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		s.reopen()
		s.news()
		u := s.user(`{"userName":"p2@acme.example","active":false}`)
		if u.ID != s.people[2].ID || u.Held != member.HeldWaiting {
			t.Errorf("%+v", u)
		}
		s.provision(s.s)
		s.wantNews("~group.user_removed")
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)
		s.ok(release(s))
		s.wantNews("directory.brake_released", "user.updated", "user.deactivated", "organization_membership.updated")
	})
}

func TestPerson_who_comes_back_and_leaves_again_is_held_once(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3)
		s.news()
		s.activate(s.people[2].ID, true)
		s.provision(s.s)
		s.leave(2)
		s.wantNews()
		if h := s.hold(); h.People != 2 {
			t.Errorf("%d are held", h.People)
		}
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)
		s.ok(release(s))
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestPerson_who_was_read_before_a_hold_ended_is_not_held_by_it_again(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.edit(s.people[2].ID, put("title", "Engineer")) // due, and not applied yet
		l := &ledgerOfApplied{Service: s.members}
		s.s.SetMembers(l, s.teams())
		other := s.process()
		l.before = func() {
			_, err := other.Release(ctx, actor(), s.dir.ID, s.hold().ID)
			s.ok(err)
		}
		s.provision(s.s)
		s.provision(s.s)
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

// ledgerOfApplied does something else before somebody is applied who was read; the first time only.
type ledgerOfApplied struct {
	*member.Service
	before func()
}

func (l *ledgerOfApplied) ApplyInto(ctx context.Context, r db.Reader, w *db.Write, p member.DirectoryPerson, known *member.Foreknown, cause event.Context) (member.Outcome, error) {
	if before := l.before; before != nil && p.Held == member.HeldWaiting {
		l.before = nil
		before()
	}
	return l.Service.ApplyInto(ctx, r, w, p, known, cause)
}

func TestRefused_request_that_deactivates_somebody_who_is_kept_shuts_them_out(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.ok(undo(s))
		s.clock.move(time.Hour)
		done, err := s.s.SuspendUser(ctx, s.a, string(s.people[2].ID), record)
		s.ok(err)
		if !done {
			t.Error("nothing was done")
		}
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
		s.wantKnown(2, "inactive", false)
	})
}

func TestPerson_who_is_kept_and_shut_out_again_in_a_burst_is_held_again(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		s.leave(3)
		s.ok(undo(s))
		s.news()
		s.reopen()
		s.activate(s.people[3].ID, false)
		s.wantNews("directory.brake_engaged")
		s.wantMember(3, member.Inactive, member.WhyHeldByBrake, true)
		s.ok(s.s.DeleteUser(ctx, s.a, string(s.people[3].ID), directory.Condition{}, record))
		s.wantNews()
		s.wantKnown(3, "active", true)
		s.wantKnown(2, "active", true) // who was deleted stays kept until they are made again
	})
}

func TestDepartures_are_forgotten_once_they_cannot_count(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0)
		s.clock.move(time.Hour)
		s.ok(s.s.ForgetDepartures(ctx))
		var n int
		s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_departures`).Scan(&n))
		if n != 1 {
			t.Errorf("%d, an hour later", n)
		}
		s.clock.move(24 * time.Hour)
		s.ok(s.s.ForgetDepartures(ctx))
		s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_departures`).Scan(&n))
		if n != 0 {
			t.Errorf("%d, a day later", n)
		}
	})
}

func TestOrganization_that_is_deleted_leaves_nothing_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.ok(s.db.Tx(ctx, func(tx db.Tx) error {
			return s.s.DeleteOrganizationTx(ctx, tx, actor(), string(s.org.ID), s.clock.now())
		}))
		for _, table := range []string{"directory_holds", "directory_held_people", "directory_departures"} {
			var n int
			s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM `+table).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	})
}

// TestGroup_pushed_whole_while_a_held_person_is_removed: where no event would tell of the removal, each person is looked at.
func TestGroup_pushed_whole_while_a_held_person_is_removed_does_not_have_them(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		var all []string
		for i := range 80 {
			all = append(all, string(s.person(fmt.Sprintf("q%d@acme.example", i)).ID))
		}
		s.brake(directory.Brake{Enabled: true, Share: 1, People: 2, Window: 15, Hold: 60})
		s.leave(0, 1)
		s.reopen()
		g := s.house.group("Everybody")
		_, _, err := s.s.UpdateGroup(ctx, s.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
			return o, []scim.MemberChange{{Kind: scim.MembersAdd, Members: refs(all...)}}, nil
		}, once(func() {
			s.ok(s.process().DeleteUser(ctx, s.a, all[7], directory.Condition{}, record))
		}))
		s.ok(err)
		var n int
		s.ok(s.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_group_members WHERE member_id = $1`, all[7]).Scan(&n))
		if n != 0 {
			t.Error("somebody who was removed is in the group")
		}
	})
}

func TestHeld_person_who_cannot_be_seen_to_holds_up_nobody(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2, 3)
		s.news()
		_, err := s.exec(`UPDATE directory_held_people SET document = 'broken' WHERE directory_user_id = $1`, string(s.people[2].ID))
		s.ok(err)
		s.ok(release(s))
		s.wantMember(3, member.Inactive, member.WhyDirectoryInactive, false)
		if err := s.s.KeepHolds(ctx); err == nil {
			t.Error("nobody learns that somebody could not be seen to")
		}
		_, err = s.exec(`UPDATE directory_held_people SET document = $2 WHERE directory_user_id = $1`, string(s.people[2].ID), []byte(`{"userName":"p2@acme.example"}`))
		s.ok(err)
		s.ok(s.s.KeepHolds(ctx))
		s.wantMember(2, member.Inactive, member.WhyDirectoryInactive, false)
	})
}

func TestBrake_holds_the_events_where_the_app_keeps_the_accounts(t *testing.T) {
	each(t, func(h *house) {
		_, err := h.s.SetBrake(ctx, actor(), h.dir.ID, directory.Brake{Enabled: true, Share: 20, People: 2, Window: 15, Hold: 60})
		h.ok(err)
		h.reopen()
		ada, bob := h.person("ada"), h.person("bob")
		h.group("Staff", string(ada.ID), string(bob.ID))
		h.activate(ada.ID, false)
		h.news()
		h.activate(bob.ID, false)
		h.wantNews("directory.brake_engaged")
		found, _, err := h.s.Holds(ctx, directory.HoldQuery{Directory: h.dir.ID, Limit: 5})
		h.ok(err)
		_, err = h.s.Release(ctx, actor(), h.dir.ID, found[0].ID)
		h.ok(err)
		h.wantNews("directory.brake_released", "user.updated", "~group.user_removed")
	})
}

func TestHeld_people_are_not_told_of_when_the_setting_for_inactive_people_changes(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		s.news()
		s.update(directory.Changes{InactiveUsers: to(directory.Removed)})
		s.ok(s.s.Align(ctx))
		s.wantNews("~user.deleted", "~user.deleted")
		s.reopen()
		s.ok(release(s))
		s.wantNews("directory.brake_released", "~group.user_removed", "user.deleted", "user.deactivated", "organization_membership.updated")
	})
}

func TestRemoved_person_who_is_looked_at_again_stays_held(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1)
		s.remove(2)
		_, err := s.exec(`INSERT INTO directory_people_due (directory_id, directory_user_id, organization_id, number, cause, tries, next_at, created_at)
			VALUES ($1, $2, $3, 1, '{}', 0, 1, 1)`, string(s.dir.ID), string(s.people[2].ID), string(s.org.ID))
		s.ok(err)
		s.news()
		s.provision(s.s)
		s.wantNews()
		s.wantMember(2, member.Inactive, member.WhyHeldByBrake, true)
	})
}
