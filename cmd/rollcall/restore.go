package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/app"
)

type restoreCommand struct {
	app.Settings `embed:""`

	File string `arg:"" help:"Backup to read, - for standard input. It may come from either engine."`
}

// Run restores into an empty database and migrates it.
func (c *restoreCommand) Run(ctx context.Context, w world) (err error) {
	cfg, err := app.Load(&c.Settings, w.environ)
	if err != nil {
		return err
	}
	in, err := openSource(c.File, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	tell, told := w.progress("restored")
	done, err := app.Restore(ctx, cfg, app.NewLogger(cfg, w.stderr), in, tell)
	told()
	if err != nil {
		return err
	}
	if done.KeyProblem != "" {
		fmt.Fprintln(w.stderr, "note:", done.KeyProblem)
	}
	_, err = fmt.Fprintf(w.stderr, "%s has the %d rows of the backup of %s\n", cfg.DescribeDatabase(), done.Rows, done.At.Format("2006-01-02 15:04:05 MST"))
	return err
}
