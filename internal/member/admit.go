package member

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Arrival is somebody whom an identity provider has just vouched for: verified, mapped, and looked up in the organization's
// directories, but not yet anybody here.
type Arrival struct {
	OrganizationID string
	ConnectionID   string
	IDPID          string
	Email          string
	FirstName      string // "" leaves the account's
	LastName       string
	EmailVerified  bool // Email lies in a domain that this organization has verified, compared exactly
	Standing       Standing
	Trust          bool // option of the connection: addresses outside verified domains are let in, as unverified
	JIT            JIT
}

// Says is what the organization's directories say of a person. With several directories one that wants the person in is enough.
type Says string

// The closed list.
const (
	NoDirectory  Says = "no_directory" // the organization has none (removed ones do not count)
	SaysUnknown  Says = "unknown"      // it has one or more, and none knows the person
	SaysActive   Says = "active"
	SaysInactive Says = "inactive" // deactivated or suspended
)

// JoinedBy is the key by which a directory person was found.
type JoinedBy string

// The keys, from the strongest.
const (
	JoinedByMembership JoinedBy = "membership"  // the member that the identity belongs to was joined with them before (Service.Joined)
	JoinedByExternalID JoinedBy = "external_id" // externalId = idp id or object id
	JoinedByUserName   JoinedBy = "user_name"   // userName = NameID or UPN
	JoinedByEmail      JoinedBy = "email"       // in a verified domain
)

// Standing is a person's place in the organization's directories, decided by the caller.
type Standing struct {
	Says            Says
	DirectoryUserID string // of Active and Inactive
	JoinedBy        JoinedBy
	// Succeeds is a directory person of a directory that has been removed since, whom DirectoryUserID takes the place of: the one that
	// Service.Joined named. "" if that person's directory is still there.
	Succeeds string
}

// JIT says who is created, or returns, just in time.
type JIT string

// The settings. The caller chooses the default: directory where the organization has one, else verified_domain.
const (
	JITDirectory      JIT = "directory"       // people a directory knows and wants in
	JITVerifiedDomain JIT = "verified_domain" // people with an address in a verified domain, or whom Trust lets in
	JITOff            JIT = "off"
)

// Facts are what the database knows of an arrival.
type Facts struct {
	ByIdentity  *Person // whose the idp id is at this connection
	ByDirectory *Person // whose membership here was joined with the directory person of the Standing
	ByEmail     *Person // whose account has the address

	newUser       UserID // ids of what may have to be made
	newMembership MembershipID
}

// Person is an account as one organization and one connection see it.
type Person struct {
	User       User
	Membership *Membership // in this organization; nil if none
	Identities []Identity  // at this connection
}

// Admission is the decision to let somebody in, and what has to be written for it.
type Admission struct {
	User       User // as they will be
	Membership Membership
	Identity   Identity
	Why        string // how the account was found and why it is let in, for the attempt's record
	JoinedBy   JoinedBy

	userBefore       *User
	membershipBefore *Membership
	identityBefore   *Identity
	replaces         []Identity // former identities of the same directory person at this connection
	proves           bool       // an address that nobody had proven
}

// Created tells whether the account is new.
func (a Admission) Created() bool { return a.userBefore == nil }

// Refusal codes of Admit. All are faults of kind Forbidden with Wanted and Got.
const (
	CodeDeprovisioned      = "user_deprovisioned"       // who fixes it: it_admin
	CodeEmailDomain        = "email_domain_not_allowed" // it_admin
	CodeNotInDirectory     = "not_in_directory"         // it_admin
	CodeNotAMember         = "not_a_member"             // it_admin: just-in-time creation is off
	CodeMembershipInactive = "membership_inactive"      // operator or organization administrator
	CodeIdentityConflict   = "identity_conflict"        // operator: Service.Unlink
	CodeMissingAttribute   = "missing_attribute"        // it_admin: no usable email
)

// Joined gives the directory person that the member behind (connection, idp id) was joined with, "" if none: the caller asks the
// directory about that person before any other key.
func (s *Service) Joined(ctx context.Context, r db.Reader, organizationID, connectionID, idpID string) (string, error) {
	return "", nil
}

// Facts reads what Admit decides by.
func (s *Service) Facts(ctx context.Context, r db.Reader, a Arrival) (Facts, error) {
	return Facts{}, nil
}

// Admit finds the account, links it, creates it just in time, or refuses with a *fault.Error of one of the codes above. It is
// pure: ids for what may be new come with the facts.
func Admit(f Facts, a Arrival, now time.Time) (Admission, error) {
	return Admission{}, nil
}

// AdmitInto adds the admission to a write, guarded: the write fails with a guard lost or a unique violation when anything that Facts
// read has changed since; the caller then reads and decides again, and after the commit calls event.Log.Nudge.
func (s *Service) AdmitInto(w *db.Write, ad Admission, cause event.Context) {
}
