package main

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/client"
)

type userCommands struct {
	List       userList       `cmd:"" help:"List accounts."`
	Get        userGet        `cmd:"" aliases:"show" help:"Show one."`
	Create     userCreate     `cmd:"" help:"Make one, a member of no organization yet."`
	Update     userUpdate     `cmd:"" help:"Change one. What a directory manages is refused, by its name."`
	Delete     userDelete     `cmd:"" help:"Delete one with its memberships: all access ends at once, personal data is erased."`
	Identities userIdentities `cmd:"" help:"Show who a person is at the identity providers."`
}

func userColumns() []column[client.User] {
	type u = client.User
	return []column[u]{
		col("ID", func(x u) string { return x.ID }),
		col("EMAIL", emailOf),
		col("NAME", func(x u) string { return x.Name }),
		wide("PICTURE", func(x u) string { return x.ProfilePictureURL }),
		wide("LOCALE", func(x u) string { return x.Locale }),
		col("EXTERNAL ID", func(x u) string { return x.ExternalID }),
		wide("METADATA", func(x u) string { return pairs(x.Metadata) }),
		col("LAST SIGN-IN", func(x u) string { return ago(x.LastSignInAt) }),
		col("CREATED", func(x u) string { return ago(x.CreatedAt) }),
		wide("UPDATED", func(x u) string { return when(x.UpdatedAt) }),
	}
}

// emailOf marks an address that nobody has proven.
func emailOf(u client.User) string {
	if u.Email != "" && !u.EmailVerified {
		return u.Email + " (not verified)"
	}
	return u.Email
}

type userList struct {
	remote
	some

	Organization string `placeholder:"ID" help:"Those with a membership in one organization."`
	Email        string `placeholder:"ADDRESS" help:"The one with this address."`
}

// Run lists.
func (c *userList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Users(ctx, client.UserQuery{OrganizationID: c.Organization, Email: c.Email}), userColumns())
	})
}

type userGet struct {
	remote

	ID       string `arg:"" help:"Its id, or with --external the app's own."`
	External bool   `help:"ID is the external id."`
}

// Run shows one.
func (c *userGet) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, userColumns(), func(api *client.Client) (client.User, error) {
		if c.External {
			return api.UserByExternalID(ctx, c.ID)
		}
		return api.User(ctx, c.ID)
	})
}

type userCreate struct {
	remote

	Email      string            `arg:"" help:"The address."`
	Verified   bool              `help:"You vouch for the address."`
	FirstName  string            `placeholder:"NAME" help:"First name."`
	LastName   string            `placeholder:"NAME" help:"Last name."`
	Locale     string            `placeholder:"TAG" help:"Language of mails, like de-AT."`
	ExternalID string            `placeholder:"ID" help:"The app's own id of the person."`
	Metadata   map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Whatever the app wants to find there again."`
}

// Run makes one.
func (c *userCreate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, userColumns(), func(api *client.Client) (client.User, error) {
		return api.CreateUser(ctx, client.NewUser{
			Email: c.Email, EmailVerified: c.Verified, FirstName: c.FirstName, LastName: c.LastName, Locale: c.Locale, ExternalID: c.ExternalID, Metadata: c.Metadata,
		})
	})
}

type userUpdate struct {
	remote

	ID             string            `arg:"" help:"Its id."`
	Email          *string           `placeholder:"ADDRESS" help:"Another address, proven no more unless --verified."`
	Verified       *bool             `negatable:"" help:"You vouch for the address."`
	FirstName      *string           `placeholder:"NAME" help:"First name."`
	LastName       *string           `placeholder:"NAME" help:"Last name."`
	Locale         *string           `placeholder:"TAG" help:"Language of mails; empty removes it."`
	ExternalID     *string           `placeholder:"ID" help:"The app's own id of the person; empty removes it."`
	Metadata       map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Added to what is there."`
	RemoveMetadata []string          `placeholder:"KEY" help:"Keys to be removed."`
}

