package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// PostgreSQL's error codes that are told apart
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	stateRestrict      = "23001"
	stateForeignKey    = "23503"
	stateUnique        = "23505"
	stateDivision      = "22012"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateShutdown      = "57P01"
	stateCrash         = "57P02"
	stateStarting      = "57P03"
)

const (
	// attempts bounds how often a transaction is tried.
	attempts = 8
	// begunTimeout bounds what can no longer be cancelled: a write that was sent, a commit.
	begunTimeout = time.Minute
)

type pgEngine struct {
	pool     *pgxpool.Pool
	config   *pgxpool.Config
	counts   *counters
	texts    *guardTexts
	inserts  inserts
	lanes    lanes
	taking   chan struct{} // holds the right to take a snapshot after something
	closed   atomic.Bool
	clearing clearing
}

func openPostgres(ctx context.Context, o Options, counts *counters) (*pgEngine, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("db: PostgreSQL URL: %w", err)
	}
	config.MaxConns = int32(o.MaxConns)
	if o.MaxConns <= 0 {
		config.MaxConns = 16
	}
	config.AfterConnect = settle
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("db: open PostgreSQL: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("db: reach PostgreSQL: %w", err)
	}
	return &pgEngine{
		pool: pool, config: config, counts: counts, texts: newGuardTexts(), lanes: lanes{busy: map[string][]*shared{}}, taking: make(chan struct{}, 1),
		clearing: clearing{rests: map[string]time.Time{}},
	}, nil
}

// settle makes a connection keep the promises of this package whatever the
// server's defaults are: an acknowledged commit is on disk (a stricter
// synchronous_commit stays), and guards mean what they mean under READ COMMITTED.
func settle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT
		set_config('default_transaction_isolation', 'read committed', false),
		set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`)
	return err
}

func (e *pgEngine) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	canonical, err := canonArgs(sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := e.pool.Query(ctx, sql, canonical...)
	if err != nil {
		return nil, pgError(err)
	}
	return &pgRows{rows: rows}, nil
}

func (e *pgEngine) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return rowFunc(func() (Rows, error) { return e.Query(ctx, sql, args...) })
}

func (e *pgEngine) ping(ctx context.Context) error { return pgError(e.pool.Ping(ctx)) }

func (e *pgEngine) close() error {
	if e.closed.Swap(true) {
		return ErrClosed
	}
	e.pool.Close()
	return nil
}

func (e *pgEngine) snapshot(ctx context.Context, fn func(Reader) error) error {
	return e.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(s *pgSession) error { return fn(s) })
}

func (e *pgEngine) tx(ctx context.Context, fn func(Tx) error) error {
	var err error
	for attempt := range attempts {
		if err = pause(ctx, attempt); err != nil {
			return err
		}
		var session *pgSession
		err = e.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(s *pgSession) error {
			session = s
			return fn(s)
		})
		if err == nil {
			e.counts.commits.Add(1)
			for _, hook := range session.hooks {
				hook()
			}
			return nil
		}
		if !repeatable(err) && (session == nil || !repeatable(session.failure)) {
			return err
		}
		e.counts.retries.Add(1)
	}
	return err
}

// transact runs fn once between BEGIN and COMMIT.
func (e *pgEngine) transact(ctx context.Context, options pgx.TxOptions, fn func(*pgSession) error) error {
	tx, err := e.pool.BeginTx(ctx, options)
	if err != nil {
		return pgError(err)
	}
	// Also after a panic or an exit in fn; after a commit it does nothing.
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), begunTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // a connection that cannot roll back is closed, which undoes as well
	}()
	session := &pgSession{tx: tx}
	err = fn(session)
	session.end()
	if err == nil && session.failure != nil {
		err = fmt.Errorf("%w: %w", ErrTxFailed, session.failure)
	}
	if err != nil {
		return err
	}
	return commitPG(ctx, tx)
}

func commitPG(ctx context.Context, tx pgx.Tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), begunTimeout)
	defer cancel()
	err := tx.Commit(ctx)
	if err == nil {
		return nil
	}
	var answer *pgconn.PgError
	switch {
	case errors.As(err, &answer) && answer.Code != stateShutdown && answer.Code != stateCrash:
		return pgError(err)
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("%w: %w", ErrTxFailed, err)
	case pgconn.SafeToRetry(err):
		return err
	}
	return &UnknownOutcomeError{Cause: err}
}

// pause waits before a repetition, a little longer each time and never in step with others.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	wait := rand.N(time.Millisecond << attempt)
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// repeatable tells whether the transaction was surely undone by something that
// has nothing to do with it.
func repeatable(err error) bool {
	var unknown *UnknownOutcomeError
	if err == nil || errors.As(err, &unknown) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return pgconn.SafeToRetry(err)
	}
	switch answer.Code {
	case stateSerialization, stateDeadlock, stateShutdown, stateCrash, stateStarting:
		return true
	}
	return false
}

func pgError(err error) error {
	if err == nil {
		return nil
	}
	if err.Error() == "closed pool" {
		return ErrClosed
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.Code {
	case stateUnique:
		return &UniqueError{Constraint: answer.ConstraintName, Table: answer.TableName, Columns: keyColumns(answer.Detail), cause: err}
	case stateForeignKey, stateRestrict:
		return fmt.Errorf("%w: %w", ErrForeignKey, err)
	}
	return err
}

// keyColumns reads the columns out of "Key (a, lower(b))=(1, x) already exists.",
// whose brackets are the same in every language of the server.
func keyColumns(detail string) []string {
	_, rest, _ := strings.Cut(detail, "(")
	list, _, ok := strings.Cut(rest, ")=(")
	if !ok {
		return nil
	}
	var columns []string
	depth, start := 0, 0
	for i := 0; i <= len(list); i++ {
		switch {
		case i == len(list) || list[i] == ',' && depth == 0:
			if name := strings.TrimSpace(list[start:i]); isColumn(name) {
				columns = append(columns, strings.Trim(name, `"`))
			}
			start = i + 1
		case list[i] == '(':
			depth++
		case list[i] == ')':
			depth--
		}
	}
	return columns
}

