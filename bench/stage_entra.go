package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The order in which Entra brings a person in.
const (
	entraLookup kind = iota
	entraCreate
	entraPatch
	entraJoin
	entraSteps
)

var entraNames = [entraSteps]string{"lookup", "create", "patch", "group add"}

// entraPlan says when each request of each tenant is due. Tenants send evenly
// and are evenly shifted against each other, so that the whole rate is even.
type entraPlan struct {
	tenants int
	rate    int // requests per second and tenant
	length  time.Duration
}

// perTenant is a whole number of people.
func (p entraPlan) perTenant() int {
	n := int(p.length.Seconds() * float64(p.rate))
	return n - n%int(entraSteps)
}

// due is counted from the start of the run.
func (p entraPlan) due(tenant, n int) time.Duration {
	every := time.Second / time.Duration(p.rate)
	return time.Duration(n)*every + time.Duration(tenant)*every/time.Duration(p.tenants)
}

func (p entraPlan) kindOf(n int) kind { return kind(n) % entraSteps }

// grace is how long after its end a run may still be answering. What was not
// sent by then counts as an error.
const grace = 10 * time.Second

func (l *lab) entra(ctx context.Context, p *pair) error {
	plan := entraPlan{tenants: l.opt.tenants, rate: l.opt.tenantRate, length: l.opt.entraLength}
	var sets [2][]*tenant
	for i, s := range []*side{p.floor, p.ours} {
		tenants, err := makeTenants(ctx, l, s, plan.tenants)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		sets[i] = tenants
	}
	var got [2][]outcome
	for round := range l.opt.rounds {
		for turn := range 2 {
			i := (round + turn) % 2
			s := [2]*side{p.floor, p.ours}[i]
			out, err := s.openLoop(ctx, plan, sets[i])
			if err != nil {
				return err
			}
			got[i] = append(got[i], out)
			time.Sleep(settle)
		}
	}
	l.record(ctx, entraCell(p.engine, plan, got[0], got[1]))
	return nil
}

func entraCell(eng engine, plan entraPlan, floor, ours []outcome) cell {
	r := rowOf("entra")
	suffix := fmt.Sprintf(", %d directories at %d/s", plan.tenants, plan.rate)
	c := r.cell(eng, suffix)
	at := func(outs []outcome, p float64) float64 {
		return 1000 * median(each(outs, func(o outcome) float64 { return percentile(o.all(), p) }))
	}
	c.Now = at(ours, 0.99)
	c.FloorRPS, c.OursRPS = median(each(floor, throughput)), median(each(ours, throughput))
	c.addCPU(floor, ours)
	c.Spread = spread(each(floor, func(o outcome) float64 { return percentile(o.all(), 0.5) }))
	c.Rounds = len(ours)
	c.Note = fmt.Sprintf("p50 %.1f, floor p50 %.1f p99 %.1f ms; p99 of", at(ours, 0.5), at(floor, 0.5), at(floor, 0.99))
	for k, name := range entraNames {
		one := median(each(ours, func(o outcome) float64 { return percentile(o.latencies[kind(k)], 0.99) }))
		c.Note += fmt.Sprintf(" %s %.1f", name, 1000*one)
	}
	for i, outs := range [2][]outcome{floor, ours} {
		for _, o := range outs {
			if err := o.failure(); err != nil && c.Failure == "" {
				c.Failure = fmt.Sprintf("%s: %v", [2]string{"floor", "ours"}[i], err)
			}
		}
	}
	return c
}

// all latencies of every kind, ascending.
func (o outcome) all() []float64 {
	var all []float64
	for _, ls := range o.latencies {
		all = append(all, ls...)
	}
	slices.Sort(all)
	return all
}

// tenant is one identity provider's job: one connection, one person after the
// other, never waiting longer than the plan says.
type tenant struct {
	d     *directory
	group string
	now   person
	body  []byte
}

func makeTenants(ctx context.Context, l *lab, s *side, n int) ([]*tenant, error) {
	tenants := make([]*tenant, n)
	for i := range tenants {
		d, err := s.newDirectory(ctx, l, fmt.Sprintf("t%03d", i))
		if err != nil {
			return nil, err
		}
		c := d.dial()
		group, err := d.newGroup(c, "Everybody "+d.tag)
		c.close()
		if err != nil {
			return nil, err
		}
		tenants[i] = &tenant{d: d, group: group}
	}
	return tenants, nil
}

// openLoop sends every request when it is due, whether or not the ones before
// were answered in time, as far as one connection per tenant allows; a late
// answer delays the next request, and that delay is in the next one's latency,
// which counts from the moment it was due.
func (s *side) openLoop(ctx context.Context, plan entraPlan, tenants []*tenant) (outcome, error) {
	workers := make([]*worker, len(tenants))
	for i, t := range tenants {
		workers[i] = &worker{c: t.d.dial(), latencies: map[kind][]float64{}}
		if err := workers[i].c.open(); err != nil {
			return outcome{}, fmt.Errorf("connect to %s: %w", s.name, err)
		}
	}
	before, cpuErr := cpuTime(s.pids()...)
	begun := time.Now().Add(50 * time.Millisecond) // all workers are waiting by then
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() { w.follow(ctx, plan, i, tenants[i], begun) })
	}
	wg.Wait()
	out := outcome{elapsed: time.Since(begun)}
	if after, err := cpuTime(s.pids()...); err == nil && cpuErr == nil {
		out.cpu = after - before
	}
	out.gather(workers)
	return out, ctx.Err()
}

func (w *worker) follow(ctx context.Context, plan entraPlan, number int, t *tenant, begun time.Time) {
	defer w.c.close()
	for n := range plan.perTenant() {
		due := begun.Add(plan.due(number, n))
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > plan.length+grace {
			w.errors += plan.perTenant() - n - 1
			w.fail(fmt.Errorf("request %d of a tenant could not be sent within %s of the end", n, grace))
			return
		}
		k := plan.kindOf(n)
		if err := t.send(w.c, k); err != nil {
			w.fail(fmt.Errorf("%s: %w", entraNames[k], err))
			continue
		}
		w.latencies[k] = append(w.latencies[k], time.Since(due).Seconds())
	}
}

var errNoPerson = errors.New("not sent, since the create before failed")

func (t *tenant) send(c *conn, k kind) error {
	switch k {
	case entraLookup:
		t.now = person{seq: t.d.nextSeq(), active: true}
		return t.lookup(c)
	case entraCreate:
		var err error
		t.now.id, t.body, err = t.d.create(c, t.body[:0], t.now.seq)
		return err
	}
	if t.now.id == "" {
		return errNoPerson
	}
	if k == entraPatch {
		return t.patch(c)
	}
	t.body = appendAddMembers(t.body[:0], t.now.id)
	return t.d.patchGroup(c, "group add", t.group, t.body)
}

// lookup must find nobody: the person arrives with the next request.
func (t *tenant) lookup(c *conn) error {
	status, doc, err := c.do("GET", t.d.base+lookupPath(userName(t.d.tag, t.now.seq)), nil)
	if err != nil {
		return err
	}
	if bytes.Contains(doc, []byte(`"userName"`)) {
		return fmt.Errorf("found somebody who was never created: %.300s", doc)
	}
	return answered("lookup", 200, status, doc, "totalResults")
}

func (t *tenant) patch(c *conn) error {
	title := fmt.Sprintf("Moved %d", t.now.seq)
	t.body = appendSetTitle(t.body[:0], title)
	status, doc, err := c.do("PATCH", t.d.base+"/Users/"+t.now.id, t.body)
	if err != nil {
		return err
	}
	return changed("patch", status, doc, t.now.id, title)
}
