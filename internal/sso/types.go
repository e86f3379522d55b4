package sso

import (
	"crypto/x509"
	"time"
)

// ID is a connection's id, "conn_…".
type ID string

// AttemptID is an attempt's id, "sign_in_attempt_…".
type AttemptID string

// ProfileID is a profile's id, "prof_…".
type ProfileID string

// Prefixes of the ids.
const (
	ConnectionPrefix = "conn"
	AttemptPrefix    = "sign_in_attempt"
	ProfilePrefix    = "prof"
)

// Protocol is how a connection speaks with its provider.
type Protocol string

// The protocols.
const (
	SAML Protocol = "saml"
	OIDC Protocol = "oidc"
)

// State says whether a connection lets people in.
type State string

// The states, see the package comment. Validating lets people in: the first who comes makes it active.
const (
	Draft      State = "draft"
	Validating State = "validating"
	Active     State = "active"
	Inactive   State = "inactive"
)

// UnsolicitedPolicy is what is done about a response that was not asked for. It is never a sign-in.
type UnsolicitedPolicy string

// The policies: begin a sign-in of our own with the same browser, or refuse.
const (
	Restart UnsolicitedPolicy = "restart"
	Refuse  UnsolicitedPolicy = "refuse"
)

// AuthMethod is how we show the client secret to an OpenID provider (OpenID Connect Core 1.0, section 9).
type AuthMethod string

// The methods. PrivateKeyJWT signs with the connection's own key.
const (
	SecretBasic   AuthMethod = "client_secret_basic"
	SecretPost    AuthMethod = "client_secret_post"
	PrivateKeyJWT AuthMethod = "private_key_jwt"
)

// Options are what can be chosen of a connection. The zero value is the default.
type Options struct {
	// Default marks the connection that is meant by its organization where several are active.
	Default bool `json:"default"`
	// ForceAuthn asks the provider to authenticate again each time.
	ForceAuthn bool `json:"force_authn"`
	// AllowOutsideDomains lets in people whose email address lies in no domain that the organization has verified.
	AllowOutsideDomains bool `json:"allow_outside_domains"`
	// AllowUnverifiedEmail takes an address that the provider itself calls not verified: whoever can change their own address there
	// can then become somebody else here.
	AllowUnverifiedEmail bool `json:"allow_unverified_email"`
	// ClockSkew is how far the provider's clock may be off, in seconds: 60 to 180; 0 is 120.
	ClockSkew int `json:"clock_skew"`

	// SingleLogout sends people who sign out here on to the provider, so that they are signed out there too. nil: where a SAML provider
	// has an address for it, and at no OpenID provider, many of which stop to ask.
	SingleLogout *bool `json:"single_logout"`

	// Of SAML.
	SignRequests     bool              `json:"sign_requests"`
	NameIDFormat     string            `json:"nameid_format"`
	RequireEncrypted bool              `json:"require_encrypted"`
	AllowCBC         bool              `json:"allow_cbc"`
	AllowSHA1Until   *time.Time        `json:"allow_sha1_until"`
	Contexts         []string          `json:"requested_authn_contexts"`
	Unsolicited      UnsolicitedPolicy `json:"unsolicited"`
	// RestartUnknown treats a response to a request that we do not know as one that was not asked for: some providers make up
	// an InResponseTo when they begin the sign-in.
	RestartUnknown bool `json:"restart_unknown_requests"`

	// Of OpenID Connect.
	Scopes     []string   `json:"scopes"`
	AuthMethod AuthMethod `json:"token_endpoint_auth_method"`
	Algorithms []string   `json:"id_token_signing_algs"`
}

// AttributeMap names the provider's attributes by what they mean here: idp_id, email, first_name, last_name, name, groups, roles; any
// other name is a custom attribute. It wins over what is known of the provider.
type AttributeMap map[string][]string

// Connection is an organization's link to an identity provider.
type Connection struct {
	ID             ID
	OrganizationID string
	Key            string // of its addresses: 24 lower-case letters and digits
	Protocol       Protocol
	Type           Type
	Provider       string // folder of the catalogue
	Name           string
	State          State
	Switching      Switching
	Options        Options
	AttributeMap   AttributeMap
	Paths          []string // further paths at which responses are taken

	// Of SAML.
	SPEntityID     string // "": made of the address
	SPCertificate  string // PEM
	IDPEntityID    string
	SSOURL         string
	SSOBinding     Binding
	SLOURL         string
	SLOBinding     Binding
	SLOResponseURL string // where answers to its logouts go, if not to SLOURL
	Certificates   []Certificate
	MetadataURL    string
	MetadataAt     time.Time      // last read
	MetadataError  string         // why the last reading failed
	Pending        *PendingChange // what the metadata says and somebody has to approve

	// Of OpenID Connect.
	Issuer    string
	ClientID  string
	HasSecret bool
	// ClientSecretExpiresAt is when the client secret ends, as somebody has told; zero: nobody has.
	ClientSecretExpiresAt time.Time

	FirstSuccessAt time.Time
	LastSuccessAt  time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time

	metadata     string // as it was last taken over
	metadataETag string
	metadataDue  time.Time
	spKey        string // sealed
	clientSecret string // sealed
	discovery    string
	jwks         string
	jwksAt       time.Time
	parsed       map[string]*x509.Certificate // by fingerprint, where that was done already
	version      int64
}