func isColumn(name string) bool { return name != "" && !strings.ContainsAny(name, "() :'") }

func (e *pgEngine) migrate(ctx context.Context, migrations fs.FS, to int64) (err error) {
	pool := stdlib.OpenDB(*e.config.ConnConfig)
	pool.SetMaxOpenConns(2)
	defer func() { err = errors.Join(err, pool.Close()) }()
	return runMigrations(ctx, PostgreSQL, pool, migrations, to)
}

// pgSession is the Reader of a snapshot and the Tx of a transaction.
type pgSession struct {
	tx      pgx.Tx
	ended   bool
	failure error
	open    *pgRows
	hooks   []func()
}

func (s *pgSession) prepare(sql string, args []any) ([]any, error) {
	switch {
	case s.ended:
		return nil, errTxEnded
	case s.failure != nil:
		return nil, ErrTxFailed
	case s.open != nil && !s.open.closed:
		return nil, errRowsOpen
	}
	return canonArgs(sql, args)
}

func (s *pgSession) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	canonical, err := s.prepare(sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := s.tx.Query(ctx, sql, canonical...)
	if err != nil {
		s.failure = pgError(err)
		return nil, s.failure
	}
	s.open = &pgRows{rows: rows, failed: func(err error) { s.failure = err }}
	return s.open, nil
}

func (s *pgSession) QueryRow(ctx context.Context, sql string, args ...any) Row {
	return rowFunc(func() (Rows, error) { return s.Query(ctx, sql, args...) })
}

func (s *pgSession) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	canonical, err := s.prepare(sql, args)
	if err != nil {
		return 0, err
	}
	tag, err := s.tx.Exec(ctx, sql, canonical...)
	if err != nil {
		s.failure = pgError(err)
		return 0, s.failure
	}
	return tag.RowsAffected(), nil
}

func (s *pgSession) OnCommit(f func()) { s.hooks = append(s.hooks, f) }

func (s *pgSession) end() {
	if s.open != nil {
		s.open.Close()
	}
	s.ended = true
}

type pgRows struct {
	rows   pgx.Rows
	closed bool
	failed func(error) // tells the session; may be nil
}

func (r *pgRows) Next() bool {
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *pgRows) Scan(dest ...any) error {
	// pgx closes the rows when a Scan fails, with the Scan's error.
	if err := r.rows.Scan(dest...); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	for _, d := range dest {
		if into, ok := d.(*any); ok {
			*into = widen(*into)
		}
	}
	return nil
}

// widen makes untyped integers int64, as they are on SQLite.
func widen(v any) any {
	switch n := v.(type) {
	case int16:
		return int64(n)
	case int32:
		return int64(n)
	}
	return v
}

func (r *pgRows) Err() error { return pgError(r.rows.Err()) }

func (r *pgRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.rows.Close()
	if err := r.Err(); err != nil && r.failed != nil {
		r.failed(err)
	}
}
