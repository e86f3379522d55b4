package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// APIQuery selects users or groups for the REST API: of a directory, or by a group or a user.
type APIQuery struct {
	Directory     ID
	Group         GroupID // users in this group
	User          UserID  // groups of this user
	IdPID         string
	Email         string
	States        []PersonState // people who are in one of these, as consumers know them; none: all
	Before, After string
	Limit         int
	Ascending     bool
}

// page begins a statement whose $1 is the directory.
func (q APIQuery) page(d ID) db.Page {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(d))
	return p
}

// directoryOf finds the directory that a query names by itself or through a group or user.
func (s *Service) directoryOf(ctx context.Context, q APIQuery) (Directory, error) {
	switch {
	case q.Directory != "":
		return s.Get(ctx, q.Directory)
	case q.Group != "":
		_, d, err := s.APIGroup(ctx, q.Group)
		return d, err
	case q.User != "":
		_, d, err := s.APIUser(ctx, q.User)
		return d, err
	}
	return Directory{}, fault.New(fault.Unprocessable, "required", "Name a directory, or a group or user of one.").On("directory")
}

// APIUsers gives a page of people with the groups they are directly in. Inactive people are in it only where the directory keeps
// them for consumers, and never as members of a group.
func (s *Service) APIUsers(ctx context.Context, q APIQuery) ([]User, Directory, bool, error) {
	d, err := s.directoryOf(ctx, q)
	if err != nil {
		return nil, d, false, err
	}
	p := q.page(d.ID)
	if q.Group != "" {
		p.Where("u.id IN (SELECT member_id FROM directory_group_members WHERE directory_id = $1 AND group_id = " + p.Arg(string(q.Group)) + ") AND " + knownActive)
	}
	if q.IdPID != "" {
		p.Where("u.idp_id = " + p.Arg(q.IdPID))
	}
	if q.Email != "" {
		p.Where(fmt.Sprintf(hasEmail, p.Arg(scim.FoldKey(q.Email))))
	}
	if d.InactiveUsers == Removed {
		p.Where(knownActive)
	}
	if len(q.States) > 0 {
		p.Where(knownIn(q.States))
	}
	text, args := p.Statement(selectUsersG, "u.id")
	found, err := s.queryUsers(ctx, text, args...)
	if err != nil {
		return nil, d, false, err
	}
	if found, err = s.withGone(ctx, d, q, p, found); err != nil {
		return nil, d, false, err
	}
	found, more := db.Cut(p, found)
	if err := overlay(ctx, s.db, d.ID, found); err != nil {
		return nil, d, false, err
	}
	return found, d, more, s.directRefs(ctx, d.ID, found)
}

