package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// When a setting changes that decides about everybody, everybody is made due: a hundred at a time, in the order of ids, and only while
// few are waiting, so that what providers send meanwhile is not kept waiting behind them. How far it has come is in the directory's row,
// where it survives a restart, and where several processes go on with it by turns.
//
// A request that was let in before a mapping changed may still leave out somebody whom the new mapping concerns. So some time later, when
// no such request can be under way any more, everybody is looked at once more; nothing is written for those who are as they should be.
const (
	reapplyChunk    = 100             // people made due at once
	reapplyWaiting  = 100             // due of a directory up to which more are added
	reapplyPatience = 2 * time.Minute // longer than any request that is under way
)

// ProgressState says whether everybody has been looked at.
type ProgressState string

// The states.
const (
	UpToDate ProgressState = "up_to_date"
	Applying ProgressState = "applying"
)

// Progress is how far members have come with what a directory says.
type Progress struct {
	State ProgressState
	Done  int64
	Total int64 // people to look at: those of the last re-application, or more if more are due
}

// ReapplyTx has everybody of a directory looked at again, because their organization's mapping has changed. It joins the transaction of
// the change; after the commit the caller calls Await. A directory that is not there, or does not speak yet, is left alone.
func (s *Service) ReapplyTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, id ID) error {
	if err := s.door.moved(ctx, tx); err != nil {
		return err
	}
	at := s.time().Add(reapplyPatience)
	return s.startReapply(ctx, tx, event.Context{Actor: actor}, organizationID, id, at)
}

// Reapply is ReapplyTx in a transaction of its own. When it returns no request of any process is decided by the mapping of before.
func (s *Service) Reapply(ctx context.Context, actor event.Actor, organizationID string, id ID) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error { return s.ReapplyTx(ctx, tx, actor, organizationID, id) })
	if err != nil {
		return fmt.Errorf("apply directory %s anew: %w", id, err)
	}
	return s.awaitDoors(ctx)
}

// LookAgainTx is ReapplyTx for what no door remembers, such as the order of roles: nobody has to await anything.
func (s *Service) LookAgainTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID, directoryID string) error {
	return s.startReapply(ctx, tx, event.Context{Actor: actor}, organizationID, ID(directoryID), s.time().Add(reapplyPatience))
}

// reapplyTx is for settings that only Provision reads: requests that are under way do not matter.
func (s *Service) reapplyTx(ctx context.Context, tx db.Tx, cause event.Context, d Directory) error {
	return s.startReapply(ctx, tx, cause, d.OrganizationID, d.ID, time.Time{})
}

func (s *Service) startReapply(ctx context.Context, tx db.Tx, cause event.Context, organizationID string, id ID, onceMore time.Time) error {
	if !s.keeps() {
		return nil
	}
	_, err := tx.Exec(ctx, startReapply, organizationID, string(id), db.MicrosOrNull(onceMore), cause.JSON())
	if err != nil {
		return fmt.Errorf("have the people of directory %s looked at again: %w", id, err)
	}
	tx.OnCommit(s.provision.nudge)
	return nil
}

// DueInto has one person looked at again, because something changed that is not the directory's: a licence has a seat, say. Who is due already
// stays so. Nobody is nudged, for the caller commits: the worker looks every second.
func (s *Service) DueInto(w *db.Write, organizationID, directoryID, directoryUserID string) {
	if s.keeps() {
		cause := event.Context{Actor: event.Actor{ID: directoryID, Source: event.System}}
		w.Exec(insertDueOnce, directoryID, directoryUserID, organizationID, s.time().UnixMicro(), cause.JSON())
	}
}

// beginAgain begins the second look where its time has come.
func (s *Service) beginAgain(ctx context.Context) error {
	var w db.Write
	w.Exec(reapplyAgain, s.time().UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("look at the people of directories once more: %w", err)
	}
	return nil
}

// reapplying is a directory whose people are being made due.
type reapplying struct {
	id           ID
	organization string
	after        string
	cause        []byte
}

func (r reapplying) context() event.Context { return due{directory: r.id, cause: r.cause}.context() }

// reapplySome makes some more people due and reports whether it did.
func (s *Service) reapplySome(ctx context.Context) (did bool, err error) {
	all, err := s.reapplying(ctx)
	if err != nil {
		return false, fmt.Errorf("look for directories to apply anew: %w", err)
	}
	for _, r := range all {
		more, err := s.reapplyNext(ctx, r)
		if err != nil {
			return did, fmt.Errorf("apply directory %s anew: %w", r.id, err)
		}
		did = did || more
	}
	return did, nil
}

