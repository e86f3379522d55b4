package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	groupLimit = 256
	// walSoftLimit is the log size in bytes beyond which the writer makes readers
	// let go of it; SQLite's own checkpoints never wait for readers.
	walSoftLimit = 64 << 20
	// walPatience bounds that wait, during which no write proceeds.
	walPatience = 100 * time.Millisecond
	// idleCheckpoint is the quiet time after which the log is copied home, so that
	// the next burst need not pay for it.
	idleCheckpoint = time.Second
	// carefulGroups is how many groups get savepoints at once after one had to be
	// applied twice: late failures come in swarms, and a savepoint costs a tenth.
	carefulGroups = 32
)

const (
	queued int32 = iota
	begun
	dropped
)

// sqliteJob is one Write (stmts) or one Tx (turn).
type sqliteJob struct {
	stmts []sqliteStatement
	state atomic.Int32
	done  chan error // capacity 1

	// A Tx runs in its caller's goroutine, so that a panic or an exit in it is the
	// caller's own. The writer sends its connection through turn and waits for verdict.
	turn    chan *sqliteConn
	verdict chan error // capacity 1
	left    bool       // the caller panicked or exited: it cannot be asked again

	err error // outcome of the current attempt
}

type sqliteStatement struct {
	kind statementKind
	sql  string
	args []driver.NamedValue
	rows [][]driver.NamedValue
	just *statement // of a just: what compares the ids

	wide     string // of a many: the same for wideRows rows at once; "" if it cannot be written so
	wideArgs [][]driver.NamedValue
}

// wideRows is how many rows of a plain INSERT … VALUES go into one statement: stepping a statement costs as much as a row.
const wideRows = 50

type sqliteWriter struct {
	conn   *sqliteConn
	path   string
	delay  time.Duration
	counts *counters
	log    *slog.Logger

	mu     sync.Mutex
	queue  []*sqliteJob
	closed bool
	wake   chan struct{} // capacity 1
	ended  chan struct{}
	failed error // of closing the connection

	unsaved bool // commits since the last checkpoint of ours
	nextWAL time.Time
	careful int // groups still to be applied with savepoints at once
}

func startWriter(conn *sqliteConn, path string, delay time.Duration, counts *counters, log *slog.Logger) *sqliteWriter {
	w := &sqliteWriter{
		conn: conn, path: path, delay: delay, counts: counts, log: log,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

func (w *sqliteWriter) write(ctx context.Context, write *Write) error {
	job := &sqliteJob{stmts: sqliteStatements(write), done: make(chan error, 1)}
	if err := w.enqueue(ctx, job); err != nil {
		return err
	}
	select {
	case err := <-job.done:
		return err
	case <-ctx.Done():
		if job.state.CompareAndSwap(queued, dropped) {
			return ctx.Err()
		}
		return <-job.done
	}
}

func sqliteStatements(write *Write) []sqliteStatement {
	out := make([]sqliteStatement, len(write.statements))
	for i, s := range write.statements {
		out[i] = sqliteStatement{kind: s.kind, sql: s.sql, args: namedValues(s.args)}
		if s.kind == just {
			out[i].sql, out[i].just = returningID(s.sql), &write.statements[i]
		}
		rows := s.rows
		if s.kind == many && len(rows) >= wideRows {
			if out[i].wide = wideInsert(s.sql, len(rows[0])); out[i].wide != "" {
				for ; len(rows) >= wideRows; rows = rows[wideRows:] {
					out[i].wideArgs = append(out[i].wideArgs, namedValues(slices.Concat(rows[:wideRows]...)))
				}
			}
		}
		for _, row := range rows {
			out[i].rows = append(out[i].rows, namedValues(row))
		}
	}
	return out
}

// wideInsert writes a plain insert of one row for wideRows rows; "" if it is not one.
func wideInsert(sql string, columns int) string {
	p, ok := parsePlainInsert(sql)
	if !ok {
		return ""
	}
	rows := make([]string, wideRows)
	for i := range rows {
		rows[i] = "(" + mapPlaceholders(p.row, func(n int) string { return "$" + strconv.Itoa(n+i*columns) }) + ")"
	}
	return p.head + "VALUES " + strings.Join(rows, ", ") + p.tail
}

func (w *sqliteWriter) tx(ctx context.Context, fn func(Tx) error) error {
	job := &sqliteJob{turn: make(chan *sqliteConn), verdict: make(chan error, 1), done: make(chan error, 1)}
	if err := w.enqueue(ctx, job); err != nil {
		return err
	}
	var session *sqliteSession
	waiting := ctx.Done()
	for {
		select {
		case conn := <-job.turn:
			session = &sqliteSession{conn: conn}
			job.run(session, fn)
		case err := <-job.done:
			if err == nil {
				for _, hook := range session.hooks {
					hook()
				}
			}
			return err
		case <-waiting:
			if job.state.CompareAndSwap(queued, dropped) {
				return ctx.Err()
			}
			waiting = nil
		}
	}
}

// run calls fn in the caller's goroutine. When fn panics or exits, the writer is
// told on the way out and the unwinding goes on untouched.
func (j *sqliteJob) run(session *sqliteSession, fn func(Tx) error) {
	returned := false
	var err error
	defer func() {
		session.end()
		if !returned {
			j.left = true
			err = errors.New("db: the transaction's function did not return")
		}
		j.verdict <- err
	}()
	err = fn(session)
	returned = true
	if err == nil && session.failed {
		err = ErrTxFailed
	}
}

func (w *sqliteWriter) enqueue(ctx context.Context, job *sqliteJob) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	w.queue = append(w.queue, job)
	w.counts.queued.Store(int64(len(w.queue)))
	w.nudge()
	return nil
}

func (w *sqliteWriter) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take returns the next group, nil when nothing waits, and whether to go on.
func (w *sqliteWriter) take() (group []*sqliteJob, goOn bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 && len(group) < groupLimit {
		job := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		if job.state.CompareAndSwap(queued, begun) {
			group = append(group, job)
		}
	}
	w.counts.queued.Store(int64(len(w.queue)))
	return group, len(group) > 0 || !w.closed
}

func (w *sqliteWriter) loop() {
	defer close(w.ended)
	idle := time.NewTimer(idleCheckpoint)
	defer idle.Stop()
	for {
		group, goOn := w.take()
		if !goOn {
			w.failed = w.conn.close()
			return
		}
		if len(group) > 0 {
			w.serve(group)
			w.boundLog()
			idle.Reset(idleCheckpoint)
			continue
		}
		select {
		case <-w.wake:
		case <-idle.C:
			w.checkpointIdle()
		}
	}
}

func (w *sqliteWriter) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.closed = true
	w.nudge()
	w.mu.Unlock()
	<-w.ended
	return w.failed
}

