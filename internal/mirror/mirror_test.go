package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server has a log, a state and one consumer, as the contract has them.
type server struct {
	mu       sync.Mutex
	state    []string // records of the snapshot
	at       int      // events that the snapshot holds already
	log      []string // events without ids
	acked    string
	exists   bool
	broken   bool  // the snapshot ends too early
	failures []int // statuses of the next answers; 0 is a success
	expired  int   // events that are no longer there
	cut      int   // no more than this many events are known, when above 0
}

const moment = `"created_at":"2026-01-15T12:00:00.000Z","updated_at":"2026-01-15T12:00:00.000Z"`

func eventID(i int) string { return fmt.Sprintf("event_%03d", i+1) }

func event(kind, data string) string {
	return fmt.Sprintf(`"object":"event","event":%q,"data":%s,"created_at":"2026-01-15T12:00:00.000Z"`, kind, data)
}

func orgOf(id, name string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"external_id":null,"metadata":{"tier":"gold"},%s}`, id, name, moment)
}

func dirOf(id, org string) string {
	return fmt.Sprintf(`{"id":%q,"organization_id":%q,"name":"Okta","type":"okta scim v2.0","state":"active",%s}`, id, org, moment)
}

func userOf(id, state, extra string) string {
	return fmt.Sprintf(`{"id":%q,"directory_id":"directory_1","organization_id":"org_1","idp_id":"i","email":"%s@a.com","first_name":null,"state":%q,"raw_attributes":{%s},"custom_attributes":{},%s}`,
		id, id, state, extra, moment)
}

func groupOf(id string) string {
	return fmt.Sprintf(`{"id":%q,"directory_id":"directory_1","organization_id":"org_1","idp_id":"i","name":"Engineers","raw_attributes":{},%s}`, id, moment)
}

func memberOf(user, group string) string {
	return fmt.Sprintf(`{"directory_id":"directory_1","user":%s,"group":%s}`, userOf(user, "active", ""), groupOf(group))
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) > 0 {
		status := s.failures[0]
		s.failures = s.failures[1:]
		if status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	switch path := r.URL.Path; {
	case path == "/events/snapshot":
		s.snapshot(w)
	case path == "/events":
		s.list(w, r)
	case path == "/event_consumers":
		s.exists = true
		fmt.Fprint(w, `{"name":"mirror","organization_id":null}`)
	case !s.exists:
		w.WriteHeader(404)
	case strings.HasSuffix(path, "/acknowledge"):
		var body struct {
			ID string `json:"event_id"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.acked = body.ID
		fmt.Fprint(w, `{"name":"mirror","organization_id":null}`)
	default:
		fmt.Fprint(w, `{"name":"mirror","organization_id":null}`)
	}
}

func (s *server) snapshot(w http.ResponseWriter) {
	cursor := "null"
	if s.at > 0 {
		cursor = strconv.Quote(eventID(s.at - 1))
	}
	fmt.Fprintf(w, "{\"object\":\"snapshot\",\"cursor\":%s}\n", cursor)
	for _, record := range s.state {
		fmt.Fprintf(w, "{%s}\n", record)
	}
	if !s.broken {
		fmt.Fprintf(w, "{\"object\":\"snapshot_end\",\"cursor\":%s,\"records\":%d}\n", cursor, len(s.state))
	}
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from := 0
	if after := r.URL.Query().Get("after"); after != "" {
		from, _ = strconv.Atoi(strings.TrimPrefix(after, "event_"))
	}
	if from > 0 && from < s.expired {
		w.WriteHeader(409)
		fmt.Fprint(w, `{"code":"cursor_expired","message":"It is gone."}`)
		return
	}
	known := len(s.log)
	if s.cut > 0 {
		known = min(known, s.cut)
	}
	to := min(from+limit, known)
	var shown []string
	for i := from; i < to; i++ {
		shown = append(shown, fmt.Sprintf(`{"id":%q,%s}`, eventID(i), s.log[i]))
	}
	after := "null"
	if to < known {
		after = strconv.Quote(eventID(to - 1))
	}
	fmt.Fprintf(w, `{"object":"list","data":[%s],"list_metadata":{"after":%s}}`, strings.Join(shown, ","), after)
}

