package directory_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// process is a further Rollcall process on the same database, with its background work running.
func (h *house) process(t *testing.T) *directory.Service {
	ids := token.NewSource(time.Now)
	s := directory.NewService(directory.Options{DB: h.db, Events: event.NewLog(h.db, ids), IDs: ids, Now: time.Now, Logger: slog.New(slog.DiscardHandler), APIKeys: h.orgs})
	running, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { s.Run(running) })
	t.Cleanup(func() {
		stop()
		done.Wait()
	})
	return s
}

// processes are all that serve: with PostgreSQL three, which answer from memory.
func (h *house) processes() []*directory.Service {
	if h.db.Engine() == db.SQLite {
		return []*directory.Service{h.s}
	}
	out := []*directory.Service{h.s, h.process(h.t), h.process(h.t)}
	time.Sleep(800 * time.Millisecond) // until they hold leases
	return out
}

func TestRevoked_token_is_refused_by_every_process_from_the_next_request_on(t *testing.T) {
	each(t, func(h *house) {
		processes := h.processes()
		for range 3 {
			made, secret, err := h.s.CreateToken(ctx, actor(), h.dir.ID)
			h.ok(err)
			for _, s := range processes {
				for range 3 {
					_, err := s.Authenticate(ctx, h.dir.AddressKey, secret)
					h.ok(err)
				}
			}
			h.ok(h.s.RevokeToken(ctx, actor(), h.dir.ID, made.ID))
			for i, s := range processes {
				if _, err := s.Authenticate(ctx, h.dir.AddressKey, secret); !fault.Is(err, fault.Unauthorized) {
					h.t.Fatalf("process %d still lets the revoked token in: %v", i, err)
				}
			}
		}
	})
}

// A process that stalls (here: whose background work has stopped) must not let a revoked token in either.
func TestProcess_without_a_lease_asks_the_database(t *testing.T) {
	each(t, func(h *house) {
		if h.db.Engine() == db.SQLite {
			return // one process
		}
		ids := token.NewSource(time.Now)
		stalled := directory.NewService(directory.Options{DB: h.db, Events: event.NewLog(h.db, ids), IDs: ids, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		running, stop := context.WithCancel(ctx)
		go stalled.Run(running)
		time.Sleep(800 * time.Millisecond)
		_, err := stalled.Authenticate(ctx, "", h.token)
		h.ok(err)
		tokens, err := h.s.Tokens(ctx, h.dir.ID)
		h.ok(err)
		stop()
		h.ok(h.s.RevokeToken(ctx, actor(), h.dir.ID, tokens[0].ID))
		if _, err := stalled.Authenticate(ctx, "", h.token); !fault.Is(err, fault.Unauthorized) {
			h.t.Fatalf("a stalled process lets the revoked token in: %v", err)
		}
	})
}

func TestThird_live_token_is_a_conflict(t *testing.T) {
	each(t, func(h *house) {
		second, _, err := h.s.CreateToken(ctx, actor(), h.dir.ID)
		h.ok(err)
		_, _, err = h.s.CreateToken(ctx, actor(), h.dir.ID)
		h.wantFault(err, fault.Conflict, "token_limit")
		h.ok(h.s.RevokeToken(ctx, actor(), h.dir.ID, second.ID))
		_, _, err = h.s.CreateToken(ctx, actor(), h.dir.ID)
		h.ok(err)
		h.wantNews("dsync.token.created", "dsync.token.revoked", "dsync.token.created")
	})
}

func TestFirst_accepted_request_links_the_directory_once(t *testing.T) {
	each(t, func(h *house) {
		d, secret := h.directory(directory.New{Name: "New"})
		h.news()
		if d.State != directory.Unlinked {
			h.t.Fatalf("a new directory is %s", d.State)
		}
		a, old := h.open(secret), h.a
		h.a = a
		h.person("ada")
		h.wantNews("dsync.activated", "user.created")
		h.person("bob") // with the access that was opened before
		h.wantNews("user.created")
		h.ok(h.s.NoteAccepted(ctx, a))
		h.wantNews()
		found, err := h.s.Get(ctx, d.ID)
		h.ok(err)
		if found.State != directory.Linked {
			h.t.Errorf("the directory is %s", found.State)
		}
		h.a = old
	})
}
