package directory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// HoldID is the id of a hold, "directory_hold_…".
type HoldID string

const holdPrefix = "directory_hold"

// HoldState says what has become of a hold.
type HoldState string

// The states.
const (
	HoldWaits    HoldState = "waiting"
	HoldReleased HoldState = "released" // what waited follows
	HoldUndone   HoldState = "undone"   // the people are in again
)

// HoldReason says why a hold ended.
type HoldReason string

// The reasons.
const (
	EndedByHand      HoldReason = "by_hand"
	EndedByTime      HoldReason = "expired"
	EndedBySwitch    HoldReason = "switched_off"
	EndedByDirectory HoldReason = "directory_deleted"
)

// HeldState says what has become of a person whom a hold holds.
type HeldState string

// The states.
const (
	HeldWaits    HeldState = "waiting"
	HeldKept     HeldState = "kept"     // the hold was undone: they are in until the directory writes them again
	HeldApplied  HeldState = "applied"  // what waited has followed
	HeldReturned HeldState = "returned" // the directory has let them in again
)

// Hold is one time that the brake was engaged.
type Hold struct {
	ID             HoldID
	OrganizationID string
	DirectoryID    ID
	State          HoldState
	Reason         HoldReason // "" while it waits
	People         int64      // that were ever held by it
	Departed       int64      // within the window, when it was engaged
	Active         int64      // people before the first of them left
	EngagedAt      time.Time
	Until          time.Time // then it is released by itself
	EndedAt        time.Time // zero while it waits
	EndedBy        string    // id of the actor; "" while it waits, and where no hand ended it
}

// Held is one person of a hold.
type Held struct {
	User  UserID
	State HeldState
	Says  member.Says // of the directory: inactive or removed
	Since time.Time
}

// Payload is the hold as API and events show it.
func (h Hold) Payload() []byte {
	p := newPayload(512)
	p.string("object", "directory_hold")
	p.string("id", string(h.ID))
	p.string("directory_id", string(h.DirectoryID))
	p.string("organization_id", h.OrganizationID)
	p.string("state", string(h.State))
	p.stringOrNull("reason", string(h.Reason))
	p.int("count", h.People)
	p.int("departed", h.Departed)
	p.int("active", h.Active)
	p.time("engaged_at", h.EngagedAt)
	p.time("until", h.Until)
	if h.EndedAt.IsZero() {
		p.raw("ended_at", null)
	} else {
		p.time("ended_at", h.EndedAt)
	}
	return p.json()
}

// HoldQuery selects a page of holds. Before and After are ids.
type HoldQuery struct {
	Directory     ID
	Before, After string
	Limit         int
	Ascending     bool
}

