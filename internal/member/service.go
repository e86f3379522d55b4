package member

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Service holds the verbs on users and memberships.
type Service struct {
	db            *db.DB
	events        *event.Log
	ids           *token.Source
	organizations *org.Service
	now           func() time.Time
}

// NewService makes the service.
func NewService(d *db.DB, events *event.Log, ids *token.Source, organizations *org.Service, now func() time.Time) *Service {
	return &Service{db: d, events: events, ids: ids, organizations: organizations, now: now}
}

// User finds one account.
func (s *Service) User(ctx context.Context, id UserID) (User, error) { return User{}, nil }

// UserByEmail finds the account with an address, in any case of its letters. NotFound if there is none.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) { return User{}, nil }

// Membership finds one membership, removed ones too.
func (s *Service) Membership(ctx context.Context, id MembershipID) (Membership, error) {
	return Membership{}, nil
}

// MembershipOf finds a user's membership in an organization. NotFound if there is none.
func (s *Service) MembershipOf(ctx context.Context, organizationID string, id UserID) (Membership, error) {
	return Membership{}, nil
}

// MembershipsOf lists a user's memberships in all organizations, without removed ones, in the order they were made.
func (s *Service) MembershipsOf(ctx context.Context, id UserID) ([]Membership, error) {
	return nil, nil
}

// Member is a membership with its user.
type Member struct {
	Membership Membership
	User       User
}

// SignUpInto gives the account of an address that has just been proven by a code mailed to it, and makes it if there is none: primary
// nowhere, member of nothing. It counts as a sign-in. It is guarded like AdmitInto; the user is as it will be.
func (s *Service) SignUpInto(ctx context.Context, w *db.Write, email string, cause event.Context) (User, error) {
	return User{}, nil
}

// Deactivate shuts a member out by hand and ends their sessions of the organization. An inactive one stays as they are.
func (s *Service) Deactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return Member{}, nil
}

// Reactivate lets a member in again. One whom a directory wants out is a Conflict "directory_managed".
func (s *Service) Reactivate(ctx context.Context, actor event.Actor, id MembershipID) (Member, error) {
	return Member{}, nil
}

// Remove takes a member out of the organization and ends their sessions of it.
func (s *Service) Remove(ctx context.Context, actor event.Actor, id MembershipID) error { return nil }

// Unlink forgets who an idp id is, so that its next sign-in is a first one. Sessions through it end.
func (s *Service) Unlink(ctx context.Context, actor event.Actor, organizationID, connectionID, idpID string) error {
	return nil
}

// DeleteUser deletes an account with its memberships, ends all its sessions and asks for its erasure.
func (s *Service) DeleteUser(ctx context.Context, actor event.Actor, id UserID) error { return nil }

// DeleteOrganizationTx takes everybody out of an organization that is being deleted. Accounts stay, and belong to nobody.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, organizationID string, at time.Time) error {
	return nil
}
