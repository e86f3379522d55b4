package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Invitation finds one invitation.
func (s *Service) Invitation(ctx context.Context, id InvitationID) (Invitation, error) {
	return s.invitation(ctx, s.db, string(id), selectInvitation, string(id))
}

// InvitationByToken finds the invitation of a mailed link, while the token is its last one. What is no token of an invitation is NotFound,
// whatever is wrong with it.
func (s *Service) InvitationByToken(ctx context.Context, t token.Secret) (Invitation, error) {
	const shown = "•••"
	if !token.WellFormed(t, InvitationPrefix) {
		return Invitation{}, NotFound("Invitation", shown)
	}
	return s.invitation(ctx, s.db, shown, invitationByToken, string(token.HashOf(t)))
}

// invitation reads one; shown names it in the refusal.
func (s *Service) invitation(ctx context.Context, r db.Reader, shown, text string, args ...any) (Invitation, error) {
	found, err := s.readInvitations(ctx, r, text, args...)
	if err == nil && len(found) == 0 {
		err = NotFound("Invitation", shown)
	}
	if err != nil {
		return Invitation{}, err
	}
	return found[0], nil
}

// pendingInvitation is the one that an address has been sent and can still be used; nil if there is none.
func (s *Service) pendingInvitation(ctx context.Context, r db.Reader, organizationID, emailKey string) (*Invitation, error) {
	found, err := s.readInvitations(ctx, r, invitationPending, organizationID, emailKey)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// InvitationQuery selects a page of invitations. Limit is the page size; Before and After are ids.
type InvitationQuery struct {
	OrganizationID string            // "": of any
	Email          string            // "": to anybody
	States         []InvitationState // as they are now; none: all
	Before, After  string
	Limit          int
	Ascending      bool
}

// Invitations gives a page, accepted and revoked ones too, and whether more follow in the direction read.
func (s *Service) Invitations(ctx context.Context, q InvitationQuery) ([]Invitation, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if q.OrganizationID != "" {
		p.Where("i.organization_id = " + p.Arg(q.OrganizationID))
	}
	if q.Email != "" {
		key, ok := EmailKey(q.Email)
		if !ok {
			return nil, false, fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address.", q.Email).On("email")
		}
		p.Where("i.email_key = " + p.Arg(key))
	}
	s.inStates(&p, q.States)
	text, args := p.Statement(selectInvitations, "i.id")
	found, err := s.readInvitations(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// inStates narrows a page to states as they are now: an invitation by hand has expired before anybody notes it, see stateAt.
func (s *Service) inStates(p *db.Page, wanted []InvitationState) {
	if len(wanted) == 0 {
		return
	}
	late := func() string {
		return "(i.directory_id IS NULL AND i.expires_at <= " + p.Arg(s.time().UnixMicro()) + ")"
	}
	terms := make([]string, len(wanted))
	for i, state := range wanted {
		switch terms[i] = "i.state = " + p.Arg(string(state)); state {
		case InvitationPending:
			terms[i] += " AND NOT " + late()
		case InvitationExpired:
			terms[i] += " OR i.state = 'pending' AND " + late()
		case InvitationAccepted, InvitationRevoked:
		}
	}
	p.Where("(" + strings.Join(terms, " OR ") + ")")
}

func (s *Service) readInvitations(ctx context.Context, r db.Reader, text string, args ...any) ([]Invitation, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read invitations: %w", err)
	}
	defer rows.Close()
	var out []Invitation
	for rows.Next() {
		i, err := s.scanInvitation(rows)
		if err != nil {
			return nil, fmt.Errorf("read invitations: %w", err)
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

func (s *Service) scanInvitation(rows db.Rows) (i Invitation, err error) {
	var sealed, role, licence, inviter, accepted, membership, directory, directoryUser, locale *string
	var teams []byte
	var expires, created, updated int64
	var acceptedAt, revokedAt *int64
	err = rows.Scan((*string)(&i.ID), &i.OrganizationID, &i.Email, (*string)(&i.State), (*string)(&i.hash), &sealed, &role, &teams, &licence, &inviter, &accepted,
		&membership, &directory, &directoryUser, &locale, &i.Sent, &expires, &acceptedAt, &revokedAt, &i.Version, &created, &updated)
	if err != nil {
		return i, err
	}
	i.Role, i.Licence, i.Locale = text(role), text(licence), text(locale)
	i.InviterUserID, i.AcceptedUserID, i.MembershipID = UserID(text(inviter)), UserID(text(accepted)), MembershipID(text(membership))
	i.DirectoryID, i.DirectoryUserID = text(directory), text(directoryUser)
	i.ExpiresAt, i.AcceptedAt, i.RevokedAt = db.Time(expires), db.TimeOrZero(acceptedAt), db.TimeOrZero(revokedAt)
	i.CreatedAt, i.UpdatedAt = db.Time(created), db.Time(updated)
	if err := json.Unmarshal(teams, &i.Teams); err != nil {
		return i, fmt.Errorf("teams of %s: %w", i.ID, err)
	}
	if sealed != nil {
		clear, err := s.inviting.Sealer.Open(invitationPlace(i.ID), *sealed)
		if err != nil {
			return i, fmt.Errorf("open the token of %s: %w", i.ID, err)
		}
		i.Token = token.Secret(clear)
	}
	i.State = i.stateAt(s.time())
	return i, nil
}

func invitationPlace(id InvitationID) string { return "invitations.token/" + string(id) }

// stateAt tells by the time what has expired. One of a directory never does.
func (i Invitation) stateAt(now time.Time) InvitationState {
	if i.State == InvitationPending && i.LinkExpired(now) && !i.FromDirectory() {
		return InvitationExpired
	}
	return i.State
}

// lostWrite says that something changed between reading and writing, and all of it has to be done again.
func lostWrite(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}
