package session

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Prefixes of ids.
const (
	Prefix      = "session"
	GrantPrefix = "grant"
	MagicPrefix = "magic_auth"
)

// Method is how somebody proved who they are.
type Method string

// The methods.
const (
	SSO       Method = "sso"
	MagicAuth Method = "magic_auth"
)

// shown is the method in the words of the contract.
func (m Method) shown() string {
	switch m {
	case SSO:
		return "sso"
	case MagicAuth:
		return "magic_code"
	}
	return "unknown"
}

// Life bounds a session: it ends when it was not used for Idle, and after Absolute in any case. Both are whole seconds.
type Life struct{ Idle, Absolute time.Duration }

// DefaultLife is what a session lives unless its organization says otherwise: a working day without use, a week in all.
func DefaultLife() Life { return Life{Idle: 12 * time.Hour, Absolute: 7 * 24 * time.Hour} }

// New is a session to be started. Life's zero fields are those of DefaultLife.
type New struct {
	Cookie          token.Hash // of the browser's new cookie
	OrganizationID  string     // "" without one
	UserID          string
	ConnectionID    string // "" when no identity provider was asked
	ProfileID       string
	IDPSession      string // SAML SessionIndex or OIDC sid
	Subject         Subject
	Browser         token.Hash // of the cookie that binds the browser's steps; "" when that is not known
	Method          Method
	AMR             []string // RFC 8176
	IP, UserAgent   string
	AuthenticatedAt time.Time // zero: now
	Life            Life
	Until           time.Time // the identity provider's end (SAML SessionNotOnOrAfter); zero: none
}

// Subject is how the identity provider named the person at a sign-in: Key is the name, Text that with its qualifiers, in a form that only
// sso reads. Both are "" where no provider was asked, and in sessions of earlier releases.
type Subject struct{ Text, Key string }

// Session is one person at one organization in one browser.
type Session struct {
	ID              string
	OrganizationID  string // "" without one
	UserID          string
	ConnectionID    string
	ProfileID       string
	IDPSession      string
	Subject         Subject
	Browser         token.Hash
	Method          Method
	AMR             []string
	IP, UserAgent   string
	AuthenticatedAt time.Time
	CreatedAt       time.Time
	SeenAt          time.Time // to the minute
	Idle            time.Duration
	ExpiresAt       time.Time
	EndedAt         time.Time // zero: not ended
	EndReason       Reason
}

// Open is what is told of a session when it ends.
type Open struct {
	ID             string
	OrganizationID string // "" without one
	UserID         string
	Method         Method
	IP, UserAgent  string
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

func (s Session) open() Open {
	return Open{
		ID: s.ID, OrganizationID: s.OrganizationID, UserID: s.UserID, Method: s.Method, IP: s.IP, UserAgent: s.UserAgent, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt,
	}
}

// Living says whether the session serves at a moment.
func (s Session) Living(now time.Time) bool {
	return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) && now.Before(s.SeenAt.Add(s.Idle))
}

// Reason says why a session ended. It is the reason in the context of session.revoked.
type Reason string

// The reasons.
const (
	SignedOut           Reason = "signed_out"           // by the person, here or at an application
	SignedInAgain       Reason = "signed_in_again"      // the browser got a new session
	ProviderSignedOut   Reason = "provider_signed_out"  // the identity provider said so
	UserDeactivated     Reason = "user_deactivated"     // the account may not be used any more
	UserDeleted         Reason = "user_deleted"         // the account is gone
	MembershipEnded     Reason = "membership_ended"     // not of this organization any more
	ConnectionEnded     Reason = "connection_ended"     // the connection was switched off or deleted
	OrganizationDeleted Reason = "organization_deleted" // with all it had
	Revoked             Reason = "revoked"              // by the operator
	SSORequired         Reason = "sso_required"         // the organization's policy lets nobody in any more who did not come through its provider
	NotAdmitted         Reason = "not_admitted"         // found at a refresh that the person may not come in any more
	TokenReused         Reason = "refresh_token_reused" // only in the log: such a grant ends, its session goes on
)

// Ending says why and by whom sessions are ended. Context.Reason is set from Reason.
type Ending struct {
	Reason  Reason
	Context event.Context
}

// Selection says which sessions are meant. The combinations there are:
//
//	SessionID                       that one
//	UserID                          all of a user
//	UserID + OrganizationID         those of a membership
//	OrganizationID                  all of an organization, grants without a session too
//	OrganizationID + ConnectionID   those through a connection, grants without a session too
//	OrganizationID + ConnectionID + IDPSession    those that belong to one session at the identity provider
//	OrganizationID + ConnectionID + Subject, or with IDPSession too    those that the provider names so
//	OrganizationID + ProfileID      those of a profile, grants without a session too
//	UserID + Browser                all of a user in one browser
type Selection struct {
	SessionID, UserID, OrganizationID, ConnectionID, ProfileID, IDPSession string

	Subject  string // a Subject's Key
	Nameless bool   // only those that have no Subject
	// Unvouched means only those that no identity provider vouched for. It goes with OrganizationID, with or without UserID, and never means
	// grants without a session: those came from a provider.
	Unvouched bool
	Browser   token.Hash
}

// Here is the person of a session in its browser; where that is not known, the session alone.
func (s Session) Here() Selection {
	if s.Browser == "" {
		return Selection{SessionID: s.ID}
	}
	return Selection{UserID: s.UserID, Browser: s.Browser}
}

// Code is an authorization code as it is stored.
type Code struct {
	Hash            token.Hash
	ApplicationID   string
	OrganizationID  string // "" without one
	SessionID       string // "": the sign-in ended in a profile
	UserID          string
	ProfileID       string
	ConnectionID    string
	RedirectURI     string
	Challenge       string // PKCE S256; "" without
	Nonce           string
	Scope           string     // separated by spaces
	Style           oidc.Style // which token route it is for
	GrantID         string
	AMR             []string
	AuthenticatedAt time.Time
	Until           time.Time // the session's end, which no token of it outlives; zero without a session
	CreatedAt       time.Time
	ExpiresAt       time.Time
	UsedAt, EndedAt time.Time
}

// AccessToken is an opaque access token as it is stored.
type AccessToken struct {
	Hash           token.Hash
	GrantID        string
	ApplicationID  string
	OrganizationID string
	SessionID      string // "": of a grant without session
	UserID         string
	ProfileID      string
	ConnectionID   string
	Style          oidc.Style
	Scope          string
	CreatedAt      time.Time
	ExpiresAt      time.Time
	RevokedAt      time.Time
}

// RefreshToken is a refresh token as it is stored; it always has a session.
type RefreshToken struct {
	Hash            token.Hash
	GrantID         string
	ApplicationID   string
	OrganizationID  string
	SessionID       string
	UserID          string
	ProfileID       string
	Scope           string // what the grant was given: an access token may have less, never more
	Nonce           string
	AuthenticatedAt time.Time
	CreatedAt       time.Time
	ExpiresAt       time.Time
	UsedAt          time.Time
	RevokedAt       time.Time
}

// Magic is a mailed proof of an address.
type Magic struct {
	ID           string
	Email        string
	UserID       string // "": nobody has an account with it
	Browser      token.Hash
	Continuation string
	Tries        int
	CreatedAt    time.Time
	ExpiresAt    time.Time
	UsedAt       time.Time

	emailKey string
	number   int64
	code     string // sealed
	link     token.Hash
}

// NewMagic is a magic auth to be made.
type NewMagic struct {
	Email, EmailKey string // EmailKey: folded, as users have it
	UserID          string
	Browser         token.Hash
	Continuation    string
}
