package db

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoRows is returned by [Row.Scan] when the query found nothing.
	ErrNoRows = errors.New("db: no rows")
	// ErrForeignKey reports that a row would point at nothing, or that a row
	// something points at would go.
	ErrForeignKey = errors.New("db: foreign key violated")
	// ErrClosed is returned by every call after [DB.Close].
	ErrClosed = errors.New("db: closed")
	// ErrReadOnly is returned by writes to a database that was opened with [Options.ReadOnly].
	ErrReadOnly = errors.New("db: opened for reading only")
	// ErrTxFailed is returned by statements that follow a failed one inside the
	// same [DB.Tx], and by the commit when the function hid that failure. Both
	// engines behave so: a transaction with a failed statement cannot commit.
	ErrTxFailed = errors.New("db: an earlier statement of this transaction failed")

	errTxEnded  = errors.New("db: the transaction has ended")
	errRowsOpen = errors.New("db: the rows of the previous query of this transaction are still open: a connection does one thing at a time")
)

// GuardError says that a guard of a [Write] found its row gone or changed;
// nothing of that write was kept.
type GuardError struct {
	// Statement counts the statements of the Write from 0; a Many is one.
	Statement int
}

func (e *GuardError) Error() string {
	return fmt.Sprintf("db: guard lost (statement %d)", e.Statement)
}

// UniqueError says that a row with the same key exists. Table, Columns and
// Constraint have the same values on both engines.
type UniqueError struct {
	// Constraint is the index's name; a primary key is "<table>_pkey", a UNIQUE
	// clause "<table>_<columns joined by _>_key". It is empty if several unique
	// indexes of the table have the very same columns (SQLite cannot tell).
	Constraint string
	Table      string
	// Columns are the plain columns of the key in its order; expressions are left out.
	Columns []string
	cause   error
}

func (e *UniqueError) Error() string {
	return fmt.Sprintf("db: %s (%s) must be unique (%s)", e.Table, strings.Join(e.Columns, ", "), e.Constraint)
}

func (e *UniqueError) Unwrap() error { return e.cause }

// UnknownOutcomeError says that the connection was lost after the write was sent
// and before its commit was acknowledged: it may or may not have happened. It is
// never retried here; only the caller knows whether doing it twice is harmless.
type UnknownOutcomeError struct{ Cause error }

func (e *UnknownOutcomeError) Error() string {
	return "db: the connection broke during commit, the outcome is unknown: " + e.Cause.Error()
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Cause }

// NewerSchemaError refuses a database that a newer release has migrated.
type NewerSchemaError struct {
	Found int64 // version the database is at
	Known int64 // newest version this program knows
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("db: the database schema is at version %d, this program knows up to %d: start the newer release, or restore a backup made before it ran",
		e.Found, e.Known)
}

// InUseError says that another process holds the SQLite file.
type InUseError struct {
	Path string
	PID  string // what the holder wrote into the lock file; may be empty
}

func (e *InUseError) Error() string {
	by := "another process"
	if e.PID != "" {
		by = "process " + e.PID
	}
	return fmt.Sprintf("db: %s is in use by %s: an SQLite database belongs to one process at a time; stop the other one, or use PostgreSQL to run several", e.Path, by)
}

// ArgumentError refuses a statement argument.
type ArgumentError struct {
	Statement string // SQL text
	Argument  int    // counted from 1, as in $1
	Reason    string
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("db: argument $%d %s, in %q", e.Argument, e.Reason, shorten(e.Statement))
}

func shorten(sql string) string {
	const limit = 120
	sql = strings.Join(strings.Fields(sql), " ")
	if len(sql) > limit {
		return sql[:limit] + "…"
	}
	return sql
}
