package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rollcallhq/rollcall/client"
)

type memberCommands struct {
	List       memberList       `cmd:"" help:"List who is in an organization, or where a person is a member."`
	Get        memberGet        `cmd:"" aliases:"show" help:"Show one."`
	Why        memberWhy        `cmd:"" help:"Say in a sentence why somebody is in or out, with the directory's name."`
	Add        memberAdd        `cmd:"" help:"Make somebody with an account a member at once."`
	Update     memberUpdate     `cmd:"" help:"Give a role or a licence. What a mapping gives is refused, by the directory's name."`
	Deactivate memberDeactivate `cmd:"" help:"Block one, whatever a directory says, until \"reactivate\". Sessions end at once."`
	Reactivate memberReactivate `cmd:"" help:"Lift a block. Whom a directory shuts out only a directory lets in again."`
	Remove     memberRemove     `cmd:"" help:"Remove one from the organization; the account stays."`
}

func memberColumns() []column[client.OrganizationMembership] {
	type m = client.OrganizationMembership
	return []column[m]{
		col("ID", func(x m) string { return x.ID }),
		wide("USER", func(x m) string { return x.UserID }),
		wide("ORGANIZATION", func(x m) string { return x.OrganizationID }),
		col("EMAIL", func(x m) string { return x.User.Email }),
		col("NAME", func(x m) string { return x.User.Name }),
		col("STATUS", func(x m) string { return x.Status }),
		col("WHY", func(x m) string { return x.Why }),
		col("KIND", memberKind),
		col("ROLE", func(x m) string { return x.Role.Slug }),
		col("LICENCE", licenceOf),
		wide("DIRECTORY USER", func(x m) string { return x.DirectoryUserID }),
		wide("ATTRIBUTES", func(x m) string { return unlessEmpty(string(x.CustomAttributes)) }),
		col("JOINED", func(x m) string { return ago(x.JoinedAt) }),
		wide("CREATED", func(x m) string { return when(x.CreatedAt) }),
		wide("UPDATED", func(x m) string { return when(x.UpdatedAt) }),
	}
}

func memberKind(m client.OrganizationMembership) string {
	if m.Primary {
		return "primary"
	}
	return "guest"
}

// licenceOf shows the licence that is held, or the one that no seat was left of.
func licenceOf(m client.OrganizationMembership) string {
	if m.Licence == "" && m.WantedLicence != "" {
		return m.WantedLicence + " (no seat)"
	}
	return m.Licence
}

func unlessEmpty(object string) string {
	if object == "{}" {
		return ""
	}
	return object
}

// nameOf is what people know a member by.
func nameOf(m client.OrganizationMembership) string {
	switch {
	case m.User.Name != "" && m.User.Email != "":
		return fmt.Sprintf("%s (%s)", m.User.Name, m.User.Email)
	case m.User.Email != "":
		return m.User.Email
	}
	return m.ID
}

type memberList struct {
	remote
	some

	Organization string   `placeholder:"ID" help:"Of this organization."`
	User         string   `placeholder:"ID" help:"Of this account."`
	Status       []string `placeholder:"STATUS" help:"active, pending, inactive, removed. Without it all but removed."`
}

// Run lists.
func (c *memberList) Run(ctx context.Context, w world) error {
	if c.Organization == "" && c.User == "" {
		return usageError("whose memberships? Give --organization or --user; \"rollcall organization list\" shows the organizations")
	}
	if len(c.Status) == 0 {
		c.Status = []string{"active", "pending", "inactive"}
	}
	return c.call(w, func(api *client.Client) error {
		found := api.OrganizationMemberships(ctx, client.MembershipQuery{OrganizationID: c.Organization, UserID: c.User, Statuses: c.Status})
		return list(w, c.JSON, c.Limit, found, memberColumns())
	})
}

// membership finds one, and says of one that is not there how those who were removed are found.
func membership(ctx context.Context, api *client.Client, id string) (client.OrganizationMembership, error) {
	found, err := api.OrganizationMembership(ctx, id)
	if client.Status(err) == http.StatusNotFound {
		err = hinted{err, "Somebody who was removed is shown by \"rollcall member list --organization ID --status removed\"."}
	}
	return found, err
}

type memberGet struct {
	remote

	ID string `arg:"" help:"Id of the membership."`
}

// Run shows one.
func (c *memberGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) { return membership(ctx, api, c.ID) })
}

type memberAdd struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	User         string `arg:"" help:"Id of the account: user_…."`
	Role         string `placeholder:"SLUG" help:"The role; member unless told."`
	Licence      string `placeholder:"SLUG" help:"The licence type."`
}

// Run adds one.
func (c *memberAdd) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) {
		return api.CreateOrganizationMembership(ctx, client.NewMembership{OrganizationID: c.Organization, UserID: c.User, Role: c.Role, Licence: c.Licence})
	})
}

type memberUpdate struct {
	remote

	ID      string  `arg:"" help:"Id of the membership."`
	Role    *string `placeholder:"SLUG" help:"The role."`
	Licence *string `placeholder:"SLUG" help:"The licence type; empty takes it away."`
}

// Run gives what is named.
func (c *memberUpdate) Run(ctx context.Context, w world) error {
	if c.Role == nil && c.Licence == nil {
		return usageError("give what? --role or --licence; \"rollcall role list\" and \"rollcall licence list\" show what there is")
	}
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) {
		return api.UpdateOrganizationMembership(ctx, c.ID, client.MembershipChange{Role: c.Role, Licence: c.Licence})
	})
}

type memberDeactivate struct {
	remote
	certain

	ID string `arg:"" help:"Id of the membership."`
}

// Run blocks one, after it was shown whom.
func (c *memberDeactivate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) {
		found, err := membership(ctx, api, c.ID)
		if err != nil {
			return found, err
		}
		if err := c.ask(w, "Block %s in %s and end their sessions there?", printable(nameOf(found)), found.OrganizationID); err != nil {
			return found, err
		}
		return api.DeactivateOrganizationMembership(ctx, c.ID)
	})
}

type memberReactivate struct {
	remote

	ID string `arg:"" help:"Id of the membership."`
}

// Run lifts a block.
func (c *memberReactivate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) {
		return api.ReactivateOrganizationMembership(ctx, c.ID)
	})
}

type memberRemove struct {
	remote
	certain

	ID string `arg:"" help:"Id of the membership."`
}

// Run removes one, after it was shown whom.
func (c *memberRemove) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := membership(ctx, api, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Remove %s from %s?", printable(nameOf(found)), found.OrganizationID); err != nil {
			return err
		}
		if err := api.DeleteOrganizationMembership(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is removed; the account stays.", printable(nameOf(found)))
		return nil
	})
}
