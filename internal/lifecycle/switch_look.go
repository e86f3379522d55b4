package lifecycle

import (
	"cmp"
	"context"
	"slices"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/switching"
)

// looked is both sides of a switch, and who of the one is who of the other: as it is now, or as it was cut over.
type looked struct {
	people, groups       []switching.Counterpart
	newPeople, newGroups []switching.Known          // nobody's counterpart
	names                map[string]string          // of groups of both sides, by their ids
	before, after        map[string]directory.Known // people of the old side, and of the new
	afterGroups          map[string]bool
	owners               map[string]string         // of people of the new side whose membership is known
	signers              map[string]member.Standby // of the old side who only sign in, by their memberships
	states               map[string]member.State   // of memberships
	tally                switching.Tally
}

// look reads both sides at one moment, and finds who is who.
func (s *Switches) look(ctx context.Context, r db.Reader, o org.Organization, w switching.Switch) (v looked, err error) {
	old, next := sides{states: map[string]member.State{}}, sides{}
	if w.Directory.There() {
		if old, err = sideIn(ctx, r, o, w.Directory.From); err == nil {
			next, err = sideIn(ctx, r, o, w.Directory.To)
		}
		if err != nil {
			return v, err
		}
	}
	v.before, v.after, v.states, v.names, v.afterGroups, v.owners = old.byID, next.byID, old.states, map[string]string{}, map[string]bool{}, map[string]string{}
	for _, g := range slices.Concat(old.shownGroups, next.shownGroups) {
		v.names[g.ID] = g.Shown
	}
	for _, g := range next.groups {
		v.afterGroups[g.ID] = true
	}
	for _, k := range next.people {
		v.owners[k.ID] = k.Membership
	}
	signers, err := s.signers(ctx, r, w, old)
	if err != nil {
		return v, err
	}
	v.signers = map[string]member.Standby{}
	for _, one := range signers {
		v.signers[string(one.Membership)], v.states[string(one.Membership)] = one, one.State
	}
	if err := v.match(ctx, r, o, w, old, next, signers); err != nil {
		return v, err
	}
	v.newPeople, v.newGroups = switching.Rest(next.people, v.people), switching.Rest(next.groups, v.groups)
	return v, v.count(ctx, r, w)
}

// sides is what one side of a switch has.
type sides struct {
	people, groups []switching.Known
	shownGroups    []directory.Known
	byID           map[string]directory.Known
	states         map[string]member.State // of memberships
	members        map[string]bool         // memberships that the directory's people are
}

func sideIn(ctx context.Context, r db.Reader, o org.Organization, id string) (out sides, err error) {
	people, groups, err := directory.RosterIn(ctx, r, directory.ID(id))
	if err != nil {
		return out, err
	}
	known, err := member.OfDirectoryIn(ctx, r, string(o.ID), id)
	if err != nil {
		return out, err
	}
	out = sides{byID: make(map[string]directory.Known, len(people)), states: map[string]member.State{}, members: map[string]bool{}, shownGroups: groups}
	for _, p := range people {
		out.byID[p.ID] = p
		k := switching.Known{ID: p.ID, ExternalIDs: present(p.ExternalID), Name: p.Name, Emails: vouched(o, append(p.Emails, p.Name)), In: p.In}
		if one, is := known[p.ID]; is {
			k.Membership = string(one.Membership)
			out.states[k.Membership], out.members[k.Membership] = one.State, true
		}
		out.people = append(out.people, k)
	}
	for _, g := range groups {
		out.groups = append(out.groups, switching.Known{ID: g.ID, ExternalIDs: present(g.ExternalID), Name: g.Name})
	}
	return out, nil
}

