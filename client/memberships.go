package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/url"
	"time"
)

// OrganizationMembership is an account's place in an organization. User is only in what the API answers, not in events.
type OrganizationMembership struct {
	Raw

	ID               string          `json:"id"` // om_…
	UserID           string          `json:"user_id"`
	OrganizationID   string          `json:"organization_id"`
	Status           string          `json:"status"` // pending until the first sign-in, active, or inactive; one that was removed is inactive too
	Why              string          `json:"why"`    // what put it into this state, like directory_inactive; see the reference of memberships
	Primary          bool            `json:"primary"`
	Role             RoleName        `json:"role"`
	Licence          string          `json:"licence"`           // the slug of the licence type that is held
	WantedLicence    string          `json:"wanted_licence"`    // the one that would be held if a seat were left
	DirectoryManaged bool            `json:"directory_managed"` // a directory has the person
	DirectoryUserID  string          `json:"directory_user_id"` // that person, if the membership was joined with one
	CustomAttributes json.RawMessage `json:"custom_attributes"`
	JoinedAt         time.Time       `json:"joined_at"` // zero: never came in
	CreatedAt        time.Time       `json:"created_at"`
	UpdatedAt        time.Time       `json:"updated_at"`
	User             User            `json:"user"`
}

// RoleName names a role.
type RoleName struct {
	Slug string `json:"slug"`
}

// MembershipQuery names an organization, an account or both, whose memberships are listed.
type MembershipQuery struct {
	Listing

	OrganizationID string
	UserID         string
	Statuses       []string // active, pending, inactive, removed; none: active
}

// NewMembership makes somebody a member at once.
type NewMembership struct {
	OrganizationID string `json:"organization_id"`
	UserID         string `json:"user_id"`
	Role           string `json:"role_slug,omitempty"` // "": member
	Licence        string `json:"licence,omitempty"`
}

// MembershipChange is what a member is given by hand; nil is left as it is.
type MembershipChange struct {
	Role    *string
	Licence *string // "" takes it away
}

// OrganizationMemberships lists memberships.
func (c *Client) OrganizationMemberships(ctx context.Context, q MembershipQuery) iter.Seq2[OrganizationMembership, error] {
	query := q.query()
	set(query, "organization_id", q.OrganizationID)
	set(query, "user_id", q.UserID)
	set(query, "statuses", q.Statuses...)
	return list[OrganizationMembership](ctx, c, query, "user_management", "organization_memberships")
}

// OrganizationMembership gives one. One that was removed is not found; OrganizationMemberships shows it to who asks for removed ones.
func (c *Client) OrganizationMembership(ctx context.Context, id string) (OrganizationMembership, error) {
	return fetch[OrganizationMembership](ctx, c, get(nil, "user_management", "organization_memberships", id))
}

// CreateOrganizationMembership makes one. Somebody whom a directory has put out is refused with directory_managed (409).
func (c *Client) CreateOrganizationMembership(ctx context.Context, n NewMembership) (OrganizationMembership, error) {
	return fetch[OrganizationMembership](ctx, c, post(n, "user_management", "organization_memberships"))
}

// UpdateOrganizationMembership gives a role, a licence or both. What a directory's mapping gives is refused with directory_managed (409), which
// names the directory. Where no seat is left, WantedLicence names the licence, or it is refused with licence_limit_reached (409): the licence type
// says which.
func (c *Client) UpdateOrganizationMembership(ctx context.Context, id string, change MembershipChange) (OrganizationMembership, error) {
	body := map[string]any{}
	change1(body, "role_slug", change.Role)
	orNull(body, "licence", change.Licence)
	return fetch[OrganizationMembership](ctx, c, put(body, "user_management", "organization_memberships", id))
}

// DeactivateOrganizationMembership blocks a member, whatever a directory says, until a hand lifts it. Their sessions in the organization end at
// once. Somebody who has not come in yet is refused (400): take the invitation back.
func (c *Client) DeactivateOrganizationMembership(ctx context.Context, id string) (OrganizationMembership, error) {
	return fetch[OrganizationMembership](ctx, c, put(nil, "user_management", "organization_memberships", id, "deactivate"))
}

// ReactivateOrganizationMembership lifts a block. Whom a directory shuts out only a directory lets in again: directory_managed (409).
func (c *Client) ReactivateOrganizationMembership(ctx context.Context, id string) (OrganizationMembership, error) {
	return fetch[OrganizationMembership](ctx, c, put(nil, "user_management", "organization_memberships", id, "reactivate"))
}

// DeleteOrganizationMembership removes a member; the account stays. Refused with directory_managed (409) while a directory wants the person in.
func (c *Client) DeleteOrganizationMembership(ctx context.Context, id string) error {
	return c.send(ctx, remove("user_management", "organization_memberships", id))
}

