package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// aboutOrganizations is the one kind of thing that roles and permissions are about here.
const aboutOrganizations = "organization"

func showRole(status int, r access.Role, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{status, jsontext.Value(r.Payload())}, nil
}

// roleOwner is the organization that the address names; "" at the addresses of the installation's own roles.
func (c *call) roleOwner() (string, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	if _, named := c.path["organizationId"]; !named {
		return "", nil
	}
	return c.livingOrganization("organizationId")
}

// livingOrganization finds the organization that the address names.
func (c *call) livingOrganization(name string) (string, error) {
	id, err := c.organizationID(name)
	if err != nil {
		return "", err
	}
	found, err := c.o.Organizations.Get(c.ctx(), id)
	return string(found.ID), err
}

// slug of the address, which may be anything that is text.
func (c *call) slug(name string) (string, error) {
	slug := c.path[name]
	if !web.IsText(slug) {
		return "", access.RoleNotFound(slug)
	}
	return slug, nil
}

// role reads both names of an address.
func (c *call) role() (organizationID, slug string, err error) {
	if organizationID, err = c.roleOwner(); err != nil {
		return "", "", err
	}
	slug, err = c.slug("slug")
	return organizationID, slug, err
}

// rolesList is the one list without list_metadata (contract): roles are few, and all are shown, the one that wins first.
type rolesList struct {
	Object string           `json:"object"`
	Data   []jsontext.Value `json:"data"`
}

func listRoles(c *call) (answer, error) {
	organization, err := c.roleOwner()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Roles(c.ctx(), organization)
	if err != nil {
		return answer{}, err
	}
	out := rolesList{Object: "list", Data: make([]jsontext.Value, len(found))}
	for i, r := range found {
		out.Data[i] = r.Payload()
	}
	return ok(out), nil
}

// newRole is what a client sends. priority and is_admin are ours.
type newRole struct {
	Slug         string `json:"slug"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	ResourceType string `json:"resource_type_slug"`
	Priority     int64  `json:"priority"`
	IsAdmin      bool   `json:"is_admin"`
}

func checkResource(slug string) error {
	if slug != "" && slug != aboutOrganizations {
		return errField("resource_type_slug", "unknown_resource_type", "Roles and permissions are about an organization here; resource_type_slug %.40q is not known.", slug)
	}
	return nil
}

func createRole(c *call) (answer, error) {
	organization, err := c.roleOwner()
	if err != nil {
		return answer{}, err
	}
	var wanted newRole
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if err := checkResource(wanted.ResourceType); err != nil {
		return answer{}, err
	}
	made, err := c.o.Access.CreateRole(c.ctx(), c.actor, access.NewRole{
		OrganizationID: organization, Slug: wanted.Slug, Name: wanted.Name, Description: wanted.Description, Priority: wanted.Priority, IsAdmin: wanted.IsAdmin,
	})
	return showRole(http.StatusCreated, made, err)
}

func getRole(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Role(c.ctx(), organization, slug)
	return showRole(http.StatusOK, found, err)
}

type roleChanges struct {
	Name        *string        `json:"name"`
	Description jsontext.Value `json:"description"`
	Priority    *int64         `json:"priority"`
	IsAdmin     *bool          `json:"is_admin"`
}

func updateRole(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	var wanted roleChanges
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	about, err := textOrNull("description", wanted.Description)
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.UpdateRole(c.ctx(), c.actor, organization, slug, access.RoleChanges{
		Name: wanted.Name, Description: about, Priority: wanted.Priority, IsAdmin: wanted.IsAdmin,
	})
	return showRole(http.StatusOK, changed, err)
}

func deleteRole(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Access.DeleteRole(c.ctx(), c.actor, organization, slug); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func setRolePermissions(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		Permissions []string `json:"permissions"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if wanted.Permissions == nil { // to leave it out is no way to say that a role permits nothing
		return answer{}, fault.New(fault.Unprocessable, "required", "permissions is the list of slugs that the role is to have; [] is none.").On("permissions")
	}
	changed, err := c.o.Access.SetPermissions(c.ctx(), c.actor, organization, slug, wanted.Permissions)
	return showRole(http.StatusOK, changed, err)
}

func addRolePermission(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		Slug string `json:"slug"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.AddPermission(c.ctx(), c.actor, organization, slug, wanted.Slug)
	return showRole(http.StatusOK, changed, err)
}

func removeRolePermission(c *call) (answer, error) {
	organization, slug, err := c.role()
	if err != nil {
		return answer{}, err
	}
	permission, err := c.slug("permissionSlug")
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.RemovePermission(c.ctx(), c.actor, organization, slug, permission)
	return showRole(http.StatusOK, changed, err)
}
