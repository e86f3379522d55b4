package itadmin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB            *db.DB
	Events        *event.Log
	IDs           *token.Source
	Sealer        *db.Sealer
	Organizations *org.Service
	Mails         *mail.Outbox
	// Base is the address, without a slash at the end, under which an organization's people reach us.
	Base func(organizationID string) string
	// Operator is an address that is told of what contacts are told of; "": none.
	Operator string
	// Dashboard is the address of the operator's pages, with a slash at the end.
	Dashboard func() string
	// Ending tells of the last signing certificate of a connection, ok if there is one.
	Ending func(ctx context.Context, r db.Reader, organizationID, connectionID string) (mail.ConnectionCertificate, bool, error)
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
}

// Service holds the verbs on contacts, links and sessions of the portal.
type Service struct {
	o    Options
	db   *db.DB
	wake chan struct{}
}

// NewService makes the service; Run answers who asks for links, and tells contacts of changes.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Service{o: o, db: o.DB, wake: make(chan struct{}, 1)}
	o.Events.Watch(watched()...)
	o.Events.Forgets(event.Forgetter{Rows: s.forget})
	return s
}

// forget takes out everything of a deleted organization.
func (s *Service) forget(ctx context.Context, who event.Forgotten) error {
	if who.Subject != "" {
		return nil // a contact is removed as a contact, whatever else the person was
	}
	var w db.Write
	for _, text := range []string{forgetSessions, forgetLinks, forgetContacts} {
		w.Exec(text, who.OrganizationID)
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget the contacts of %s: %w", who.OrganizationID, err)
	}
	return s.o.Events.ForgetNotices(ctx, who.OrganizationID)
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // one is waiting already
	}
}
