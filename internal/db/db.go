package db

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"
)

// Engine names a database engine.
type Engine string

// The engines there are.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// Options say which database to open. Exactly one of Path and URL is set.
type Options struct {
	// Path of the SQLite file; its folder exists. "<Path>.lock" is made beside it.
	Path string
	// URL of a PostgreSQL database, as pgx takes it.
	URL string
	// ReadOnly opens an existing SQLite file beside the process that owns it: for reading alone, without the lock. Write and Tx
	// return [ErrReadOnly]. PostgreSQL needs no such thing and ignores it.
	ReadOnly bool
	// Readers is the number of SQLite read connections; 4 if 0. A call that holds
	// a reader (open Rows, a Snapshot) and asks for another can wait for itself.
	Readers int
	// MaxConns bounds the PostgreSQL pool; 16 if 0.
	MaxConns int
	// CommitDelay is for tests and benchmarks: the SQLite writer sleeps so long at
	// every group commit, as the fsync of a slow disk would take.
	CommitDelay time.Duration
	// Logger gets what no caller can be told; slog.Default if nil.
	Logger *slog.Logger
}

// Row is the answer of a query that wants one row.
type Row interface {
	// Scan copies the columns. It returns [ErrNoRows] when there is no row.
	// Destinations: *string, *[]byte, *int64, *int, *bool, pointers to those
	// pointers (NULL gives nil), *any, sql.Null…, and named types of them.
	Scan(dest ...any) error
}

// Rows are read as those of database/sql are. Close is harmless when repeated.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Reader runs queries.
type Reader interface {
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) Row
}

// Tx is a running transaction; it ends with the function it was given to and is
// not safe for concurrent use.
type Tx interface {
	Reader
	Exec(ctx context.Context, sql string, args ...any) (rowsAffected int64, err error)
	// OnCommit has f called once, after the commit, before [DB.Tx] returns.
	OnCommit(f func())
}

// Stats are counters since Open.
type Stats struct {
	Writes       int64 // calls of Write and Tx that were committed
	Failed       int64 // calls of Write and Tx that were undone
	GuardsLost   int64 // of those, by a guard
	Commits      int64 // commits; fewer than Writes when they share one
	LargestGroup int64 // most writes that shared one commit
	Regrouped    int64 // groups undone and applied again one by one
	Retries      int64 // transactions repeated after a serialization failure or deadlock (PostgreSQL)
	Unknown      int64 // commits whose outcome is unknown (PostgreSQL)
	Checkpoints  int64 // checkpoints asked for beside SQLite's own
	WALBytes     int64 // size of the write-ahead log when last looked at (SQLite)
	Queued       int64 // writes waiting now
}

type engine interface {
	Reader
	ping(ctx context.Context) error
	snapshot(ctx context.Context, fn func(Reader) error) error
	snapshotAfter(ctx context.Context, prepare func(Tx) error, read func(Reader) error) error
	write(ctx context.Context, w *Write) error
	tx(ctx context.Context, fn func(Tx) error) error
	migrate(ctx context.Context, migrations fs.FS, to int64) error
	load(ctx context.Context, fn func(load) error) error
	close() error
}

type counters struct {
	writes, failed, guardsLost, commits, largestGroup, regrouped, retries, unknown, checkpoints, walBytes, queued atomic.Int64
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	kind   Engine
	engine engine
	counts *counters
}

// Open opens the database and checks that it answers. It does not migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	if (o.Path == "") == (o.URL == "") {
		return nil, errors.New("db: give exactly one of an SQLite path and a PostgreSQL URL")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	d := &DB{kind: SQLite, counts: &counters{}}
	var err error
	if o.Path != "" {
		d.engine, err = openSQLite(o, d.counts)
	} else {
		d.kind = PostgreSQL
		d.engine, err = openPostgres(ctx, o, d.counts)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Close lets queued writes finish, waits for readers a moment and closes.
func (d *DB) Close() error { return d.engine.close() }

// Engine tells which engine is underneath; above this package only metrics and diagnosis need it.
func (d *DB) Engine() Engine { return d.kind }

// Ping checks that the database answers and, on SQLite, that the writer is alive.
func (d *DB) Ping(ctx context.Context) error { return d.engine.ping(ctx) }

// Migrate brings the schema up to the newest of the migrations, under a lock: of
// several processes that start at once one does the work, the others wait. It
// returns a *[NewerSchemaError] when the database is ahead.
func (d *DB) Migrate(ctx context.Context, migrations fs.FS) error {
	return d.engine.migrate(ctx, migrations, newestMigration)
}

// SchemaVersion is the number of the newest migration applied; 0 before the first.
func (d *DB) SchemaVersion(ctx context.Context) (int64, error) {
	return schemaVersion(ctx, d.kind, d.engine)
}

// Query reads outside any write. The Rows must be closed: until then they hold a connection.
func (d *DB) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	return d.engine.Query(ctx, sql, args...)
}