// serve applies a group and answers everyone. The cheap way comes first: all in one
// transaction without savepoints. Only when a job fails after it changed something
// is all undone and applied again, each job in a savepoint; and when even that
// transaction is lost, each job in a transaction of its own.
func (w *sqliteWriter) serve(group []*sqliteJob) {
	careful := w.careful > 0 && len(group) > 1
	if careful {
		w.careful--
	}
	if !w.together(group, careful) && len(group) > 1 {
		w.regroup(group)
	}
	w.unsaved = true
	if n := int64(len(group)); n > w.counts.largestGroup.Load() {
		w.counts.largestGroup.Store(n)
	}
	for _, job := range group {
		job.done <- job.err
	}
}

func (w *sqliteWriter) regroup(group []*sqliteJob) {
	w.counts.regrouped.Add(1)
	w.careful = carefulGroups
	if !w.together(group, true) {
		w.apart(group)
	}
}

func (w *sqliteWriter) apart(group []*sqliteJob) {
	for i := range group {
		w.together(group[i:i+1], false)
	}
}

// together applies the jobs in one transaction and sets their err. It returns false
// when everything was undone because of one of them; a group of one then has its answer.
func (w *sqliteWriter) together(group []*sqliteJob, savepoints bool) bool {
	if _, err := w.conn.exec("BEGIN IMMEDIATE", nil); err != nil {
		failAll(group, fmt.Errorf("db: begin: %w", err))
		return true
	}
	alive := 0
	for _, job := range group {
		intact := w.attempt(job, savepoints || job.turn != nil && len(group) > 1)
		if !intact {
			w.rollback()
			return false
		}
		if job.err == nil {
			alive++
		}
	}
	if alive == 0 {
		w.rollback()
		return true
	}
	return w.commit(group)
}

func (w *sqliteWriter) commit(group []*sqliteJob) bool {
	if w.delay > 0 {
		time.Sleep(w.delay)
	}
	_, err := w.conn.exec("COMMIT", nil)
	if err == nil {
		w.counts.commits.Add(1)
		return true
	}
	w.rollback()
	// A deferred foreign key is somebody's own fault; anything else is everybody's.
	ownFault := errors.Is(err, ErrForeignKey)
	for _, job := range group {
		if job.err == nil {
			job.err = fmt.Errorf("db: commit: %w", err)
		}
	}
	return !ownFault
}

