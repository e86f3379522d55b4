package webhook

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// settings are what the audit tells of an endpoint.
func (e *Endpoint) settings() event.Settings {
	if e == nil {
		return nil
	}
	return event.Settings{"endpoint_url": e.URL, "status": e.Status, "events": e.Types, "secret": event.Hidden(e.Secret.Reveal())}
}

// auditTx tells of a change by whoever asks for it (event.Asking): endpoints are the operator's. That one was disabled because it failed has an event.
func (s *Service) auditTx(ctx context.Context, tx db.Tx, action event.Action, id EndpointID, before, after *Endpoint) error {
	return s.o.Events.AuditTx(ctx, tx, s.time(), event.Change{
		Action: action, Target: string(id), Cause: event.Context{Actor: event.Asking(ctx)}, Before: before.settings(), After: after.settings(),
	})
}
