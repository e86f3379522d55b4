package alert

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Options are what the service is built from.
type Options struct {
	DB            *db.DB
	Events        *event.Log
	IDs           *token.Source
	Organizations *org.Service
	Admins        *itadmin.Service
	Mails         *mail.Outbox
	Directories   *directory.Service
	Connections   *sso.Service
	Webhooks      *webhook.Service
	Members       *member.Service
	Catalog       *idp.Catalog
	// Portal is the address, without a slash at the end, under which an organization's people reach us.
	Portal func(organizationID string) string
	// Dashboard is the address of the operator's pages, with a slash at the end.
	Dashboard func() string
	// Operator is the address that is told of everything; "": none.
	Operator string
	Now      func() time.Time // time.Now
	Logger   *slog.Logger     // slog.Default
}

// Service holds the verbs on alerts.
type Service struct {
	o  Options
	db *db.DB
}

// NewService makes the service; Run looks.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Service{o: o, db: o.DB}
	o.Events.Forgets(event.Forgetter{Rows: s.forget})
	return s
}

// forget takes out everything of a deleted organization.
func (s *Service) forget(ctx context.Context, who event.Forgotten) error {
	if who.Subject != "" {
		return nil // nothing of persons is stored
	}
	var w db.Write
	w.Exec(forgetAlerts, who.OrganizationID)
	w.Exec(forgetRhythms, who.OrganizationID)
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget the alerts of %s: %w", who.OrganizationID, err)
	}
	return nil
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// Open gives the alerts that are open, of all organizations, the youngest first, at most limit.
func (s *Service) Open(ctx context.Context, limit int) ([]Alert, error) {
	return s.alerts(ctx, selectOpen+newest, limit)
}

// OpenOf gives the alerts of one organization that are open, the oldest first, at most limit.
func (s *Service) OpenOf(ctx context.Context, id org.ID, limit int) ([]Alert, error) {
	if id == "" {
		return nil, nil // those of the installation are nobody's
	}
	return s.alerts(ctx, selectOpen+ofOrg, string(id), limit)
}

func (s *Service) alerts(ctx context.Context, text string, args ...any) ([]Alert, error) {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	var out []Alert
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return out, nil
}

func scan(rows db.Rows) (a Alert, err error) {
	var facts []byte
	var since, opened, seen int64
	var told, closed *int64
	if err := rows.Scan(&a.ID, &a.OrganizationID, (*string)(&a.Kind), &a.Subject, &a.Name, &a.Stage, &facts, &since, &opened, &seen, &a.toldStage, &told, &closed); err != nil {
		return a, fmt.Errorf("read alerts: %w", err)
	}
	if err := json.Unmarshal(facts, &a.Facts); err != nil {
		return a, fmt.Errorf("facts of alert %s: %w", a.ID, err)
	}
	a.Since, a.OpenedAt, a.SeenAt = db.Time(since), db.Time(opened), db.Time(seen)
	a.ToldAt, a.ClosedAt = db.TimeOrZero(told), db.TimeOrZero(closed)
	return a, nil
}