func (s *Service) reapplying(ctx context.Context) (out []reapplying, err error) {
	rows, err := s.db.Query(ctx, selectReapplying)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r reapplying
		if err := rows.Scan((*string)(&r.id), &r.organization, &r.after, &r.cause); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// reapplyNext makes the next people of a directory due, unless enough are waiting. Where another process did it, it did.
func (s *Service) reapplyNext(ctx context.Context, r reapplying) (bool, error) {
	var waiting int64
	if err := s.db.QueryRow(ctx, enoughDue, string(r.id), reapplyWaiting).Scan(&waiting); err != nil || waiting >= reapplyWaiting {
		return false, err
	}
	if r.after == "" { // a pass begins; before its people, who are put into them
		if err := s.followGroups(ctx, r); err != nil {
			return false, err
		}
	}
	ids, err := s.idsOf(ctx, selectNextUsers, string(r.id), r.after, reapplyChunk)
	if err != nil {
		return false, err
	}
	var w db.Write
	if len(ids) == 0 {
		w.Guard(moveReapply, string(r.id), r.after, nil, 0)
	} else {
		last := ids[len(ids)-1]
		w.Guard(moveReapply, string(r.id), r.after, last, len(ids))
		w.Exec(insertDueBetween, string(r.id), r.organization, s.time().UnixMicro(), r.cause, r.after, last)
	}
	err = s.db.Write(ctx, &w)
	if guard := (*db.GuardError)(nil); errors.As(err, &guard) {
		return true, nil
	}
	return len(ids) > 0, err
}

// followGroups makes the teams that follow groups what they should be.
func (s *Service) followGroups(ctx context.Context, r reapplying) error {
	found, err := s.queryDirectories(ctx, selectDirectory+" AND organization_id = $1 AND id = $2", r.organization, string(r.id))
	if err != nil || len(found) == 0 {
		return err
	}
	m, err := s.mappingOf(ctx, s.db, found[0], scim.Standard())
	if err != nil || !m.follows() {
		return err
	}
	left := maps.Clone(m.Followed)
	err = presentGroupsOf(ctx, s.db, found[0], func(g Group) error {
		delete(left, string(g.ID))
		var w db.Write
		w.GuardSelect(groupAsRead+s.db.ForShare(), string(r.id), string(g.ID), g.Version)
		return s.followGroup(ctx, &w, followedBy(found[0], g, false), r)
	})
	for id := range left {
		if err == nil {
			err = s.followGroup(ctx, new(db.Write), followedBy(found[0], Group{ID: GroupID(id)}, true), r)
		}
	}
	return err
}

// followGroup is by a write of its own. Where the group has changed meanwhile, that change has seen to its team.
func (s *Service) followGroup(ctx context.Context, w *db.Write, f access.Followed, r reapplying) error {
	guards := w.Len()
	if err := s.teams.FollowInto(ctx, s.db, w, f, r.context()); err != nil || w.Len() == guards {
		return err
	}
	if err := s.db.Write(ctx, w); err != nil && !undone(err) {
		return err
	}
	s.events.Nudge()
	return nil
}

// Progress tells how far members have come with what the directory says.
func (s *Service) Progress(ctx context.Context, id ID) (p Progress, err error) {
	err = s.db.Snapshot(ctx, func(r db.Reader) error {
		p, err = progress(ctx, r, id)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return Progress{}, NotFound(string(id))
	}
	if err != nil {
		return Progress{}, fmt.Errorf("how far directory %s is applied: %w", id, err)
	}
	return p, nil
}

func progress(ctx context.Context, r db.Reader, id ID) (p Progress, err error) {
	var after *string
	var total, done, waiting int64
	if err := r.QueryRow(ctx, selectProgress, string(id)).Scan(&after, &total, &done); err != nil {
		return p, err
	}
	if err := r.QueryRow(ctx, countDueOf, string(id)).Scan(&waiting); err != nil {
		return p, err
	}
	var rest int64
	if after != nil { // more than there were when it began are none that are left
		rest = max(0, total-done)
	}
	p.State = UpToDate
	if left := waiting + rest; left > 0 || after != nil {
		p.State = Applying
	}
	p.Total = max(total, waiting+rest)
	p.Done = p.Total - waiting - rest
	return p, nil
}
