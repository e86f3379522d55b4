package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type roleCommands struct {
	List             roleList             `cmd:"" help:"List roles, the one that wins first."`
	Get              roleGet              `cmd:"" aliases:"show" help:"Show one."`
	Create           roleCreate           `cmd:"" help:"Make one. It permits nothing yet."`
	Update           roleUpdate           `cmd:"" help:"Change one."`
	Delete           roleDelete           `cmd:"" help:"Delete one that nobody has."`
	SetPermissions   roleSetPermissions   `cmd:"" help:"Give a role these permissions and no others."`
	AddPermission    roleAddPermission    `cmd:"" help:"Add one permission."`
	RemovePermission roleRemovePermission `cmd:"" help:"Take one permission away."`
}

// ofPlace says whose roles are meant.
type ofPlace struct {
	Organization string `placeholder:"ID" help:"Of this organization. Without it: of the installation, which every organization has."`
}

func roleColumns() []column[client.Role] {
	type r = client.Role
	return []column[r]{
		col("SLUG", func(x r) string { return x.Slug }),
		wide("ID", func(x r) string { return x.ID }),
		col("NAME", func(x r) string { return x.Name }),
		wide("DESCRIPTION", func(x r) string { return x.Description }),
		col("OF", func(x r) string {
			if x.Type == "OrganizationRole" {
				return "organization"
			}
			return "installation"
		}),
		col("PRIORITY", func(x r) string { return strconv.Itoa(x.Priority) }),
		col("ADMIN", func(x r) string { return yesNo(x.IsAdmin) }),
		col("PERMISSIONS", func(x r) string { return strings.Join(x.Permissions, ", ") }),
		wide("CREATED", func(x r) string { return when(x.CreatedAt) }),
		wide("UPDATED", func(x r) string { return when(x.UpdatedAt) }),
	}
}

type roleList struct {
	remote
	some
	ofPlace
}

// Run lists.
func (c *roleList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Roles(ctx, c.Organization), roleColumns())
	})
}

type roleGet struct {
	remote
	ofPlace

	Slug string `arg:"" help:"Its slug."`
}

// Run shows one.
func (c *roleGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) { return api.Role(ctx, c.Organization, c.Slug) })
}

type roleCreate struct {
	remote
	ofPlace

	Name        string `arg:"" help:"Its name, for people."`
	Slug        string `placeholder:"SLUG" help:"Its name for programs, like billing-admin. An organization's role that has none gets one of its name."`
	Description string `placeholder:"TEXT" help:"What it is for."`
	Priority    int    `placeholder:"N" help:"Of several that a mapping gives the smallest wins. Without it: at the end."`
	Admin       bool   `help:"A mapping leaves it to the last active member who has such a role."`
}

// Run makes one.
func (c *roleCreate) Run(ctx context.Context, w world) error {
	if c.Slug == "" && c.Organization == "" {
		return usageError("a role of the installation needs --slug, its name for programs, like billing-admin; a role of one organization --organization")
	}
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) {
		return api.CreateRole(ctx, c.Organization, client.NewRole{Slug: c.Slug, Name: c.Name, Description: c.Description, Priority: c.Priority, IsAdmin: c.Admin})
	})
}

type roleUpdate struct {
	remote
	ofPlace

	Slug        string  `arg:"" help:"Its slug."`
	Name        *string `placeholder:"NAME" help:"Its new name."`
	Description *string `placeholder:"TEXT" help:"What it is for; empty removes it."`
	Priority    *int    `placeholder:"N" help:"Of several that a mapping gives the smallest wins."`
	Admin       *bool   `negatable:"" help:"A mapping leaves it to the last active member who has such a role."`
}

// Run changes one.
func (c *roleUpdate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) {
		return api.UpdateRole(ctx, c.Organization, c.Slug, client.RoleChange{Name: c.Name, Description: c.Description, Priority: c.Priority, IsAdmin: c.Admin})
	})
}

type roleDelete struct {
	remote
	certain
	ofPlace

	Slug string `arg:"" help:"Its slug."`
}

// Run deletes one.
func (c *roleDelete) Run(ctx context.Context, w world) error {
	return c.takeAway(w, c.certain, fmt.Sprintf("Delete the role %q?", c.Slug), c.Slug+" is deleted.", func(api *client.Client) error {
		return api.DeleteRole(ctx, c.Organization, c.Slug)
	})
}