// QueryRow reads one row outside any write. Scan must be called.
func (d *DB) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return d.engine.QueryRow(ctx, sql, args...)
}

// Snapshot gives fn a reader whose queries all see the database as of one moment.
func (d *DB) Snapshot(ctx context.Context, fn func(Reader) error) error {
	return d.engine.snapshot(ctx, fn)
}

// SnapshotAfter runs prepare and then read, both seeing the database as of one and the same moment, which is that of prepare's
// first query. On PostgreSQL prepare may write: it is a transaction of its own that is committed before read begins, may run more than
// once, and may begin with LOCK TABLE, which comes before the moment; read does not see what it wrote. On SQLite, whose one
// writer leaves nothing to prepare, it can only read. The moment lasts until read returns and holds a connection: bound it.
func (d *DB) SnapshotAfter(ctx context.Context, prepare func(Tx) error, read func(Reader) error) error {
	return d.engine.snapshotAfter(ctx, prepare, read)
}

// Write applies w, all or nothing; it is durable when nil is returned. A ctx that
// ends while the write is still queued drops it; once begun it completes. Besides
// context errors it returns *[GuardError], *[UniqueError], [ErrForeignKey],
// *[ArgumentError], *[UnknownOutcomeError] or the engine's error. An empty w is
// no transaction.
func (d *DB) Write(ctx context.Context, w *Write) error {
	if w.err != nil {
		return w.err
	}
	if len(w.statements) == 0 {
		return nil
	}
	return d.count(d.engine.write(ctx, w))
}

// Tx runs fn in a transaction: committed when fn returns nil, undone when it
// returns an error, panics or exits. fn may run more than once, so what it does
// outside the database belongs in [Tx.OnCommit]. On SQLite every other write waits
// for fn, and fn must not call Write or Tx of the same DB: it would wait for itself.
func (d *DB) Tx(ctx context.Context, fn func(Tx) error) error {
	return d.count(d.engine.tx(ctx, fn))
}

func (d *DB) count(err error) error {
	if err == nil {
		d.counts.writes.Add(1)
		return nil
	}
	d.counts.failed.Add(1)
	var lost *GuardError
	if errors.As(err, &lost) {
		d.counts.guardsLost.Add(1)
	}
	var unknown *UnknownOutcomeError
	if errors.As(err, &unknown) {
		d.counts.unknown.Add(1)
	}
	return err
}

// Stats returns the counters.
func (d *DB) Stats() Stats {
	c := d.counts
	return Stats{
		Writes: c.writes.Load(), Failed: c.failed.Load(), GuardsLost: c.guardsLost.Load(),
		Commits: c.commits.Load(), LargestGroup: c.largestGroup.Load(), Regrouped: c.regrouped.Load(),
		Retries: c.retries.Load(), Unknown: c.unknown.Load(), Checkpoints: c.checkpoints.Load(),
		WALBytes: c.walBytes.Load(), Queued: c.queued.Load(),
	}
}

// ForUpdate is the suffix that locks the rows of a SELECT against any change.
func (d *DB) ForUpdate() string { return d.suffix(" FOR UPDATE") }

// ForShare is the suffix that locks the rows of a SELECT against change, not against other ForShare.
func (d *DB) ForShare() string { return d.suffix(" FOR SHARE") }

// SkipLocked is the suffix that locks rows and passes over those locked by others.
func (d *DB) SkipLocked() string { return d.suffix(" FOR UPDATE SKIP LOCKED") }

// Among is the condition that a column's value is one of a List, which is one argument: the statement is the same however many there are, and
// is planned once.
func (d *DB) Among(column, argument string) string {
	if d.kind == SQLite {
		return column + " IN (SELECT value FROM json_each(" + argument + "))"
	}
	return column + " = ANY (ARRAY(SELECT json_array_elements_text(CAST(" + argument + " AS json))))"
}

// List is a list of texts as an argument for Among.
func List(values []string) string {
	if values == nil { // null is no list
		values = []string{}
	}
	out, err := json.Marshal(values)
	if err != nil { // a list of texts has no value that JSON cannot say
		panic(err)
	}
	return string(out)
}

func (d *DB) suffix(s string) string {
	if d.kind == SQLite {
		return ""
	}
	return s
}