// knownIn is the condition for the states in which consumers know people: whom a brake holds or keeps as active.
func knownIn(wanted []PersonState) string {
	terms := make([]string, len(wanted))
	for i, state := range wanted {
		terms[i] = map[PersonState]string{
			PersonActive: "(u.active AND NOT u.suspended OR u.held IS NOT NULL)", PersonInactive: "NOT u.active AND u.held IS NULL",
			PersonSuspended: "u.suspended AND u.active AND u.held IS NULL",
		}[state]
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// directRefs fills in the groups that people are in, reading all names at once: consumers see direct groups only, and people
// who left are in none.
func (s *Service) directRefs(ctx context.Context, d ID, users []User) error {
	var ids []string
	for _, u := range users {
		ids = append(ids, u.directIDs()...)
	}
	slices.Sort(ids)
	names, err := s.groupNames(ctx, d, slices.Compact(ids))
	if err != nil {
		return err
	}
	for i := range users {
		users[i].Groups = groupTree{names: names}.refs(users[i].directIDs())
	}
	return nil
}

// directIDs are the groups an active person was directly in when they were read.
func (u User) directIDs() []string {
	if u.direct == "" || !u.Active {
		return nil
	}
	return strings.Split(u.direct, ",")
}

// APIUser finds one person of any living directory.
func (s *Service) APIUser(ctx context.Context, id UserID) (User, Directory, error) {
	gone := fault.New(fault.NotFound, "entity_not_found", "Directory user not found: '%.80s'.", id)
	u, _, err := s.scanUser(s.db.QueryRow(ctx, selectAnyUser, string(id)))
	if errors.Is(err, db.ErrNoRows) {
		var held heldRow
		held, err = s.goneUser(ctx, id)
		u = held.shown()
	}
	if errors.Is(err, db.ErrNoRows) {
		return User{}, Directory{}, gone
	}
	if err != nil {
		return User{}, Directory{}, fmt.Errorf("read user: %w", err)
	}
	d, err := s.Get(ctx, u.DirectoryID)
	if fault.Is(err, fault.NotFound) || (err == nil && !visible(d, u)) {
		return User{}, Directory{}, gone
	}
	if err != nil {
		return User{}, Directory{}, err
	}
	one := []User{u}
	if err := overlay(ctx, s.db, d.ID, one); err != nil {
		return User{}, d, err
	}
	err = s.directRefs(ctx, d.ID, one)
	return one[0], d, err
}

// APIGroups gives a page of groups.
func (s *Service) APIGroups(ctx context.Context, q APIQuery) ([]Group, Directory, bool, error) {
	d, err := s.directoryOf(ctx, q)
	if err != nil {
		return nil, d, false, err
	}
	p := q.page(d.ID)
	if q.User != "" {
		in, err := s.groupsKnown(ctx, d, q.User, &p)
		if err != nil {
			return nil, d, false, err
		}
		p.Where(in + `g.id IN (SELECT m.group_id FROM directory_group_members m JOIN directory_users u ON u.directory_id = m.directory_id AND u.id = m.member_id
			WHERE m.directory_id = $1 AND m.member_id = ` + p.Arg(string(q.User)) + ` AND ` + knownActive + `))`)
	}
	text, args := p.Statement(selectGroups, "g.id")
	found, err := s.queryGroups(ctx, text, args...)
	if err != nil {
		return nil, d, false, err
	}
	found, more := db.Cut(p, found)
	return found, d, more, nil
}

// groupsKnown begins the condition for the groups of a person with those that consumers know a removed one in.
func (s *Service) groupsKnown(ctx context.Context, d Directory, id UserID, p *db.Page) (string, error) {
	if !d.Holding {
		return "(", nil
	}
	gone, err := s.goneUser(ctx, id)
	if err != nil || gone.Groups == "" {
		return "(", orNotFound(err, nil)
	}
	in := make([]string, 0, 4)
	for g := range strings.SplitSeq(gone.Groups, ",") {
		in = append(in, p.Arg(g))
	}
	return "(g.id IN (" + strings.Join(in, ", ") + ") OR ", nil
}

// APIGroup finds one group of any living directory.
func (s *Service) APIGroup(ctx context.Context, id GroupID) (Group, Directory, error) {
	gone := fault.New(fault.NotFound, "entity_not_found", "Directory group not found: '%.80s'.", id)
	g, err := scanGroup(s.db.QueryRow(ctx, selectAnyGroup, string(id)))
	if errors.Is(err, db.ErrNoRows) {
		return Group{}, Directory{}, gone
	}
	if err != nil {
		return Group{}, Directory{}, fmt.Errorf("read group: %w", err)
	}
	d, err := s.Get(ctx, g.DirectoryID)
	if fault.Is(err, fault.NotFound) {
		return Group{}, Directory{}, gone
	}
	return g, d, err
}

// GroupsByID gives the groups of a page of people, for payloads that show whole groups.
func (s *Service) GroupsByID(ctx context.Context, d ID, ids []GroupID) (map[GroupID]Group, error) {
	out := map[GroupID]Group{}
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = string(id)
	}
	for len(values) > 0 {
		part := values[:min(len(values), chunk)]
		values = values[len(part):]
		args := padded(part)
		found, err := s.queryGroups(ctx, selectGroups+" AND g.id IN ("+list(2, len(args))+")", append([]any{string(d)}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			out[g.ID] = g
		}
	}
	return out, nil
}
