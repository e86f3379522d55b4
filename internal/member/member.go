package member

import (
	"time"
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

// The reasons there are now.
const (
	WhySignIn               Why = "sign_in"               // created just in time, by the verified domain or the connection's option
	WhyDirectory            Why = "directory"             // created just in time: a directory knows and wants the person
	WhyDeactivated          Why = "deactivated"           // by hand
	WhyReactivated          Why = "reactivated"           // by hand
	WhyRemoved              Why = "removed"               // by hand
	WhyDirectoryInactive    Why = "directory_inactive"    // the directory wants the person out
	WhyDirectoryRemoved     Why = "directory_removed"     // the directory has deleted the person
	WhyAccountDeprovisioned Why = "account_deprovisioned" // the primary organization has
)

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
	DirectoryUserID string // the person in a directory it was joined with; "" if none
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
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
)

// Payload is the user as API and events show it.
func (u User) Payload() []byte { return nil }

// Payload is the membership as API and events show it, which includes its user.
func (m Membership) Payload(u User) []byte { return nil }
