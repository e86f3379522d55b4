package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
)

// tell mails an alert where it is due. The guard is in the write: another process may be telling of it just now.
func (s *Service) tell(ctx context.Context, now time.Time, a Alert) error {
	if !a.due(now) {
		return nil
	}
	reason := s.reason(ctx, a)
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, tellAlert, a.OrganizationID, a.ID, a.Stage, now.UnixMicro(), now.Add(-againAfter).UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		if err := s.auditTx(ctx, tx, now, Opened, a); err != nil {
			return err
		}
		return s.mailTx(ctx, tx, a, func(r reader) mail.Alert { return s.wrong(a, reason, r) })
	})
	if err != nil {
		return fmt.Errorf("tell of alert %s: %w", a.ID, err)
	}
	return nil
}

// close closes an alert. Who was told that it is wrong is told that it is well, where that is why.
func (s *Service) close(ctx context.Context, a Alert, now time.Time, well bool) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		// An alert that another process has told of meanwhile is left to the next look, which knows that it was.
		n, err := tx.Exec(ctx, closeAlert, a.OrganizationID, a.ID, now.UnixMicro(), a.toldStage)
		if err != nil || n == 0 || !a.Told() {
			return err
		}
		if !well {
			return s.auditTx(ctx, tx, now, Closed, a)
		}
		if err := s.auditTx(ctx, tx, now, Healed, a); err != nil {
			return err
		}
		return s.mailTx(ctx, tx, a, func(r reader) mail.Alert { return s.wellAgain(a, now, r) })
	})
	if err != nil {
		return fmt.Errorf("close alert %s: %w", a.ID, err)
	}
	return nil
}

func (s *Service) auditTx(ctx context.Context, tx db.Tx, at time.Time, action event.Action, a Alert) error {
	is := event.Settings{"kind": a.Kind, "subject": a.Subject, "name": a.Name, "stage": a.Stage}
	c := event.Change{
		OrganizationID: a.OrganizationID, Action: action, Target: a.ID, Cause: event.Context{Actor: event.Actor{ID: "alerts", Source: event.System}}, After: is,
	}
	if action != Opened {
		c.Before, c.After = is, nil
	}
	return s.o.Events.AuditTx(ctx, tx, at, c)
}

// reader is who a mail is for.
type reader struct {
	organization string // name; "" for what is the installation's
	operator     bool
}

// mailTx writes the mails about an alert: to the contacts of its organization, if it is their matter, and to the operator. Of an organization that is gone nobody is told.
func (s *Service) mailTx(ctx context.Context, tx db.Tx, a Alert, content func(reader) mail.Alert) error {
	name := ""
	if a.OrganizationID != "" {
		o, err := s.o.Organizations.GetIn(ctx, tx, org.ID(a.OrganizationID))
		if f, ok := fault.As(err); ok && f.Kind == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		name = o.Name
		contacts, err := s.contactsTx(ctx, tx, a)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			if strings.EqualFold(c.Email, s.o.Operator) {
				continue // is written to below, once
			}
			if err := s.putTx(ctx, tx, a.OrganizationID, c.Email, content(reader{organization: name})); err != nil {
				return err
			}
		}
	}
	if s.o.Operator == "" {
		return nil
	}
	return s.putTx(ctx, tx, a.OrganizationID, s.o.Operator, content(reader{organization: name, operator: true}))
}

// contactsTx are those whose matter an alert is.
func (s *Service) contactsTx(ctx context.Context, tx db.Tx, a Alert) ([]itadmin.Contact, error) {
	if _, theirs := a.Kind.Intent(); !theirs {
		return nil, nil
	}
	return s.o.Admins.AllTx(ctx, tx, a.Of())
}

func (s *Service) putTx(ctx context.Context, tx db.Tx, organizationID, to string, content mail.Alert) error {
	err := s.o.Mails.PutTx(ctx, tx, mail.Message{OrganizationID: organizationID, To: to, Content: content})
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		s.o.Logger.Warn("an address for alerts is none that mail can be sent to", "organization", organizationID, "cause", f.Code)
		return nil // the others are told all the same
	}
	return err
}
