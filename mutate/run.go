package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
)

type result struct {
	guard   *guard
	verdict verdict
	took    time.Duration
}

// build makes one test program for each package, with a switch at every guard. The sources stay as they are: the go command gets the
// instrumented files as an overlay.
func build(ctx context.Context, guards []*guard, dir string) (map[string]string, error) {
	byFile, folders := map[string]map[int]*guard{}, map[string]string{}
	for i, g := range guards {
		if byFile[g.file] == nil {
			byFile[g.file] = map[int]*guard{}
		}
		byFile[g.file][i] = g
		folders[g.folder] = ""
	}
	overlay, err := write(byFile, folders, dir)
	if err != nil {
		return nil, err
	}
	for folder := range folders {
		program := filepath.Join(dir, strings.ReplaceAll(filepath.ToSlash(filepath.Clean(folder)), "/", "_")+".test")
		command := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, packagePath(folder))
		if out, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the tests of %s: %w\n%s", folder, err, out)
		}
		folders[folder] = program
	}
	return folders, nil
}

func packagePath(folder string) string {
	if filepath.IsAbs(folder) {
		return folder
	}
	return "./" + filepath.ToSlash(filepath.Clean(folder))
}

// write makes the instrumented files and the overlay that puts them in the places of the true ones.
func write(byFile map[string]map[int]*guard, folders map[string]string, dir string) (overlay string, err error) {
	replace := map[string]string{}
	add := func(name string, text []byte) error {
		whole, err := filepath.Abs(name)
		if err != nil {
			return fmt.Errorf("find a source: %w", err)
		}
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		replace[whole] = changed
		return os.WriteFile(changed, text, 0o600)
	}
	for name, guards := range byFile {
		source, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read a source: %w", err)
		}
		if err := add(name, instrumented(source, guards)); err != nil {
			return "", err
		}
	}
	for folder := range folders {
		name, err := packageName(byFile, folder)
		if err != nil {
			return "", err
		}
		if err := add(filepath.Join(folder, "mutate_switches.go"), fmt.Appendf(nil, switches, name)); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("write an overlay: %w", err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

func packageName(byFile map[string]map[int]*guard, folder string) (string, error) {
	for name, guards := range byFile {
		for _, g := range guards {
			if g.folder == folder {
				f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly)
				if err != nil {
					return "", fmt.Errorf("parse a source: %w", err)
				}
				return f.Name.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no guards in %s", folder)
}

// test runs a package's tests without the guard of that number; -1 leaves all guards in.
func test(ctx context.Context, o options, program, folder string, number int) ([]byte, error) {
	command := exec.CommandContext(ctx, program, "-test.failfast", "-test.timeout", o.timeout.String(), "-test.run", o.run, "-test.skip", o.skip)
	command.Dir = folder
	command.Env = append(os.Environ(), "MUTATE_AWAY="+strconv.Itoa(number))
	return command.CombinedOutput()
}

// runAll tries every mutant and tells each verdict as it comes. Tests that fail with all guards in would kill every mutant, so they are
// asked first.
func runAll(ctx context.Context, o options, guards []*guard, out io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, fmt.Errorf("make room for mutants: %w", err)
	}
	defer os.RemoveAll(dir)
	programs, err := build(ctx, guards, dir)
	if err != nil {
		return nil, err
	}
	for folder, program := range programs {
		if text, err := test(ctx, o, program, folder, -1); err != nil {
			return nil, fmt.Errorf("the tests of %s fail as they are: %w\n%s", folder, err, text)
		}
	}
	results := make([]result, len(guards))
	var mu sync.Mutex
	var wait sync.WaitGroup
	places := make(chan struct{}, o.parallel)
	for i, g := range guards {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if ctx.Err() != nil {
				return
			}
			r := try(ctx, o, programs[g.folder], g, i)
			mu.Lock()
			defer mu.Unlock()
			results[i] = r
			fmt.Fprintf(out, "%-8s %5.1fs %s\n", r.verdict, r.took.Seconds(), g)
		})
	}
	wait.Wait()
	return results, ctx.Err()
}

// try tests one mutant. One whose tests do not end in time is killed like one whose tests fail.
func try(ctx context.Context, o options, program string, g *guard, number int) result {
	begun := time.Now()
	r := result{guard: g, verdict: killed}
	if _, err := test(ctx, o, program, g.folder, number); err == nil {
		r.verdict = survived
	}
	r.took = time.Since(begun)
	return r
}

// allowList is the reason of each survivor that is known, by the guard's key.
type allowList map[string]string

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
