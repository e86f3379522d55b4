package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

const (
	busyTimeout = 5 * time.Second
	// closePatience is how long Close waits for readers still at work.
	closePatience = 10 * time.Second
)

type sqliteEngine struct {
	path    string
	lock    *fileLock     // nil when opened for reading only
	writer  *sqliteWriter // the same
	readers chan *sqliteConn
	size    int           // how many readers there are
	gone    chan struct{} // closed by close
	closing chan struct{} // holds the right to close
	log     *slog.Logger
}

func openSQLite(o Options, counts *counters) (*sqliteEngine, error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("db: path %q: %w", o.Path, err)
	}
	var lock *fileLock
	if !o.ReadOnly {
		if lock, err = lockFile(path); err != nil {
			return nil, err
		}
	}
	e := &sqliteEngine{path: path, lock: lock, size: o.Readers, gone: make(chan struct{}), closing: make(chan struct{}, 1), log: o.Logger}
	if e.size <= 0 {
		e.size = 4
	}
	e.readers = make(chan *sqliteConn, e.size)
	if err := e.connect(o, counts); err != nil {
		return nil, errors.Join(fmt.Errorf("db: open %s: %w", path, err), e.abandon())
	}
	return e, nil
}

func (e *sqliteEngine) connect(o Options, counts *counters) error {
	names := newKeyNames()
	dsn := sqliteDSN(e.path, true)
	if o.ReadOnly {
		dsn = sqliteGuestDSN(e.path)
	} else {
		conn, err := dialSQLite(sqliteDSN(e.path, false), names)
		if err != nil {
			return err
		}
		e.writer = startWriter(conn, e.path, o.CommitDelay, counts, o.Logger)
	}
	for range e.size {
		reader, err := dialSQLite(dsn, names)
		if err != nil {
			return err
		}
		e.readers <- reader
	}
	return nil
}

// abandon undoes a half-finished open.
func (e *sqliteEngine) abandon() error {
	var errs []error
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	for len(e.readers) > 0 {
		errs = append(errs, (<-e.readers).close())
	}
	return errors.Join(append(errs, e.lock.release())...)
}

// sqliteDSN sets what must hold on every connection. synchronous=FULL syncs the
// log at each commit: that is what makes an acknowledged write durable. A
// transaction's undo pages stay in memory (temp_store); the log file shrinks back
// to journal_size_limit when it starts over; a misspelt name in double quotes is
// an error, not a string (_dqs).
func sqliteDSN(path string, readOnly bool) string {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)",
		"cache_size(-8192)", "wal_autocheckpoint(2000)",
		fmt.Sprintf("journal_size_limit(%d)", walSoftLimit),
	}
	if readOnly {
		pragmas = append(pragmas, "query_only(1)")
	}
	return sqliteURL(path, url.Values{"_pragma": pragmas})
}

// sqliteGuestDSN reads a file that is another process's. SQLite's own locks keep that safe: readers of a write-ahead log never
// see half a commit. A connection opened with mode=ro never makes a file and never writes the log home.
func sqliteGuestDSN(path string) string {
	return sqliteURL(path, url.Values{"mode": {"ro"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "query_only(1)", "temp_store(MEMORY)", "cache_size(-8192)",
	}})
}

func sqliteURL(path string, values url.Values) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	values.Set("_dqs", "0")
	u.RawQuery = values.Encode()
	return u.String()
}

func (e *sqliteEngine) acquire(ctx context.Context) (*sqliteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-e.gone:
		return nil, ErrClosed
	default:
	}
	select {
	case c := <-e.readers:
		return c, nil
	default:
	}
	select {
	case c := <-e.readers:
		return c, nil
	case <-e.gone:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *sqliteEngine) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	rows, err := e.query(ctx, sql, args)
	if err != nil {
		return nil, err // not rows: a nil pointer in an interface is not nil
	}
	return rows, nil
}

func (e *sqliteEngine) query(ctx context.Context, sql string, args []any) (*sqliteRows, error) {
	canonical, err := canonArgs(sql, args)
	if err != nil {
		return nil, err
	}
	conn, err := e.acquire(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.query(ctx, sql, namedValues(canonical))
	if err != nil {
		e.readers <- conn
		return nil, err
	}
	rows.done = func() { e.readers <- conn }
	return rows, nil
}

func (e *sqliteEngine) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return rowFunc(func() (Rows, error) { return e.Query(ctx, sql, args...) })
}

func (e *sqliteEngine) snapshot(ctx context.Context, fn func(Reader) error) error {
	return e.reading(ctx, func(s *sqliteSession) error { return fn(s) })
}

