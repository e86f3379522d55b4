package access

import (
	"cmp"
	"slices"
	"time"
)

// RoleID is a role's id, "role_…".
type RoleID string

// RoleMember is the slug of everybody's role.
const RoleMember = "member"

// Role is what a member may be.
type Role struct {
	ID             RoleID
	OrganizationID string // "": the installation's, there for every organization
	Slug           string
	Name           string
	Description    string
	Permissions    []string // slugs, sorted
	Priority       int64    // of several that are mapped the smallest wins
	IsAdmin        bool     // the last active member with such a role keeps it, whatever a mapping says
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// byPriority is the order in which roles win; of two with one priority the installation's goes first, then the older.
func byPriority(a, b Role) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.OrganizationID, b.OrganizationID), cmp.Compare(a.ID, b.ID))
}

// Find gives the role with a slug among those of an organization.
func Find(roles []Role, slug string) (Role, bool) {
	i := slices.IndexFunc(roles, func(r Role) bool { return r.Slug == slug })
	if i < 0 {
		return Role{}, false
	}
	return roles[i], true
}

// rolePayload is the contract's role, with priority and is_admin of ours.
type rolePayload struct {
	Slug         string   `json:"slug"`
	Object       string   `json:"object"`
	ID           RoleID   `json:"id"`
	Name         string   `json:"name"`
	Description  *string  `json:"description"`
	Type         string   `json:"type"`
	ResourceType string   `json:"resource_type_slug"`
	Permissions  []string `json:"permissions"`
	Priority     int64    `json:"priority"`
	IsAdmin      bool     `json:"is_admin"`
	CreatedAt    string   `json:"created_at"`
	UpdatedAt    string   `json:"updated_at"`
}

// resourceOrganization is the only kind of thing that roles and permissions are about here.
const resourceOrganization = "organization"

// Payload is the role as the API shows it.
func (r Role) Payload() []byte {
	kind := "EnvironmentRole"
	if r.OrganizationID != "" {
		kind = "OrganizationRole"
	}
	return encode(rolePayload{
		r.Slug, "role", r.ID, r.Name, orNull(r.Description), kind, resourceOrganization, orEmpty(r.Permissions), r.Priority, r.IsAdmin,
		shownTime(r.CreatedAt), shownTime(r.UpdatedAt),
	})
}

// eventPayload is the role as events show it: the contract has one form for the installation's and another for an organization's.
func (r Role) eventPayload() []byte {
	if r.OrganizationID == "" {
		return encode(struct {
			Object       string   `json:"object"`
			Slug         string   `json:"slug"`
			ResourceType string   `json:"resource_type_slug"`
			Permissions  []string `json:"permissions"`
			CreatedAt    string   `json:"created_at"`
			UpdatedAt    string   `json:"updated_at"`
		}{"role", r.Slug, resourceOrganization, orEmpty(r.Permissions), shownTime(r.CreatedAt), shownTime(r.UpdatedAt)})
	}
	return encode(struct {
		Object         string   `json:"object"`
		OrganizationID string   `json:"organization_id"`
		Slug           string   `json:"slug"`
		Name           string   `json:"name"`
		Description    *string  `json:"description"`
		ResourceType   string   `json:"resource_type_slug"`
		Permissions    []string `json:"permissions"`
		CreatedAt      string   `json:"created_at"`
		UpdatedAt      string   `json:"updated_at"`
	}{
		"organization_role", r.OrganizationID, r.Slug, r.Name, orNull(r.Description), resourceOrganization, orEmpty(r.Permissions),
		shownTime(r.CreatedAt), shownTime(r.UpdatedAt),
	})
}
