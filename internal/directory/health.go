package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Health is what a directory's own rows tell of how its provider keeps it. None of it is proof that something is wrong: it is what
// somebody should look at.
type Health struct {
	// LastContact is when the provider's last request was let in; zero: never.
	LastContact time.Time
	// LeftBehind are groups that the provider still lists leavers in, those with the most first. Whom consumers are told to be in a group is
	// not concerned: their removal was derived when they left.
	LeftBehind []LeftBehind
	// Stale are groups that the provider has not written for long while it wrote others, those that have waited longest first.
	Stale []StaleGroup
}

// LeftBehind is a group with people who are inactive and whom the provider has never taken out of it.
type LeftBehind struct {
	Group GroupID
	Name  string
	// People is how many they are, among the newest 1,000 who are inactive, and Last when the last of them was written.
	People int
	Last   time.Time
}

// StaleGroup is a group that was not written for long.
type StaleGroup struct {
	Group GroupID
	Name  string
	Since time.Time // when it was written last
}

const (
	removalGrace     = time.Hour           // after somebody left, the provider may still be about to take them out of groups
	leaversLooked    = 1000                // the newest of those who are inactive
	leaversSorted    = 10_000              // so many who are inactive are sorted rather than looked for among everybody
	leftBehindShown  = 20                  // groups
	staleAfter       = 90 * 24 * time.Hour // a group that was not written for so long
	staleOthers      = 14 * 24 * time.Hour // while some group was written within this
	staleShown       = 20                  // groups
	exchangesLooked  = 1000                // the newest, for groups that they name
	arrivingLooked   = 100                 // people, for the attributes that they have
	identitiesAtOnce = chunk / 2           // an identity may be two user names
)

// Health looks at how a directory is kept. That the directory lives is for the caller to know (Get). It reads by indexes, apart from the
// groups, of which an organization has some thousands.
func (s *Service) Health(ctx context.Context, id ID) (h Health, err error) {
	now := s.time()
	if h.LastContact, err = s.lastContact(ctx, id); err != nil {
		return h, err
	}
	if h.LeftBehind, err = s.leftBehind(ctx, id, now.Add(-removalGrace)); err != nil {
		return h, err
	}
	h.Stale, err = s.stale(ctx, id, now)
	return h, err
}

// lastContact is the latest of what tokens and exchanges tell: the use of a token is written within a second, exchanges end with their retention.
func (s *Service) lastContact(ctx context.Context, id ID) (last time.Time, err error) {
	tokens, err := s.Tokens(ctx, id)
	if err != nil {
		return last, err
	}
	for _, t := range tokens {
		if t.LastUsedAt.After(last) {
			last = t.LastUsedAt
		}
	}
	var at *int64
	if err := s.db.QueryRow(ctx, lastExchangeAt, string(id)).Scan(&at); err != nil {
		return last, fmt.Errorf("read the last request of directory %s: %w", id, err)
	}
	if came := db.TimeOrZero(at); came.After(last) {
		last = came
	}
	return last, nil
}

