package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type invitationCommands struct {
	List   invitationList   `cmd:"" help:"List invitations."`
	Get    invitationGet    `cmd:"" aliases:"show" help:"Show one with the link."`
	Send   invitationSend   `cmd:"" help:"Invite somebody: a mail goes to them, and a membership waits."`
	Accept invitationAccept `cmd:"" help:"Accept one on your word that the person wants in."`
	Resend invitationResend `cmd:"" help:"Mail one again."`
	Revoke invitationRevoke `cmd:"" help:"Take one back: its link is dead at once, and the membership that waits goes."`
}

func invitationColumns() []column[client.Invitation] {
	type i = client.Invitation
	return []column[i]{
		col("ID", func(x i) string { return x.ID }),
		col("EMAIL", func(x i) string { return x.Email }),
		col("STATE", func(x i) string { return x.State }),
		col("ORGANIZATION", func(x i) string { return x.OrganizationID }),
		col("ROLE", func(x i) string { return x.Role }),
		wide("TEAMS", func(x i) string { return strings.Join(x.TeamIDs, ", ") }),
		wide("LICENCE", func(x i) string { return x.Licence }),
		wide("DIRECTORY", func(x i) string { return x.DirectoryID }),
		wide("INVITED BY", func(x i) string { return x.InviterUserID }),
		wide("ACCEPTED BY", func(x i) string { return x.AcceptedUserID }),
		wide("ACCEPTED", func(x i) string { return when(x.AcceptedAt) }),
		wide("REVOKED", func(x i) string { return when(x.RevokedAt) }),
		wide("LINK", func(x i) string { return x.AcceptURL }),
		col("EXPIRES", func(x i) string { return when(x.ExpiresAt) }),
		col("CREATED", func(x i) string { return ago(x.CreatedAt) }),
	}
}

type invitationList struct {
	remote
	some

	Organization string `placeholder:"ID" help:"Those into one organization."`
	Email        string `placeholder:"ADDRESS" help:"Those to this address."`
	State        string `placeholder:"STATE" help:"Those in this state: pending, accepted, expired, revoked."`
}

// Run lists.
func (c *invitationList) Run(ctx context.Context, w world) error {
	if err := oneOf("--state", c.State, "pending", "accepted", "expired", "revoked"); err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		q := client.InvitationQuery{OrganizationID: c.Organization, Email: c.Email}
		if c.State != "" {
			q.States = []string{c.State}
		}
		return list(w, c.JSON, c.Limit, api.Invitations(ctx, q), invitationColumns())
	})
}

type invitationGet struct {
	remote

	ID    string `arg:"" help:"Its id, or with --token the token of its link."`
	Token bool   `help:"ID is the token at the end of the link."`
}

// Run shows one.
func (c *invitationGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, invitationColumns(), func(api *client.Client) (client.Invitation, error) {
		if c.Token {
			return api.InvitationByToken(ctx, c.ID)
		}
		return api.Invitation(ctx, c.ID)
	})
}

type invitationSend struct {
	remote

	Email        string   `arg:"" help:"Who is invited."`
	Organization string   `placeholder:"ID" help:"Into which organization. Without it: to the app alone."`
	Role         string   `placeholder:"SLUG" help:"The role that they get; member unless told."`
	Team         []string `placeholder:"ID" help:"Teams that they come into."`
	Licence      string   `placeholder:"SLUG" help:"The licence type that they get."`
	Days         int      `placeholder:"N" help:"For how many days the link is good: 1 to 30; 7 unless told."`
	Inviter      string   `placeholder:"ID" help:"The account that invites; the mail names it."`
	Locale       string   `placeholder:"TAG" help:"Language of the mail, like de-AT."`
}

// Run sends one.
func (c *invitationSend) Run(ctx context.Context, w world) error {
	if c.Days < 0 || c.Days > 30 {
		return usageError("--days is a number from 1 to 30")
	}
	return c.mailed(w, func(api *client.Client) (client.Invitation, error) {
		return api.SendInvitation(ctx, client.NewInvitation{
			Email: c.Email, OrganizationID: c.Organization, Role: c.Role, TeamIDs: c.Team, Licence: c.Licence, ExpiresInDays: c.Days, InviterUserID: c.Inviter, Locale: c.Locale,
		})
	})
}

// mailed shows an invitation and whether it really is under way.
func (r remote) mailed(w world, act func(*client.Client) (client.Invitation, error)) error {
	return r.call(w, func(api *client.Client) error {
		made, err := act(api)
		if err != nil {
			return err
		}
		if err := one(w, r.JSON, made, invitationColumns()); err != nil {
			return err
		}
		if made.Warning != "" {
			w.done(r.JSON, "No mail server is set (--smtp-url), so nothing is mailed: give the link to the person yourself.")
			return nil
		}
		w.done(r.JSON, "A mail to %s is under way.", printable(made.Email))
		return nil
	})
}

type invitationAccept struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run accepts one.
func (c *invitationAccept) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, invitationColumns(), func(api *client.Client) (client.Invitation, error) { return api.AcceptInvitation(ctx, c.ID) })
}

type invitationResend struct {
	remote

	ID     string `arg:"" help:"Its id."`
	Locale string `placeholder:"TAG" help:"Language of the mail; as before unless told."`
}

// Run mails one again.
func (c *invitationResend) Run(ctx context.Context, w world) error {
	return c.mailed(w, func(api *client.Client) (client.Invitation, error) { return api.ResendInvitation(ctx, c.ID, c.Locale) })
}

type invitationRevoke struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run takes one back.
func (c *invitationRevoke) Run(ctx context.Context, w world) error {
	return c.takeAway(w, c.certain, fmt.Sprintf("Take the invitation %s back?", c.ID), c.ID+" is taken back.", func(api *client.Client) error {
		_, err := api.RevokeInvitation(ctx, c.ID)
		return err
	})
}