type bed struct {
	*server

	api  *client.Client
	o    Options
	conn *pgx.Conn
}

func newBed(t *testing.T) *bed {
	t.Helper()
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("the mirror writes to PostgreSQL only, which ROLLCALL_TEST_ENGINES leaves out")
	}
	return bedIn(t, dbtest.Options(t, db.PostgreSQL, nil).URL, `roll"call`)
}

// another is a bed in the same database, which costs less than a new one.
func (b *bed) another(t *testing.T, n int) *bed {
	t.Helper()
	return bedIn(t, b.o.To, fmt.Sprintf(`roll"call%d`, n))
}

func bedIn(t *testing.T, to, schema string) *bed {
	t.Helper()
	b := &bed{server: &server{}}
	h := httptest.NewServer(b.server)
	t.Cleanup(h.Close)
	var err error
	b.api, err = client.New(h.URL, "sk_test", client.WithRetries(0))
	must(t, err)
	b.o = Options{To: to, Schema: schema, Consumer: "mirror", Once: true, Batch: 3, Poll: time.Millisecond}
	b.conn, err = pgx.Connect(t.Context(), b.o.To)
	must(t, err)
	t.Cleanup(func() { _ = b.conn.Close(context.Background()) })
	return b
}

func (b *bed) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, Run(ctx, b.api, b.o))
}

// rows shows a query's first column, sorted.
func (b *bed) rows(t *testing.T, query string) string {
	t.Helper()
	found, err := b.conn.Query(t.Context(), strings.ReplaceAll(query, "$$", pgx.Identifier{b.o.Schema}.Sanitize()))
	must(t, err)
	out, err := pgx.CollectRows(found, pgx.RowTo[string])
	must(t, err)
	slices.Sort(out)
	return strings.Join(out, " ")
}

// dump is everything that is mirrored.
func (b *bed) dump(t *testing.T) string {
	t.Helper()
	var out []string
	for _, table := range []string{"organizations", "directories", "users", "groups", "memberships"} {
		out = append(out, b.rows(t, "SELECT to_jsonb(x)::text FROM $$."+table+" x"))
	}
	return strings.Join(out, "\n")
}

func (b *bed) ids(t *testing.T) string {
	t.Helper()
	return b.rows(t, `SELECT id FROM $$.organizations UNION ALL SELECT id FROM $$.directories UNION ALL
		SELECT id || ':' || state FROM $$.users UNION ALL SELECT id FROM $$.groups UNION ALL SELECT user_id || '@' || group_id FROM $$.memberships`)
}

// everything is a log in which each type occurs, and both ways of showing people who are deactivated.
func everything() []string {
	return []string{
		event("organization.created", orgOf("org_1", "Acme")),
		event("dsync.activated", dirOf("directory_1", "org_1")),
		event("dsync.user.created", userOf("u1", "active", "")),
		event("dsync.user.created", userOf("u2", "active", "")),
		event("dsync.group.created", groupOf("g1")),
		event("dsync.group.user_added", memberOf("u1", "g1")),
		event("dsync.group.user_added", memberOf("u2", "g1")),
		event("something.new", `{"id":"x"}`),
		event("dsync.user.updated", userOf("u1", "inactive", "")),          // kept
		event("dsync.group.user_removed", memberOf("u1", "g1")),            // derived
		event("dsync.user.deleted", userOf("u2", "inactive", "")),          // removed
		event("dsync.user.updated", userOf("u1", "active", "")),            // returns
		event("dsync.user.created", userOf("u2", "active", `"back":true`)), // returns
		event("dsync.group.user_added", memberOf("u2", "g1")),
		event("organization.updated", orgOf("org_1", "Acme Corp")),
		event("dsync.group.updated", groupOf("g1")),
		event("organization.created", orgOf("org_2", "Beta")),
	}
}

