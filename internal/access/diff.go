package access

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Person is somebody whom a change of a mapping may concern.
type Person struct {
	ID     string // of the directory user
	Name   string
	Email  string
	Source Source
	Member Given
	// Elsewhere is what others give them, whose word goes before that of the source: of it nothing changes.
	Elsewhere Kinds
	// Beside is what counts together with the word of the source.
	Beside Beside
}

// Beside is what other directories give somebody, and what the source says of them by itself, of which fields of the account alone count.
type Beside struct {
	Older, Newer []Mapped // as members have taken it over, the oldest directory first
	Own          Mapped
}

// with is what comes of all words: the role and the licence are the first directory's that gives one, and so is each attribute; teams are gathered.
// A field of the account is the source's as long as it gives one.
func (b Beside) with(m Mapped) Mapped {
	out := m
	out.Roles, out.Teams, out.Licence, out.Attributes = nil, nil, "", map[string]any{}
	fields := []Mapped{m, b.Own}
	for _, one := range slices.Concat(b.Older, []Mapped{m}, b.Newer) {
		out.DrivesRoles, out.DrivesTeams, out.DrivesLicences = out.DrivesRoles || one.DrivesRoles, out.DrivesTeams || one.DrivesTeams, out.DrivesLicences || one.DrivesLicences
		if len(out.Roles) == 0 {
			out.Roles = one.Roles
		}
		if out.Licence == "" {
			out.Licence = one.Licence
		}
		out.Teams = append(out.Teams, one.Teams...)
		for name, value := range one.Attributes {
			if _, given := out.Attributes[name]; !given {
				out.Attributes[name] = value
			}
		}
		fields = append(fields, one)
	}
	slices.Sort(out.Teams)
	out.Teams = slices.Compact(out.Teams)
	for _, one := range fields {
		out.FirstName, out.LastName = cmp.Or(out.FirstName, one.FirstName), cmp.Or(out.LastName, one.LastName)
		out.PictureURL, out.Locale = cmp.Or(out.PictureURL, one.PictureURL), cmp.Or(out.Locale, one.Locale)
	}
	return out
}

// Kinds are things that a mapping gives.
type Kinds struct {
	Roles, Teams, Licences bool
	Attributes             bool // and fields of the account
}

// Given is what a member has without any mapping: what a mapping covers comes back when it ends.
type Given struct {
	MembershipID string // "": they are no member yet
	Role         string // by hand or by invitation; "" is nobody's word, which is the role member
	Licence      string
}

// Difference is what somebody gains and loses by a change of a mapping.
type Difference struct {
	Person     Person
	Role       Change // one always has a role
	Licence    Change
	Gains      []TeamID
	Loses      []TeamID
	Attributes map[string]Values // custom attributes, and fields of the account under "profile.<field>"
	Why        map[string]string // of what they will have, as in Mapped
}

// Change is what was and what will be; of nothing "".
type Change struct{ Before, After string }

// Changes says whether there is any.
func (c Change) Changes() bool { return c.Before != c.After }

// Values are an attribute's, nil for none.
type Values struct{ Before, After any }

// Diff tells of each person in turn who gains or loses anything if the mapping becomes another. roles are the organization's. It stops at
// the first error of the people.
func Diff(before, after Mapping, roles []Role, people iter.Seq2[Person, error]) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		for p, err := range people {
			if err != nil {
				yield(Difference{}, err)
				return
			}
			if d, changes := DiffOne(before, after, roles, p); changes && !yield(d, nil) {
				return
			}
		}
	}
}

// DiffOne is Diff of one person; false: nothing changes for them.
func DiffOne(before, after Mapping, roles []Role, p Person) (Difference, bool) {
	was := p.Beside.with(before.Map(p.Source, roles).Without(p.Elsewhere))
	is := p.Beside.with(after.Map(p.Source, roles).Without(p.Elsewhere))
	d := Difference{
		Person: p, Role: Change{was.role(p.Member), is.role(p.Member)}, Licence: Change{was.licence(p.Member), is.licence(p.Member)},
		Gains: without(is.teams(), was.teams()), Loses: without(was.teams(), is.teams()), Attributes: map[string]Values{}, Why: is.Why,
	}
	old, now := was.all(), is.all()
	for name := range old {
		if !reflect.DeepEqual(old[name], now[name]) {
			d.Attributes[name] = Values{old[name], now[name]}
		}
	}
	for name := range now {
		if _, had := old[name]; !had {
			d.Attributes[name] = Values{nil, now[name]}
		}
	}
	return d, d.Role.Changes() || d.Licence.Changes() || len(d.Gains)+len(d.Loses)+len(d.Attributes) > 0
}

// Without is what is left of it where others give some kinds.
func (o Mapped) Without(k Kinds) Mapped {
	if k.Roles {
		o.DrivesRoles, o.Roles = false, nil
	}
	if k.Teams {
		o.DrivesTeams, o.Teams = false, nil
	}
	if k.Licences {
		o.DrivesLicences, o.Licence = false, ""
	}
	if k.Attributes {
		o.Attributes, o.FirstName, o.LastName, o.PictureURL, o.Locale = map[string]any{}, nil, nil, nil, nil
	}
	return o
}

// role is the one that somebody has: the strongest that is mapped, else what was given, else everybody's.
func (o Mapped) role(g Given) string {
	switch {
	case o.DrivesRoles && len(o.Roles) > 0:
		return o.Roles[0]
	case g.Role != "":
		return g.Role
	}
	return RoleMember
}

func (o Mapped) licence(g Given) string {
	if o.DrivesLicences && o.Licence != "" {
		return o.Licence
	}
	return g.Licence
}

func (o Mapped) teams() []TeamID {
	out := make([]TeamID, len(o.Teams))
	for i, id := range o.Teams {
		out[i] = TeamID(id)
	}
	return out
}

func without(all, some []TeamID) []TeamID {
	return slices.DeleteFunc(slices.Clone(all), func(id TeamID) bool { return slices.Contains(some, id) })
}

// all are attributes and fields together.
func (o Mapped) all() map[string]any {
	out := maps.Clone(o.Attributes)
	for name, value := range map[string]*string{
		FieldFirstName: o.FirstName, FieldLastName: o.LastName, FieldPictureURL: o.PictureURL, FieldLocale: o.Locale,
	} {
		if value != nil {
			out["profile."+name] = *value
		}
	}
	return out
}

// GivenIn reads what the members behind directory users have without any mapping; those who are no members are not in it.
func GivenIn(ctx context.Context, r db.Reader, organizationID, directoryID string, users []string) (map[string]Given, error) {
	out := map[string]Given{}
	if len(users) == 0 {
		return out, nil
	}
	args, marks := []any{organizationID, directoryID}, make([]string, len(users))
	for i, id := range users {
		args, marks[i] = append(args, id), fmt.Sprintf("$%d", i+3)
	}
	rows, err := r.Query(ctx, fmt.Sprintf(selectGiven, strings.Join(marks, ",")), args...)
	if err != nil {
		return nil, fmt.Errorf("read what members were given: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var user string
		var g Given
		var role, licence *string
		if err := rows.Scan(&user, &g.MembershipID, &role, &licence); err != nil {
			return nil, fmt.Errorf("read what members were given: %w", err)
		}
		g.Role, g.Licence = textOf(role), textOf(licence)
		out[user] = g
	}
	return out, rows.Err()
}
