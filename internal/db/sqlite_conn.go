package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// SQLite's extended result codes that callers are told apart by
// (https://www.sqlite.org/rescode.html).
const (
	codePrimary           = 0xff
	codeConstraint        = 19
	codeConstraintFK      = 19 | 3<<8
	codeConstraintKey     = 19 | 6<<8
	codeConstraintTrigger = 19 | 7<<8 // ON DELETE RESTRICT reports this one
	codeConstraintUnique  = 19 | 8<<8
	codeConstraintRowID   = 19 | 10<<8
)

// preparedLimit bounds the prepared statements of one connection; SQL text built
// at run time must not fill the memory.
const preparedLimit = 512

// driverStmt is what the driver's statements can do; database/sql is not between,
// its bookkeeping costs as much as a small statement.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type prepared struct {
	stmt driverStmt
	busy bool // its rows are being read; a second reader needs a statement of its own
}

// sqliteConn is one connection with its prepared statements, used by one goroutine at a time.
type sqliteConn struct {
	conn  driver.Conn
	stmts map[string]*prepared
	names *keyNames
}

func dialSQLite(dsn string, names *keyNames) (*sqliteConn, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &sqliteConn{conn: conn, stmts: map[string]*prepared{}, names: names}, nil
}

func (c *sqliteConn) close() error {
	var errs []error
	for _, p := range c.stmts {
		errs = append(errs, p.stmt.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

func (c *sqliteConn) prepare(sql string) (*prepared, error) {
	if p, ok := c.stmts[sql]; ok && !p.busy {
		return p, nil
	}
	conn, ok := c.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.New("db: the SQLite driver cannot prepare statements")
	}
	made, err := conn.PrepareContext(context.Background(), sqliteText(sql))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", shorten(sql), err)
	}
	stmt, ok := made.(driverStmt)
	if !ok {
		return nil, errors.New("db: the SQLite driver's statements lack a method")
	}
	p := &prepared{stmt: stmt}
	if _, taken := c.stmts[sql]; taken {
		return p, nil
	}
	if err := c.makeRoom(); err != nil {
		return nil, err
	}
	c.stmts[sql] = p
	return p, nil
}

func (c *sqliteConn) makeRoom() error {
	if len(c.stmts) < preparedLimit {
		return nil
	}
	for sql, p := range c.stmts {
		if p.busy {
			continue
		}
		delete(c.stmts, sql)
		return p.stmt.Close()
	}
	return nil
}

// release gives a statement back after its last use, closing it if it was not the cached one.
func (c *sqliteConn) release(sql string, p *prepared) error {
	p.busy = false
	if c.stmts[sql] == p {
		return nil
	}
	return p.stmt.Close()
}

// exec runs a statement to its end. The driver is given no context on purpose: a
// cancellable one costs a goroutine per statement.
func (c *sqliteConn) exec(sql string, args []driver.NamedValue) (int64, error) {
	p, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	result, err := p.stmt.ExecContext(context.Background(), args)
	if err = errors.Join(err, c.release(sql, p)); err != nil {
		return 0, c.translate(err)
	}
	return result.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, sql string, args []driver.NamedValue) (*sqliteRows, error) {
	p, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	p.busy = true
	rows, err := p.stmt.QueryContext(context.Background(), args)
	if err != nil {
		return nil, c.translate(errors.Join(err, c.release(sql, p)))
	}
	return &sqliteRows{ctx: ctx, conn: c, sql: sql, prepared: p, rows: rows, values: make([]driver.Value, len(rows.Columns()))}, nil
}

// found tells whether the query has at least one row.
func (c *sqliteConn) found(sql string, args []driver.NamedValue) (bool, error) {
	rows, err := c.query(context.Background(), sql, args)
	if err != nil {
		return false, err
	}
	ok := rows.Next()
	rows.Close()
	return ok, rows.Err()
}

// texts reads a query of one column of text.
func (c *sqliteConn) texts(sql string, args []driver.NamedValue) ([]string, error) {
	rows, err := c.query(context.Background(), sql, args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

func (c *sqliteConn) translate(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Code() {
	case codeConstraintUnique, codeConstraintKey, codeConstraintRowID:
		return c.names.sqliteUnique(c, failure)
	case codeConstraintFK:
		return fmt.Errorf("%w: %w", ErrForeignKey, err)
	case codeConstraintTrigger:
		if strings.Contains(failure.Error(), "FOREIGN KEY") {
			return fmt.Errorf("%w: %w", ErrForeignKey, err)
		}
	}
	return err
}

// undoesItself tells whether SQLite took back the failed statement alone, leaving
// the transaction open: so it is for constraints, while a full disk or an I/O
// error may have rolled everything back.
func undoesItself(err error) bool {
	var failure *sqlite.Error
	return errors.As(err, &failure) && failure.Code()&codePrimary == codeConstraint
}

func namedValues(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return out
}

type sqliteRows struct {
	ctx      context.Context
	conn     *sqliteConn
	sql      string
	prepared *prepared
	rows     driver.Rows
	values   []driver.Value
	err      error
	closed   bool
	done     func() // gives the connection back; may be nil
}

func (r *sqliteRows) Next() bool {
	if r.closed {
		return false
	}
	if err := r.ctx.Err(); err != nil {
		r.fail(err)
		return false
	}
	err := r.rows.Next(r.values)
	if err == nil {
		return true
	}
	if errors.Is(err, io.EOF) {
		r.Close()
		return false
	}
	r.fail(r.conn.translate(err))
	return false
}

func (r *sqliteRows) fail(err error) {
	r.err = err
	r.Close()
}

func (r *sqliteRows) Scan(dest ...any) error {
	if r.closed {
		return errors.New("db: Scan without a row")
	}
	return scanValues(r.values, r.rows, dest)
}

func (r *sqliteRows) Err() error { return r.err }

func (r *sqliteRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	err := errors.Join(r.rows.Close(), r.conn.release(r.sql, r.prepared))
	if r.err == nil && err != nil {
		r.err = r.conn.translate(err)
	}
	if r.done != nil {
		r.done()
	}
}

// rowFunc is a Row that is asked for when it is scanned.
type rowFunc func() (Rows, error)

func (f rowFunc) Scan(dest ...any) error {
	rows, err := f()
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}
