package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// lab holds what a run needs: binaries, a place for stores, running servers.
type lab struct {
	opt      options
	log      io.Writer
	temp     string
	floor    string // binaries
	rollcall string
	pg       *postgres
	procs    processes
	cells    []cell
	cleanups []func() error
}

func newLab(opt options, log io.Writer) (*lab, error) {
	temp, err := os.MkdirTemp("", "rollcall-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{opt: opt, log: log, temp: temp}
	l.cleanups = append(l.cleanups, func() error { return os.RemoveAll(temp) })
	return l, nil
}

// close stops every server and removes every store, whatever happened before.
func (l *lab) close() error {
	var errs []error
	if l.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if l.pg.proc == nil {
			errs = append(errs, l.pg.dropDatabases(ctx))
		}
	}
	errs = append(errs, l.procs.stopAll())
	for _, cleanup := range l.cleanups {
		errs = append(errs, cleanup())
	}
	return errors.Join(errs...)
}

func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.log, format+"\n", args...)
}

// record keeps a cell and tells of it at once. What failed because the run was
// stopped is no result.
func (l *lab) record(ctx context.Context, c cell) {
	if c.Failure != "" && ctx.Err() != nil {
		return
	}
	c = c.judged()
	l.cells = append(l.cells, c)
	detail := c.Limit.show(c.Now)
	if c.Failure != "" {
		detail = c.Failure
	}
	l.say("%-8s %-60s %s (%s) %s", c.Engine, c.Measured, detail, c.Verdict, c.Note)
}

func (l *lab) build(ctx context.Context) error {
	l.floor = filepath.Join(l.temp, "floor")
	if err := goBuild(ctx, l.floor, "./bench/floor"); err != nil {
		return err
	}
	if l.opt.standIn {
		return nil
	}
	if l.opt.rollcall != "" {
		path, err := filepath.Abs(l.opt.rollcall)
		l.rollcall = path
		return err
	}
	l.rollcall = filepath.Join(l.temp, "rollcall")
	return goBuild(ctx, l.rollcall, "./cmd/rollcall")
}

// goBuild builds as a release is built.
func goBuild(ctx context.Context, to, what string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, what)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s (run the benchmark in the repository's root): %w\n%s", what, err, out)
	}
	return nil
}

func (l *lab) openPostgres(ctx context.Context) error {
	var err error
	if l.opt.postgresURL != "" {
		l.pg, err = connectPostgres(ctx, l.opt.postgresURL)
		return err
	}
	var cleanup func() error
	l.pg, cleanup, err = startPostgres(ctx, &l.procs)
	if cleanup != nil {
		l.cleanups = append(l.cleanups, cleanup)
	}
	return err
}

// pair is floor and ours on one engine, each with one directory.
type pair struct {
	engine            engine
	floor, ours       *side
	floorDir, oursDir *directory
}

func (l *lab) newPair(ctx context.Context, eng engine, x extras) (*pair, error) {
	p := &pair{engine: eng}
	for _, it := range []struct {
		s     **side
		d     **directory
		floor bool
	}{{&p.floor, &p.floorDir, true}, {&p.ours, &p.oursDir, false}} {
		s, err := l.newSide(ctx, it.floor, eng, x)
		if err != nil {
			return nil, err
		}
		*it.s = s
		if err := s.start(ctx, &l.procs); err != nil {
			return nil, errors.Join(err, p.stop())
		}
		if *it.d, err = s.newDirectory(ctx, l, "main"); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), p.stop())
		}
	}
	return p, nil
}

func (p *pair) stop() error {
	var errs []error
	for _, s := range []*side{p.floor, p.ours} {
		if s != nil && s.proc != nil {
			errs = append(errs, s.proc.stop())
		}
	}
	return errors.Join(errs...)
}

func (p *pair) fill(ctx context.Context, size int) error {
	return errors.Join(p.floor.fill(ctx, p.floorDir, size), p.ours.fill(ctx, p.oursDir, size))
}

// withPair runs a stage on fresh servers. What goes wrong becomes a failed cell
// of the rows that the stage would have measured, and the next stage goes on.
func (l *lab) withPair(ctx context.Context, eng engine, x extras, rows []string, stage func(*pair) error) {
	p, err := l.newPair(ctx, eng, x)
	if err == nil {
		err = errors.Join(stage(p), p.stop())
	}
	if err == nil {
		return
	}
	if ctx.Err() == nil && len(rows) > 0 {
		l.say("%s: %v", eng, err)
	}
	for _, name := range rows {
		if l.opt.wants(name) && !l.measured(eng, name) {
			l.record(ctx, rowOf(name).failed(eng, "", err))
		}
	}
}

func (l *lab) measured(eng engine, row string) bool {
	return slices.ContainsFunc(l.cells, func(c cell) bool { return c.Engine == eng && c.Row == row })
}
