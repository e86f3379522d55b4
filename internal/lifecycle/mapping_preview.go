package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// A preview reads profiles a page at a time, and no more of them than a few seconds allow: who wants all goes on behind the last.
const (
	previewPage = 200
	previewMost = 20_000
	previewTime = 5 * time.Second
)

// ConnectionPreview asks what a mapping of a connection would change.
type ConnectionPreview struct {
	Connection sso.Connection
	Mapping    access.NewMapping
	After      string // the profile behind which to go on; "" is the beginning
	Limit      int    // differences at most
}

// Preview compares what the people who came through a connection got by what was said of them at their last sign-in with what they would get by
// it, in the order of their profiles. What a directory drives for somebody is not the connection's, and not in it. Nothing is written.
func (m *Mappings) Preview(ctx context.Context, connections *sso.Service, members *member.Service, q ConnectionPreview) (directory.MappingPreview, error) {
	organization := q.Connection.OrganizationID
	if err := q.Mapping.Check(ctx, m.db, ""); err != nil {
		return directory.MappingPreview{}, err
	}
	before, err := access.MappingIn(ctx, m.db, organization, string(q.Connection.ID))
	if err != nil {
		return directory.MappingPreview{}, err
	}
	roles, err := access.RolesIn(ctx, m.db, organization)
	if err != nil {
		return directory.MappingPreview{}, err
	}
	out := directory.MappingPreview{Teams: map[access.TeamID]directory.PreviewedTeam{}}
	walk := &profileWalk{connections: connections, members: members, of: q.Connection, last: q.After, until: time.Now().Add(previewTime)}
	full := false
	for d, err := range access.Diff(before, q.Mapping.Proposed(before), roles, walk.people(ctx)) {
		if err != nil {
			return directory.MappingPreview{}, fmt.Errorf("preview the mapping of connection %s: %w", q.Connection.ID, err)
		}
		out.Differences = append(out.Differences, d)
		if full = len(out.Differences) == q.Limit; full {
			break
		}
	}
	if out.Scanned = walk.scanned; full || !walk.done {
		out.After = walk.last
	}
	return out, m.nameTeams(ctx, organization, out)
}

func (m *Mappings) nameTeams(ctx context.Context, organizationID string, out directory.MappingPreview) error {
	for _, d := range out.Differences {
		for _, id := range append(d.Gains[:len(d.Gains):len(d.Gains)], d.Loses...) {
			if _, known := out.Teams[id]; known {
				continue
			}
			name, err := access.TeamNameIn(ctx, m.db, organizationID, id)
			if err != nil {
				return err
			}
			out.Teams[id] = directory.PreviewedTeam{ID: id, Name: name}
		}
	}
	return nil
}

// profileWalk goes through the people who came through a connection.
type profileWalk struct {
	connections *sso.Service
	members     *member.Service
	of          sso.Connection
	last        string // who was looked at last
	scanned     int
	until       time.Time
	done        bool // everybody was
}

func (w *profileWalk) people(ctx context.Context) iter.Seq2[access.Person, error] {
	return func(yield func(access.Person, error) bool) {
		for w.scanned < previewMost && time.Now().Before(w.until) {
			found, err := w.connections.ProfilesAt(ctx, w.of.OrganizationID, w.of.ID, sso.ProfileID(w.last), previewPage)
			if err != nil {
				yield(access.Person{}, err)
				return
			}
			held, err := w.held(ctx, found)
			if err != nil {
				yield(access.Person{}, err)
				return
			}
			for _, p := range found {
				w.last, w.scanned = string(p.ID), w.scanned+1
				if h, there := held[member.UserID(p.UserID())]; there && !yield(signedIn(p, h), nil) {
					return
				}
			}
			if len(found) < previewPage {
				w.done = true
				return
			}
		}
	}
}

func (w *profileWalk) held(ctx context.Context, found []sso.Profile) (map[member.UserID]member.Own, error) {
	ids := make([]member.UserID, len(found))
	for i, p := range found {
		ids[i] = member.UserID(p.UserID())
	}
	return w.members.Own(ctx, w.of.OrganizationID, ids)
}

// signedIn is a person as mappings see them.
func signedIn(p sso.Profile, h member.Own) access.Person {
	return access.Person{
		ID: string(p.ID), Name: cmp.Or(p.Name, joinNames(p.FirstName, p.LastName)), Email: p.Email, Source: access.OfClaims(p.Raw, p.Groups),
		Member: h.Given, Elsewhere: h.Driven,
	}
}
