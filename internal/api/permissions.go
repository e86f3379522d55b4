package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/web"
)

const permissionPrefix = "perm"

func showPermission(status int, p access.Permission, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{status, jsontext.Value(p.Payload())}, nil
}

// page is what the access room needs of it.
func (p paging) page() access.Page {
	return access.Page{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
}

func listPermissions(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	p, err := c.paging(permissionPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Access.Permissions(c.ctx(), p.page())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(p access.Permission) string { return string(p.ID) },
		func(p access.Permission) (jsontext.Value, error) { return p.Payload(), nil })
	return ok(page), err
}

// permission reads the slug of the address.
func (c *call) permission() (string, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	slug := c.path["slug"]
	if !web.IsText(slug) {
		return "", access.PermissionNotFound(slug)
	}
	return slug, nil
}

func getPermission(c *call) (answer, error) {
	slug, err := c.permission()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Permission(c.ctx(), slug)
	return showPermission(http.StatusOK, found, err)
}

type newPermission struct {
	Slug         string `json:"slug"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	ResourceType string `json:"resource_type_slug"`
}

func createPermission(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	var wanted newPermission
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if err := checkResource(wanted.ResourceType); err != nil {
		return answer{}, err
	}
	made, err := c.o.Access.CreatePermission(c.ctx(), c.actor, access.NewPermission{Slug: wanted.Slug, Name: wanted.Name, Description: wanted.Description})
	return showPermission(http.StatusCreated, made, err)
}

type namedChanges struct {
	Name        *string        `json:"name"`
	Description jsontext.Value `json:"description"`
}

// changes reads the body of a change of a name and a description, which null takes away.
func (c *call) named() (name, about *string, err error) {
	var wanted namedChanges
	if err := c.body(&wanted); err != nil {
		return nil, nil, err
	}
	about, err = textOrNull("description", wanted.Description)
	return wanted.Name, about, err
}

func updatePermission(c *call) (answer, error) {
	slug, err := c.permission()
	if err != nil {
		return answer{}, err
	}
	name, about, err := c.named()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.UpdatePermission(c.ctx(), c.actor, slug, access.PermissionChanges{Name: name, Description: about})
	return showPermission(http.StatusOK, changed, err)
}

func deletePermission(c *call) (answer, error) {
	slug, err := c.permission()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Access.DeletePermission(c.ctx(), c.actor, slug); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
