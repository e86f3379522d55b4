package directory

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// A preview reads people a page at a time, and no more of them than fit into one request: who wants all goes on behind the last.
const (
	mappingPage = 200
	mappingMost = 20_000
)

// MappingQuery asks what a mapping would change.
type MappingQuery struct {
	Directory Directory
	Mapping   access.NewMapping
	After     string // the directory user behind whom to go on; "" is the beginning
	Limit     int    // differences at most
}

// MappingPreview is a page of differences, in the order of the directory's users.
type MappingPreview struct {
	Differences []access.Difference
	// Teams are those that differences name. One without an id does not exist yet: saving the mapping makes it.
	Teams   map[access.TeamID]PreviewedTeam
	Scanned int    // people looked at
	After   string // where to go on; "" when everybody was looked at
}

// PreviewedTeam is a team as a preview shows it.
type PreviewedTeam struct {
	ID   access.TeamID
	Name string
}

// PreviewMapping compares what the active people of a directory get now with what they would get. Nothing is written. It looks at no more
// people than a few seconds allow.
func (s *Service) PreviewMapping(ctx context.Context, q MappingQuery) (MappingPreview, error) {
	organization := q.Directory.OrganizationID
	if err := q.Mapping.Check(ctx, s.db, ""); err != nil {
		return MappingPreview{}, err
	}
	before, err := access.MappingIn(ctx, s.db, organization, string(q.Directory.ID))
	if err != nil {
		return MappingPreview{}, err
	}
	roles, err := access.RolesIn(ctx, s.db, organization)
	if err != nil {
		return MappingPreview{}, err
	}
	after := q.Mapping.Proposed(before)
	out := MappingPreview{Teams: map[access.TeamID]PreviewedTeam{}}
	if err := s.foreseeTeams(ctx, q.Directory, &after, out.Teams); err != nil {
		return MappingPreview{}, err
	}
	walk := &previewWalk{s: s, d: q.Directory, last: q.After, until: time.Now().Add(s.o.ScanLimit)}
	full := false
	for d, err := range access.Diff(before, after, roles, walk.people(ctx)) {
		if err != nil {
			return MappingPreview{}, fmt.Errorf("preview the mapping of directory %s: %w", q.Directory.ID, err)
		}
		out.Differences = append(out.Differences, d)
		if full = len(out.Differences) == q.Limit; full {
			break
		}
	}
	if out.Scanned = walk.scanned; full || !walk.done {
		out.After = walk.last
	}
	return out, s.nameTeams(ctx, organization, out)
}

// foreseeTeams gives the groups that have no team yet one that is named after them: the teams that saving would make.
func (s *Service) foreseeTeams(ctx context.Context, d Directory, m *access.Mapping, teams map[access.TeamID]PreviewedTeam) error {
	if !m.DrivesTeams || !m.TeamsFollow {
		return nil
	}
	all := map[string]access.TeamID{}
	err := presentGroupsOf(ctx, s.db, d, func(g Group) error {
		id, there := m.Followed[string(g.ID)]
		if !there {
			id = access.TeamID(g.ID)
			teams[id] = PreviewedTeam{Name: g.Name}
		}
		all[string(g.ID)] = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("groups of directory %s: %w", d.ID, err)
	}
	m.Followed = all
	return nil
}

func (s *Service) nameTeams(ctx context.Context, organizationID string, out MappingPreview) error {
	for _, d := range out.Differences {
		for _, ids := range [][]access.TeamID{d.Gains, d.Loses} {
			for _, id := range ids {
				if _, known := out.Teams[id]; known {
					continue
				}
				name, err := access.TeamNameIn(ctx, s.db, organizationID, id)
				if err != nil {
					return err
				}
				out.Teams[id] = PreviewedTeam{ID: id, Name: name}
			}
		}
	}
	return nil
}

// previewWalk goes through the people of a directory.
type previewWalk struct {
	s       *Service
	d       Directory
	last    string // who was looked at last
	scanned int
	until   time.Time
	done    bool // everybody was
}

func (w *previewWalk) people(ctx context.Context) iter.Seq2[access.Person, error] {
	return func(yield func(access.Person, error) bool) {
		model, err := modelOf(w.d)
		if err != nil {
			yield(access.Person{}, err)
			return
		}
		read := access.Reader(model.User)
		for w.scanned < mappingMost && time.Now().Before(w.until) {
			found, err := w.page(ctx)
			if err != nil {
				yield(access.Person{}, err)
				return
			}
			given, err := access.GivenIn(ctx, w.s.db, w.d.OrganizationID, string(w.d.ID), idsOfPage(found))
			if err != nil {
				yield(access.Person{}, err)
				return
			}
			beside, err := member.BesideIn(ctx, w.s.db, w.d.OrganizationID, string(w.d.ID), idsOfPage(found))
			if err != nil {
				yield(access.Person{}, err)
				return
			}
			for _, u := range found {
				w.last, w.scanned = string(u.ID), w.scanned+1
				p, err := previewed(u, read)
				p.Member = given[p.ID]
				p.Beside.Older, p.Beside.Newer = beside[p.ID].Older, beside[p.ID].Newer
				if (u.Active && !u.Suspended || err != nil) && !yield(p, err) {
					return
				}
			}
			if len(found) < mappingPage {
				w.done = true
				return
			}
		}
	}
}

func (w *previewWalk) page(ctx context.Context) ([]User, error) {
	p := db.Page{After: w.last, Limit: mappingPage - 1, Ascending: true} // a page reads one more
	p.Arg(string(w.d.ID))
	text, args := p.Statement(selectUsersG, "u.id")
	found, err := w.s.queryUsers(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return found, w.s.directRefs(ctx, w.d.ID, found)
}

func idsOfPage(users []User) []string {
	out := make([]string, len(users))
	for i, u := range users {
		out[i] = string(u.ID)
	}
	return out
}

// previewed is a person as mappings see them.
func previewed(u User, read func(*scim.Object, []access.Group) access.Source) (access.Person, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	if err != nil {
		return access.Person{}, fmt.Errorf("document of %s: %w", u.ID, err)
	}
	groups := make([]access.Group, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = access.Group{ID: string(g.ID), Name: g.Name}
	}
	p := person{u, doc}
	out := access.Person{ID: string(u.ID), Name: strings.TrimSpace(p.displayName()), Email: Email(doc), Source: read(doc, groups)}
	f, own := profileOf(p), &out.Beside.Own
	own.FirstName, own.LastName, own.PictureURL, own.Locale = orNil(f.first), orNil(f.last), orNil(f.picture), orNil(f.locale)
	return out, nil
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
