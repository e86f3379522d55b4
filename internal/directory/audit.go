package directory

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// settings are what the audit tells of a directory.
func (d Directory) settings() event.Settings {
	return event.Settings{
		"name": d.Name, "type": d.Type, "provider": d.Provider, "label": d.Label, "inactive_users": d.InactiveUsers, "provisioning": d.Provisioning,
		"strict": d.Strict, "extensions": jsontext.Value(d.Extensions), "live": d.Live(),
	}
}

// auditTx tells that a directory was made or its settings were changed; tokens and deletions have events.
func (s *Service) auditTx(ctx context.Context, tx db.Tx, actor event.Actor, before *Directory, after Directory) error {
	change := event.Change{
		OrganizationID: after.OrganizationID, Action: "directory.created", Target: string(after.ID), Cause: event.Context{Actor: actor}, After: after.settings(),
	}
	if before != nil {
		change.Action, change.Before = "directory.updated", before.settings()
	}
	return s.events.AuditTx(ctx, tx, after.UpdatedAt, change)
}
