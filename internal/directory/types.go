package directory

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Ids are distinct types, so that none can be passed for another.

// ID is a directory's id, "directory_…".
type ID string

// UserID is a directory user's id, "directory_user_…". It is the SCIM id too.
type UserID string

// GroupID is a directory group's id, "directory_group_…". It is the SCIM id too.
type GroupID string

// TokenID is the id of a bearer token, "directory_token_…".
type TokenID string

// ExchangeID is the id of a recorded request, "exchange_…".
type ExchangeID string

// Type is the kind of feed, in the contract's words. Only the SCIM ones can be created.
type Type string

// The types that can be created.
const (
	AzureSCIM        Type = "azure scim v2.0"
	CyberArkSCIM     Type = "cyberark scim v2.0"
	GenericSCIM      Type = "generic scim v2.0"
	JumpCloudSCIM    Type = "jump cloud scim v2.0"
	OktaSCIM         Type = "okta scim v2.0"
	OneLoginSCIM     Type = "onelogin scim v2.0"
	PingFederateSCIM Type = "pingfederate scim v2.0"
	RipplingSCIM     Type = "rippling scim v2.0"
	SailPointSCIM    Type = "sailpoint scim v2.0"
)

// Types lists the types that can be created.
func Types() []Type {
	return []Type{
		AzureSCIM, CyberArkSCIM, GenericSCIM, JumpCloudSCIM, OktaSCIM, OneLoginSCIM, PingFederateSCIM, RipplingSCIM, SailPointSCIM,
	}
}

// State of a directory.
type State string

// The states that a push directory has. The API says linked where events say active (contract of the compatible API).
const (
	Unlinked State = "unlinked"
	Linked   State = "linked"
)

// InactiveUsers says how consumers learn of people who became inactive.
type InactiveUsers string

// Kept: dsync.user.updated with state inactive. Removed: dsync.user.deleted, and dsync.user.created with the same id on return.
const (
	Kept    InactiveUsers = "kept"
	Removed InactiveUsers = "removed"
)

// Provisioning says what becomes of people the directory brings.
type Provisioning string

// The provisioning modes (product decision: invite is the default).
const (
	Invite       Provisioning = "invite"
	Direct       Provisioning = "direct"
	ExistingOnly Provisioning = "existing_only"
)

