package sdk_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

const (
	// patience is for what happens at once on any machine that is not broken.
	patience = 60 * time.Second
	pause    = 5 * time.Millisecond

	managementKey = "sk_test_0123456789_abcdefghijklmnop"
	sealingKey    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
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

// tail is enough of it to explain a failure.
func (s *stream) tail() string {
	const enough = 3000
	text := s.String()
	return text[max(0, len(text)-enough):]
}

// process is a program that runs until the test ends, or ends by itself.
type process struct {
	cmd      *exec.Cmd
	out, log *stream
	ended    chan struct{}
}

// launch starts a program in a folder with an environment of its own: nothing of the caller's may change a story.
func launch(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	must(t, noteSources())
	p := &process{cmd: exec.Command(name, args...), out: &stream{}, log: &stream{}, ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1 atexit_sleep_ms=0"}, env...)
	p.cmd.SysProcAttr = noOrphan()
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	must(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // most have ended
		<-p.ended
		if strings.Contains(p.log.String(), "WARNING: DATA RACE") {
			t.Errorf("a data race in %s:\n%s", name, p.log.tail())
		}
		if t.Failed() && name == program {
			t.Logf("the end of the server's log:\n%s", p.log.tail())
		}
	})
	return p
}

// says waits for a line and gives the part in parentheses.
func (p *process) says(t *testing.T, on *stream, line *regexp.Regexp) string {
	t.Helper()
	var found []string
	eventually(t, "a line like "+line.String(), func() bool {
		found = line.FindStringSubmatch(on.String())
		select {
		case <-p.ended:
			if found = line.FindStringSubmatch(on.String()); found == nil {
				t.Fatalf("%s ended (%s) and never said %s:\n%s%s", p.cmd, p.cmd.ProcessState, line, p.out, p.log)
			}
		default:
		}
		return found != nil
	})
	return found[len(found)-1]
}

var (
	addressLine = regexp.MustCompile(`"address":"([^"]+)"`)
	clientLine  = regexp.MustCompile(`"client_id":"([^"]+)"`)
)

// server is a running Rollcall.
type server struct{ url, client string }

// serve starts one over a fresh database. What it calls out to is on this machine.
func serve(t *testing.T, engine db.Engine, env ...string) server {
	t.Helper()
	env = append(env, "ROLLCALL_API_KEY="+managementKey)
	if engine == db.PostgreSQL {
		env = append(env, "ROLLCALL_DATABASE_URL="+dbtest.Options(t, engine, nil).URL, "ROLLCALL_SECRET_KEY="+sealingKey)
	}
	p := launch(t, t.TempDir(), env, program, "serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--allow-target", "127.0.0.0/8")
	return server{url: p.says(t, p.log, addressLine), client: p.says(t, p.log, clientLine)}
}

func eachEngine(t *testing.T, story func(t *testing.T, engine db.Engine)) {
	t.Helper()
	for _, engine := range dbtest.Engines(t) {
		t.Run(string(engine), func(t *testing.T) { story(t, engine) })
	}
}
