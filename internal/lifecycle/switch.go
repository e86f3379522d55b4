package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/token"
)

// SwitchOptions are what Switches is built over.
type SwitchOptions struct {
	DB            *db.DB
	Events        *event.Log
	IDs           *token.Source
	Organizations *org.Service
	Directories   *directory.Service
	Connections   *sso.Service
	Members       *member.Service
	Access        *access.Service
	Now           func() time.Time // time.Now
	Logger        *slog.Logger     // slog.Default

	Quick    time.Duration // who is who is found anew for each look where that takes less; 25 ms
	Patience time.Duration // how long a page waits for it where it takes more; 250 ms

	// ProfilesOnly: the app keeps the accounts, so there is nobody to be carried over.
	ProfilesOnly bool
}

// Switches holds the verbs that change an organization's identity provider for another, with its people in place.
//
// What must stay true: before the cut-over nobody is invited, linked or restricted by what comes; with it nobody is removed, and no session
// ends; whoever is not matched stays as they are; until it is finished all of it can be taken back.
type Switches struct {
	o     SwitchOptions
	known *pairings
}

// NewSwitches makes the verbs.
func NewSwitches(o SwitchOptions) *Switches {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Quick, o.Patience = cmp.Or(o.Quick, pairingQuick), cmp.Or(o.Patience, pairingWait)
	return &Switches{o: o, known: newPairings()}
}

func (s *Switches) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// NewSwitch says from where to where. A part is left out where both of its ids are empty.
type NewSwitch struct {
	Connection switching.Pair
	Directory  switching.Pair
}

func (n NewSwitch) check() error {
	wrong := func(field, code, sentence string) error {
		return fault.New(fault.Unprocessable, code, "%s", sentence).On(field)
	}
	const halves = "A switch names a connection on both sides or on neither, and so for directories."
	switch c, d := n.Connection, n.Directory; {
	case c.From == "" && d.From == "":
		return wrong("from", "required", "Name what is switched from: a connection, a directory, or both.")
	case (c.From == "") != (c.To == "") && c.To == "":
		return wrong("to.connection_id", "kinds_differ", halves)
	case (c.From == "") != (c.To == ""):
		return wrong("from.connection_id", "kinds_differ", halves)
	case (d.From == "") != (d.To == "") && d.To == "":
		return wrong("to.directory_id", "kinds_differ", halves)
	case (d.From == "") != (d.To == ""):
		return wrong("from.directory_id", "kinds_differ", halves)
	}
	return nil
}

// Create begins a switch: the new connection can be tested, the new directory fills, and nobody notices. Nothing is counted yet, see Get. Refusals beside those of the rooms
// (sso.Service.HoldTx, directory.Service.HoldTx): "kinds_differ", and Conflict "switch_open" where another one is open.
func (s *Switches) Create(ctx context.Context, actor event.Actor, id org.ID, n NewSwitch) (switching.Switch, error) {
	if s.o.ProfilesOnly {
		return switching.Switch{}, fault.New(fault.Conflict, "accounts_elsewhere",
			"This installation keeps no accounts (accounts: app), so there is nobody to be carried over. Make the new connection and directory, and delete the old ones.")
	}
	if err := n.check(); err != nil {
		return switching.Switch{}, err
	}
	at := s.time()
	out := switching.Switch{
		ID: switching.ID(s.o.IDs.NewID(switching.Prefix)), OrganizationID: id, Connection: n.Connection, Directory: n.Directory, CreatedAt: at, UpdatedAt: at,
	}
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := s.o.Organizations.LockTx(ctx, tx, id); err != nil {
			return err
		}
		made, err := switching.InsertTx(ctx, tx, out)
		if err != nil {
			return err
		}
		if err := s.holdTx(ctx, tx, made); err != nil {
			return err
		}
		out = made
		return s.tellTx(ctx, tx, actor, event.SwitchCreated, made)
	})
	if err != nil {
		return switching.Switch{}, fmt.Errorf("begin an identity provider switch of organization %s: %w", id, err)
	}
	s.o.Events.Nudge()
	return out, nil
}

func (s *Switches) holdTx(ctx context.Context, tx db.Tx, w switching.Switch) error {
	if w.Connection.There() {
		if err := s.o.Connections.HoldTx(ctx, tx, string(w.OrganizationID), connectionsOf(w)); err != nil {
			return err
		}
	}
	if w.Directory.There() {
		return s.o.Directories.HoldTx(ctx, tx, string(w.OrganizationID), directoriesOf(w))
	}
	return nil
}

func connectionsOf(w switching.Switch) sso.Pair {
	return sso.Pair{From: sso.ID(w.Connection.From), To: sso.ID(w.Connection.To)}
}

func directoriesOf(w switching.Switch) directory.Pair {
	return directory.Pair{From: directory.ID(w.Directory.From), To: directory.ID(w.Directory.To)}
}

