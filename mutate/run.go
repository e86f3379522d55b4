package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	unseen   verdict = "unseen" // it hands on an error that no test makes
)

type result struct {
	guard   *guard
	verdict verdict
	reached bool // by a test, with all guards in
	took    time.Duration
}

// probe is one test: what it takes, and the guards and statements that decide something in it.
type probe struct {
	folder  string
	program string
	name    string
	took    time.Duration
	seen    []string
}

// run is one run of the tool.
type run struct {
	options
	dir    string
	guards []*guard
	out    io.Writer
	probes map[string][]*probe // by what they reach
}

// runAll tries every mutant and tells each verdict as it comes. Each test is run once with all guards in, which tells what decides in it: a
// guard that a test does not reach cannot be missed by it, so that of hundreds of tests a mutant is shown to a few, the fastest first. Tests that fail as
// they are would kill every mutant, so that run has to pass.
func runAll(ctx context.Context, o options, guards []*guard, out io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, fmt.Errorf("make room for mutants: %w", err)
	}
	defer os.RemoveAll(dir)
	r := &run{options: o, dir: dir, guards: guards, out: out, probes: map[string][]*probe{}}
	begun := time.Now()
	tests, uses, err := r.build(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.trace(ctx, tests); err != nil {
		return nil, err
	}
	r.spread(tests, uses)
	fmt.Fprintf(out, "%d guards, %d tests traced in %s\n", len(guards), len(tests), time.Since(begun).Round(time.Second))
	return r.tryAll(ctx)
}

// build makes one test program for each package, with a switch at every guard, and lists the tests. The sources stay as they are: the go
// command gets the instrumented files as an overlay.
func (r *run) build(ctx context.Context) ([]*probe, map[string][]string, error) {
	list, uses, err := overlay(r.guards, r.dir)
	if err != nil {
		return nil, nil, err
	}
	var tests []*probe
	for _, folder := range r.folders() {
		program := filepath.Join(r.dir, strings.ReplaceAll(filepath.ToSlash(filepath.Clean(folder)), "/", "_")+".test")
		command := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", list, "-o", program, packagePath(folder))
		if out, err := command.CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("build the tests of %s: %w\n%s", folder, err, out)
		}
		names, err := r.tests(ctx, program, folder)
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			tests = append(tests, &probe{folder: folder, program: program, name: name})
		}
	}
	return tests, uses, nil
}

