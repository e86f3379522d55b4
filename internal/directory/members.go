package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// target is what a member value names.
type target struct {
	kind    MemberKind
	id      string // of user or group; the value itself when parked
	display string
}

// membership is what one request does to the members of a group.
type membership struct {
	add, remove []target
	people      map[string]User // snapshots of the users in add and remove
	mark        event.Mark      // taken before they were read, if marked
	marked      bool
}

// many is from how many people on a guard on the whole organization is tried before one on each of them.
const many = 64

func (m membership) empty() bool { return len(m.add) == 0 && len(m.remove) == 0 }

func (m membership) outcome(o Outcome) Outcome {
	o.Added, o.Removed = len(m.add), len(m.remove)
	for _, t := range m.add {
		if t.kind == MemberParked {
			o.Parked++
		}
	}
	return o
}

// membership computes the difference that changes make, reading only the members they touch.
func (s *Service) membership(ctx context.Context, a *Access, g GroupID, changes []scim.MemberChange, careful bool) (membership, error) {
	if len(changes) == 0 {
		return membership{}, nil
	}
	wanted := values(changes)
	mark, marked, err := s.mark(ctx, a, len(wanted), careful)
	if err != nil {
		return membership{}, err
	}
	named, people, err := s.resolve(ctx, a, wanted)
	if err != nil {
		return membership{}, err
	}
	current, err := s.present(ctx, a, g, changes, named)
	if err != nil {
		return membership{}, err
	}
	next := maps.Clone(current)
	for _, c := range changes {
		if err := s.applyChange(a, next, current, c, named); err != nil {
			return membership{}, err
		}
	}
	m, err := s.difference(ctx, a, current, next, people)
	if err != nil {
		return membership{}, err
	}
	m.mark, m.marked = mark, marked && len(m.people) >= many
	return m, m.checkKeys()
}

// mark takes the moment for the guard on the whole organization, if so many are named that it may pay. Where inactive people
// are gone for consumers, or a brake holds people, some changes have no event, so there it would not hold.
func (s *Service) mark(ctx context.Context, a *Access, named int, careful bool) (event.Mark, bool, error) {
	if careful || named < many || a.Directory.InactiveUsers != Kept || a.Directory.Brake.Enabled || a.Directory.Holding {
		return 0, false, nil
	}
	mark, ok, err := s.events.Mark(ctx)
	if err != nil {
		err = fmt.Errorf("mark the event log: %w", err)
	}
	return mark, ok, err
}

func values(changes []scim.MemberChange) []string {
	seen := map[string]bool{}
	var out []string
	for _, c := range changes {
		for _, m := range c.Members {
			if !seen[m.Value] {
				seen[m.Value] = true
				out = append(out, m.Value)
			}
		}
	}
	return out
}

// present are the members the changes can touch: those named, or all where a change speaks of all.
func (s *Service) present(ctx context.Context, a *Access, g GroupID, changes []scim.MemberChange, named map[string]target) (map[string]target, error) {
	out := map[string]target{}
	ofAll := slices.ContainsFunc(changes, func(c scim.MemberChange) bool {
		return c.Kind != scim.MembersAdd && c.Kind != scim.MembersRemove
	})
	if ofAll {
		all, err := s.membersOf(ctx, a.Directory.ID, g)
		for _, m := range all {
			out[m.Value] = target{kind: m.Kind, id: m.Value, display: m.Display}
		}
		return out, err
	}
	ids := make([]string, 0, 2*len(named))
	for value, t := range named {
		ids = append(ids, t.id)
		if value != t.id {
			ids = append(ids, value) // it may be parked under the value sent
		}
	}
	return out, s.presentOf(ctx, a.Directory.ID, g, ids, out)
}

func (s *Service) presentOf(ctx context.Context, d ID, g GroupID, ids []string, out map[string]target) error {
	for part := range slices.Chunk(ids, chunk) {
		args := padded(part)
		text := selectMembers + " AND member_id IN (" + list(3, len(args)) + ")"
		if err := s.scanMembers(ctx, text, append([]any{string(d), string(g)}, args...), out); err != nil {
			return err
		}
	}
	var parked int
	err := s.db.QueryRow(ctx, anyParkedOf, string(d), string(g)).Scan(&parked)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read parked members: %w", err)
	}
	all := map[string]target{}
	if err := s.scanParked(ctx, d, g, all); err != nil {
		return err
	}
	for _, id := range ids {
		if t, ok := all[id]; ok {
			out[id] = t
		}
	}
	return nil
}

