package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/rollcallhq/rollcall/examples/app-go/saas"
	"github.com/rollcallhq/rollcall/internal/app"
	"github.com/rollcallhq/rollcall/internal/token"
)

// demoFolder is kept between starts and apart from anything real.
const demoFolder = "./rollcall-demo"

// prepareDemo changes the settings before they are loaded. Only flags count against the demo's own folder: a variable may
// point to real data.
func prepareDemo(s *app.Settings) { s.Prefer("data-dir", demoFolder) }

// demoConfig sees to it that the demo touches nothing real and that its management key can be shown.
func demoConfig(c *app.Config) error {
	if c.DatabaseURL != "" {
		return errors.New("--demo runs on the embedded database; leave --database-url and ROLLCALL_DATABASE_URL out")
	}
	if c.APIKey == "" {
		c.APIKey = token.NewSecret("sk_demo")
	}
	c.Simulate = true
	if len(c.AllowTarget) == 0 { // the webhooks' receiver is on the same machine
		c.AllowTarget = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	c.MailToLog = true // where no mail server is named
	return nil
}

// withMake tells those who typed "make demo" where the way out of a taken address goes.
func withMake(err error) error {
	var taken *app.AddressInUseError
	if errors.As(err, &taken) {
		return fmt.Errorf("%w\n  with make: make demo ARGS=\"--listen 127.0.0.1:0\"", err)
	}
	return err
}

// showDemo goes to stdout: it is what was asked for, secrets included, and no part of the log.
func showDemo(ctx context.Context, w world, cfg app.Config, server *app.App) error {
	d, err := server.Demo(ctx)
	if err != nil {
		return err
	}
	example, err := startExample(ctx, server, d)
	if err != nil {
		return err
	}
	dashboard, err := server.FirstLink(ctx)
	if err != nil {
		return err
	}
	if dashboard == "" {
		dashboard = server.Dashboard() + "  (a new link: " + os.Args[0] + " operator link --data-dir " + cfg.DataDir + ")"
	}
	portal, err := server.PortalLink(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, demoText, version, place(cfg, server), cfg.DescribeDatabase(), dashboard, portal.Reveal(), d.Organization, d.Directory,
		d.SCIMBase, d.Token.Reveal(), server.URL(), cfg.APIKey.Reveal(), server.ClientID,
		d.SCIMBase, d.Token.Reveal(), server.URL(), d.Directory, cfg.APIKey.Reveal(), server.URL(), cfg.APIKey.Reveal(), example,
		d.Token.Reveal(), os.Args[0], d.SCIMBase, server.URL(), d.Organization, cfg.APIKey.Reveal())
	return err
}

// exampleAddress is where the example app is, if that is free.
const exampleAddress = "127.0.0.1:8090"

// startExample starts the example app on this machine, until ctx ends, and gives its address.
func startExample(ctx context.Context, server *app.App, d app.Demo) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", exampleAddress)
	if err != nil {
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return "", fmt.Errorf("example app: %w", err)
		}
	}
	url := "http://" + listener.Addr().String()
	s, err := server.DemoSignIn(ctx, d, url)
	if err != nil {
		return "", errors.Join(err, listener.Close())
	}
	example := &http.Server{
		Handler:           saas.New(saas.Options{Issuer: server.URL(), ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), URL: url}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = example.Serve(listener) }() // it ends when it is closed
	context.AfterFunc(ctx, func() { _ = example.Close() })
	return url, nil
}

const demoText = `
  Rollcall %s is running. Stop it with Ctrl-C; the data stays.

  Address        %s
  Database       %s
  Dashboard      %s
  Portal         %s
                 connects an identity provider to a second organization, step by step: opens once, within a day; a new start makes another
  Organization   %s
  Directory      %s

  What an identity provider is given:
  SCIM base URL  %s
  Bearer token   %s

  What your app uses, also with a WorkOS SDK:
  Base URL       %s
  API key        %s
  Client id      %s

  A person arrives, as an identity provider sends one:

curl -sw '\n' '%s/Users' -H 'Authorization: Bearer %s' -H 'Content-Type: application/scim+json' -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@acme.example","name":{"givenName":"Ada","familyName":"Lindqvist"},"emails":[{"value":"ada@acme.example","type":"work","primary":true}],"active":true}'

  Your app sees her in the directory:

curl -sw '\n' '%s/directory_users?directory=%s' -H 'Authorization: Bearer %s'

  And the event that she caused:

curl -sw '\n' '%s/events?events=dsync.user.created' -H 'Authorization: Bearer %s'

  She signs in: open the example app, choose "Sign in with SSO", and type ada@acme.example:

  Example app    %s

  She leaves, as Okta tells it, and the example app's page signs her out by itself:

ROLLCALL_SCIM_TOKEN=%s %s simulate okta leave --user ada@acme.example --url %s

  What that took, from Okta's request to the last session and the app:

curl -sw '\n' '%s/organizations/%s/offboardings' -H 'Authorization: Bearer %s'

`
