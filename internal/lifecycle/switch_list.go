package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
)

// Pairing is a line of a switch: a person or group of the old side with the counterpart, or one of the new side who is nobody's.
type Pairing struct {
	ID         string // of the old side; of the new where there is no old
	Match      switching.Match
	By         switching.Found // "" where none was found
	Membership string          // whose membership it is; "" nobody's
	Old, New   *PairingSide
	Candidates []string // who could be meant, of an ambiguous one
}

// PairingSide is a person or group as one side has it. One that is not there any more has an id alone.
type PairingSide struct {
	ID string
	directory.Shown
}

// PairingQuery selects a page of them. Before and After are ids of lines.
type PairingQuery struct {
	Match switching.Match // "": all
	// Search is part of a user name, an address or an external id of either side, or of a group's name, in any case; or a whole id. "": all.
	Search        string
	Before, After string
	Limit         int
	Ascending     bool

	folded string
}

// Pairings lists the people or the groups of a switch as they are now, and says whether more follow in the direction read. With 100,000 people on both
// sides it takes seconds where something has changed since the last look.
func (s *Switches) Pairings(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, q PairingQuery) ([]Pairing, bool, error) {
	o, w, err := s.find(ctx, organizationID, id)
	if err != nil {
		return nil, false, err
	}
	p, _, err := s.latest(ctx, o, w, nil)
	if err != nil {
		return nil, false, err
	}
	page, more := q.cut(p.lines(kind))
	return page, more, s.show(ctx, w, p, kind, page)
}

// PairingPage is a page of who is who as a process last found it.
type PairingPage struct {
	Switch switching.Switch // while it is prepared, with the counts as of At
	Lines  []Pairing
	More   bool      // in the direction read
	At     time.Time // later changes may be missing; zero: it is being found for the first time, and nothing is known yet
	Stale  bool      // something has changed since, or may have: ask again in a second or two
}

// Look lists the people or the groups of a switch for a page, and takes no longer than SwitchOptions.Patience for finding who is who: where it is large it
// shows what was last found, and says as of when.
func (s *Switches) Look(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, q PairingQuery) (out PairingPage, err error) {
	o, w, err := s.find(ctx, organizationID, id)
	if err != nil {
		return out, err
	}
	patience := time.NewTimer(s.o.Patience)
	defer patience.Stop()
	p, stale, err := s.latest(ctx, o, w, patience.C)
	out = PairingPage{Switch: w, Stale: stale}
	if err != nil || p == nil {
		return out, err
	}
	if out.At = p.at; w.State == switching.Preparing {
		out.Switch.Counts = p.tally
	}
	out.Lines, out.More = q.cut(p.lines(kind))
	return out, s.show(ctx, w, p, kind, out.Lines)
}

// show fills in what people know them by.
func (s *Switches) show(ctx context.Context, w switching.Switch, p *pairing, kind switching.Kind, page []Pairing) error {
	if kind == switching.Groups {
		for _, l := range page {
			for _, side := range []*PairingSide{l.Old, l.New} {
				if side != nil {
					side.Name = p.names[side.ID]
				}
			}
		}
		return nil
	}
	for _, one := range []struct {
		directory string
		side      func(Pairing) *PairingSide
	}{
		{w.Directory.From, func(l Pairing) *PairingSide { return l.Old }},
		{w.Directory.To, func(l Pairing) *PairingSide { return l.New }},
	} {
		if err := s.showSide(ctx, directory.ID(one.directory), page, one.side); err != nil {
			return err
		}
	}
	return nil
}

func (s *Switches) showSide(ctx context.Context, id directory.ID, page []Pairing, side func(Pairing) *PairingSide) error {
	var ids []string
	for _, l := range page {
		p := side(l)
		switch {
		case p == nil:
		case p.ID == l.Membership:
			if err := s.showMember(ctx, p); err != nil {
				return err
			}
		default:
			ids = append(ids, p.ID)
		}
	}
	shown, err := s.o.Directories.ShowPeople(ctx, id, ids)
	if err != nil {
		return err
	}
	for _, l := range page {
		if p := side(l); p != nil && p.ID != l.Membership {
			p.Shown = shown[p.ID]
		}
	}
	return nil
}

