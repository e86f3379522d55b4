package issuer

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Prefixes of ids.
const (
	ApplicationPrefix = "conn_app"
	ClientPrefix      = "client"
	SecretPrefix      = "secret"
	RedirectPrefix    = "redir"
	DeliveryPrefix    = "logout_delivery"
)

// Application is an OpenID client.
type Application struct {
	ID             string
	ClientID       string
	Name           string
	Description    string
	OrganizationID string // "": for all organizations
	Default        bool   // the one that is there from the first start
	FirstParty     bool
	Public         bool // has no secret, and proves itself by PKCE alone
	UsesPKCE       bool // wants PKCE on the compatible routes too
	Scopes         []string
	Algorithm      oidc.Algorithm // of ID and logout tokens
	LogoutURI      string         // back channel
	InitiateURI    string         // where a sign-in that the provider began starts over
	SignIn         []RedirectURI  // where codes go
	SignOut        []RedirectURI  // where a person may go after the logout
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// DefaultURI is the redirect URI that stands for the application where none is named; "" without any.
func (a Application) DefaultURI() string {
	for _, u := range a.SignIn {
		if u.Default {
			return u.URI
		}
	}
	return ""
}

// RedirectURI is an address that the browser may be sent to.
type RedirectURI struct {
	ID        string
	URI       string
	Default   bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Secret is a client secret, without its value: that is shown once, and only its hash is kept.
type Secret struct {
	ID            string
	ApplicationID string
	Hint          string    // last characters of the value
	LastUsedAt    time.Time // to the minute; zero: never
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// NewURI is a redirect URI to be registered. At most one of an application's is the default; without one it is the first.
type NewURI struct {
	URI     string
	Default bool
}

// New is an application to be made.
type New struct {
	Name           string
	Description    string
	OrganizationID string
	FirstParty     bool
	Public         bool
	UsesPKCE       bool
	Scopes         []string // none: all there are
	SignIn         []NewURI
	SignOut        []string
	Algorithm      oidc.Algorithm // "": RS256, which every client understands (OpenID Connect Core 1.0, section 15.1)
	LogoutURI      string
	InitiateURI    string
}

// Change is what Update changes; nil leaves as it is.
type Change struct {
	Name, Description      *string
	Scopes                 *[]string
	SignIn                 *[]NewURI
	SignOut                *[]string
	Algorithm              *oidc.Algorithm
	LogoutURI, InitiateURI *string
	UsesPKCE               *bool
}

// Grant is what a sign-in gives to an application: who, through what, and when.
type Grant struct {
	ApplicationID   string
	OrganizationID  string // "" without one
	SessionID       string // "": the sign-in ended in a profile
	Starts          bool   // the session is one that the same write starts, so that it need not be held
	SessionUntil    time.Time
	UserID          string // "" with a profile alone
	ProfileID       string
	ConnectionID    string
	AMR             []string
	AuthenticatedAt time.Time
}

// Subject is who the grant is about: the user, or the profile where no accounts are kept.
func (g Grant) Subject() string {
	if g.UserID != "" {
		return g.UserID
	}
	return g.ProfileID
}

// People tells of people. Both are asked at every redemption and every refresh, outside any transaction.
type People interface {
	// Claims gives what is known of the subject under OpenID's names: email, email_verified, name, given_name, family_name, picture,
	// locale, groups, roles… What a scope does not allow is taken out again, and what the issuer says itself cannot be replaced.
	Claims(ctx context.Context, g Grant, scope []string) (map[string]any, error)
	// Admitted refuses with a *fault.Error whom the application may not let in any more; the grant then ends. Any other error is a failure.
	Admitted(ctx context.Context, g Grant) error
}

// Profile is what an identity provider asserted of a person, as the compatible API shows it.
type Profile struct {
	ID, OrganizationID, ConnectionID string
	JSON                             []byte
}

// Profiles finds profiles; one that is not there is a *fault.Error of kind NotFound.
type Profiles interface {
	Profile(ctx context.Context, id string) (Profile, error)
}

// TokenResponse is what a token endpoint answers.
type TokenResponse struct {
	AccessToken  token.Secret
	ExpiresIn    time.Duration
	RefreshToken token.Secret // "" without one
	IDToken      string       // "" without one
	Scope        []string
	Profile      []byte // of StyleSSO: JSON
	Style        oidc.Style

	account Account // of StyleUserManagement, as is grant
	grant   Grant
}

// Delivery is the telling of one application that one session has ended.
type Delivery struct {
	ID             string
	ApplicationID  string
	SessionID      string
	OrganizationID string
	UserID         string
	EventID        string // the session.revoked it tells of
	State          DeliveryState
	Attempts       int
	NextAt         time.Time // zero: nothing left to do
	LastStatus     int       // 0: no answer came
	LastError      string
	EndedAt        time.Time // when the session ended
	CreatedAt      time.Time
	FinishedAt     time.Time
}

// DeliveryState says how far a delivery is.
type DeliveryState string

// The states.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed"
)

// Seconds is the time from the end of the session to the application's acknowledgement; ok is false while there is none.
func (d Delivery) Seconds() (seconds float64, ok bool) {
	return d.FinishedAt.Sub(d.EndedAt).Seconds(), d.State == Delivered
}

// Page selects a page of a list. Limit is the page size; Before and After are ids.
type Page struct {
	Before, After string
	Limit         int
	Ascending     bool
}

// Caller is who changes applications.
type Caller = event.Actor
