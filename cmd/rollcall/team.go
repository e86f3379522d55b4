package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rollcallhq/rollcall/client"
)

type teamCommands struct {
	List    teamList    `cmd:"" help:"List an organization's teams."`
	Get     teamGet     `cmd:"" aliases:"show" help:"Show one."`
	Create  teamCreate  `cmd:"" help:"Make one, with nobody in it."`
	Update  teamUpdate  `cmd:"" help:"Change one. One that follows a directory group is refused, by the directory's name."`
	Delete  teamDelete  `cmd:"" help:"Delete one; its people stay members."`
	Members teamMembers `cmd:"" help:"List who is in a team."`
	Add     teamAdd     `cmd:"" help:"Put a member into a team."`
	Remove  teamRemove  `cmd:"" help:"Take a member out of a team."`
}

func teamColumns() []column[client.Team] {
	type t = client.Team
	return []column[t]{
		col("ID", func(x t) string { return x.ID }),
		wide("ORGANIZATION", func(x t) string { return x.OrganizationID }),
		col("NAME", func(x t) string { return x.Name }),
		col("DESCRIPTION", func(x t) string { return x.Description }),
		col("FOLLOWS", func(x t) string { return x.DirectoryGroupID }),
		wide("DIRECTORY", func(x t) string { return x.DirectoryID }),
		col("CREATED", func(x t) string { return ago(x.CreatedAt) }),
		wide("UPDATED", func(x t) string { return when(x.UpdatedAt) }),
	}
}

// ofTeam names a team.
type ofTeam struct {
	Organization string `arg:"" help:"Id of the organization."`
	ID           string `arg:"" help:"Id of the team: group_…."`
}

type teamList struct {
	remote
	some

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *teamList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Teams(ctx, c.Organization, client.Listing{}), teamColumns())
	})
}

type teamGet struct {
	remote
	ofTeam
}

// Run shows one.
func (c *teamGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, teamColumns(), func(api *client.Client) (client.Team, error) { return api.Team(ctx, c.Organization, c.ID) })
}

type teamCreate struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	Name         string `arg:"" help:"Its name."`
	Description  string `placeholder:"TEXT" help:"What it is for."`
}

// Run makes one.
func (c *teamCreate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, teamColumns(), func(api *client.Client) (client.Team, error) {
		return api.CreateTeam(ctx, c.Organization, client.NewTeam{Name: c.Name, Description: c.Description})
	})
}

type teamUpdate struct {
	remote
	ofTeam

	Name        *string `placeholder:"NAME" help:"Its new name."`
	Description *string `placeholder:"TEXT" help:"What it is for; empty removes it."`
}

// Run changes one.
func (c *teamUpdate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, teamColumns(), func(api *client.Client) (client.Team, error) {
		return api.UpdateTeam(ctx, c.Organization, c.ID, client.NameChange{Name: c.Name, Description: c.Description})
	})
}

type teamDelete struct {
	remote
	certain
	ofTeam
}

// Run deletes one, after its name was shown.
func (c *teamDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Team(ctx, c.Organization, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the team %q? Its people stay members.", found.Name); err != nil {
			return err
		}
		if err := api.DeleteTeam(ctx, c.Organization, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type teamMembers struct {
	remote
	some
	ofTeam
}

// Run lists.
func (c *teamMembers) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.TeamMembers(ctx, c.Organization, c.ID, client.Listing{}), memberColumns())
	})
}

type teamAdd struct {
	remote
	ofTeam

	Member string `arg:"" help:"Id of the membership: om_…."`
}

// Run puts somebody in.
func (c *teamAdd) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.AddTeamMember(ctx, c.Organization, c.ID, c.Member)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(w.stdout, found)
		}
		w.note("%s is in the team %q.", c.Member, found.Name)
		return nil
	})
}

type teamRemove struct {
	remote
	certain
	ofTeam

	Member string `arg:"" help:"Id of the membership: om_…."`
}

// Run takes somebody out.
func (c *teamRemove) Run(ctx context.Context, w world) error {
	question := fmt.Sprintf("Take %s out of the team %s?", c.Member, c.ID)
	return c.takeAway(w, c.certain, question, c.Member+" is out of the team.", func(api *client.Client) error {
		return api.RemoveTeamMember(ctx, c.Organization, c.ID, c.Member)
	})
}

type licenceCommands struct {
	List    licenceList    `cmd:"" help:"List an organization's licence types, with their use."`
	Get     licenceGet     `cmd:"" aliases:"show" help:"Show one."`
	Create  licenceCreate  `cmd:"" help:"Make one."`
	Update  licenceUpdate  `cmd:"" help:"Change one: its seats, for one."`
	Delete  licenceDelete  `cmd:"" help:"Delete one that nobody holds."`
	Assign  licenceAssign  `cmd:"" help:"Give a member a licence."`
	Release licenceRelease `cmd:"" help:"Take a member's licence away."`
}

