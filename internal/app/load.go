package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Fault is one thing wrong with one setting.
type Fault struct {
	Setting string // by the name the person used
	Problem string // what is wrong and how to mend it, to be read after the name
}

func (f Fault) String() string { return f.Setting + " " + f.Problem }

// Faults are all that is wrong with a configuration; never empty as an error.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// loader gathers settings and turns them into values. Each method gives the zero value after a fault.
type loader struct{ faults Faults }

func (l *loader) fault(t Text, format string, args ...any) {
	l.faults = append(l.faults, Fault{t.from, fmt.Sprintf(format, args...)})
}

// gather completes what the command line gave from the environment, then the file, then the defaults.
func (l *loader) gather(s *Settings, environ []string) {
	rows := s.rows()
	for _, row := range rows {
		l.fromEnvironment(row, environ)
	}
	l.fromFile(s, rows)
	for _, row := range rows {
		if !row.text.isSet() {
			row.text.from = "default"
			if row.preset != "" {
				row.text.values = []string{row.preset}
			}
		}
		l.shape(row)
	}
}

// fromEnvironment: an empty variable counts as not set, because that is how container tools say "none".
func (l *loader) fromEnvironment(row setting, environ []string) {
	if row.text.isSet() {
		return
	}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && name == row.variable() && value != "" {
			*row.text = Text{values: []string{value}, from: name}
		}
	}
}

func (l *loader) fromFile(s *Settings, rows []setting) {
	path := l.text(s.Config)
	if path == "" {
		return
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		l.fault(s.Config, "cannot be read: %v", reason(err))
		return
	}
	lines, faults := parseFile(path, raw, rows)
	l.faults = append(l.faults, faults...)
	for _, row := range rows {
		if text, ok := lines[row.name]; ok && !row.text.isSet() {
			*row.text = text
		}
	}
}

// shape splits lists and refuses a single setting that was given twice.
func (l *loader) shape(row setting) {
	t := row.text
	if !row.list {
		if len(t.values) > 1 {
			l.fault(*t, "is given %d times; give it once", len(t.values))
			t.values = t.values[:1]
		}
		return
	}
	var out []string
	for _, v := range t.values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	t.values = out
}

func (l *loader) text(t Text) string {
	if len(t.values) == 0 {
		return ""
	}
	return strings.TrimSpace(t.values[0])
}

func (l *loader) hostPort(t Text) string {
	v := l.text(t)
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		l.fault(t, "is %q, which is no address; write host:port, like 127.0.0.1:8080 or :8080", v)
		return ""
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		l.fault(t, "has the port %q; a port is a number from 0 to 65535", port)
	}
	return v
}

func (l *loader) dnsServer(t Text) string {
	if l.text(t) == "" {
		return ""
	}
	v := l.hostPort(t)
	if host, port, err := net.SplitHostPort(v); err == nil && (host == "" || port == "0") {
		l.fault(t, "is %q; write the server's host and port, like 192.0.2.53:53", v)
	}
	return v
}

func (l *loader) publicURL(t Text) *url.URL {
	v := l.text(t)
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		l.fault(t, "is %q; write scheme and host, like https://sync.example.com", redactedURL(v))
		return nil
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		l.fault(t, "is %q; leave out path, query, fragment and user", redactedURL(v))
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}
}

// databaseURL never repeats the value: it holds a password.
func (l *loader) databaseURL(t Text) string {
	v := l.text(t)
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	switch {
	case err != nil:
		l.fault(t, "cannot be read as an address; write postgres://user:password@host:5432/database and escape special characters of the password (%%40 for @)")
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		l.fault(t, "must begin with postgres:// ; for SQLite leave it out and set --data-dir")
	default:
		return v
	}
	return ""
}

const leastKeyLength = 32

func (l *loader) apiKey(t Text) token.Secret {
	v := l.text(t)
	if v == "" {
		return ""
	}
	if len(v) < leastKeyLength {
		l.fault(t, "has %d characters; a key needs at least %d, for instance from \"openssl rand -hex 32\"", len(v), leastKeyLength)
		return ""
	}
	if strings.IndexFunc(v, func(c rune) bool { return c <= ' ' || c > '~' }) >= 0 {
		l.fault(t, "holds blanks or characters that cannot be sent in a header; use letters, digits and punctuation")
		return ""
	}
	return token.Secret(v)
}

func (l *loader) keyFiles(t Text) []string {
	if len(t.values) > 2 {
		l.fault(t, "names %d files; the present and the previous key make two", len(t.values))
		return nil
	}
	for _, path := range t.values {
		if _, err := readKeyFile(path, writableByOthers); err != nil {
			l.fault(t, "%v", err)
			return nil
		}
	}
	return t.values
}

func (l *loader) secretKey(t Text) []byte {
	v := l.text(t)
	if v == "" {
		return nil
	}
	key, err := parseKey(v)
	if err != nil {
		l.fault(t, "%v", err)
	}
	return key
}

