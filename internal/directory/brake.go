package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// The brake of a directory holds a burst of people who are shut out. They are out with the request, as always: sessions, codes and tokens
// end, and nobody signs in. What cannot be taken back waits for a hand, or for its time: the end of the account elsewhere, the licence, and
// all events of it. Those who left before the threshold was crossed stay as they are.
//
// What consumers know of a held person is in directory_held_people, and that there is something is in the person's row (held), which every
// write of the person is guarded by. API and snapshots show what consumers know, so that a snapshot and the events after it agree
// (docs/adr/0016-brake.md). SCIM shows what the provider wrote.

// Brake is a directory's setting: a burst is more than Share percent and at least People of its active people, shut out within Window.
type Brake struct {
	Enabled bool
	Share   int64 // percent, 1 to 99
	People  int64 // 2 to 100,000: nobody who leaves alone is ever held
	Window  int64 // minutes, 1 to 1,440
	Hold    int64 // minutes, 1 to 60; then what waits is applied by itself
}

// DefaultBrake is that of a directory which nobody has set: off.
func DefaultBrake() Brake { return Brake{Share: 10, People: 5, Window: 15, Hold: 60} }

func (b Brake) check() error {
	for _, r := range []struct {
		name             string
		got, least, most int64
	}{
		{"share_percent", b.Share, 1, 99}, {"people", b.People, 2, 100_000}, {"window_minutes", b.Window, 1, 1440}, {"hold_minutes", b.Hold, 1, 60},
	} {
		if r.got < r.least || r.got > r.most {
			return fault.New(fault.Unprocessable, "invalid", "%s is a number from %d to %d.", r.name, r.least, r.most).On(r.name).
				Compared(fmt.Sprintf("%d to %d", r.least, r.most), fmt.Sprint(r.got))
		}
	}
	return nil
}

// Trips tells whether so many people who have left are a burst, of so many who were active before the first of them.
func (b Brake) Trips(left, active int64) bool {
	return b.Enabled && left >= max(b.People, 2) && left*100 > b.Share*active
}

// settings are what the audit tells of it.
func (b Brake) settings() event.Settings {
	return event.Settings{"enabled": b.Enabled, "share_percent": b.Share, "people": b.People, "window_minutes": b.Window, "hold_minutes": b.Hold}
}

// SetBrake changes the brake; when it returns, every process acts on it. Switching it off releases what it holds, at once. A number out of its
// range is Unprocessable "invalid".
func (s *Service) SetBrake(ctx context.Context, actor event.Actor, id ID, b Brake) (Directory, error) {
	if err := b.check(); err != nil {
		return Directory{}, err
	}
	var d Directory
	err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
		d, err = s.setBrakeTx(ctx, tx, actor, id, b)
		return err
	})
	if err != nil {
		return Directory{}, fmt.Errorf("set the brake of directory %s: %w", id, err)
	}
	if err := s.awaitDoors(ctx); err != nil {
		return Directory{}, err
	}
	s.hurryHolds(ctx)
	return d, nil
}

func (s *Service) setBrakeTx(ctx context.Context, tx db.Tx, actor event.Actor, id ID, b Brake) (Directory, error) {
	if _, err := tx.Exec(ctx, insertBrake, string(id)); err != nil { // first, as who counts does
		return Directory{}, err
	}
	found, err := directoriesIn(ctx, tx, selectDirectory+" AND id = $1"+s.db.ForUpdate(), string(id))
	if err != nil {
		return Directory{}, err
	}
	if len(found) == 0 {
		return Directory{}, NotFound(string(id))
	}
	d, was := found[0], found[0].Brake
	if was == b {
		return d, nil
	}
	d.Brake, d.UpdatedAt = b, s.time()
	if _, err := tx.Exec(ctx, updateBrake, string(id), b.Enabled, b.Share, b.People, b.Window, b.Hold, d.UpdatedAt.UnixMicro()); err != nil {
		return d, err
	}
	err = s.events.AuditTx(ctx, tx, d.UpdatedAt, event.Change{
		OrganizationID: d.OrganizationID, Action: "directory.brake_updated", Target: string(id), Cause: event.Context{Actor: actor},
		Before: was.settings(), After: b.settings(),
	})
	if err != nil {
		return d, err
	}
	return d, s.door.moved(ctx, tx)
}

// CarryBrakeTx gives the brake of a directory that goes in a switch to the one that comes, unless that has been set itself: carried is that it was,
// kept that the new one has its own. It comes before CutOverTx.
func (s *Service) CarryBrakeTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, p Pair) (carried, kept bool, err error) {
	if _, err := tx.Exec(ctx, insertBrake, string(p.To)); err != nil { // before the directories, as setBrakeTx
		return false, false, err
	}
	from, to, err := s.sidesTx(ctx, tx, organizationID, p)
	switch {
	case err != nil, from.Brake == DefaultBrake():
		return false, false, err
	case to.Brake != DefaultBrake():
		return false, true, nil
	}
	_, err = s.setBrakeTx(ctx, tx, actor, p.To, from.Brake)
	return err == nil, false, err
}

// ReturnBrakeTx takes away from the directory that came what CarryBrakeTx gave it. It comes before RevertTx.
func (s *Service) ReturnBrakeTx(ctx context.Context, tx db.Tx, actor event.Actor, p Pair) error {
	_, err := s.setBrakeTx(ctx, tx, actor, p.To, DefaultBrake())
	return err
}

