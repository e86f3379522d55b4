package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// diary is a log that a test may read while it is written.
type diary struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.buf.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.buf.String()
}

func (d *diary) logger() *slog.Logger { return slog.New(slog.NewTextHandler(d, nil)) }

func testConfig(t *testing.T) Config {
	return Config{Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), ShutdownTimeout: 5 * time.Second}
}

func build(t *testing.T, c Config) *App {
	t.Helper()
	a, err := New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// start runs a and gives a function that stops it and returns Run's answer.
func start(t *testing.T, a *App) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	var once sync.Once
	var result error
	stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	return getWith(t, url, "")
}

func getWith(t *testing.T, url, bearer string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestServer_answers_probes_and_metrics_and_stops_without_leaving_anything_running(t *testing.T) {
	defer goleak.VerifyNone(t)
	a := build(t, testConfig(t))
	stop := start(t, a)
	for path, want := range map[string]string{"/livez": `{"status":"ok"}`, "/readyz": `{"status":"ready","database":"ok"}`} {
		if status, body := get(t, a.URL()+path); status != 200 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, page := get(t, a.URL()+"/metrics")
	for _, want := range []string{
		`rollcall_http_requests_total{method="GET",route="health",status="200"} 2`, "rollcall_db_writes_total", "go_goroutines",
		`rollcall_info{engine="sqlite",version="test"} 1`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestUnknown_addresses_are_refused_in_the_format_of_their_edge(t *testing.T) {
	a := build(t, testConfig(t))
	start(t, a)
	status, body := get(t, a.URL()+"/nothing/here")
	var api struct{ Code, Message, Request_id string }
	if err := json.Unmarshal([]byte(body), &api); err != nil || status != 404 || api.Code != "not_found" || !strings.HasPrefix(api.Request_id, "req_") {
		t.Errorf("%d %s %v", status, body, err)
	}
}

func TestAddresses_are_taken_as_they_are_and_never_redirected(t *testing.T) {
	a := build(t, testConfig(t))
	start(t, a)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 200, "/metrics": 200,
		"/livez/": 404, "//livez": 404, "/livez/..": 404, "/a/../livez": 404, "/./readyz": 404, "//metrics": 404,
		"//organizations": 404, "/organizations/../organizations": 404, "/": 404, "//": 404,
		"/organizations": 401, "//scim/v2/Users": 401, "/scim//v2/Users": 401,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Path = path // joining would clean it
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %d, want %d: %s %v", path, res.StatusCode, want, body, err)
		}
		if want != 200 && !strings.Contains(res.Header.Get("Content-Type"), "json") {
			t.Errorf("%s is answered as %s: %s", path, res.Header.Get("Content-Type"), body)
		}
	}
}

func TestRefusals_outside_the_edges_are_in_the_format_due_for_the_address(t *testing.T) {
	refused := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		refuse(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil), fault.New(fault.NotFound, "gone", `"<it>" is gone`))
		return w
	}
	scim, api := refused("/scim/v2/Users"), refused("/organizations")
	if got := scim.Body.String(); got != `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"\"<it>\" is gone (request )"}` ||
		scim.Code != 404 || scim.Header().Get("Content-Type") != "application/scim+json" {
		t.Errorf("SCIM's: %d %v %s", scim.Code, scim.Header(), got)
	}
	if got := api.Body.String(); got != `{"code":"gone","message":"\"<it>\" is gone","request_id":""}` ||
		api.Code != 404 || api.Header().Get("Content-Type") != "application/json" {
		t.Errorf("the API's: %d %v %s", api.Code, api.Header(), got)
	}
}

func TestRefusal_of_an_API_request_that_is_wrong_lists_what_is(t *testing.T) {
	w := httptest.NewRecorder()
	refuse(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil), fault.New(fault.Invalid, "invalid_host", "No host."))
	if got := w.Body.String(); w.Code != 400 || !strings.Contains(got, `"errors":[{"code":"invalid_host","message":"No host."}]`) {
		t.Errorf("%d %s", w.Code, got)
	}
}

