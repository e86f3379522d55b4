package client

import (
	"context"
	"iter"
	"time"
)

// Organization is a customer of the app.
type Organization struct {
	Raw

	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Domains    []Domain          `json:"domains"`
	Metadata   map[string]string `json:"metadata"`
	ExternalID string            `json:"external_id"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

// Domain is an email domain of an organization. To prove it, its owner publishes a TXT record "<prefix>=<token>".
type Domain struct {
	Raw

	ID                   string    `json:"id"`
	OrganizationID       string    `json:"organization_id"`
	Domain               string    `json:"domain"`
	State                string    `json:"state"` // pending, verified or failed
	VerificationPrefix   string    `json:"verification_prefix"`
	VerificationToken    string    `json:"verification_token"`
	VerificationStrategy string    `json:"verification_strategy"` // dns or manual
	CreatedAt            time.Time `json:"created_at"`
	UpdatedAt            time.Time `json:"updated_at"`
}

// OrganizationQuery narrows the list of organizations.
type OrganizationQuery struct {
	Listing

	Search  string   // part of a name
	Domains []string // those that have one of these domains
}

// NewOrganization is an organization to be made.
type NewOrganization struct {
	Name       string            `json:"name"`
	ExternalID string            `json:"external_id,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Domains    []DomainData      `json:"domain_data,omitempty"`
}

// DomainData is a domain with its state, pending or verified: who says verified vouches for it.
type DomainData struct {
	Domain string `json:"domain"`
	State  string `json:"state"`
}

// OrganizationChange says what is to be changed; nil is left as it is.
type OrganizationChange struct {
	Name       *string
	ExternalID *string            // "" removes it
	Metadata   map[string]*string // merged; nil removes a key
	Domains    *[]DomainData      // the whole list anew
}

// Organizations lists organizations.
func (c *Client) Organizations(ctx context.Context, q OrganizationQuery) iter.Seq2[Organization, error] {
	query := q.query()
	set(query, "search", q.Search)
	set(query, "domains", q.Domains...)
	return list[Organization](ctx, c, query, "organizations")
}

// Organization gives one.
func (c *Client) Organization(ctx context.Context, id string) (Organization, error) {
	return fetch[Organization](ctx, c, get(nil, "organizations", id))
}

// OrganizationByExternalID gives the one with the app's own id.
func (c *Client) OrganizationByExternalID(ctx context.Context, externalID string) (Organization, error) {
	return fetch[Organization](ctx, c, get(nil, "organizations", "external_id", externalID))
}

// CreateOrganization makes one.
func (c *Client) CreateOrganization(ctx context.Context, n NewOrganization) (Organization, error) {
	return fetch[Organization](ctx, c, post(n, "organizations"))
}

// UpdateOrganization changes one.
func (c *Client) UpdateOrganization(ctx context.Context, id string, change OrganizationChange) (Organization, error) {
	body := map[string]any{}
	change1(body, "name", change.Name)
	orNull(body, "external_id", change.ExternalID)
	change1(body, "domain_data", change.Domains)
	if change.Metadata != nil {
		body["metadata"] = change.Metadata
	}
	return fetch[Organization](ctx, c, put(body, "organizations", id))
}

// change1 puts a value that is to be changed.
func change1[T any](body map[string]any, name string, value *T) {
	if value != nil {
		body[name] = *value
	}
}

// orNull puts a text that is to be changed; an empty one is removed.
func orNull(body map[string]any, name string, value *string) {
	switch {
	case value == nil:
	case *value == "":
		body[name] = nil
	default:
		body[name] = *value
	}
}

// DeleteOrganization ends all access through it at once and has its personal data erased.
func (c *Client) DeleteOrganization(ctx context.Context, id string) error {
	return c.send(ctx, remove("organizations", id))
}

// Features says which features are switched on for an organization.
type Features struct {
	Raw

	OrganizationID string          `json:"organization_id"`
	Features       map[string]bool `json:"features"`
}

