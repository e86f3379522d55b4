package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
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
func NewService(d *db.DB, organizations *org.Service, directories *directory.Service, members *member.Service, now func() time.Time) *Service {
	return &Service{db: d, organizations: organizations, directories: directories, members: members, now: now}
}

// SetConnections is called while the service is built: an organization's connections go with it.
func (s *Service) SetConnections(connections *sso.Service) { s.connections = connections }

// DeleteOrganization deletes an organization and everything it has, and asks for what is stored of its people to be erased. When it
// returns, no process accepts its tokens, API keys and sessions any more. Accounts of its people stay.
//
// Consumers get one event for each connection, directory, domain, API key and session, and last that of the organization; of people, groups and members
// they get none.
func (s *Service) DeleteOrganization(ctx context.Context, actor event.Actor, id org.ID) error {
	for range rounds { // others may change accounts that it gives back
		err := s.db.Tx(ctx, func(tx db.Tx) error { return s.deleteOrganizationTx(ctx, tx, actor, id) })
		switch {
		case err == nil:
			return s.directories.Await(ctx)
		case !lost(err):
			return fmt.Errorf("delete organization %s: %w", id, err)
		}
	}
	return fault.New(fault.Unavailable, "busy", "Accounts of organization %s were changed several times at once. Please try again.", id)
}

func (s *Service) deleteOrganizationTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID) error {
	at := s.now().UTC().Truncate(time.Microsecond)
	if err := s.organizations.LockTx(ctx, tx, id); err != nil {
		return err
	}
	if err := s.deleteConnectionsTx(ctx, tx, actor, id, at); err != nil {
		return err
	}
	if err := s.directories.DeleteOrganizationTx(ctx, tx, actor, string(id), at); err != nil {
		return err
	}
	if err := s.members.DeleteOrganizationTx(ctx, tx, actor, string(id)); err != nil {
		return err
	}
	if err := switching.DeleteOrganizationTx(ctx, tx, id); err != nil {
		return err
	}
	return s.organizations.DeleteTx(ctx, tx, actor, id, at)
}

func (s *Service) deleteConnectionsTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID, at time.Time) error {
	if s.connections == nil {
		return nil
	}
	return s.connections.DeleteOrganizationTx(ctx, tx, actor, string(id), at)
}
