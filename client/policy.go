package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Policy is who may come in to an organization, and how. SSOInForce, SSOState and JITInForce say what it comes to now.
type Policy struct {
	Raw

	OrganizationID     string    `json:"organization_id"`
	SSO                string    `json:"sso"`
	OptionalUntil      time.Time `json:"optional_until"`
	JIT                string    `json:"jit"`                  // "": the default
	SessionIdleSeconds int       `json:"session_idle_seconds"` // 0: the installation's
	SessionLifeSeconds int       `json:"session_life_seconds"`
	UpdatedAt          time.Time `json:"updated_at"`
	SSOInForce         string    `json:"sso_in_force"`
	SSOState           string    `json:"sso_state"`
	JITInForce         string    `json:"jit_in_force"`
}

// PolicyChange is what is changed of a policy; what is nil stays.
type PolicyChange struct {
	SSO                *string
	OptionalUntil      *time.Time // zero takes it away
	JIT                *string    // "" is the default
	SessionIdleSeconds *int       // 0: the installation's
	SessionLifeSeconds *int
	Confirm            *int // how many people would be left without a way in, see Error.Confirm
}

// Policy gives that of an organization.
func (c *Client) Policy(ctx context.Context, organizationID string) (Policy, error) {
	return fetch[Policy](ctx, c, get(nil, "organizations", organizationID, "policy"))
}

// SetPolicy changes that of an organization.
func (c *Client) SetPolicy(ctx context.Context, organizationID string, change PolicyChange) (Policy, error) {
	body := map[string]any{}
	change1(body, "sso", change.SSO)
	if change.OptionalUntil != nil {
		body["optional_until"] = nil
		if !change.OptionalUntil.IsZero() {
			body["optional_until"] = change.OptionalUntil.UTC()
		}
	}
	orNull(body, "jit", change.JIT)
	for name, n := range map[string]*int{"session_idle_seconds": change.SessionIdleSeconds, "session_life_seconds": change.SessionLifeSeconds} {
		if n != nil {
			body[name] = nil
			if *n != 0 {
				body[name] = *n
			}
		}
	}
	change1(body, "confirm", change.Confirm)
	return fetch[Policy](ctx, c, put(body, "organizations", organizationID, "policy"))
}

// LeftOutMember is somebody who might not get in if single sign-on was required, or if the identity provider was gone. Status is active or pending.
type LeftOutMember struct {
	Raw

	MembershipID string   `json:"organization_membership_id"`
	UserID       string   `json:"user_id"`
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Primary      bool     `json:"primary"`
	Status       string   `json:"status"`
	Reasons      []string `json:"reasons"`
}

// LeftOutQuery says of whom. ConnectionID "": through any connection that lets people in; SSO "": as required_for_all would have it. Without is
// identity_provider, and goes alone: as if there was none.
type LeftOutQuery struct {
	Listing

	SSO, ConnectionID, Without string
}

// LeftOut lists who might not get in to an organization if single sign-on was required, or without its identity provider.
func (c *Client) LeftOut(ctx context.Context, organizationID string, q LeftOutQuery) iter.Seq2[LeftOutMember, error] {
	query := q.query()
	set(query, "sso", q.SSO)
	set(query, "connection", q.ConnectionID)
	set(query, "without", q.Without)
	return list[LeftOutMember](ctx, c, query, "organizations", organizationID, "left_out")
}

// EndSessions ends all sessions of an organization, or with userID those of one of its members, and says how many.
func (c *Client) EndSessions(ctx context.Context, organizationID, userID string) (int, error) {
	body := map[string]string{}
	if userID != "" {
		body["user_id"] = userID
	}
	done, err := fetch[struct {
		Ended int `json:"ended"`
	}](ctx, c, post(body, "organizations", organizationID, "end_sessions"))
	return done.Ended, err
}

// DeleteIdentityProvider takes an organization's connections and directories away. confirm is how many people would be left without a way in,
// nil to be told (Error.Confirm).
func (c *Client) DeleteIdentityProvider(ctx context.Context, organizationID string, confirm *int) error {
	what := remove("organizations", organizationID, "identity_provider")
	if confirm != nil {
		what.query = url.Values{"confirm": {strconv.Itoa(*confirm)}}
	}
	return c.send(ctx, what)
}

// BreakGlassUser is somebody whom an organization's policy does not bind for a while.
type BreakGlassUser struct {
	Raw

	OrganizationID string    `json:"organization_id"`
	UserID         string    `json:"user_id"`
	Reason         string    `json:"reason"`
	NamedBy        string    `json:"named_by"`
	ExpiresAt      time.Time `json:"expires_at"`
	CreatedAt      time.Time `json:"created_at"`
}

// BreakGlassUsers lists those of an organization.
func (c *Client) BreakGlassUsers(ctx context.Context, organizationID string) iter.Seq2[BreakGlassUser, error] {
	return list[BreakGlassUser](ctx, c, url.Values{}, "organizations", organizationID, "break_glass_users")
}

// NameBreakGlassUser exempts a member from the policy until a time within 30 days.
func (c *Client) NameBreakGlassUser(ctx context.Context, organizationID, userID, reason string, until time.Time) (BreakGlassUser, error) {
	body := map[string]any{"user_id": userID, "reason": reason, "expires_at": until.UTC()}
	return fetch[BreakGlassUser](ctx, c, post(body, "organizations", organizationID, "break_glass_users"))
}

// RevokeBreakGlassUser binds a member by the policy again.
func (c *Client) RevokeBreakGlassUser(ctx context.Context, organizationID, userID string) error {
	return c.send(ctx, remove("organizations", organizationID, "break_glass_users", userID))
}