type roleSetPermissions struct {
	remote
	certain
	ofPlace

	Slug        string   `arg:"" help:"Slug of the role."`
	Permissions []string `arg:"" optional:"" help:"Slugs of all that it is to have; none takes all away."`
}

// Run gives them, after it was shown which it loses.
func (c *roleSetPermissions) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) {
		found, err := api.Role(ctx, c.Organization, c.Slug)
		if err != nil {
			return found, err
		}
		lost := slices.DeleteFunc(slices.Clone(found.Permissions), func(p string) bool { return slices.Contains(c.Permissions, p) })
		if len(lost) > 0 {
			if err := c.ask(w, "Take %s from everybody with the role %q?", strings.Join(lost, ", "), c.Slug); err != nil {
				return found, err
			}
		}
		return api.SetRolePermissions(ctx, c.Organization, c.Slug, c.Permissions)
	})
}

type roleAddPermission struct {
	remote
	ofPlace

	Slug       string `arg:"" help:"Slug of the role."`
	Permission string `arg:"" help:"Slug of the permission."`
}

// Run adds one.
func (c *roleAddPermission) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) {
		return api.AddRolePermission(ctx, c.Organization, c.Slug, c.Permission)
	})
}

type roleRemovePermission struct {
	remote
	certain
	ofPlace

	Slug       string `arg:"" help:"Slug of the role."`
	Permission string `arg:"" help:"Slug of the permission."`
}

// Run takes one away.
func (c *roleRemovePermission) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, roleColumns(), func(api *client.Client) (client.Role, error) {
		if err := c.ask(w, "Take %s from everybody with the role %q?", c.Permission, c.Slug); err != nil {
			return client.Role{}, err
		}
		return api.RemoveRolePermission(ctx, c.Organization, c.Slug, c.Permission)
	})
}

type permissionCommands struct {
	List   permissionList   `cmd:"" help:"List them."`
	Get    permissionGet    `cmd:"" aliases:"show" help:"Show one."`
	Create permissionCreate `cmd:"" help:"Make one; roles have to be given it."`
	Update permissionUpdate `cmd:"" help:"Call one something else."`
	Delete permissionDelete `cmd:"" help:"Delete one; roles that have it lose it."`
}

func permissionColumns() []column[client.Permission] {
	type p = client.Permission
	return []column[p]{
		col("SLUG", func(x p) string { return x.Slug }),
		wide("ID", func(x p) string { return x.ID }),
		col("NAME", func(x p) string { return x.Name }),
		col("DESCRIPTION", func(x p) string { return x.Description }),
		col("CREATED", func(x p) string { return ago(x.CreatedAt) }),
		wide("UPDATED", func(x p) string { return when(x.UpdatedAt) }),
	}
}

type permissionList struct {
	remote
	some
}

// Run lists.
func (c *permissionList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Permissions(ctx, client.Listing{}), permissionColumns())
	})
}

type permissionGet struct {
	remote

	Slug string `arg:"" help:"Its slug."`
}

// Run shows one.
func (c *permissionGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, permissionColumns(), func(api *client.Client) (client.Permission, error) { return api.Permission(ctx, c.Slug) })
}

type permissionCreate struct {
	remote

	Slug        string `arg:"" help:"What the app asks for, like invoices:read."`
	Name        string `arg:"" help:"Its name, for people."`
	Description string `placeholder:"TEXT" help:"What it permits."`
}

// Run makes one.
func (c *permissionCreate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, permissionColumns(), func(api *client.Client) (client.Permission, error) {
		return api.CreatePermission(ctx, client.NewPermission{Slug: c.Slug, Name: c.Name, Description: c.Description})
	})
}

type permissionUpdate struct {
	remote

	Slug        string  `arg:"" help:"Its slug."`
	Name        *string `placeholder:"NAME" help:"Its new name."`
	Description *string `placeholder:"TEXT" help:"What it permits; empty removes it."`
}

// Run changes one.
func (c *permissionUpdate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, permissionColumns(), func(api *client.Client) (client.Permission, error) {
		return api.UpdatePermission(ctx, c.Slug, client.NameChange{Name: c.Name, Description: c.Description})
	})
}

type permissionDelete struct {
	remote
	certain

	Slug string `arg:"" help:"Its slug."`
}

// Run deletes one.
func (c *permissionDelete) Run(ctx context.Context, w world) error {
	return c.takeAway(w, c.certain, fmt.Sprintf("Delete the permission %q, also from all roles?", c.Slug), c.Slug+" is deleted.", func(api *client.Client) error {
		return api.DeletePermission(ctx, c.Slug)
	})
}