// Binding is how a SAML message travels by the browser.
type Binding string

// The bindings.
const (
	Redirect Binding = "redirect"
	Post     Binding = "post"
)

// Source says who gave a certificate.
type Source string

// The sources.
const (
	FromMetadata Source = "metadata"
	ByHand       Source = "manual"
)

// Certificate is one that the provider signs with.
type Certificate struct {
	Fingerprint  string // SHA-256 of the DER, hexadecimal
	PEM          string
	Subject      string
	NotBefore    time.Time
	NotAfter     time.Time
	Source       Source
	CreatedAt    time.Time
	LastUsedAt   time.Time
	MissingSince time.Time // the metadata does not name it since

	announced int64 // least number of days before its end that was announced; -1: none
}

// PendingChange is a reading of the metadata that is not taken over by itself.
type PendingChange struct {
	Reasons      []string  `json:"reasons"` // entity_id_changed, no_certificate_left, not_secure
	At           time.Time `json:"at"`
	IDPEntityID  string    `json:"idp_entity_id"`
	SSOURL       string    `json:"sso_url"`
	Certificates []string  `json:"certificates"` // fingerprints
	Document     string    `json:"document"`     // shown to nobody: it is long
}

// Kind is what an attempt is for.
type Kind string

// The kinds. A test makes no profile, account or session.
const (
	SignIn  Kind = "sign_in"
	Test    Kind = "test"
	Unasked Kind = "unsolicited"
)

// AttemptState says where an attempt is.
type AttemptState string

// The states of an attempt.
const (
	AtProvider AttemptState = "at_provider"
	Succeeded  AttemptState = "succeeded"
	Failed     AttemptState = "failed"
	TimedOut   AttemptState = "timed_out"
)

// AttemptStates are all there are.
func AttemptStates() []AttemptState { return []AttemptState{AtProvider, Succeeded, Failed, TimedOut} }

// Check is one thing that was looked at: green if it passed, red if not.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Wanted string `json:"wanted"`
	Got    string `json:"got"`
	Code   Code   `json:"code,omitempty"` // of the refusal that it is, when it did not pass
}

// Attempt is one way to the identity provider and back.
type Attempt struct {
	ID             AttemptID
	OrganizationID string
	ConnectionID   ID
	Kind           Kind
	State          AttemptState
	Continuation   []byte // what is to happen afterwards, as given to Start
	LoginHint      string
	ForceAuthn     bool
	Refused        *Refused // why it failed
	Checks         []Check
	ProfileID      ProfileID
	UserID         string
	SessionID      string
	IDPID          string
	Email          string
	IP             string
	UserAgent      string
	CreatedAt      time.Time
	FinishedAt     time.Time
	ExpiresAt      time.Time

	browser string
	network string
	secret  string // sealed
}

// Refused is what is kept of a refusal.
type Refused struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Wanted  string `json:"wanted,omitempty"`
	Got     string `json:"got,omitempty"`
	Fixer   Fixer  `json:"fixer"`
	Advice  string `json:"advice"` // a sentence for who must mend it
}

// Profile is what an identity provider asserted of a person.
type Profile struct {
	ID             ProfileID
	OrganizationID string
	ConnectionID   ID
	ConnectionType Type
	IDPID          string
	Subject        Subject // NameID, or sub
	Email          string
	EmailVerified  bool // the provider says so (OpenID Connect); for what it counts see the package member
	FirstName      string
	LastName       string
	Name           string
	Groups         []string
	Roles          []string
	Custom         map[string]any
	Raw            map[string]any
	// GroupsCut is how many groups were left out because there were more than are kept.
	GroupsCut int
	CreatedAt time.Time
	UpdatedAt time.Time

	userID  string // whose account; "" where no accounts are kept
	version int64  // 0: not stored yet
}

// UserID says whose account stands behind the profile; "" where no accounts are kept.
func (p Profile) UserID() string { return p.userID }