// showMember is for those of the old side who only sign in.
func (s *Switches) showMember(ctx context.Context, p *PairingSide) error {
	m, err := s.o.Members.Member(ctx, member.MembershipID(p.ID))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Name, p.Email, p.In = m.User.Name(), m.User.Email, m.Membership.State == member.Active
	return nil
}

// SetMatch says by hand who or what is whose counterpart; next "" says that nobody is. While the switch is prepared it can be said anew at any time. Of
// people who were not carried over it can be said after the cut-over too, and they are carried over then. Refusals: Conflict "counterpart_taken"
// and "already_matched", Unprocessable "unknown_counterpart".
//
// Whether the counterpart is there and free is read in the transaction. Who is on the old side, and whom the hand overrules, is what the process last
// found: to find it anew would hold the writer for seconds.
func (s *Switches) SetMatch(ctx context.Context, actor event.Actor, organizationID org.ID, id switching.ID, kind switching.Kind, old, next string) (Pairing, error) {
	p, err := s.lately(ctx, organizationID, id, kind, old)
	if err != nil {
		return Pairing{}, err
	}
	is := switching.Counterpart{New: next, Match: switching.Unmatched, By: switching.ByHand}
	if next != "" {
		is.Match = switching.Matched
	}
	w, err := s.verb(ctx, "match by hand in", id, func(tx db.Tx) (switching.Switch, error) {
		states := []switching.State{switching.Preparing}
		if kind == switching.People {
			states = append(states, switching.CutOver)
		}
		w, err := s.heldTx(ctx, tx, organizationID, id, states...)
		if err != nil {
			return w, err
		}
		if !w.Directory.There() {
			return w, fault.New(fault.Conflict, "no_directory",
				"The switch is of a connection alone: whom it knows is found at their first sign-in, and nobody is matched by hand.")
		}
		was, err := wasTx(ctx, tx, w, p, kind, old)
		if err != nil {
			return w, err
		}
		is.Old = was.Old
		return w, s.setTx(ctx, tx, actor, w, p, kind, was, is)
	})
	if err != nil {
		return Pairing{}, err
	}
	said := []Pairing{pairingOf(is).pairing()}
	return said[0], s.show(ctx, w, p, kind, said)
}

// lately is who is who as the process last found it: that of now, however long it takes, where it never did or does not know somebody.
func (s *Switches) lately(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, old string) (*pairing, error) {
	o, w, err := s.find(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(s.o.Patience)
	defer patience.Stop()
	p, stale, err := s.latest(ctx, o, w, patience.C)
	if err != nil || p != nil && !stale {
		return p, err
	}
	if p != nil {
		if _, known := p.line(kind, old); known {
			return p, nil
		}
	}
	p, _, err = s.latest(ctx, o, w, nil)
	return p, err
}

func notInSwitch(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "The old side of the switch has no '%.80s'.", id)
}

// wasTx is somebody, or a group, of the old side with the counterpart that there was. After the cut-over it is as it was carried over.
func wasTx(ctx context.Context, tx db.Tx, w switching.Switch, p *pairing, kind switching.Kind, old string) (switching.Counterpart, error) {
	said, stored, err := switching.MatchIn(ctx, tx, w, kind, old)
	if err != nil {
		return said, err
	}
	l, there := p.line(kind, old)
	switch {
	case w.State == switching.CutOver && stored:
		return said, nil
	case w.State == switching.CutOver, !there:
		return said, notInSwitch(old)
	}
	was := switching.Counterpart{Old: switching.Known{ID: old, Membership: l.membership}, New: l.next, Match: l.match, By: l.by}
	if stored && p.print.version != w.Version() {
		was.New, was.Match, was.By = said.New, said.Match, said.By
	}
	if kind == switching.Groups || l.membership == old { // a member who only signs in is on the old side by that alone
		return was, nil
	}
	is, err := directory.HasUserIn(ctx, tx, directory.ID(w.Directory.From), directory.UserID(old))
	if err == nil && !is {
		err = notInSwitch(old)
	}
	if err != nil {
		return was, err
	}
	owner, err := member.OwnerIn(ctx, tx, string(w.OrganizationID), w.Directory.From, old)
	was.Old.Membership = string(owner)
	return was, err
}

