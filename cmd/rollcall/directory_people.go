package main

import (
	"context"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type directoryUserCommands struct {
	List  directoryUserList  `cmd:"" help:"List the people of a directory or a group."`
	Get   directoryUserGet   `cmd:"" aliases:"show" help:"Show one."`
	Erase directoryUserErase `cmd:"" help:"Remove a person from the directory and have their personal data erased."`
}

func directoryUserColumns() []column[client.DirectoryUser] {
	type u = client.DirectoryUser
	return []column[u]{
		col("ID", func(x u) string { return x.ID }),
		col("EMAIL", func(x u) string { return x.Email }),
		col("NAME", func(x u) string {
			if x.Name != "" {
				return x.Name
			}
			return strings.TrimSpace(x.FirstName + " " + x.LastName)
		}),
		col("STATE", func(x u) string { return x.State }),
		wide("USERNAME", func(x u) string { return x.Username }),
		wide("IDP ID", func(x u) string { return x.IdPID }),
		wide("DIRECTORY", func(x u) string { return x.DirectoryID }),
		wide("ORGANIZATION", func(x u) string { return x.OrganizationID }),
		col("GROUPS", func(x u) string { return groupNames(x.Groups) }),
		wide("ATTRIBUTES", func(x u) string { return string(x.CustomAttributes) }),
		wide("CREATED", func(x u) string { return when(x.CreatedAt) }),
		col("UPDATED", func(x u) string { return ago(x.UpdatedAt) }),
	}
}

func groupNames(groups []client.DirectoryGroup) string {
	const enough = 3
	var names []string
	for i, g := range groups {
		if i == enough {
			names = append(names, "…")
			break
		}
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}

type directoryUserList struct {
	remote
	some

	Directory string `placeholder:"ID" help:"Of this directory."`
	Group     string `placeholder:"ID" help:"Of this group."`
	Email     string `placeholder:"ADDRESS" help:"Those with this address."`
	IdPID     string `name:"idp-id" placeholder:"ID" help:"The one with this id at the identity provider."`
}

// Run lists.
func (c *directoryUserList) Run(ctx context.Context, w world) error {
	if c.Directory == "" && c.Group == "" {
		return usageError("whose people? Give --directory or --group; \"rollcall directory list\" shows the directories")
	}
	return c.call(w, func(api *client.Client) error {
		found := api.DirectoryUsers(ctx, client.DirectoryUserQuery{DirectoryID: c.Directory, GroupID: c.Group, Email: c.Email, IdPID: c.IdPID})
		return list(w, c.JSON, c.Limit, found, directoryUserColumns())
	})
}

type directoryUserGet struct {
	remote

	ID string `arg:"" help:"Their id."`
}

// Run shows one.
func (c *directoryUserGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.DirectoryUser(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, directoryUserColumns())
	})
}

type directoryUserErase struct {
	remote
	certain

	ID string `arg:"" help:"Their id."`
}

// Run erases, after it was shown whom.
func (c *directoryUserErase) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.DirectoryUser(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Erase %s? This cannot be undone.", orDash(found.Email)); err != nil {
			return err
		}
		if err := api.EraseDirectoryUser(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is removed from the directory; personal data is being erased.", c.ID)
		return nil
	})
}

type directoryGroupCommands struct {
	List directoryGroupList `cmd:"" help:"List the groups of a directory or a person."`
	Get  directoryGroupGet  `cmd:"" aliases:"show" help:"Show one."`
}

func directoryGroupColumns() []column[client.DirectoryGroup] {
	type g = client.DirectoryGroup
	return []column[g]{
		col("ID", func(x g) string { return x.ID }),
		col("NAME", func(x g) string { return x.Name }),
		col("IDP ID", func(x g) string { return x.IdPID }),
		wide("DIRECTORY", func(x g) string { return x.DirectoryID }),
		wide("ORGANIZATION", func(x g) string { return x.OrganizationID }),
		wide("CREATED", func(x g) string { return when(x.CreatedAt) }),
		col("UPDATED", func(x g) string { return ago(x.UpdatedAt) }),
	}
}

type directoryGroupList struct {
	remote
	some

	Directory string `placeholder:"ID" help:"Of this directory."`
	User      string `placeholder:"ID" help:"Of this person."`
}

// Run lists.
func (c *directoryGroupList) Run(ctx context.Context, w world) error {
	if c.Directory == "" && c.User == "" {
		return usageError("whose groups? Give --directory or --user; \"rollcall directory list\" shows the directories")
	}
	return c.call(w, func(api *client.Client) error {
		found := api.DirectoryGroups(ctx, client.DirectoryGroupQuery{DirectoryID: c.Directory, UserID: c.User})
		return list(w, c.JSON, c.Limit, found, directoryGroupColumns())
	})
}

type directoryGroupGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *directoryGroupGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.DirectoryGroup(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, directoryGroupColumns())
	})
}
