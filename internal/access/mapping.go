package access

import (
	"reflect"
	"slices"
	"time"
)

// Mapping is what a source drives, and by which rules.
type Mapping struct {
	OrganizationID string
	SourceID       string // the directory or the connection
	DrivesRoles    bool
	DrivesTeams    bool
	DrivesLicences bool
	TeamsFollow    bool // each directory group is a team of its name; wants DrivesTeams
	Rules          []Rule
	Version        int64 // of the saved mapping; 0: none was ever saved
	CreatedAt      time.Time
	UpdatedAt      time.Time

	// Followed are the teams that follow the groups of the source, by the group's id.
	Followed map[string]TeamID
}

// Group is a directory group that a person is directly in, or a value of a groups claim, which has no id of ours.
type Group struct{ ID, Name string }

// Source is a person as a directory or a sign-in describes them.
type Source struct {
	Groups []Group
	// Value reads a SCIM path or a claim: a string, bool, float64, []any or map[string]any. false: the person has none. Nil reads nothing.
	Value func(path string) (any, bool)
}

// Mapped is what a mapping gives a person.
type Mapped struct {
	DrivesRoles    bool
	DrivesTeams    bool
	DrivesLicences bool
	Roles          []string // slugs, the one that wins first
	Teams          []string // ids, sorted
	Licence        string   // slug; "" if none
	// Attributes are the custom attributes of the membership: string, bool, float64 or []string.
	Attributes map[string]any
	// What the account's own fields are to be; nil: no rule says.
	FirstName, LastName, PictureURL, Locale *string
	// Why names the reason for each thing given: "role:editor" → "group Engineering".
	Why map[string]string
}

// byGroups: a person's groups decide about something.
func (r Rule) byGroups() bool {
	return slices.ContainsFunc(r.When, func(c Condition) bool { return c.Group != nil })
}

// ByGroups says that a change of groups may change what people get: where not, nobody need look at them again.
func (m Mapping) ByGroups() bool {
	return m.DrivesTeams && m.TeamsFollow || slices.ContainsFunc(m.active(), Rule.byGroups)
}

// active are the rules that count: those of switches that are on, and after them the default attributes that no rule has.
func (m Mapping) active() []Rule {
	var out []Rule
	named := map[string]bool{}
	for _, r := range m.Rules {
		switch r.Set {
		case SetRole:
			if !m.DrivesRoles {
				continue
			}
		case SetTeam:
			if !m.DrivesTeams {
				continue
			}
		case SetLicence:
			if !m.DrivesLicences {
				continue
			}
		case SetAttribute:
			named[r.Name] = true
		case SetProfile:
		}
		out = append(out, r)
	}
	if !ofDirectory(m.SourceID) {
		return out
	}
	for _, r := range defaultAttributes() {
		if !named[r.Name] {
			out = append(out, r)
		}
	}
	return out
}

// Paths lists the paths or claims that count, each once: where none of them changed, nothing that is mapped from them did.
func (m Mapping) Paths() []string {
	var out []string
	for _, r := range m.active() {
		out = append(out, r.From)
		for _, c := range r.When {
			out = append(out, c.Path)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(p string) bool { return p == "" })
}

// Moved says whether what counts of a person is not as it was. Groups are not looked at.
func (m Mapping) Moved(was, is Source) bool {
	return slices.ContainsFunc(m.Paths(), func(p string) bool {
		a, had := was.value(p)
		b, has := is.value(p)
		return had != has || !reflect.DeepEqual(a, b)
	})
}

func (s Source) value(path string) (any, bool) {
	if s.Value == nil {
		return nil, false
	}
	return s.Value(path)
}
