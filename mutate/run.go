package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	unbuilt  verdict = "does not build"
)

type result struct {
	guard   *guard
	verdict verdict
	took    time.Duration
}

// baseline: tests that fail without any change would kill every mutant.
func baseline(ctx context.Context, o options) error {
	for _, folder := range o.packages {
		if out, err := test(ctx, o, folder); err != nil {
			return fmt.Errorf("the tests of %s fail as they are: %w\n%s", folder, err, out)
		}
	}
	return nil
}

func test(ctx context.Context, o options, folder string, more ...string) ([]byte, error) {
	args := append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout", o.timeout.String(), "-run", o.run}, more...)
	if !filepath.IsAbs(folder) {
		folder = "./" + filepath.ToSlash(filepath.Clean(folder))
	}
	command := exec.CommandContext(ctx, "go", append(args, folder)...)
	return command.CombinedOutput()
}

// runAll tries every mutant and tells each verdict as it comes.
func runAll(ctx context.Context, o options, guards []*guard, out io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, fmt.Errorf("make room for mutants: %w", err)
	}
	defer os.RemoveAll(dir)
	results := make([]result, len(guards))
	failures := make([]error, len(guards))
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
			results[i], failures[i] = try(ctx, o, g, filepath.Join(dir, fmt.Sprint(i)))
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "%-14s %5.1fs %s\n", results[i].verdict, results[i].took.Seconds(), g)
		})
	}
	wait.Wait()
	return results, errors.Join(append(failures, ctx.Err())...)
}

// try tests one mutant.
func try(ctx context.Context, o options, g *guard, dir string) (result, error) {
	begun := time.Now()
	overlay, err := write(g, dir)
	if err != nil {
		return result{guard: g}, err
	}
	text, err := test(ctx, o, g.folder, "-overlay", overlay)
	r := result{guard: g, took: time.Since(begun)}
	switch {
	case err == nil:
		r.verdict = survived
	case bytes.Contains(text, []byte("[build failed]")) || bytes.Contains(text, []byte("[setup failed]")):
		r.verdict = unbuilt
	default:
		r.verdict = killed
	}
	return r, nil
}

// write makes the changed file and the overlay that puts it in the place of the true one.
func write(g *guard, dir string) (overlay string, err error) {
	source, err := os.ReadFile(g.file)
	if err != nil {
		return "", fmt.Errorf("read a source: %w", err)
	}
	whole, err := filepath.Abs(g.file)
	if err != nil {
		return "", fmt.Errorf("find a source: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make room for a mutant: %w", err)
	}
	mutant := filepath.Join(dir, filepath.Base(g.file))
	if err := os.WriteFile(mutant, g.mutant(source), 0o600); err != nil {
		return "", fmt.Errorf("write a mutant: %w", err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {whole: mutant}})
	if err != nil {
		return "", fmt.Errorf("write an overlay: %w", err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return "", fmt.Errorf("write an overlay: %w", err)
	}
	return overlay, nil
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
