package lifecycle

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
)

// Expected are the numbers that whoever cuts over has seen. nil is 0.
type Expected struct {
	Unmatched  *int // people without a certain counterpart, ambiguous ones too: they stay as they are
	GroupsLost *int // groups without one that a mapping or a team counts on
	Leaving    *int // people who are in, and whose counterpart is not
}

// differs refuses the first number that is not what was expected.
func (e Expected) differs(w switching.Switch) error {
	path := "/organizations/" + string(w.OrganizationID) + "/identity_provider_switches/" + string(w.ID)
	for _, one := range []struct {
		expected    *int
		number      int
		code, field string
		sentence    string
	}{
		{
			e.Unmatched, w.Counts.People.Without(), "people_unmatched", "expected_unmatched",
			"%d people of the old identity provider have no certain counterpart in the new one, and stay as they are; GET " + path +
				"/people?match=unmatched and ?match=ambiguous list them. Match them by hand, or give expected_unmatched: %d.",
		},
		{
			e.GroupsLost, w.Counts.GroupsLost, "groups_unmatched", "expected_groups_lost",
			"%d groups that give roles, teams or licences have no certain counterpart, and what they give is lost; GET " + path +
				"/groups lists them. Match them by hand, or give expected_groups_lost: %d.",
		},
		{
			e.Leaving, w.Counts.Leaving, "people_leaving", "expected_leaving",
			"%d people who are in would be out, because the new directory says that their counterparts are not active; GET " + path +
				"/people?match=matched shows them. Activate them in the new identity provider, or give expected_leaving: %d.",
		},
	} {
		if one.expected == nil && one.number == 0 || one.expected != nil && *one.expected == one.number {
			continue
		}
		return &ConfirmationError{one.number, nil, fault.New(fault.Conflict, one.code, one.sentence, one.number, one.number).On(one.field)}
	}
	return nil
}

// CutOver lets the new identity provider rule in the place of the old one, in one transaction; people of the new directory are then looked at in
// the background. A number that differs from what was expected is a *ConfirmationError. Conflict "connection_not_tested" where nobody has come
// in through the new connection, nor tested it with success.
func (s *Switches) CutOver(ctx context.Context, actor event.Actor, organizationID org.ID, id switching.ID, e Expected) (switching.Switch, error) {
	o, err := s.o.Organizations.Get(ctx, organizationID)
	if err != nil {
		return switching.Switch{}, err
	}
	return s.verb(ctx, "cut over", id, func(tx db.Tx) (switching.Switch, error) {
		before, err := s.heldTx(ctx, tx, organizationID, id, switching.Preparing)
		if err != nil {
			return before, err
		}
		if err := s.testedTx(ctx, tx, before); err != nil {
			return before, err
		}
		v, err := s.look(ctx, tx, o, before)
		if err != nil {
			return before, err
		}
		after := before
		after.Counts = v.tally
		if err := e.differs(after); err != nil {
			return before, err
		}
		after.State, after.UpdatedAt, after.CutOverAt = switching.CutOver, s.time(), s.time()
		after.RevertibleUntil = after.CutOverAt.Add(switching.RevertibleFor)
		if err := s.replaceTx(ctx, tx, actor, o, &after, v); err != nil {
			return before, err
		}
		return s.movedTx(ctx, tx, actor, event.SwitchCutOver, before, after)
	})
}

func (s *Switches) testedTx(ctx context.Context, tx db.Tx, w switching.Switch) error {
	if !w.Connection.There() {
		return nil
	}
	tested, err := sso.Tested(ctx, tx, string(w.OrganizationID), sso.ID(w.Connection.To))
	if err != nil || tested {
		return err
	}
	return fault.New(fault.Conflict, "connection_not_tested",
		"Nobody has tested the new connection with success yet. Make a test sign-in first: POST /connections/%s/test_sign_ins.", w.Connection.To)
}

