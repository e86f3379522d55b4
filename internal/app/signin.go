package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/simulate"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// signIn is what sign-ins are made of, built once.
type signIn struct {
	sessions    *session.Service
	members     *member.Service
	mails       *mail.Outbox
	connections *sso.Service
	issuer      *issuer.Service
	signIns     *lifecycle.SignIns
	edge        *signin.Server
	simulated   http.Handler   // nil unless test identity providers are asked for
	testIDP     *simulate.SAML // one of them
}

// buildSignIn builds it over the nouns that are there already.
func (a *App) buildSignIn(ctx context.Context, c Config, ids *token.Source, sealer *db.Sealer, catalog *idp.Catalog, domains web.Domains, site *web.Site) (*signIn, error) {
	s := &signIn{}
	policy := outbound.NewPolicy(signInTargets(c), lookup)
	s.sessions = session.NewService(session.Options{DB: a.db, Events: a.events, IDs: ids, Sealer: sealer, Now: time.Now, Logger: a.log})
	s.members = member.NewService(a.db, a.events, ids, a.organizations, s.sessions, time.Now)
	var err error
	if s.mails, err = mail.NewOutbox(mail.Options{DB: a.db, IDs: ids, Sealer: sealer, Now: time.Now, Logger: a.log, Sender: sender(c, a.log), App: mailApp(c), Templates: c.MailTemplates}); err != nil {
		return nil, fmt.Errorf("templates of mails: %w", err)
	}
	a.events.Forgets(event.Forgetter{Rows: func(ctx context.Context, who event.Forgotten) error {
		return s.mails.Forget(ctx, who.OrganizationID, who.Subject != "", who.Traces)
	}})
	s.connections = sso.NewService(sso.Config{
		DB: a.db, Events: a.events, IDs: ids, Sealer: sealer, Organizations: a.organizations, Sessions: s.sessions, Members: s.members, Policy: policy, Catalog: catalog,
		Now: time.Now, Logger: a.log, OneVerifier: c.SecondVerifier == Off,
	})
	s.issuer = issuer.NewService(issuer.Options{
		DB: a.db, Events: a.events, IDs: ids, Sealer: sealer, Sessions: s.sessions, Policy: policy, Issuer: a.URL(), ClientID: a.organizations.ClientID,
		ManagementKeys: []token.Hash{a.key}, UserAgent: "Rollcall/" + a.version, Now: time.Now, Logger: a.log,
	})
	bases := func(organizationID string) []string { return domains.Bases(organizationID, a.URL()) }
	s.members.SetInviting(member.Inviting{
		Sealer: sealer, Mails: s.mails, Base: func(organizationID string) string { return bases(organizationID)[0] },
	})
	s.signIns = lifecycle.NewSignIns(lifecycle.SignInOptions{
		DB: a.db, Events: a.events, Organizations: a.organizations, Members: s.members, Connections: s.connections, Sessions: s.sessions, Issuer: s.issuer,
		Mails: s.mails, Sealer: sealer, Now: time.Now, Logger: a.log, ProfilesOnly: c.Accounts == AccountsApp,
		Life: session.Life{Idle: c.SessionIdle, Absolute: c.SessionLife}, Bases: bases,
	})
	s.issuer.SetPeople(s.signIns)
	s.issuer.SetProfiles(s.signIns)
	if c.Accounts != AccountsApp {
		s.issuer.SetAccounts(s.signIns)
	}
	s.edge = signin.New(signin.Options{
		SignIns: s.signIns, Issuer: s.issuer, Connections: s.connections, Pages: web.NewPages(site), Bases: bases, Now: time.Now, Logger: a.log,
	})
	if c.Simulate {
		err = a.simulate(ctx, s, sealer, catalog)
	}
	return s, err
}

// accounts are those that the API shows: none where the app keeps them.
func (s *signIn) accounts(c Config) *member.Service {
	if c.Accounts == AccountsApp {
		return nil
	}
	return s.members
}

// signInTargets are the private networks that sign-ins may call out to. The test identity providers and the example app of the demo are on
// this machine, whatever else is allowed.
func signInTargets(c Config) []netip.Prefix {
	if !c.Simulate {
		return c.AllowTarget
	}
	return append(slices.Clone(c.AllowTarget), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
}

// run is the background work of sign-ins.
func (s *signIn) run(a *App) {
	a.background("sessions", s.sessions.Run)
	a.background("mails", s.mails.Run)
	a.background("connections", s.connections.Run)
	a.background("issuer", s.issuer.Run)
	a.metrics.count("rollcall_saml_disagreements_total", "SAML responses that the two verifiers read differently; each is a reason to look.", func() int64 {
		return int64(s.connections.Disagreements())
	})
	a.metrics.count("rollcall_mails_sent_total", "Mails that were handed to the mail server.", s.mails.Sent)
	a.metrics.count("rollcall_mails_failed_total", "Mails that were given up.", s.mails.Failed)
	a.metrics.age("rollcall_mails_oldest_pending_seconds", "Age of the oldest mail that is neither sent nor given up.", s.mails.OldestPending)
	a.sayHowMailLeaves()
}

// sayHowMailLeaves warns where it does not: people who wait for a code cannot tell.
func (a *App) sayHowMailLeaves() {
	switch c := a.config; {
	case c.Mail != nil:
		a.log.Info("mail is sent", "server", c.Mail.Host, "port", c.Mail.Port, "from", c.Mail.From.Address)
	case c.MailToLog:
		a.log.Warn("mail is not sent but written to this log, sign-in codes included: only for trying things out")
	case c.Accounts == AccountsRollcall:
		a.log.Warn("no mail is sent, so nobody can sign in by a mailed code and invitations reach nobody (give their links away yourself): name a mail server with --smtp-url and a sender with --mail-from")
	}
}

// sender is how mails leave; nil: they do not.
func sender(c Config, log *slog.Logger) mail.Sender {
	switch {
	case c.Mail != nil:
		return *c.Mail
	case c.MailToLog:
		return mail.LogSink{Logger: log}
	}
	return nil
}

// mailApp is who writes, in people's words.
func mailApp(c Config) string {
	if c.Mail != nil && c.Mail.From.Name != "" {
		return c.Mail.From.Name
	}
	return "Rollcall"
}

// prepare sees to it that the default application is there, and keys that sign, before the first request asks for them.
func (s *signIn) prepare(ctx context.Context) error {
	if _, err := s.issuer.Default(ctx); err != nil {
		return fmt.Errorf("default application: %w", err)
	}
	if err := s.issuer.TendKeys(ctx); err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return nil
}