func TestMirror_follows_the_log_in_both_modes_of_inactive_people(t *testing.T) {
	b := newBed(t)
	b.log = everything()
	for n, want := range map[int]string{
		7:  "directory_1 g1 org_1 u1:active u1@g1 u2:active u2@g1",
		11: "directory_1 g1 org_1 u1:inactive",
		17: "directory_1 g1 org_1 org_2 u1:active u2:active u2@g1",
	} {
		fresh := b.another(t, n)
		fresh.log, fresh.cut = b.log, n
		fresh.run(t)
		if got := fresh.ids(t); got != want || fresh.acked != eventID(n-1) {
			t.Errorf("after %d events: %s (acknowledged %s)\nwant %s", n, got, fresh.acked, want)
		}
	}
}

func TestMirror_deletes_what_goes_with_a_thing(t *testing.T) {
	first, n := newBed(t), 0
	for kind, c := range map[string]struct{ data, want string }{
		"dsync.group.deleted":  {groupOf("g1"), "directory_1 org_1 org_2 u1:active u2:active"},
		"dsync.deleted":        {dirOf("directory_1", "org_1"), "org_1 org_2"},
		"organization.deleted": {orgOf("org_1", "Acme"), "org_2"},
	} {
		n++
		b := first.another(t, n)
		b.log = append(everything(), event(kind, c.data))
		b.run(t)
		if got := b.ids(t); got != c.want {
			t.Errorf("after %s: %s\nwant %s", kind, got, c.want)
		}
	}
}

func TestMirror_takes_the_snapshot_first_and_the_log_after_it(t *testing.T) {
	b := newBed(t)
	b.log = everything()
	b.state = []string{
		event("organization.created", orgOf("org_1", "Acme")), event("organization_domain.created", `{"id":"org_domain_1"}`),
		event("dsync.activated", dirOf("directory_1", "org_1")),
		event("dsync.user.created", userOf("u1", "inactive", "")), event("dsync.group.created", groupOf("g1")),
	}
	b.at, b.cut = 11, 11
	b.run(t)
	if got := b.ids(t); got != "directory_1 g1 org_1 u1:inactive" {
		t.Errorf("after the snapshot: %s", got)
	}
	b.cut = 0
	b.run(t)
	if got := b.ids(t); got != "directory_1 g1 org_1 org_2 u1:active u2:active u2@g1" {
		t.Errorf("after the log: %s", got)
	}
	if got := b.rows(t, "SELECT name FROM $$.organizations"); got != "Acme Corp Beta" {
		t.Errorf("names: %s", got)
	}
}

func TestMirror_begins_anew_when_the_log_no_longer_holds_what_it_missed(t *testing.T) {
	b := newBed(t)
	b.log = everything()
	b.cut = 7
	b.run(t)
	b.cut, b.expired, b.at = 0, 12, 16
	b.state = []string{event("organization.created", orgOf("org_1", "Acme Corp")), event("dsync.user.created", userOf("u2", "active", ""))}
	b.run(t)
	if got := b.ids(t); got != "org_1 org_2 u2:active" {
		t.Errorf("it holds %s", got)
	}
}

func TestMirror_leaves_nothing_of_a_snapshot_that_breaks_off(t *testing.T) {
	b := newBed(t)
	b.state = []string{event("organization.created", orgOf("org_1", "Acme"))}
	b.broken = true
	if err := Run(t.Context(), b.api, b.o); err == nil || !strings.Contains(err.Error(), "broke off after 1 records") {
		t.Error(err)
	}
	if got := b.ids(t); got != "" {
		t.Errorf("left over: %s", got)
	}
	b.broken = false
	b.run(t)
	if got := b.ids(t); got != "org_1" {
		t.Errorf("then: %s", got)
	}
}

