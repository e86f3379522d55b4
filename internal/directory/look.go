package directory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// What people who look after a directory see of it: everything the provider wrote, the inactive included, whatever consumers are told.
// That the directory lives is for the caller to know (Get).

// PersonState is the contract's word for where a person of a directory stands.
type PersonState string

// The states. Suspended: a refused request asked to deactivate the person, whose sign-in has been stopped.
const (
	PersonActive    PersonState = "active"
	PersonInactive  PersonState = "inactive"
	PersonSuspended PersonState = "suspended"
)

// State is where the person stands.
func (u User) State() PersonState {
	switch {
	case !u.Active:
		return PersonInactive
	case u.Suspended:
		return PersonSuspended
	}
	return PersonActive
}

// PeopleQuery selects a page of the people of a directory, in the order of their ids.
type PeopleQuery struct {
	Directory ID
	Group     GroupID // those directly in this group
	Inactive  *bool   // nil: both
	// Search is the beginning of the user name or of an address, in any case; or the whole externalId or id. Of each no more than the first
	// 500 that match are looked at, unless all of them are wanted: that takes the longer the more match.
	Search        string
	Whole         bool
	Before, After string
	Limit         int
	Ascending     bool
}

// People gives a page, and whether more follow in the direction read. People have no groups in it.
func (s *Service) People(ctx context.Context, q PeopleQuery) ([]User, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(q.Directory))
	text, id := selectUsers, "u.id"
	if q.Group != "" && q.Search == "" {
		text, id = selectGroupPeople, "m.member_id"
		p.Arg(string(q.Group))
	}
	switch {
	case q.Inactive == nil:
	case *q.Inactive:
		p.Where("NOT u.active")
	default:
		p.Where("u.active")
	}
	if q.Search != "" {
		if q.Group != "" {
			p.Where(fmt.Sprintf(isInGroup, p.Arg(string(q.Group))))
		}
		email, name := scim.FoldKey(q.Search), scim.UserNameKey(q.Search)
		p.Where(fmt.Sprintf(personBegins, p.Arg(email), p.Arg(beyond(email)), p.Arg(name), p.Arg(beyond(name)), p.Arg(q.Search), p.Arg(searched(q.Whole))))
	}
	text, args := p.Statement(text, id)
	found, err := s.queryUsers(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// searched is how many of those that match are looked at.
func searched(whole bool) int64 {
	if whole {
		return math.MaxInt32
	}
	return 500 //nolint:mnd // enough to see that there are too many
}

// beyond is what follows, byte by byte, everything that begins so: no character comes after U+10FFFF.
func beyond(prefix string) string { return prefix + "\U0010FFFF" }

// Person finds one person of a directory with the groups they are in, those that others are nested in too.
func (s *Service) Person(ctx context.Context, d ID, id UserID) (User, error) {
	u, _, err := s.scanUser(s.db.QueryRow(ctx, selectUsersG+" AND u.id = $2", string(d), string(id)))
	if errors.Is(err, db.ErrNoRows) {
		return User{}, fault.New(fault.NotFound, "entity_not_found", "Directory user not found: '%.80s'.", id)
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	if u.direct != "" {
		u.Groups, err = s.groupRefs(ctx, d, strings.Split(u.direct, ","))
	}
	return u, err
}

// GroupQuery selects a page of the groups of a directory, in the order of their ids.
type GroupQuery struct {
	Directory     ID
	Search        string // beginning of the name, in any case, of which 500 are looked at; or the whole externalId or id
	Whole         bool   // look at all that match
	Before, After string
	Limit         int
	Ascending     bool
}

// Groups gives a page, without members, and whether more follow in the direction read.
func (s *Service) Groups(ctx context.Context, q GroupQuery) ([]Group, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(q.Directory))
	if q.Search != "" {
		key := scim.FoldKey(q.Search)
		p.Where(fmt.Sprintf(groupBegins, p.Arg(key), p.Arg(beyond(key)), p.Arg(q.Search), p.Arg(searched(q.Whole))))
	}
	text, args := p.Statement(selectGroups, "g.id")
	found, err := s.queryGroups(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// Group finds one group of a directory. Members are the first of those that are no people: nested groups and values that name nobody yet;
// for people see People.
func (s *Service) Group(ctx context.Context, d ID, id GroupID) (Group, error) {
	found, err := s.queryGroups(ctx, selectGroups+" AND g.id = $2", string(d), string(id))
	if err != nil {
		return Group{}, err
	}
	if len(found) == 0 {
		return Group{}, fault.New(fault.NotFound, "entity_not_found", "Directory group not found: '%.80s'.", id)
	}
	g := found[0]
	g.Members, err = s.besidesPeople(ctx, d, id)
	return g, err
}

// shownOthers is how many of them a group is shown with.
const shownOthers = 100

func (s *Service) besidesPeople(ctx context.Context, d ID, id GroupID) ([]Member, error) {
	rows, err := s.db.Query(ctx, selectOtherMembers, string(d), string(id), shownOthers)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	defer rows.Close()
	var out []Member
	for rows.Next() {
		var m Member
		var display *string
		if err := rows.Scan(&m.Value, (*string)(&m.Kind), &display); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		if display != nil {
			m.Display = *display
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// ExchangeQuery selects exchanges of a directory, the newest first.
type ExchangeQuery struct {
	Directory ID
	Before    ExchangeID // "": now
	Limit     int
	Refused   bool // answered with a status of 400 or above
}

// refusedWindow is how many exchanges a page of refused ones looks at: no index knows them, and a directory has hundreds of thousands.
const refusedWindow = 2000

// ExchangeHeads gives a page of exchanges without what was sent and answered, and the id from before which to go on, "" at the end. A page
// of refused ones may hold fewer than its limit, even none, and there may be more all the same.
func (s *Service) ExchangeHeads(ctx context.Context, q ExchangeQuery) (found []Exchange, next ExchangeID, err error) {
	if q.Before == "" {
		q.Before = newestExchange
	}
	var edge ExchangeID
	text, args := selectExchangeHeads, []any{string(q.Directory), string(q.Before), q.Limit + 1}
	if q.Refused {
		if edge, err = s.exchangesBack(ctx, q); err != nil {
			return nil, "", err
		}
		text, args = selectRefusedHeads, append(args, string(edge))
	}
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, "", fmt.Errorf("read exchanges: %w", err)
	}
	if found, err = scanExchanges(rows); err != nil {
		return nil, "", err
	}
	if len(found) > q.Limit {
		return found[:q.Limit], found[q.Limit-1].ID, nil
	}
	return found, edge, nil
}

// exchangesBack is the oldest of a window of exchanges, "" where no older ones follow.
func (s *Service) exchangesBack(ctx context.Context, q ExchangeQuery) (id ExchangeID, err error) {
	err = s.db.QueryRow(ctx, selectExchangeBack, string(q.Directory), string(q.Before), refusedWindow-1).Scan((*string)(&id))
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("read exchanges: %w", err)
	}
	return id, nil
}

// Exchange finds one exchange of a directory, whole.
func (s *Service) Exchange(ctx context.Context, d ID, id ExchangeID) (Exchange, error) {
	rows, err := s.db.Query(ctx, selectExchange, string(d), string(id))
	if err != nil {
		return Exchange{}, fmt.Errorf("read exchange: %w", err)
	}
	found, err := scanExchanges(rows)
	if err != nil {
		return Exchange{}, err
	}
	if len(found) == 0 {
		return Exchange{}, fault.New(fault.NotFound, "entity_not_found", "Exchange not found: '%.80s'. It may be older than what is kept.", id)
	}
	return found[0], nil
}

// OfOrganizations gives the directories of a page of organizations, by their ids, in the order of the directories'.
func (s *Service) OfOrganizations(ctx context.Context, ids ...string) (map[string][]Directory, error) {
	out := map[string][]Directory{}
	for len(ids) > 0 {
		args := padded(ids[:min(len(ids), chunk)])
		ids = ids[min(len(ids), chunk):]
		found, err := s.queryDirectories(ctx, selectDirectory+" AND organization_id IN ("+list(1, len(args))+") ORDER BY id", args...)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			out[d.OrganizationID] = append(out[d.OrganizationID], d)
		}
	}
	return out, nil
}

// Attribute is an attribute of a person as API and events show it, and the attribute of the provider's document that it was taken from, "" if
// there is none.
type Attribute struct{ Name, Value, From string }

// Attributes are those that the person has a value of.
func Attributes(u User) ([]Attribute, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("read the document of user %s: %w", u.ID, err)
	}
	p := person{u, doc}
	email, emailFrom := emailOf(doc)
	name, nameFrom := p.displayNameFrom()
	idpFrom := "externalId"
	if doc.Text("externalId") != u.IdPID {
		idpFrom = "" // what it was when the person came, or the id
	}
	all := []Attribute{
		{"idp_id", u.IdPID, idpFrom},
		{"username", doc.Text("userName"), "userName"},
		{"email", email, emailFrom},
		{"name", name, nameFrom},
		{"first_name", p.nameOf("givenName"), "name.givenName"},
		{"last_name", p.nameOf("familyName"), "name.familyName"},
	}
	for _, a := range customSources(doc) {
		all = append(all, Attribute{a.name, a.value, a.from})
	}
	var out []Attribute
	for _, a := range all {
		if a.Value != "" {
			out = append(out, a)
		}
	}
	return out, nil
}