// replaceTx does it. Directories come before members, as in the writes of requests and workers.
func (s *Switches) replaceTx(ctx context.Context, tx db.Tx, actor event.Actor, o org.Organization, w *switching.Switch, v looked) (err error) {
	if err := switching.CarryTx(ctx, tx, *w, v.people, v.groups); err != nil {
		return err
	}
	if w.Directory.There() {
		if w.Before.Brake, err = s.carryBrakeTx(ctx, tx, actor, *w); err != nil {
			return err
		}
		if err := s.o.Directories.CutOverTx(ctx, tx, actor, string(o.ID), directoriesOf(*w)); err != nil {
			return err
		}
		if err := s.o.Members.CarryTx(ctx, tx, carriageOf(*w, v.people...)); err != nil {
			return err
		}
		if err := s.o.Members.FreezeTx(ctx, tx, string(o.ID), w.Directory.From, event.Context{Actor: actor}); err != nil {
			return err
		}
		carried, err := s.o.Access.CarryTx(ctx, tx, actor, groupsOf(*w, w.Directory, v))
		if err != nil {
			return err
		}
		w.Before.DirectoryMapping = switching.Carried(carried)
	}
	if !w.Connection.There() {
		return nil
	}
	carried, err := s.o.Access.CarryTx(ctx, tx, actor, namesOf(*w, v))
	if err != nil {
		return err
	}
	was, err := s.o.Connections.CutOverTx(ctx, tx, actor, o, connectionsOf(*w))
	w.Before.ConnectionMapping, w.Before.ConnectionState, w.Before.ConnectionDefault = switching.Carried(carried), string(was.State), was.Default
	return err
}

// carryBrakeTx gives the setting of the old directory's brake to the new one, as its mapping.
func (s *Switches) carryBrakeTx(ctx context.Context, tx db.Tx, actor event.Actor, w switching.Switch) (switching.Carried, error) {
	carried, kept, err := s.o.Directories.CarryBrakeTx(ctx, tx, actor, string(w.OrganizationID), directoriesOf(w))
	switch {
	case carried:
		return switching.MappingCarried, err
	case kept:
		return switching.MappingKept, err
	}
	return switching.NoMapping, err
}

// carriageOf are those of people who are matched.
func carriageOf(w switching.Switch, people ...switching.Counterpart) member.Carriage {
	c := member.Carriage{OrganizationID: string(w.OrganizationID), From: w.Directory.From, To: w.Directory.To}
	for _, p := range people {
		if p.New != "" {
			c.People = append(c.People, member.Carried{Old: p.Old.ID, New: p.New, Signer: p.Old.ID == p.Old.Membership})
		}
	}
	return c
}

// groupsOf says which group of the old directory is which of the new.
func groupsOf(w switching.Switch, p switching.Pair, v looked) access.Carriage {
	c := access.Carriage{
		OrganizationID: string(w.OrganizationID), From: p.From, To: p.To, Groups: map[string]access.Group{}, Names: map[string]string{},
	}
	for _, g := range v.groups {
		if g.New != "" {
			c.Groups[g.Old.ID], c.Names[v.names[g.Old.ID]] = access.Group{ID: g.New, Name: v.names[g.New]}, v.names[g.New]
		}
	}
	return c
}

// namesOf is for the connections, which know groups by their names alone.
func namesOf(w switching.Switch, v looked) access.Carriage {
	c := groupsOf(w, w.Connection, v)
	c.Groups = nil
	return c
}

// Revert lets the old identity provider rule again, as it was, within 14 days after the cut-over: later it is Conflict "switch_state". Mappings and
// claims are those of before. People who came by the new one alone stay as they are, as when a directory is deleted; sessions through the new
// connection end.
func (s *Switches) Revert(ctx context.Context, actor event.Actor, organizationID org.ID, id switching.ID) (switching.Switch, error) {
	o, err := s.o.Organizations.Get(ctx, organizationID)
	if err != nil {
		return switching.Switch{}, err
	}
	return s.verb(ctx, "revert", id, func(tx db.Tx) (switching.Switch, error) {
		before, err := s.heldTx(ctx, tx, organizationID, id, switching.CutOver)
		if err != nil {
			return before, err
		}
		now := s.time()
		if !now.Before(before.RevertibleUntil) {
			return before, fault.New(fault.Conflict, "switch_state", "The switch could be reverted until %s, and is finished now.", org.Time(before.RevertibleUntil))
		}
		if err := s.returnTx(ctx, tx, actor, o, before); err != nil {
			return before, err
		}
		after := before
		after.State, after.UpdatedAt, after.EndedAt = switching.Reverted, now, now
		return s.movedTx(ctx, tx, actor, event.SwitchReverted, before, after)
	})
}

func (s *Switches) returnTx(ctx context.Context, tx db.Tx, actor event.Actor, o org.Organization, w switching.Switch) error {
	v, err := s.look(ctx, tx, o, w)
	if err != nil {
		return err
	}
	if w.Directory.There() {
		if err := s.returnDirectoryTx(ctx, tx, actor, w, v); err != nil {
			return err
		}
	}
	if !w.Connection.There() {
		return nil
	}
	if w.Before.ConnectionMapping == switching.MappingCarried {
		if err := s.o.Access.DeleteMappingTx(ctx, tx, string(o.ID), w.Connection.To); err != nil {
			return err
		}
	}
	was := sso.Former{State: sso.State(w.Before.ConnectionState), Default: w.Before.ConnectionDefault}
	return s.o.Connections.RevertTx(ctx, tx, actor, o, connectionsOf(w), was)
}

