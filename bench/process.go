package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	startPatience = 60 * time.Second
	stopPatience  = 20 * time.Second
)

// process is a server that this program started and must stop.
type process struct {
	name   string
	cmd    *exec.Cmd
	stderr *tail
	ended  chan struct{}
	stopBy os.Signal
}

// processes remembers everything that runs, so that nothing is left behind
// whatever ends the benchmark.
type processes struct {
	mu      sync.Mutex
	running map[int]*process
}

// start runs a program whose end is noticed in the background. env is added to
// a minimal environment: nothing of the caller's may change a measurement.
func (ps *processes) start(name string, stopBy os.Signal, env []string, setup func(*exec.Cmd), program string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(program, args...), stderr: &tail{}, ended: make(chan struct{}), stopBy: stopBy}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, p.stderr
	isolate(p.cmd)
	if setup != nil {
		setup(p.cmd)
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if ps.running == nil {
		ps.running = map[int]*process{}
	}
	ps.running[p.pid()] = p
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
		ps.mu.Lock()
		delete(ps.running, p.pid())
		ps.mu.Unlock()
	}()
	return p, nil
}

// stopAll ends what still runs. It is safe to call more than once.
func (ps *processes) stopAll() error {
	ps.mu.Lock()
	var left []*process
	for _, p := range ps.running {
		left = append(left, p)
	}
	ps.mu.Unlock()
	var errs []error
	for _, p := range left {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop asks, waits, and kills what does not listen.
func (p *process) stop() error {
	if !p.alive() {
		return nil
	}
	if err := p.cmd.Process.Signal(p.stopBy); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("%s did not stop within %s and was killed", p.name, stopPatience), p.kill())
	}
}

// kill is SIGKILL: the process gets no chance to tidy up.
func (p *process) kill() error {
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopPatience):
		return fmt.Errorf("%s is still there %s after SIGKILL", p.name, stopPatience)
	}
}

// waitReady polls url until it answers 200.
func (p *process) waitReady(ctx context.Context, url string) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); {
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ended:
			return fmt.Errorf("%s ended at its start (%s): %s", p.name, p.cmd.ProcessState, p.stderr)
		case <-time.After(2 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s was not ready within %s: %s", p.name, startPatience, p.stderr)
}

// freeAddr is a loopback address nobody listens on at this moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// tail keeps the end of what a process wrote, to explain its failure.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
