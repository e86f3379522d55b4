package client

import (
	"context"
	"iter"
	"time"
)

// Contact is an IT contact of an organization.
type Contact struct {
	Raw

	ID             string    `json:"id"`
	OrganizationID string    `json:"organization_id"`
	Email          string    `json:"email"`
	Name           string    `json:"name"`
	CreatedAt      time.Time `json:"created_at"`
}

// Contacts lists those of an organization.
func (c *Client) Contacts(ctx context.Context, organizationID string) iter.Seq2[Contact, error] {
	return list[Contact](ctx, c, Listing{}.query(), "organizations", organizationID, "contacts")
}

// CreateContact adds an IT contact; the name may be "".
func (c *Client) CreateContact(ctx context.Context, organizationID, email, name string) (Contact, error) {
	body := map[string]any{"email": email}
	if name != "" {
		body["name"] = name
	}
	return fetch[Contact](ctx, c, post(body, "organizations", organizationID, "contacts"))
}

// DeleteContact removes an IT contact; their links and sessions end.
func (c *Client) DeleteContact(ctx context.Context, organizationID, contactID string) error {
	return c.send(ctx, remove("organizations", organizationID, "contacts", contactID))
}

// SendPortalLink mails an IT contact a link into the portal, which is good for 7 days.
func (c *Client) SendPortalLink(ctx context.Context, organizationID, contactID string) (Contact, error) {
	return fetch[Contact](ctx, c, post(nil, "organizations", organizationID, "contacts", contactID, "send_link"))
}

// NewPortalLink is what a link into the portal is made of. Only OrganizationID is needed.
type NewPortalLink struct {
	OrganizationID  string   `json:"organization"`
	Intent          string   `json:"intent,omitempty"` // sso, dsync, audit_logs, certificate_renewal or domain_verification; "": everything
	ReturnURL       string   `json:"return_url,omitempty"`
	SuccessURL      string   `json:"success_url,omitempty"`
	ITContactEmails []string `json:"it_contact_emails,omitempty"` // who become IT contacts
}

// PortalLink is a link into the portal: it opens once, within 5 minutes.
type PortalLink struct {
	Raw

	Link string `json:"link"`
}

// GeneratePortalLink makes a link for whoever opens it.
func (c *Client) GeneratePortalLink(ctx context.Context, n NewPortalLink) (PortalLink, error) {
	return fetch[PortalLink](ctx, c, post(n, "portal", "generate_link"))
}
