package sso

import (
	"context"
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Start is a sign-in to begin. Exactly one of ConnectionID and OrganizationID is given.
type Start struct {
	ConnectionID   ID
	OrganizationID string
	Kind           Kind       // SignIn or Test
	Continuation   []byte     // kept for the way back, at most 16 KiB
	Browser        token.Hash // of the cookie that binds the attempt to the browser
	LoginHint      string
	ForceAuthn     bool
	Base           string // our address as the provider shall see it, without a slash at the end
	IP, UserAgent  string
}

// Form is what a browser posts to the provider.
type Form struct {
	Action string
	Fields [][2]string
}

// Outgoing is the way to the provider: an address to redirect to, or a form to post.
type Outgoing struct {
	Attempt AttemptID
	URL     string
	Form    *Form
}

// SAMLArrival is what came to the address of a connection: by its key, or at a further path.
type SAMLArrival struct {
	Key, Path     string   // exactly one
	Bases         []string // every address of this installation, the connection's own first
	Response      string   // SAMLResponse as posted
	RelayState    string
	Browser       token.Hash // "" without cookie
	IP, UserAgent string
}

// OIDCArrival is what came to the redirect URI of a connection.
type OIDCArrival struct {
	Key           string
	Base          string // as it was given to Start
	Query         url.Values
	Browser       token.Hash
	IP, UserAgent string
}

// Verified is an answer of the provider that holds: nothing of it is stored yet.
type Verified struct {
	Attempt         Attempt
	Connection      Connection
	Profile         Profile // with its id, stored by FinishInto
	SessionIndex    string  // SAML SessionIndex or OpenID Connect sid
	SessionUntil    time.Time
	AuthenticatedAt time.Time
	AMR             []string
	ACR             string
	Checks          []Check
	Warnings        []string // what works today and has to be mended

	arrived   arrived
	assertion token.Hash // of the id to be used up; "" for none
	usable    time.Time
	cert      string // fingerprint of the certificate that verified
}

// arrived is what is noted of the request that brought an answer.
type arrived struct {
	raw           []byte
	ip, userAgent string
}

// End is what a sign-in ended in. Both are empty where no accounts are kept.
type End struct {
	UserID    string
	SessionID string
}

// Refusal is the outcome of a sign-in that must not go on. It has to be given to Fail, which records it.
type Refusal struct {
	*fault.Error
	Attempt    *Attempt   // nil if it belongs to none
	Connection Connection // zero if there is none

	arrived arrived
	idpID   string
	email   string
	checks  []Check
}

// Unwrap gives the error for people.
func (r *Refusal) Unwrap() error { return r.Error }

// UnsolicitedError says that a good response came that nobody asked for: the caller begins a sign-in of its own with the same
// browser. It is no refusal and no sign-in.
type UnsolicitedError struct {
	Connection Connection
	LoginHint  string
}

func (*UnsolicitedError) Error() string { return "the identity provider began this sign-in" }

// Start begins an attempt.
func (s *Service) Start(ctx context.Context, st Start) (Outgoing, error) { return Outgoing{}, nil }

// ReceiveSAML verifies a response. It writes nothing. Errors: *Refusal, to be given to Fail; *UnsolicitedError.
func (s *Service) ReceiveSAML(ctx context.Context, a SAMLArrival) (*Verified, error) { return nil, nil }

// ReceiveOIDC redeems and verifies what came to a redirect URI. The error is a *Refusal, to be given to Fail.
func (s *Service) ReceiveOIDC(ctx context.Context, a OIDCArrival) (*Verified, error) { return nil, nil }

// Refuse makes the refusal of a verified answer, for reasons that lie with the caller. err has one of the codes of this package.
func (v *Verified) Refuse(err *fault.Error) *Refusal { return &Refusal{Error: err} }

// FinishInto adds what a sign-in changes to a write: the attempt is used, the assertion is used up, the profile is stored, the
// connection becomes active with its first. A lost guard or a unique violation of the write means that the world has changed since
// Receive: receive again, which then says what.
func (s *Service) FinishInto(w *db.Write, v *Verified, end End) {}

// FinishTest records the result of a test with further checks of the caller. It succeeded when every check passed.
func (s *Service) FinishTest(ctx context.Context, v *Verified, more ...Check) (Attempt, error) {
	return Attempt{}, nil
}

// Fail records a refusal and gives its attempt. One that belongs to no attempt is recorded under its connection, if it has one.
func (s *Service) Fail(ctx context.Context, r *Refusal) (Attempt, error) { return Attempt{}, nil }

// Attempt finds one attempt.
func (s *Service) Attempt(ctx context.Context, id AttemptID) (Attempt, error) { return Attempt{}, nil }
