package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgCall is one statement as it travels; several may stem from one of the Write.
type pgCall struct {
	statement int // index in the Write
	guard     bool
	sql       string
	args      []any
	rows      [][]any // of a plain insert, or of guards, for many rows; then args is unused
}

// guardTexts remembers the wrapped texts of guards, and how those of several rows are written.
type guardTexts struct{ texts, rows, justs sync.Map }

func newGuardTexts() *guardTexts { return &guardTexts{} }

// get wraps a guard so that the server itself gives up when it affects no row:
// dividing by the count fails the statement, and with it everything in the
// pipeline, without a further round trip.
func (g *guardTexts) get(kind statementKind, sql string) string {
	if text, ok := g.texts.Load(sql); ok {
		return text.(string)
	}
	body := strings.TrimRight(sql, "; \t\r\n")
	if kind == guard {
		body += "\nRETURNING 1"
	}
	text := "WITH guarded AS (" + body + "\n) SELECT 1/count(*) FROM guarded"
	g.texts.Store(sql, text)
	return text
}

// just gives the text for the statement of a Just with so many arguments, to which the sorted ids are added.
func (g *guardTexts) just(sql string, args int) string {
	if text, ok := g.justs.Load(sql); ok {
		return text.(string)
	}
	text := "WITH guarded AS (" + returningID(sql) + "\n) SELECT 1/(CASE WHEN COALESCE(array_agg(id ORDER BY id COLLATE \"C\"), '{}') = $" + strconv.Itoa(args+1) +
		"::text[] THEN 1 ELSE 0 END) FROM guarded"
	g.justs.Store(sql, text)
	return text
}

func (e *pgEngine) calls(w *Write) []pgCall {
	calls := make([]pgCall, 0, len(w.statements))
	for i := range w.statements {
		s := &w.statements[i]
		switch s.kind {
		case guard, guardSelect:
			calls = append(calls, pgCall{statement: i, guard: true, sql: e.texts.get(s.kind, s.sql), args: s.args})
		case just:
			args := append(slices.Clone(s.args), s.ids)
			calls = append(calls, pgCall{statement: i, guard: true, sql: e.texts.just(s.sql, len(s.args)), args: args})
		case many:
			calls = e.manyCalls(calls, i, s)
		case each, eachSelect:
			calls = e.eachCalls(calls, i, s)
		default:
			calls = append(calls, pgCall{statement: i, sql: s.sql, args: s.args})
		}
	}
	return calls
}

func (e *pgEngine) manyCalls(calls []pgCall, index int, s *statement) []pgCall {
	if len(s.rows) > 1 && e.inserts.parse(s.sql) != nil {
		for rows := range slices.Chunk(s.rows, rowsPerStatement) {
			calls = append(calls, pgCall{statement: index, sql: s.sql, rows: rows})
		}
		return calls
	}
	for _, row := range s.rows {
		calls = append(calls, pgCall{statement: index, sql: s.sql, args: row})
	}
	return calls
}

// eachCalls sends the rows of Each together where they are several and the text allows it.
func (e *pgEngine) eachCalls(calls []pgCall, index int, s *statement) []pgCall {
	if len(s.rows) > 1 && e.texts.together(s.kind, s.sql) != nil {
		return append(calls, pgCall{statement: index, guard: true, sql: s.sql, rows: s.rows})
	}
	for _, row := range s.rows {
		calls = append(calls, pgCall{statement: index, guard: true, sql: e.texts.get(s.kind.ofOne(), s.sql), args: row})
	}
	return calls
}

func (e *pgEngine) write(ctx context.Context, w *Write) error {
	calls := e.calls(w)
	if w.Lane != "" && w.Before == nil && !bulky(calls) {
		if done, err := e.share(ctx, w.Lane, calls); done {
			return err
		}
	}
	return e.alone(ctx, calls, w.Before)
}

// alone writes in a transaction of its own.
func (e *pgEngine) alone(ctx context.Context, calls []pgCall, before func() error) error {
	var err error
	for attempt := range attempts {
		if err = pause(ctx, attempt); err != nil {
			return err
		}
		err = e.attempt(ctx, calls, before)
		if err == nil {
			e.counts.commits.Add(1)
			return nil
		}
		if !repeatable(err) {
			return err
		}
		e.counts.retries.Add(1)
	}
	return err
}

// attempt sends all calls behind each other with one Sync: PostgreSQL runs them as
// one implicit transaction, skips what follows a failed one and commits at the Sync.
func (e *pgEngine) attempt(ctx context.Context, calls []pgCall, before func() error) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return pgError(err)
	}
	defer conn.Release()
	// From here on the caller's context no longer counts: cutting the connection
	// would leave the outcome unknown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), begunTimeout)
	defer cancel()
	prepared, err := e.encode(ctx, conn.Conn(), calls)
	if err != nil {
		return pgError(err)
	}
	return send(ctx, conn.Conn().PgConn(), prepared, before)
}

// encoded is a call ready to be sent.
type encoded struct {
	call        *pgCall
	description *pgconn.StatementDescription
	params      pgx.ExtendedQueryBuilder
}

