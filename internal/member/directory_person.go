package member

import "github.com/rollcallhq/rollcall/internal/access"

// SaysRemoved is what a directory says of somebody whom it has deleted.
const SaysRemoved Says = "removed"

// DirectoryPerson is what a directory says of somebody now.
type DirectoryPerson struct {
	OrganizationID  string
	DirectoryID     string
	DirectoryName   string // for refusals that name who manages a member
	DirectoryUserID string
	Says            Says // SaysActive, SaysInactive (deactivated or suspended), SaysRemoved
	Held            Held // what the directory's brake makes of it; nothing of SaysActive
	Provisioning    Provisioning
	Email           string // "" if none: nobody is made, outcome no_email
	EmailVerified   bool   // EmailDomain(Email) is one that the organization has verified

	FirstName, LastName, PictureURL, Locale string // "": it says nothing; what it said before goes then
	Mapped                                  access.Mapped
}

// Outcome says what became of a directory person.
type Outcome string

// The outcomes.
const (
	OutcomeInvited     Outcome = "invited"      // pending until the first sign-in; mailed
	OutcomeActivated   Outcome = "activated"    // made, and active at once
	OutcomeLinked      Outcome = "linked"       // somebody who had an account, or was a member, already
	OutcomeReturned    Outcome = "returned"     // the same member, back
	OutcomeUpdated     Outcome = "updated"      // names, address, role, teams, licence or attributes
	OutcomeUnchanged   Outcome = "unchanged"    //
	OutcomeDeactivated Outcome = "deactivated"  // the member is out
	OutcomeRemoved     Outcome = "removed"      // the member is gone from lists
	OutcomeHeld        Outcome = "held"         // the member is out, and the brake holds what follows
	OutcomeStored      Outcome = "stored"       // inactive or gone, and no member: nothing follows
	OutcomeNoEmail     Outcome = "no_email"     // nobody can be made without a usable address
	OutcomeNotExisting Outcome = "not_existing" // existing_only, and no account that may be linked
	OutcomeUnmatched   Outcome = "unmatched"    // a member has the address, whom a switch of the identity provider leaves as they are until they are matched
	OutcomeRefused     Outcome = "refused"      // no licence is left, and the licence type refuses more
)

// Outcomes lists them.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeInvited, OutcomeActivated, OutcomeLinked, OutcomeReturned, OutcomeUpdated, OutcomeUnchanged, OutcomeDeactivated, OutcomeRemoved, OutcomeHeld, OutcomeStored,
		OutcomeNoEmail, OutcomeNotExisting, OutcomeUnmatched, OutcomeRefused,
	}
}
