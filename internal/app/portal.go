package app

import (
	"context"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/portal"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// itAdmins builds IT contacts, their links and sessions, and has what they asked for be done. It comes before anything changes: from then
// on contacts are told of changes.
func (a *App) itAdmins(c Config, ids *token.Source, sealer *db.Sealer, domains web.Domains) *itadmin.Service {
	s := itadmin.NewService(itadmin.Options{
		DB: a.db, Events: a.events, IDs: ids, Sealer: sealer, Organizations: a.organizations, Mails: a.signIn.mails, Operator: c.OperatorEmail, Dashboard: a.Dashboard,
		Base: func(organizationID string) string { return domains.Bases(organizationID, a.URL())[0] }, Ending: ending(a.signIn.connections),
		Now: time.Now, Logger: a.log,
	})
	a.background("it contacts", s.Run)
	return s
}

// ending tells contacts of the certificate that an event says is about to end.
func ending(connections *sso.Service) func(context.Context, db.Reader, string, string) (mail.ConnectionCertificate, bool, error) {
	return func(ctx context.Context, r db.Reader, organizationID, connectionID string) (out mail.ConnectionCertificate, ok bool, err error) {
		name, last, ok, err := connections.LastCertificate(ctx, r, organizationID, sso.ID(connectionID))
		return mail.ConnectionCertificate{Connection: name, Subject: last.Subject, Fingerprint: last.Fingerprint, ExpiresAt: last.NotAfter}, ok, err
	}
}

// portalPages builds the IT admin's pages.
func (a *App) portalPages(
	c Config, alerts *alert.Service, catalog *idp.Catalog, domains web.Domains, site *web.Site, policies *lifecycle.Policies, audits *lifecycle.Audits,
	offboardings *lifecycle.Offboardings,
) *portal.Server {
	o := portal.Options{
		Admins: a.admins, Alerts: alerts, Organizations: a.organizations, Connections: a.signIn.connections, Directories: a.directories, Members: a.signIn.members, Policies: policies, Audits: audits,
		Offboardings: offboardings, Healths: a.healths(c, audits), Events: a.events, Catalog: catalog, Site: site, NewTest: a.signIn.signIns.NewTest, KeepsAccounts: c.Accounts == AccountsRollcall,
		Bases: func(organizationID string) []string { return domains.Bases(organizationID, a.URL()) }, Now: time.Now, Logger: a.log,
		SetUps:  lifecycle.NewSetUps(lifecycle.SetUpOptions{DB: a.db, Directories: a.directories, ProfilesOnly: c.Accounts == AccountsApp}),
		AppName: a.appName(c),
	}
	if c.Simulate {
		o.TestIDP = a.URL() + strings.TrimSuffix(simulatePath, "/")
	}
	if o.KeepsAccounts {
		o.Access = a.signIn.members.Access()
		o.Mappings = lifecycle.NewMappings(a.db, o.Access, a.directories)
	}
	return portal.New(o)
}

// again repeats reads of identity providers for the operator.
func (a *App) again(o scimapi.Options, domains web.Domains) func(context.Context, directory.ID, string) (int, []byte, error) {
	read := scimapi.NewAgain(o, func(organizationID string) string { return domains.Bases(organizationID, a.URL())[0] })
	return func(ctx context.Context, id directory.ID, path string) (int, []byte, error) {
		answer, err := read(ctx, id, path)
		return answer.Status, answer.Body, err
	}
}

// healths tells how directories are kept. Where the app keeps the accounts nobody here knows who has access.
func (a *App) healths(c Config, audits *lifecycle.Audits) *lifecycle.Healths {
	if c.Accounts != AccountsRollcall {
		audits = nil
	}
	return lifecycle.NewHealths(a.directories, a.signIn.connections, audits)
}

// appName is how IT admins know the app: by the operator's brand, else by who writes its mails, else by its only application.
func (a *App) appName(c Config) func(context.Context) string {
	name := c.Brand.Name
	if name == "" && c.Mail != nil {
		name = c.Mail.From.Name
	}
	return func(ctx context.Context) string {
		if name != "" {
			return name
		}
		only, err := a.signIn.issuer.Default(ctx)
		if err != nil { // the page has a word for an app without a name
			a.log.WarnContext(ctx, "the name of the app could not be read", "cause", err)
			return ""
		}
		if only.Name == issuer.DefaultName {
			return ""
		}
		return only.Name
	}
}
