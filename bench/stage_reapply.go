package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// reapplyRows share one server that keeps accounts and is filled once.
var reapplyRows = []string{"reapply", "reapplyp99"}

const (
	steadyConns = 4
	steadyPause = 20 * time.Millisecond // between requests of a connection: 200/s in all
	steadyTime  = 10 * time.Second
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
	before, err := s.steadily(ctx, d, func(ctx context.Context) error { return wait(ctx, steadyTime) })
	if err != nil {
		return err
	}
	var took time.Duration
	beside, err := s.steadily(ctx, d, func(ctx context.Context) error {
		mapping := map[string]any{"rules": []map[string]any{{"set": "attribute", "name": "unit", "from": "department"}}}
		if err := s.api(ctx, http.MethodPut, "/directories/"+id+"/mapping", mapping, &struct{}{}); err != nil {
			return err
		}
		took, err = s.settled(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	suffix := " of " + thousands(size) + " people"
	c := rowOf("reapply").cell(eng, suffix)
	rate := float64(size) / took.Seconds()
	c.Now = rate / loaded
	c.Note = fmt.Sprintf("%.0f people/s; loaded at %.0f/s", rate, loaded)
	l.record(ctx, c)
	c = rowOf("reapplyp99").cell(eng, suffix)
	was, is := percentile(before, 0.99), percentile(beside, 0.99)
	c.Now = is / was
	c.Note = fmt.Sprintf("from %.2f to %.2f ms at %d requests/s; %d and %d requests", was*1000, is*1000, steadyConns*int(time.Second/steadyPause), len(before), len(beside))
	l.record(ctx, c)
	return nil
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
