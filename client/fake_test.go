package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const testKey = "sk_test_0123456789"

// transport answers without a network, so that tests can run in a bubble where waiting costs nothing.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newTest(t *testing.T, h http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	return newFailing(t, func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		h(w, r)
		return w.Result(), nil
	}, options...)
}

func newFailing(t *testing.T, f transport, options ...Option) *Client {
	t.Helper()
	c, err := New("http://sync.example.com", testKey, append([]Option{WithHTTPClient(&http.Client{Transport: f})}, options...)...)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer writes JSON as the server does.
func answer(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-ID", "req_1")
	w.WriteHeader(status)
	fmt.Fprintf(w, format, args...)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, `{"code":%q,"message":"It was refused.","errors":[{"code":%q,"field":"name","message":"It was refused."}],"request_id":"req_1"}`, code, code)
}

// log is a server with events and consumers, as the contract has them.
type log struct {
	mu        sync.Mutex
	events    []string            // ids, in order
	consumers map[string]*fakeOne // by name
	acks      []string
	requests  []string
}

type fakeOne struct {
	types    []string
	org      string
	position int // number of events acknowledged
}

func newLog(n int) *log {
	l := &log{consumers: map[string]*fakeOne{}}
	l.add(n)
	return l
}

func (l *log) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.events = append(l.events, fmt.Sprintf("event_%03d", len(l.events)+1))
	}
}

func shownEvents(ids []string, after string) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"object":"event","id":%q,"event":"dsync.user.created","data":{"id":"directory_user_%s"},"created_at":"2026-01-15T12:00:00.000Z","context":{}}`, id, id)
	}
	return fmt.Sprintf(`{"object":"list","data":[%s],"list_metadata":{"after":%s}}`, b.String(), after)
}

func (l *log) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r.Method+" "+r.URL.Path)
	parts := strings.Split(r.URL.Path, "/")[1:]
	switch {
	case r.Header.Get("Authorization") != "Bearer "+testKey:
		refuse(w, 401, "unauthorized")
	case parts[0] == "events":
		l.list(w, r)
	case len(parts) == 1 && r.Method == http.MethodPost:
		l.create(w, r)
	case l.consumers[parts[1]] == nil:
		refuse(w, 404, "entity_not_found")
	case len(parts) == 2:
		l.show(w, 200, parts[1])
	case parts[2] == "events":
		l.wait(w, r, l.consumers[parts[1]])
	default:
		l.acknowledge(w, r, parts[1])
	}
}

func (l *log) list(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from := slices.Index(l.events, r.URL.Query().Get("after")) + 1
	rest := l.events[from:]
	if r.URL.Query().Get("order") == "desc" {
		rest = slices.Clone(l.events)
		slices.Reverse(rest)
	}
	after := "null"
	if len(rest) > limit {
		rest = rest[:limit]
		after = strconv.Quote(rest[limit-1])
	}
	answer(w, 200, "%s", shownEvents(rest, after))
}

func (l *log) create(w http.ResponseWriter, r *http.Request) {
	var n struct {
		Name  string   `json:"name"`
		Types []string `json:"events"`
		Org   string   `json:"organization_id"`
		Start string   `json:"start"`
	}
	text, _ := io.ReadAll(r.Body)
	if json.Unmarshal(text, &n) != nil || l.consumers[n.Name] != nil {
		refuse(w, 409, "consumer_exists")
		return
	}
	made := &fakeOne{types: n.Types, org: n.Org, position: slices.Index(l.events, n.Start) + 1}
	if n.Start == Now {
		made.position = len(l.events)
	}
	l.consumers[n.Name] = made
	l.show(w, 201, n.Name)
}

func (l *log) show(w http.ResponseWriter, status int, name string) {
	k := l.consumers[name]
	cursor := "null"
	if k.position > 0 {
		cursor = strconv.Quote(l.events[k.position-1])
	}
	types, _ := json.Marshal(append([]string{}, k.types...))
	org := "null"
	if k.org != "" {
		org = strconv.Quote(k.org)
	}
	answer(w, status, `{"object":"event_consumer","name":%q,"events":%s,"organization_id":%s,"cursor":%s,"lag":%d,"created_at":"2026-01-15T12:00:00.000Z","updated_at":"2026-01-15T12:00:00.000Z","acknowledged_at":null}`,
		name, types, org, cursor, len(l.events)-k.position)
}

func (l *log) wait(w http.ResponseWriter, r *http.Request, k *fakeOne) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	rest := l.events[k.position:]
	answer(w, 200, "%s", shownEvents(rest[:min(len(rest), limit)], "null"))
}

func (l *log) acknowledge(w http.ResponseWriter, r *http.Request, name string) {
	var n struct {
		ID string `json:"event_id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&n)
	at := slices.Index(l.events, n.ID)
	if at < 0 {
		refuse(w, 422, "invalid_event")
		return
	}
	l.consumers[name].position = max(l.consumers[name].position, at+1)
	l.acks = append(l.acks, n.ID)
	l.show(w, 200, name)
}

func ids(events []Event) string {
	var out []string
	for _, e := range events {
		out = append(out, strings.TrimPrefix(e.ID, "event_"))
	}
	return strings.Join(out, " ")
}