func (s *Switches) tellTx(ctx context.Context, tx db.Tx, actor event.Actor, kind event.Type, w switching.Switch) error {
	return s.o.Events.AppendTx(ctx, tx, w.UpdatedAt, switchEntry(actor, kind, w))
}

func switchEntry(actor event.Actor, kind event.Type, w switching.Switch) event.Entry {
	return event.Entry{OrganizationID: string(w.OrganizationID), Type: kind, Context: event.Context{Actor: actor}.JSON(), Data: w.Payload()}
}

// Get finds a switch. While it is prepared its counts are those of now.
func (s *Switches) Get(ctx context.Context, organizationID org.ID, id switching.ID) (switching.Switch, error) {
	o, w, err := s.find(ctx, organizationID, id)
	if err != nil || w.State != switching.Preparing {
		return w, err
	}
	p, _, err := s.latest(ctx, o, w, nil)
	if err == nil {
		w.Counts = p.tally
	}
	return w, err
}

// Find finds a switch. Of one that is prepared nothing is counted.
func (s *Switches) Find(ctx context.Context, organizationID org.ID, id switching.ID) (switching.Switch, error) {
	_, w, err := s.find(ctx, organizationID, id)
	return w, err
}

func (s *Switches) find(ctx context.Context, organizationID org.ID, id switching.ID) (o org.Organization, w switching.Switch, err error) {
	if o, err = s.o.Organizations.Get(ctx, organizationID); err == nil {
		w, err = switching.In(ctx, s.o.DB, organizationID, id, "")
	}
	return o, w, err
}

// List gives a page of an organization's switches and whether more follow. Of one that is prepared nothing is counted.
func (s *Switches) List(ctx context.Context, q switching.ListQuery) ([]switching.Switch, bool, error) {
	if _, err := s.o.Organizations.Get(ctx, q.OrganizationID); err != nil {
		return nil, false, err
	}
	return switching.List(ctx, s.o.DB, q)
}

// heldTx reads a switch for a verb, and refuses one that is in none of the states.
func (s *Switches) heldTx(ctx context.Context, tx db.Tx, organizationID org.ID, id switching.ID, in ...switching.State) (switching.Switch, error) {
	if err := s.o.Organizations.LockTx(ctx, tx, organizationID); err != nil {
		return switching.Switch{}, err
	}
	w, err := switching.In(ctx, tx, organizationID, id, s.o.DB.ForUpdate())
	if err != nil {
		return w, err
	}
	for _, state := range in {
		if w.State == state {
			return w, nil
		}
	}
	return w, fault.New(fault.Conflict, "switch_state", "The switch is %s: this can be done while it is %s.", w.State, in[0]).
		Compared(string(in[0]), string(w.State))
}

// Cancel ends a switch that was not cut over: everything stays as it is. The new connection and directory are free for another.
func (s *Switches) Cancel(ctx context.Context, actor event.Actor, organizationID org.ID, id switching.ID) (w switching.Switch, err error) {
	return s.verb(ctx, "cancel", id, func(tx db.Tx) (switching.Switch, error) {
		before, err := s.heldTx(ctx, tx, organizationID, id, switching.Preparing)
		if err != nil {
			return before, err
		}
		if before.Connection.There() {
			if err := s.o.Connections.LetGoTx(ctx, tx, string(organizationID), connectionsOf(before)); err != nil {
				return before, err
			}
		}
		if before.Directory.There() {
			if err := s.o.Directories.LetGoTx(ctx, tx, string(organizationID), directoriesOf(before)); err != nil {
				return before, err
			}
		}
		after := before
		after.State, after.UpdatedAt, after.EndedAt = switching.Cancelled, s.time(), s.time()
		return s.movedTx(ctx, tx, actor, event.SwitchCancelled, before, after)
	})
}

// verb does one in a transaction, and waits until no process acts by what was before.
func (s *Switches) verb(ctx context.Context, name string, id switching.ID, do func(tx db.Tx) (switching.Switch, error)) (w switching.Switch, err error) {
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		w, err = do(tx)
		return err
	})
	if err != nil {
		return switching.Switch{}, fmt.Errorf("%s identity provider switch %s: %w", name, id, err)
	}
	if !w.EndedAt.IsZero() {
		s.known.forget(pairingKey{w.OrganizationID, w.ID})
	}
	s.o.Events.Nudge()
	return w, s.o.Directories.Await(ctx)
}

func (s *Switches) movedTx(ctx context.Context, tx db.Tx, actor event.Actor, kind event.Type, before, after switching.Switch) (switching.Switch, error) {
	after, err := switching.MoveTx(ctx, tx, before, after)
	if err != nil {
		return after, err
	}
	return after, s.tellTx(ctx, tx, actor, kind, after)
}
