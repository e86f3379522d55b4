package app

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// alerts builds what looks after everything that can be wrong, and tells who mends it.
func (a *App) alerts(c Config, ids *token.Source, admins *itadmin.Service, catalog *idp.Catalog, domains web.Domains) *alert.Service {
	s := alert.NewService(alert.Options{
		DB: a.db, Events: a.events, IDs: ids, Organizations: a.organizations, Admins: admins, Mails: a.signIn.mails, Directories: a.directories,
		Connections: a.signIn.connections, Webhooks: a.webhooks, Members: a.signIn.members, Catalog: catalog, Operator: c.OperatorEmail, Dashboard: a.Dashboard,
		Portal: func(organizationID string) string { return domains.Bases(organizationID, a.URL())[0] }, Now: time.Now, Logger: a.log,
	})
	a.background("alerts", s.Run)
	return s
}
