package main

import (
	"context"
	"fmt"
	"strings"
)

// userRows are measured on one pair with a small directory.
var userRows = []string{"lookup", "get", "patch", "put", "list", "noop", "create"}

func (l *lab) users(ctx context.Context, p *pair) error {
	if err := p.fill(ctx, l.opt.base); err != nil {
		return err
	}
	at8 := step{conns: 8, length: l.opt.length}
	at32 := step{conns: 32, length: l.opt.length}
	// Reads first: the creates make the directory grow.
	for _, m := range []struct {
		row, suffix string
		st          step
		makeTask    func(*directory) func(int, int) task
	}{
		{"lookup", "", at8, func(d *directory) func(int, int) task { return d.lookups }},
		{"get", "", at8, func(d *directory) func(int, int) task { return d.gets }},
		{"list", "", at8, func(d *directory) func(int, int) task { return d.pages }},
		{"patch", "", at8, func(d *directory) func(int, int) task { return d.patches }},
		{"put", "", at8, func(d *directory) func(int, int) task { return d.puts }},
		{"noop", "", at8, nil},
		{"create", ", 8 connections", at8, func(d *directory) func(int, int) task { return d.creates }},
		{"create", ", 32 connections", at32, func(d *directory) func(int, int) task { return d.creates }},
	} {
		switch {
		case !l.opt.wants(m.row):
		case m.row == "noop":
			l.record(ctx, l.noop(ctx, p, m.st))
		default:
			l.record(ctx, l.compare(ctx, p, rowOf(m.row), m.suffix, m.st, m.makeTask))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// noop compares ours with ours: a PUT that changes nothing against one that
// does. The floor's own quotient is in the note.
func (l *lab) noop(ctx context.Context, p *pair, st step) cell {
	r := rowOf("noop")
	if err := l.noopKeepsVersion(p); err != nil {
		return r.failed(p.engine, "", err)
	}
	change := p.both(st, func(d *directory) func(int, int) task { return d.puts })
	same := p.both(st, func(d *directory) func(int, int) task { return d.samePuts })
	got, err := l.compete(ctx, append(change, same...), quotient{figure: throughput, over: 3, under: 1, floor: 0})
	if err != nil {
		return r.failed(p.engine, "", err)
	}
	c := r.cell(p.engine, "")
	c.Now = medianQuotient(got, 3, 1)
	c.FloorRPS, c.OursRPS = median(each(got.by[2], throughput)), median(each(got.by[3], throughput))
	c.addCPU(got.by[2], got.by[3])
	c.Spread, c.Repeats, c.Rounds = got.spread, got.repeats, l.opt.rounds
	c.Note = fmt.Sprintf("floor %.2fx", medianQuotient(got, 2, 0))
	return c
}

func medianQuotient(c contest, over, under int) float64 {
	return median(quotient{figure: throughput, over: over, under: under}.of(c.by))
}

// noopKeepsVersion is what "nothing changed" means to a client: the same
// document, byte for byte, so the same version and lastModified.
func (l *lab) noopKeepsVersion(p *pair) error {
	if p.ours.floor {
		return nil
	}
	c := p.oursDir.dial()
	defer c.close()
	who := &p.oursDir.people[0]
	var seen []string
	for range 2 {
		if _, err := p.oursDir.put(c, nil, who, 7); err != nil {
			return err
		}
		status, doc, err := c.do("GET", p.oursDir.base+"/Users/"+who.id, nil)
		if err != nil {
			return err
		}
		if err := answered("get", 200, status, doc, who.id); err != nil {
			return err
		}
		seen = append(seen, strings.TrimSpace(string(doc)))
	}
	if seen[0] != seen[1] {
		return fmt.Errorf("an identical PUT changed the resource from %.600s to %.600s", seen[0], seen[1])
	}
	return nil
}

// commit measures how well writers share a slow commit. PostgreSQL shares its
// commits by itself and has no such hook.
func (l *lab) commit(ctx context.Context, p *pair) error {
	if err := p.fill(ctx, 100); err != nil {
		return err
	}
	creates := func(d *directory) func(int, int) task { return d.creates }
	alone := p.both(step{conns: 1, length: l.opt.length}, creates)
	crowd := p.both(step{conns: 32, length: l.opt.length}, creates)
	got, err := l.compete(ctx, append(alone, crowd...), quotient{figure: throughput, over: 3, under: 1, floor: 2})
	if err != nil {
		return err
	}
	c := rowOf("commit").cell(p.engine, "")
	c.Now = medianQuotient(got, 3, 1)
	c.FloorRPS, c.OursRPS = median(each(got.by[2], throughput)), median(each(got.by[3], throughput))
	c.addCPU(got.by[2], got.by[3])
	c.Spread, c.Repeats, c.Rounds = got.spread, got.repeats, l.opt.rounds
	c.Note = fmt.Sprintf("floor %.2fx; ours alone %.0f req/s, floor alone %.0f", medianQuotient(got, 2, 0), median(each(got.by[1], throughput)), median(each(got.by[0], throughput)))
	l.record(ctx, c)
	return nil
}
