package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// gauge reads one number of the metrics page.
func (p *process) gauge(t *testing.T, name string) float64 {
	t.Helper()
	c := newClient(p.url, "")
	defer c.http.CloseIdleConnections()
	a, err := c.do(t.Context(), "GET", "/metrics", "")
	must(t, err)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(a.raw)
	if found == nil {
		t.Fatalf("no %s in %s", name, a.raw)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	must(t, err)
	return n
}

// mixed is work of every kind: writes, reads, lists, refusals, strangers, and clients that give up half-way.
func mixed(t *testing.T, p *process, x tenant, round, requests int) {
	t.Helper()
	idp, api, stranger := x.scim(p), p.api(), newClient(p.url+x.path, "wrong")
	var crowd sync.WaitGroup
	for w := range 8 {
		crowd.Go(func() {
			for n := range requests / 8 {
				name := fmt.Sprintf("r%d-w%d-%d", round, w, n)
				switch n % 8 {
				case 0:
					expect(t, idp, 201, "POST", "/Users", userBody(name, name))
				case 1:
					expect(t, idp, 200, "GET", "/Users?filter=userName+eq+%22"+name+"%22", "")
				case 2:
					expect(t, idp, 404, "GET", "/Users/nobody", "")
				case 3:
					expect(t, api, 200, "GET", "/events?limit=5", "")
				case 4:
					expect(t, stranger, 401, "GET", "/Users", "")
				case 5:
					expect(t, idp, 400, "POST", "/Users", "{")
				case 6:
					expect(t, api, 200, "GET", "/directory_users?limit=10&directory="+x.directory, "")
				case 7:
					abandon(t, idp)
				}
			}
		})
	}
	crowd.Wait()
	for _, c := range []*client{idp, api, stranger} {
		c.http.CloseIdleConnections()
	}
}

func expect(t *testing.T, c *client, status int, method, path, body string) {
	a, err := c.do(context.Background(), method, path, body)
	if err != nil || a.status != status {
		t.Errorf("%s %s: %v %d, want %d: %s", method, path, err, a.status, status, a.raw)
	}
}

// abandon promises a body and leaves in the middle of it.
func abandon(t *testing.T, c *client) {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	body, feed := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, "POST", c.base+"/Users", body)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+c.secret)
	r.ContentLength = 1000
	go func() {
		_, _ = feed.Write([]byte(`{"userName":"half`)) // whether it gets that far does not matter
		leave()
		_ = feed.Close()
	}()
	if res, err := c.http.Do(r); err == nil {
		_ = res.Body.Close()
	}
	_ = body.Close()
}

func TestGoroutines_and_memory_come_back_after_two_thousand_requests(t *testing.T) {
	const margin = 10 // goroutines: connections that close, a batch under way
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		p := newHome(t, engine).start(t)
		x := newTenant(t, p, "Leak")
		mixed(t, p, x, 0, 2000) // pools and caches fill
		goroutines := lowest(t, p, "go_goroutines", 0)
		heap := p.gauge(t, "go_memstats_next_gc_bytes")
		for round := 1; round <= 2; round++ {
			mixed(t, p, x, round, 2000)
		}
		if got := lowest(t, p, "go_goroutines", goroutines+margin); got > goroutines+margin {
			t.Errorf("%v goroutines, %v before", got, goroutines)
		}
		// The goal of the next collection follows what is alive.
		if got := p.gauge(t, "go_memstats_next_gc_bytes"); got > 2*heap+16<<20 {
			t.Errorf("the heap grew from %v to %v", heap, got)
		}
		p.stop(t)
	})
}

// lowest waits until a number is low enough, or for no lower one to come.
func lowest(t *testing.T, p *process, name string, enough float64) float64 {
	t.Helper()
	best, same := p.gauge(t, name), 0
	for same < 100 && best > enough {
		if now := p.gauge(t, name); now < best {
			best, same = now, 0
		}
		same++
	}
	return best
}