func TestSCIM_is_served_below_its_prefix_also_with_doubled_slashes(t *testing.T) {
	a := build(t, testConfig(t))
	demo, err := a.Demo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start(t, a)
	for _, path := range []string{"/scim/v2/demo/Users", "/scim/v2/Users", "/scim//v2/demo//Users"} {
		status, body := getWith(t, a.URL()+path, demo.Token.Reveal())
		if status != 200 || !strings.Contains(body, `"totalResults":0`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, body := get(t, a.URL()+"/scim/v2/demo/Users")
	if status != 401 || !strings.Contains(body, "urn:ietf:params:scim:api:messages:2.0:Error") {
		t.Errorf("a stranger got %d %s", status, body)
	}
}

func TestSCIM_rate_limit_is_the_configured_one(t *testing.T) {
	c := testConfig(t)
	c.RateLimit = 1
	a := build(t, c)
	demo, err := a.Demo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start(t, a)
	var last int
	for range 3 {
		last, _ = getWith(t, a.URL()+"/scim/v2/demo/Users", demo.Token.Reveal())
	}
	if last != 429 {
		t.Errorf("the third request within a second got %d", last)
	}
}

func TestAPI_rate_limit_is_the_configured_one(t *testing.T) {
	c := testConfig(t)
	c.APIKey, c.APIRateLimit = token.NewSecret("sk"), 1
	a := build(t, c)
	start(t, a)
	for _, secret := range []string{c.APIKey.Reveal(), "a stranger's"} {
		var last int
		for range 3 {
			last, _ = getWith(t, a.URL()+"/organizations", secret)
		}
		if last != 429 {
			t.Errorf("the third request within a second got %d", last)
		}
	}
}

func TestAPI_honours_the_idempotency_key(t *testing.T) {
	c := testConfig(t)
	c.APIKey = token.NewSecret("sk")
	a := build(t, c)
	start(t, a)
	for i := range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+"/organizations", strings.NewReader(`{"name":"Acme"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + c.APIKey.Reveal()}, "Idempotency-Key": {"a"}}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if replayed := res.Header.Get("Idempotency-Replayed") == "true"; res.StatusCode != 201 || replayed != (i == 1) {
			t.Errorf("request %d: %d %v", i, res.StatusCode, res.Header)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestDerived_keys_differ_by_purpose_and_agree_between_processes(t *testing.T) {
	keys := SealingKeys{bytes.Repeat([]byte{1}, keyBytes), bytes.Repeat([]byte{2}, keyBytes)}
	one, err := keys.derive("one")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := SealingKeys{keys[0]}.derive("one")
	other, _ := keys.derive("other")
	if len(one) != keyBytes || !bytes.Equal(one, again) || bytes.Equal(one, other) || bytes.Equal(one, keys[0]) {
		t.Error("derived keys are not what they should be")
	}
}

func TestStop_lets_requests_in_flight_finish_and_takes_no_new_ones(t *testing.T) {
	a := build(t, testConfig(t))
	entered, leave := make(chan struct{}), make(chan struct{})
	wrapHandler(a, "/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_ = web.WriteJSON(w, 200, "acknowledged")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	answered := make(chan string, 1)
	go func() {
		_, body := get(t, a.URL()+"/slow")
		answered <- body
	}()
	<-entered
	cancel()
	waitFor(t, "the listener to close", func() bool {
		conn, err := net.Dial("tcp", a.Addr())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if !a.stopping.Load() {
		t.Error("does not know that it is stopping")
	}
	select {
	case err := <-ran:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	close(leave)
	if got := <-answered; got != `"acknowledged"` {
		t.Errorf("the request in flight got %s", got)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestStop_is_bounded_and_says_what_it_cut_off(t *testing.T) {
	c := testConfig(t)
	c.ShutdownTimeout = 50 * time.Millisecond
	a := build(t, c)
	entered := make(chan struct{})
	wrapHandler(a, "/stuck", func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	stop := start(t, a)
	go func() {
		if res, err := http.Get(a.URL() + "/stuck"); err == nil {
			res.Body.Close()
		}
	}()
	<-entered
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not finish in 50ms") {
		t.Errorf("stopped with %v", err)
	}
}

func TestReadiness_is_withdrawn_while_stopping_and_when_the_database_is_gone(t *testing.T) {
	a := build(t, testConfig(t))
	stop := start(t, a)
	a.stopping.Store(true)
	if status, body := get(t, a.URL()+"/readyz"); status != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("while stopping: %d %s", status, body)
	}
	a.stopping.Store(false)
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, a.URL()+"/readyz"); status != 503 || !strings.Contains(body, "does not answer") {
		t.Errorf("without database: %d %s", status, body)
	}
	if status, _ := get(t, a.URL()+"/livez"); status != 200 {
		t.Errorf("a lost database must not look like a dead process: %d", status)
	}
	_ = stop() // the database was closed behind its back
}

func TestBackground_work_ends_before_the_database_closes(t *testing.T) {
	a := build(t, testConfig(t))
	var lastWords error
	a.background("scribe", func(ctx context.Context) {
		<-ctx.Done()
		lastWords = a.db.Ping(context.WithoutCancel(ctx))
	})
	if err := start(t, a)(); err != nil {
		t.Fatal(err)
	}
	if lastWords != nil {
		t.Errorf("the database was gone before the work ended: %v", lastWords)
	}
}

func TestAddress_in_use_is_said_with_the_way_out_and_nothing_is_touched(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := testConfig(t)
	c.Listen = l.Addr().String()
	_, err = New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "in use by another program") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(c.DataDir); !os.IsNotExist(err) {
		t.Errorf("the data folder was made: %v", err)
	}
}

func TestSealing_key_is_made_once_private_and_kept(t *testing.T) {
	c := testConfig(t)
	first := build(t, c)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.DataDir, "secret.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	second := build(t, c)
	defer second.Close()
	if len(first.keys) != 1 || len(first.keys[0]) != 32 || !bytes.Equal(first.keys[0], second.keys[0]) {
		t.Error("the second start has another key")
	}
	left, err := filepath.Glob(filepath.Join(c.DataDir, ".secret-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestSealing_key_open_to_others_stops_the_start(t *testing.T) {
	c := testConfig(t)
	if err := build(t, c).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.DataDir, "secret.key")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "mode 0640") || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("got %v", err)
	}
}

func TestServer_runs_on_PostgreSQL_only_with_a_sealing_key(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		if engine != db.PostgreSQL {
			continue
		}
		c := testConfig(t)
		c.DatabaseURL = dbtest.Options(t, db.PostgreSQL, nil).URL
		if _, err := New(t.Context(), c, "test", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "ROLLCALL_SECRET_KEY") {
			t.Errorf("without a key: %v", err)
		}
		c.SecretKey = make([]byte, keyBytes)
		a := build(t, c)
		stop := start(t, a)
		if status, body := get(t, a.URL()+"/readyz"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.DataDir); !os.IsNotExist(err) {
			t.Errorf("a data folder was made: %v", err)
		}
	}
}

func TestMigrate_gives_the_version_and_repeats_without_harm(t *testing.T) {
	c := testConfig(t)
	for range 2 {
		version, err := Migrate(t.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil || version < 1 {
			t.Errorf("version %d, %v", version, err)
		}
	}
}

func TestTLS_follows_its_files_and_keeps_the_old_pair_when_the_new_one_is_broken(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, certFile, keyFile, 1)
	var log diary
	cert, err := loadCertificate(certFile, keyFile, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, nudge := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); cert.follow(ctx, 5*time.Millisecond, nudge) }()
	defer func() { cancel(); <-ended }()

	writePair(t, certFile, keyFile, 2)
	waitFor(t, "the new certificate", func() bool { return serialOf(t, cert) == 2 })

	if err := os.WriteFile(certFile, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the complaint", func() bool { return strings.Contains(log.String(), "serving on with the old one") })
	if got := serialOf(t, cert); got != 2 {
		t.Errorf("serving certificate %d after a broken exchange", got)
	}

	writePair(t, certFile, keyFile, 3)
	waitFor(t, "the mended certificate", func() bool { return serialOf(t, cert) == 3 })
}

//scim:53
func TestTLS_serves_nothing_older_than_1_2_and_reloads_on_request(t *testing.T) {
	dir := t.TempDir()
	c := testConfig(t)
	c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, c.TLSCert, c.TLSKey, 1)
	a := build(t, c)
	start(t, a)
	if !strings.HasPrefix(a.URL(), "https://") {
		t.Errorf("URL %s", a.URL())
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", a.Addr(), old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
	writePair(t, c.TLSCert, c.TLSKey, 2)
	a.Reload()
	waitFor(t, "the new certificate on the wire", func() bool {
		conn, err := tls.Dial("tcp", a.Addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 2
	})
}

func TestTLS_pair_that_cannot_be_read_stops_the_start_by_name(t *testing.T) {
	c := testConfig(t)
	c.TLSCert, c.TLSKey = "/nowhere/cert.pem", "/nowhere/key.pem"
	if _, err := New(t.Context(), c, "test", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "/nowhere/cert.pem") {
		t.Errorf("got %v", err)
	}
}

// wrapHandler puts a handler for one path before a's own.
func wrapHandler(a *App, path string, h http.HandlerFunc) {
	own := a.server.Handler
	a.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			h(w, r)
			return
		}
		own.ServeHTTP(w, r)
	})
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func serialOf(t *testing.T, c *certificate) int64 {
	t.Helper()
	pair, err := c.config().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf.SerialNumber.Int64()
}

func writePair(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
