package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/token"
)

// world is an installation whose clock the test moves.
type world struct {
	*testing.T
	db     *db.DB
	events *event.Log
	ids    *token.Source
	sealer *db.Sealer

	mu    sync.Mutex
	ahead time.Duration
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { test(newWorld(t, open())) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{T: t, db: d, ids: token.NewSource(time.Now)}
	w.events = event.NewLog(d, w.ids)
	var err error
	w.sealer, err = db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) later(d time.Duration, services ...*Service) {
	w.mu.Lock()
	w.ahead += d
	w.mu.Unlock()
	for _, s := range services {
		s.dispatch.mu.Lock()
		for _, one := range s.dispatch.own {
			one.nudge()
		}
		s.dispatch.mu.Unlock()
	}
}

// service makes one more process on the same database.
func (w *world) service(allowed ...string) *Service {
	w.Helper()
	if allowed == nil {
		allowed = []string{"127.0.0.0/8"}
	}
	networks := make([]netip.Prefix, 0, len(allowed))
	for _, a := range allowed {
		networks = append(networks, netip.MustParsePrefix(a))
	}
	return NewService(Options{
		DB: w.db, Events: w.events, IDs: w.ids, Sealer: w.sealer, Policy: outbound.NewPolicy(networks, nil), Now: w.now,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), UserAgent: "Rollcall/test",
		KnownType: func(t event.Type) bool {
			return slices.Contains(event.Types(), t) || slices.Contains(event.OwnTypes(), t)
		},
	})
}

// run starts a service; stop waits for its end.
func (w *world) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-ended }) }
	w.Cleanup(stop)
	return stop
}

func (w *world) append(entries ...event.Entry) []string {
	w.Helper()
	var write db.Write
	ids := w.events.Append(&write, w.now(), entries...)
	w.must(w.db.Write(w.Context(), &write))
	w.events.Nudge()
	return ids
}

// about is an event of one person of a directory.
func about(kind event.Type, org, person string, more ...string) event.Entry {
	return event.Entry{
		OrganizationID: org, Type: kind, Context: []byte(`{}`),
		Data: []byte(fmt.Sprintf(`{"id":%q,"directory_id":"directory_%s","organization_id":%q%s}`, person, org, org, strings.Join(more, ""))),
	}
}

// receiver is an app that gets webhooks.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(r received) int
	serve  http.HandlerFunc // instead of answer
}

type received struct {
	id, kind, text string
	header         http.Header
	at             time.Time
	subject        string
}

func (w *world) receiver(answer func(r received) int) *receiver {
	w.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(r.handle))
	w.Cleanup(r.Close)
	return r
}

func (r *receiver) handle(rw http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	var e struct {
		ID    string `json:"id"`
		Event string `json:"event"`
		Data  struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	_ = json.Unmarshal(body, &e)
	one := received{id: e.ID, kind: e.Event, text: string(body), header: q.Header, at: time.Now(), subject: e.Data.ID}
	r.mu.Lock()
	r.got = append(r.got, one)
	answer, serve := r.answer, r.serve
	r.mu.Unlock()
	switch {
	case serve != nil:
		serve(rw, q)
	case answer != nil:
		rw.WriteHeader(answer(one))
	}
}

func (r *receiver) set(answer func(received) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) ids() []string {
	var out []string
	for _, one := range r.all() {
		out = append(out, one.id)
	}
	return out
}

func (w *world) until(what string, done func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if done() {
			return
		}
	}
	w.Fatalf("waited in vain until %s", what)
}

func (w *world) endpoint(s *Service, url string, types ...event.Type) Endpoint {
	w.Helper()
	if types == nil {
		types = event.Types()
	}
	e, err := s.Create(w.Context(), New{URL: url, Types: types})
	w.must(err)
	return e
}

const deliveriesOf = selectDelivery + ` WHERE d.endpoint_id = $1`

// states counts the endpoint's deliveries by state.
func (w *world) states(s *Service, id EndpointID) map[State]int {
	w.Helper()
	found, err := s.readDeliveries(w.Context(), w.db, deliveriesOf, string(id))
	w.must(err)
	out := map[State]int{}
	for _, d := range found {
		out[d.State]++
	}
	return out
}
