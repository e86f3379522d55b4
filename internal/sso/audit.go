package sso

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// settings are what the audit tells of a connection. Of documents it tells that they changed.
func (c Connection) settings() event.Settings {
	prints := make([]string, len(c.Certificates))
	for i, one := range c.Certificates {
		prints[i] = one.Fingerprint
	}
	out := event.Settings{
		"name": c.Name, "type": c.Type, "provider": c.Provider, "state": c.State, "options": c.Options, "attribute_map": c.AttributeMap, "paths": c.Paths,
	}
	if c.Protocol == OIDC {
		out["issuer"], out["client_id"], out["client_secret"], out["discovery"] = c.Issuer, c.ClientID, event.Hidden(c.clientSecret), event.Hidden(c.discovery)
		out["client_secret_expires_at"] = ""
		if !c.ClientSecretExpiresAt.IsZero() {
			out["client_secret_expires_at"] = event.Shown(c.ClientSecretExpiresAt)
		}
		return out
	}
	for name, value := range map[string]string{
		"sp_entity_id": c.SPEntityID, "idp_entity_id": c.IDPEntityID, "sso_url": c.SSOURL, "sso_binding": string(c.SSOBinding), "slo_url": c.SLOURL,
		"slo_binding": string(c.SLOBinding), "slo_response_url": c.SLOResponseURL, "metadata_url": c.MetadataURL,
	} {
		out[name] = value
	}
	out["certificates"], out["waits_for_approval"] = prints, c.Pending != nil
	return out
}

// auditTx tells that a connection was made or its settings were changed, by whom or by a reading of its metadata; a deletion has an event.
func (s *Service) auditTx(ctx context.Context, tx db.Tx, actor event.Actor, before *Connection, after Connection) error {
	change := event.Change{
		OrganizationID: after.OrganizationID, Action: "connection.created", Target: string(after.ID), Cause: event.Context{Actor: actor}, After: after.settings(),
	}
	if before != nil {
		change.Action, change.Before = "connection.updated", before.settings()
	}
	return s.c.Events.AuditTx(ctx, tx, s.moment(), change)
}
