package directory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

func TestPeople_of_a_hold_are_read_by_pages_and_counted_while_they_wait(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		if _, waits, err := s.s.WaitingOf(ctx, s.look()); waits || err != nil {
			t.Fatalf("a hold of nobody, %v", err)
		}
		s.leave(0, 1, 2, 3, 4, 5)
		s.remove(5)
		h, waits, err := s.s.WaitingOf(ctx, s.look())
		if err != nil || !waits || h.ID != s.hold().ID {
			t.Fatalf("%+v, %t, %v", h, waits, err)
		}
		s.activate(s.people[4].ID, true)
		s.wantStillHeld(h.ID, 3)
		first := s.wantHeld(directory.HeldQuery{Hold: h.ID, Limit: 2}, true, "p5@acme.example", "p4@acme.example")
		if first[0].Says != "removed" || first[0].State != directory.HeldWaits || first[1].State != directory.HeldReturned {
			t.Errorf("%+v", first)
		}
		s.wantHeld(directory.HeldQuery{Hold: h.ID, After: first[1].User, Limit: 2}, false, "p3@acme.example", "p2@acme.example")
		s.wantHeld(directory.HeldQuery{Hold: h.ID, Before: s.people[2].ID, Limit: 1}, true, "p3@acme.example")
		all, err := s.s.Waiting(ctx, 10)
		if err != nil || len(all) != 1 || all[0].ID != h.ID {
			t.Errorf("waiting everywhere: %+v, %v", all, err)
		}
		s.ok(release(s))
		s.wantStillHeld(h.ID, 0)
		s.wantHeld(directory.HeldQuery{Hold: h.ID, Limit: 1}, true, "") // deleted: nothing but the id is known
		if all, err = s.s.Waiting(ctx, 10); err != nil || len(all) != 0 {
			t.Errorf("still waiting: %+v, %v", all, err)
		}
	})
}

func TestHold_of_one_directory_is_not_read_through_another(t *testing.T) {
	onStreet(t, directory.New{}, func(s *street) {
		s.leave(0, 1, 2)
		h := s.hold()
		other, _ := s.directory(directory.New{Name: "Other"})
		_, err := s.s.Hold(ctx, other.ID, h.ID)
		s.wantFault(err, fault.NotFound, "entity_not_found")
		people, _, err := s.s.HeldPeople(ctx, directory.HeldQuery{Directory: other.ID, Hold: h.ID, Limit: 10})
		if err != nil || len(people) != 0 {
			t.Errorf("%+v, %v", people, err)
		}
		if _, waits, err := s.s.WaitingOf(ctx, directory.Directory{ID: other.ID, Holding: true}); waits || err != nil {
			t.Errorf("waits: %t, %v", waits, err)
		}
	})
}

func (s *street) wantStillHeld(h directory.HoldID, want int64) {
	s.t.Helper()
	if now, err := s.s.Hold(ctx, s.dir.ID, h); err != nil || now.Still != want {
		s.t.Errorf("%d are held, %v; want %d", now.Still, err, want)
	}
}

// look is the directory as it is now.
func (s *street) look() directory.Directory {
	s.t.Helper()
	d, err := s.s.Get(ctx, s.dir.ID)
	s.ok(err)
	return d
}

func TestHold_that_has_caught_more_than_somebody_saw_is_not_ended_by_them(t *testing.T) {
	type verb func(context.Context, event.Actor, directory.ID, directory.HoldID, int64) (directory.Hold, error)
	for name, end := range map[string]func(*directory.Service) verb{
		"release": func(s *directory.Service) verb { return s.ReleaseSeen }, "undo": func(s *directory.Service) verb { return s.UndoSeen },
	} {
		t.Run(name, func(t *testing.T) {
			onStreet(t, directory.New{}, func(s *street) {
				s.leave(0, 1, 2)
				seen, err := s.s.Hold(ctx, s.dir.ID, s.hold().ID)
				s.ok(err)
				s.leave(3) // between the page and its answer
				s.news()
				_, err = end(s.s)(ctx, actor(), s.dir.ID, seen.ID, seen.Still)
				var moved *directory.HoldMovedError
				if !errors.As(err, &moved) || moved.Still != seen.Still+1 {
					t.Fatalf("%v", err)
				}
				s.wantFault(err, fault.Conflict, directory.CodeHoldMoved)
				s.wantNews()
				if h := s.hold(); h.State != directory.HoldWaits || !h.EndedAt.IsZero() {
					t.Errorf("ended: %+v", h)
				}
				s.wantStillHeld(seen.ID, moved.Still)
				h, err := end(s.s)(ctx, actor(), s.dir.ID, seen.ID, moved.Still)
				s.ok(err)
				if h.State == directory.HoldWaits {
					t.Errorf("not ended: %+v", h)
				}
				_, err = end(s.s)(ctx, actor(), s.dir.ID, seen.ID, 99)
				s.wantFault(err, fault.Conflict, "hold_ended")
			})
		})
	}
}

// wantHeld asks for a page of the people of a hold by their addresses.
func (s *street) wantHeld(q directory.HeldQuery, more bool, want ...string) []directory.HeldPerson {
	s.t.Helper()
	q.Directory = s.dir.ID
	got, follow, err := s.s.HeldPeople(ctx, q)
	s.ok(err)
	if len(got) != len(want) || follow != more {
		s.t.Fatalf("%d people, more %t: %+v", len(got), follow, got)
	}
	for i, p := range got {
		if p.Email != want[i] || p.UserName != want[i] {
			s.t.Errorf("%d is %+v, want %s", i, p, want[i])
		}
	}
	return got
}
