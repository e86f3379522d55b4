package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type organizationCommands struct {
	List     organizationList     `cmd:"" help:"List organizations."`
	Get      organizationGet      `cmd:"" aliases:"show" help:"Show one."`
	Create   organizationCreate   `cmd:"" help:"Make one."`
	Update   organizationUpdate   `cmd:"" help:"Change one."`
	Delete   organizationDelete   `cmd:"" help:"Delete one: all access through it ends at once, its personal data is erased."`
	Features organizationFeatures `cmd:"" help:"Show or switch what an organization may use."`
	Switch   switchCommands       `cmd:"" help:"Switch its identity provider for another, with its people in place."`
}

func organizationColumns() []column[client.Organization] {
	type o = client.Organization
	return []column[o]{
		col("ID", func(x o) string { return x.ID }),
		col("NAME", func(x o) string { return x.Name }),
		col("EXTERNAL ID", func(x o) string { return x.ExternalID }),
		col("DOMAINS", func(x o) string { return domainNames(x.Domains) }),
		wide("METADATA", func(x o) string { return pairs(x.Metadata) }),
		col("CREATED", func(x o) string { return ago(x.CreatedAt) }),
		wide("UPDATED", func(x o) string { return when(x.UpdatedAt) }),
	}
}

// domainNames marks those that are not verified.
func domainNames(domains []client.Domain) string {
	names := make([]string, len(domains))
	for i, d := range domains {
		names[i] = d.Domain
		if d.State != "verified" {
			names[i] += " (" + d.State + ")"
		}
	}
	return strings.Join(names, ", ")
}

func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ", ")
}

type organizationList struct {
	remote
	some

	Search string   `placeholder:"TEXT" help:"Those with this in their name."`
	Domain []string `placeholder:"DOMAIN" help:"Those that have one of these domains."`
}

// Run lists.
func (c *organizationList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Organizations(ctx, client.OrganizationQuery{Search: c.Search, Domains: c.Domain})
		return list(w, c.JSON, c.Limit, found, organizationColumns())
	})
}

type organizationGet struct {
	remote

	ID       string `arg:"" help:"Its id, or with --external the app's own."`
	External bool   `help:"ID is the external id."`
}

// Run shows one.
func (c *organizationGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		find := api.Organization
		if c.External {
			find = api.OrganizationByExternalID
		}
		found, err := find(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, organizationColumns())
	})
}

type organizationCreate struct {
	remote

	Name           string            `arg:"" help:"Its name."`
	ExternalID     string            `placeholder:"ID" help:"The app's own id of it."`
	Domain         []string          `placeholder:"DOMAIN" help:"Email domains, to be verified."`
	VerifiedDomain []string          `placeholder:"DOMAIN" help:"Email domains that you vouch for."`
	Metadata       map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Whatever the app wants to find there again."`
}

// Run makes one.
func (c *organizationCreate) Run(ctx context.Context, w world) error {
	n := client.NewOrganization{Name: c.Name, ExternalID: c.ExternalID, Metadata: c.Metadata}
	for _, d := range c.Domain {
		n.Domains = append(n.Domains, client.DomainData{Domain: d, State: "pending"})
	}
	for _, d := range c.VerifiedDomain {
		n.Domains = append(n.Domains, client.DomainData{Domain: d, State: "verified"})
	}
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateOrganization(ctx, n)
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, organizationColumns())
	})
}

type organizationUpdate struct {
	remote

	ID             string            `arg:"" help:"Its id."`
	Name           *string           `placeholder:"NAME" help:"Its new name."`
	ExternalID     *string           `placeholder:"ID" help:"The app's own id of it; empty removes it."`
	Metadata       map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Added to what is there."`
	RemoveMetadata []string          `placeholder:"KEY" help:"Keys to be removed."`
}

// Run changes one.
func (c *organizationUpdate) Run(ctx context.Context, w world) error {
	change := client.OrganizationChange{Name: c.Name, ExternalID: c.ExternalID, Metadata: metadataChange(c.Metadata, c.RemoveMetadata)}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.UpdateOrganization(ctx, c.ID, change)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, organizationColumns())
	})
}

// metadataChange is nil where nothing is to be changed.
func metadataChange(put map[string]string, remove []string) map[string]*string {
	if len(put)+len(remove) == 0 {
		return nil
	}
	out := map[string]*string{}
	for k, v := range put {
		out[k] = &v
	}
	for _, k := range remove {
		out[k] = nil
	}
	return out
}

type organizationDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one, after the name of what goes was shown.
func (c *organizationDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Organization(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the organization %q with its directories and everybody in them?", found.Name); err != nil {
			return err
		}
		if err := api.DeleteOrganization(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type organizationFeatures struct {
	remote

	ID  string   `arg:"" help:"Its id."`
	On  []string `placeholder:"FEATURE" help:"Switch on: directory_sync, sso."`
	Off []string `placeholder:"FEATURE" help:"Switch off. Nothing is deleted."`
}

// Run switches what is named and shows all.
func (c *organizationFeatures) Run(ctx context.Context, w world) error {
	wanted := map[string]bool{}
	for _, f := range c.Off {
		wanted[f] = false
	}
	for _, f := range c.On {
		if _, both := wanted[f]; both {
			return usageError(f + " cannot be switched on and off at once")
		}
		wanted[f] = true
	}
	return c.call(w, func(api *client.Client) error {
		f, err := api.Features(ctx, c.ID)
		if len(wanted) > 0 {
			f, err = api.SetFeatures(ctx, c.ID, wanted)
		}
		if err != nil {
			return err
		}
		var columns []column[client.Features]
		for _, name := range slices.Sorted(maps.Keys(f.Features)) {
			columns = append(columns, col(name, func(x client.Features) string {
				if x.Features[name] {
					return "on"
				}
				return "off"
			}))
		}
		return one(w, c.JSON, f, columns)
	})
}

type domainCommands struct {
	Add    domainAdd    `cmd:"" help:"Add an email domain to an organization."`
	Get    domainGet    `cmd:"" aliases:"show" help:"Show one, with the TXT record that proves it."`
	Verify domainVerify `cmd:"" help:"Look for the TXT record now, or vouch for the domain."`
	Delete domainDelete `cmd:"" help:"Remove one."`
}

func domainColumns() []column[client.Domain] {
	type d = client.Domain
	return []column[d]{
		col("ID", func(x d) string { return x.ID }),
		col("ORGANIZATION", func(x d) string { return x.OrganizationID }),
		col("DOMAIN", func(x d) string { return x.Domain }),
		col("STATE", func(x d) string { return x.State }),
		col("VERIFIED BY", func(x d) string { return x.VerificationStrategy }),
		col("TXT RECORD", func(x d) string {
			if x.State == "verified" || x.VerificationToken == "" {
				return ""
			}
			return x.VerificationPrefix + "=" + x.VerificationToken
		}),
		wide("CREATED", func(x d) string { return when(x.CreatedAt) }),
	}
}

type domainAdd struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	Domain       string `arg:"" help:"Like example.com."`
}

// Run adds one.
func (c *domainAdd) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.AddDomain(ctx, c.Organization, c.Domain)
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, domainColumns())
	})
}

type domainGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *domainGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Domain(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, domainColumns())
	})
}

type domainVerify struct {
	remote

	ID     string `arg:"" help:"Its id."`
	Manual bool   `help:"Vouch for it; no record is looked for."`
}

// Run verifies.
func (c *domainVerify) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		verify := api.VerifyDomain
		if c.Manual {
			verify = api.VouchForDomain
		}
		found, err := verify(ctx, c.ID)
		if err != nil {
			return err
		}
		if found.State != "verified" {
			w.done(c.JSON, "The TXT record is not there yet. It is looked for again by itself.")
		}
		return one(w, c.JSON, found, domainColumns())
	})
}

type domainDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run removes one.
func (c *domainDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Remove the domain %s?", c.ID); err != nil {
			return err
		}
		if err := api.DeleteDomain(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is removed.", c.ID)
		return nil
	})
}

type apiKeyCommands struct {
	List   apiKeyList   `cmd:"" help:"List an organization's keys."`
	Create apiKeyCreate `cmd:"" help:"Make one; its value is shown once."`
	Expire apiKeyExpire `cmd:"" help:"End one, now or at a time."`
	Delete apiKeyDelete `cmd:"" help:"End one at once and for ever."`
}

func apiKeyColumns() []column[client.APIKey] {
	type k = client.APIKey
	return []column[k]{
		col("ID", func(x k) string { return x.ID }),
		col("NAME", func(x k) string { return x.Name }),
		wide("ORGANIZATION", func(x k) string { return x.Owner.ID }),
		col("VALUE", func(x k) string {
			if x.Value != "" {
				return x.Value
			}
			return x.ObfuscatedValue
		}),
		col("PERMISSIONS", func(x k) string { return strings.Join(x.Permissions, ", ") }),
		col("LAST USED", func(x k) string { return ago(x.LastUsedAt) }),
		col("EXPIRES", func(x k) string { return when(x.ExpiresAt) }),
		col("CREATED", func(x k) string { return ago(x.CreatedAt) }),
	}
}

type apiKeyList struct {
	remote
	some

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *apiKeyList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.APIKeys(ctx, c.Organization, client.Listing{}), apiKeyColumns())
	})
}

type apiKeyCreate struct {
	remote

	Organization string   `arg:"" help:"Id of the organization."`
	Name         string   `arg:"" help:"What it is for."`
	Permission   []string `placeholder:"NAME" help:"What it may do; scim lets it serve as a directory's token."`
	Expires      moment   `placeholder:"TIME" help:"When it ends: a time, or a duration from now like 90d."`
}

// Run makes one.
func (c *apiKeyCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateAPIKey(ctx, c.Organization, client.NewAPIKey{Name: c.Name, Permissions: c.Permission, ExpiresAt: c.Expires.Time})
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, apiKeyColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "The value is shown only this once; keep it.")
		return nil
	})
}

type apiKeyExpire struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
	At moment `placeholder:"TIME" help:"When: a time, or a duration from now like 12h. Without it, now."`
}

// Run expires one.
func (c *apiKeyExpire) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if c.At.IsZero() {
			if err := c.ask(w, "End the key %s now?", c.ID); err != nil {
				return err
			}
		}
		changed, err := api.ExpireAPIKey(ctx, c.ID, c.At.Time)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, apiKeyColumns())
	})
}

type apiKeyDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one.
func (c *apiKeyDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Delete the key %s?", c.ID); err != nil {
			return err
		}
		if err := api.DeleteAPIKey(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}