// rollback may find nothing to do: SQLite ends the transaction by itself after some errors.
func (w *sqliteWriter) rollback() {
	if _, err := w.conn.exec("ROLLBACK", nil); err != nil {
		w.log.Debug("db: rollback found no transaction", "error", err)
	}
}

func failAll(group []*sqliteJob, err error) {
	for _, job := range group {
		job.err = err
	}
}

// attempt applies one job and sets its err. It returns false when the transaction
// now holds a part of a failed job, or is in doubt.
func (w *sqliteWriter) attempt(job *sqliteJob, savepoint bool) (intact bool) {
	if job.left {
		return true
	}
	if !savepoint {
		clean := w.apply(job)
		return job.err == nil || clean
	}
	if _, err := w.conn.exec("SAVEPOINT job", nil); err != nil {
		job.err = err
		return false
	}
	if clean := w.apply(job); job.err != nil && !clean {
		if _, err := w.conn.exec("ROLLBACK TO job", nil); err != nil {
			return false
		}
	}
	_, err := w.conn.exec("RELEASE job", nil)
	return err == nil
}

// apply runs the job's statements. When job.err is set, clean tells that
// nevertheless nothing was changed, so there is nothing to undo.
func (w *sqliteWriter) apply(job *sqliteJob) (clean bool) {
	if job.turn != nil {
		job.turn <- w.conn
		job.err = <-job.verdict
		return false
	}
	var changed int64
	for i := range job.stmts {
		n, err := w.statement(&job.stmts[i], i)
		if err != nil {
			job.err = err
			var lost *GuardError
			return changed == 0 && n == 0 && (errors.As(err, &lost) || undoesItself(err))
		}
		changed += n
	}
	job.err = nil
	return true
}

// statement returns the number of rows changed, also beside an error.
func (w *sqliteWriter) statement(s *sqliteStatement, index int) (int64, error) {
	switch s.kind {
	case each, eachSelect:
		var changed int64
		one := sqliteStatement{kind: s.kind.ofOne(), sql: s.sql}
		for _, one.args = range s.rows {
			n, err := w.statement(&one, index)
			if changed += n; err != nil {
				return changed, err
			}
		}
		return changed, nil
	case just:
		got, err := w.conn.texts(s.sql, s.args)
		if err == nil {
			err = s.just.justThose(got, index)
		}
		return int64(len(got)), err
	case guardSelect:
		found, err := w.conn.found(s.sql, s.args)
		if err == nil && !found {
			err = &GuardError{Statement: index}
		}
		return 0, err
	case many:
		var changed int64
		for _, args := range s.wideArgs {
			n, err := w.conn.exec(s.wide, args)
			if err != nil {
				return changed, err
			}
			changed += n
		}
		for _, row := range s.rows {
			n, err := w.conn.exec(s.sql, row)
			if err != nil {
				return changed, err
			}
			changed += n
		}
		return changed, nil
	default:
		n, err := w.conn.exec(s.sql, s.args)
		if err == nil && n == 0 && s.kind == guard {
			err = &GuardError{Statement: index}
		}
		return n, err
	}
}

func (w *sqliteWriter) checkpointIdle() {
	if !w.unsaved {
		return
	}
	w.unsaved = false
	w.checkpoint("PASSIVE")
}

// boundLog keeps the write-ahead log from growing for ever: it can start over only
// at a moment when no reader looks at its end, and under steady reading that moment
// never comes by itself.
func (w *sqliteWriter) boundLog() {
	now := time.Now()
	if now.Before(w.nextWAL) {
		return
	}
	w.nextWAL = now.Add(time.Second)
	info, err := os.Stat(w.path + "-wal")
	if err != nil {
		return // no log, nothing to bound
	}
	w.counts.walBytes.Store(info.Size())
	if info.Size() <= walSoftLimit {
		return
	}
	w.pragma(fmt.Sprintf("PRAGMA busy_timeout = %d", walPatience.Milliseconds()))
	w.checkpoint("TRUNCATE")
	w.pragma(fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds()))
}

func (w *sqliteWriter) checkpoint(mode string) {
	w.counts.checkpoints.Add(1)
	w.pragma("PRAGMA wal_checkpoint(" + mode + ")")
}

func (w *sqliteWriter) pragma(sql string) {
	if _, err := w.conn.exec(sql, nil); err != nil {
		w.log.Warn("db: "+sql, "error", err)
	}
}
