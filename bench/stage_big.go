package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// bigRows share one pair of servers that is filled once and grows.
var bigRows = []string{"growth", "memory", "member", "members500", "grouphead", "start"}

// bigRowsOf leaves out the memory row where most of the memory is PostgreSQL's.
func bigRowsOf(eng engine) []string {
	if eng == sqlite {
		return bigRows
	}
	return slices.DeleteFunc(slices.Clone(bigRows), func(row string) bool { return row == "memory" })
}

var groupRows = []string{"member", "members500", "grouphead"}

// works whose latency must not grow with the directory.
var growing = []struct {
	name     string
	makeTask func(*directory) func(int, int) task
}{
	{"lookup", func(d *directory) func(int, int) task { return d.lookups }},
	{"get", func(d *directory) func(int, int) task { return d.gets }},
	{"patch", func(d *directory) func(int, int) task { return d.patches }},
	{"deep list", func(d *directory) func(int, int) task { return d.pages }},
}

// halt is a size at which the growing directory is measured.
type halt struct {
	size   int
	growth bool
	memory bool
	groups bool
}

// halts says where to stop on the way up, ascending. Groups need people outside
// the large group, and come after the figures for directories of that size.
func halts(o *options, eng engine) []halt {
	var hs []halt
	memory := o.wants("memory") && eng == sqlite
	if o.wants("growth", "start") || memory {
		for i, size := range o.sizes {
			hs = append(hs, halt{size: size, growth: o.wants("growth"), memory: memory && (i > 0 || len(o.sizes) == 1)})
		}
	}
	if o.wants(groupRows...) {
		hs = append(hs, halt{size: o.groupSize + groupSpare, groups: true})
	}
	slices.SortStableFunc(hs, func(a, b halt) int { return a.size - b.size })
	return hs
}

func (l *lab) big(ctx context.Context, p *pair) error {
	g := growth{}
	for _, h := range halts(&l.opt, p.engine) {
		l.say("%s: filling both to %d people", p.engine, h.size)
		if err := p.fill(ctx, h.size); err != nil {
			return err
		}
		if err := l.warmUp(ctx, p); err != nil {
			return err
		}
		if h.growth {
			if err := l.measureGrowth(ctx, p, h.size, &g); err != nil {
				return err
			}
		}
		if h.memory {
			l.record(ctx, l.memory(p, h.size))
		}
		if h.groups {
			if err := l.groups(ctx, p); err != nil {
				return err
			}
		}
	}
	if l.opt.wants("start") {
		l.record(ctx, l.startUp(ctx, p))
	}
	return ctx.Err()
}

// warmUp sends thousands of requests of each sort, since after a load a page
// cache holds the wrong pages.
func (l *lab) warmUp(ctx context.Context, p *pair) error {
	for _, work := range growing[:3] {
		for _, c := range p.both(step{conns: 8, length: 30 * time.Second, most: min(1000, len(p.oursDir.people))}, work.makeTask) {
			out, err := c.s.run(ctx, c.d, c.st)
			if err == nil {
				err = out.failure()
			}
			if err != nil {
				return fmt.Errorf("warm up %s: %w", c.s.name, err)
			}
		}
	}
	return nil
}

// growth remembers what the smallest size gave.
type growth struct {
	size  int
	first map[string]contest
}

func (l *lab) measureGrowth(ctx context.Context, p *pair, size int, g *growth) error {
	first := g.first == nil
	if first {
		g.size, g.first = size, map[string]contest{}
	}
	for _, work := range growing {
		st := step{conns: 8, length: l.opt.length}
		got, err := l.compete(ctx, p.both(st, work.makeTask), besideFloor)
		suffix := fmt.Sprintf(": %s, %s to %s", work.name, thousands(g.size), thousands(size))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.record(ctx, rowOf("growth").failed(p.engine, suffix, err))
		case first:
			g.first[work.name] = got
		default:
			l.record(ctx, growthCell(p.engine, suffix, g.first[work.name], got, l.opt.rounds))
		}
	}
	return nil
}

var besideFloor = quotient{figure: p50, over: 1, under: 0, floor: 0}

// growthCell divides ours by the floor inside each round, at both sizes; how
// much that quotient grew is what ours grew beyond the floor.
func growthCell(eng engine, suffix string, small, large contest, rounds int) cell {
	r := rowOf("growth")
	if small.by == nil {
		return r.failed(eng, suffix, errors.New("the smallest size could not be measured"))
	}
	c := r.cell(eng, suffix)
	c.Now = median(besideFloor.of(large.by)) / median(besideFloor.of(small.by))
	c.FloorRPS, c.OursRPS = median(each(large.by[0], throughput)), median(each(large.by[1], throughput))
	c.addCPU(large.by[0], large.by[1])
	c.Spread, c.Repeats, c.Rounds = max(small.spread, large.spread), max(small.repeats, large.repeats), rounds
	ms := func(c contest, who int) float64 { return 1000 * median(each(c.by[who], p50)) }
	c.Note = fmt.Sprintf("p50 ours %.2f to %.2f ms, floor %.2f to %.2f ms", ms(small, 1), ms(large, 1), ms(small, 0), ms(large, 0))
	return c
}

func (l *lab) memory(p *pair, size int) cell {
	r := rowOf("memory")
	suffix := " at " + thousands(size) + " users"
	floor, floorPeak, err1 := residentMiB(p.floor.proc.pid())
	ours, peak, err2 := residentMiB(p.ours.proc.pid())
	if err := errors.Join(err1, err2); err != nil {
		return r.failed(p.engine, suffix, err)
	}
	c := r.cell(p.engine, suffix)
	if size > 100_000 {
		c.Limit = memoryAtMillion
	}
	c.Now = ours
	c.Note = fmt.Sprintf("highest %.0f MiB; floor %.0f, highest %.0f", peak, floor, floorPeak)
	return c
}

// startUp stops and starts both with the filled database and waits for the
// answer to a lookup.
func (l *lab) startUp(ctx context.Context, p *pair) cell {
	r := rowOf("start")
	suffix := " with " + thousands(len(p.oursDir.people)) + " users"
	took := map[*side][]float64{}
	for round := range l.opt.rounds {
		order := []contestant{{s: p.floor, d: p.floorDir}, {s: p.ours, d: p.oursDir}}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, x := range order {
			ms, err := l.restart(ctx, x.s, x.d)
			if err != nil {
				return r.failed(p.engine, suffix, fmt.Errorf("%s: %w", x.s.name, err))
			}
			took[x.s] = append(took[x.s], ms)
		}
	}
	c := r.cell(p.engine, suffix)
	c.Now, c.Spread, c.Rounds = median(took[p.ours]), spread(took[p.floor]), l.opt.rounds
	c.Note = fmt.Sprintf("floor %.0f ms", median(took[p.floor]))
	return c
}

// restart returns the milliseconds from the start of the process to its first
// right answer.
func (l *lab) restart(ctx context.Context, s *side, d *directory) (float64, error) {
	if err := s.proc.stop(); err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := s.start(ctx, &l.procs); err != nil {
		return 0, err
	}
	c := d.dial()
	defer c.close()
	if _, err := d.lookups(0, 1)(c); err != nil {
		return 0, err
	}
	return float64(time.Since(begun).Microseconds()) / 1000, nil
}

// thousands writes 100000 as 100,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
