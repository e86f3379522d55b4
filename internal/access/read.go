package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

// RolesIn gives the roles of an organization that r sees, the installation's among them, the one that wins first. Of organization ""
// they are the installation's alone. The role member is always among them.
func RolesIn(ctx context.Context, r db.Reader, organizationID string) ([]Role, error) {
	found, err := readRoles(ctx, r, selectRoles, organizationID)
	if err != nil {
		return nil, err
	}
	if _, there := Find(found, RoleMember); !there { // before the first use of the service
		found = append(found, memberRole())
	}
	slices.SortFunc(found, byPriority)
	return found, nil
}

// PermissionsIn gives the permissions of a member with a role, sorted; none for a role that is not there.
func PermissionsIn(ctx context.Context, r db.Reader, organizationID, slug string) ([]string, error) {
	found, err := RolesIn(ctx, r, organizationID)
	if err != nil {
		return nil, err
	}
	role, _ := Find(found, slug)
	return orEmpty(role.Permissions), nil
}

func readRoles(ctx context.Context, r db.Reader, text string, args ...any) ([]Role, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	defer rows.Close()
	var out []Role
	for rows.Next() {
		var o Role
		var about *string
		var permissions []byte
		var created, updated int64
		if err := rows.Scan((*string)(&o.ID), &o.OrganizationID, &o.Slug, &o.Name, &about, &permissions, &o.Priority, &o.IsAdmin, &created, &updated); err != nil {
			return nil, fmt.Errorf("read roles: %w", err)
		}
		if err := json.Unmarshal(permissions, &o.Permissions); err != nil {
			return nil, fmt.Errorf("permissions of role %s: %w", o.ID, err)
		}
		o.Description, o.CreatedAt, o.UpdatedAt = textOf(about), db.Time(created), db.Time(updated)
		out = append(out, o)
	}
	return out, rows.Err()
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func readTeams(ctx context.Context, r db.Reader, text string, args ...any) ([]Team, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	defer rows.Close()
	var out []Team
	for rows.Next() {
		var o Team
		var about, directory, group *string
		var created, updated int64
		if err := rows.Scan((*string)(&o.ID), &o.OrganizationID, &o.Name, &about, &directory, &group, &created, &updated); err != nil {
			return nil, fmt.Errorf("read teams: %w", err)
		}
		o.Description, o.DirectoryID, o.DirectoryGroupID = textOf(about), textOf(directory), textOf(group)
		o.CreatedAt, o.UpdatedAt = db.Time(created), db.Time(updated)
		out = append(out, o)
	}
	return out, rows.Err()
}

// TeamNameIn is how a team is called; "" if it is not there.
func TeamNameIn(ctx context.Context, r db.Reader, organizationID string, id TeamID) (string, error) {
	found, err := readTeams(ctx, r, selectTeam, organizationID, string(id))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].Name, nil
}

// Place is a member's place in a team.
type Place struct {
	Team  TeamID
	PutBy PutBy
}

