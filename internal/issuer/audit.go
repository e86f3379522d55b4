package issuer

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

// settings are what the audit tells of an application.
func (a Application) settings() event.Settings {
	return event.Settings{
		"name": a.Name, "description": a.Description, "client_id": a.ClientID, "is_first_party": a.FirstParty, "is_public": a.Public, "uses_pkce": a.UsesPKCE,
		"scopes": a.Scopes, "signing_alg": a.Algorithm, "backchannel_logout_uri": a.LogoutURI, "initiate_login_uri": a.InitiateURI,
		"redirect_uris": plain(a.SignIn), "post_logout_redirect_uris": plain(a.SignOut),
	}
}

func plain(uris []RedirectURI) []string {
	out := make([]string, len(uris))
	for i, u := range uris {
		out[i] = u.URI
	}
	return out
}

func secretSettings(applicationID, hint string) event.Settings {
	return event.Settings{"application_id": applicationID, "hint": hint}
}

// auditTx tells of a change by whoever asks for it (event.Asking): applications are the operator's, and have no events.
func (s *Service) auditTx(ctx context.Context, tx db.Tx, action event.Action, organizationID, target string, before, after event.Settings) error {
	return s.o.Events.AuditTx(ctx, tx, s.time(), event.Change{
		OrganizationID: organizationID, Action: action, Target: target, Cause: event.Context{Actor: event.Asking(ctx)}, Before: before, After: after,
	})
}

// auditSecretTx tells of the end of a client secret, if there is one of this id.
func (s *Service) auditSecretTx(ctx context.Context, tx db.Tx, id string) error {
	var applicationID, hint string
	var organizationID *string
	err := tx.QueryRow(ctx, selectSecret, id).Scan(&applicationID, &organizationID, &hint)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read client secret %s: %w", id, err)
	}
	return s.auditTx(ctx, tx, "client_secret.deleted", orEmpty(organizationID), id, secretSettings(applicationID, hint), nil)
}

// auditKeyInto tells of a signing key that was made, by hand or because its time had come, or that counts no more.
func (s *Service) auditKeyInto(ctx context.Context, w *db.Write, action event.Action, kid string, alg oidc.Algorithm) {
	change := event.Change{Action: action, Target: kid, Cause: event.Context{Actor: event.Asking(ctx)}}
	if change.After = (event.Settings{"signing_alg": alg}); action == "signing_key.revoked" {
		change.Before, change.After = change.After, nil
	}
	s.o.Events.AuditInto(w, s.time(), change)
}
