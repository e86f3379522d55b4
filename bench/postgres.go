package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a PostgreSQL server: a private one that lives as long as the
// benchmark, or somebody's, in which only databases made here are touched.
type postgres struct {
	admin string   // URL of a database that is always there
	proc  *process // nil when the server is not ours
	made  []string
}

func connectPostgres(ctx context.Context, adminURL string) (*postgres, error) {
	if _, err := url.Parse(adminURL); err != nil {
		return nil, fmt.Errorf("-postgres-url: %w", err)
	}
	p := &postgres{admin: adminURL}
	return p, p.withAdmin(ctx, func(c *pgx.Conn) error { return c.Ping(ctx) })
}

// startPostgres makes a cluster in a new directory below the system's temporary
// one, since the user postgres must be able to reach it, and starts a server
// that listens on the loopback only. Settings are PostgreSQL's own (fsync and
// synchronous_commit on) but for 512 MB of shared buffers.
func startPostgres(ctx context.Context, ps *processes) (*postgres, func() error, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "rollcall-bench-postgres-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	owner, err := postgresOwner(dir)
	if err != nil {
		return nil, remove, err
	}
	secret := rand.Text()
	if err := initCluster(ctx, bin, dir, secret, owner); err != nil {
		return nil, remove, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, remove, err
	}
	p, err := runPostgres(ctx, ps, bin, dir, addr, secret, owner)
	return p, remove, err
}

func runPostgres(ctx context.Context, ps *processes, bin, dir, addr, secret string, owner func(*exec.Cmd)) (*postgres, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	proc, err := ps.start("postgres", syscall.SIGINT, []string{"LC_ALL=C"}, owner, filepath.Join(bin, "postgres"),
		"-D", filepath.Join(dir, "data"), "-c", "listen_addresses="+host, "-c", "port="+port,
		"-c", "unix_socket_directories=", "-c", "shared_buffers=512MB", "-c", "max_connections=200")
	if err != nil {
		return nil, err
	}
	p := &postgres{admin: "postgres://postgres:" + secret + "@" + addr + "/postgres?sslmode=disable", proc: proc}
	for deadline := time.Now().Add(startPatience); ; {
		err := p.withAdmin(ctx, func(c *pgx.Conn) error { return c.Ping(ctx) })
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil || !proc.alive() || time.Now().After(deadline) {
			return nil, fmt.Errorf("private PostgreSQL server: %w: %s", err, proc.stderr)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// rest has a private server write down what it holds: what waits for a disk that is still busy with what was done before says nothing.
func (p *postgres) rest(ctx context.Context) error {
	if p == nil || p.proc == nil {
		return nil
	}
	return p.withAdmin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "CHECKPOINT")
		return err
	})
}

// postgresBinaries prefers the newest installed version.
func postgresBinaries() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(dirs, func(a, b string) int { return postgresVersion(b) - postgresVersion(a) })
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	return "", errors.New("no PostgreSQL server found: install the package postgresql, or give -postgres-url, or leave it out with -engine sqlite")
}

func postgresVersion(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // another name sorts last
	return n
}

// postgresOwner gives dir to the user postgres when we are root, and says how
// to run a program as that user.
func postgresOwner(dir string) (func(*exec.Cmd), error) {
	if os.Geteuid() != 0 {
		return func(*exec.Cmd) {}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return func(cmd *exec.Cmd) {
		cmd.Dir = dir
		runAs(cmd, uint32(uid), uint32(gid))
	}, nil
}

func initCluster(ctx context.Context, bin, dir, secret string, owner func(*exec.Cmd)) error {
	// The file is readable by all, in a directory that only its owner can enter.
	secretFile := filepath.Join(dir, "secret")
	if err := os.WriteFile(secretFile, []byte(secret+"\n"), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-U", "postgres", "-A", "scram-sha-256", "--pwfile="+secretFile, "-E", "UTF8", "--no-locale")
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	isolate(cmd)
	owner(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (p *postgres) withAdmin(ctx context.Context, use func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, p.admin)
	if err != nil {
		return err
	}
	return errors.Join(use(c), c.Close(context.WithoutCancel(ctx)))
}

// newDatabase makes an empty database and returns its URL.
func (p *postgres) newDatabase(ctx context.Context, purpose string) (string, error) {
	name := "rollcall_bench_" + purpose + "_" + strings.ToLower(rand.Text()[:10])
	err := p.withAdmin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	p.made = append(p.made, name)
	u, err := url.Parse(p.admin)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// dropDatabases removes what newDatabase made.
func (p *postgres) dropDatabases(ctx context.Context) error {
	made := p.made
	p.made = nil
	return p.withAdmin(ctx, func(c *pgx.Conn) error {
		var errs []error
		for _, name := range made {
			_, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// pids are the processes whose CPU belongs to a request, if we may see them.
func (p *postgres) pids() []int {
	if p == nil || p.proc == nil {
		return nil
	}
	return []int{p.proc.pid()}
}
