package app_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcallhq/rollcall/internal/app"
)

// parse reads flags as the command line does.
func parse(t *testing.T, args ...string) *app.Settings {
	t.Helper()
	var s app.Settings
	k, err := kong.New(&s, kong.Exit(func(int) { t.Fatal("kong wanted to exit") }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &s
}

func file(t *testing.T, mode os.FileMode, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.conf")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, s *app.Settings, environ ...string) app.Config {
	t.Helper()
	c, err := app.Load(s, environ)
	if err != nil {
		t.Fatalf("faults:\n%v", err)
	}
	return c
}

func faultsOf(t *testing.T, s *app.Settings, environ ...string) []string {
	t.Helper()
	_, err := app.Load(s, environ)
	var faults app.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("no faults but %v", err)
	}
	var out []string
	for _, f := range faults {
		out = append(out, f.String())
	}
	return out
}

func origin(t *testing.T, s *app.Settings, name string) app.Effective {
	t.Helper()
	for _, e := range s.Effective() {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("no setting %s", name)
	return app.Effective{}
}

func TestDefaults_are_those_of_the_manual(t *testing.T) {
	s := parse(t)
	got := mustLoad(t, s)
	want := app.Config{
		Shown: s.Effective(), Listen: "127.0.0.1:8080", DataDir: "./rollcall-data", Accounts: app.AccountsRollcall, LogFormat: app.LogText,
		SecondVerifier: app.On, SessionIdle: 12 * time.Hour, SessionLife: 7 * 24 * time.Hour,
		RateLimit: 1000, APIRateLimit: 200, ExchangeRetention: 30 * 24 * time.Hour, ExchangeMaxBytes: 1 << 30, WebhookRetention: 30 * 24 * time.Hour, ShutdownTimeout: 30 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlags_win_over_variables_and_variables_over_the_file(t *testing.T) {
	path := file(t, 0o644, "# comment", "listen = 127.0.0.1:1", "log_level = debug", "data-dir = \"/from file\"", "")
	s := parse(t, "--listen", "127.0.0.1:3", "--config", path)
	c := mustLoad(t, s, "ROLLCALL_LISTEN=127.0.0.1:2", "ROLLCALL_LOG_LEVEL=error", "ROLLCALL_ACCOUNTS=")
	if c.Listen != "127.0.0.1:3" || c.LogLevel != slog.LevelError || c.DataDir != "/from file" || c.Accounts != app.AccountsRollcall {
		t.Errorf("got %+v", c)
	}
	for name, want := range map[string]string{
		"listen": "--listen", "log-level": "ROLLCALL_LOG_LEVEL", "data-dir": "data-dir (" + path + " line 4)", "accounts": "default",
	} {
		if got := origin(t, s, name).Origin; got != want {
			t.Errorf("%s comes from %q, want %q", name, got, want)
		}
	}
}

func TestFile_may_be_named_by_variable(t *testing.T) {
	c := mustLoad(t, parse(t), "ROLLCALL_CONFIG="+file(t, 0o644, "rate-limit = 7"))
	if c.RateLimit != 7 {
		t.Errorf("rate limit %v", c.RateLimit)
	}
}

func TestAll_faults_are_reported_together_by_the_name_that_was_used(t *testing.T) {
	path := file(t, 0o644, "log-format = yaml", "listn = x", "no equals sign", "config = other", "secret-key = x", "exchange_max_bytes = lots")
	got := faultsOf(t, parse(t, "--listen", "nohost", "--config", path, "--tls-cert", "c.pem", "--accounts", "both", "--log-level", "info", "--log-level", "warn"),
		"ROLLCALL_RATE_LIMIT=-1", "ROLLCALL_EVENT_RETENTION=soon", "ROLLCALL_TRUSTED_PROXIES=10.0.0.0/8, ten, 10.0.0.1/8",
		"ROLLCALL_PUBLIC_URL=sync.example.com", "ROLLCALL_SECRET_KEY_FILE=/nowhere/key")
	for _, want := range []string{
		`--listen is "nohost"`, `listn (` + path + ` line 2) is no setting; did you mean listen?`, path + ` line 3 has no "="`,
		`config (` + path + ` line 4) cannot name a further file`, `secret-key (` + path + ` line 5) may only be given by the variable ROLLCALL_SECRET_KEY`,
		`exchange-max-bytes (` + path + ` line 6) is "lots"`, `log-format (` + path + ` line 1) is "yaml"; it may be text or json`,
		`--tls-cert needs --tls-key`, `--accounts is "both"; it may be rollcall or app`, `--log-level is given 2 times`,
		`ROLLCALL_RATE_LIMIT is "-1"`, `ROLLCALL_EVENT_RETENTION is "soon"`, `ROLLCALL_TRUSTED_PROXIES holds "ten"`,
		`ROLLCALL_TRUSTED_PROXIES holds 10.0.0.1/8, which has bits set beyond its length; did you mean 10.0.0.0/8?`,
		`ROLLCALL_PUBLIC_URL is "sync.example.com"`, `ROLLCALL_SECRET_KEY_FILE /nowhere/key cannot be read`,
	} {
		if !slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("missing: %s", want)
		}
	}
	if len(got) != 16 {
		t.Errorf("%d faults:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestFile_that_cannot_be_read_is_a_fault_of_its_setting(t *testing.T) {
	got := faultsOf(t, parse(t, "--config", "/nowhere/rollcall.conf"))
	if diff := cmp.Diff([]string{"--config cannot be read: no such file or directory"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSecrets_are_shown_neither_as_settings_nor_in_faults(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	s := parse(t, "--api-key", "swordfish-swordfish-swordfish-swordfish", "--database-url", "postgres://u:swordfish@h/d?sslpassword=swordfish")
	c := mustLoad(t, s, "ROLLCALL_SECRET_KEY="+key)
	shown := cmp.Diff(nil, s.Effective()) + c.DescribeDatabase() + c.APIKey.String()
	if strings.Contains(shown, "swordfish") || strings.Contains(shown, key) {
		t.Errorf("a secret is shown: %s", shown)
	}
	if got := origin(t, s, "database-url").Value; !strings.HasPrefix(got, "postgres://u:xxxxx@h/d") {
		t.Errorf("the database is not recognisable: %s", got)
	}
	for _, bad := range [][]string{
		{"ROLLCALL_API_KEY=swordfish"},
		{"ROLLCALL_API_KEY=swordfish and blanks that make it long enough"},
		{"ROLLCALL_SECRET_KEY=swordfish!"},
		{"ROLLCALL_SECRET_KEY=c3dvcmRmaXNo"},
		{"ROLLCALL_DATABASE_URL=postgres://u:swordfish@%zz/d"},
		{"ROLLCALL_DATABASE_URL=mysql://u:swordfish@h/d"},
	} {
		for _, f := range faultsOf(t, parse(t), bad...) {
			if strings.Contains(f, "swordfish") || strings.Contains(f, "c3dvcmRmaXNo") {
				t.Errorf("a fault repeats the secret: %s", f)
			}
		}
	}
}

func TestSealing_key_is_checked_when_the_configuration_is(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	good, open := file(t, 0o600, key), file(t, 0o666, key)
	if c := mustLoad(t, parse(t, "--secret-key-file", good, "--secret-key-file", good)); len(c.SecretKeyFiles) != 2 {
		t.Errorf("two keys for rotation: %v", c.SecretKeyFiles)
	}
	for name, c := range map[string]struct {
		settings *app.Settings
		environ  []string
		want     string
	}{
		"three files":          {parse(t, "--secret-key-file", good+","+good+","+good), nil, "--secret-key-file names 3 files"},
		"writable by others":   {parse(t, "--secret-key-file", open), nil, "is open to others (mode 0666); run: chmod 600"},
		"not base64":           {parse(t, "--secret-key-file", file(t, 0o600, "§§")), nil, "is not base64"},
		"too short":            {parse(t, "--secret-key-file", file(t, 0o600, "AAAA")), nil, "holds 3 bytes; a sealing key has 32"},
		"both ways":            {parse(t, "--secret-key-file", good), []string{"ROLLCALL_SECRET_KEY=" + key}, "ROLLCALL_SECRET_KEY is given beside --secret-key-file"},
		"PostgreSQL with none": {parse(t, "--database-url", "postgres://h/d"), nil, "--database-url chooses PostgreSQL, which needs a sealing key"},
	} {
		got := faultsOf(t, c.settings, c.environ...)
		if len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestUnits_of_time_and_size(t *testing.T) {
	c := mustLoad(t, parse(t, "--event-retention", "365d", "--exchange-retention", "1h30m", "--exchange-max-bytes", "2 MiB", "--shutdown-timeout", "0"))
	if c.EventRetention != 365*24*time.Hour || c.ExchangeRetention != 90*time.Minute || c.ExchangeMaxBytes != 2<<20 || c.ShutdownTimeout != 0 {
		t.Errorf("got %+v", c)
	}
	for _, wrong := range []string{"-1h", "99999999d", "1.5d", "10", "", "d"} {
		if wrong == "" {
			continue
		}
		if got := faultsOf(t, parse(t, "--event-retention="+wrong)); len(got) != 1 {
			t.Errorf("%s: %v", wrong, got)
		}
	}
	for _, wrong := range []string{"-1", "9999999TiB", "1.5GB", "GB", "5XB"} {
		if got := faultsOf(t, parse(t, "--exchange-max-bytes="+wrong)); len(got) != 1 {
			t.Errorf("%s: %v", wrong, got)
		}
	}
}

func TestDNS_server_is_a_host_and_a_port(t *testing.T) {
	if c := mustLoad(t, parse(t, "--dns-server", "[::1]:53")); c.DNSServer != "[::1]:53" {
		t.Errorf("read %q", c.DNSServer)
	}
	if c := mustLoad(t, parse(t)); c.DNSServer != "" {
		t.Errorf("the default is %q", c.DNSServer)
	}
	for _, wrong := range []string{"192.0.2.53", ":53", "dns.example:0", "dns.example:domain"} {
		if faults := faultsOf(t, parse(t, "--dns-server", wrong)); len(faults) != 1 || !strings.Contains(faults[0], "--dns-server") {
			t.Errorf("%s: %q", wrong, faults)
		}
	}
}

func TestNetworks_may_be_single_addresses_and_repeated(t *testing.T) {
	c := mustLoad(t, parse(t, "--allow-target", "10.0.0.0/8,192.0.2.1", "--allow-target", "fd00::/8"))
	var got []string
	for _, p := range c.AllowTarget {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.0/8", "192.0.2.1/32", "fd00::/8"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestVariable_that_looks_like_a_misspelt_setting_is_pointed_out(t *testing.T) {
	got := app.Strays([]string{"ROLLCALL_LISTN=x", "ROLLCALL_LISTEN=x", "ROLLCALL_SERVICE_HOST=10.0.0.1", "ROLLCALL_PORT=tcp://10.0.0.1:80", "PATH=/bin"})
	if diff := cmp.Diff([]string{"ROLLCALL_LISTN is no setting; did you mean ROLLCALL_LISTEN?"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMail_server_is_read_with_its_sender_and_its_password_never_repeated(t *testing.T) {
	c := mustLoad(t, parse(t, "--mail-from", "Acme <no-reply@acme.example>"), "ROLLCALL_SMTP_URL=smtp://rollcall:secret@mail.example.com")
	if c.Mail == nil || c.Mail.Host != "mail.example.com" || c.Mail.Port != 587 || c.Mail.Password != "secret" || c.Mail.From.Name != "Acme" || c.Mail.Plaintext {
		t.Errorf("read %+v", c.Mail)
	}
	if shown := origin(t, parse(t, "--smtp-url", "smtp://rollcall:secret@mail.example.com"), "smtp-url"); strings.Contains(shown.Value, "secret") {
		t.Errorf("shown as %s", shown.Value)
	}
	for _, args := range [][]string{
		{"--smtp-url", "smtp://a:secret@mail.example.com"},
		{"--mail-from", "no-reply@acme.example"},
		{"--smtp-url", "http://a:secret@mail.example.com", "--mail-from", "no-reply@acme.example"},
		{"--smtp-url", "smtp://a:secret@mail.example.com", "--mail-from", "nobody"},
	} {
		if got := faultsOf(t, parse(t, args...)); len(got) != 1 || strings.Contains(got[0], "secret") {
			t.Errorf("%q: %q", args, got)
		}
	}
}

func TestBrand_is_read_with_its_picture_and_refused_where_nobody_could_see_it(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := mustLoad(t, parse(t, "--brand-name", " Acme ", "--brand-color", "#FC0", "--brand-logo", write("Our Logo.JPEG", 9)))
	if c.Brand.Name != "Acme" || c.Brand.Colour == nil || c.Brand.Colour.String() != "#ffcc00" || c.Brand.Logo == nil || c.Brand.Logo.Name != "logo.jpg" || len(c.Brand.Logo.Body) != 9 {
		t.Errorf("read %+v", c.Brand)
	}
	if c := mustLoad(t, parse(t)); c.Brand.Name != "" || c.Brand.Logo != nil || c.Brand.Colour != nil {
		t.Errorf("without settings: %+v", c.Brand)
	}
	for args, want := range map[[2]string]string{
		{"--brand-color", "red"}:                                   "is no colour",
		{"--brand-color", "#12"}:                                   "is no colour",
		{"--brand-name", strings.Repeat("x", 61)}:                  "longer than 60",
		{"--brand-logo", write("logo.html", 9)}:                    "SVG, PNG, WebP or JPEG",
		{"--brand-logo", write("empty.svg", 0)}:                    "of 0 bytes",
		{"--brand-logo", write("large.png", 512<<10+1)}:            "of 524289 bytes",
		{"--brand-logo", filepath.Join(dir, "there is none.webp")}: "cannot be read",
	} {
		if got := faultsOf(t, parse(t, args[0], args[1])); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}