// encode prepares what the connection has not seen yet and encodes all arguments,
// before anything is sent.
func (e *pgEngine) encode(ctx context.Context, conn *pgx.Conn, calls []pgCall) ([]encoded, error) {
	out := make([]encoded, 0, len(calls))
	var err error
	for i := range calls {
		if c := &calls[i]; c.rows != nil && c.guard {
			out, err = e.encodeEach(ctx, conn, out, c)
		} else if c.rows != nil {
			out, err = e.encodeRows(ctx, conn, out, c)
		} else {
			out, err = encodeCall(ctx, conn, out, c, c.sql, c.args)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func encodeCall(ctx context.Context, conn *pgx.Conn, out []encoded, c *pgCall, sql string, args []any) ([]encoded, error) {
	description, err := conn.Prepare(ctx, sql, sql)
	if err != nil {
		return nil, notSent(conn, fmt.Errorf("db: prepare %q: %w", shorten(sql), err))
	}
	out = append(out, encoded{call: c, description: description})
	if err := out[len(out)-1].params.Build(conn.TypeMap(), description, args); err != nil {
		return nil, fmt.Errorf("db: arguments of %q: %w", shorten(sql), err)
	}
	return out, nil
}

// encodeRows sends arrays where it can and row by row where not.
func (e *pgEngine) encodeRows(ctx context.Context, conn *pgx.Conn, out []encoded, c *pgCall) ([]encoded, error) {
	description, err := conn.Prepare(ctx, c.sql, c.sql)
	if err != nil {
		return nil, notSent(conn, fmt.Errorf("db: prepare %q: %w", shorten(c.sql), err))
	}
	text := e.inserts.arrayText(e.inserts.parse(c.sql), description)
	arrays, ok := columnArrays(c.rows, len(description.ParamOIDs))
	if ok && text != "" && len(c.rows[0]) == len(arrays) {
		return encodeCall(ctx, conn, out, c, text, arrays)
	}
	for _, row := range c.rows {
		if out, err = encodeCall(ctx, conn, out, c, c.sql, row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// encodeEach sends arrays where it can and row by row where not.
func (e *pgEngine) encodeEach(ctx context.Context, conn *pgx.Conn, out []encoded, c *pgCall) ([]encoded, error) {
	description, err := conn.Prepare(ctx, c.sql, c.sql)
	if err != nil {
		return nil, notSent(conn, fmt.Errorf("db: prepare %q: %w", shorten(c.sql), err))
	}
	g := e.texts.known(c.sql)
	arrays, ok := columnArrays(c.rows, len(description.ParamOIDs))
	if text := g.overArrays(description.ParamOIDs); ok && text != "" && len(c.rows[0]) == len(arrays) {
		return encodeCall(ctx, conn, out, c, text, append(arrays, len(c.rows)))
	}
	for _, row := range c.rows {
		if out, err = encodeCall(ctx, conn, out, c, e.texts.get(g.kind, c.sql), row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// notSentError is a failure of the connection before the write was sent on it.
type notSentError struct{ error }

func (notSentError) SafeToRetry() bool { return true }

func (e notSentError) Unwrap() error { return e.error }

func notSent(conn *pgx.Conn, err error) error {
	if conn.IsClosed() {
		return notSentError{err}
	}
	return err
}

func send(ctx context.Context, conn *pgconn.PgConn, prepared []encoded, before func() error) error {
	pipeline := conn.StartPipeline(ctx)
	for i := range prepared {
		p := &prepared[i]
		pipeline.SendQueryStatement(p.description, p.params.ParamValues, p.params.ParamFormats, nil)
	}
	if err := ask(pipeline, before); err != nil {
		return err
	}
	if err := pipeline.Sync(); err != nil {
		_ = pipeline.Close() // a broken connection is thrown away by the pool
		return unclear(err)
	}
	for i := range prepared {
		if err := result(pipeline); err != nil {
			_ = pipeline.Close() // reads up to the Sync; a broken connection is thrown away by the pool
			return prepared[i].call.explain(err)
		}
	}
	return finish(pipeline)
}

// ask has the server run the statements while the answer of before is waited for. A no ends the connection, and by that what was done: a
// transaction that was not committed is undone.
func ask(pipeline *pgconn.Pipeline, before func() error) (err error) {
	if before == nil {
		return nil
	}
	if err := pipeline.Flush(); err != nil {
		_ = pipeline.Close()     // the connection is broken, and is thrown away by the pool
		return notSentError{err} // without a Sync there is no commit
	}
	yes := false
	defer func() {
		if !yes { // before may have panicked
			_ = pipeline.Close() // says that there was no Sync
		}
	}()
	err = before()
	yes = err == nil
	return err
}

func result(pipeline *pgconn.Pipeline) error {
	results, err := pipeline.GetResults()
	if err != nil {
		return err
	}
	reader, ok := results.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("db: unexpected pipeline result %T", results)
	}
	_, err = reader.Close()
	return err
}

// explain turns the first failure of the pipeline into what the caller knows. An
// answer of the server means that all was undone; a broken connection means nothing.
func (c *pgCall) explain(err error) error {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return unclear(err)
	}
	if c.guard && answer.Code == stateDivision {
		return &GuardError{Statement: c.statement}
	}
	return pgError(err)
}

// finish reads the Sync's answer, which is the commit's.
func finish(pipeline *pgconn.Pipeline) error {
	_, err := pipeline.GetResults()
	closing := pipeline.Close()
	if err == nil {
		err = closing
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code != stateShutdown && answer.Code != stateCrash {
		return pgError(err) // a deferred constraint, for one
	}
	return unclear(err)
}

func unclear(err error) error {
	if err == nil || pgconn.SafeToRetry(err) {
		return err
	}
	return &UnknownOutcomeError{Cause: err}
}