// keyBytes is the length of a sealing key (AES-256).
const keyBytes = 32

// parseKey reads base64 with or without padding, in either alphabet. Its error never repeats the key.
func parseKey(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("is not base64; make a key with \"openssl rand -base64 32\"")
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("holds %d bytes; a sealing key has %d, make one with \"openssl rand -base64 32\"", len(key), keyBytes)
	}
	return key, nil
}

// networks reads CIDR prefixes; a bare address is a network of one.
func (l *loader) networks(t Text) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range t.values {
		prefix, err := netip.ParsePrefix(v)
		if addr, aerr := netip.ParseAddr(v); aerr == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			l.fault(t, "holds %q, which is no network; write address/bits, like 10.0.0.0/8", v)
			continue
		}
		if prefix.Masked() != prefix {
			l.fault(t, "holds %s, which has bits set beyond its length; did you mean %s?", v, prefix.Masked())
			continue
		}
		out = append(out, prefix)
	}
	return out
}

func oneOf[T ~string](l *loader, t Text, allowed ...T) T {
	v := T(strings.ToLower(l.text(t)))
	if !slices.Contains(allowed, v) {
		l.fault(t, "is %q; it may be %s", l.text(t), alternatives(allowed))
		return ""
	}
	return v
}

func alternatives[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = string(v)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (l *loader) level(t Text) slog.Level {
	switch oneOf(l, t, "debug", "info", "warn", "error") {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

func (l *loader) rate(t Text) float64 {
	n, err := strconv.ParseUint(l.text(t), 10, 32)
	if err != nil {
		l.fault(t, "is %q; write a whole number of requests a second, 0 for no limit", l.text(t))
	}
	return float64(n)
}

// duration reads Go's notation ("90m", "1h30m"), whole days ("30d") and a bare 0.
func (l *loader) duration(t Text) time.Duration {
	v := l.text(t)
	if days, ok := strings.CutSuffix(v, "d"); ok {
		const mostDays = 36500 // a time.Duration ends near 106,751
		if n, err := strconv.ParseUint(days, 10, 64); err == nil && n <= mostDays {
			return time.Duration(n) * 24 * time.Hour
		}
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		l.fault(t, "is %q; write a number and its unit, like 30d, 12h or 90s", v)
		return 0
	}
	return d
}

func (l *loader) size(t Text) int64 {
	v := l.text(t)
	digits := strings.TrimRight(v, "KMGTiBkb ")
	n, err := strconv.ParseInt(digits, 10, 64)
	factor, ok := sizeUnit(strings.TrimSpace(v[len(digits):]))
	const most = 1 << 50
	if err != nil || !ok || n < 0 || n > most/factor {
		l.fault(t, "is %q; write bytes, or a number with kB, MB, GB, KiB, MiB, GiB, up to 1024 TiB", v)
		return 0
	}
	return n * factor
}

func sizeUnit(unit string) (int64, bool) {
	switch strings.ToLower(unit) {
	case "", "b":
		return 1, true
	case "kb", "k":
		return 1e3, true
	case "mb", "m":
		return 1e6, true
	case "gb", "g":
		return 1e9, true
	case "tb", "t":
		return 1e12, true
	case "kib":
		return 1 << 10, true
	case "mib":
		return 1 << 20, true
	case "gib":
		return 1 << 30, true
	case "tib":
		return 1 << 40, true
	}
	return 1, false
}

// reason leaves out the operation and the path, which the sentence around it already names.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func redactedURL(v string) string {
	if u, err := url.Parse(v); err == nil {
		return u.Redacted()
	}
	return "(unreadable)"
}

// address is one plain address that mail can be sent to.
func (l *loader) address(t Text) string {
	address := l.text(t)
	if address == "" {
		return ""
	}
	if err := mail.CheckAddress(address); err != nil {
		l.fault(t, "is no email address like ops@acme.example, without a name")
	}
	return address
}

// mailTemplates tries them: a mistake in one is found now, and not when somebody is to be written to.
func (l *loader) mailTemplates(t Text) string {
	folder := l.text(t)
	if folder == "" {
		return ""
	}
	if err := mail.CheckTemplates(folder); err != nil {
		l.fault(t, "is of no use: %v", err)
	}
	return folder
}

// mail never repeats the address of the server: it holds a password.
func (l *loader) mail(server, from Text) *mail.SMTP {
	if l.text(server) == "" {
		if l.text(from) != "" {
			l.fault(from, "needs --smtp-url (or ROLLCALL_SMTP_URL) beside it")
		}
		return nil
	}
	out, err := mail.ParseSMTP(l.text(server))
	if err != nil {
		l.fault(server, "%v", err)
		return nil
	}
	if l.text(from) == "" {
		l.fault(server, "needs --mail-from (or ROLLCALL_MAIL_FROM) beside it")
		return nil
	}
	if out.From, err = mail.ParseFrom(l.text(from)); err != nil {
		l.fault(from, "%v", err)
		return nil
	}
	return &out
}
