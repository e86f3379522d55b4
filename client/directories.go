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

// Brake is a directory's setting for bursts: more than SharePercent and at least People of its active people who are shut out within the window
// are held for the hold's time. Zero numbers get the defaults: 10, 5, 15 and 60.
type Brake struct {
	Raw

	DirectoryID   string    `json:"directory_id"`
	Enabled       bool      `json:"enabled"`
	SharePercent  int       `json:"share_percent"`  // 1 to 99
	People        int       `json:"people"`         // 2 to 100,000
	WindowMinutes int       `json:"window_minutes"` // 1 to 1,440
	HoldMinutes   int       `json:"hold_minutes"`   // 1 to 60
	UpdatedAt     time.Time `json:"updated_at"`
}

// Brake gives that of a directory.
func (c *Client) Brake(ctx context.Context, directoryID string) (Brake, error) {
	return fetch[Brake](ctx, c, get(nil, "directories", directoryID, "brake"))
}

// SetBrake sets the brake of a directory as a whole. Switching it off releases what it holds.
func (c *Client) SetBrake(ctx context.Context, directoryID string, b Brake) (Brake, error) {
	body := struct {
		Enabled       bool `json:"enabled"`
		SharePercent  int  `json:"share_percent,omitempty"`
		People        int  `json:"people,omitempty"`
		WindowMinutes int  `json:"window_minutes,omitempty"`
		HoldMinutes   int  `json:"hold_minutes,omitempty"`
	}{b.Enabled, b.SharePercent, b.People, b.WindowMinutes, b.HoldMinutes}
	return fetch[Brake](ctx, c, put(body, "directories", directoryID, "brake"))
}

// Hold is one time that a directory's brake was engaged.
type Hold struct {
	Raw

	ID             string       `json:"id"`
	DirectoryID    string       `json:"directory_id"`
	OrganizationID string       `json:"organization_id"`
	State          string       `json:"state"`  // waiting, released or undone
	Reason         string       `json:"reason"` // by_hand, expired, switched_off or directory_deleted; "" while it waits
	Count          int          `json:"count"`  // people whom it has held
	Departed       int          `json:"departed"`
	Active         int          `json:"active"`
	EngagedAt      time.Time    `json:"engaged_at"`
	Until          time.Time    `json:"until"` // then it is released by itself
	EndedAt        time.Time    `json:"ended_at"`
	EndedBy        string       `json:"ended_by"`
	People         []HeldPerson `json:"people"` // the first hundred
}

// HeldPerson is somebody whom a hold holds.
type HeldPerson struct {
	DirectoryUserID string    `json:"directory_user_id"`
	State           string    `json:"state"` // waiting, kept, applied or returned
	Says            string    `json:"says"`  // inactive or removed
	HeldAt          time.Time `json:"held_at"`
}

// Holds lists what a directory's brake holds or has held.
func (c *Client) Holds(ctx context.Context, directoryID string, l Listing) iter.Seq2[Hold, error] {
	return list[Hold](ctx, c, l.query(), "directories", directoryID, "holds")
}

// ReleaseHold lets what a hold holds follow at once.
func (c *Client) ReleaseHold(ctx context.Context, directoryID, id string) (Hold, error) {
	return fetch[Hold](ctx, c, post(nil, "directories", directoryID, "holds", id, "release"))
}

// UndoHold lets the people of a hold in again as they were, until the directory writes them anew.
func (c *Client) UndoHold(ctx context.Context, directoryID, id string) (Hold, error) {
	return fetch[Hold](ctx, c, post(nil, "directories", directoryID, "holds", id, "undo"))
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
