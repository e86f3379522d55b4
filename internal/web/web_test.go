package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// desk is a front with its log in memory.
type desk struct {
	front web.Front
	mu    sync.Mutex
	log   bytes.Buffer
	seen  []web.Outcome
}

func (d *desk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

func newDesk() *desk {
	d := &desk{}
	count := 0
	d.front = web.Front{
		Log:       slog.New(slog.NewJSONHandler(d, nil)),
		NewID:     func() string { count++; return fmt.Sprintf("req_%d", count) },
		BodyLimit: 64,
		Deadline:  time.Minute,
		Refuse:    refuse,
		Observe:   func(o web.Outcome) { d.seen = append(d.seen, o) },
	}
	return d
}

func refuse(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	_ = web.WriteJSON(w, web.Status(f.Kind), map[string]string{"code": f.Code, "message": f.Message, "request_id": web.From(r.Context()).ID})
}

func (d *desk) serve(h web.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.front.Wrap(h.With(func(w http.ResponseWriter, r *http.Request, err error) {
		refuse(w, r, web.Public(err))
	})).ServeHTTP(w, r)
	return w
}

func (d *desk) line(t *testing.T, msg string) map[string]any {
	t.Helper()
	for raw := range strings.Lines(d.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(raw), &line); err != nil {
			t.Fatalf("log line %q: %v", raw, err)
		}
		if line["msg"] == msg {
			return line
		}
	}
	t.Fatalf("no %q in the log:\n%s", msg, d.log.String())
	return nil
}

func TestRequest_id_is_ours_and_the_same_in_header_answer_and_log(t *testing.T) {
	d := newDesk()
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("X-Request-ID", "chosen-by-a-stranger")
	w := d.serve(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "entity_not_found", "No such thing.")
	}, r)
	if got := w.Header().Get("X-Request-ID"); got != "req_1" {
		t.Errorf("header holds %q", got)
	}
	if w.Code != 404 || !strings.Contains(w.Body.String(), `"request_id":"req_1"`) {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if got := d.line(t, "request"); got["request_id"] != "req_1" || got["status"] != 404.0 {
		t.Errorf("log line %v", got)
	}
	if strings.Contains(d.log.String(), "chosen-by-a-stranger") {
		t.Error("a stranger's id reached the log")
	}
}

func TestEvery_kind_has_its_status(t *testing.T) {
	want := map[fault.Kind]int{
		fault.Invalid: 400, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.NotAllowed: 405, fault.Conflict: 409,
		fault.Precondition: 412, fault.TooLarge: 413, fault.Unprocessable: 422, fault.Limited: 429, fault.Internal: 500, fault.Unsupported: 501,
		fault.Unavailable: 503, fault.Kind("made up"): 500,
	}
	for kind, status := range want {
		if got := web.Status(kind); got != status {
			t.Errorf("%s: %d, want %d", kind, got, status)
		}
	}
}

func TestPanic_becomes_a_500_that_tells_nothing_and_a_logged_stack(t *testing.T) {
	d := newDesk()
	w := d.serve(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("ETag", `W/"1"`)
		panic("the secret is swordfish")
	}, httptest.NewRequest("GET", "/x", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "swordfish") || !strings.Contains(w.Body.String(), "req_1") {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if w.Header().Get("ETag") != "" || w.Header().Get("X-Request-ID") != "req_1" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", w.Header())
	}
	if got := d.line(t, "panic while serving"); got["request_id"] != "req_1" || !strings.Contains(got["stack"].(string), "web_test.go") {
		t.Errorf("log line %v", got)
	}
	if got := d.line(t, "request"); got["status"] != 500.0 || got["level"] != "ERROR" {
		t.Errorf("access line %v", got)
	}
}

func TestPanic_after_the_answer_began_breaks_the_connection(t *testing.T) {
	d := newDesk()
	srv := httptest.NewUnstartedServer(d.front.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "half of")
		_ = http.NewResponseController(w).Flush()
		panic("too late")
	})))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.Start()
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the client took %q for a whole answer", body)
	}
}

