package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	Match         switching.Match // "": all
	Before, After string
	Limit         int
	Ascending     bool
}

// Pairings lists the people or the groups of a switch, and says whether more follow in the direction read. The whole of both sides is read for each
// page, since who is whose counterpart depends on everybody.
func (s *Switches) Pairings(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, q PairingQuery) ([]Pairing, bool, error) {
	w, v, all, err := s.paired(ctx, organizationID, id, kind, q.Match)
	if err != nil {
		return nil, false, err
	}
	page, more := q.cut(all)
	return page, more, s.show(ctx, w, v, kind, page)
}

// paired is all of a match, not yet as people know it.
func (s *Switches) paired(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, only switching.Match) (w switching.Switch, v looked, all []Pairing, err error) {
	o, err := s.o.Organizations.Get(ctx, organizationID)
	if err != nil {
		return w, v, nil, err
	}
	err = s.o.DB.Snapshot(ctx, func(r db.Reader) error {
		if w, err = switching.In(ctx, r, organizationID, id, ""); err != nil {
			return err
		}
		v, err = s.look(ctx, r, o, w)
		return err
	})
	if kind == switching.Groups {
		return w, v, lines(v.groups, v.newGroups, only), err
	}
	return w, v, lines(v.people, v.newPeople, only), err
}

// lines are those of a match, by their ids.
func lines(all []switching.Counterpart, rest []switching.Known, only switching.Match) (out []Pairing) {
	for _, c := range all {
		if only != "" && c.Match != only {
			continue
		}
		p := Pairing{ID: c.Old.ID, Match: c.Match, By: c.By, Membership: c.Old.Membership, Candidates: c.Candidates, Old: &PairingSide{ID: c.Old.ID}}
		if c.New != "" {
			p.New = &PairingSide{ID: c.New}
		}
		out = append(out, p)
	}
	if only == "" || only == switching.OnlyNew {
		for _, k := range rest {
			out = append(out, Pairing{ID: k.ID, Match: switching.OnlyNew, Membership: k.Membership, New: &PairingSide{ID: k.ID}})
		}
	}
	slices.SortFunc(out, func(a, b Pairing) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// cut takes a page out of lines in ascending order, as db.Page does out of a table.
func (q PairingQuery) cut(all []Pairing) ([]Pairing, bool) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	backwards := q.Before != "" && q.After == ""
	if !q.Ascending {
		slices.Reverse(all)
	}
	order := func(a, b string) int {
		if q.Ascending {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(b, a)
	}
	all = slices.DeleteFunc(all, func(l Pairing) bool {
		return q.After != "" && order(l.ID, q.After) <= 0 || q.Before != "" && order(l.ID, q.Before) >= 0
	})
	if backwards {
		slices.Reverse(all)
	}
	return db.Cut(p, all)
}

// show fills in what people know them by.
func (s *Switches) show(ctx context.Context, w switching.Switch, v looked, kind switching.Kind, page []Pairing) error {
	if kind == switching.Groups {
		for _, l := range page {
			for _, side := range []*PairingSide{l.Old, l.New} {
				if side != nil {
					side.Name = v.names[side.ID]
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
func (s *Switches) SetMatch(ctx context.Context, actor event.Actor, organizationID org.ID, id switching.ID, kind switching.Kind, old, next string) (Pairing, error) {
	o, err := s.o.Organizations.Get(ctx, organizationID)
	if err != nil {
		return Pairing{}, err
	}
	_, err = s.verb(ctx, "match by hand in", id, func(tx db.Tx) (switching.Switch, error) {
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
		v, err := s.look(ctx, tx, o, w)
		if err != nil {
			return w, err
		}
		return w, s.setTx(ctx, tx, actor, w, v, kind, old, next)
	})
	if err != nil {
		return Pairing{}, err
	}
	return s.pairing(ctx, organizationID, id, kind, old)
}

// pairing reads one line.
func (s *Switches) pairing(ctx context.Context, organizationID org.ID, id switching.ID, kind switching.Kind, old string) (Pairing, error) {
	w, v, all, err := s.paired(ctx, organizationID, id, kind, "")
	if err != nil {
		return Pairing{}, err
	}
	i := slices.IndexFunc(all, func(p Pairing) bool { return p.ID == old && p.Old != nil })
	if i < 0 {
		return Pairing{}, notInSwitch(old)
	}
	return all[i], s.show(ctx, w, v, kind, all[i:i+1])
}

func notInSwitch(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "The old side of the switch has no '%.80s'.", id)
}

func (s *Switches) setTx(ctx context.Context, tx db.Tx, actor event.Actor, w switching.Switch, v looked, kind switching.Kind, old, next string) error {
	all := v.people
	if kind == switching.Groups {
		all = v.groups
	}
	i := slices.IndexFunc(all, func(c switching.Counterpart) bool { return c.Old.ID == old })
	if i < 0 {
		return notInSwitch(old)
	}
	was := all[i]
	if err := v.mayBe(w, kind, all, was, next); err != nil {
		return err
	}
	is := switching.Counterpart{Old: was.Old, New: next, Match: switching.Unmatched, By: switching.ByHand}
	if next != "" {
		is.Match = switching.Matched
	}
	if err := switching.SetTx(ctx, tx, w, kind, is); err != nil {
		return err
	}
	if err := s.lateTx(ctx, tx, actor, w, is); err != nil {
		return err
	}
	settings := func(c switching.Counterpart) event.Settings {
		return event.Settings{string(kind): old, "counterpart": c.New, "match": string(c.Match), "found_by": string(c.By)}
	}
	return s.o.Events.AuditTx(ctx, tx, s.time(), event.Change{
		OrganizationID: string(w.OrganizationID), Action: "identity_provider_switch.match_set", Target: string(w.ID), Cause: event.Context{Actor: actor},
		Before: settings(was), After: settings(is),
	})
}

// mayBe refuses a counterpart that is not there, or is somebody else's.
func (v *looked) mayBe(w switching.Switch, kind switching.Kind, all []switching.Counterpart, was switching.Counterpart, next string) error {
	_, person := v.after[next]
	owner := ""
	if kind == switching.People {
		owner = v.owners[next]
	}
	other := slices.IndexFunc(all, func(c switching.Counterpart) bool { return next != "" && c.New == next && c.Old.ID != was.Old.ID })
	taken := func(by string) error {
		return fault.New(fault.Conflict, "counterpart_taken", "'%.80s' is the counterpart of %s already. Say first that it is not.", next, by).On("new_id")
	}
	switch {
	case w.State == switching.CutOver && was.New != "":
		return fault.New(fault.Conflict, "already_matched", "This person was carried over already. Revert the switch to match them otherwise.")
	case next == "":
		return nil
	case kind == switching.People && !person, kind == switching.Groups && !v.afterGroups[next]:
		return fault.New(fault.Unprocessable, "unknown_counterpart", "The new directory has no '%.80s'.", next).On("new_id")
	case other >= 0 && (w.State == switching.CutOver || all[other].By == switching.ByHand):
		return taken("'" + all[other].Old.ID + "'")
	case owner != "" && owner != was.Old.Membership:
		return taken(fmt.Sprintf("the member '%s'", owner))
	}
	return nil
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
