package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type directoryCommands struct {
	List   directoryList   `cmd:"" help:"List directories."`
	Get    directoryGet    `cmd:"" aliases:"show" help:"Show one."`
	Create directoryCreate `cmd:"" help:"Make one; address and token for the identity provider are shown, the token once."`
	Update directoryUpdate `cmd:"" help:"Change one."`
	Delete directoryDelete `cmd:"" help:"Delete one with everybody in it."`

	Preview  directoryPreview  `cmd:"" help:"List what would become of everybody in one: who is invited, linked, made a member or refused."`
	GoLive   directoryGoLive   `cmd:"" help:"Let members follow one that has only collected, after telling who is invited."`
	Progress directoryProgress `cmd:"" help:"Say how far members have come with what one says."`
	Brake    directoryBrake    `cmd:"" help:"Show or set the brake, which holds a burst of people who are shut out."`
	Holds    directoryHolds    `cmd:"" help:"List what the brake holds or has held."`
	Release  directoryRelease  `cmd:"" help:"Let what a hold holds follow at once."`
	Undo     directoryUndo     `cmd:"" help:"Let the people of a hold in again, until the directory writes them anew."`
}

func directoryColumns() []column[client.Directory] {
	type d = client.Directory
	return []column[d]{
		col("ID", func(x d) string { return x.ID }),
		col("NAME", func(x d) string { return x.Name }),
		wide("ORGANIZATION", func(x d) string { return x.OrganizationID }),
		col("TYPE", func(x d) string { return x.Type }),
		wide("PROVIDER", func(x d) string { return x.Provider }),
		col("STATE", func(x d) string { return x.State }),
		col("ACTIVE", func(x d) string { return strconv.Itoa(x.Metadata.Users.Active) }),
		col("INACTIVE", func(x d) string { return strconv.Itoa(x.Metadata.Users.Inactive) }),
		col("GROUPS", func(x d) string { return strconv.Itoa(x.Metadata.Groups) }),
		col("CREATED", func(x d) string { return ago(x.CreatedAt) }),
		wide("INACTIVE USERS", func(x d) string { return x.InactiveUsers }),
		wide("PROVISIONING", func(x d) string { return x.Provisioning }),
		wide("LIVE", func(x d) string { return yesNo(x.Live) }),
		wide("STRICT", func(x d) string { return yesNo(x.Strict) }),
		wide("SCIM ENDPOINT", func(x d) string { return x.SCIMEndpoint }),
		wide("BEARER TOKEN", func(x d) string { return x.BearerToken }),
	}
}

type directoryList struct {
	remote
	some

	Organization string `placeholder:"ID" help:"Those of one organization."`
	Search       string `placeholder:"TEXT" help:"Those with this in their name."`
}

// Run lists.
func (c *directoryList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Directories(ctx, client.DirectoryQuery{OrganizationID: c.Organization, Search: c.Search})
		return list(w, c.JSON, c.Limit, found, directoryColumns())
	})
}

type directoryGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *directoryGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Directory(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, directoryColumns())
	})
}

type directoryCreate struct {
	remote

	Organization  string `arg:"" help:"Id of the organization."`
	Name          string `arg:"" help:"Its name."`
	Type          string `default:"generic" placeholder:"TYPE" help:"okta, azure, onelogin, jump cloud, pingfederate, rippling, cyberark, sailpoint or generic, which is the default."`
	Provider      string `placeholder:"NAME" help:"The identity provider's entry in the catalogue, like entra-id."`
	Label         string `placeholder:"LABEL" help:"A word for the SCIM address in the place of the generated one."`
	InactiveUsers string `placeholder:"MODE" help:"kept (the default) or removed: how events show people who are deactivated."`
	Provisioning  string `placeholder:"MODE" help:"invite (the default), direct or existing_only."`
	Collect       bool   `help:"Only collect people and groups; members follow after \"directory go-live\"."`
	Strict        bool   `help:"Take no more than the standard says."`
	Extensions    string `placeholder:"FILE" type:"path" help:"JSON file with schema extensions."`
}

// Run makes one.
func (c *directoryCreate) Run(ctx context.Context, w world) error {
	extensions, err := readExtensions(c.Extensions)
	if err != nil {
		return err
	}
	var live *bool
	if c.Collect {
		live = new(false)
	}
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateDirectory(ctx, client.NewDirectory{
			OrganizationID: c.Organization, Name: c.Name, Type: fullType(c.Type), Provider: c.Provider, Label: c.Label,
			InactiveUsers: c.InactiveUsers, Provisioning: c.Provisioning, Live: live, Strict: c.Strict, Extensions: extensions,
		})
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, directoryColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "Give endpoint and token to the identity provider. The token is shown only this once; \"rollcall token create\" makes another.")
		return nil
	})
}

// readExtensions reads a file of schema extensions; nothing if none is named.
func readExtensions(path string) ([]byte, error) {
	extensions, err := readFile(path)
	if err == nil && len(extensions) > 0 && !json.Valid(extensions) {
		err = usageError(path + " is not JSON")
	}
	return extensions, err
}

