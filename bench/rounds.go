package main

import (
	"context"
	"fmt"
	"time"
)

// contestant takes one turn in every round.
type contestant struct {
	s  *side
	d  *directory
	st step
}

// contest is what the turns gave: outcomes by contestant and round.
type contest struct {
	by      [][]outcome
	spread  float64 // of the floor
	repeats int
}

// quotient is what a contest is held for: one contestant's figure over
// another's, with the floor's figure to tell how quiet the machine was.
type quotient struct {
	figure             func(outcome) float64
	over, under, floor int
}

func (q quotient) of(by [][]outcome) []float64 {
	return ratios(each(by[q.over], q.figure), each(by[q.under], q.figure))
}

// noise is the larger of two spreads: the floor's, and that of the quotient
// itself, which a disturbance during one side's turns only shows in.
func (q quotient) noise(by [][]outcome) float64 {
	return max(q.floorSpread(by), spread(q.of(by)))
}

func (q quotient) floorSpread(by [][]outcome) float64 { return spread(each(by[q.floor], q.figure)) }

// settle lets a server finish what it does after answering, so that its work
// does not fall into the next one's turn.
const settle = 150 * time.Millisecond

// compete lets the contestants take turns. While that was too noisy everything
// is measured again, a bounded number of times; the quietest attempt counts.
func (l *lab) compete(ctx context.Context, cs []contestant, q quotient) (contest, error) {
	var best contest
	least := 0.0
	for attempt := range 1 + l.opt.repeats {
		by, err := l.attempt(ctx, cs)
		if err != nil {
			return contest{}, err
		}
		if now := q.noise(by); attempt == 0 || now < least {
			best.by, best.spread, least = by, q.floorSpread(by), now
		}
		best.repeats = attempt
		if least <= noisy {
			break
		}
	}
	return best, nil
}

func (l *lab) attempt(ctx context.Context, cs []contestant) ([][]outcome, error) {
	by := make([][]outcome, len(cs))
	for round := range l.opt.rounds {
		for turn := range cs {
			i := (round + turn) % len(cs)
			out, err := l.turn(ctx, cs[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cs[i].s.name, err)
			}
			by[i] = append(by[i], out)
		}
	}
	return by, nil
}

func (l *lab) turn(ctx context.Context, c contestant) (outcome, error) {
	if l.opt.warm > 0 && c.st.most == 0 {
		warm := c.st
		warm.length = l.opt.warm
		out, err := c.s.run(ctx, c.d, warm)
		if err == nil {
			err = out.failure()
		}
		if err != nil {
			return outcome{}, err
		}
	}
	out, err := c.s.run(ctx, c.d, c.st)
	if err == nil {
		err = out.failure()
	}
	time.Sleep(settle)
	return out, err
}

// each applies f to the outcomes of one contestant.
func each(outs []outcome, f func(outcome) float64) []float64 {
	xs := make([]float64, len(outs))
	for i, o := range outs {
		xs[i] = f(o)
	}
	return xs
}

func throughput(o outcome) float64 { return o.perSecond() }

func p50(o outcome) float64 { return percentile(o.latencies[0], 0.5) }

// compare is the usual cell: floor against ours, the same step, requests/s.
func (l *lab) compare(ctx context.Context, p *pair, r row, suffix string, length step, makeTask func(*directory) func(int, int) task) cell {
	return l.compareBy(ctx, p, r, suffix, length, makeTask, throughput)
}

func (l *lab) compareBy(ctx context.Context, p *pair, r row, suffix string, st step, makeTask func(*directory) func(int, int) task, speed func(outcome) float64) cell {
	return l.versus(ctx, p.engine, r, suffix, p.both(st, makeTask), speed)
}

// versus compares two contestants, the floor first.
func (l *lab) versus(ctx context.Context, eng engine, r row, suffix string, cs []contestant, speed func(outcome) float64) cell {
	q := quotient{figure: speed, over: 0, under: 1, floor: 0}
	got, err := l.compete(ctx, cs, q)
	if err != nil {
		return r.failed(eng, suffix, err)
	}
	c := r.cell(eng, suffix)
	floor, ours := each(got.by[0], speed), each(got.by[1], speed)
	c.Now = median(q.of(got.by))
	c.FloorRPS, c.OursRPS = median(floor), median(ours)
	c.addCPU(got.by[0], got.by[1])
	c.Spread, c.Repeats, c.Rounds = got.spread, got.repeats, l.opt.rounds
	return c
}

// addCPU fills in the CPU per request of servers and database.
func (c *cell) addCPU(floor, ours []outcome) {
	f, o := each(floor, outcome.cpuMicros), each(ours, outcome.cpuMicros)
	if quotients := known(ratios(o, f)); len(quotients) > 0 {
		c.FloorCPU, c.OursCPU, c.CPURatio = median(f), median(o), median(quotients)
	}
}

// both lets floor and ours do the same.
func (p *pair) both(st step, makeTask func(*directory) func(int, int) task) []contestant {
	cs := make([]contestant, 0, 2)
	for _, x := range []contestant{{s: p.floor, d: p.floorDir, st: st}, {s: p.ours, d: p.oursDir, st: st}} {
		x.st.makeTask = makeTask(x.d)
		cs = append(cs, x)
	}
	return cs
}
