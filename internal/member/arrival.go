package member

import (
	"slices"

	"github.com/rollcallhq/rollcall/internal/access"
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
	EmailVerified  bool // EmailDomain(Email) is one that this organization has verified, compared exactly
	Standing       Standing
	Trust          bool // option of the connection: addresses outside verified domains are let in, as unverified
	JIT            JIT
	Mapped         access.Mapped // what the connection's mapping gives; a directory's goes before it

	// Proven is the account whose address this browser has proven by a mailed code, and holds a living session for; "" for none.
	// It opens what the connection may not speak for, outside verified domains, to that account and that address alone.
	Proven       UserID
	InvitationID string // the pending one of this organization that the sign-in accepts; "" for none

	Known *Known // of this identity, if it was read already: Facts then spares reading it again
}

// Known is who is behind an identity at a connection, see Service.Known.
type Known struct {
	organizationID, connectionID, idpID string

	person *Person // nil: nobody
}

// Joined is the directory person that the member was joined with, "" if none.
func (k *Known) Joined() string {
	if k == nil {
		return ""
	}
	return k.person.joined()
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
	JoinedByMembership JoinedBy = "membership"  // the member behind the identity was joined with them before (Service.Joined)
	JoinedByExternalID JoinedBy = "external_id" // externalId = idp id or object id
	JoinedByUserName   JoinedBy = "user_name"   // userName = NameID or UPN
	JoinedByEmail      JoinedBy = "email"       // in a verified domain
)

// Standing is a person's place in the organization's directories, found out by the caller.
type Standing struct {
	Says            Says
	DirectoryID     string // of the person found
	DirectoryUserID string // of the person found, active or inactive
	JoinedBy        JoinedBy
	// Key is the value that joined: the external id, user name or address. Where it is the idp id itself the directory vouches for the
	// identity, and not only for something that the provider says beside it.
	Key string
	// Succeeds is the person that Service.Joined named, where their directory has been removed since: nobody can say any more whether
	// that was the same person, and who is found now takes their place. "" while that directory is there.
	Succeeds string
}

// vouches tells whether the directory knows the person under the idp id itself.
func (s Standing) vouches(idpID string) bool {
	switch s.JoinedBy {
	case JoinedByExternalID:
		return s.Key == idpID
	case JoinedByUserName: // case does not matter in it: RFC 7643 section 4.1.1
		return foldASCII(s.Key) == foldASCII(idpID)
	}
	return false
}

// JIT says who is created, or returns, just in time.
type JIT string

// The settings. The caller chooses the default: directory where the organization has one, else verified_domain.
const (
	JITDirectory      JIT = "directory"       // people a directory knows and wants in
	JITVerifiedDomain JIT = "verified_domain" // people with an address in a verified domain, or whom Trust lets in
	JITOff            JIT = "off"
)

// Facts are what the database knows of an arrival (Service.Facts).
type Facts struct {
	ByIdentity  *Person // whose the idp id is at this connection
	ByDirectory *Person // whose membership here was joined with the directory person of the Standing
	ByEmail     *Person // whose account has the address

	unlinked      []*claim // what directories say of the address that is nobody's yet, where who arrives is not in
	newUser       UserID   // ids of what may have to be made
	newMembership MembershipID
}

// Person is an account as one organization and one connection see it.
type Person struct {
	User       User
	Membership *Membership // in this organization; nil if none
	Identities []Identity  // at this connection
	Claims     []Claim     // what directories say of the membership, where it is not active
}

// is tells whether both are the same account.
func (p *Person) is(other *Person) bool {
	return p != nil && other != nil && p.User.ID == other.User.ID
}

// kept tells whether the person is in because the hold of a directory's brake was undone.
func (p *Person) kept() bool {
	return p.Membership != nil && p.Membership.Why == WhyHeldByBrake && !p.Membership.Held()
}

// linkedByProof tells whether the id became the account's because the person had proven their address themselves.
func (p *Person) linkedByProof(idpID string) bool {
	return slices.ContainsFunc(p.Identities, func(i Identity) bool { return i.IDPID == idpID && i.LinkedBy == LinkedByProof })
}

// joined is the directory person that the membership was joined with, "" if none.
func (p *Person) joined() string {
	if p == nil || p.Membership == nil {
		return ""
	}
	return p.Membership.DirectoryUserID
}
