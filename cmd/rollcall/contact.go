package main

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/client"
)

type contactCommands struct {
	List     contactList   `cmd:"" help:"List the IT contacts of an organization."`
	Add      contactAdd    `cmd:"" help:"Add one."`
	Remove   contactRemove `cmd:"" help:"Remove one: their links and sessions end at once."`
	SendLink contactSend   `cmd:"" help:"Mail one a link into the portal, which is good for 7 days."`
	Link     contactLink   `cmd:"" help:"Make a link into the portal for whoever opens it, within 5 minutes and once."`
}

func contactColumns() []column[client.Contact] {
	type x = client.Contact
	return []column[x]{
		col("ID", func(c x) string { return c.ID }),
		col("EMAIL", func(c x) string { return c.Email }),
		col("NAME", func(c x) string { return c.Name }),
		col("CREATED", func(c x) string { return ago(c.CreatedAt) }),
	}
}

type contactList struct {
	remote
	some

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *contactList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Contacts(ctx, c.Organization), contactColumns())
	})
}

type contactAdd struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	Email        string `arg:"" help:"Address."`
	Name         string `placeholder:"NAME" help:"What they are called."`
}

// Run adds one.
func (c *contactAdd) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, contactColumns(), func(api *client.Client) (client.Contact, error) {
		return api.CreateContact(ctx, c.Organization, c.Email, c.Name)
	})
}

type contactRemove struct {
	remote
	certain

	Organization string `arg:"" help:"Id of the organization."`
	ID           string `arg:"" help:"Id of the contact."`
}

// Run removes one.
func (c *contactRemove) Run(ctx context.Context, w world) error {
	return c.takeAway(w, c.certain, fmt.Sprintf("Remove the IT contact %s?", c.ID), c.ID+" is removed; their links and sessions have ended.", func(api *client.Client) error {
		return api.DeleteContact(ctx, c.Organization, c.ID)
	})
}

type contactSend struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	ID           string `arg:"" help:"Id of the contact."`
}

// Run mails a link.
func (c *contactSend) Run(ctx context.Context, w world) error {
	return answered(c.remote, w, contactColumns(), func(api *client.Client) (client.Contact, error) {
		return api.SendPortalLink(ctx, c.Organization, c.ID)
	})
}

type contactLink struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	Intent       string `enum:",sso,dsync,audit_logs,certificate_renewal,domain_verification" default:"" placeholder:"INTENT" help:"What it is for: sso, dsync, audit_logs, certificate_renewal or domain_verification; else everything."`
	ReturnURL    string `placeholder:"URL" help:"Where the way back to your app leads."`
}

// Run makes a link.
func (c *contactLink) Run(ctx context.Context, w world) error {
	show := []column[client.PortalLink]{col("OPEN", func(x client.PortalLink) string { return x.Link })}
	return answered(c.remote, w, show, func(api *client.Client) (client.PortalLink, error) {
		return api.GeneratePortalLink(ctx, client.NewPortalLink{OrganizationID: c.Organization, Intent: c.Intent, ReturnURL: c.ReturnURL})
	})
}
