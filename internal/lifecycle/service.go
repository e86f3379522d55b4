package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Service holds the verbs.
type Service struct {
	db            *db.DB
	organizations *org.Service
	directories   *directory.Service
	connections   *sso.Service
	members       *member.Service
	now           func() time.Time
}

// NewService makes the service over the nouns it spans.
func NewService(d *db.DB, organizations *org.Service, directories *directory.Service, now func() time.Time) *Service {
	return &Service{db: d, organizations: organizations, directories: directories, now: now}
}

// Span adds the nouns of single sign-on while the service is built: what an organization has of them goes with it.
func (s *Service) Span(connections *sso.Service, members *member.Service) { s.connections, s.members = connections, members }

// DeleteOrganization deletes an organization and everything it has, and asks for what is stored of its people to be erased. When it
// returns, no process accepts its tokens and API keys any more, and nobody is signed in to it.
//
// Consumers get one event for each connection, session, directory, domain and API key, and last that of the organization; of people and groups they
// get none.
func (s *Service) DeleteOrganization(ctx context.Context, actor event.Actor, id org.ID) error {
	at := s.now().UTC().Truncate(time.Microsecond)
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.organizations.LockTx(ctx, tx, id); err != nil {
			return err
		}
		if err := s.deleteSignInTx(ctx, tx, actor, id, at); err != nil {
			return err
		}
		if err := s.directories.DeleteOrganizationTx(ctx, tx, actor, string(id), at); err != nil {
			return err
		}
		return s.organizations.DeleteTx(ctx, tx, actor, id, at)
	})
	if err != nil {
		return fmt.Errorf("delete organization %s: %w", id, err)
	}
	return s.directories.Await(ctx)
}

func (s *Service) deleteSignInTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID, at time.Time) error {
	if s.connections == nil {
		return nil
	}
	if err := s.connections.DeleteOrganizationTx(ctx, tx, actor, string(id), at); err != nil {
		return err
	}
	return s.members.DeleteOrganizationTx(ctx, tx, actor, string(id))
}
