package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Role is what a member may do: the installation's, which every organization has, or one organization's own.
type Role struct {
	Raw

	ID          string    `json:"id"` // role_…
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Type        string    `json:"type"` // EnvironmentRole or OrganizationRole
	Permissions []string  `json:"permissions"`
	Priority    int       `json:"priority"` // of several that are mapped the smallest wins
	IsAdmin     bool      `json:"is_admin"` // a mapping leaves it to the last active member who has such a role
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// NewRole is a role to be made. Slugs are lower-case letters, digits, and between them : . _ and -, 48 characters at most.
type NewRole struct {
	Slug        string `json:"slug,omitempty"` // "": made of the name with org- before it, for an organization's own role alone
	Name        string `json:"name"`           // 48 characters at most
	Description string `json:"description,omitempty"`
	Priority    int    `json:"priority,omitempty"` // 1 to 1,000,000; 0: at the end
	IsAdmin     bool   `json:"is_admin,omitempty"`
}

// RoleChange says what is to be changed; nil is left as it is.
type RoleChange struct {
	Name        *string
	Description *string // "" removes it
	Priority    *int
	IsAdmin     *bool
}

// roles is where the roles of an organization are, or with "" the installation's; then comes what is named.
func roles(organizationID string, more ...string) []string {
	if organizationID == "" {
		return append([]string{"authorization", "roles"}, more...)
	}
	return append([]string{"authorization", "organizations", organizationID, "roles"}, more...)
}

// Roles lists those that an organization can give, the installation's too, the one that wins first; of "" the installation's.
func (c *Client) Roles(ctx context.Context, organizationID string) iter.Seq2[Role, error] {
	return list[Role](ctx, c, url.Values{}, roles(organizationID)...)
}

// Role gives one by its slug, of an organization or with "" of the installation.
func (c *Client) Role(ctx context.Context, organizationID, slug string) (Role, error) {
	return fetch[Role](ctx, c, get(nil, roles(organizationID, slug)...))
}

// CreateRole makes one, of an organization or with "" of the installation. It permits nothing yet.
func (c *Client) CreateRole(ctx context.Context, organizationID string, n NewRole) (Role, error) {
	return fetch[Role](ctx, c, post(n, roles(organizationID)...))
}

// UpdateRole changes one.
func (c *Client) UpdateRole(ctx context.Context, organizationID, slug string, change RoleChange) (Role, error) {
	body := map[string]any{}
	change1(body, "name", change.Name)
	orNull(body, "description", change.Description)
	change1(body, "priority", change.Priority)
	change1(body, "is_admin", change.IsAdmin)
	return fetch[Role](ctx, c, patch(body, roles(organizationID, slug)...))
}

// DeleteRole deletes one that nobody has, no invitation promises and no mapping gives; else it is refused (409).
func (c *Client) DeleteRole(ctx context.Context, organizationID, slug string) error {
	return c.send(ctx, remove(roles(organizationID, slug)...))
}

// SetRolePermissions gives a role these permissions and no others, by their slugs.
func (c *Client) SetRolePermissions(ctx context.Context, organizationID, slug string, permissions []string) (Role, error) {
	if permissions == nil {
		permissions = []string{}
	}
	return fetch[Role](ctx, c, put(map[string][]string{"permissions": permissions}, roles(organizationID, slug, "permissions")...))
}

// AddRolePermission adds one to a role; one that it has stays.
func (c *Client) AddRolePermission(ctx context.Context, organizationID, slug, permission string) (Role, error) {
	return fetch[Role](ctx, c, post(map[string]string{"slug": permission}, roles(organizationID, slug, "permissions")...))
}

// RemoveRolePermission takes one from a role.
func (c *Client) RemoveRolePermission(ctx context.Context, organizationID, slug, permission string) (Role, error) {
	return fetch[Role](ctx, c, remove(roles(organizationID, slug, "permissions", permission)...))
}

// Permission is a word that the app asks for. All are the installation's.
type Permission struct {
	Raw

	ID          string    `json:"id"` // perm_…
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// NewPermission is a permission to be made.
type NewPermission struct {
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// NameChange says what is to be changed of a permission or a team; nil is left as it is.
type NameChange struct {
	Name        *string
	Description *string // "" removes it
}

func (n NameChange) body() map[string]any {
	body := map[string]any{}
	change1(body, "name", n.Name)
	orNull(body, "description", n.Description)
	return body
}

// Permissions lists them.
func (c *Client) Permissions(ctx context.Context, l Listing) iter.Seq2[Permission, error] {
	return list[Permission](ctx, c, l.query(), "authorization", "permissions")
}

// Permission gives one by its slug.
func (c *Client) Permission(ctx context.Context, slug string) (Permission, error) {
	return fetch[Permission](ctx, c, get(nil, "authorization", "permissions", slug))
}

// CreatePermission makes one. Roles have to be given it.
func (c *Client) CreatePermission(ctx context.Context, n NewPermission) (Permission, error) {
	return fetch[Permission](ctx, c, post(n, "authorization", "permissions"))
}

// UpdatePermission has it called something else; the slug stays.
func (c *Client) UpdatePermission(ctx context.Context, slug string, change NameChange) (Permission, error) {
	return fetch[Permission](ctx, c, patch(change.body(), "authorization", "permissions", slug))
}

// DeletePermission deletes one; roles that had it lose it.
func (c *Client) DeletePermission(ctx context.Context, slug string) error {
	return c.send(ctx, remove("authorization", "permissions", slug))
}

// Team is a set of members of an organization, WorkOS's organization group. One that follows a directory group has its name and its people from
// there; to change them by hand is refused with directory_managed (409).
type Team struct {
	Raw

	ID               string    `json:"id"` // group_…
	OrganizationID   string    `json:"organization_id"`
	Name             string    `json:"name"`
	Description      string    `json:"description"`
	DirectoryManaged bool      `json:"directory_managed"`
	DirectoryID      string    `json:"directory_id"`
	DirectoryGroupID string    `json:"directory_group_id"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
}

// NewTeam is a team to be made.
type NewTeam struct {
	Name        string `json:"name"` // 256 characters at most
	Description string `json:"description,omitempty"`
}

func teams(organizationID string, more ...string) []string {
	return append([]string{"organizations", organizationID, "groups"}, more...)
}

const members = "organization-memberships"

// Teams lists those of an organization.
func (c *Client) Teams(ctx context.Context, organizationID string, l Listing) iter.Seq2[Team, error] {
	return list[Team](ctx, c, l.query(), teams(organizationID)...)
}

// Team gives one.
func (c *Client) Team(ctx context.Context, organizationID, id string) (Team, error) {
	return fetch[Team](ctx, c, get(nil, teams(organizationID, id)...))
}

// CreateTeam makes one, with nobody in it.
func (c *Client) CreateTeam(ctx context.Context, organizationID string, n NewTeam) (Team, error) {
	return fetch[Team](ctx, c, post(n, teams(organizationID)...))
}

// UpdateTeam changes one.
func (c *Client) UpdateTeam(ctx context.Context, organizationID, id string, change NameChange) (Team, error) {
	return fetch[Team](ctx, c, patch(change.body(), teams(organizationID, id)...))
}

// DeleteTeam deletes one; its people stay members. One that a mapping names is refused with team_has_mappings (409).
func (c *Client) DeleteTeam(ctx context.Context, organizationID, id string) error {
	return c.send(ctx, remove(teams(organizationID, id)...))
}

// TeamMembers lists who is in a team, pending and inactive members too, or those whose status is one of statuses.
func (c *Client) TeamMembers(ctx context.Context, organizationID, id string, l Listing, statuses ...string) iter.Seq2[OrganizationMembership, error] {
	query := l.query()
	set(query, "statuses", statuses...)
	return list[OrganizationMembership](ctx, c, query, teams(organizationID, id, members)...)
}

// AddTeamMember puts a member into a team; who is in it stays.
func (c *Client) AddTeamMember(ctx context.Context, organizationID, id, membershipID string) (Team, error) {
	return fetch[Team](ctx, c, post(map[string]string{"organization_membership_id": membershipID}, teams(organizationID, id, members)...))
}

// RemoveTeamMember takes a member out of a team.
func (c *Client) RemoveTeamMember(ctx context.Context, organizationID, id, membershipID string) error {
	return c.send(ctx, remove(teams(organizationID, id, members, membershipID)...))
}

// LicenceType is what an organization has bought. Members get one by UpdateOrganizationMembership, an invitation or a mapping.
type LicenceType struct {
	Raw

	ID             string    `json:"id"` // licence_type_…
	OrganizationID string    `json:"organization_id"`
	Slug           string    `json:"slug"`
	Name           string    `json:"name"`
	Seats          *int      `json:"seats"`      // nil: as many as are wanted
	OverLimit      string    `json:"over_limit"` // of somebody for whom no seat is left: admit (in, without it) or refuse (not in)
	Used           int       `json:"used"`       // how many hold it; not in events
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// NewLicenceType is a licence type to be made.
type NewLicenceType struct {
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	Seats     *int   `json:"seats,omitempty"`
	OverLimit string `json:"over_limit,omitempty"` // "": admit
}

// LicenceTypeChange says what is to be changed; nil is left as it is.
type LicenceTypeChange struct {
	Name      *string
	Seats     *int // fewer than are used take none away
	Unlimited bool // takes the limit away; Seats does not count then
	OverLimit *string
}

func licenceTypes(organizationID string, more ...string) []string {
	return append([]string{"organizations", organizationID, "licence_types"}, more...)
}

// LicenceTypes lists those of an organization with their use.
func (c *Client) LicenceTypes(ctx context.Context, organizationID string) iter.Seq2[LicenceType, error] {
	return list[LicenceType](ctx, c, url.Values{}, licenceTypes(organizationID)...)
}

// LicenceType gives one by its slug.
func (c *Client) LicenceType(ctx context.Context, organizationID, slug string) (LicenceType, error) {
	return fetch[LicenceType](ctx, c, get(nil, licenceTypes(organizationID, slug)...))
}

// CreateLicenceType makes one.
func (c *Client) CreateLicenceType(ctx context.Context, organizationID string, n NewLicenceType) (LicenceType, error) {
	return fetch[LicenceType](ctx, c, post(n, licenceTypes(organizationID)...))
}

// UpdateLicenceType changes one.
func (c *Client) UpdateLicenceType(ctx context.Context, organizationID, slug string, change LicenceTypeChange) (LicenceType, error) {
	body := map[string]any{}
	change1(body, "name", change.Name)
	change1(body, "seats", change.Seats)
	change1(body, "over_limit", change.OverLimit)
	if change.Unlimited {
		body["seats"] = nil
	}
	return fetch[LicenceType](ctx, c, patch(body, licenceTypes(organizationID, slug)...))
}

// DeleteLicenceType deletes one that nobody holds and no mapping gives; else it is refused (409).
func (c *Client) DeleteLicenceType(ctx context.Context, organizationID, slug string) error {
	return c.send(ctx, remove(licenceTypes(organizationID, slug)...))
}

// Mapping says what a directory or a connection gives its people. Version 0 is that none was saved: it drives nothing.
type Mapping struct {
	Raw

	OrganizationID    string          `json:"organization_id"`
	SourceID          string          `json:"source_id"` // directory_… or conn_…
	Version           int64           `json:"version"`
	DrivesRoles       bool            `json:"drives_roles"`
	DrivesTeams       bool            `json:"drives_teams"`
	DrivesLicences    bool            `json:"drives_licences"`
	TeamsFollowGroups bool            `json:"teams_follow_groups"`
	Rules             json.RawMessage `json:"rules"` // a list; see the reference of mappings
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at"`
}

// MappingChange is a whole mapping: what is left out is off, or empty. Version is that of the mapping it was made from, so that nobody's change
// is lost (412 version_conflict); nil replaces whatever is there.
type MappingChange struct {
	DrivesRoles       bool            `json:"drives_roles"`
	DrivesTeams       bool            `json:"drives_teams"`
	DrivesLicences    bool            `json:"drives_licences"`
	TeamsFollowGroups bool            `json:"teams_follow_groups"`
	Rules             json.RawMessage `json:"rules,omitempty"`
	Version           *int64          `json:"version,omitempty"`
}

// DirectoryMapping gives that of a directory.
func (c *Client) DirectoryMapping(ctx context.Context, directoryID string) (Mapping, error) {
	return fetch[Mapping](ctx, c, get(nil, "directories", directoryID, "mapping"))
}

// SetDirectoryMapping replaces that of a directory. Its people are looked at again in the background; Provisioning tells how far that is. What is
// wrong with a rule is refused (422) by its number and field.
func (c *Client) SetDirectoryMapping(ctx context.Context, directoryID string, m MappingChange) (Mapping, error) {
	return fetch[Mapping](ctx, c, put(m, "directories", directoryID, "mapping"))
}

// ConnectionMapping gives that of a connection.
func (c *Client) ConnectionMapping(ctx context.Context, connectionID string) (Mapping, error) {
	return fetch[Mapping](ctx, c, get(nil, "connections", connectionID, "mapping"))
}

// SetConnectionMapping replaces that of a connection. People get what it gives at their next sign-in.
func (c *Client) SetConnectionMapping(ctx context.Context, connectionID string, m MappingChange) (Mapping, error) {
	return fetch[Mapping](ctx, c, put(m, "connections", connectionID, "mapping"))
}

// MappingDifference is what one person of a directory, or of the last sign-ins through a connection, would gain and lose. Role and Licence are nil where they stay.
type MappingDifference struct {
	Raw

	DirectoryUserID string             `json:"directory_user_id"`          // "": of a sign-in
	ProfileID       string             `json:"profile_id"`                 // "": of a directory
	MembershipID    string             `json:"organization_membership_id"` // "": no member yet
	Name            string             `json:"name"`
	Email           string             `json:"email"`
	Role            *Change            `json:"role"`
	Licence         *Change            `json:"licence"`
	TeamsGained     []MappedTeam       `json:"teams_gained"`
	TeamsLost       []MappedTeam       `json:"teams_lost"`
	Attributes      map[string]Changed `json:"attributes"`
	Why             map[string]string  `json:"why"` // of what differs: which rule, or what else
}

// Change is a slug before and after; "" is none.
type Change struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// Changed is a value before and after, as JSON; null is none. AuditEntry.Changes is a map[string]Changed, where what is missing was or is not there.
type Changed struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// MappedTeam is a team in a preview; without an id it does not exist yet, and saving the mapping makes it.
type MappedTeam struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// PreviewMapping tells who of a directory would gain and lose what by a mapping. Nothing is saved. People for whom nothing changes are left out.
func (c *Client) PreviewMapping(ctx context.Context, directoryID string, m MappingChange) iter.Seq2[MappingDifference, error] {
	what := post(m, "directories", directoryID, "mapping", "preview")
	what.query = url.Values{"limit": {strconv.Itoa(maxPage)}}
	return walk[MappingDifference](ctx, c, what, true)
}

// PreviewConnectionMapping tells who would gain and lose what by a connection's mapping if they signed in now as they did the last time. Nothing is
// saved. People for whom nothing changes are left out.
func (c *Client) PreviewConnectionMapping(ctx context.Context, connectionID string, m MappingChange) iter.Seq2[MappingDifference, error] {
	what := post(m, "connections", connectionID, "mapping", "preview")
	what.query = url.Values{"limit": {strconv.Itoa(maxPage)}}
	return walk[MappingDifference](ctx, c, what, true)
}