// PlacesIn are the teams that a membership is in, by the team's id.
func PlacesIn(ctx context.Context, r db.Reader, organizationID, membershipID string) ([]Place, error) {
	rows, err := r.Query(ctx, selectTeamsOf, organizationID, membershipID)
	if err != nil {
		return nil, fmt.Errorf("read the teams of a member: %w", err)
	}
	defer rows.Close()
	var out []Place
	for rows.Next() {
		var p Place
		if err := rows.Scan((*string)(&p.Team), (*string)(&p.PutBy)); err != nil {
			return nil, fmt.Errorf("read the teams of a member: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// LicencesIn are the licence types of an organization with their use, the oldest first.
func LicencesIn(ctx context.Context, r db.Reader, organizationID string) ([]Use, error) {
	types, err := readLicences(ctx, r, selectLicences+" ORDER BY id", organizationID)
	if err != nil || len(types) == 0 {
		return nil, err
	}
	rows, err := r.Query(ctx, countLicences, organizationID)
	if err != nil {
		return nil, fmt.Errorf("count licences: %w", err)
	}
	defer rows.Close()
	used := map[string]int64{}
	for rows.Next() {
		var slug string
		var n int64
		if err := rows.Scan(&slug, &n); err != nil {
			return nil, fmt.Errorf("count licences: %w", err)
		}
		used[slug] = n
	}
	out := make([]Use, len(types))
	for i, t := range types {
		out[i] = Use{Type: t, Used: used[t.Slug]}
	}
	return out, rows.Err()
}

// UseIn is one licence type with its use. false: the organization has no such type.
func UseIn(ctx context.Context, r db.Reader, organizationID, slug string) (u Use, found bool, err error) {
	types, err := readLicences(ctx, r, selectLicence, organizationID, slug)
	if err != nil || len(types) == 0 {
		return Use{}, false, err
	}
	u.Type = types[0]
	if err := r.QueryRow(ctx, countLicenceHolders, organizationID, slug).Scan(&u.Used); err != nil {
		return Use{}, false, fmt.Errorf("count licences: %w", err)
	}
	return u, true, nil
}

func readLicences(ctx context.Context, r db.Reader, text string, args ...any) ([]LicenceType, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read licence types: %w", err)
	}
	defer rows.Close()
	var out []LicenceType
	for rows.Next() {
		var o LicenceType
		var created, updated int64
		if err := rows.Scan((*string)(&o.ID), &o.OrganizationID, &o.Slug, &o.Name, &o.Seats, (*string)(&o.OverLimit), &created, &updated); err != nil {
			return nil, fmt.Errorf("read licence types: %w", err)
		}
		o.CreatedAt, o.UpdatedAt = db.Time(created), db.Time(updated)
		out = append(out, o)
	}
	return out, rows.Err()
}

// MappingIn is the mapping of a source that r sees. Where none was saved it is the one every source begins with: it drives nothing, and
// of a directory it has the default attributes.
func MappingIn(ctx context.Context, r db.Reader, organizationID, sourceID string) (Mapping, error) {
	m, err := mappingIn(ctx, r, selectMapping, organizationID, sourceID)
	if errors.Is(err, db.ErrNoRows) {
		return Mapping{OrganizationID: organizationID, SourceID: sourceID}, nil
	}
	if err != nil {
		return Mapping{}, fmt.Errorf("read the mapping of %s: %w", sourceID, err)
	}
	if m.DrivesTeams && m.TeamsFollow {
		m.Followed, err = followed(ctx, r, organizationID, sourceID)
	}
	return m, err
}

// AskMapping is the question behind MappingIn, to be asked with others, for a connection: no team follows its groups.
func AskMapping(organizationID, connectionID string, into *Mapping) db.Question {
	return db.Question{SQL: selectMapping, Args: []any{organizationID, connectionID}, Read: func(rows db.Rows) error {
		*into = Mapping{OrganizationID: organizationID, SourceID: connectionID}
		found, err := scanMappings(rows)
		if len(found) > 0 {
			*into = found[0]
		}
		return err
	}}
}

func mappingIn(ctx context.Context, r db.Reader, text string, args ...any) (Mapping, error) {
	all, err := readMappings(ctx, r, text, args...)
	if err != nil {
		return Mapping{}, err
	}
	if len(all) == 0 {
		return Mapping{}, db.ErrNoRows
	}
	return all[0], nil
}

func readMappings(ctx context.Context, r db.Reader, text string, args ...any) ([]Mapping, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read mappings: %w", err)
	}
	defer rows.Close()
	return scanMappings(rows)
}

func scanMappings(rows db.Rows) (out []Mapping, err error) {
	for rows.Next() {
		var m Mapping
		var rules []byte
		var created, updated int64
		if err := rows.Scan(&m.OrganizationID, &m.SourceID, &m.DrivesRoles, &m.DrivesTeams, &m.DrivesLicences, &m.TeamsFollow, &rules, &m.Version, &created, &updated); err != nil {
			return nil, fmt.Errorf("read mappings: %w", err)
		}
		if m.Rules, err = ParseRules(rules); err != nil {
			return nil, fmt.Errorf("the saved mapping of %s: %w", m.SourceID, err)
		}
		m.CreatedAt, m.UpdatedAt = db.Time(created), db.Time(updated)
		out = append(out, m)
	}
	return out, rows.Err()
}

// followed are the teams that follow the groups of a directory.
func followed(ctx context.Context, r db.Reader, organizationID, directoryID string) (map[string]TeamID, error) {
	rows, err := r.Query(ctx, selectFollowed, organizationID, directoryID)
	if err != nil {
		return nil, fmt.Errorf("read the teams that follow %s: %w", directoryID, err)
	}
	defer rows.Close()
	out := map[string]TeamID{}
	for rows.Next() {
		var group string
		var team TeamID
		if err := rows.Scan(&group, (*string)(&team)); err != nil {
			return nil, fmt.Errorf("read the teams that follow %s: %w", directoryID, err)
		}
		out[group] = team
	}
	return out, rows.Err()
}

// ofDirectory tells a directory from a connection by its id.
func ofDirectory(sourceID string) bool { return strings.HasPrefix(sourceID, "directory_") }
