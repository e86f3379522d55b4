package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Directory is where an identity provider writes an organization's people and groups. BearerToken is only in the answer that
// makes it.
type Directory struct {
	Raw

	ID             string          `json:"id"`
	OrganizationID string          `json:"organization_id"`
	Name           string          `json:"name"`
	Type           string          `json:"type"`  // like "okta scim v2.0"
	State          string          `json:"state"` // unlinked until the provider's first request, then linked; in events active
	Provider       string          `json:"provider"`
	Label          string          `json:"label"`
	InactiveUsers  string          `json:"inactive_users"` // kept or removed
	Provisioning   string          `json:"provisioning"`   // invite, direct or existing_only
	Live           bool            `json:"live"`           // false: it only collects
	Strict         bool            `json:"strict"`
	Extensions     json.RawMessage `json:"extensions"`
	SCIMEndpoint   string          `json:"scim_endpoint"`
	BearerToken    string          `json:"bearer_token"`
	Metadata       struct {
		Users struct {
			Active   int `json:"active"`
			Inactive int `json:"inactive"`
		} `json:"users"`
		Groups int `json:"groups"`
	} `json:"metadata"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DirectoryQuery narrows the list of directories.
type DirectoryQuery struct {
	Listing

	OrganizationID string
	Search         string // part of a name
}

// NewDirectory is a directory to be made. Only organization, name and type have to be given.
type NewDirectory struct {
	OrganizationID string          `json:"organization_id"`
	Name           string          `json:"name"`
	Type           string          `json:"type"`
	Provider       string          `json:"provider,omitempty"`
	Label          string          `json:"label,omitempty"`
	InactiveUsers  string          `json:"inactive_users,omitempty"`
	Provisioning   string          `json:"provisioning,omitempty"`
	Live           *bool           `json:"live,omitempty"` // false: it only collects, until GoLive
	Strict         bool            `json:"strict,omitempty"`
	Extensions     json.RawMessage `json:"extensions,omitempty"`
}

// DirectoryChange says what is to be changed; nil is left as it is.
type DirectoryChange struct {
	Name          *string
	Label         *string // "" removes it
	Provider      *string
	InactiveUsers *string
	Provisioning  *string
	Strict        *bool
	Extensions    json.RawMessage
}

// Directories lists directories.
func (c *Client) Directories(ctx context.Context, q DirectoryQuery) iter.Seq2[Directory, error] {
	query := q.query()
	set(query, "organization_id", q.OrganizationID)
	set(query, "search", q.Search)
	return list[Directory](ctx, c, query, "directories")
}

// Directory gives one.
func (c *Client) Directory(ctx context.Context, id string) (Directory, error) {
	return fetch[Directory](ctx, c, get(nil, "directories", id))
}

// CreateDirectory makes one; its SCIMEndpoint and BearerToken are what the identity provider is given.
func (c *Client) CreateDirectory(ctx context.Context, n NewDirectory) (Directory, error) {
	return fetch[Directory](ctx, c, post(n, "directories"))
}

// UpdateDirectory changes one.
func (c *Client) UpdateDirectory(ctx context.Context, id string, change DirectoryChange) (Directory, error) {
	body := map[string]any{}
	change1(body, "name", change.Name)
	orNull(body, "label", change.Label)
	orNull(body, "provider", change.Provider)
	change1(body, "inactive_users", change.InactiveUsers)
	change1(body, "provisioning", change.Provisioning)
	change1(body, "strict", change.Strict)
	if change.Extensions != nil {
		body["extensions"] = change.Extensions
	}
	return fetch[Directory](ctx, c, patch(body, "directories", id))
}

// DeleteDirectory removes one with everybody in it.
func (c *Client) DeleteDirectory(ctx context.Context, id string) error {
	return c.send(ctx, remove("directories", id))
}

// GoLive lets members follow a directory that has only collected. Asking again is harmless.
func (c *Client) GoLive(ctx context.Context, id string) (Directory, error) {
	return fetch[Directory](ctx, c, post(nil, "directories", id, "go_live"))
}

// Provisioning tells how far members have come with what a directory says.
type Provisioning struct {
	Raw

	DirectoryID string `json:"directory_id"`
	State       string `json:"state"` // up_to_date or applying
	Done        int    `json:"done"`
	Total       int    `json:"total"`
}

// Provisioning gives that of a directory.
func (c *Client) Provisioning(ctx context.Context, directoryID string) (Provisioning, error) {
	return fetch[Provisioning](ctx, c, get(nil, "directories", directoryID, "provisioning"))
}

// Foreseen is what would become of a person of a directory.
type Foreseen struct {
	Raw

	DirectoryUserID string `json:"directory_user_id"`
	Email           string `json:"email"`
	Name            string `json:"name"`
	Says            string `json:"says"`    // active or inactive
	Outcome         string `json:"outcome"` // invited, activated, linked and so on
}

// PreviewProvisioning tells what would become of everybody; provisioning is as if the directory had that, "" as it has.
func (c *Client) PreviewProvisioning(ctx context.Context, directoryID, provisioning string, l Listing) iter.Seq2[Foreseen, error] {
	query := l.query()
	if provisioning != "" {
		query.Set("provisioning", provisioning)
	}
	return list[Foreseen](ctx, c, query, "directories", directoryID, "provisioning", "preview")
}

// Token opens a directory to its identity provider. BearerToken is only in the answer that makes it.
type Token struct {
	Raw

	ID             string    `json:"id"`
	DirectoryID    string    `json:"directory_id"`
	OrganizationID string    `json:"organization_id"`
	Suffix         string    `json:"token_suffix"` // its last characters
	CreatedAt      time.Time `json:"created_at"`
	LastUsedAt     time.Time `json:"last_used_at"`
	RevokedAt      time.Time `json:"revoked_at"`
	SCIMEndpoint   string    `json:"scim_endpoint"`
	BearerToken    string    `json:"bearer_token"`
}

// Tokens lists those of a directory, revoked ones too.
func (c *Client) Tokens(ctx context.Context, directoryID string) iter.Seq2[Token, error] {
	return list[Token](ctx, c, Listing{}.query(), "directories", directoryID, "tokens")
}

// CreateToken makes one; two may live at once, so that they can be exchanged without a gap.
func (c *Client) CreateToken(ctx context.Context, directoryID string) (Token, error) {
	return fetch[Token](ctx, c, post(nil, "directories", directoryID, "tokens"))
}

// RevokeToken ends one at once.
func (c *Client) RevokeToken(ctx context.Context, directoryID, tokenID string) error {
	return c.send(ctx, remove("directories", directoryID, "tokens", tokenID))
}

// Exchange is one recorded request of an identity provider with its answer and what it did.
type Exchange struct {
	Raw

	ID           string          `json:"id"`
	DirectoryID  string          `json:"directory_id"`
	TokenID      string          `json:"token_id"` // "" where the token was refused
	At           time.Time       `json:"at"`
	Method       string          `json:"method"`
	Path         string          `json:"path"`
	Status       int             `json:"status"`
	Milliseconds float64         `json:"milliseconds"`
	RequestID    string          `json:"request_id"`
	UserAgent    string          `json:"user_agent"`
	Effect       json.RawMessage `json:"effect"`
	Body         string          `json:"body"`
	Answer       string          `json:"answer"`
}

// Exchanges lists those of a directory, the newest first. Ascending is refused.
func (c *Client) Exchanges(ctx context.Context, directoryID string, l Listing) iter.Seq2[Exchange, error] {
	return list[Exchange](ctx, c, l.query(), "directories", directoryID, "exchanges")
}
