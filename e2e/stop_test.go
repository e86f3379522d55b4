package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// halfSent is a request whose handler waits for the rest of the body.
type halfSent struct {
	conn io.ReadWriter
	in   *bufio.Reader
	rest string
}

// sendHalf returns when the server has said that it reads the body (RFC 9110 section 10.1.1).
func sendHalf(t *testing.T, p *process, x tenant, body string) halfSent {
	t.Helper()
	conn := p.dial(t)
	_, err := fmt.Fprintf(conn, "POST %s/Users HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/scim+json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", x.path, p.address(), x.token, len(body))
	must(t, err)
	h := halfSent{conn: conn, in: bufio.NewReader(conn), rest: body[len(body)/2:]}
	res, err := http.ReadResponse(h.in, nil)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusContinue {
		t.Fatalf("the server does not ask for the body: %d", res.StatusCode)
	}
	_, err = io.WriteString(conn, body[:len(body)/2])
	must(t, err)
	return h
}

func (h halfSent) finish(t *testing.T) int {
	t.Helper()
	_, err := io.WriteString(h.conn, h.rest)
	must(t, err)
	res, err := http.ReadResponse(h.in, nil)
	must(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	must(t, err)
	must(t, res.Body.Close())
	return res.StatusCode
}

func TestStop_lets_a_slow_request_finish_while_new_ones_are_sent_away(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		p := h.start(t)
		x := newTenant(t, p, "Slow")
		slow := sendHalf(t, p, x, userBody("slow", "Slow"))
		if got := p.status("/readyz"); got != http.StatusOK {
			t.Errorf("before the stop /readyz is %d", got)
		}
		p.signal(t, syscall.SIGTERM)
		eventually(t, "/readyz to send requests elsewhere", func() bool {
			s := p.status("/readyz")
			return s == 0 || s == http.StatusServiceUnavailable
		})
		if !p.alive() {
			t.Fatal("the server has ended with a request in flight")
		}
		if got := slow.finish(t); got != http.StatusCreated {
			t.Errorf("the slow request is answered %d, want 201", got)
		}
		if code := p.wait(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		p = h.start(t)
		if found := people(t, x.scim(p)); len(found) != 1 || text(found[0], "userName") != "slow" {
			t.Errorf("after the restart there are %v", found)
		}
		p.stop(t)
	})
}

func TestStop_in_the_middle_of_load_loses_nothing_that_was_acknowledged(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		// A slow disk: when the stop comes, commits are waiting.
		p := h.start(t, "--commit-delay", "20ms")
		x := newTenant(t, p, "Load")
		var mu sync.Mutex
		acknowledged := map[string]string{} // id by name
		var writers sync.WaitGroup
		idp := x.scim(p)
		for w := range 16 {
			writers.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("w%d-%d", w, n)
					a, err := idp.do(t.Context(), "POST", "/Users", userBody(name, name))
					if err != nil {
						return // refused or cut off: not acknowledged
					}
					if a.status != http.StatusCreated {
						t.Errorf("create %s: %d %s", name, a.status, a.raw)
						return
					}
					mu.Lock()
					acknowledged[name] = idOf(t, a)
					mu.Unlock()
				}
			})
		}
		eventually(t, "some load", func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) >= 100 })
		p.stop(t)
		writers.Wait()

		p = h.start(t)
		there := map[string]string{}
		for _, u := range people(t, x.scim(p)) {
			there[text(u, "userName")] = text(u, "id")
		}
		for name, id := range acknowledged {
			if there[name] != id {
				t.Errorf("%s was acknowledged as %s and is %q", name, id, there[name])
			}
		}
		events, err := p.api().follow(t.Context(), "")
		must(t, err)
		told := map[string]int{}
		for _, e := range events {
			if e.Event == "dsync.user.created" {
				told[e.Data.ID]++
			}
		}
		for name, id := range there {
			if told[id] != 1 {
				t.Errorf("%s is there with %d events of its creation", name, told[id])
			}
		}
		if len(told) != len(there) {
			t.Errorf("%d people, events of %d", len(there), len(told))
		}
		p.stop(t)
	})
}