func (s *Switches) setTx(ctx context.Context, tx db.Tx, actor event.Actor, w switching.Switch, p *pairing, kind switching.Kind, was, is switching.Counterpart) error {
	if err := mayBeTx(ctx, tx, w, p, kind, was, is.New); err != nil {
		return err
	}
	if err := switching.SetTx(ctx, tx, w, kind, is); err != nil {
		return err
	}
	if err := s.lateTx(ctx, tx, actor, w, is); err != nil {
		return err
	}
	settings := func(c switching.Counterpart) event.Settings {
		return event.Settings{string(kind): c.Old.ID, "counterpart": c.New, "match": string(c.Match), "found_by": string(c.By)}
	}
	return s.o.Events.AuditTx(ctx, tx, s.time(), event.Change{
		OrganizationID: string(w.OrganizationID), Action: "identity_provider_switch.match_set", Target: string(w.ID), Cause: event.Context{Actor: actor},
		Before: settings(was), After: settings(is),
	})
}

// mayBeTx refuses a counterpart that is not there, or is somebody else's.
func mayBeTx(ctx context.Context, tx db.Tx, w switching.Switch, p *pairing, kind switching.Kind, was switching.Counterpart, next string) error {
	switch {
	case w.State == switching.CutOver && was.New != "":
		return fault.New(fault.Conflict, "already_matched", "This person was carried over already. Revert the switch to match them otherwise.")
	case next == "":
		return nil
	}
	there, err := hasIn(ctx, tx, kind, directory.ID(w.Directory.To), next)
	if err == nil && !there {
		err = fault.New(fault.Unprocessable, "unknown_counterpart", "The new directory has no '%.80s'.", next).On("new_id")
	}
	if err != nil {
		return err
	}
	if err := freeTx(ctx, tx, w, p, kind, was, next); err != nil || kind == switching.Groups {
		return err
	}
	owner, err := member.OwnerIn(ctx, tx, string(w.OrganizationID), w.Directory.To, next)
	if err == nil && owner != "" && string(owner) != was.Old.Membership {
		err = errTaken(next, fmt.Sprintf("the member '%s'", owner))
	}
	return err
}

func hasIn(ctx context.Context, r db.Reader, kind switching.Kind, of directory.ID, id string) (bool, error) {
	if kind == switching.Groups {
		return directory.HasGroupIn(ctx, r, of, directory.GroupID(id))
	}
	return directory.HasUserIn(ctx, r, of, directory.UserID(id))
}

func errTaken(next, by string) error {
	return fault.New(fault.Conflict, "counterpart_taken", "'%.80s' is the counterpart of %s already. Say first that it is not.", next, by).On("new_id")
}

// freeTx refuses whom a hand has given to another, or whom another was carried over as. What was said of somebody who is not on the old side any
// more holds nobody.
func freeTx(ctx context.Context, tx db.Tx, w switching.Switch, p *pairing, kind switching.Kind, was switching.Counterpart, next string) error {
	other, found, err := switching.OfNewIn(ctx, tx, w, kind, next)
	if err != nil || !found || other.Old.ID == was.Old.ID {
		return err
	}
	if _, there := p.line(kind, other.Old.ID); there || w.State == switching.CutOver {
		return errTaken(next, "'"+other.Old.ID+"'")
	}
	other.New, other.Match = "", switching.Unmatched
	return switching.SetTx(ctx, tx, w, kind, other)
}

// lateTx carries somebody over who is matched after the cut-over.
func (s *Switches) lateTx(ctx context.Context, tx db.Tx, actor event.Actor, w switching.Switch, is switching.Counterpart) error {
	if w.State != switching.CutOver || is.New == "" {
		return nil
	}
	if err := s.o.Members.CarryTx(ctx, tx, carriageOf(w, is)); err != nil {
		return err
	}
	return s.o.Directories.LookTx(ctx, tx, actor, string(w.OrganizationID), directory.ID(w.Directory.To), directory.UserID(is.New))
}