func (s *Switches) returnDirectoryTx(ctx context.Context, tx db.Tx, actor event.Actor, w switching.Switch, v looked) error {
	p := directoriesOf(w)
	if w.Before.Brake == switching.MappingCarried {
		if err := s.o.Directories.ReturnBrakeTx(ctx, tx, actor, p); err != nil {
			return err
		}
	}
	if err := s.o.Directories.RevertTx(ctx, tx, actor, string(w.OrganizationID), p); err != nil {
		return err
	}
	if err := s.o.Members.ReturnTx(ctx, tx, carriageOf(w, v.people...)); err != nil {
		return err
	}
	if err := s.o.Members.FreezeTx(ctx, tx, string(w.OrganizationID), w.Directory.To, event.Context{Actor: actor}); err != nil {
		return err
	}
	if err := s.o.Directories.GoneTx(ctx, tx, actor, string(w.OrganizationID), p.From); err != nil {
		return err
	}
	return s.o.Access.ReturnTx(ctx, tx, groupsOf(w, w.Directory, v), access.CarriedMapping(w.Before.DirectoryMapping))
}

// How often it is looked for switches whose time is over, and how many are finished at once.
const (
	switchPoll  = time.Minute
	switchBatch = 100
)

// Run finishes switches whose time is over, and forgets who is who of those that nobody looks at, until ctx ends. Nothing that looks began is at
// work when it returns.
func (s *Switches) Run(ctx context.Context) {
	tick := time.NewTicker(switchPoll)
	defer tick.Stop()
	defer s.known.close()
	for {
		s.known.expire(s.time())
		if err := s.Finish(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.ErrorContext(ctx, "background work failed and will be tried again", "work", "finish identity provider switches", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Finish ends switches that can be reverted no more: the old connection and directory are as any that are switched off, and can be deleted.
// Sessions that are left of the old connection end.
func (s *Switches) Finish(ctx context.Context) error {
	due, err := switching.DueIn(ctx, s.o.DB, s.time(), switchBatch)
	if err != nil {
		return err
	}
	for _, w := range due {
		_, err := s.verb(ctx, "finish", w.ID, func(tx db.Tx) (switching.Switch, error) { return s.finishTx(ctx, tx, w) })
		if f, ok := fault.As(err); ok && (f.Kind == fault.NotFound || f.Code == "switch_state") {
			continue // another process was first, or it is gone
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Switches) finishTx(ctx context.Context, tx db.Tx, w switching.Switch) (switching.Switch, error) {
	actor := event.Actor{ID: "rollcall", Source: event.System}
	before, err := s.heldTx(ctx, tx, w.OrganizationID, w.ID, switching.CutOver)
	if err != nil {
		return before, err
	}
	organizationID := string(w.OrganizationID)
	if before.Directory.There() {
		if err := s.o.Directories.LetGoTx(ctx, tx, organizationID, directoriesOf(before)); err != nil {
			return before, err
		}
		if err := s.o.Access.LetTeamsGoTx(ctx, tx, organizationID, before.Directory.From); err != nil {
			return before, err
		}
	}
	if before.Connection.There() {
		if err := s.o.Connections.FinishTx(ctx, tx, actor, organizationID, connectionsOf(before)); err != nil {
			return before, err
		}
	}
	after := before
	after.State, after.UpdatedAt, after.EndedAt = switching.Finished, s.time(), s.time()
	return s.movedTx(ctx, tx, actor, event.SwitchFinished, before, after)
}

// endSwitchTx ends the switch that is open, if one is, because its connections and directories have just been deleted.
func endSwitchTx(ctx context.Context, tx db.Tx, log *event.Log, actor event.Actor, id org.ID, at time.Time) error {
	before, open, err := switching.OpenIn(ctx, tx, id)
	if err != nil || !open {
		return err
	}
	after, kind := before, event.SwitchFinished
	after.State, after.UpdatedAt, after.EndedAt = switching.Finished, at, at
	if before.State == switching.Preparing {
		after.State, kind = switching.Cancelled, event.SwitchCancelled
	}
	if after, err = switching.MoveTx(ctx, tx, before, after); err != nil {
		return err
	}
	return log.AppendTx(ctx, tx, at, switchEntry(actor, kind, after))
}