func TestMirror_is_right_wherever_it_is_ended(t *testing.T) {
	whole := newBed(t)
	whole.log = everything()
	whole.run(t)
	want := whole.dump(t)
	for n := range 14 {
		b := whole.another(t, n)
		b.log = everything()
		b.failures = append(make([]int, n), 403) // the n-th request ends it for good
		err := Run(t.Context(), b.api, b.o)
		if n < 10 && client.Status(err) != 403 {
			t.Fatalf("request %d did not end it: %v", n, err)
		}
		b.run(t)
		if got := b.dump(t); got != want {
			t.Errorf("ended at request %d the tables hold\n%s\nwant\n%s", n, got, want)
		}
	}
}

func TestMirror_outlives_the_end_of_its_connection(t *testing.T) {
	b := newBed(t)
	b.log = everything()
	b.o.Once = false
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 100)
	b.o.OnRetry = func(err error, _ time.Duration) { told <- err }
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, b.api, b.o) }()
	eventually(t, func() bool { return b.acknowledged() == eventID(16) })
	_, err := b.conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	must(t, err)
	b.add(event("organization.created", orgOf("org_3", "Gamma")))
	eventually(t, func() bool { return b.acknowledged() == eventID(17) })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(told) == 0 || !strings.Contains(b.ids(t), "org_3") {
		t.Errorf("told %d times; %s", len(told), b.ids(t))
	}
}

func (s *server) acknowledged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

func (s *server) add(e string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, e)
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func TestMirror_shares_its_tables_with_no_other(t *testing.T) {
	b := newBed(t)
	b.log = everything()
	b.run(t)
	other := b.o
	other.Consumer = "other"
	if err := Run(t.Context(), b.api, other); err == nil || !strings.Contains(err.Error(), `holds the mirror of the consumer "mirror"`) {
		t.Error(err)
	}
	b.o.patience = 100 * time.Millisecond
	eventually(t, func() bool { // until the database has noticed that the mirrors above are gone
		var mine bool
		must(t, b.conn.QueryRow(t.Context(), lockMirror, b.o.Schema).Scan(&mine))
		return mine
	})
	if err := Run(t.Context(), b.api, b.o); err == nil || !strings.Contains(err.Error(), "another mirror is at work") {
		t.Error(err)
	}
}

func TestMirror_stops_at_nothing_that_an_identity_provider_writes(t *testing.T) {
	b := newBed(t)
	b.log = []string{event("dsync.user.created", userOf("u1", "active", `"nul":"a\u0000b","half":"\ud800","n\u0000":[1e999999,-1E400000,12345678901234567890.5,1e-999999],"deep":{"x":[{}]}`))}
	b.run(t)
	got := b.rows(t, "SELECT raw_attributes::text FROM $$.users")
	for _, want := range []string{`"nul": "ab"`, `"1e999999"`, `12345678901234567890.5`, `"deep": {"x": [{}]}`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

func TestMirror_says_what_is_wrong_and_no_password(t *testing.T) {
	b := newBed(t)
	for _, to := range []string{"postgres://me:swordfish@127.0.0.1:x/db", "postgres://me:sword fish@%zz"} {
		b.o.To = to
		if err := Run(t.Context(), b.api, b.o); err == nil || strings.Contains(err.Error(), "sword ") || strings.Contains(err.Error(), "swordfish") || !strings.Contains(err.Error(), "--to") {
			t.Error(err)
		}
	}
}

func FuzzStorable(f *testing.F) {
	f.Add(`{"a":"\u0000","b":1e999}`)
	f.Add(`[1,2,{"x":null}]`)
	f.Fuzz(func(t *testing.T, s string) {
		out, err := storable([]byte(s))
		if err == nil && (!json.Valid([]byte(out)) || strings.Contains(out, `\u0000`) && !strings.Contains(out, `\\u0000`)) {
			t.Errorf("%q became %q", s, out)
		}
	})
}
