package client

import (
	"context"
	"iter"
	"time"
)

// User is a person's account in the app, across organizations. All calls about accounts are refused with accounts_not_kept (403) where
// the installation keeps none.
type User struct {
	Raw

	ID                string            `json:"id"` // user_…
	Email             string            `json:"email"`
	EmailVerified     bool              `json:"email_verified"`
	FirstName         string            `json:"first_name"`
	LastName          string            `json:"last_name"`
	Name              string            `json:"name"` // both, as far as they are known
	ProfilePictureURL string            `json:"profile_picture_url"`
	Locale            string            `json:"locale"`
	ExternalID        string            `json:"external_id"` // the app's own id of them
	Metadata          map[string]string `json:"metadata"`
	LastSignInAt      time.Time         `json:"last_sign_in_at"` // zero: never
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
}

// UserQuery narrows the list of accounts.
type UserQuery struct {
	Listing

	Email          string   // the one with this address
	OrganizationID string   // those with a membership there
	Statuses       []string // those whose membership there, or any, is active, pending, inactive or removed
}

// NewUser is an account to be made. Only the address has to be given. There are no passwords.
type NewUser struct {
	Email         string            `json:"email"`
	EmailVerified bool              `json:"email_verified,omitempty"` // on the caller's word
	FirstName     string            `json:"first_name,omitempty"`
	LastName      string            `json:"last_name,omitempty"`
	Locale        string            `json:"locale,omitempty"`
	ExternalID    string            `json:"external_id,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// UserChange says what is to be changed; nil is left as it is.
type UserChange struct {
	Email         *string // proven no more, unless EmailVerified says so
	EmailVerified *bool
	FirstName     *string
	LastName      *string
	Locale        *string            // "" removes it
	ExternalID    *string            // "" removes it
	Metadata      map[string]*string // merged; nil removes a key
}

// Users lists accounts.
func (c *Client) Users(ctx context.Context, q UserQuery) iter.Seq2[User, error] {
	query := q.query()
	set(query, "email", q.Email)
	set(query, "organization_id", q.OrganizationID)
	set(query, "statuses", q.Statuses...)
	return list[User](ctx, c, query, "user_management", "users")
}

// User gives one account.
func (c *Client) User(ctx context.Context, id string) (User, error) {
	return fetch[User](ctx, c, get(nil, "user_management", "users", id))
}

// UserByExternalID gives the one with the app's own id.
func (c *Client) UserByExternalID(ctx context.Context, externalID string) (User, error) {
	return fetch[User](ctx, c, get(nil, "user_management", "users", "external_id", externalID))
}

// CreateUser makes an account that belongs to no organization yet. An address or external id that is taken is refused with
// user_creation_error (400).
func (c *Client) CreateUser(ctx context.Context, n NewUser) (User, error) {
	return fetch[User](ctx, c, post(n, "user_management", "users"))
}

// UpdateUser changes an account. Names and address of somebody whom a directory manages are refused with directory_managed (409), which names it.
func (c *Client) UpdateUser(ctx context.Context, id string, change UserChange) (User, error) {
	body := map[string]any{}
	change1(body, "email", change.Email)
	change1(body, "email_verified", change.EmailVerified)
	change1(body, "first_name", change.FirstName)
	change1(body, "last_name", change.LastName)
	orNull(body, "locale", change.Locale)
	orNull(body, "external_id", change.ExternalID)
	if change.Metadata != nil {
		body["metadata"] = change.Metadata
	}
	return fetch[User](ctx, c, put(body, "user_management", "users", id))
}

// DeleteUser deletes an account with its memberships. Its sessions end at once, and its personal data is erased within a day.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	return c.send(ctx, remove("user_management", "users", id))
}

// SSOIdentity is who an account is at the identity provider of a connection.
type SSOIdentity struct {
	Raw

	ConnectionID   string    `json:"connection_id"`
	OrganizationID string    `json:"organization_id"`
	IdPID          string    `json:"idp_id"`
	LinkedBy       string    `json:"linked_by"` // directory, email, created or proof: how the account was found
	CreatedAt      time.Time `json:"created_at"`
	LastUsedAt     time.Time `json:"last_used_at"`
}

// SSOIdentities gives all of an account; somebody has one for each connection.
func (c *Client) SSOIdentities(ctx context.Context, userID string) ([]SSOIdentity, error) {
	return array[SSOIdentity](ctx, c, get(nil, "user_management", "users", userID, "sso_identities"))
}

// Session is a browser of a person that is signed in to one organization, or was.
type Session struct {
	Raw

	ID             string    `json:"id"` // session_…, the sid of its tokens
	UserID         string    `json:"user_id"`
	OrganizationID string    `json:"organization_id"` // "": to the app alone
	IPAddress      string    `json:"ip_address"`
	UserAgent      string    `json:"user_agent"`
	AuthMethod     string    `json:"auth_method"` // sso, magic_code or unknown
	Status         string    `json:"status"`      // active, expired or revoked
	ExpiresAt      time.Time `json:"expires_at"`  // in any case
	EndedAt        time.Time `json:"ended_at"`    // zero: it did not, or it expired
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"` // when it was last used, or ended
}

// Sessions lists those of an account in every organization. Ended ones are kept for a while.
func (c *Client) Sessions(ctx context.Context, userID string, l Listing) iter.Seq2[Session, error] {
	return list[Session](ctx, c, l.query(), "user_management", "users", userID, "sessions")
}

// RevokeSession ends one at once with its codes, refresh tokens and opaque access tokens; a token that is verified offline lives on for five
// minutes at most. One that has ended already is no refusal.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return c.send(ctx, post(map[string]string{"session_id": id}, "user_management", "sessions", "revoke"))
}

// RevokeSessions ends all of an account, in every organization, and says how many that were. EndSessions ends those of one organization.
func (c *Client) RevokeSessions(ctx context.Context, userID string) (int, error) {
	done, err := fetch[struct {
		Revoked int `json:"revoked"`
	}](ctx, c, post(nil, "user_management", "users", userID, "sessions", "revoke"))
	return done.Revoked, err
}
