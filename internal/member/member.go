package member

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/org"
)

// UserID is an account's id, "user_…".
type UserID string

// MembershipID is the id of an organization membership, "om_…".
type MembershipID string

// User is a person's account in the app, across organizations. Email is data, not identity, but no two living accounts share one.
type User struct {
	ID                 UserID
	Email              string
	EmailVerified      bool // by a verified domain of an organization, or by a code mailed to it
	FirstName          string
	LastName           string
	PictureURL         string
	Locale             string
	ExternalID         string
	Metadata           map[string]string
	HomeOrganizationID string    // whose primary member the account is; "": nobody's
	DeprovisionedAt    time.Time // zero: it is not; else since when a directory of the home organization wants the person out
	DeprovisionedBy    string    // that organization
	LastSignInAt       time.Time // zero: never
	Version            int64
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// State of a membership. The contract shows pending, active and inactive; removed members are left out of lists.
type State string

// The states.
const (
	Pending  State = "pending"
	Active   State = "active"
	Inactive State = "inactive"
	Removed  State = "removed"
)

// Why says what put a membership into its state.
type Why string

// The reasons. Every one has its sentence in docs/reference/membership.md.
const (
	WhySignIn               Why = "sign_in"               // created just in time, by the verified domain or the connection's option
	WhyInvitation           Why = "invitation"            // accepted
	WhyAPI                  Why = "api"                   // made by the app or the operator
	WhyDirectory            Why = "directory"             // a directory knows and wants the person
	WhyReactivated          Why = "reactivated"           // by hand
	WhyInvited              Why = "invited"               // by hand; nobody has come in yet
	WhyInvitedByDirectory   Why = "invited_by_directory"  // nobody has come in yet
	WhyDeactivated          Why = "deactivated"           // by hand
	WhyRemoved              Why = "removed"               // by hand
	WhyInvitationExpired    Why = "invitation_expired"    // nobody came in by it
	WhyDirectoryInactive    Why = "directory_inactive"    // the directory wants the person out
	WhyDirectoryRemoved     Why = "directory_removed"     // the directory has deleted the person
	WhyAccountDeprovisioned Why = "account_deprovisioned" // the primary organization has
	WhyHeldByBrake          Why = "held_by_brake"         // the directory wants the person out, in a burst that its brake holds, or whose hold was undone
)

// Whys lists them.
func Whys() []Why {
	return []Why{
		WhySignIn, WhyInvitation, WhyAPI, WhyDirectory, WhyReactivated, WhyInvited, WhyInvitedByDirectory, WhyDeactivated, WhyRemoved, WhyInvitationExpired,
		WhyDirectoryInactive, WhyDirectoryRemoved, WhyAccountDeprovisioned, WhyHeldByBrake,
	}
}

// RoleMember is everybody's role.
const RoleMember = "member"

// Membership is a user's place in an organization.
type Membership struct {
	ID              MembershipID
	OrganizationID  string
	UserID          UserID
	State           State
	Primary         bool // the account belongs to this organization; else a guest
	Role            string
	Why             Why
	Told            Verdict // what the app was told of a member whom the brake holds; zero: State and Why themselves
	DirectoryUserID string  // the person in a directory it was joined with; "" if none
	// A directory that is there has the person. It is drawn from what directories say, and not stored.
	DirectoryManaged bool

	JoinedAt  time.Time // zero: never came in
	JoinedBy  JoinedVia
	BlockedAt time.Time // by hand; zero: not blocked
	BlockedBy string    // who blocked, or, while BlockedAt is zero, who let in again by hand
	RemovedAt time.Time // by hand; zero: not removed by hand
	RoleBy    GivenBy   // whose word the role is
	GivenRole string    // by hand or invitation; comes back when no mapping covers it any more

	Licence          string // slug of the licence that is held; "" for none
	WantedLicence    string // where no seat was left
	GivenLicence     string // by hand or invitation
	CustomAttributes map[string]any
	InvitationID     string // the pending one it waits for, or the one it was joined by

	asserted    string    // JSON of assertion: what a connection's mapping gave at the last sign-in; "" for nothing
	wantedSince time.Time // since when they wait for a seat of WantedLicence; zero: they do not

	expiredInvitation string // the last invitation by hand that expired before anybody came in by it

	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// GivenBy says whose word a role is; "" is nobody's: the default.
type GivenBy string

// Those who give.
const (
	ByHand       GivenBy = "hand"
	ByInvitation GivenBy = "invitation"
	ByMapping    GivenBy = "mapping"    // of a directory
	ByConnection GivenBy = "connection" // a connection's mapping, at the last sign-in
	ByBeingLast  GivenBy = "last_admin" // kept against a mapping: nobody else administers the organization
)

// mapped tells whether a mapping gave it, or would take it.
func (b GivenBy) mapped() bool { return b == ByMapping || b == ByConnection || b == ByBeingLast }

// RoleSource says for people and programs why somebody has their role.
type RoleSource string

// The sources. Each has its sentence in docs/reference/membership.md.
const (
	RoleByDefault    RoleSource = "default"
	RoleByHand       RoleSource = "hand"
	RoleByInvitation RoleSource = "invitation"
	RoleByDirectory  RoleSource = "directory"
	RoleByConnection RoleSource = "connection"
	RoleByBeingLast  RoleSource = "last_administrator"
)

// RoleSources lists them.
func RoleSources() []RoleSource {
	return []RoleSource{RoleByDefault, RoleByHand, RoleByInvitation, RoleByDirectory, RoleByConnection, RoleByBeingLast}
}

// RoleSource says why somebody has their role.
func (m Membership) RoleSource() RoleSource {
	switch m.RoleBy {
	case ByHand:
		return RoleByHand
	case ByInvitation:
		return RoleByInvitation
	case ByMapping:
		return RoleByDirectory
	case ByConnection:
		return RoleByConnection
	case ByBeingLast:
		return RoleByBeingLast
	}
	return RoleByDefault
}

// Identity says who a connection's idp id is.
type Identity struct {
	ConnectionID   string
	IDPID          string
	OrganizationID string
	UserID         UserID
	LinkedBy       LinkedBy
	CreatedAt      time.Time
	LastUsedAt     time.Time // zero: never
}

// LinkedBy says how the account of an identity was found.
type LinkedBy string

// The ways.
const (
	LinkedByDirectory LinkedBy = "directory" // the directory person the sign-in was joined with is this member
	LinkedByEmail     LinkedBy = "email"     // in a verified domain
	LinkedByCreation  LinkedBy = "created"
	LinkedByProof     LinkedBy = "proof" // outside verified domains: the person had proven the address. It serves only with that proof
)

// Payload is the user as API and events show it.
func (u User) Payload() []byte { return encode(u.payload()) }

type userPayload struct {
	Object        string            `json:"object"`
	ID            UserID            `json:"id"`
	Email         string            `json:"email"`
	EmailVerified bool              `json:"email_verified"`
	FirstName     *string           `json:"first_name"`
	LastName      *string           `json:"last_name"`
	Name          *string           `json:"name"`
	PictureURL    *string           `json:"profile_picture_url"`
	Locale        *string           `json:"locale"`
	ExternalID    *string           `json:"external_id"`
	Metadata      map[string]string `json:"metadata"`
	LastSignInAt  *string           `json:"last_sign_in_at"`
	CreatedAt     string            `json:"created_at"`
	UpdatedAt     string            `json:"updated_at"`
}

func (u User) payload() userPayload {
	p := userPayload{
		Object: "user", ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, FirstName: orNull(u.FirstName), LastName: orNull(u.LastName),
		Name: orNull(u.Name()), PictureURL: orNull(u.PictureURL), Locale: orNull(u.Locale), ExternalID: orNull(u.ExternalID),
		Metadata: u.Metadata, LastSignInAt: timeOrNull(u.LastSignInAt), CreatedAt: org.Time(u.CreatedAt), UpdatedAt: org.Time(u.UpdatedAt),
	}
	if p.Metadata == nil {
		p.Metadata = map[string]string{}
	}
	return p
}

// Name is the full name, "" if nothing of it is known.
func (u User) Name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// payload is what API and events say of a membership.
type payload struct {
	Object           string         `json:"object"`
	ID               MembershipID   `json:"id"`
	UserID           UserID         `json:"user_id"`
	OrganizationID   string         `json:"organization_id"`
	Status           State          `json:"status"`
	Why              Why            `json:"why"`
	Held             bool           `json:"held,omitzero"` // of the API alone
	Primary          bool           `json:"primary"`
	Role             rolePayload    `json:"role"`
	RoleSource       RoleSource     `json:"role_source"`
	Roles            []rolePayload  `json:"roles"`
	Licence          *string        `json:"licence"`
	WantedLicence    *string        `json:"wanted_licence"`
	DirectoryManaged bool           `json:"directory_managed"`
	CustomAttributes map[string]any `json:"custom_attributes"`
	JoinedAt         *string        `json:"joined_at"`
	CreatedAt        string         `json:"created_at"`
	UpdatedAt        string         `json:"updated_at"`
}

type rolePayload struct {
	Slug string `json:"slug"`
}

func (m Membership) payload() payload {
	status := m.State
	if status == Removed { // the contract has no word for it
		status = Inactive
	}
	p := payload{
		Object: "organization_membership", ID: m.ID, UserID: m.UserID, OrganizationID: m.OrganizationID, Status: status, Why: m.Why, Primary: m.Primary,
		Role: rolePayload{m.Role}, RoleSource: m.RoleSource(), Roles: []rolePayload{{m.Role}}, Licence: orNull(m.Licence), WantedLicence: orNull(m.WantedLicence),
		DirectoryManaged: m.DirectoryManaged, CustomAttributes: m.CustomAttributes, JoinedAt: timeOrNull(m.JoinedAt),
		CreatedAt: org.Time(m.CreatedAt), UpdatedAt: org.Time(m.UpdatedAt),
	}
	if p.CustomAttributes == nil {
		p.CustomAttributes = map[string]any{}
	}
	return p
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	shown := org.Time(t)
	return &shown
}

// Held tells whether the brake holds what a directory says of the member: they are out, and the app was not told.
func (m Membership) Held() bool { return m.Told != Verdict{} }

// told is the membership as the app was told of it.
func (m Membership) told() Membership {
	if m.Held() {
		m.State, m.Why, m.Told = m.Told.State, m.Told.Why, Verdict{}
	}
	return m
}

// Payload is the membership as events show it.
func (m Membership) Payload() []byte { return encode(m.told().payload()) }

// shown is the membership as the API shows it: the state that the app was told, and why that may soon be another one.
func (m Membership) shown() payload {
	p := m.told().payload()
	p.Why, p.Held = m.Why, m.Held()
	return p
}

// Member is a membership with its user.
type Member struct {
	Membership Membership
	User       User
}

// Payload is the member as the API shows it: the membership with its user, and the person in a directory that it was joined with.
func (m Member) Payload() []byte {
	return encode(struct {
		payload
		DirectoryUserID *string     `json:"directory_user_id"`
		User            userPayload `json:"user"`
	}{m.Membership.shown(), orNull(m.Membership.DirectoryUserID), m.User.payload()})
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// encode writes the JSON that JSON.stringify would: consumers check signatures over it. Text that is no UTF-8 is mended.
func encode(v any) []byte {
	out, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // plain structs of strings
		panic(err)
	}
	return out
}