// braked decides whether the brake holds somebody who leaves with the write, and adds to the write what the next decision counts by. Of two
// who leave at once one loses the guard, and counts again.
func (b *batch) braked(ctx context.Context, u User) (hold HoldID, err error) {
	d := b.a.Directory
	if !d.Brake.Enabled {
		return "", nil
	}
	since := b.at.Add(-time.Duration(d.Brake.Window) * time.Minute)
	var number, others int64
	err = b.s.db.QueryRow(ctx, selectDeparted, string(d.ID), since.UnixMicro(), string(u.ID)).Scan(&number, &others)
	if err != nil {
		return "", fmt.Errorf("count who has left directory %s: %w", d.ID, err)
	}
	b.w.Guard(moveBrake, string(d.ID), number)
	b.w.Exec(insertDeparture, string(d.ID), string(u.ID), b.at.UnixMicro())
	if others+1 < max(d.Brake.People, 2) {
		return "", nil
	}
	var active int64
	if err := b.s.db.QueryRow(ctx, selectActiveCount, string(d.ID)).Scan(&active); err != nil {
		return "", fmt.Errorf("count who is in directory %s: %w", d.ID, err)
	}
	if active += others; !u.Active { // kept in, and not counted
		active++
	}
	if !d.Brake.Trips(others+1, active) {
		return "", nil
	}
	return b.engage(ctx, u.ID, others+1, active)
}

// engage joins the hold that waits, or begins one.
func (b *batch) engage(ctx context.Context, u UserID, left, active int64) (HoldID, error) {
	d := b.a.Directory
	var id string
	err := b.s.db.QueryRow(ctx, selectWaiting, string(d.ID)).Scan(&id)
	if err == nil {
		b.w.Exec(joinHold, string(d.ID), id, string(u)) // who ends it moves the number that was read before
		return HoldID(id), nil
	}
	if !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look for what directory %s holds: %w", d.ID, err)
	}
	h := Hold{
		ID: HoldID(b.s.ids.NewID(holdPrefix)), OrganizationID: d.OrganizationID, DirectoryID: d.ID, State: HoldWaits, People: 1, Departed: left, Active: active,
		EngagedAt: b.at, Until: b.at.Add(time.Duration(d.Brake.Hold) * time.Minute),
	}
	b.w.Exec(beginHolding, string(d.ID))
	b.w.Exec(insertHold, string(h.ID), h.OrganizationID, string(d.ID), left, active, h.Until.UnixMicro(), h.EngagedAt.UnixMicro())
	b.w.Exec(bumpEpoch)
	b.event(event.DirectoryBrakeEngaged, h.Payload())
	b.engaged = &h
	return h.ID, nil
}

// holdBack decides what consumers are to know of a person whom a write changes, and gives how they know them before it. next.Held says
// afterwards whether they go on knowing that.
func (b *batch) holdBack(ctx context.Context, before person, next *User) (known person, err error) {
	known, err = b.s.known(ctx, before)
	if err != nil {
		return known, err
	}
	in, was := says(*next) == member.SaysActive, says(known.User) == member.SaysActive
	next.Held = before.Held
	switch {
	case in:
		next.Held = ""
		b.settles(before.User, HeldReturned)
		if b.a.Directory.Brake.Enabled && says(before.User) != member.SaysActive {
			b.w.Exec(deleteDeparture, string(b.a.Directory.ID), string(next.ID))
		}
	case before.Held == member.HeldWaiting || !was:
	default:
		return known, b.leaves(ctx, before, known, next, heldRow{Says: member.SaysInactive})
	}
	return known, nil
}

// leaves has the brake decide about somebody whom consumers know as active. A hold of them that was undone is over in any case.
func (b *batch) leaves(ctx context.Context, before, known person, next *User, row heldRow) error {
	hold, err := b.braked(ctx, before.User)
	if err != nil {
		return err
	}
	b.settles(before.User, HeldApplied)
	if next.Held = ""; hold == "" {
		return nil
	}
	next.Held = member.HeldWaiting
	row.Hold = hold
	b.held(known, row)
	return nil
}

// settles ends what is kept of how consumers know somebody, because they learn the truth.
func (b *batch) settles(u User, as HeldState) {
	if u.Held != "" {
		b.w.Guard(settleHeld, string(b.a.Directory.ID), string(u.ID), string(as), b.at.UnixMicro())
	}
}

// held keeps how consumers know somebody whom the write shuts out.
func (b *batch) held(known person, row heldRow) {
	d, old := b.a.Directory, draftOf(known)
	b.w.Exec(insertHeld, string(row.Hold), string(known.ID), d.OrganizationID, string(d.ID), string(row.Says), b.context, old.userNameKey,
		db.TextOrNull(old.externalID), known.IdPID, known.Version, row.Groups, known.Document, known.CreatedAt.UnixMicro(), known.UpdatedAt.UnixMicro(), b.at.UnixMicro())
}

// holdGone is holdBack for somebody whom the write removes; groups are those they are directly in.
func (b *batch) holdGone(ctx context.Context, before person, last *User) (known person, err error) {
	if known, err = b.s.known(ctx, before); err != nil {
		return known, err
	}
	switch {
	case before.Held == member.HeldWaiting:
		b.w.Exec(removeHeld, string(b.a.Directory.ID), string(before.ID), before.direct, b.context)
	case says(known.User) == member.SaysActive:
		return known, b.leaves(ctx, before, known, last, heldRow{Says: member.SaysRemoved, Groups: before.direct})
	}
	return known, nil
}
