package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/app"
)

type migrateCommand struct {
	app.Settings `embed:""`
}

// Run migrates and says which version the schema has now.
func (c *migrateCommand) Run(ctx context.Context, w world) (err error) {
	cfg, err := app.Load(&c.Settings, w.environ)
	if err != nil {
		return err
	}
	version, err := app.Migrate(ctx, cfg, app.NewLogger(cfg, w.stderr))
	if err != nil {
		return err
	}
	_, werr := fmt.Fprintf(w.stdout, "%s has schema version %d\n", cfg.DescribeDatabase(), version)
	return errors.Join(err, werr)
}