func present(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// vouched leaves of addresses those in a domain that the organization has verified, each once.
func vouched(o org.Organization, addresses []string) (out []string) {
	for _, a := range addresses {
		if inside(o, a) {
			out = append(out, scim.FoldKey(a))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func inside(o org.Organization, address string) bool {
	domain, ok := org.EmailDomain(address)
	return ok && slices.ContainsFunc(o.Domains, func(d org.Domain) bool { return d.State == org.Verified && d.Domain == domain })
}

// signers are the members who have signed in through the old connection and are nobody of the old directory.
func (s *Switches) signers(ctx context.Context, r db.Reader, w switching.Switch, old sides) (out []member.Standby, err error) {
	if !w.Connection.There() {
		return nil, nil
	}
	all, err := member.SignersIn(ctx, r, string(w.OrganizationID), w.Connection.From)
	if err != nil || !w.Directory.There() {
		return all, err
	}
	for _, one := range all {
		if one.PersonID == "" && !old.members[string(one.Membership)] {
			out = append(out, one)
		}
	}
	return out, nil
}

// match finds the counterparts, or reads those that were carried over.
func (v *looked) match(ctx context.Context, r db.Reader, o org.Organization, w switching.Switch, old, next sides, signers []member.Standby) error {
	if w.State != switching.Preparing && w.State != switching.Cancelled {
		return v.carried(ctx, r, w)
	}
	people := old.people
	for _, one := range signers {
		people = append(people, switching.Known{
			ID: string(one.Membership), ExternalIDs: one.IDPIDs, Name: scim.UserNameKey(one.Email), Emails: vouched(o, []string{one.Email}),
			In: one.State == member.Active, Membership: string(one.Membership),
		})
	}
	slices.SortFunc(people, func(a, b switching.Known) int { return cmp.Compare(a.ID, b.ID) })
	byHand, err := switching.ByHandIn(ctx, r, w, switching.People)
	if err != nil {
		return err
	}
	groupsByHand, err := switching.ByHandIn(ctx, r, w, switching.Groups)
	if err != nil {
		return err
	}
	v.groups = switching.Pairs(switching.Groups, old.groups, next.groups, groupsByHand)
	if w.Directory.There() {
		v.people = switching.Pairs(switching.People, people, next.people, byHand)
		return nil
	}
	for _, k := range people {
		v.people = append(v.people, byConnection(k, v.signers[k.ID]))
	}
	return nil
}

// byConnection says whether the new connection will know somebody at their first sign-in, where no directory is switched with it.
func byConnection(k switching.Known, one member.Standby) switching.Counterpart {
	c := switching.Counterpart{Old: k, Match: switching.Matched}
	switch {
	case one.PersonID != "":
		c.By = switching.ByDirectory
	case len(k.Emails) > 0:
		c.By = switching.ByEmail
	default:
		c.Match = switching.Unmatched
	}
	return c
}

func (v *looked) carried(ctx context.Context, r db.Reader, w switching.Switch) (err error) {
	if v.people, err = switching.MatchesIn(ctx, r, w, switching.People); err != nil {
		return err
	}
	v.groups, err = switching.MatchesIn(ctx, r, w, switching.Groups)
	return err
}

// count says what the cut-over would do.
func (v *looked) count(ctx context.Context, r db.Reader, w switching.Switch) error {
	v.tally.People, v.tally.Groups = switching.Count(v.people, len(v.newPeople)), switching.Count(v.groups, len(v.newGroups))
	for _, p := range v.people {
		if v.leaves(p) {
			v.tally.Leaving++
		}
	}
	if !w.Directory.There() {
		return nil
	}
	mapping, err := access.MappingIn(ctx, r, string(w.OrganizationID), w.Directory.From)
	if err != nil {
		return err
	}
	follows, err := access.FollowedIn(ctx, r, string(w.OrganizationID), w.Directory.From)
	if err != nil {
		return err
	}
	for _, g := range v.groups {
		if g.Match != switching.Matched && mapping.CountsOn(access.Group{ID: g.Old.ID, Name: v.names[g.Old.ID]}, follows) {
			v.tally.GroupsLost++
		}
	}
	return nil
}

// leaves tells whether somebody is in, or invited, whose counterpart is out.
func (v *looked) leaves(p switching.Counterpart) bool {
	state := v.states[p.Old.Membership]
	return p.New != "" && !v.after[p.New].In && (state == member.Active || state == member.Pending)
}