func TestInternal_errors_are_neutral_outside(t *testing.T) {
	for _, err := range []error{
		errors.New("pq: password is swordfish"),
		fault.New(fault.Internal, "x", "swordfish"),
		fmt.Errorf("load: %w", context.DeadlineExceeded),
	} {
		got := web.Public(err)
		if got.Kind != fault.Internal || strings.Contains(got.Error(), "swordfish") {
			t.Errorf("%v came out as %v", err, got)
		}
	}
	refusal := fault.New(fault.Conflict, "uniqueness", "Taken.")
	if got := web.Public(fmt.Errorf("create: %w", refusal)); got != refusal {
		t.Errorf("a refusal came out as %v", got)
	}
}

func TestBody_over_the_limit_is_413_announced_or_not(t *testing.T) {
	read := func(_ http.ResponseWriter, r *http.Request) error {
		_, err := web.ReadBody(r, 32)
		return err
	}
	long := strings.Repeat("x", 33)
	unannounced := httptest.NewRequest("POST", "/x", io.NopCloser(strings.NewReader(long)))
	unannounced.ContentLength = -1
	beyondFront := httptest.NewRequest("POST", "/x", io.NopCloser(strings.NewReader(strings.Repeat("x", 100))))
	beyondFront.ContentLength = -1
	for name, r := range map[string]*http.Request{
		"announced":   httptest.NewRequest("POST", "/x", strings.NewReader(long)),
		"unannounced": unannounced, "beyond the front's limit": beyondFront,
	} {
		if w := newDesk().serve(read, r); w.Code != 413 || !strings.Contains(w.Body.String(), "limit of 32 bytes") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	d := newDesk()
	w := d.serve(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := web.ReadBody(r, 1000)
		return err
	}, httptest.NewRequest("POST", "/x", io.NopCloser(strings.NewReader(strings.Repeat("x", 100)))))
	if w.Code != 413 || !strings.Contains(w.Body.String(), "limit of 64 bytes") {
		t.Errorf("an edge with a wider limit than the front: %d %s", w.Code, w.Body)
	}
}

func TestBody_of_exactly_the_limit_is_read(t *testing.T) {
	got, err := web.ReadBody(httptest.NewRequest("POST", "/x", strings.NewReader("12345678")), 8)
	if err != nil || string(got) != "12345678" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBody_encoded_or_cut_short_is_refused_by_name(t *testing.T) {
	packed := httptest.NewRequest("POST", "/x", strings.NewReader("abc"))
	packed.Header.Set("Content-Encoding", "gzip")
	if _, err := web.ReadBody(packed, 100); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("encoded: %v", err)
	}
	short := httptest.NewRequest("POST", "/x", io.NopCloser(&brokenBody{}))
	if _, err := web.ReadBody(short, 100); !fault.Is(err, fault.Invalid) {
		t.Errorf("cut short: %v", err)
	}
}

type brokenBody struct{}

