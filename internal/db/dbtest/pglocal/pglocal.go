//go:build unix

// Package pglocal runs a private PostgreSQL server for tests, reachable through a
// Unix socket only. A server never outlives its purpose: one made by [StartForProcess]
// ends with the process, however that dies; one made by [Start] is ended by [Stop].
package pglocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNotInstalled says what is missing and how to get it.
var ErrNotInstalled = errors.New("PostgreSQL's server programs (initdb, postgres) are neither in PATH nor in /usr/lib/postgresql/*/bin: install the package postgresql (Debian, Ubuntu), postgresql-server (Fedora) or postgresql (Homebrew), or set ROLLCALL_TEST_POSTGRES to the URL of a server where databases may be created, or test SQLite alone with ROLLCALL_TEST_ENGINES=sqlite")

const startPatience = 30 * time.Second

// settings make many small databases cheap.
func settings(disk Disk) []string {
	s := []string{
		"listen_addresses=", "max_connections=300", "shared_buffers=64MB", "max_wal_size=1GB",
		"log_min_messages=fatal", "autovacuum_naptime=30s",
	}
	if disk == Quick {
		s = append(s, "fsync=off", "full_page_writes=off")
	}
	return s
}

// Programs returns the folder with PostgreSQL's server programs, the newest if there are several.
func Programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	slices.SortFunc(found, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // 9.6 before 15
		}
		return strings.Compare(a, b)
	})
	return filepath.Dir(found[len(found)-1]), nil
}

// home makes the folder for servers: private to the account that runs them.
func home() (string, error) {
	account, err := serverAccount()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("rollcall-postgres-%d", account.uid))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder", dir)
	}
	if err := account.own(dir); err != nil {
		return "", fmt.Errorf("folder for PostgreSQL: %w", err)
	}
	return dir, nil
}

// run runs a program as the server's account.
func run(ctx context.Context, program string, args ...string) error {
	account, err := serverAccount()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// newCluster makes dir/data. initdb -N leaves the syncing out: nothing is in it yet.
func newCluster(ctx context.Context, bin, dir string) error {
	return run(ctx, filepath.Join(bin, "initdb"), "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", filepath.Join(dir, "data"))
}

func newFolder() (bin, dir string, err error) {
	if bin, err = Programs(); err != nil {
		return "", "", err
	}
	base, err := home()
	if err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp(base, "run"); err != nil {
		return "", "", err
	}
	account, err := serverAccount()
	if err != nil {
		return "", "", err
	}
	return bin, dir, account.own(dir)
}

func serverURL(dir string) string {
	return "postgres:///postgres?user=postgres&host=" + dir
}

func options(dir string, disk Disk) []string {
	args := []string{"-D", filepath.Join(dir, "data"), "-k", dir}
	for _, s := range settings(disk) {
		args = append(args, "-c", s)
	}
	return args
}

// StartForProcess starts a server that ends, and whose folder goes, when this
// process is gone or hold is closed: a shell keeps an eye on a pipe that only this
// process holds open, which works even after a kill -9.
func StartForProcess(ctx context.Context, disk Disk) (url string, hold *os.File, err error) {
	bin, dir, err := newFolder()
	if err != nil {
		return "", nil, err
	}
	if err := newCluster(ctx, bin, dir); err != nil {
		return "", nil, err
	}
	const script = `trap '' INT TERM HUP QUIT
dir=$1; shift
"$@" >"$dir/log" 2>&1 </dev/null &
server=$!
read gone
kill -QUIT "$server"; wait "$server"
rm -rf "$dir"`
	args := append([]string{"-c", script, "sh", dir, filepath.Join(bin, "postgres")}, options(dir, disk)...)
	cmd := exec.Command("sh", args...)
	cmd.Dir = "/"
	account, err := serverAccount()
	if err != nil {
		return "", nil, err
	}
	account.apply(cmd)
	apart(cmd)
	read, write, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stdin = read
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(err, read.Close(), write.Close())
	}
	go func() { _ = cmd.Wait() }() // reaps it if it ends before this process
	if err := errors.Join(read.Close(), await(ctx, dir)); err != nil {
		return "", nil, errors.Join(err, write.Close())
	}
	return serverURL(dir), write, nil
}

// Start starts a server that stays until [Stop] is called with its folder.
func Start(ctx context.Context, disk Disk) (url, dir string, err error) {
	bin, dir, err := newFolder()
	if err != nil {
		return "", "", err
	}
	if err := newCluster(ctx, bin, dir); err != nil {
		return "", "", err
	}
	var quoted []string
	for _, o := range options(dir, disk)[2:] {
		quoted = append(quoted, "'"+o+"'")
	}
	err = run(ctx, filepath.Join(bin, "pg_ctl"), "start", "-w", "-s", "-D", filepath.Join(dir, "data"),
		"-l", filepath.Join(dir, "log"), "-o", strings.Join(quoted, " "))
	if err != nil {
		return "", "", err
	}
	return serverURL(dir), dir, nil
}

// Stop ends the server in a folder [Start] returned and removes the folder.
func Stop(ctx context.Context, dir string) error {
	base, err := home()
	if err != nil {
		return err
	}
	if filepath.Dir(filepath.Clean(dir)) != base {
		return fmt.Errorf("%s is not a server's folder: those are in %s", dir, base)
	}
	bin, err := Programs()
	if err != nil {
		return err
	}
	err = run(ctx, filepath.Join(bin, "pg_ctl"), "stop", "-w", "-s", "-m", "immediate", "-D", filepath.Join(dir, "data"))
	return errors.Join(err, os.RemoveAll(dir))
}

func await(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, serverURL(dir))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(dir, "log")) // only decorates the error
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, log)
		}
	}
}