// fullType completes the short form of a type.
func fullType(name string) string {
	if strings.Contains(name, "scim") {
		return name
	}
	switch name {
	case "entra", "entra-id":
		name = "azure"
	case "jumpcloud":
		name = "jump cloud"
	}
	return name + " scim v2.0"
}

type directoryUpdate struct {
	remote

	ID            string  `arg:"" help:"Its id."`
	Name          *string `placeholder:"NAME" help:"Its new name."`
	Provider      *string `placeholder:"NAME" help:"The identity provider's entry in the catalogue."`
	Label         *string `placeholder:"LABEL" help:"A word for the SCIM address; empty removes it."`
	InactiveUsers *string `placeholder:"MODE" help:"kept or removed."`
	Provisioning  *string `placeholder:"MODE" help:"invite, direct or existing_only."`
	Strict        *bool   `negatable:"" help:"Take no more than the standard says."`
	Extensions    string  `placeholder:"FILE" type:"path" help:"JSON file with schema extensions."`
}

// Run changes one.
func (c *directoryUpdate) Run(ctx context.Context, w world) error {
	extensions, err := readExtensions(c.Extensions)
	if err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.UpdateDirectory(ctx, c.ID, client.DirectoryChange{
			Name: c.Name, Label: c.Label, Provider: c.Provider, InactiveUsers: c.InactiveUsers, Provisioning: c.Provisioning,
			Strict: c.Strict, Extensions: extensions,
		})
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, directoryColumns())
	})
}

type directoryDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one, after the name of what goes was shown.
func (c *directoryDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Directory(ctx, c.ID)
		if err != nil {
			return err
		}
		n := found.Metadata.Users.Active + found.Metadata.Users.Inactive
		if err := c.ask(w, "Delete the directory %q with %d people and %d groups?", found.Name, n, found.Metadata.Groups); err != nil {
			return err
		}
		if err := api.DeleteDirectory(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type tokenCommands struct {
	List   tokenList   `cmd:"" help:"List a directory's tokens with their last use."`
	Create tokenCreate `cmd:"" help:"Make one; it is shown once. Two may live at once."`
	Revoke tokenRevoke `cmd:"" help:"End one at once."`
}

func tokenColumns() []column[client.Token] {
	type t = client.Token
	return []column[t]{
		col("ID", func(x t) string { return x.ID }),
		col("ENDS IN", func(x t) string { return x.Suffix }),
		col("CREATED", func(x t) string { return ago(x.CreatedAt) }),
		col("LAST USED", func(x t) string { return ago(x.LastUsedAt) }),
		col("REVOKED", func(x t) string { return ago(x.RevokedAt) }),
		wide("SCIM ENDPOINT", func(x t) string { return x.SCIMEndpoint }),
		wide("BEARER TOKEN", func(x t) string { return x.BearerToken }),
	}
}

type tokenList struct {
	remote
	some

	Directory string `arg:"" help:"Id of the directory."`
}

// Run lists.
func (c *tokenList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Tokens(ctx, c.Directory), tokenColumns())
	})
}

type tokenCreate struct {
	remote

	Directory string `arg:"" help:"Id of the directory."`
}

// Run makes one.
func (c *tokenCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateToken(ctx, c.Directory)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, tokenColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "The token is shown only this once; keep it.")
		return nil
	})
}

type tokenRevoke struct {
	remote
	certain

	Directory string `arg:"" help:"Id of the directory."`
	ID        string `arg:"" help:"Id of the token."`
}

// Run revokes one.
func (c *tokenRevoke) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Revoke %s? An identity provider that still uses it is refused at once.", c.ID); err != nil {
			return err
		}
		if err := api.RevokeToken(ctx, c.Directory, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is revoked.", c.ID)
		return nil
	})
}

type exchangeCommands struct {
	List exchangeList `cmd:"" help:"List what an identity provider has asked and what it did, newest first."`
}

func exchangeColumns() []column[client.Exchange] {
	type x = client.Exchange
	return []column[x]{
		col("AT", func(e x) string { return when(e.At) }),
		col("METHOD", func(e x) string { return e.Method }),
		col("PATH", func(e x) string { return e.Path }),
		col("STATUS", func(e x) string { return strconv.Itoa(e.Status) }),
		col("TOOK", func(e x) string { return fmt.Sprintf("%.1fms", e.Milliseconds) }),
		col("EFFECT", effect),
	}
}

// effect is what an exchange did, or why it was refused and what to do, in the server's words.
func effect(e client.Exchange) string {
	var told struct {
		Summary string `json:"summary"`
		Refusal struct {
			Advice string `json:"advice"`
		} `json:"refusal"`
	}
	if json.Unmarshal(e.Effect, &told) != nil {
		return ""
	}
	return strings.TrimSpace(told.Summary + " " + told.Refusal.Advice)
}

type exchangeList struct {
	remote
	few

	Directory string `arg:"" help:"Id of the directory."`
}

// Run lists.
func (c *exchangeList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Exchanges(ctx, c.Directory, pageFor(c.Limit)), exchangeColumns())
	})
}

// pageFor asks for no more than will be shown, and for one more to know whether there are more.
func pageFor(limit int) client.Listing {
	if limit > 0 && limit < 100 {
		return client.Listing{PageSize: limit + 1}
	}
	return client.Listing{}
}