func (*brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestJSON_keeps_markup_characters_as_sent(t *testing.T) {
	w := httptest.NewRecorder()
	if err := web.WriteJSON(w, 201, map[string]string{"name": "R&D <EU>"}); err != nil {
		t.Fatal(err)
	}
	if got := w.Body.String(); got != `{"name":"R&D <EU>"}` || w.Code != 201 || w.Header().Get("Content-Length") != "19" {
		t.Errorf("%d %s %v", w.Code, got, w.Header())
	}
	w = httptest.NewRecorder()
	if err := web.WriteJSON(w, 200, map[string]any{"f": func() {}}); err == nil || w.Body.Len() > 0 {
		t.Errorf("something that cannot be encoded: %v, wrote %q", err, w.Body)
	}
}

func TestAccess_log_holds_no_secret_and_no_literal(t *testing.T) {
	d := newDesk()
	q := url.Values{"filter": {`userName eq "ann@example.com"`}, "access_token": {"swordfish"}, "count": {"10"}}
	r := httptest.NewRequest("GET", "/scim/v2/Users?"+q.Encode(), nil)
	r.Header.Set("Authorization", "Bearer swordfish")
	d.serve(func(w http.ResponseWriter, r *http.Request) error {
		web.From(r.Context()).Route = "scim users"
		web.From(r.Context()).Note("directory", "directory_1")
		w.WriteHeader(204)
		return nil
	}, r)
	line := d.line(t, "request")
	if got := line["query"]; got != `access_token=…&count=10&filter=userName eq "…"` {
		t.Errorf("query in the log: %v", got)
	}
	if line["directory"] != "directory_1" || strings.Contains(d.log.String(), "swordfish") || strings.Contains(d.log.String(), "ann@") {
		t.Errorf("log: %s", d.log.String())
	}
	if len(d.seen) != 1 || d.seen[0].Route != "scim users" || d.seen[0].Status != 204 || d.seen[0].Method != "GET" {
		t.Errorf("observed %+v", d.seen)
	}
}

func TestFilter_is_redacted_however_its_literals_are_written(t *testing.T) {
	for in, want := range map[string]string{
		`userName eq "ann"`:                                `userName eq "…"`,
		`userName eq "a\"nn" and active eq true`:           `userName eq "…" and active eq …`,
		`userName eq 'ann'`:                                `userName eq "…"`,
		`userName eq ann`:                                  `userName eq …`,
		`userName eq Ann Smith or active eq true`:          `userName eq … … or active eq …`,
		`userName eq  ann`:                                 `userName eq  …`,
		`emails[type eq "work" and value co "@x.io"]`:      `emails[type eq "…" and value co "…"]`,
		`(title pr) and not (userName eq ann)`:             `(title pr) and not (userName eq …)`,
		`userName eq "never closed and so all of it is in`: `userName eq "…"`,
	} {
		if got := web.RedactFilter(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if got := web.RedactQuery("filter=%zz"); got != "(unreadable)" {
		t.Errorf("unreadable query: %s", got)
	}
}

func TestDeadline_ends_the_context_of_a_request(t *testing.T) {
	d := newDesk()
	d.front.Deadline = time.Millisecond
	var got error
	d.serve(func(_ http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		got = r.Context().Err()
		return nil
	}, httptest.NewRequest("GET", "/x", nil))
	if !errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("context ended with %v", got)
	}
}

func TestSecurity_headers_stand_on_every_answer(t *testing.T) {
	d := newDesk()
	d.front.PublicURL, _ = url.Parse("https://sync.example.com/")
	w := d.serve(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, web.From(r.Context()).Base)
		return err
	}, httptest.NewRequest("GET", "/x", nil))
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if w.Body.String() != "https://sync.example.com" {
		t.Errorf("base %q", w.Body)
	}
	plain := newDesk().serve(func(http.ResponseWriter, *http.Request) error { return nil }, httptest.NewRequest("GET", "/x", nil))
	if plain.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS on plain HTTP")
	}
}

func TestSecurity_headers_of_one_answer_do_not_leak_into_the_next(t *testing.T) {
	d := newDesk()
	d.serve(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Add("Cache-Control", "public")
		w.Header().Set("X-Frame-Options", "ALLOW")
		return nil
	}, httptest.NewRequest("GET", "/x", nil))
	w := d.serve(func(http.ResponseWriter, *http.Request) error { return nil }, httptest.NewRequest("GET", "/x", nil))
	if got := w.Header().Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("headers %v", w.Header())
	}
}

func TestHost_header_that_is_no_host_is_refused(t *testing.T) {
	r := httptest.NewRequest("GET", "/x", nil)
	r.Host = `evil.example/"><script>`
	reached := false
	w := newDesk().serve(func(http.ResponseWriter, *http.Request) error { reached = true; return nil }, r)
	if w.Code != 400 || reached {
		t.Errorf("answered %d, reached the edge: %v", w.Code, reached)
	}
}

