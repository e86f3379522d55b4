// Package dbtest gives tests real databases: each test its own, on both engines.
//
// PostgreSQL comes from ROLLCALL_TEST_POSTGRES (a URL whose user may create
// databases); without it the test program starts a private server that ends with it.
// ROLLCALL_TEST_ENGINES=sqlite leaves PostgreSQL out; nothing else does: where it is
// missing tests fail.
package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest/pglocal"
)

const patience = time.Minute

// CollectAt is how far the server lets its heap grow before it is collected, in percent, for benchmarks of what it does. The command
// itself sets it; a test there holds the two together.
const CollectAt = 300

// Each runs a test on both engines, as subtests "sqlite" and "postgres". open opens
// the test's database, migrated; called again after a Close, it opens the same one.
// migrations may be nil. What is open at the end is closed, the database removed.
func Each(t *testing.T, migrations fs.FS, test func(t *testing.T, open func() *db.DB)) {
	t.Helper()
	for _, engine := range Engines(t) {
		t.Run(string(engine), func(t *testing.T) {
			options := Options(t, engine, migrations)
			test(t, func() *db.DB { return open(t, options) })
		})
	}
}

// Engines are those to test: both, or those ROLLCALL_TEST_ENGINES lists.
func Engines(t testing.TB) []db.Engine {
	t.Helper()
	wanted := os.Getenv("ROLLCALL_TEST_ENGINES")
	if wanted == "" {
		return []db.Engine{db.SQLite, db.PostgreSQL}
	}
	var engines []db.Engine
	for name := range strings.SplitSeq(wanted, ",") {
		engine := db.Engine(strings.TrimSpace(name))
		if engine != db.SQLite && engine != db.PostgreSQL {
			t.Fatalf("ROLLCALL_TEST_ENGINES=%q: want a list of sqlite and postgres", wanted)
		}
		engines = append(engines, engine)
	}
	return engines
}

// Open opens a new migrated database, closed and removed at the end of the test.
func Open(t testing.TB, engine db.Engine, migrations fs.FS) *db.DB {
	t.Helper()
	return open(t, Options(t, engine, migrations))
}

// Options says how to open a new migrated database that is removed at the end of the test.
func Options(t testing.TB, engine db.Engine, migrations fs.FS) db.Options {
	t.Helper()
	if engine == db.PostgreSQL {
		return db.Options{URL: newPostgres(t, migrations)}
	}
	o := db.Options{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	if migrations != nil {
		file, err := migratedFile(migrations)
		must(t, err)
		must(t, os.WriteFile(o.Path, file, 0o600))
	}
	return o
}

// migratedFiles are SQLite databases with the migrations already run, by the fingerprint of those: a test copies one.
var migratedFiles = struct {
	sync.Mutex
	of map[string][]byte
}{of: map[string][]byte{}}

func migratedFile(migrations fs.FS) ([]byte, error) {
	sum, err := fingerprint(migrations)
	if err != nil {
		return nil, err
	}
	migratedFiles.Lock()
	defer migratedFiles.Unlock()
	if file, made := migratedFiles.of[sum]; made {
		return file, nil
	}
	dir, err := os.MkdirTemp("", "rollcall-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover of a test
	path := filepath.Join(dir, "rollcall.db")
	if err := migrate(context.Background(), db.Options{Path: path}, migrations); err != nil {
		return nil, err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return nil, fmt.Errorf("%s was closed with %d bytes in its write-ahead log", path, log.Size())
	}
	file, err := os.ReadFile(path)
	if err == nil {
		migratedFiles.of[sum] = file
	}
	return file, err
}

func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Close(); err != nil && !errors.Is(err, db.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func migrate(ctx context.Context, o db.Options, migrations fs.FS) error {
	if migrations == nil {
		return nil
	}
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, migrations); err != nil {
		_ = d.Close() // the first error says more
		return err
	}
	return d.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is process-wide, as the server itself is.
var server = sync.OnceValues(findServer)

type running struct {
	url string
	// hold keeps the private server alive: it ends when this is closed, so it must
	// not be garbage-collected. It is nil for a server that was given.
	hold *os.File
}

func findServer() (running, error) {
	if given := os.Getenv("ROLLCALL_TEST_POSTGRES"); given != "" {
		return running{url: given}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	disk := pglocal.Quick
	if bench := flag.Lookup("test.bench"); bench != nil && bench.Value.String() != "" {
		disk = pglocal.Earnest
	}
	url, hold, err := pglocal.StartForProcess(ctx, disk)
	return running{url, hold}, err
}

var databases atomic.Int64

// newPostgres makes a database and returns its URL.
func newPostgres(t testing.TB, migrations fs.FS) string {
	t.Helper()
	postgres, err := server()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	base := postgres.url
	template, err := migratedTemplate(base, migrations)
	must(t, err)
	name := fmt.Sprintf("rollcall_test_%d_%d", os.Getpid(), databases.Add(1))
	must(t, administer(base, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
		return err
	}))
	t.Cleanup(func() {
		must(t, administer(base, func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			return err
		}))
	})
	must(t, err)
	made, err := withDatabase(base, name)
	must(t, err)
	return made
}

func withDatabase(base, name string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("ROLLCALL_TEST_POSTGRES must be a URL (postgres://…): %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// templateLock serializes the making of templates between test programs that share a server.
const templateLock = 730_114_553

// migratedTemplate names a database with the migrations already run, to be copied:
// that takes a fraction of running them. It is made once per server and set of migrations.
func migratedTemplate(base string, migrations fs.FS) (string, error) {
	if migrations == nil {
		return "template0", nil
	}
	sum, err := fingerprint(migrations)
	if err != nil {
		return "", err
	}
	name := "rollcall_template_" + sum
	return name, administer(base, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
			return err
		}
		var exists bool
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&exists)
		if err != nil || exists {
			return err
		}
		return makeTemplate(ctx, conn, base, name, migrations)
	})
}

// makeTemplate gives the database its name last, so that a half-migrated one is never taken.
func makeTemplate(ctx context.Context, conn *pgx.Conn, base, name string, migrations fs.FS) error {
	making := name + "_new"
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+making+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+making+" TEMPLATE template0"); err != nil {
		return err
	}
	target, err := withDatabase(base, making)
	if err != nil {
		return err
	}
	if err := migrate(ctx, db.Options{URL: target}, migrations); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+making+" RENAME TO "+name)
	return err
}

func fingerprint(migrations fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

func administer(base string, do func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL for tests: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	return do(ctx, conn)
}

// Migrations makes migrations of SQL texts, for tests of packages that bring tables
// of their own: the first text is version 1. They need no goose annotations.
func Migrations(texts ...string) fs.FS {
	files := fstest.MapFS{}
	for i, text := range texts {
		name := fmt.Sprintf("%05d_test.sql", i+1)
		files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text + "\n")}
	}
	return files
}
