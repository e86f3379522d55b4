package operator

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

// ID names an operator: "operator_01…".
type ID string

// Prefixes of ids and secrets.
const (
	Prefix         = "operator"
	sessionPrefix  = "operator_session"
	passkeyPrefix  = "operator_passkey"
	linkPrefix     = "operator_link"
	cookiePrefix   = "operator_cookie"
	ceremonyPrefix = "operator_ceremony"
)

// Role is what an operator may do.
type Role string

// The closed list of roles.
const (
	Owner    Role = "owner"     // everything
	Admin    Role = "admin"     // everything but other operators
	ReadOnly Role = "read_only" // look, and their own sign-in
)

// Roles are all roles, the mightiest first.
func Roles() []Role { return []Role{Owner, Admin, ReadOnly} }

// May tells whether somebody of role r may do what needs at least the role least.
func (r Role) May(least Role) bool {
	return r.rank() > 0 && r.rank() >= least.rank()
}

// rank is 0 for what is no role; as a demand that is met by nobody, for May asks for more than 0.
func (r Role) rank() int {
	switch r {
	case Owner:
		return 3
	case Admin:
		return 2
	case ReadOnly:
		return 1
	}
	return 0
}

// Operator is a person who may use the dashboard.
type Operator struct {
	ID           ID
	Email        string
	Name         string // "" where nobody has said
	Role         Role
	CreatedAt    time.Time
	LastSignInAt time.Time // zero: never
	Passkeys     int       // how many they have; filled by List only
}

// Called is the name, or else the address.
func (o Operator) Called() string {
	if o.Name != "" {
		return o.Name
	}
	return o.Email
}

// Actor is the operator as the cause of what they do in the dashboard.
func (o Operator) Actor() event.Actor {
	email := o.Email
	return event.Actor{ID: string(o.ID), Source: event.Dashboard, Name: &email}
}

func (o Operator) settings() event.Settings {
	return event.Settings{"email": o.Email, "name": o.Name, "role": string(o.Role)}
}

// Method is how somebody has signed in.
type Method string

// The closed list of methods.
const (
	ByLink    Method = "link"
	ByPasskey Method = "passkey"
)

// Session is a browser that is signed in.
type Session struct {
	ID         string
	OperatorID ID
	Method     Method
	IP         string
	UserAgent  string
	CreatedAt  time.Time
	SeenAt     time.Time // exact to a minute
	ExpiresAt  time.Time // in any case
}

// Visitor is where a sign-in comes from, as the session's owner sees it listed.
type Visitor struct {
	IP        string
	UserAgent string // at most 400 bytes of text
}

// Opening is what a link that is still good opens.
type Opening struct {
	First    bool     // it makes the first operator, who has to say who they are
	Operator Operator // else: whom it signs in
}

// SignedIn is a sign-in that has succeeded. The cookie is what the session is known by, and stored nowhere else.
type SignedIn struct {
	Operator Operator
	Session  Session
	Cookie   token.Secret
}

// Passkey is one of an operator's.
type Passkey struct {
	ID         string
	OperatorID ID
	Host       string // that it is for
	Name       string
	CreatedAt  time.Time
	LastUsedAt time.Time // zero: never
}

// How long things last.
const (
	FirstLinkLife   = 24 * time.Hour   // printed by a start
	CommandLinkLife = 15 * time.Minute // made by the command line, for whoever sits there
	SentLinkLife    = 24 * time.Hour   // made by an owner for somebody else
	SessionIdle     = 8 * time.Hour
	SessionLife     = 7 * 24 * time.Hour
	ceremonyLife    = 5 * time.Minute
)
