package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStat_is_read_behind_a_command_that_looks_like_fields(t *testing.T) {
	s, ok := parseStat([]byte("42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 5 0 100"))
	if !ok || s.parent != 7 || s.cpu != time.Second {
		t.Errorf("got %+v, %t; want parent 7 and 100 ticks, which are one second", s, ok)
	}
	if _, ok := parseStat([]byte("42 (short) S 7")); ok {
		t.Error("a short line was accepted")
	}
}

func TestCPU_of_a_tree_counts_descendants_and_nobody_else(t *testing.T) {
	table := processTable{1: {0, 1}, 2: {1, 10}, 3: {2, 100}, 4: {0, 1000}}
	if got := table.tree(1); got != 111 {
		t.Errorf("tree = %d, want 111", got)
	}
}

func TestMemory_and_CPU_of_this_process_are_found(t *testing.T) {
	now, peak, err := residentMiB(os.Getpid())
	if err != nil || now < 1 || peak < now {
		t.Errorf("resident %v, highest %v, %v", now, peak, err)
	}
	if _, err := cpuTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if _, err := cpuTime(1 << 30); err == nil {
		t.Error("a process that is not there was found")
	}
}

func TestStop_ends_everything_that_was_started(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep command")
	}
	var ps processes
	var started []*process
	for range 2 {
		p, err := ps.start("sleeper", syscall.SIGTERM, nil, nil, sleep, "60")
		if err != nil {
			t.Fatal(err)
		}
		started = append(started, p)
	}
	if err := started[0].kill(); err != nil || started[0].alive() {
		t.Errorf("kill: %v, alive %t", err, started[0].alive())
	}
	if err := ps.stopAll(); err != nil || started[1].alive() {
		t.Errorf("stopAll: %v, alive %t", err, started[1].alive())
	}
	if err := ps.stopAll(); err != nil {
		t.Errorf("a second stopAll: %v", err)
	}
}

func TestA_server_that_ends_at_its_start_is_reported_with_what_it_said(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	var ps processes
	p, err := ps.start("server", syscall.SIGTERM, nil, nil, sh, "-c", "echo no disk >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.waitReady(ctx, "http://"+addr+"/readyz"); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("got %v, want it to quote the server", err)
	}
}
