// Package e2e runs stories against the built program, as a stranger meets it: a process with flags, variables, signals and an
// address. Nothing here reaches inside; where a store is involved a story runs on both engines.
package e2e_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is the binary under test, built once for all stories and with the race detector when they run with it.
var program string

// noteSources lets the test cache know what the program is made of: it notices the files that a test looks at once it runs, not
// those that the go command reads. Without it a changed program would pass by what an older one did.
var noteSources = sync.OnceValue(func() error {
	look := func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			_, err = os.Stat(path)
		}
		if errors.Is(err, fs.ErrNotExist) { // an editor's or a test's, and gone again
			return nil
		}
		return err
	}
	var errs []error
	for _, root := range []string{"cmd", "internal", "go.mod", "go.sum"} {
		errs = append(errs, filepath.WalkDir(filepath.Join("..", root), look))
	}
	return errors.Join(errs...)
})

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is in the temporary folder
	program = filepath.Join(dir, "rollcall")
	if err := build(program); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: build the program:", err)
		return 1
	}
	return m.Run()
}

func build(to string) error {
	args := []string{"build", "-o", to}
	cgo := "CGO_ENABLED=0" // as it is released
	if underRace {
		args = append(args, "-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-gcflags=modernc.org/libc/...=-race=false") // as .ci/test
		cgo = "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "github.com/rollcallhq/rollcall/cmd/rollcall")...)
	cmd.Env = append(os.Environ(), cgo)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
