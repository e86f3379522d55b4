package e2e_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// Two directories are written to while the backup runs. What was acknowledged before it began is in it, what is in it was sent, and
// each event tells of its change: the backup is of one moment. It is restored into either engine and goes on from there.
func TestBackup_beside_a_busy_server_has_everything_acknowledged_before_and_is_of_one_moment(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		p := h.start(t)
		left, right := newBook(t, p, "Left"), newBook(t, p, "Right")
		file := filepath.Join(h.dir, "busy.backup")
		before, log := backupUnderLoad(t, h, p, file, left, right)
		p.stop(t)

		for _, target := range dbtest.Engines(t) {
			t.Run("restored into "+string(target), func(t *testing.T) {
				x := newHome(t, target)
				if code, _, complaints := x.finish(t, "restore", file); code != 0 {
					t.Fatalf("restore: %d %s", code, complaints)
				}
				p := x.start(t)
				all, err := p.api().follow(t.Context(), "")
				must(t, err)
				checkOnce(t, all)
				all = ofDirectories(all)
				if len(all) < before || len(all) > len(log) || !slices.Equal(ids(all), ids(log[:len(all)])) {
					t.Errorf("the backup has %d events; %d were acknowledged before, and the server had %d in the end", len(all), before, len(log))
				}
				for _, b := range []*book{left, right} {
					b.asOf(t, all).audit(t, p, all)
				}
				foreign(t, p, left, right)
				left.scim(p).must(t, 201, "POST", "/Users", userBody("afterwards", "Left"))
				more, err := p.api().follow(t.Context(), lastID(all))
				must(t, err)
				more = ofDirectories(more)
				if len(more) != 1 || more[0].Event != born {
					t.Errorf("after the restore follow %v", more)
				}
				p.stop(t)
			})
		}
	})
}

// asOf is the book as it stood when the log had just these events.
func (b *book) asOf(t *testing.T, log []happening) *book {
	t.Helper()
	then := &book{tenant: b.tenant, tag: b.tag, group: b.group}
	told := b.told(t, log)
	for _, x := range b.people {
		if events, there := told[x.id]; there {
			then.people = append(then.people, &person{name: x.name, id: x.id, acked: events})
		}
	}
	return then
}

// backupUnderLoad gives how many events were readable before the backup began, and the whole log in the end.
func backupUnderLoad(t *testing.T, h *home, p *process, file string, books ...*book) (before int, log []happening) {
	t.Helper()
	const crowd, warm = 12, 150
	var enough atomic.Bool
	var working sync.WaitGroup
	for _, b := range books {
		idp := b.scim(p)
		for range crowd {
			working.Go(func() {
				for number := 0; !enough.Load() && !t.Failed(); number++ {
					if ok, err := b.life(context.Background(), t, idp, number); err != nil || !ok {
						t.Errorf("a request failed beside the backup: %t %v", ok, err)
						return
					}
				}
			})
		}
	}
	steps := func() (n int) {
		for _, b := range books {
			n += b.acknowledged()
		}
		return n
	}
	eventually(t, "some load", func() bool { return steps() > warm || t.Failed() })
	acked, err := p.api().follow(t.Context(), "")
	must(t, err)
	began := steps()
	code, _, complaints := h.finish(t, "backup", file)
	during := steps() - began
	eventually(t, "more load", func() bool { return steps() > began+during+warm || t.Failed() })
	enough.Store(true)
	working.Wait()
	if code != 0 {
		t.Fatalf("backup: %d %s", code, complaints)
	}
	if during == 0 {
		t.Error("nobody could write while the backup was made")
	}
	all, err := p.api().follow(t.Context(), "")
	must(t, err)
	return len(ofDirectories(acked)), ofDirectories(all)
}

// ofDirectories leaves out what a server causes by itself: a restored one goes on inviting those who were due when the backup was
// made, and these events are its own.
func ofDirectories(log []happening) []happening {
	return slices.DeleteFunc(slices.Clone(log), func(e happening) bool { return !strings.HasPrefix(e.Event, "dsync.") })
}

// What a killed server left in SQLite's log beside the file belongs to the backup too.
func TestBackup_after_a_kill_has_what_was_acknowledged(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		p := h.start(t)
		x := newTenant(t, p, "Acme")
		x.scim(p).must(t, 201, "POST", "/Users", userBody("last", "Last"))
		p.kill(t)
		file := filepath.Join(h.dir, "after.backup")
		if code, _, complaints := h.finish(t, "backup", file); code != 0 {
			t.Fatalf("backup: %d %s", code, complaints)
		}
		other := newHome(t, engine)
		if code, _, complaints := other.finish(t, "restore", file); code != 0 {
			t.Fatalf("restore: %d %s", code, complaints)
		}
		p = other.start(t)
		if all := people(t, x.scim(p)); len(all) != 1 || text(all[0], "userName") != "last" {
			t.Errorf("the backup has %v", all)
		}
		p.stop(t)
		p = h.start(t) // and the original is none the worse
		x.scim(p).must(t, 201, "POST", "/Users", userBody("next", "Next"))
		p.stop(t)
	})
}