func (s *Service) leftBehind(ctx context.Context, id ID, before time.Time) (out []LeftBehind, err error) {
	by, err := s.newestLeavers(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.eachOf(ctx, fmt.Sprintf(selectLeftBehind, by), func(row db.Row) error {
		var g LeftBehind
		var last int64
		err := row.Scan((*string)(&g.Group), &g.Name, &g.People, &last)
		g.Last = db.Time(last)
		out = append(out, g)
		return err
	}, string(id), before.UnixMicro(), leaversLooked, leftBehindShown)
	if err != nil {
		return nil, fmt.Errorf("look for leavers in groups of directory %s: %w", id, err)
	}
	return out, nil
}

// newestLeavers says by what the newest of those who are inactive are found: where they are few among many, going through everybody would read
// the whole directory.
func (s *Service) newestLeavers(ctx context.Context, id ID) (string, error) {
	n, err := s.Counts(ctx, id)
	if n.Inactive > leaversSorted {
		return byIDs, err
	}
	return byLeavers, err
}

func (s *Service) stale(ctx context.Context, id ID, now time.Time) (out []StaleGroup, err error) {
	var newest *int64
	if err := s.db.QueryRow(ctx, selectNewestGroupWrite, string(id)).Scan(&newest); err != nil {
		return nil, fmt.Errorf("look for stale groups of directory %s: %w", id, err)
	}
	if db.TimeOrZero(newest).Before(now.Add(-staleOthers)) {
		return nil, nil // no group is written: there is nothing to compare with
	}
	err = s.eachOf(ctx, selectStaleGroups, func(row db.Row) error {
		var g StaleGroup
		var since int64
		err := row.Scan((*string)(&g.Group), &g.Name, &since)
		g.Since = db.Time(since)
		out = append(out, g)
		return err
	}, string(id), now.Add(-staleAfter).UnixMicro(), staleShown)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	named, err := s.named(ctx, id)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(out, func(g StaleGroup) bool { return named[g.Group] }), nil
}

// named are the groups that the newest requests were about.
func (s *Service) named(ctx context.Context, id ID) (map[GroupID]bool, error) {
	out := map[GroupID]bool{}
	err := s.eachOf(ctx, selectNamedGroups, func(row db.Row) error {
		var path string
		err := row.Scan(&path)
		group, _, _ := strings.Cut(strings.TrimPrefix(path, "/Groups/"), "?")
		out[GroupID(group)] = true
		return err
	}, string(id), exchangesLooked)
	if err != nil {
		return nil, fmt.Errorf("read the groups that requests to directory %s name: %w", id, err)
	}
	return out, nil
}

func (s *Service) eachOf(ctx context.Context, text string, fn func(db.Row) error, args ...any) error {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Arriving counts the newest people of a directory, at most 100, who have a value at each of some paths: names of attributes of the core
// schema or of any extension.
func (s *Service) Arriving(ctx context.Context, id ID, paths ...string) (has map[string]int, looked int, err error) {
	users, err := s.queryUsers(ctx, selectNewestUsers, string(id), arrivingLooked)
	if err != nil {
		return nil, 0, err
	}
	has = map[string]int{}
	for _, u := range users {
		doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
		if err != nil {
			return nil, 0, fmt.Errorf("read the document of user %s: %w", u.ID, err)
		}
		for _, path := range paths {
			if hasValue(doc, path) {
				has[path]++
			}
		}
	}
	return has, len(users), nil
}

// hasValue looks for an attribute in a document and in its extensions.
func hasValue(doc *scim.Object, name string) bool {
	if v, ok := doc.Get(name); ok {
		return !isEmpty(v)
	}
	for _, m := range doc.Members() {
		if v := m.Value; strings.HasPrefix(strings.ToLower(m.Name), "urn:") && v.Kind() == scim.Complex {
			if inner, ok := v.Object().Get(name); ok {
				return !isEmpty(inner)
			}
		}
	}
	return false
}

func isEmpty(v scim.Value) bool {
	switch v.Kind() {
	case scim.String:
		return v.Text() == ""
	case scim.Array:
		return len(v.List()) == 0
	case scim.Complex:
		return v.Object().Len() == 0
	case scim.Null:
		return true
	default:
		return false
	}
}

// Identity is what a sign-in knows somebody by.
type Identity struct {
	IDPID string // what identifies the person at the connection: often the externalId or the userName of a directory
	Email string
}

// Arrived tells of people who signed in at an organization whether any of its directories has them, or had them once, in the order of who.
// It compares externalId, userName and addresses, and takes the weakest likeness: it is for naming who is missing, not for letting anybody in.
func (s *Service) Arrived(ctx context.Context, organizationID string, who []Identity) ([]bool, error) {
	out := make([]bool, 0, len(who))
	for part := range slices.Chunk(who, identitiesAtOnce) {
		known, err := s.matches(ctx, selectArrived, organizationID, part)
		if err != nil {
			return nil, err
		}
		missing := slices.ContainsFunc(part, func(i Identity) bool { return !known.has(i) })
		if missing { // they are few: most look-ups end here
			once, err := s.matches(ctx, selectArrivedOnce, organizationID, part)
			if err != nil {
				return nil, err
			}
			known = append(known, once...)
		}
		for _, i := range part {
			out = append(out, known.has(i))
		}
	}
	return out, nil
}

// matched is a value that somebody of a directory has.
type matched struct{ kind, value string }

type matches []matched

func (m matches) has(i Identity) bool {
	return slices.ContainsFunc(m, func(one matched) bool {
		switch one.kind {
		case "external":
			return i.IDPID != "" && one.value == i.IDPID
		case "name":
			return one.value != "" && (one.value == scim.UserNameKey(i.IDPID) || one.value == scim.UserNameKey(i.Email))
		default:
			return one.value != "" && one.value == scim.FoldKey(i.Email)
		}
	})
}

func (s *Service) matches(ctx context.Context, text, organizationID string, who []Identity) (out matches, err error) {
	var external, names, emails []string
	for _, i := range who {
		external = append(external, i.IDPID)
		names = append(names, scim.UserNameKey(i.IDPID), scim.UserNameKey(i.Email))
		emails = append(emails, scim.FoldKey(i.Email))
	}
	args := []any{organizationID}
	lists := make([]any, 0, 3)
	for _, values := range [][]string{external, names, emails} {
		if len(lists) == strings.Count(text, "UNION ALL")+1 { // a list that the statement does not ask for
			break
		}
		more := padded(values)
		lists = append(lists, list(len(args)+1, len(more)))
		args = append(args, more...)
	}
	err = s.eachOf(ctx, fmt.Sprintf(text, lists...), func(row db.Row) error {
		var m matched
		err := row.Scan(&m.kind, &m.value)
		out = append(out, m)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("look for people in the directories of %s: %w", organizationID, err)
	}
	return out, nil
}

// Roster is everybody of a directory, by their ids: about 200 bytes in memory for each.
func (s *Service) Roster(ctx context.Context, id ID) (people []Known, err error) {
	err = s.db.Snapshot(ctx, func(r db.Reader) error {
		people, _, err = RosterIn(ctx, r, id)
		return err
	})
	return people, err
}

// Inspect opens a directory for who looks after the installation, without a token: for reading what its provider would read.
func (s *Service) Inspect(ctx context.Context, id ID) (*Access, error) {
	d, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.access(ctx, d, "")
}