// Holds gives a page and whether more follow in the direction read.
func (s *Service) Holds(ctx context.Context, q HoldQuery) ([]Hold, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(q.Directory))
	text, args := p.Statement(selectHolds, "id")
	found, err := holdsIn(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// HeldBy lists the people of some holds of a directory, the first hundred of each in the order of their ids.
func (s *Service) HeldBy(ctx context.Context, id ID, holds ...HoldID) (map[HoldID][]Held, error) {
	out := map[HoldID][]Held{}
	if len(holds) == 0 {
		return out, nil
	}
	values := make([]string, len(holds))
	for i, h := range holds {
		values[i] = string(h)
	}
	args := padded(values)
	rows, err := s.db.Query(ctx, fmt.Sprintf(selectOfHolds, list(2, len(args))), append([]any{string(id)}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read who is held: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var hold HoldID
		var h Held
		var since int64
		if err := rows.Scan((*string)(&hold), (*string)(&h.User), (*string)(&h.State), (*string)(&h.Says), &since); err != nil {
			return nil, fmt.Errorf("read who is held: %w", err)
		}
		h.Since = db.Time(since)
		out[hold] = append(out[hold], h)
	}
	return out, rows.Err()
}

func holdsIn(ctx context.Context, r db.Reader, text string, args ...any) ([]Hold, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	defer rows.Close()
	var out []Hold
	for rows.Next() {
		var h Hold
		var reason, by *string
		var until, engaged int64
		var ended *int64
		if err := rows.Scan((*string)(&h.ID), &h.OrganizationID, (*string)(&h.DirectoryID), (*string)(&h.State), &reason, &h.People, &h.Departed, &h.Active,
			&until, &engaged, &ended, &by); err != nil {
			return nil, fmt.Errorf("read holds: %w", err)
		}
		h.Until, h.EngagedAt, h.EndedAt = db.Time(until), db.Time(engaged), db.TimeOrZero(ended)
		if reason != nil {
			h.Reason = HoldReason(*reason)
		}
		if by != nil {
			h.EndedBy = *by
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// NoHold is the refusal for a hold that is not there.
func NoHold(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Hold not found: '%.80s'.", id)
}

// Release lets follow at once what a hold holds. One that has ended is a Conflict "hold_ended".
func (s *Service) Release(ctx context.Context, actor event.Actor, id ID, hold HoldID) (Hold, error) {
	return s.end(ctx, actor, id, hold, HoldReleased, nil)
}

// ReleaseSeen is Release by somebody who was shown how many people it is about ([HoldNow.Still]). If it is about another number by now, nothing
// happens: a *HoldMovedError, Conflict CodeHoldMoved.
func (s *Service) ReleaseSeen(ctx context.Context, actor event.Actor, id ID, hold HoldID, people int64) (Hold, error) {
	return s.end(ctx, actor, id, hold, HoldReleased, &people)
}

// Undo lets the people of a hold in again as they were, until the directory writes them again. One that has ended is a Conflict "hold_ended".
func (s *Service) Undo(ctx context.Context, actor event.Actor, id ID, hold HoldID) (Hold, error) {
	return s.end(ctx, actor, id, hold, HoldUndone, nil)
}

// UndoSeen is Undo by somebody who was shown how many people it is about, as with ReleaseSeen.
func (s *Service) UndoSeen(ctx context.Context, actor event.Actor, id ID, hold HoldID, people int64) (Hold, error) {
	return s.end(ctx, actor, id, hold, HoldUndone, &people)
}

// CodeHoldMoved refuses a hand that was shown another number of people than a hold is about.
const CodeHoldMoved = "hold_moved"

// HoldMovedError says how many people a hold is about by now. It wraps the refusal.
type HoldMovedError struct {
	Still   int64
	refusal *fault.Error
}

func (e *HoldMovedError) Error() string { return e.refusal.Error() }

// Unwrap gives the refusal.
func (e *HoldMovedError) Unwrap() error { return e.refusal }

func holdMoved(still, seen int64) error {
	return &HoldMovedError{still, fault.New(fault.Conflict, CodeHoldMoved, "The hold is about %d people by now. Look at them, and decide again.", still).
		Compared(strconv.FormatInt(still, 10), strconv.FormatInt(seen, 10))}
}

func (s *Service) end(ctx context.Context, actor event.Actor, id ID, hold HoldID, as HoldState, seen *int64) (h Hold, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if h, err = s.endTx(ctx, tx, actor, id, hold, as, EndedByHand); err != nil || seen == nil {
			return err
		}
		// Whoever joins the hold moves the number that endTx has taken, so that nobody comes in between.
		still, err := stillHeld(ctx, tx, id, hold)
		if err == nil && still != *seen {
			err = holdMoved(still, *seen)
		}
		return err
	})
	if err != nil {
		return Hold{}, fmt.Errorf("end hold %s: %w", hold, err)
	}
	s.log.InfoContext(ctx, "a hold of a directory's brake has ended", "directory", id, "hold", hold, "organization", h.OrganizationID, "state", h.State,
		"reason", h.Reason, "people", h.People, "actor", actor.ID)
	s.hurryHolds(ctx)
	return h, nil
}

// hurryHolds sees to the people of a hold that has just ended, as far as a request's time allows; the rest is left to Run, as is what fails.
func (s *Service) hurryHolds(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	if err := s.KeepHolds(ctx); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "people of a hold could not be seen to and will be tried again", "error", err)
	}
}

func (s *Service) endTx(ctx context.Context, tx db.Tx, actor event.Actor, id ID, hold HoldID, as HoldState, why HoldReason) (h Hold, err error) {
	at, by := s.time(), ""
	if why == EndedByHand {
		by = actor.ID
	}
	if _, err := tx.Exec(ctx, insertBrake, string(id)); err != nil { // who counts counts again
		return h, err
	}
	n, err := tx.Exec(ctx, endHold, string(id), string(hold), string(as), string(why), at.UnixMicro(), db.TextOrNull(by))
	if err != nil {
		return h, err
	}
	found, err := holdsIn(ctx, tx, selectHold, string(id), string(hold))
	if err != nil {
		return h, err
	}
	if len(found) == 0 {
		return h, NoHold(string(hold))
	}
	if h = found[0]; n == 0 {
		return h, fault.New(fault.Conflict, "hold_ended", "The hold has ended already: it was %s.", h.State).Compared(string(HoldWaits), string(h.State))
	}
	kind := event.DirectoryBrakeUndone
	if as == HoldReleased { // those who have left were meant to: the next burst is counted from here
		kind = event.DirectoryBrakeReleased
		if _, err := tx.Exec(ctx, deleteDepartures, string(id)); err != nil {
			return h, err
		}
	}
	return h, s.events.AppendTx(ctx, tx, at, event.Entry{
		OrganizationID: h.OrganizationID, Type: kind, Context: event.Context{Actor: actor}.JSON(), Data: h.Payload(),
	})
}

// KeepHolds ends the holds whose time has come, and sees to the people of all that have ended. It may be called by several processes at once,
// and goes on where another stopped: each person is one write, and what is left to do is in the rows.
func (s *Service) KeepHolds(ctx context.Context) error {
	if err := s.endDueHolds(ctx); err != nil {
		return err
	}
	if err := s.settleAll(ctx); err != nil {
		return err
	}
	return s.endHoldings(ctx)
}

// forgetDepartures takes out who has left too long ago to count.
func (s *Service) forgetDepartures(ctx context.Context) error {
	var w db.Write
	w.Exec(expireDepartures, s.time().Add(-longestWindow).UnixMicro())
	return s.db.Write(ctx, &w)
}

const (
	longestWindow = 24 * time.Hour  // the longest that a departure can count
	hurry         = 2 * time.Second // of a request, for the people of the hold that it ends
	settledAtOnce = 100             // people read at once
)

type dueHold struct {
	directory ID
	id        HoldID
	why       HoldReason
}

func (s *Service) endDueHolds(ctx context.Context) error {
	rows, err := s.db.Query(ctx, selectDueHolds, s.time().UnixMicro())
	if err != nil {
		return fmt.Errorf("look for holds whose time has come: %w", err)
	}
	defer rows.Close()
	var all []dueHold
	for rows.Next() {
		var h dueHold
		if err := rows.Scan((*string)(&h.directory), (*string)(&h.id), (*string)(&h.why)); err != nil {
			return fmt.Errorf("look for holds whose time has come: %w", err)
		}
		all = append(all, h)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for holds whose time has come: %w", err)
	}
	rows.Close()
	for _, h := range all {
		actor := event.Actor{ID: string(h.directory), Source: event.System}
		err := s.db.Tx(ctx, func(tx db.Tx) error {
			_, err := s.endTx(ctx, tx, actor, h.directory, h.id, HoldReleased, h.why)
			return err
		})
		if fault.Is(err, fault.Conflict) { // another process did it
			continue
		}
		if err != nil {
			return fmt.Errorf("release hold %s: %w", h.id, err)
		}
		s.log.InfoContext(ctx, "a hold of a directory's brake was released", "directory", h.directory, "hold", h.id, "reason", h.why)
	}
	return nil
}

// settleAll tries each person of holds that have ended once. Who cannot be seen to holds up nobody, and is tried again with the next call.
func (s *Service) settleAll(ctx context.Context) (failed error) {
	var last heldRow
	for {
		rows, err := s.unsettled(ctx, last)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := s.settleOne(ctx, r); err != nil && failed == nil {
				failed = fmt.Errorf("end the hold of directory user %s: %w", r.User.ID, err)
			}
			if last = r; ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if len(rows) < settledAtOnce {
			return failed
		}
	}
}

func (s *Service) unsettled(ctx context.Context, after heldRow) (out []heldRow, err error) {
	rows, err := s.db.Query(ctx, selectUnsettled, string(after.Hold), string(after.User.ID), settledAtOnce)
	if err != nil {
		return nil, fmt.Errorf("look for people of holds that have ended: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r heldRow
		var state string
		if err := r.scan(rows, &state); err != nil {
			return nil, err
		}
		r.kept = HoldState(state) == HoldUndone
		out = append(out, r)
	}
	return out, rows.Err()
}

// settleOne sees to one person. Where the directory or another process has been faster the rows say so, and there is nothing left to do.
func (s *Service) settleOne(ctx context.Context, r heldRow) error {
	for attempt := range attempts {
		err := s.settleOnce(ctx, r)
		if err == nil {
			return nil
		}
		if !lost(err) {
			return err
		}
		var one int
		err = s.db.QueryRow(ctx, selectStillHeld, string(r.Directory), string(r.User.ID), string(r.Hold)).Scan(&one)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := again(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy()
}

func (s *Service) settleOnce(ctx context.Context, r heldRow) error {
	d, err := s.Get(ctx, r.Directory)
	if fault.Is(err, fault.NotFound) {
		return s.settleOrphan(ctx, r)
	}
	if err != nil {
		return err
	}
	b := s.begin((&Access{Directory: d}).relinked(), s.time(), nil)
	b.causedBy(due{directory: d.ID, cause: r.Cause}.context())
	if r.kept {
		b.w.Exec(keepHeld, string(d.ID), string(r.User.ID), string(r.Hold), b.at.UnixMicro())
	} else {
		b.w.Guard(settleWaiting, string(d.ID), string(r.User.ID), string(HeldApplied), b.at.UnixMicro(), string(r.Hold))
	}
	known, err := r.person(s)
	if err != nil {
		return err
	}
	out := Outcome{Change: Updated, User: &known.User}
	switch {
	case r.Says == member.SaysRemoved && !r.kept:
		out.Change = Deleted
		err = b.goneAfterAll(ctx, known, r.Groups)
	case r.Says == member.SaysRemoved:
	default:
		err = b.settlePerson(ctx, known, r)
	}
	if err != nil {
		return err
	}
	b.ends = append(b.ends, r.end())
	return b.commit(ctx, out)
}

// settlePerson tells consumers what has become of somebody who is there still, or leaves them as they are known.
func (b *batch) settlePerson(ctx context.Context, known person, r heldRow) error {
	u, err := b.s.findUser(ctx, b.a, "u.id = $2", string(r.User.ID))
	if errors.Is(err, db.ErrNoRows) {
		return &db.GuardError{} // removed since: the row says so by now
	}
	if err != nil {
		return err
	}
	d, version := b.a.Directory, u.Version
	if r.kept {
		b.w.Guard(keepUser, string(d.ID), string(u.ID), version)
		b.due(u.ID) // so that nobody applies them as they were
		b.s.recent.forget(u.ID)
		return nil
	}
	p, err := b.s.person(u)
	if err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	next := draftOf(p)
	next.Held, next.Version = "", version+1
	next.Hidden = !visible(d, next.User)
	b.w.Guard(endHeld, string(d.ID), string(u.ID), version, next.Hidden)
	b.unmoved(u)
	b.due(u.ID)
	known.direct, known.Groups = u.direct, u.Groups
	b.s.recent.forget(u.ID)
	return b.s.userEvents(ctx, b, draftOf(known), next)
}

// goneAfterAll tells consumers of somebody whom the directory removed while they were not to learn of it.
func (b *batch) goneAfterAll(ctx context.Context, known person, groups string) error {
	left, err := b.s.groupsAmong(ctx, b.a.Directory.ID, groups)
	if err != nil {
		return err
	}
	b.gone(known, left)
	return nil
}

// groupsAmong are those of some groups that are there.
func (s *Service) groupsAmong(ctx context.Context, d ID, ids string) (out []Group, err error) {
	if ids == "" {
		return nil, nil
	}
	args := padded(strings.Split(ids, ","))
	return s.queryGroups(ctx, selectGroups+" AND g.id IN ("+list(2, len(args))+") ORDER BY g.id", append([]any{string(d)}, args...)...)
}

// settleOrphan sees to somebody of a directory that is no more: consumers were told that of all of it, and members have its last word.
func (s *Service) settleOrphan(ctx context.Context, r heldRow) error {
	w := db.Write{Lane: r.Organization}
	w.Exec(settleWaiting, string(r.Directory), string(r.User.ID), string(HeldApplied), s.time().UnixMicro(), string(r.Hold))
	if s.keeps() {
		if err := s.members.EndHoldInto(ctx, s.db, &w, r.end(), due{directory: r.Directory, cause: r.Cause}.context()); err != nil {
			return err
		}
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return err
	}
	s.events.Nudge()
	return nil
}

// endHoldings notes of directories that nobody is held or kept in them any more.
func (s *Service) endHoldings(ctx context.Context) error {
	ids, err := s.idsOf(ctx, selectHolding)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var one int
		err := s.db.QueryRow(ctx, anyHeld, id).Scan(&one)
		if err == nil {
			continue
		}
		if !errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("look for people who are held: %w", err)
		}
		if err := s.db.Tx(ctx, func(tx db.Tx) error { return s.endHoldingTx(ctx, tx, id) }); err != nil {
			return fmt.Errorf("note that directory %s holds nobody: %w", id, err)
		}
	}
	return nil
}

// endHoldingTx holds the directory before it looks: who begins a hold holds it too.
func (s *Service) endHoldingTx(ctx context.Context, tx db.Tx, id string) error {
	var one int
	var found string
	err := tx.QueryRow(ctx, lockHolding+s.db.ForUpdate(), id).Scan(&found)
	if err == nil {
		if err = tx.QueryRow(ctx, anyHeld, id).Scan(&one); err == nil {
			return nil
		}
	}
	if !errors.Is(err, db.ErrNoRows) || found == "" {
		return orNotFound(err, nil)
	}
	if _, err := tx.Exec(ctx, endHolding, id); err != nil {
		return err
	}
	return s.door.moved(ctx, tx)
}
