package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// reapplyRows share one server that keeps accounts and is filled once.
var reapplyRows = []string{"reapply", "reapplyp99"}

const (
	steadyConns = 4
	steadyPause = 20 * time.Millisecond // between requests of a connection: 200/s in all
	steadyTime  = 30 * time.Second      // fewer requests have a p99 that is anything
	settleLimit = 30 * time.Minute
)

// reapply loads people of whom each becomes a member, and then saves a mapping that changes every one of them. The rate at which they are
// looked at is held against the rate at which they were loaded, and the SCIM requests that come all the while against the same before.
func (l *lab) reapply(ctx context.Context, eng engine) error {
	s, err := l.newSide(ctx, false, eng, extras{flags: []string{"--accounts", "rollcall"}})
	if err != nil {
		return err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return err
	}
	return errors.Join(l.reapplyOn(ctx, eng, s), s.proc.stop())
}

func (l *lab) reapplyOn(ctx context.Context, eng engine, s *side) error {
	size := l.opt.sizes[min(1, len(l.opt.sizes)-1)]
	d, id, err := s.newMembers(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := s.fill(ctx, d, size); err != nil {
		return err
	}
	loaded := float64(size) / time.Since(begun).Seconds()
	if _, err := s.settled(ctx, id); err != nil {
		return err
	}
	var rates, ratios []float64
	var notes []string
	for round := range l.opt.rounds {
		one, err := s.reapplyOnce(ctx, d, id, [...]string{"department", "costCenter"}[round%2])
		if err != nil {
			return err
		}
		rates = append(rates, float64(size)/one.took.Seconds()/loaded)
		was, is := percentile(one.before, 0.99), percentile(one.beside, 0.99)
		ratios = append(ratios, is/was)
		notes = append(notes, fmt.Sprintf("%.0f people/s, p99 from %.2f to %.2f ms (%d and %d requests)",
			float64(size)/one.took.Seconds(), was*1000, is*1000, len(one.before), len(one.beside)))
	}
	suffix := " of " + thousands(size) + " people"
	c := rowOf("reapply").cell(eng, suffix)
	c.Now, c.Spread, c.Rounds = median(rates), spread(rates), len(rates)
	c.Note = fmt.Sprintf("loaded at %.0f/s; rounds: %s", loaded, strings.Join(notes, "; "))
	l.record(ctx, c)
	c = rowOf("reapplyp99").cell(eng, suffix)
	c.Now, c.Spread, c.Rounds = median(ratios), spread(ratios), len(ratios)
	c.Note = fmt.Sprintf("median of %d rounds at %d requests/s, each against the half minute before it", len(ratios), steadyConns*int(time.Second/steadyPause))
	l.record(ctx, c)
	return nil
}

// reapplication is what one took, and the latencies of requests before and beside it.
type reapplication struct {
	took           time.Duration
	before, beside []float64
}

// reapplyOnce saves a mapping that changes everybody. It has to be another each time.
func (s *side) reapplyOnce(ctx context.Context, d *directory, id, from string) (one reapplication, err error) {
	if err := s.database.rest(ctx); err != nil {
		return one, err
	}
	if one.before, err = s.steadily(ctx, d, func(ctx context.Context) error { return wait(ctx, steadyTime) }); err != nil {
		return one, err
	}
	one.beside, err = s.steadily(ctx, d, func(ctx context.Context) (err error) {
		mapping := map[string]any{"rules": []map[string]any{{"set": "attribute", "name": "unit", "from": from}}}
		if err := s.api(ctx, http.MethodPut, "/directories/"+id+"/mapping", mapping, &struct{}{}); err != nil {
			return err
		}
		one.took, err = s.settled(ctx, id)
		return err
	})
	return one, err
}

// newMembers makes a directory whose people become members at once.
func (s *side) newMembers(ctx context.Context) (*directory, string, error) {
	var org, made struct {
		ID       string `json:"id"`
		Endpoint string `json:"scim_endpoint"`
		Token    string `json:"bearer_token"`
	}
	err := s.api(ctx, http.MethodPost, "/organizations", map[string]any{
		"name": "Members", "domain_data": []map[string]any{{"domain": "load.example", "state": "verified"}},
	}, &org)
	if err == nil {
		err = s.api(ctx, http.MethodPost, "/directories", map[string]any{
			"organization_id": org.ID, "name": "Members", "type": "generic scim v2.0", "provisioning": "direct",
		}, &made)
	}
	if err != nil {
		return nil, "", err
	}
	base, err := pathOf(made.Endpoint)
	return &directory{addr: s.addr, tag: "m", base: base, token: made.Token, organization: org.ID}, made.ID, err
}

// settled waits until nobody is due any more, and says how long that took. Who is loaded is due in the transaction that loads them, as
// everybody is in that of a mapping.
func (s *side) settled(ctx context.Context, id string) (time.Duration, error) {
	begun := time.Now()
	var p struct {
		State string `json:"state"`
		Done  int64  `json:"done"`
		Total int64  `json:"total"`
	}
	for time.Since(begun) < settleLimit {
		if err := s.api(ctx, http.MethodGet, "/directories/"+id+"/provisioning", nil, &p); err != nil {
			return 0, err
		}
		if p.State == "up_to_date" {
			return time.Since(begun), nil
		}
		if err := wait(ctx, 250*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("after %v %d of %d people were looked at", settleLimit, p.Done, p.Total)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// steadily sends requests at one rate, whatever the answers take, while something is done: half of them read somebody, half change a
// title. It gives the latencies in seconds, ascending, from the moment at which each request was due.
func (s *side) steadily(ctx context.Context, d *directory, while func(context.Context) error) ([]float64, error) {
	done := make(chan struct{})
	var mu sync.Mutex
	var all []float64
	var failed error
	var wg sync.WaitGroup
	for worker := range steadyConns {
		wg.Go(func() {
			mine, err := s.steady(d, worker, done)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, mine...), errors.Join(failed, err)
		})
	}
	err := while(ctx)
	close(done)
	wg.Wait()
	slices.Sort(all)
	if err == nil && failed == nil && len(all) == 0 {
		err = errors.New("nothing was answered")
	}
	return all, errors.Join(err, failed)
}

func (s *side) steady(d *directory, worker int, done <-chan struct{}) (latencies []float64, err error) {
	c := d.dial()
	defer c.close()
	tasks := []task{d.gets(worker, steadyConns), d.puts(worker, steadyConns)}
	due := time.Now().Add(time.Duration(worker) * steadyPause / steadyConns)
	for n := 0; ; n++ {
		select {
		case <-done:
			return latencies, nil
		case <-time.After(time.Until(due)):
		}
		if _, err := tasks[n%len(tasks)](c); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(due).Seconds())
		due = due.Add(steadyPause)
	}
}
