package access

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	rolePrefix       = "role"
	permissionPrefix = "perm"
	teamPrefix       = "group"
	licencePrefix    = "licence_type"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Events *event.Log
	IDs    *token.Source
	// Living holds a living organization until the transaction ends, and is NotFound for any other (org.Service.LockTx).
	Living func(ctx context.Context, tx db.Tx, organizationID string) error
	Now    func() time.Time
}

// Service holds the verbs on roles, permissions, teams, licence types and mappings.
type Service struct {
	db     *db.DB
	events *event.Log
	ids    *token.Source
	living func(ctx context.Context, tx db.Tx, organizationID string) error
	now    func() time.Time

	directories Directories // nil: none has people here

	prepared atomic.Bool // the role member is there
}

// Directories look at their people again: directory.Service.
type Directories interface {
	// LookAgainTx has everybody of a directory looked at again, because what decides about them has changed: the order of roles.
	LookAgainTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID, directoryID string) error
}

// SetDirectories is called while the services are built.
func (s *Service) SetDirectories(d Directories) { s.directories = d }

// NewService makes the service.
func NewService(o Options) *Service {
	return &Service{db: o.DB, events: o.Events, ids: o.IDs, living: o.Living, now: o.Now}
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
