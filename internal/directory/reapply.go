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

// When a setting changes that decides about everybody, everybody is made due: a hundred at a time, in the order of ids, by the process that
// applies them then, so that what providers send meanwhile is not kept waiting behind them. How far it has come is in the directory's row,
// where it survives a restart, and where several processes go on with it by turns.
//
// A request that was let in before a mapping changed may still leave out somebody whom the new mapping concerns. So some time later, when
// no such request can be under way any more, those are looked at once more whom one may have left out (see [LeftOut]); nothing is written for
// those who are as they should be. Where these are the people who were changed meanwhile, a hundred a second are enough.
const (
	reapplyChunk    = 100             // people made due at once
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

// LeftOut says whom a request may leave out that was let in before a setting changed.
type LeftOut bool

// Who may be left out.
const (
	// TheChanged are the people whom such a request changes: nothing that now counts of them counted before, as far as it knows.
	TheChanged LeftOut = false
	// Anybody may be: a request that changes a group changes none of its people.
	Anybody LeftOut = true
)

// LeftOutBy tells it of a mapping that takes the place of another.
func LeftOutBy(was, is access.Mapping) LeftOut {
	return LeftOut(is.ByGroups() && !was.ByGroups())
}

// ReapplyTx has everybody of a directory looked at again, because their organization's mapping has changed. It joins the transaction of
// the change; after the commit the caller calls Await. A directory that is not there, or does not speak yet, is left alone.
func (s *Service) ReapplyTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, id ID, left LeftOut) error {
	if err := s.door.moved(ctx, tx); err != nil {
		return err
	}
	return s.startReapply(ctx, tx, event.Context{Actor: actor}, organizationID, id, s.onceMore(left))
}

// Reapply is ReapplyTx in a transaction of its own. When it returns no request of any process is decided by the mapping of before.
func (s *Service) Reapply(ctx context.Context, actor event.Actor, organizationID string, id ID) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error { return s.ReapplyTx(ctx, tx, actor, organizationID, id, Anybody) })
	if err != nil {
		return fmt.Errorf("apply directory %s anew: %w", id, err)
	}
	return s.awaitDoors(ctx)
}

// LookAgainTx is ReapplyTx for what no door remembers, such as the order of roles: nobody has to await anything.
func (s *Service) LookAgainTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID, directoryID string) error {
	return s.startReapply(ctx, tx, event.Context{Actor: actor}, organizationID, ID(directoryID), s.onceMore(TheChanged))
}

// reapplyTx is for settings that only Provision reads: requests that are under way do not matter.
func (s *Service) reapplyTx(ctx context.Context, tx db.Tx, cause event.Context, d Directory) error {
	return s.startReapply(ctx, tx, cause, d.OrganizationID, d.ID, secondLook{})
}

// secondLook is when people are looked at once more, and who.
type secondLook struct {
	at    time.Time // zero: no second look
	since time.Time // those who were changed since; zero: everybody
}

// onceMore is the second look after a change that is made now. Whom a request changes that is under way now, it changes after it was let in.
func (s *Service) onceMore(left LeftOut) secondLook {
	now := s.time()
	look := secondLook{at: now.Add(reapplyPatience), since: now.Add(-reapplyPatience)}
	if left == Anybody {
		look.since = time.Time{}
	}
	return look
}

func (s *Service) startReapply(ctx context.Context, tx db.Tx, cause event.Context, organizationID string, id ID, more secondLook) error {
	if !s.keeps() {
		return nil
	}
	again, args := "", []any{organizationID, string(id), cause.JSON()}
	if !more.at.IsZero() {
		again, args = reapplySoonAgain, append(args, more.at.UnixMicro(), db.MicrosOrNull(more.since))
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(startReapply, again), args...)
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
	since        int64 // only who was changed since, in microseconds; 0: everybody
	cause        []byte
}

func (r reapplying) context() event.Context { return due{directory: r.id, cause: r.cause}.context() }

// reapplySome applies some more people of each directory of which everybody is looked at, or of which those are who were changed, and reports
// whether there were any.
func (s *Service) reapplySome(ctx context.Context, changed bool) (did bool, err error) {
	all, err := s.reapplying(ctx)
	if err != nil {
		return false, fmt.Errorf("look for directories to apply anew: %w", err)
	}
	for _, r := range all {
		if r.since > 0 != changed {
			continue
		}
		batch, more, err := s.claimNext(ctx, r)
		if err != nil {
			return did, fmt.Errorf("apply directory %s anew: %w", r.id, err)
		}
		s.applyAll(context.WithoutCancel(ctx), batch)
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
		if err := rows.Scan((*string)(&r.id), &r.organization, &r.after, &r.since, &r.cause); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// claimNext makes the next people of a directory due and claims them. more is false when there are none; where another process took them there
// may be more.
func (s *Service) claimNext(ctx context.Context, r reapplying) (batch []due, more bool, err error) {
	if r.after == "" { // a pass begins; before its people, who are put into them
		if err := s.followGroups(ctx, r); err != nil {
			return nil, false, err
		}
	}
	ids, err := s.idsOf(ctx, selectNextUsers, string(r.id), r.after, reapplyChunk, r.since)
	if err != nil {
		return nil, false, err
	}
	var after any // nil: they are the last
	if len(ids) == reapplyChunk {
		after = ids[len(ids)-1]
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		batch, more = nil, len(ids) > 0
		moved, err := tx.Exec(ctx, moveReapply, string(r.id), r.after, after, len(ids), r.since)
		if err != nil || moved == 0 {
			more = true
			return err
		}
		if len(ids) == 0 {
			return nil
		}
		now := s.time()
		batch, err = claimed(tx.Query(ctx, claimDueBetween, string(r.id), r.organization, now.UnixMicro(), r.cause, r.after, ids[len(ids)-1], r.since,
			now.Add(provisionLease).UnixMicro()))
		return err
	})
	return batch, more, err
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
	var passing bool
	var total, done, waiting int64
	if err := r.QueryRow(ctx, selectProgress, string(id)).Scan(&passing, &total, &done); err != nil {
		return p, err
	}
	if err := r.QueryRow(ctx, countDueOf, string(id)).Scan(&waiting); err != nil {
		return p, err
	}
	var rest int64
	if passing { // more than there were when it began are none that are left
		rest = max(0, total-done)
	}
	p.State = UpToDate
	if waiting+rest > 0 || passing {
		p.State = Applying
	}
	p.Total = max(total, waiting+rest)
	p.Done = p.Total - waiting - rest
	return p, nil
}