// Directory is one feed of one organization.
type Directory struct {
	ID             ID
	OrganizationID string
	AddressKey     string // in SCIM addresses: lower-case letters and digits
	Label          string // a chosen address beside the key; "" if none
	Name           string
	Type           Type
	Provider       string // folder of the catalogue of identity providers
	State          State
	InactiveUsers  InactiveUsers
	Provisioning   Provisioning
	Strict         bool      // SCIM interop profile: refuse what it refuses
	Extensions     []byte    // declared custom schemas: JSON {"user":[…],"group":[…]} of RFC 7643 section 7 schemas
	LiveAt         time.Time // zero: it collects silently, and members learn nothing of it until GoLive
	Brake          Brake
	Holding        bool // consumers may know people otherwise than they are: the brake holds or keeps them
	Paused         bool // it says who may come in, and gives nobody anything, until GoLive: see Pause
	Switching      Switching
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Address is how SCIM addresses name the directory: by its label, else by its key.
func (d Directory) Address() string {
	if d.Label != "" {
		return d.Label
	}
	return d.AddressKey
}

// Counts are how many people and groups a directory holds.
type Counts struct{ Active, Inactive, Groups int64 }

// Token is a bearer token of a directory, without its secret.
type Token struct {
	ID          TokenID
	DirectoryID ID
	Suffix      string
	CreatedAt   time.Time
	LastUsedAt  time.Time // zero: never
	RevokedAt   time.Time // zero: live
}

// Access is an opened door: the directory a token was accepted for and how it speaks. Only Authenticate makes one.
type Access struct {
	Directory Directory
	TokenID   TokenID // of the directory's token, or of the organization's API key
	Model     *scim.Model
	Mode      scim.Mode
	Off       bool // the organization's feature directory_sync is switched off: nothing may be read or changed

	mapping *mapped // nil where no accounts are kept
}

// User is a directory user. Document is the canonical SCIM document without id, meta and groups, as JSON.
type User struct {
	ID          UserID
	DirectoryID ID
	IdPID       string
	Active      bool
	Suspended   bool
	Hidden      bool        // consumers were told that they are gone, see align
	Held        member.Held // consumers know them as they were before the brake held what the provider wrote, see brake
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Document    []byte
	Groups      []GroupRef // only where asked for
	direct      string     // ids of the groups they are directly in, in order, joined by commas; where read with groups
}

// GroupRef is a group that a person is in.
type GroupRef struct {
	ID     GroupID
	Name   string
	Direct bool
}

// Group is a directory group. Document is the canonical SCIM document without id, meta and members, as JSON.
type Group struct {
	ID          GroupID
	DirectoryID ID
	IdPID       string
	Name        string
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Document    []byte
	Members     []Member // only where asked for
}

// MemberKind tells what a member value names.
type MemberKind string

// The kinds. Parked names nobody yet: it is shown without $ref.
const (
	MemberUser   MemberKind = "user"
	MemberGroup  MemberKind = "group"
	MemberParked MemberKind = "parked"
)

// Member is one member of a group as SCIM shows it. Value is the id, or the parked value as sent.
type Member struct {
	Value   string
	Kind    MemberKind
	Display string
}

// Condition is an If-Match: the versions that may be overwritten. The zero value has none; Any is "*".
type Condition struct {
	Given    bool
	Any      bool
	Versions []int64
	// MentionsActive says that the request carries an understood active: an accepted one ends a suspension.
	MentionsActive bool
}

// Outcome is what a verb did, handed to Record before the commit so that the exchange can show it.
type Outcome struct {
	Change    Change
	User      *User  // after the change; nil for groups
	Group     *Group // after the change; nil for users
	HealedID  string // the old id that was answered by the living record
	Parked    int    // member values that name nobody yet
	Added     int    // members added
	Removed   int    // members removed
	EventIDs  []string
	EventKind []string
}

// Change is the closed list of what a request did to the store.
type Change string

// The changes. Unchanged also stands for reads.
const (
	Unchanged Change = "unchanged"
	Created   Change = "created"
	Restored  Change = "restored"
	Updated   Change = "updated"
	Deleted   Change = "deleted"
	Suspended Change = "suspended" // a refused request that asked for active:false
)

// Exchange is one recorded SCIM request. Body and Answer are redacted by the edge and at most 64 KiB each.
type Exchange struct {
	ID             ExchangeID
	OrganizationID string
	DirectoryID    ID
	TokenID        TokenID // "" when the token was refused
	At             time.Time
	Method         string
	Path           string // with the query, without the base address
	Status         int
	Took           time.Duration // until the write was handed to the database
	RequestID      string
	UserAgent      string
	Effect         []byte // JSON object
	Body           []byte
	Answer         []byte
	Refused        bool // 401: kept in limited number
}

// Record makes the exchange of a request from what the verb is about to commit. It may be called again when a guard was
// lost, must be quick and must not call the service. The verb fills in ids; nil records nothing.
type Record func(Outcome) *Exchange

// Query selects users or groups for a list.
type Query struct {
	Filter     scim.Filter // nil: all
	Eq         *Equal      // the fast path for `attribute eq "value"`; then Filter is nil
	Sort       *scim.Sort  // nil: by age
	StartIndex int         // 1-based; ignored with After
	Count      int         // 0: only the total
	After      string      // cursor: the id after which to go on; with Sort or Filter see Offset
	Offset     int         // cursor: how many matches to leave out
	NoTotal    bool        // the total is not wanted
	Groups     bool        // users: load the groups they are in
	Members    bool        // groups: load members
	// Complete gives the whole resource as a client would see it, for matching and sorting.
	CompleteUser  func(*User) (*scim.Object, error)
	CompleteGroup func(*Group) (*scim.Object, error)
}

// Equal is a filter `attribute eq "value"`.
type Equal struct{ Attribute, Value string }

// UserPage and GroupPage are one page of a list. More says that a further one exists.
type UserPage struct {
	Total int64
	Users []User
	More  bool
}

// GroupPage is one page of groups.
type GroupPage struct {
	Total  int64
	Groups []Group
	More   bool
}
