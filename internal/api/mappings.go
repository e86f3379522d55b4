package api

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// newMapping is what a client sends: the mapping as a whole. What is left out is off, or empty.
type newMapping struct {
	DrivesRoles    bool           `json:"drives_roles"`
	DrivesTeams    bool           `json:"drives_teams"`
	DrivesLicences bool           `json:"drives_licences"`
	TeamsFollow    bool           `json:"teams_follow_groups"`
	Rules          jsontext.Value `json:"rules"`
	Version        *int64         `json:"version"`
}

// mappingBody reads a mapping for a source.
func (c *call) mappingBody(organizationID, sourceID string) (access.NewMapping, error) {
	var in newMapping
	if err := c.body(&in); err != nil {
		return access.NewMapping{}, err
	}
	out := access.NewMapping{
		OrganizationID: organizationID, SourceID: sourceID, DrivesRoles: in.DrivesRoles, DrivesTeams: in.DrivesTeams,
		DrivesLicences: in.DrivesLicences, TeamsFollow: in.TeamsFollow, Version: in.Version,
	}
	if in.Rules.Kind() == 0 || in.Rules.Kind() == 'n' {
		return out, nil
	}
	var err error
	out.Rules, err = access.ParseRules(in.Rules)
	return out, err
}

func (c *call) showMapping(m access.Mapping, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(m.Payload())), nil
}

// mappedDirectory finds the directory that the address names, where its people become members.
func (c *call) mappedDirectory() (directory.Directory, error) {
	if err := c.keepsAccounts(); err != nil {
		return directory.Directory{}, err
	}
	return c.directory()
}

func getDirectoryMapping(c *call) (answer, error) {
	d, err := c.mappedDirectory()
	if err != nil {
		return answer{}, err
	}
	return c.showMapping(c.o.Access.Mapping(c.ctx(), d.OrganizationID, string(d.ID)))
}

func setDirectoryMapping(c *call) (answer, error) {
	d, err := c.mappedDirectory()
	if err != nil {
		return answer{}, err
	}
	wanted, err := c.mappingBody(d.OrganizationID, string(d.ID))
	if err != nil {
		return answer{}, err
	}
	return c.showMapping(c.o.Mappings.Set(c.ctx(), c.actor, wanted))
}

// mappedConnection finds the connection that the address names, where its people become members.
func (c *call) mappedConnection() (sso.Connection, error) {
	if err := c.keepsAccounts(); err != nil {
		return sso.Connection{}, err
	}
	return c.connection()
}

func getConnectionMapping(c *call) (answer, error) {
	one, err := c.mappedConnection()
	if err != nil {
		return answer{}, err
	}
	return c.showMapping(c.o.Access.Mapping(c.ctx(), one.OrganizationID, string(one.ID)))
}

func setConnectionMapping(c *call) (answer, error) {
	one, err := c.mappedConnection()
	if err != nil {
		return answer{}, err
	}
	wanted, err := c.mappingBody(one.OrganizationID, string(one.ID))
	if err != nil {
		return answer{}, err
	}
	return c.showMapping(c.o.Mappings.Set(c.ctx(), c.actor, wanted))
}

// shownDifference is what one person gains and loses; members that do not change are left out.
type shownDifference struct {
	Object     string                 `json:"object"`
	UserID     *string                `json:"directory_user_id"`
	Profile    *string                `json:"profile_id"`
	Membership *string                `json:"organization_membership_id"`
	Name       *string                `json:"name"`
	Email      *string                `json:"email"`
	Role       *shownChange           `json:"role,omitzero"`
	Licence    *shownChange           `json:"licence,omitzero"`
	Gains      []shownTeam            `json:"teams_gained"`
	Loses      []shownTeam            `json:"teams_lost"`
	Attributes map[string]shownValues `json:"attributes"`
	Why        map[string]string      `json:"why"`
}

type shownChange struct {
	Before *string `json:"before"`
	After  *string `json:"after"`
}

type shownTeam struct {
	ID   *access.TeamID `json:"id"`
	Name string         `json:"name"`
}

type shownValues struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

func showDifference(d access.Difference, teams map[access.TeamID]directory.PreviewedTeam) shownDifference {
	out := shownDifference{
		Object: "mapping_difference", Membership: optional(d.Person.Member.MembershipID), Name: optional(d.Person.Name),
		Email: optional(d.Person.Email), Role: showChange(d.Role), Licence: showChange(d.Licence), Gains: showTeams(d.Gains, teams), Loses: showTeams(d.Loses, teams),
		Attributes: map[string]shownValues{}, Why: d.Why,
	}
	if strings.HasPrefix(d.Person.ID, sso.ProfilePrefix+"_") {
		out.Profile = &d.Person.ID
	} else {
		out.UserID = &d.Person.ID
	}
	for name, v := range d.Attributes {
		out.Attributes[name] = shownValues(v)
	}
	return out
}

func showChange(c access.Change) *shownChange {
	if !c.Changes() {
		return nil
	}
	return &shownChange{optional(c.Before), optional(c.After)}
}

func showTeams(ids []access.TeamID, teams map[access.TeamID]directory.PreviewedTeam) []shownTeam {
	out := make([]shownTeam, len(ids))
	for i, id := range ids {
		out[i] = shownTeam{optional(teams[id].ID), teams[id].Name}
	}
	return out
}

type shownPreview struct {
	Object   string           `json:"object"`
	Data     []jsontext.Value `json:"data"`
	Scanned  int              `json:"scanned"`
	Metadata ends             `json:"list_metadata"`
}

// previewDirectoryMapping says who would gain and lose what. It goes forwards only: the cursor names the directory user behind whom to go on,
// who need not be in the page.
func previewDirectoryMapping(c *call) (answer, error) {
	d, err := c.mappedDirectory()
	if err != nil {
		return answer{}, err
	}
	p, err := c.forwards(userPrefix)
	if err != nil {
		return answer{}, err
	}
	wanted, err := c.mappingBody(d.OrganizationID, string(d.ID))
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Directories.PreviewMapping(c.ctx(), directory.MappingQuery{Directory: d, Mapping: wanted, After: p.after, Limit: p.limit})
	return showPreview(found, err)
}

// previewConnectionMapping is the same of the people who came through a connection, by what was said of them at their last sign-in.
func previewConnectionMapping(c *call) (answer, error) {
	one, err := c.mappedConnection()
	if err != nil {
		return answer{}, err
	}
	p, err := c.forwards(sso.ProfilePrefix)
	if err != nil {
		return answer{}, err
	}
	wanted, err := c.mappingBody(one.OrganizationID, string(one.ID))
	if err != nil {
		return answer{}, err
	}
	return showPreview(c.o.Mappings.Preview(c.ctx(), c.o.Connections, c.o.Members, lifecycle.ConnectionPreview{
		Connection: one, Mapping: wanted, After: p.after, Limit: p.limit,
	}))
}

// forwards is the page of a preview.
func (c *call) forwards(prefix string) (paging, error) {
	p, err := c.paging(prefix, true)
	if err == nil && (p.before != "" || !p.ascending) {
		err = errField("before", "invalid_order", "A preview is read forwards only: use after, and no order but asc.")
	}
	return p, err
}

func showPreview(found directory.MappingPreview, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	out := shownPreview{Object: "list", Data: make([]jsontext.Value, len(found.Differences)), Scanned: found.Scanned, Metadata: ends{After: optional(found.After)}}
	for i, one := range found.Differences {
		if out.Data[i], err = encode(showDifference(one, found.Teams)); err != nil {
			return answer{}, err
		}
	}
	return ok(out), nil
}
