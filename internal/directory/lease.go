package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// With PostgreSQL several processes share the tokens, and asking the database about the epoch for every request would cost as
// much as the request. So each process holds a lease: a row that says which epoch it has adopted and until when it may answer
// from memory. Whoever takes access away waits, after the commit, until every live lease has adopted the new epoch or has ended;
// only then is the revocation answered. From that answer on no process lets the token in.
//
// A process trusts its lease on its own clock, counted from before the renewal was sent, and for less than the database
// grants. It publishes an epoch only after it has adopted it. Whatever goes wrong, a stalled process or a lost connection,
// ends in the lease being over, and then requests ask the database again.

const (
	leaseRenewal  = 500 * time.Millisecond
	leaseTrusted  = 1500 * time.Millisecond // of the two seconds granted
	leasePatience = 3 * time.Second         // longer than any lease lives
)

func (d *door) leaseHolds() bool { return int64(time.Since(d.start)) < d.leased.Load() }

// keepLease adopts the present epoch and publishes it, and so may answer from memory for a while.
func (s *Service) keepLease(ctx context.Context) error {
	if s.db.Engine() == db.SQLite {
		return nil
	}
	d := &s.door
	before := time.Since(d.start)
	a := d.read(ctx)
	if a.err != nil {
		return fmt.Errorf("read the door epoch: %w", a.err)
	}
	d.local.Store(a.epoch)
	var w db.Write
	w.Exec(renewLease, d.process, a.epoch)
	if err := s.db.Write(ctx, &w); err != nil {
		d.leased.Store(0)
		return fmt.Errorf("renew the door lease: %w", err)
	}
	d.leased.Store(int64(before + leaseTrusted))
	return nil
}

// endLease gives the lease back, so that nobody waits for a process that has stopped.
func (s *Service) endLease(ctx context.Context) error {
	s.door.leased.Store(0)
	if s.db.Engine() == db.SQLite {
		return nil
	}
	var w db.Write
	w.Exec(endLease, s.door.process)
	return s.db.Write(ctx, &w)
}

// awaitDoors returns when no process can let in any more what a committed change has shut out.
func (s *Service) awaitDoors(ctx context.Context) error {
	if s.db.Engine() == db.SQLite {
		return nil
	}
	if err := s.keepLease(ctx); err != nil {
		return err
	}
	epoch := s.door.local.Load()
	for until := time.Now().Add(leasePatience); time.Now().Before(until); {
		var waiting bool
		if err := s.db.QueryRow(ctx, anyLeaseBelow, epoch).Scan(&waiting); err != nil || !waiting {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
	return fault.New(fault.Unavailable, "busy", "The access is ended in the database, but another process has not confirmed it. Ask again.")
}
