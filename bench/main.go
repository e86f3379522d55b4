package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wholeRun bounds everything: a benchmark that hangs must not stay.
const wholeRun = 3 * time.Hour

func run(ctx context.Context, args []string, out, messages io.Writer) (err error) {
	opt, err := parseOptions(args, messages)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	debug.SetGCPercent(400) // the generator shares the cores with the servers
	l, err := newLab(opt, messages)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.measure(ctx); err != nil {
		if len(l.cells) > 0 { // what was measured before Ctrl-C is still worth reading
			err = errors.Join(err, writeTable(out, l.cells))
		}
		return err
	}
	if opt.jsonFile != "" {
		if err := writeJSON(opt.jsonFile, opt, l.cells); err != nil {
			return err
		}
	}
	if err := writeTable(out, l.cells); err != nil {
		return err
	}
	return l.broken()
}

// broken is an error when a row could not be measured or an answer was wrong.
// A row that is merely too slow is in the table and no error: noise must not
// fail a build.
func (l *lab) broken() error {
	n := 0
	for _, c := range l.cells {
		if c.Failure != "" || c.Row == "kill" && c.Now > 0 {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %d cells failed", n, len(l.cells))
	}
	return nil
}

func (l *lab) measure(ctx context.Context) error {
	if err := l.build(ctx); err != nil {
		return err
	}
	if slices.Contains(l.opt.engines, postgresSQL) {
		if err := l.openPostgres(ctx); err != nil {
			return err
		}
	}
	if l.opt.wants("size") {
		l.record(ctx, l.size())
	}
	for _, eng := range l.opt.engines {
		l.stages(ctx, eng)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// stages run one after the other, each on empty stores of its own.
func (l *lab) stages(ctx context.Context, eng engine) {
	if l.opt.wants(userRows...) {
		l.withPair(ctx, eng, extras{}, userRows, func(p *pair) error { return l.users(ctx, p) })
	}
	if l.opt.wants("commit") && eng == sqlite {
		l.withPair(ctx, eng, extras{commitDelay: 2 * time.Millisecond}, []string{"commit"}, func(p *pair) error { return l.commit(ctx, p) })
	}
	if l.opt.wants("entra") {
		l.withPair(ctx, eng, extras{}, []string{"entra"}, func(p *pair) error { return l.entra(ctx, p) })
	}
	if l.opt.wants("kill") && ctx.Err() == nil {
		if err := l.killed(ctx, eng); err != nil {
			l.record(ctx, rowOf("kill").failed(eng, "", err))
		}
	}
	if l.opt.wants(feedRows...) {
		l.withPair(ctx, eng, extras{}, feedRows, func(p *pair) error { return l.feed(ctx, p) })
	}
	l.hooks(ctx, eng)
	if l.opt.wants("signins") && !l.opt.standIn && ctx.Err() == nil {
		if err := l.signIns(ctx, eng); err != nil {
			l.record(ctx, rowOf("signins").failed(eng, "", err))
		}
	}
	if l.opt.wants("logout") && !l.opt.standIn && ctx.Err() == nil {
		if err := l.logout(ctx, eng); err != nil {
			l.record(ctx, rowOf("logout").failed(eng, "", err))
		}
	}
	if l.opt.wants(reapplyRows...) && !l.opt.standIn && ctx.Err() == nil {
		if err := l.reapply(ctx, eng); err != nil {
			l.record(ctx, rowOf("reapply").failed(eng, "", err))
		}
	}
	if l.opt.wants(pageRows...) && !l.opt.standIn && ctx.Err() == nil {
		if err := l.pages(ctx, eng); err != nil {
			l.record(ctx, rowOf("pages").failed(eng, "", err))
		}
	}
	if big := bigRowsOf(eng); l.opt.wants(big...) {
		l.withPair(ctx, eng, extras{}, big, func(p *pair) error { return l.big(ctx, p) })
	}
}

func (l *lab) size() cell {
	r := rowOf("size")
	path := l.rollcall
	if l.opt.standIn {
		path = l.floor
	}
	info, err := os.Stat(path)
	if err != nil {
		return r.failed("-", "", err)
	}
	c := r.cell("-", "")
	c.Now = float64(info.Size()) / 1e6
	return c
}