func (s *Service) scanMembers(ctx context.Context, text string, args []any, out map[string]target) error {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t target
		var display *string
		if err := rows.Scan(&t.id, (*string)(&t.kind), &display); err != nil {
			return fmt.Errorf("read members: %w", err)
		}
		if display != nil {
			t.display = *display
		}
		out[t.id] = t
	}
	return rows.Err()
}

func (s *Service) scanParked(ctx context.Context, d ID, g GroupID, out map[string]target) error {
	rows, err := s.db.Query(ctx, selectParkedOf, string(d), string(g))
	if err != nil {
		return fmt.Errorf("read parked members: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t := target{kind: MemberParked}
		var display *string
		if err := rows.Scan(&t.id, &display); err != nil {
			return fmt.Errorf("read parked members: %w", err)
		}
		if display != nil {
			t.display = *display
		}
		out[t.id] = t
	}
	return rows.Err()
}

// membersOf are all members of a group as SCIM shows them: people and groups in the order of their ids, then parked values.
func (s *Service) membersOf(ctx context.Context, d ID, g GroupID) ([]Member, error) {
	found, parked := map[string]target{}, map[string]target{}
	if err := s.scanMembers(ctx, selectMembers, []any{string(d), string(g)}, found); err != nil {
		return nil, err
	}
	if err := s.scanParked(ctx, d, g, parked); err != nil {
		return nil, err
	}
	out := make([]Member, 0, len(found)+len(parked))
	for _, part := range []map[string]target{found, parked} {
		for _, id := range slices.Sorted(maps.Keys(part)) {
			out = append(out, Member{Value: id, Kind: part[id].kind, Display: part[id].display})
		}
	}
	return out, nil
}

// applyChange plays one change on the members in next. What was parked and is named again stays as it is.
func (s *Service) applyChange(a *Access, next, current map[string]target, c scim.MemberChange, named map[string]target) error {
	switch c.Kind {
	case scim.MembersRemoveAll:
		clear(next)
	case scim.MembersRemoveWhere:
		chosen := a.Model.Group.MemberMatcher(c.Where)
		for id, t := range next {
			if chosen(t.ref()) {
				delete(next, id)
			}
		}
	case scim.MembersRemove:
		for _, m := range c.Members {
			delete(next, named[m.Value].id)
			delete(next, m.Value)
		}
	case scim.MembersReplace:
		clear(next)
		fallthrough
	case scim.MembersAdd:
		for _, m := range c.Members {
			t := named[m.Value]
			t.display = m.Display
			if was, ok := current[t.id]; ok {
				t = was
			}
			next[t.id] = t
		}
	default:
		return fmt.Errorf("member change %q is not known", c.Kind)
	}
	return nil
}

// ref is the member as the filter of `members[…]` sees it.
func (t target) ref() scim.MemberRef {
	types := map[MemberKind]string{MemberUser: "User", MemberGroup: "Group"}
	return scim.MemberRef{Value: t.id, Display: t.display, Type: types[t.kind]}
}

// difference turns the state before and after into what has to be written, in the order of ids, with snapshots of the people.
func (s *Service) difference(ctx context.Context, a *Access, current, next map[string]target, people map[string]User) (membership, error) {
	var m membership
	var users []string
	for _, id := range slices.Sorted(maps.Keys(next)) {
		if _, ok := current[id]; !ok {
			m.add = append(m.add, next[id])
			if next[id].kind == MemberUser {
				users = append(users, id)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(current)) {
		if _, ok := next[id]; !ok {
			m.remove = append(m.remove, current[id])
			if current[id].kind == MemberUser {
				users = append(users, id)
			}
		}
	}
	var err error
	if m.people, err = s.people(ctx, a.Directory.ID, users, people); err != nil {
		return m, err
	}
	return m, s.overlayEach(ctx, a.Directory.ID, m.people)
}

// overlayEach shows those whom a brake holds or keeps as consumers know them: of groups they learn as before.
func (s *Service) overlayEach(ctx context.Context, d ID, people map[string]User) error {
	var held []User
	for _, u := range people {
		if u.Held != "" {
			held = append(held, u)
		}
	}
	if err := overlay(ctx, s.db, d, held); err != nil {
		return err
	}
	for _, u := range held {
		people[string(u.ID)] = u
	}
	return nil
}

// people gives the snapshots of those who join or leave: from what resolving has read already, else from the store.
func (s *Service) people(ctx context.Context, d ID, ids []string, read map[string]User) (map[string]User, error) {
	out := make(map[string]User, len(ids))
	var missing []string
	for _, id := range ids {
		if u, ok := read[id]; ok {
			out[id] = u
		} else {
			missing = append(missing, id)
		}
	}
	return out, s.readPeople(ctx, d, missing, func(u User) { out[string(u.ID)] = u })
}

func (s *Service) readPeople(ctx context.Context, d ID, ids []string, each func(User)) error {
	for part := range slices.Chunk(ids, chunk) {
		args := padded(part)
		found, err := s.queryUsers(ctx, selectUsers+" AND u.id IN ("+list(2, len(args))+")", append([]any{string(d)}, args...)...)
		if err != nil {
			return err
		}
		for _, u := range found {
			each(u)
		}
	}
	return nil
}

// writeMembers adds rows and events of a membership to a write. The people must not change state meanwhile, or consumers would
// be told of somebody who has just left: the guard locks them and compares.
func (s *Service) writeMembers(b *batch, g Group, m membership) {
	if m.empty() {
		return
	}
	d, gid := string(b.a.Directory.ID), string(g.ID)
	s.guardPeople(b, m)
	var inserts, deletes [][]any
	var left, came []User
	for _, t := range m.remove {
		switch {
		case t.kind == MemberParked:
			b.w.Exec(deleteParked, d, scim.UserNameKey(t.id), gid, t.id)
		default:
			deletes = append(deletes, []any{d, gid, t.id})
		}
		if p, ok := m.people[t.id]; ok && p.Active {
			left = append(left, p)
		}
	}
	for _, t := range m.add {
		switch {
		case t.kind == MemberParked:
			b.w.GuardSelect(nobodyNamed, d, scim.UserNameKey(t.id), t.id)
			b.w.Exec(insertParked, d, scim.UserNameKey(t.id), gid, t.id, db.TextOrNull(t.display))
			s.parked.Store(true)
		default:
			inserts = append(inserts, []any{d, gid, t.id, string(t.kind), db.TextOrNull(t.display)})
		}
		if p, ok := m.people[t.id]; ok && p.Active {
			came = append(came, p)
		}
	}
	b.regrouped(slices.Sorted(maps.Keys(m.people)))
	b.w.Many(deleteMember, deletes)
	b.w.Many(joinMember, inserts)
	b.members(g, left, event.DirectoryGroupUserRemoved)
	b.members(g, came, event.DirectoryGroupUserAdded)
}

func (s *Service) guardPeople(b *batch, m membership) {
	if m.marked {
		m.mark.Quiet(&b.w, b.a.Directory.OrganizationID)
		return
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(m.people)), chunk) {
		args := padded(part)
		var versions int64
		for _, id := range part {
			versions += m.people[id].Version
		}
		n := len(args)
		text := fmt.Sprintf(peopleUnmoved, list(2, n), s.db.ForShare(), n+2, n+3)
		b.w.GuardSelect(text, append(append([]any{string(b.a.Directory.ID)}, args...), len(part), versions)...)
	}
}

// resolve finds what each value names: a user or group by id, an old id, an external id or user name; else it is parked. Where the
// request names few, as nearly all do, the people themselves are read in the same query; a group pushed whole may name a
// hundred thousand, nearly all of them members already.
func (s *Service) resolve(ctx context.Context, a *Access, wanted []string) (map[string]target, map[string]User, error) {
	out := make(map[string]target, len(wanted))
	people := map[string]User{}
	var err error
	if len(wanted) <= chunk {
		err = s.readPeople(ctx, a.Directory.ID, wanted, func(u User) {
			people[string(u.ID)] = u
			out[string(u.ID)] = target{kind: MemberUser, id: string(u.ID)}
		})
	} else {
		err = s.resolveIDs(ctx, a, wanted, out)
	}
	for i := 0; i < len(wanted) && err == nil; i++ {
		if _, ok := out[wanted[i]]; !ok {
			out[wanted[i]], err = s.resolveOther(ctx, a, wanted[i])
		}
	}
	return out, people, err
}

func (s *Service) resolveIDs(ctx context.Context, a *Access, wanted []string, out map[string]target) error {
	for part := range slices.Chunk(wanted, chunk) {
		args := padded(part)
		text := fmt.Sprintf(selectIDs, list(2, len(args)))
		if err := s.scanTargets(ctx, text, append([]any{string(a.Directory.ID)}, args...), out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) scanTargets(ctx context.Context, text string, args []any, out map[string]target) error {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("look up members: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t target
		if err := rows.Scan(&t.id, (*string)(&t.kind)); err != nil {
			return fmt.Errorf("look up members: %w", err)
		}
		out[t.id] = t
	}
	return rows.Err()
}

// resolveOther looks at a value that is no living id.
func (s *Service) resolveOther(ctx context.Context, a *Access, value string) (target, error) {
	parked := target{kind: MemberParked, id: value}
	if strings.HasPrefix(value, "directory_group_") {
		g, err := s.group(ctx, a, value)
		if err == nil {
			return target{kind: MemberGroup, id: string(g.ID)}, nil
		}
		return parked, ignoreNotFound(err)
	}
	u, err := s.user(ctx, a, value)
	for _, condition := range []struct{ text, value string }{
		{"u.external_id = $2", value},
		{"u.user_name_key = $2", scim.UserNameKey(value)},
	} {
		if err == nil {
			break
		}
		if err := ignoreNotFound(err); err != nil {
			return parked, err
		}
		u, err = s.findUser(ctx, a, condition.text, condition.value)
		err = orNotFound(err, errNoUser(value))
	}
	if err == nil {
		return target{kind: MemberUser, id: string(u.ID)}, nil
	}
	return parked, ignoreNotFound(err)
}

// sweepLimit is how many people one sweep settles at most (selectParkedUsers).
const sweepLimit = 100

// sweepParked resolves what a race left behind on PostgreSQL: a value was parked in the same moment as the person it names
// arrived, and neither transaction saw the other.
func (s *Service) sweepParked(ctx context.Context) error {
	if !s.parked.Load() {
		return nil
	}
	s.parked.Store(false)
	rows, err := s.db.Query(ctx, selectParkedUsers)
	if err != nil {
		s.parked.Store(true)
		return fmt.Errorf("look for parked members: %w", err)
	}
	type found struct{ directory, user string }
	var all []found
	for rows.Next() {
		var f found
		if err := rows.Scan(&f.directory, &f.user); err != nil {
			rows.Close()
			return fmt.Errorf("look for parked members: %w", err)
		}
		all = append(all, f)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for parked members: %w", err)
	}
	if len(all) >= sweepLimit {
		s.parked.Store(true) // there may be more
	}
	for _, f := range all {
		if err := s.settle(ctx, ID(f.directory), f.user); err != nil {
			return err
		}
	}
	return nil
}

// settle resolves the values that wait for a person who is there already.
func (s *Service) settle(ctx context.Context, d ID, user string) error {
	found, err := s.Get(ctx, d)
	if err != nil {
		return ignoreNotFound(err)
	}
	mapping, err := s.mappingOf(ctx, s.db, found, scim.Standard())
	if err != nil {
		return err
	}
	a := &Access{Directory: found, mapping: mapping}
	u, err := s.findUser(ctx, a, "u.id = $2", user)
	if err != nil {
		return orNotFound(err, nil)
	}
	p, err := s.person(u)
	if err != nil {
		return fmt.Errorf("stored document of user %s: %w", u.ID, err)
	}
	b := s.begin(a.relinked(), s.time(), nil)
	b.w.GuardSelect(userAsRead, string(d), user, u.Version)
	n := draftOf(p)
	if err := s.resolveParked(ctx, b, &n); err != nil {
		return err
	}
	if err := b.commit(ctx, Outcome{Change: Updated, User: &u}); err != nil && !lost(err) {
		return err
	}
	return nil
}

func ignoreNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