// Run changes one.
func (c *userUpdate) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, userColumns(), func(api *client.Client) (client.User, error) {
		return api.UpdateUser(ctx, c.ID, client.UserChange{
			Email: c.Email, EmailVerified: c.Verified, FirstName: c.FirstName, LastName: c.LastName, Locale: c.Locale, ExternalID: c.ExternalID,
			Metadata: metadataChange(c.Metadata, c.RemoveMetadata),
		})
	})
}

type userDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one, after it was shown whom.
func (c *userDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.User(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the account of %s with all memberships? This cannot be undone.", orDash(found.Email)); err != nil {
			return err
		}
		if err := api.DeleteUser(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted; personal data is being erased.", c.ID)
		return nil
	})
}

type userIdentities struct {
	remote
	some

	ID string `arg:"" help:"Id of the account."`
}

// Run lists.
func (c *userIdentities) Run(ctx context.Context, w world) error {
	type i = client.SSOIdentity
	return c.call(w, func(api *client.Client) error {
		found, err := api.SSOIdentities(ctx, c.ID)
		if err != nil {
			return err
		}
		return list(w, c.JSON, c.Limit, all(found), []column[i]{
			col("CONNECTION", func(x i) string { return x.ConnectionID }),
			col("ORGANIZATION", func(x i) string { return x.OrganizationID }),
			col("IDP ID", func(x i) string { return x.IdPID }),
			col("FOUND BY", func(x i) string { return x.LinkedBy }),
			col("SINCE", func(x i) string { return ago(x.CreatedAt) }),
			col("LAST USED", func(x i) string { return ago(x.LastUsedAt) }),
		})
	})
}

type sessionCommands struct {
	List   sessionList   `cmd:"" help:"List where a person is signed in, and was."`
	Revoke sessionRevoke `cmd:"" help:"End one at once, or all of a person."`
}

func sessionColumns() []column[client.Session] {
	type s = client.Session
	return []column[s]{
		col("ID", func(x s) string { return x.ID }),
		col("STATUS", func(x s) string { return x.Status }),
		col("ORGANIZATION", func(x s) string { return x.OrganizationID }),
		col("BY", func(x s) string { return x.AuthMethod }),
		col("FROM", func(x s) string { return x.IPAddress }),
		col("BEGAN", func(x s) string { return ago(x.CreatedAt) }),
		col("LAST SEEN", func(x s) string { return ago(x.UpdatedAt) }),
		col("ENDS", func(x s) string {
			if !x.EndedAt.IsZero() {
				return when(x.EndedAt)
			}
			return when(x.ExpiresAt)
		}),
		col("BROWSER", func(x s) string { return x.UserAgent }),
	}
}

type sessionList struct {
	remote
	few

	User   string `arg:"" help:"Id of the account."`
	Active bool   `help:"Only those that have not ended."`
}

// Run lists.
func (c *sessionList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Sessions(ctx, c.User, pageFor(c.Limit))
		if c.Active {
			found = only(found, func(s client.Session) bool { return s.Status == "active" })
		}
		return list(w, c.JSON, c.Limit, found, sessionColumns())
	})
}

type sessionRevoke struct {
	remote
	certain

	ID   string `arg:"" optional:"" help:"Id of the session."`
	User string `placeholder:"ID" help:"All of this account, in every organization, instead."`
}

// Run ends what is named.
func (c *sessionRevoke) Run(ctx context.Context, w world) error {
	if (c.ID == "") == (c.User == "") {
		return usageError("which sessions? Give the id of one, or --user; \"rollcall session list\" shows those of a person")
	}
	if c.ID != "" {
		return c.takeAway(w, c.certain, fmt.Sprintf("Sign the browser of %s out at once?", c.ID), c.ID+" has ended.", func(api *client.Client) error {
			return api.RevokeSession(ctx, c.ID)
		})
	}
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Sign %s out everywhere at once?", c.User); err != nil {
			return err
		}
		n, err := api.RevokeSessions(ctx, c.User)
		if err != nil {
			return err
		}
		w.done(c.JSON, "%s ended.", count(n, "session has", "sessions have"))
		return nil
	})
}