// snapshotAfter: the first query of the session fixes what all of them see, so prepare and read need no hand-over. The connection
// refuses writes.
func (e *sqliteEngine) snapshotAfter(ctx context.Context, prepare func(Tx) error, read func(Reader) error) error {
	return e.reading(ctx, func(s *sqliteSession) error {
		if err := prepare(s); err != nil {
			return err
		}
		for _, hook := range s.hooks {
			hook()
		}
		return read(s)
	})
}

// reading runs fn in a transaction that only reads.
func (e *sqliteEngine) reading(ctx context.Context, fn func(*sqliteSession) error) (err error) {
	conn, err := e.acquire(ctx)
	if err != nil {
		return err
	}
	session := &sqliteSession{conn: conn}
	defer func() {
		session.end()
		_, failed := conn.exec("ROLLBACK", nil)
		e.readers <- conn
		err = errors.Join(err, failed)
	}()
	if _, err := conn.exec("BEGIN", nil); err != nil {
		return err
	}
	return fn(session)
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	var one int64
	if err := e.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return err
	}
	if e.writer == nil {
		return nil
	}
	return e.tx(ctx, func(Tx) error { return nil })
}

func (e *sqliteEngine) write(ctx context.Context, w *Write) error {
	if e.writer == nil {
		return ErrReadOnly
	}
	if w.Before != nil {
		if err := w.Before(); err != nil {
			return err
		}
	}
	return e.writer.write(ctx, w)
}

func (e *sqliteEngine) tx(ctx context.Context, fn func(Tx) error) error {
	if e.writer == nil {
		return ErrReadOnly
	}
	return e.writer.tx(ctx, fn)
}

func (e *sqliteEngine) migrate(ctx context.Context, migrations fs.FS, to int64) (err error) {
	if e.writer == nil {
		return ErrReadOnly
	}
	pool, err := e.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return runMigrations(ctx, SQLite, pool, migrations, to)
}

// open gives goose its own connection: migrations run rarely and goose speaks database/sql.
func (e *sqliteEngine) open() (*sql.DB, error) {
	pool, err := sql.Open("sqlite", sqliteDSN(e.path, false))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	return pool, nil
}

func (e *sqliteEngine) close() error {
	select {
	case e.closing <- struct{}{}:
	default:
		return ErrClosed
	}
	var errs []error
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	close(e.gone)
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	for closed := range e.size {
		select {
		case conn := <-e.readers:
			errs = append(errs, conn.close())
		case <-patience.C:
			errs = append(errs, fmt.Errorf("db: %d readers still open (Rows not closed?)", e.size-closed))
			return errors.Join(append(errs, e.lock.release())...)
		}
	}
	return errors.Join(append(errs, e.lock.release())...)
}

// sqliteSession is a Reader, and for a transaction a Tx, on one connection.
type sqliteSession struct {
	conn   *sqliteConn
	ended  bool
	failed bool
	open   *sqliteRows // of the last query
	hooks  []func()
}

func (s *sqliteSession) ready(ctx context.Context) error {
	switch {
	case s.ended:
		return errTxEnded
	case s.failed:
		return ErrTxFailed
	case s.open != nil && !s.open.closed:
		return errRowsOpen
	}
	return ctx.Err()
}

func (s *sqliteSession) prepare(ctx context.Context, sql string, args []any) ([]driver.NamedValue, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	canonical, err := canonArgs(sql, args)
	if err != nil {
		return nil, err
	}
	return namedValues(canonical), nil
}

func (s *sqliteSession) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	values, err := s.prepare(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := s.conn.query(ctx, sql, values)
	if err != nil {
		s.failed = true
		return nil, err
	}
	s.open = rows
	rows.done = func() {
		if rows.err != nil {
			s.failed = true
		}
	}
	return rows, nil
}

func (s *sqliteSession) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return rowFunc(func() (Rows, error) { return s.Query(ctx, sql, args...) })
}

func (s *sqliteSession) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	values, err := s.prepare(ctx, sql, args)
	if err != nil {
		return 0, err
	}
	n, err := s.conn.exec(sql, values)
	if err != nil {
		s.failed = true
	}
	return n, err
}

func (s *sqliteSession) OnCommit(f func()) { s.hooks = append(s.hooks, f) }

// end closes what the function forgot: a savepoint cannot be undone under open rows.
func (s *sqliteSession) end() {
	s.ended = true
	if s.open != nil {
		s.open.Close()
	}
}