// folders are those whose tests are asked.
func (r *run) folders() []string {
	var all []string
	for _, g := range r.guards {
		all = append(append(all, g.folder), r.also[filepath.Clean(g.folder)]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *run) tests(ctx context.Context, program, folder string) ([]string, error) {
	only, err := regexp.Compile(r.options.run)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	not, err := regexp.Compile(r.skip)
	if err != nil {
		return nil, fmt.Errorf("-skip: %w", err)
	}
	command := exec.CommandContext(ctx, program, "-test.list", ".")
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("list the tests of %s: %w\n%s", folder, err, out)
	}
	var names []string
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "Benchmark") || !only.MatchString(name) || r.skip != "" && not.MatchString(name) {
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

func packagePath(folder string) string {
	if filepath.IsAbs(folder) {
		return folder
	}
	return "./" + filepath.ToSlash(filepath.Clean(folder))
}

// test runs tests of one program without the guard of that number; -1 leaves all guards in.
func (r *run) test(ctx context.Context, folder, program string, names []string, number int, trace string) ([]byte, error) {
	command := exec.CommandContext(ctx, program, "-test.failfast", "-test.timeout", r.timeout.String(), "-test.run", "^("+strings.Join(names, "|")+")$")
	command.Dir = folder
	command.Env = append(os.Environ(), "MUTATE_AWAY="+strconv.Itoa(number), "MUTATE_TRACE="+trace)
	return command.CombinedOutput()
}

// each does something for all numbers below n, a few at a time, and ends at the first error.
func (r *run) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait sync.WaitGroup
	places := make(chan struct{}, r.parallel)
	for i := range n {
		places <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-places }()
			if err := do(ctx, i); err != nil {
				stop(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

func (r *run) trace(ctx context.Context, tests []*probe) error {
	return r.each(ctx, len(tests), func(ctx context.Context, i int) error {
		p, begun := tests[i], time.Now()
		name := filepath.Join(r.dir, strconv.Itoa(i)+".trace")
		if text, err := r.test(ctx, p.folder, p.program, []string{p.name}, -1, name); err != nil {
			return fmt.Errorf("the tests of %s fail as they are: %w\n%s", p.folder, err, text)
		}
		p.took = time.Since(begun)
		text, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("read what a test reaches: %w", err)
		}
		for line := range bytes.Lines(text) {
			p.seen = append(p.seen, strings.TrimSpace(string(line)))
		}
		return nil
	})
}

// spread tells for each guard and statement the tests that reach it; one that uses a statement uses what that is made of.
func (r *run) spread(tests []*probe, uses map[string][]string) {
	for _, p := range tests {
		for _, what := range p.seen {
			r.probes[what] = append(r.probes[what], p)
		}
	}
	for i, g := range r.guards {
		if !g.statement {
			continue
		}
		var all []*probe
		known := map[string]bool{}
		names := []string{filepath.Clean(g.folder) + " " + g.function}
		for len(names) > 0 {
			name := names[0]
			names = names[1:]
			if known[name] {
				continue
			}
			known[name] = true
			all = append(all, r.probes[name]...)
			names = append(names, uses[name]...)
		}
		r.probes[strconv.Itoa(i)] = all
	}
}

func (r *run) tryAll(ctx context.Context) ([]result, error) {
	results := make([]result, len(r.guards))
	var mu sync.Mutex
	err := r.each(ctx, len(r.guards), func(ctx context.Context, i int) error {
		one := r.try(ctx, i)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		mu.Lock()
		defer mu.Unlock()
		results[i] = one
		note := ""
		if !one.reached && one.verdict == survived {
			note = " (no test reaches it)"
		}
		fmt.Fprintf(r.out, "%-8s %5.1fs %s%s\n", one.verdict, one.took.Seconds(), one.guard, note)
		return nil
	})
	return results, err
}

// try shows one mutant to the tests that reach its guard: the fastest few one by one, then the others of each program together. One whose tests do
// not end in time is killed like one whose tests fail.
func (r *run) try(ctx context.Context, number int) result {
	begun := time.Now()
	probes := slices.Clone(r.probes[strconv.Itoa(number)])
	slices.SortStableFunc(probes, func(a, b *probe) int { return int(a.took - b.took) })
	probes = slices.Compact(probes)
	one := result{guard: r.guards[number], verdict: survived, reached: len(probes) > 0}
	for len(probes) > 0 {
		n := 1
		if time.Since(begun) > time.Second {
			n = len(probes)
		}
		if r.fails(ctx, probes[:n], number) {
			one.verdict = killed
			break
		}
		probes = probes[n:]
	}
	if one.guard.hands && !one.reached {
		one.verdict = unseen
	}
	one.took = time.Since(begun)
	return one
}

func (r *run) fails(ctx context.Context, probes []*probe, number int) bool {
	names := map[string][]string{}
	for _, p := range probes {
		names[p.program] = append(names[p.program], p.name)
	}
	for _, p := range probes {
		if names[p.program] == nil {
			continue
		}
		if _, err := r.test(ctx, p.folder, p.program, names[p.program], number, ""); err != nil {
			return true
		}
		names[p.program] = nil
	}
	return false
}

// allowList is the reason of each survivor that is known, by the guard's key.
type allowList map[string]string

// of are the entries about the packages in those folders.
func (l allowList) of(folders []string) allowList {
	some := allowList{}
	for key, reason := range l {
		name, _, _ := strings.Cut(key, "\t")
		if slices.ContainsFunc(folders, func(folder string) bool { return filepath.Clean(folder) == filepath.Dir(filepath.FromSlash(name)) }) {
			some[key] = reason
		}
	}
	return some
}

// readAllowed reads the list: file, function, guard and reason, with tabs between. Empty lines and lines with # are for people.
func readAllowed(name string) (allowList, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return allowList{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of survivors: %w", err)
	}
	list := allowList{}
	for i, line := range strings.Split(string(text), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 4 || strings.TrimSpace(parts[3]) == "" {
			return nil, fmt.Errorf("%s:%d: want file, function, guard and a reason with tabs between", name, i+1)
		}
		list[strings.Join(parts[:3], "\t")] = parts[3]
	}
	return list, nil
}
