package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

const (
	// patience is for what happens at once on any machine that is not broken.
	patience = 60 * time.Second
	pause    = 5 * time.Millisecond

	managementKey = "e2e-management-key-0123456789-abcdef"
	sealingKey    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// eventually polls until done says so; what names the thing waited for.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stream is what a process writes, readable while it does.
type stream struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// since gives the whole lines written after the first n bytes.
func (s *stream) since(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.buf.Bytes()[n:]
	return string(rest[:bytes.LastIndexByte(rest, '\n')+1])
}

// tail is enough of it to explain a failure.
func (s *stream) tail() string {
	const enough = 3000
	text := s.String()
	return text[max(0, len(text)-enough):]
}

// home is one installation: its folder, its database and how its servers are started.
type home struct {
	engine      db.Engine
	dir         string
	databaseURL string // PostgreSQL's
	env         []string
	args        []string
}

func newHome(t *testing.T, engine db.Engine, args ...string) *home {
	t.Helper()
	h := &home{engine: engine, dir: t.TempDir(), args: args, env: []string{"ROLLCALL_API_KEY=" + managementKey}}
	if engine == db.PostgreSQL {
		h.databaseURL = dbtest.Options(t, engine, nil).URL
		h.env = append(h.env, "ROLLCALL_DATABASE_URL="+h.databaseURL, "ROLLCALL_SECRET_KEY="+sealingKey)
	}
	return h
}

func eachEngine(t *testing.T, story func(t *testing.T, engine db.Engine)) {
	t.Helper()
	for _, engine := range dbtest.Engines(t) {
		t.Run(string(engine), func(t *testing.T) { story(t, engine) })
	}
}

// command prepares the program in its home. The environment is its own: nothing of the caller's may change a story.
func (h *home) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = h.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1 atexit_sleep_ms=0"}, h.env...)
	cmd.SysProcAttr = noOrphan()
	return cmd
}

// finish runs a command that ends by itself, and quickly.
func (h *home) finish(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := h.launch(t, args...)
	return p.wait(t), p.out.String(), p.log.String()
}

// process is a running program of ours.
type process struct {
	cmd      *exec.Cmd
	out, log *stream
	ended    chan struct{}
	url      string // of a server

	read   int               // how far the log has been read for the lines below; one goroutine does
	logged map[string]string // lines of the access log by request id
}

// launch starts the program; it is gone at the end of the test.
func (h *home) launch(t *testing.T, args ...string) *process {
	t.Helper()
	must(t, noteSources())
	p := &process{cmd: h.command(args...), out: &stream{}, log: &stream{}, ended: make(chan struct{}), logged: map[string]string{}}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	must(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill(t)
		if strings.Contains(p.log.String(), "WARNING: DATA RACE") {
			t.Errorf("the server has a data race:\n%s", p.log.tail())
		}
		if t.Failed() {
			t.Logf("the end of the log of process %d:\n%s", p.cmd.Process.Pid, p.log.tail())
		}
	})
	return p
}

var started = regexp.MustCompile(`"msg":"rollcall started".*"address":"([^"]+)"`)

// listening is where it is on this machine, whatever a public URL says.
var listening = regexp.MustCompile(`"msg":"rollcall started".*"listen":"([^"]+)"`)

// start starts a server on a free port and waits until it says that it runs.
func (h *home) start(t *testing.T, more ...string) *process {
	t.Helper()
	args := slices.Concat([]string{"serve", "--log-format", "json", "--rate-limit", "0", "--api-rate-limit", "0"}, h.args, more)
	if !slices.Contains(args, "--listen") {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	p := h.launch(t, args...)
	p.url = p.says(t, p.log, started)
	return p
}

// says waits for a line and gives its first group.
func (p *process) says(t *testing.T, on *stream, line *regexp.Regexp) string {
	t.Helper()
	var found []string
	eventually(t, "a line like "+line.String(), func() bool {
		if found = line.FindStringSubmatch(on.String()); found != nil {
			return true
		}
		if !p.alive() {
			// What it said last may have come after the look above.
			if found = line.FindStringSubmatch(on.String()); found == nil {
				t.Fatalf("the process ended (%s) and never said %s:\n%s", p.cmd.ProcessState, line, p.log.tail())
			}
			return true
		}
		return false
	})
	return found[len(found)-1]
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// wait gives the exit code; -1 after a signal.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the process has not ended after %s:\n%s", patience, p.log.tail())
		return 0
	}
}

// signal is for children that may have ended already.
func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// kill gives no chance to tidy up.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	p.wait(t)
}

// stop asks for an orderly end and insists on it.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t); code != 0 {
		t.Fatalf("after SIGTERM the exit code is %d:\n%s", code, p.log.tail())
	}
}

var accessLine = regexp.MustCompile(`"msg":"request","request_id":"(\w+)"`)

// access gives the access log's line of a request, once it is written.
func (p *process) access(t *testing.T, id string) (line object) {
	t.Helper()
	eventually(t, "request "+id+" in the log", func() bool {
		news := p.log.since(p.read)
		p.read += len(news)
		for line := range strings.Lines(news) {
			if found := accessLine.FindStringSubmatch(line); found != nil {
				p.logged[found[1]] = line
			}
		}
		return p.logged[id] != ""
	})
	must(t, json.Unmarshal([]byte(p.logged[id]), &line))
	return line
}

func (p *process) address() string { return strings.SplitN(p.url, "://", 2)[1] }

// dial opens a connection of its own, for requests no HTTP library would send.
func (p *process) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.address(), patience)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // most are closed already
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// status asks for a page and gives 0 when nobody answers.
func (p *process) status(path string) int {
	c := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get(p.url + path)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

// settle waits until the database has finished what a killed process had asked of it: PostgreSQL may commit a statement whose
// sender is gone.
func (h *home) settle(t *testing.T) {
	t.Helper()
	if h.engine != db.PostgreSQL {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, h.databaseURL)
	must(t, err)
	defer func() { _ = conn.Close(ctx) }()
	eventually(t, "PostgreSQL to notice the end of its clients", func() bool {
		var others int
		must(t, conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others))
		return others == 0
	})
}

// databaseFile is SQLite's, in the default data folder.
func (h *home) databaseFile() string { return filepath.Join(h.dir, "rollcall-data", "rollcall.db") }
