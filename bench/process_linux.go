package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// clockTick is USER_HZ, which Linux has fixed at 100 for every port Go runs on.
const clockTick = 10 * time.Millisecond

// isolate keeps the terminal's Ctrl-C away from the servers, so that they are
// stopped in order, and lets the kernel end them should this program be killed.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// runAs lets a program run as another user; PostgreSQL refuses to run as root.
func runAs(cmd *exec.Cmd, uid, gid uint32) {
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
}

// cpuTime is what the processes and their descendants have used, including
// descendants that have ended and were waited for.
func cpuTime(pids ...int) (time.Duration, error) {
	table, err := readProcessTable("/proc")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, pid := range pids {
		if _, ok := table[pid]; !ok {
			return 0, fmt.Errorf("process %d is not there", pid)
		}
		sum += table.tree(pid)
	}
	return sum, nil
}

type procStat struct {
	parent int
	cpu    time.Duration
}

type processTable map[int]procStat

func (t processTable) tree(pid int) time.Duration {
	sum := t[pid].cpu
	for child, s := range t {
		if s.parent == pid && child != pid {
			sum += t.tree(child)
		}
	}
	return sum
}

func readProcessTable(root string) (processTable, error) {
	files, err := filepath.Glob(root + "/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	table := processTable{}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // ended since the listing
		}
		if s, ok := parseStat(raw); ok {
			table[pid] = s
		}
	}
	return table, nil
}

// parseStat reads proc(5) stat: the command in parentheses may hold anything,
// so counting starts behind its last one. Field 4 is the parent, 14 to 17 are
// utime, stime, cutime and cstime.
func parseStat(raw []byte) (procStat, bool) {
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) < 15 {
		return procStat{}, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return procStat{}, false
	}
	s := procStat{parent: parent}
	for _, f := range fields[11:15] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return procStat{}, false
		}
		s.cpu += time.Duration(ticks) * clockTick
	}
	return s, true
}

// residentMiB is the resident set of one process, now and at its highest.
func residentMiB(pid int) (now, peak float64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(raw) {
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, err := strconv.ParseFloat(string(f[1]), 64)
		switch {
		case err != nil:
		case string(f[0]) == "VmRSS:":
			now = kib / 1024
		case string(f[0]) == "VmHWM:":
			peak = kib / 1024
		}
	}
	if now == 0 {
		return 0, 0, fmt.Errorf("process %d has no resident memory", pid)
	}
	return now, peak, nil
}
