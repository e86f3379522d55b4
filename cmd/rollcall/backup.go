package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/rollcallhq/rollcall/internal/app"
)

// stream names the standard stream instead of a file.
const stream = "-"

type backupCommand struct {
	app.Settings `embed:""`

	File   string `arg:"" help:"File to write, - for standard output. A file of that name is replaced when the new one is complete."`
	Verify bool   `help:"Check the backup FILE (- for standard input) and say what is in it; no database is needed."`
}

// Run backs up beside a running server.
func (c *backupCommand) Run(ctx context.Context, w world) error {
	if c.Verify {
		return c.verify(ctx, w)
	}
	cfg, err := app.Load(&c.Settings, w.environ)
	if err != nil {
		return err
	}
	out, err := newTarget(c.File, w)
	if err != nil {
		return err
	}
	tell, told := w.progress("backed up")
	counted := &counter{w: out}
	s, err := app.Backup(ctx, cfg, version, app.NewLogger(cfg, w.stderr), counted, tell)
	told()
	if err != nil {
		return errors.Join(err, out.abandon())
	}
	if err := out.commit(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stderr, "%s: %d rows of %d tables of %s in %.1f MB, schema version %d\n"+
		"Not in it: the sealing key. Keep %s too, and apart from the backup: without it the secrets of webhook endpoints are lost.\n",
		out.name, s.Rows, len(s.Tables), cfg.DescribeDatabase(), float64(counted.n)/1e6, s.Schema, cfg.KeyPlace())
	return err
}

func (c *backupCommand) verify(ctx context.Context, w world) (err error) {
	in, err := openSource(c.File, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	tell, told := w.progress("checked")
	s, err := app.VerifyBackup(ctx, in, tell)
	told()
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return describe(w.stdout, c.File, s)
}

func describe(w io.Writer, name string, s app.BackupSummary) error {
	_, err := fmt.Fprintf(w, "%s is whole: %d rows of %d tables, made %s by Rollcall %s from %s, schema version %d, sha256 %s\n",
		name, s.Rows, len(s.Tables), s.At.Format("2006-01-02 15:04:05 MST"), s.Program, s.Engine, s.Schema, s.SHA256)
	return err
}

// target is where a backup goes. A file appears under its name only when it is complete and on disk.
type target struct {
	io.Writer
	name string
	file *os.File // nil for standard output
}

func newTarget(name string, w world) (*target, error) {
	if name == stream {
		if terminal(w.stdout) {
			return nil, errors.New("a backup is no text for a terminal: name a file, or send standard output to a program")
		}
		return &target{Writer: w.stdout, name: "the backup"}, nil
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: name one to be made, or - for standard output", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // made with mode 0600
	if err != nil {
		return nil, fmt.Errorf("make the backup file: %w", err)
	}
	return &target{Writer: f, name: name, file: f}, nil
}

func (t *target) commit() error {
	if t.file == nil {
		return nil
	}
	err := errors.Join(t.file.Sync(), t.file.Close())
	if err == nil {
		err = os.Rename(t.file.Name(), t.name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the backup: %w", err), os.Remove(t.file.Name()))
	}
	return syncFolder(filepath.Dir(t.name))
}

// syncFolder has the new name on disk, as the contents are. Windows has no such thing.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("the backup is complete, but its name may not survive a power failure: %w", err)
	}
	return nil
}

func (t *target) abandon() error {
	if t.file == nil {
		return nil
	}
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}

func openSource(name string, w world) (io.ReadCloser, error) {
	if name == stream {
		return io.NopCloser(w.stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	return f, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// progress counts up for a person at a terminal. done ends the line.
func (w world) progress(verb string) (tell app.Progress, done func()) {
	if !terminal(w.stderr) {
		return nil, func() {}
	}
	said := false
	tell = func(rows int64) {
		said = true
		fmt.Fprintf(w.stderr, "\r%d rows %s", rows, verb)
	}
	return tell, func() {
		if said {
			fmt.Fprint(w.stderr, "\r\x1b[K")
		}
	}
}