// Invitation asks somebody into an organization, or to the app alone. Token and AcceptURL are empty once it is not pending any more; both are
// secrets of the person who is invited.
type Invitation struct {
	Raw

	ID             string    `json:"id"` // invitation_…
	Email          string    `json:"email"`
	State          string    `json:"state"` // pending, accepted, expired or revoked
	OrganizationID string    `json:"organization_id"`
	Role           string    `json:"role_slug"`
	TeamIDs        []string  `json:"team_ids"`
	Licence        string    `json:"licence"`
	DirectoryID    string    `json:"directory_id"` // the directory that invites: valid while it wants the person, only the link expires
	InviterUserID  string    `json:"inviter_user_id"`
	AcceptedUserID string    `json:"accepted_user_id"`
	AcceptedAt     time.Time `json:"accepted_at"`
	RevokedAt      time.Time `json:"revoked_at"`
	ExpiresAt      time.Time `json:"expires_at"`
	Token          string    `json:"token"`
	AcceptURL      string    `json:"accept_invitation_url"`
	Warning        string    `json:"warning"` // that nothing is mailed, where no mail server is set
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// InvitationQuery narrows the list of invitations.
type InvitationQuery struct {
	Listing

	OrganizationID string
	Email          string
	States         []string // pending, accepted, expired, revoked; none: all
}

// NewInvitation is an invitation to be sent. Only the address has to be given.
type NewInvitation struct {
	Email          string   `json:"email"`
	OrganizationID string   `json:"organization_id,omitempty"` // "": to the app alone
	Role           string   `json:"role_slug,omitempty"`
	TeamIDs        []string `json:"team_ids,omitempty"`
	Licence        string   `json:"licence,omitempty"`
	ExpiresInDays  int      `json:"expires_in_days,omitempty"` // 1 to 30; 0: 7
	InviterUserID  string   `json:"inviter_user_id,omitempty"` // named in the mail
	Locale         string   `json:"locale,omitempty"`          // of the mail: en, de-AT
}

// Invitations lists them, in all states unless the query names some.
func (c *Client) Invitations(ctx context.Context, q InvitationQuery) iter.Seq2[Invitation, error] {
	query := q.query()
	set(query, "organization_id", q.OrganizationID)
	set(query, "email", q.Email)
	set(query, "state", q.States...)
	return list[Invitation](ctx, c, query, "user_management", "invitations")
}

// Invitation gives one.
func (c *Client) Invitation(ctx context.Context, id string) (Invitation, error) {
	return fetch[Invitation](ctx, c, get(nil, "user_management", "invitations", id))
}

// InvitationByToken gives the one of a link.
func (c *Client) InvitationByToken(ctx context.Context, token string) (Invitation, error) {
	return fetch[Invitation](ctx, c, get(nil, "user_management", "invitations", "by_token", token))
}

// SendInvitation makes one and mails it; a pending membership waits for the person. An address has one pending invitation into an organization.
func (c *Client) SendInvitation(ctx context.Context, n NewInvitation) (Invitation, error) {
	return fetch[Invitation](ctx, c, post(n, "user_management", "invitations"))
}

// AcceptInvitation accepts one on the caller's word that the person wants in. How they sign in stays as the organization has it.
func (c *Client) AcceptInvitation(ctx context.Context, id string) (Invitation, error) {
	return fetch[Invitation](ctx, c, post(nil, "user_management", "invitations", id, "accept"))
}

// ResendInvitation mails one again, a minute after the last mail at the earliest and twenty times at most: else it is refused with
// too_many_mails (429, Error.RetryAfter), which is not tried again. locale is that of the mail, "" as before.
func (c *Client) ResendInvitation(ctx context.Context, id, locale string) (Invitation, error) {
	body := map[string]string{}
	if locale != "" {
		body["locale"] = locale
	}
	return fetch[Invitation](ctx, c, post(body, "user_management", "invitations", id, "resend"))
}

// RevokeInvitation takes one back: its link is dead at once, and the pending membership goes with it. Refused with directory_managed (409) while a
// directory wants the person in.
func (c *Client) RevokeInvitation(ctx context.Context, id string) (Invitation, error) {
	return fetch[Invitation](ctx, c, post(nil, "user_management", "invitations", id, "revoke"))
}

// Access is that a membership was active at a moment. Names and address are those of today, "" once the account was deleted.
type Access struct {
	Raw

	MembershipID string    `json:"organization_membership_id"`
	UserID       string    `json:"user_id"`
	Email        string    `json:"email"`
	FirstName    string    `json:"first_name"`
	LastName     string    `json:"last_name"`
	Role         string    `json:"role"` // then
	Primary      bool      `json:"primary"`
	Since        time.Time `json:"since"` // since when the membership was as it was then
	At           time.Time `json:"at"`
}

// AccessAt lists who has access to an organization now, or with a moment who had it then, by the ids of memberships. Of l only PageSize and
// After count. It is told from what memberships were, so it outlasts the events.
func (c *Client) AccessAt(ctx context.Context, organizationID string, at time.Time, l Listing) iter.Seq2[Access, error] {
	query := l.query()
	query.Del("order")
	setAt(query, "at", at)
	return list[Access](ctx, c, query, "organizations", organizationID, "access")
}

// ExportAccess writes the same as a whole in a format.
func (c *Client) ExportAccess(ctx context.Context, organizationID string, at time.Time, as Format, to io.Writer) error {
	query := url.Values{}
	setAt(query, "at", at)
	return c.export(ctx, as, to, query, "organizations", organizationID, "access")
}