func TestClient_address_believes_only_trusted_proxies(t *testing.T) {
	trusted := web.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	cases := []struct {
		name, peer, xff, forwarded, want string
		trust                            web.Proxies
	}{
		{"nobody is trusted", "10.0.0.1:5", "192.0.2.7", "", "10.0.0.1", nil},
		{"a stranger pretends to be a proxy", "203.0.113.9:5", "192.0.2.7", "for=192.0.2.7", "203.0.113.9", trusted},
		{"one proxy", "10.0.0.1:5", "192.0.2.7", "", "192.0.2.7", trusted},
		{"two proxies, and the client's own invention on the left", "10.0.0.1:5", "6.6.6.6, 192.0.2.7, 10.0.0.2", "", "192.0.2.7", trusted},
		{"the newer header", "[::1]:5", "", `for="[2001:db8::5]:4711";proto=https`, "2001:db8::5", trusted},
		{"both agree", "10.0.0.1:5", "192.0.2.7", "for=192.0.2.7", "192.0.2.7", trusted},
		{"both disagree", "10.0.0.1:5", "192.0.2.7", "for=6.6.6.6", "10.0.0.1", trusted},
		{"an obfuscated hop", "10.0.0.1:5", "", "for=_hidden", "10.0.0.1", trusted},
		{"IPv4 written as IPv6", "[::ffff:10.0.0.1]:5", "192.0.2.7", "", "192.0.2.7", trusted},
		{"a trusted proxy that says nothing", "10.0.0.1:5", "", "", "10.0.0.1", trusted},
	}
	for _, c := range cases {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = c.peer
		if c.xff != "" {
			r.Header.Set("X-Forwarded-For", c.xff)
		}
		if c.forwarded != "" {
			r.Header.Set("Forwarded", c.forwarded)
		}
		if got := c.trust.ClientIP(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestBase_address_believes_only_trusted_proxies(t *testing.T) {
	trusted := web.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	public, _ := url.Parse("https://sync.example.com")
	cases := []struct {
		name, peer, want string
		trust            web.Proxies
		public           *url.URL
	}{
		{"not trusted", "203.0.113.9:5", "http://rollcall.internal:8080", trusted, nil},
		{"trusted", "10.0.0.1:5", "https://app.example.com", trusted, nil},
		{"the public URL wins", "10.0.0.1:5", "https://sync.example.com", trusted, public},
	}
	for _, c := range cases {
		r := httptest.NewRequest("GET", "/x", nil)
		r.Host, r.RemoteAddr = "rollcall.internal:8080", c.peer
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Host", "app.example.com")
		if got, ok := c.trust.Base(r, c.public); got != c.want || !ok {
			t.Errorf("%s: %s %v, want %s", c.name, got, ok, c.want)
		}
	}
	r := httptest.NewRequest("GET", "/x", nil)
	r.RemoteAddr = "10.0.0.1:5"
	r.Header.Set("X-Forwarded-Proto", "javascript")
	if got, ok := trusted.Base(r, nil); ok {
		t.Errorf("a scheme that is none was taken: %s", got)
	}
}

func TestLimiter_gives_each_key_its_own_bucket(t *testing.T) {
	l := web.NewLimiter(2, 10)
	now := time.Unix(1_800_000_000, 0)
	for i := range 2 {
		if wait, ok := l.Allow("a", now); !ok {
			t.Fatalf("request %d of the burst refused for %s", i, wait)
		}
	}
	wait, ok := l.Allow("a", now)
	if ok || wait <= 0 || wait > 500*time.Millisecond {
		t.Errorf("third request: wait %s, allowed %v", wait, ok)
	}
	if _, ok := l.Allow("b", now); !ok {
		t.Error("another key paid for it")
	}
	if _, ok := l.Allow("a", now.Add(500*time.Millisecond)); !ok {
		t.Error("a refused request was charged")
	}
}

func TestLimiter_forgets_the_longest_idle_key_when_full(t *testing.T) {
	l := web.NewLimiter(1, 2)
	now := time.Unix(1_800_000_000, 0)
	for _, key := range []string{"a", "b", "a", "c"} { // b is the longest idle when c comes
		l.Allow(key, now)
	}
	if _, ok := l.Allow("a", now); ok {
		t.Error("a was forgotten though b had been idle longer")
	}
	if _, ok := l.Allow("b", now); !ok {
		t.Error("b was remembered beyond the bound")
	}
}

func TestLimiter_of_zero_limits_nothing(t *testing.T) {
	l := web.NewLimiter(0, 1)
	for range 1000 {
		if _, ok := l.Allow("a", time.Unix(1, 0)); !ok {
			t.Fatal("refused")
		}
	}
}

func TestRetry_after_is_never_zero_seconds(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2"} {
		h := http.Header{}
		web.SetRetryAfter(h, wait)
		if got := h.Get("Retry-After"); got != want {
			t.Errorf("%s: %s, want %s", wait, got, want)
		}
	}
}