func licenceColumns() []column[client.LicenceType] {
	type l = client.LicenceType
	return []column[l]{
		col("SLUG", func(x l) string { return x.Slug }),
		wide("ID", func(x l) string { return x.ID }),
		wide("ORGANIZATION", func(x l) string { return x.OrganizationID }),
		col("NAME", func(x l) string { return x.Name }),
		col("USED", func(x l) string { return strconv.Itoa(x.Used) }),
		col("SEATS", func(x l) string {
			if x.Seats == nil {
				return "unlimited"
			}
			return strconv.Itoa(*x.Seats)
		}),
		col("WHEN FULL", func(x l) string { return x.OverLimit }),
		col("CREATED", func(x l) string { return ago(x.CreatedAt) }),
		wide("UPDATED", func(x l) string { return when(x.UpdatedAt) }),
	}
}

// ofLicence names a licence type.
type ofLicence struct {
	Organization string `arg:"" help:"Id of the organization."`
	Slug         string `arg:"" help:"Slug of the licence type."`
}

type licenceList struct {
	remote
	some

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *licenceList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.LicenceTypes(ctx, c.Organization), licenceColumns())
	})
}

type licenceGet struct {
	remote
	ofLicence
}

// Run shows one.
func (c *licenceGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, licenceColumns(), func(api *client.Client) (client.LicenceType, error) {
		return api.LicenceType(ctx, c.Organization, c.Slug)
	})
}

type licenceCreate struct {
	remote
	ofLicence

	Name     string `arg:"" help:"Its name, for people."`
	Seats    *int   `placeholder:"N" help:"How many may hold it. Without it: as many as are wanted."`
	WhenFull string `placeholder:"WHAT" help:"What becomes of somebody for whom no seat is left: admit (in, without it; the default) or refuse (not in)."`
}

// Run makes one.
func (c *licenceCreate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, licenceColumns(), func(api *client.Client) (client.LicenceType, error) {
		return api.CreateLicenceType(ctx, c.Organization, client.NewLicenceType{Slug: c.Slug, Name: c.Name, Seats: c.Seats, OverLimit: c.WhenFull})
	})
}

type licenceUpdate struct {
	remote
	ofLicence

	Name      *string `placeholder:"NAME" help:"Its new name."`
	Seats     *int    `placeholder:"N" xor:"seats" help:"How many may hold it. Fewer than do take none away."`
	Unlimited bool    `xor:"seats" help:"As many as are wanted."`
	WhenFull  *string `placeholder:"WHAT" help:"What becomes of somebody for whom no seat is left: admit or refuse."`
}

// Run changes one.
func (c *licenceUpdate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, licenceColumns(), func(api *client.Client) (client.LicenceType, error) {
		return api.UpdateLicenceType(ctx, c.Organization, c.Slug, client.LicenceTypeChange{Name: c.Name, Seats: c.Seats, Unlimited: c.Unlimited, OverLimit: c.WhenFull})
	})
}

type licenceDelete struct {
	remote
	certain
	ofLicence
}

// Run deletes one.
func (c *licenceDelete) Run(ctx context.Context, w world) error {
	return c.takeAway(w, c.certain, fmt.Sprintf("Delete the licence type %q?", c.Slug), c.Slug+" is deleted.", func(api *client.Client) error {
		return api.DeleteLicenceType(ctx, c.Organization, c.Slug)
	})
}

type licenceAssign struct {
	remote

	Member string `arg:"" help:"Id of the membership: om_…."`
	Slug   string `arg:"" help:"Slug of the licence type."`
}

// Run gives it, and says where no seat was left.
func (c *licenceAssign) Run(ctx context.Context, w world) error {
	if c.Slug == "" {
		return usageError("which licence? \"rollcall licence list\" shows what there is; \"rollcall licence release\" takes one away")
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.UpdateOrganizationMembership(ctx, c.Member, client.MembershipChange{Licence: &c.Slug})
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, changed, memberColumns()); err != nil {
			return err
		}
		if changed.Licence != c.Slug {
			w.done(c.JSON, "No seat was left, so it is not held; \"rollcall licence update\" makes room.")
		}
		return nil
	})
}

type licenceRelease struct {
	remote
	certain

	Member string `arg:"" help:"Id of the membership: om_…."`
}

// Run takes it away.
func (c *licenceRelease) Run(ctx context.Context, w world) error {
	none := ""
	return answered(c.remote, w, memberColumns(), func(api *client.Client) (client.OrganizationMembership, error) {
		if err := c.ask(w, "Take the licence from %s?", c.Member); err != nil {
			return client.OrganizationMembership{}, err
		}
		return api.UpdateOrganizationMembership(ctx, c.Member, client.MembershipChange{Licence: &none})
	})
}
