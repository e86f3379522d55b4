package lifecycle

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// SetUpOptions are what SetUps is built over.
type SetUpOptions struct {
	DB          *db.DB
	Directories *directory.Service

	// ProfilesOnly: the app keeps the accounts.
	ProfilesOnly bool
}

// SetUps holds the verbs of an IT admin who connects a provider step by step. They follow an order that the API does not ask for: single
// sign-on first, and people last.
type SetUps struct{ o SetUpOptions }

// NewSetUps makes the verbs.
func NewSetUps(o SetUpOptions) *SetUps { return &SetUps{o: o} }

// Proven says whether somebody of the organization has come in through its provider, or tested it with success.
func (s *SetUps) Proven(ctx context.Context, organizationID string) (bool, error) {
	return sso.Proven(ctx, s.o.DB, organizationID)
}

// CreateDirectory makes a directory that has no token yet and, where accounts are kept, collects silently until it goes live. signOnFirst
// asks that single sign-on works before (Conflict "sso_first"): people are then never invited to where they cannot come in.
func (s *SetUps) CreateDirectory(ctx context.Context, actor event.Actor, n directory.New, signOnFirst bool) (directory.Directory, error) {
	if signOnFirst {
		proven, err := s.Proven(ctx, n.OrganizationID)
		if err != nil {
			return directory.Directory{}, err
		}
		if !proven {
			return directory.Directory{}, fault.New(fault.Conflict, "sso_first",
				"Single sign-on comes first: connect it and make a test sign-in that succeeds. Then connect the directory.")
		}
	}
	n.WithoutToken, n.Silent = true, !s.o.ProfilesOnly
	d, _, err := s.o.Directories.Create(ctx, actor, n)
	return d, err
}

// NewToken makes a bearer token for a directory in place of those that no provider has ever shown: whoever asks again has lost the last
// one. Tokens in use stay as they are; two of them are a Conflict "token_limit".
func (s *SetUps) NewToken(ctx context.Context, actor event.Actor, id directory.ID) (directory.Token, token.Secret, error) {
	tokens, err := s.o.Directories.Tokens(ctx, id)
	if err != nil {
		return directory.Token{}, "", err
	}
	for _, t := range tokens {
		if !t.RevokedAt.IsZero() || !t.LastUsedAt.IsZero() {
			continue
		}
		if err := s.o.Directories.RevokeToken(ctx, actor, id, t.ID); err != nil && !fault.Is(err, fault.NotFound) { // somebody else was faster
			return directory.Token{}, "", err
		}
	}
	return s.o.Directories.CreateToken(ctx, actor, id)
}
