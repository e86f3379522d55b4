//go:build interop

package interop_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// freeAddress is host:port on the loopback that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// serve starts a program in a process group of its own, waits until ready answers below 500, and ends the group with the test.
// What the program writes is shown when the test fails.
func serve(t *testing.T, cmd *exec.Cmd, ready string, patience time.Duration) {
	t.Helper()
	name := filepath.Base(cmd.Path)
	log, err := os.CreateTemp(t.TempDir(), name+"-*.log")
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended by itself
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-gone
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, tail(log.Name()))
		}
	})
	deadline := time.Now().Add(patience)
	for !answers(ready) {
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("%s ended instead of serving: %v", name, err)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not answer at %s within %s", name, ready, patience)
		}
	}
}

func answers(address string) bool {
	response, err := (&http.Client{Timeout: 5 * time.Second}).Get(address)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode < http.StatusInternalServerError
}

func tail(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-8000):])
}

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	response, err := (&http.Client{Timeout: 30 * time.Second}).Get(address)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %d: %.2000s", address, response.StatusCode, text)
	}
	return text
}

func write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, []byte(text), 0o644))
}

// output runs a program to its end and gives what it prints; the error holds what it complains.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, text)
	}
	return string(text), nil
}

// needDebian skips the test unless Debian's package is installed, which .ci/interop does where it may.
func needDebian(t *testing.T, packages ...string) (version string) {
	t.Helper()
	for _, name := range packages {
		text, err := output(t.Context(), "", "dpkg-query", "-W", "-f", "${Status} ${Version}", name)
		after, ok := strings.CutPrefix(text, "install ok installed ")
		if err != nil || !ok {
			skip(t, "Debian's package %s is not installed here", name)
		}
		if version == "" {
			version = after
		}
	}
	t.Logf("%s %s (Debian)", packages[0], version)
	return version
}