// Features gives those of an organization.
func (c *Client) Features(ctx context.Context, organizationID string) (Features, error) {
	return fetch[Features](ctx, c, get(nil, "organizations", organizationID, "features"))
}

// SetFeatures switches the named ones; the others stay.
func (c *Client) SetFeatures(ctx context.Context, organizationID string, features map[string]bool) (Features, error) {
	return fetch[Features](ctx, c, put(map[string]any{"features": features}, "organizations", organizationID, "features"))
}

// Domain gives one.
func (c *Client) Domain(ctx context.Context, id string) (Domain, error) {
	return fetch[Domain](ctx, c, get(nil, "organization_domains", id))
}

// AddDomain adds one to an organization, pending.
func (c *Client) AddDomain(ctx context.Context, organizationID, domain string) (Domain, error) {
	return fetch[Domain](ctx, c, post(map[string]string{"organization_id": organizationID, "domain": domain}, "organization_domains"))
}

// VerifyDomain has a domain's TXT record looked at.
func (c *Client) VerifyDomain(ctx context.Context, id string) (Domain, error) {
	return fetch[Domain](ctx, c, post(nil, "organization_domains", id, "verify"))
}

// VouchForDomain makes a domain verified on the caller's word.
func (c *Client) VouchForDomain(ctx context.Context, id string) (Domain, error) {
	return fetch[Domain](ctx, c, post(map[string]string{"verification_strategy": "manual"}, "organization_domains", id, "verify"))
}

// DeleteDomain removes one.
func (c *Client) DeleteDomain(ctx context.Context, id string) error {
	return c.send(ctx, remove("organization_domains", id))
}

// APIKey is a key of an organization. Value is only in the answer that makes it.
type APIKey struct {
	Raw

	ID    string `json:"id"`
	Owner struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"owner"`
	Name            string    `json:"name"`
	ObfuscatedValue string    `json:"obfuscated_value"`
	Permissions     []string  `json:"permissions"`
	LastUsedAt      time.Time `json:"last_used_at"`
	ExpiresAt       time.Time `json:"expires_at"`
	CreatedAt       time.Time `json:"created_at"`
	UpdatedAt       time.Time `json:"updated_at"`
	Value           string    `json:"value"`
}

// APIKeys lists those of an organization.
func (c *Client) APIKeys(ctx context.Context, organizationID string, l Listing) iter.Seq2[APIKey, error] {
	return list[APIKey](ctx, c, l.query(), "organizations", organizationID, "api_keys")
}

// NewAPIKey is a key to be made. The permission scim lets it serve as a directory's token.
type NewAPIKey struct {
	Name        string    `json:"name"`
	Permissions []string  `json:"permissions,omitempty"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

// CreateAPIKey makes one for an organization.
func (c *Client) CreateAPIKey(ctx context.Context, organizationID string, n NewAPIKey) (APIKey, error) {
	return fetch[APIKey](ctx, c, post(n, "organizations", organizationID, "api_keys"))
}

// ExpireAPIKey ends a key at a time, or at once where that is zero.
func (c *Client) ExpireAPIKey(ctx context.Context, id string, at time.Time) (APIKey, error) {
	body := map[string]any{}
	if !at.IsZero() {
		body["expires_at"] = at.UTC()
	}
	return fetch[APIKey](ctx, c, post(body, "api_keys", id, "expire"))
}

// DeleteAPIKey ends a key at once and for ever.
func (c *Client) DeleteAPIKey(ctx context.Context, id string) error {
	return c.send(ctx, remove("api_keys", id))
}

// ValidateAPIKey gives the key that a value belongs to; false where it is none, expired or deleted.
func (c *Client) ValidateAPIKey(ctx context.Context, value string) (APIKey, bool, error) {
	found, err := fetch[struct {
		Key *APIKey `json:"api_key"`
	}](ctx, c, post(map[string]string{"value": value}, "api_keys", "validations"))
	if err != nil || found.Key == nil {
		return APIKey{}, false, err
	}
	return *found.Key, true, nil
}
