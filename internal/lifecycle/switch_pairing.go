package lifecycle

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/switching"
)

// pairing is who is whose counterpart in a switch, as both sides were at a moment. It does not change once it is made.
type pairing struct {
	at             time.Time     // when it was begun: later changes may be missing
	took           time.Duration // to make
	turn           int           // the how manieth of its switch in this process
	print          imprint
	people, groups []pairLine        // by their ids
	names          map[string]string // of groups of both sides
	tally          switching.Tally
}

// pairLine is a Pairing that takes little room. text is what it is searched by, folded.
type pairLine struct {
	id, next   string
	onlyNew    bool
	match      switching.Match
	by         switching.Found
	membership string
	candidates []string
	text       string
}

func (p *pairing) lines(kind switching.Kind) []pairLine {
	if kind == switching.Groups {
		return p.groups
	}
	return p.people
}

func (p *pairing) size() int { return len(p.people) + len(p.groups) }

// line finds the one of somebody, or of a group, of the old side.
func (p *pairing) line(kind switching.Kind, old string) (pairLine, bool) {
	all := p.lines(kind)
	i, found := slices.BinarySearchFunc(all, old, func(l pairLine, id string) int { return cmp.Compare(l.id, id) })
	if !found || all[i].onlyNew {
		return pairLine{}, false
	}
	return all[i], true
}

// pair reads both sides and finds who is who. The caller sets what only it knows: at, took, turn, print.
func (s *Switches) pair(ctx context.Context, o org.Organization, id switching.ID) (*pairing, error) {
	var p *pairing
	err := s.o.DB.Snapshot(ctx, func(r db.Reader) error {
		w, err := switching.In(ctx, r, o.ID, id, "")
		if err != nil {
			return err
		}
		v, err := s.look(ctx, r, o, w)
		if err != nil {
			return err
		}
		p = &pairing{tally: v.tally, names: v.names, people: v.lines(v.people, v.newPeople, v.textOfPerson), groups: v.lines(v.groups, v.newGroups, v.textOfGroup)}
		return nil
	})
	return p, err
}

// lines are all of a kind, by their ids.
func (v *looked) lines(all []switching.Counterpart, rest []switching.Known, text func(string) string) []pairLine {
	out := make([]pairLine, 0, len(all)+len(rest))
	for _, c := range all {
		searched := text(c.Old.ID)
		if c.New != "" {
			searched += "\n" + text(c.New)
		}
		l := pairingOf(c)
		l.text = searched
		out = append(out, l)
	}
	for _, k := range rest {
		out = append(out, pairLine{id: k.ID, next: k.ID, onlyNew: true, match: switching.OnlyNew, membership: k.Membership, text: text(k.ID)})
	}
	slices.SortFunc(out, func(a, b pairLine) int { return cmp.Compare(a.id, b.id) })
	return out
}

func pairingOf(c switching.Counterpart) pairLine {
	return pairLine{id: c.Old.ID, next: c.New, match: c.Match, by: c.By, membership: c.Old.Membership, candidates: c.Candidates}
}

// textOfPerson is what somebody of either side is searched by: user name, addresses and external id.
func (v *looked) textOfPerson(id string) string {
	k, found := v.before[id]
	if !found {
		k, found = v.after[id]
	}
	if !found {
		one := v.signers[id]
		return joined(append([]string{one.Email}, one.IDPIDs...)...)
	}
	return joined(append([]string{k.Name, k.ExternalID}, k.Emails...)...)
}

func (v *looked) textOfGroup(id string) string { return joined(v.names[id]) }

func joined(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return scim.FoldKey(strings.Join(parts, "\n"))
}

// chosen tells whether the query selects a line.
func (q PairingQuery) chosen(l *pairLine) bool {
	if q.Match != "" && l.match != q.Match {
		return false
	}
	return q.Search == "" || l.id == q.Search || l.next == q.Search || strings.Contains(l.text, q.folded)
}

// cut takes a page out of lines in ascending order, as db.Page does out of a table, and says whether more follow in the direction read.
func (q PairingQuery) cut(all []pairLine) ([]Pairing, bool) {
	q.folded = scim.FoldKey(q.Search)
	backwards := q.Before != "" && q.After == ""
	low, high := 0, len(all)
	above, below := q.After, q.Before
	if !q.Ascending {
		above, below = below, above
	}
	if above != "" {
		low, _ = slices.BinarySearchFunc(all, above+"\x00", func(l pairLine, id string) int { return cmp.Compare(l.id, id) })
	}
	if below != "" {
		high, _ = slices.BinarySearchFunc(all, below, func(l pairLine, id string) int { return cmp.Compare(l.id, id) })
	}
	var out []Pairing
	for step := range max(0, high-low) {
		at := low + step
		if q.Ascending == backwards {
			at = high - 1 - step
		}
		if !q.chosen(&all[at]) {
			continue
		}
		if out = append(out, all[at].pairing()); len(out) > q.Limit {
			break
		}
	}
	return db.Cut(db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}, out)
}

// pairing is the line as callers see it.
func (l pairLine) pairing() Pairing {
	p := Pairing{ID: l.id, Match: l.match, By: l.by, Membership: l.membership, Candidates: l.candidates}
	if !l.onlyNew {
		p.Old = &PairingSide{ID: l.id}
	}
	if l.next != "" {
		p.New = &PairingSide{ID: l.next}
	}
	return p
}

// imprint is what a pairing is made of, in short; see unchanged.
type imprint struct {
	state   switching.State
	version int64  // of the switch: each word of a hand moves it
	domains string // those verified
	old     directory.Counts
	next    directory.Counts
	event   string // the organization's last event by then
}

// same tells whether two differ in their events at most.
func (p imprint) same(other imprint) bool {
	p.event, other.event = "", ""
	return p == other
}

// spoken is the part that is changed by hands alone.
func (p imprint) spoken() imprint {
	return imprint{state: p.state, version: p.version, domains: p.domains}
}
