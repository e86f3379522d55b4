package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// spoken is a stream that a test may read while it is written.
type spoken struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func command(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints spoken
	code = run(t.Context(), world{environ: environ, stdout: &out, stderr: &complaints}, args)
	return code, out.String(), complaints.String()
}

func TestVersion_names_itself(t *testing.T) {
	code, out, _ := command(t, nil, "version")
	if code != 0 || !strings.HasPrefix(out, "rollcall "+version+" go1.") {
		t.Errorf("%d %q", code, out)
	}
}

func TestHelp_names_every_command_and_each_setting_with_its_variable_and_default(t *testing.T) {
	code, out, _ := command(t, nil)
	for _, want := range []string{"serve", "migrate", "backup", "restore", "config check", "version"} {
		if !strings.Contains(out, want) {
			t.Errorf("help lacks %s", want)
		}
	}
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	_, out, _ = command(t, nil, "serve", "--help")
	flat := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"--listen=HOST:PORT Address to listen on. Default: 127.0.0.1:8080. ($ROLLCALL_LISTEN)", "$ROLLCALL_SECRET_KEY_FILE"} {
		if !strings.Contains(flat, want) {
			t.Errorf("help lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "commit-delay") {
		t.Error("the benchmark's own setting is advertised")
	}
}

func TestUnknown_flag_is_a_usage_error_with_a_suggestion(t *testing.T) {
	code, _, complaints := command(t, nil, "serve", "--lisen", "x")
	if code != exitUsage || !strings.Contains(complaints, `did you mean "--listen"?`) {
		t.Errorf("%d %s", code, complaints)
	}
}

func TestServe_refuses_a_wrong_configuration_with_all_its_faults(t *testing.T) {
	code, _, complaints := command(t, []string{"ROLLCALL_RATE_LIMIT=many"}, "serve", "--listen", "nohost", "--data-dir", t.TempDir())
	if code != exitUsage || !strings.Contains(complaints, "2 settings are wrong:\n  --listen is \"nohost\"") ||
		!strings.Contains(complaints, "\n  ROLLCALL_RATE_LIMIT is \"many\"") {
		t.Errorf("%d %s", code, complaints)
	}
}

func TestConfig_check_shows_what_holds_its_origin_and_no_secret(t *testing.T) {
	environ := []string{"ROLLCALL_API_KEY=swordfish-swordfish-swordfish-swordfish", "ROLLCALL_LISTN=x"}
	code, out, complaints := command(t, environ, "config", "check", "--log-level", "debug")
	if code != 0 || !strings.Contains(complaints, "The configuration is good.") || !strings.Contains(complaints, "did you mean ROLLCALL_LISTEN?") {
		t.Errorf("%d %s", code, complaints)
	}
	for _, want := range []string{`(?m)^log-level +debug +--log-level$`, `(?m)^api-key +••• +ROLLCALL_API_KEY$`, `(?m)^listen +127\.0\.0\.1:8080 +default$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line like %s in:\n%s", want, out)
		}
	}
	if strings.Contains(out+complaints, "swordfish") {
		t.Error("the key is shown")
	}
	code, out, _ = command(t, nil, "config", "check", "--accounts", "both")
	if code != exitUsage || !strings.Contains(out, "accounts") {
		t.Errorf("with a fault: %d %s", code, out)
	}
}

func TestMigrate_tells_the_schema_version(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	code, out, complaints := command(t, nil, "migrate", "--data-dir", dir)
	if code != 0 || !regexp.MustCompile(`has schema version [1-9]`).MatchString(out) {
		t.Errorf("%d %s %s", code, out, complaints)
	}
	if _, err := os.Stat(filepath.Join(dir, "rollcall.db")); err != nil {
		t.Error(err)
	}
}

func TestServe_runs_until_told_to_stop_and_survives_a_hangup(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var complaints spoken
	hangup := make(chan os.Signal, 1)
	code := make(chan int, 1)
	go func() {
		w := world{stdout: io.Discard, stderr: &complaints, hangup: hangup}
		code <- run(ctx, w, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(t.TempDir(), "data")})
	}()
	url := waitForURL(t, &complaints)
	hangup <- syscall.SIGHUP
	res, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("readyz: %d", res.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d: %s", got, complaints.String())
	}
}

// served runs a serve command until what it says matches, stops it, and gives what it said on both streams.
func served(t *testing.T, environ []string, until string, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var out, complaints spoken
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, world{environ: environ, stdout: &out, stderr: &complaints}, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
	}()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String()+complaints.String(), until); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("waited in vain for %q", until)
			break
		}
	}
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d: %s", got, complaints.String())
	}
	return out.String(), complaints.String()
}

func TestManagement_key_is_made_and_shown_at_the_first_start_only(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, first := served(t, nil, "shown only this once", "--data-dir", dir, "--log-format", "json")
	key := regexp.MustCompile(`API key +(sk_\w{49})\n`).FindStringSubmatch(first)
	if key == nil || strings.Count(first, key[1]) != 1 {
		t.Fatalf("the first start says: %s", first)
	}
	if _, second := served(t, nil, "rollcall started", "--data-dir", dir); strings.Contains(second, "API key") {
		t.Errorf("the second start says: %s", second)
	}
	_, given := served(t, []string{"ROLLCALL_API_KEY=" + strings.Repeat("k", 32)}, "rollcall started", "--data-dir", filepath.Join(t.TempDir(), "other"))
	if strings.Contains(given, "API key") || strings.Contains(given, "kkkk") {
		t.Errorf("with a key given: %s", given)
	}
}

func TestStart_tells_the_public_URL_and_where_it_listens(t *testing.T) {
	public := []string{"--public-url", "https://people.example.com", "--data-dir", filepath.Join(t.TempDir(), "data")}
	_, log := served(t, nil, "rollcall started", public...)
	if !regexp.MustCompile(`address=https://people\.example\.com listen=127\.0\.0\.1:[1-9]\d*`).MatchString(log) {
		t.Errorf("the log says:\n%s", log)
	}
	if !regexp.MustCompile(`stopping.* timeout=\d+s`).MatchString(log) {
		t.Errorf("the log of the stop says:\n%s", log)
	}
	out, _ := served(t, nil, "/events?", append(public, "--demo")...)
	if !regexp.MustCompile(`Address +https://people\.example\.com \(listening on 127\.0\.0\.1:[1-9]\d*\)`).MatchString(out) {
		t.Errorf("the demo says:\n%s", out)
	}
}

func TestDemo_makes_one_directory_and_a_new_token_at_each_start(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	first, _ := served(t, nil, "/events?", "--demo", "--data-dir", dir)
	second, log := served(t, nil, "/events?", "--demo", "--data-dir", dir)
	third, _ := served(t, nil, "/events?", "--demo", "--data-dir", dir) // two tokens may live at once: the earlier ones must have been ended
	part := func(text, label string) string {
		m := regexp.MustCompile(label + ` +(\S+)\n`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in:\n%s", label, text)
		}
		return m[1]
	}
	for _, label := range []string{"Organization", "Directory"} {
		if part(first, label) != part(second, label) || part(first, label) != part(third, label) {
			t.Errorf("each start has another %s", label)
		}
	}
	if part(first, "Bearer token") == part(second, "Bearer token") || part(second, "Bearer token") == part(third, "Bearer token") {
		t.Error("a token was shown twice")
	}
	if !strings.HasSuffix(part(first, "SCIM base URL"), "/scim/v2/demo") || strings.Count(first, "\ncurl -sw ") != 4 {
		t.Errorf("the first start says:\n%s", first)
	}
	if strings.Contains(log, part(second, "Bearer token")) || strings.Contains(log, part(second, "API key")) {
		t.Error("a secret is in the log")
	}
}

func TestDemo_stays_away_from_real_data(t *testing.T) {
	t.Chdir(t.TempDir())
	out, _ := served(t, []string{"ROLLCALL_DATA_DIR=/nowhere/real"}, "/events?", "--demo")
	if !strings.Contains(out, "Database       rollcall-demo/rollcall.db") {
		t.Errorf("says:\n%s", out)
	}
	environ := []string{"ROLLCALL_DATABASE_URL=postgres://127.0.0.1:1/real", "ROLLCALL_SECRET_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	if code, _, complaints := command(t, environ, "serve", "--demo"); code == 0 || !strings.Contains(complaints, "embedded database") {
		t.Errorf("%d %s", code, complaints)
	}
}

func TestDemo_says_how_to_get_another_port_with_make(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, complaints := command(t, nil, "serve", "--demo", "--listen", l.Addr().String(), "--data-dir", t.TempDir())
	if code != exitFailed || !strings.Contains(complaints, "in use by another program") || !strings.Contains(complaints, `make demo ARGS="--listen 127.0.0.1:0"`) {
		t.Errorf("%d %s", code, complaints)
	}
}

// waitForURL reads the address from the line that says the server has started.
func waitForURL(t *testing.T, log *spoken) string {
	t.Helper()
	address := regexp.MustCompile(`address=(\S+)`)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := address.FindStringSubmatch(log.String()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("the server did not start: %s", log.String())
	return ""
}
