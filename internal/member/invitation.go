package member

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// InvitationID is an invitation's id, "invitation_…".
type InvitationID string

// InvitationPrefix begins the ids of invitations.
const InvitationPrefix = "invitation"

// How long an invitation's link is good, and how often it is mailed.
const (
	InvitationLife    = 7 * 24 * time.Hour  // where nothing is said
	MaxInvitationLife = 30 * 24 * time.Hour // the contract's
	invitationDay     = 24 * time.Hour      // the contract counts in days

	MaxInvitationMails  = 20          // of one invitation; then it is revoked and made anew
	InvitationMailPause = time.Minute // between two mails that somebody asks for by hand
	RenewalPause        = time.Hour   // between two that the person with an expired link asks for
)

// InvitationState says what became of an invitation.
type InvitationState string

// The states. A pending one of a directory never expires, only its mailed link does.
const (
	InvitationPending  InvitationState = "pending"
	InvitationAccepted InvitationState = "accepted"
	InvitationExpired  InvitationState = "expired"
	InvitationRevoked  InvitationState = "revoked"
)

// Invitation asks somebody with an address into an organization, or to the app alone.
type Invitation struct {
	ID              InvitationID
	OrganizationID  string // "": to the app alone
	Email           string
	State           InvitationState // as it is now, see InvitationExpired
	Token           token.Secret    // while it is pending
	Role            string          // what they will be; "": nobody has said
	Teams           []string        // team ids
	Licence         string          // slug of the licence type
	InviterUserID   UserID
	AcceptedUserID  UserID
	MembershipID    MembershipID // the pending membership beside it
	DirectoryID     string       // born from a directory: it is valid while that wants the person
	DirectoryUserID string
	Locale          string
	Sent            int64     // how often it was mailed
	ExpiresAt       time.Time // of the link
	AcceptedAt      time.Time // zero: not
	RevokedAt       time.Time // zero: not
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time // when it was mailed last, while it is pending

	hash token.Hash
}

// FromDirectory tells whether a directory invites: then the invitation does not expire, only its link does.
func (i Invitation) FromDirectory() bool { return i.DirectoryID != "" }

// LinkExpired tells whether the mailed link has had its time.
func (i Invitation) LinkExpired(now time.Time) bool { return !now.Before(i.ExpiresAt) }

// NewInvitation is what an invitation is made of.
type NewInvitation struct {
	OrganizationID string // "": to the app alone
	Email          string
	Role           string
	Teams          []string
	Licence        string
	InviterUserID  UserID
	ExpiresInDays  int64 // 1 to 30; 0: 7
	Locale         string

	// Born from a directory. The membership is there already.
	DirectoryID, DirectoryUserID string
	MembershipID                 MembershipID
}

// Inviting is what invitations need beside the other nouns.
type Inviting struct {
	Sealer *db.Sealer
	Mails  *mail.Outbox // nil: no mail is ever sent
	// Base is the address of this installation that people of an organization are sent to, without a slash at the end.
	Base func(organizationID string) string
}

// SetInviting is called while the service is built; without it nobody can be invited.
func (s *Service) SetInviting(i Inviting) {
	s.inviting = i
	s.events.Forgets(event.Forgetter{Rows: s.forgetInvitations})
}

// InvitationPath is where an invitation's link leads; the token follows.
const InvitationPath = "/invitations/"

// AcceptURL is where the person goes to accept; "" where the token is gone.
func (s *Service) AcceptURL(i Invitation) string {
	if i.Token == "" {
		return ""
	}
	return s.inviting.Base(i.OrganizationID) + InvitationPath + i.Token.Reveal()
}

type invitationPayload struct {
	Object         string          `json:"object"`
	ID             InvitationID    `json:"id"`
	Email          string          `json:"email"`
	State          InvitationState `json:"state"`
	AcceptedAt     *string         `json:"accepted_at"`
	RevokedAt      *string         `json:"revoked_at"`
	ExpiresAt      string          `json:"expires_at"`
	OrganizationID *string         `json:"organization_id"`
	InviterUserID  *string         `json:"inviter_user_id"`
	AcceptedUserID *string         `json:"accepted_user_id"`
	RoleSlug       *string         `json:"role_slug"`
	CreatedAt      string          `json:"created_at"`
	UpdatedAt      string          `json:"updated_at"`
}

func (i Invitation) payload() invitationPayload {
	return invitationPayload{
		Object: "invitation", ID: i.ID, Email: i.Email, State: i.State, AcceptedAt: shownOrNull(i.AcceptedAt), RevokedAt: shownOrNull(i.RevokedAt),
		ExpiresAt: org.Time(i.ExpiresAt), OrganizationID: orNull(i.OrganizationID), InviterUserID: orNull(string(i.InviterUserID)),
		AcceptedUserID: orNull(string(i.AcceptedUserID)), RoleSlug: orNull(i.Role), CreatedAt: org.Time(i.CreatedAt), UpdatedAt: org.Time(i.UpdatedAt),
	}
}

// Payload is the invitation as events show it: without its token.
func (i Invitation) Payload() []byte { return encode(i.payload()) }

func shownOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	shown := org.Time(t)
	return &shown
}
