package e2e_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	writers     = 32  // on the one group of a directory
	neighbours  = 8   // on that of the other, at the same time
	stepsToKill = 400 // acknowledged in a round
	rounds      = 5   // each kill is another chance to meet the wrong moment
)

func TestKill_in_the_middle_of_load_keeps_everything_acknowledged_and_each_event_once(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		p := h.start(t)
		left, right := newBook(t, p, "Left"), newBook(t, p, "Right")
		var seen []happening
		for range rounds {
			seen = append(seen, loadUntilKilled(t, p, left, right, lastID(seen))...)
			h.settle(t)
			p = h.start(t)
			all, err := p.api().follow(t.Context(), "")
			must(t, err)
			checkOnce(t, all)
			if n := len(seen); n > len(all) || !slices.Equal(ids(seen), ids(all[:n])) {
				t.Errorf("the reader who followed through the load saw other events, or in another order, than are there")
			}
			left.audit(t, p, all)
			right.audit(t, p, all)
			foreign(t, p, left, right)
			if t.Failed() {
				return
			}
		}
		p.stop(t)
	})
}

func lastID(seen []happening) string {
	if len(seen) == 0 {
		return ""
	}
	return seen[len(seen)-1].ID
}

func ids(events []happening) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.ID
	}
	return out
}

func checkOnce(t *testing.T, events []happening) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range events {
		if seen[e.ID] {
			t.Errorf("the event %s comes twice", e.ID)
		}
		seen[e.ID] = true
	}
}

// loadUntilKilled gives what a reader saw who followed the log meanwhile.
func loadUntilKilled(t *testing.T, p *process, left, right *book, after string) (seen []happening) {
	t.Helper()
	var killed atomic.Bool
	var crowd sync.WaitGroup
	broken := func(err error) {
		if !killed.Load() {
			t.Errorf("a request failed before the server was killed: %v", err)
		}
	}
	load := func(b *book, n int) {
		idp := b.scim(p)
		for range n {
			crowd.Go(func() { work(t, b, idp, broken) })
		}
	}
	before := left.acknowledged() + right.acknowledged()
	load(left, writers)
	load(right, neighbours)
	crowd.Go(func() { seen = readAlong(t, p.api(), after, broken) })
	eventually(t, "enough load", func() bool {
		return left.acknowledged()+right.acknowledged()-before >= stepsToKill || t.Failed()
	})
	killed.Store(true)
	p.kill(t)
	crowd.Wait()
	return seen
}

// work brings in one person after the other until the connection breaks. It does not end with the test's context, which would look
// like a broken connection.
func work(t *testing.T, b *book, idp *client, broken func(error)) {
	for number := 0; ; number++ {
		ok, err := b.life(context.Background(), t, idp, number)
		if err != nil {
			broken(err)
			return
		}
		if !ok {
			return
		}
	}
}

func readAlong(t *testing.T, api *client, after string, broken func(error)) (seen []happening) {
	for {
		more, err := api.follow(context.Background(), after)
		seen = append(seen, more...)
		if len(more) > 0 {
			after = lastID(more)
		}
		if err != nil {
			broken(err)
			return seen
		}
		if t.Failed() {
			return seen
		}
	}
}

// foreign: an id of one directory is nothing in the other.
func foreign(t *testing.T, p *process, left, right *book) {
	t.Helper()
	idp := right.scim(p)
	idp.must(t, 404, "GET", "/Groups/"+left.group, "")
	for _, x := range left.people[:min(5, len(left.people))] {
		idp.must(t, 404, "GET", "/Users/"+x.id, "")
	}
}
