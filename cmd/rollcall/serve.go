package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/app"
)

type serveCommand struct {
	app.Settings `embed:""`

	Demo bool `help:"Make an organization and a directory to play with, in the folder ./rollcall-demo, and print how."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, w world) error {
	cfg, err := c.load(w)
	if err != nil {
		return err
	}
	log := app.NewLogger(cfg, w.stderr)
	for _, stray := range app.Strays(w.environ) {
		log.Warn("a variable looks like a misspelt setting", "problem", stray)
	}
	trade(w.environ)
	server, err := app.New(ctx, cfg, version, log)
	if err != nil {
		if c.Demo {
			err = withMake(err)
		}
		return err
	}
	if err := c.greet(ctx, w, log, cfg, server); err != nil {
		return errors.Join(err, server.Close())
	}
	stopHangups := w.reloadOnHangup(ctx, server)
	defer stopHangups()
	return server.Run(ctx)
}

// collectAt lets the heap grow to four times what is live before it is collected: what a request leaves behind is small and
// short-lived, so this costs some tens of megabytes and saves a tenth of the processor time.
const collectAt = 300

// trade sets the collector unless the person who started us did.
func trade(environ []string) {
	if !slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(collectAt)
	}
}

func (c *serveCommand) load(w world) (app.Config, error) {
	if !c.Demo {
		return app.Load(&c.Settings, w.environ)
	}
	prepareDemo(&c.Settings)
	cfg, err := app.Load(&c.Settings, w.environ)
	if err == nil {
		err = demoConfig(&cfg)
	}
	return cfg, err
}

// greet tells a person at a terminal, or else the log, what has started. The key that this start made goes to stderr in
// either case and never through the log, which may be kept and shipped.
func (c *serveCommand) greet(ctx context.Context, w world, log *slog.Logger, cfg app.Config, server *app.App) error {
	switch {
	case c.Demo:
		return showDemo(ctx, w, cfg, server)
	case terminal(w.stderr):
		fmt.Fprintf(w.stderr, "\n  Rollcall %s\n\n  Address    %s\n  Database   %s\n  Client id  %s\n\n", version, place(cfg, server), cfg.DescribeDatabase(), server.ClientID)
	default:
		log.Info("rollcall started", "version", version, "address", server.URL(), "listen", server.Addr(), "database", cfg.DescribeDatabase(), "client_id", server.ClientID)
	}
	if key := server.NewKey; key != "" {
		fmt.Fprintf(w.stderr, "\n  API key    %s\n             made now and shown only this once; keep it\n\n", key.Reveal())
	}
	return w.welcomeFirst(ctx, server)
}

const firstLinkPatience = 10 * time.Second

// welcomeFirst shows the link by which the first operator comes in, as the key above is shown: never through the log. Each start shows one while there
// is no operator.
func (w world) welcomeFirst(ctx context.Context, server *app.App) error {
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstLinkPatience) // who stops it at this moment has not broken it
	defer cancel()
	link, err := server.FirstLink(short)
	if err == nil && link != "" {
		_, err = fmt.Fprintf(w.stderr, "\n  Dashboard  %s\n             lets the first operator in: once, within 24 hours; \"rollcall operator link\" makes another\n\n", link)
	}
	return err
}

// place says where the server is: a public URL does not tell which port of this machine it leads to.
func place(cfg app.Config, server *app.App) string {
	if cfg.PublicURL == nil {
		return server.URL()
	}
	return server.URL() + " (listening on " + server.Addr() + ")"
}

func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// reloadOnHangup passes hang-up signals on until the function it returns is called.
func (w world) reloadOnHangup(ctx context.Context, server *app.App) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.hangup:
				server.Reload()
			}
		}
	}()
	return func() { cancel(); <-done }
}
