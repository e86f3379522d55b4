package sso

import (
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
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
	Network        string // by which open attempts are counted, IP's; "": they are not
}

// Form is what a browser posts to the provider.
type Form = saml.Form

// Outgoing is the way to the provider: an address to redirect to, or a form to post.
type Outgoing struct {
	Attempt AttemptID
	URL     string
	Form    *Form
}

// Bases are the addresses of this installation at which an organization's connections are served, its own first. The host of one
// organization is none of another's.
type Bases = func(organizationID string) []string

// SAMLArrival is what came to the address of a connection: by its key, or at a further path.
type SAMLArrival struct {
	Key, Path  string // exactly one
	Bases      Bases
	Called     string // the base that was called, if it is one that the operator has named; a further path counts at its own bases only
	Response   string // SAMLResponse as posted
	RelayState string
	Browser    token.Hash // "" without cookie
	// Early asks for what the first verifier says, though the second is still at work: who decides by it calls Agreed before anything is
	// written down or shown.
	Early         bool
	IP, UserAgent string
}

// OIDCArrival is what came to the redirect URI of a connection.
type OIDCArrival struct {
	Key           string
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
	Subject         string // NameID or sub, also where another attribute identifies the person
	Checks          []Check
	Warnings        []string // what works today and has to be mended
	// DomainVerified says that the email address lies in a domain that the organization has verified. What follows from it is for
	// others to decide.
	DomainVerified bool

	arrived     arrived
	assertion   token.Hash // of the id to be used up; "" for none
	usable      time.Time
	certificate *Certificate // that verified
	owner       org.Organization
	changed     bool // the profile is not what is stored
	agreed      func() error
	meeting     []db.Question // gives the profile its id
}

// Agreed waits for the second verifier. The error is a *Refusal where it disagrees; nothing may then come of the answer. FinishInto and
// FinishTest ask it too.
func (v *Verified) Agreed() error {
	if v.agreed == nil {
		return nil
	}
	return v.agreed()
}

// Meeting is what is still to be asked so that the profile has its id, beside other questions: nothing but after an early arrival.
func (v *Verified) Meeting() []db.Question { return v.meeting }

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

// Fault is the error that crosses floors; the alias lets Refusal embed it beside its method of that name.
type Fault = fault.Error

// Refusal is the outcome of a sign-in that must not go on. It has to be given to Fail, which records it.
type Refusal struct {
	*Fault
	Attempt    *Attempt   // nil if it belongs to none
	Over       *Attempt   // of this browser, which has ended already: the answer came once more, or too late
	Connection Connection // zero if there is none

	arrived arrived
	idpID   string
	email   string
	checks  []Check
}

// Unwrap gives the error for people.
func (r *Refusal) Unwrap() error { return r.Fault }

// UnsolicitedError says that a good response came that nobody asked for: the caller begins a sign-in of its own with the same
// browser. It is no refusal and no sign-in.
type UnsolicitedError struct {
	Connection Connection
	LoginHint  string
}

func (*UnsolicitedError) Error() string { return "the identity provider began this sign-in" }
