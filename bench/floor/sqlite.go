package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the pure Go driver, as Rollcall's default engine
)

const sqliteSchema = `
CREATE TABLE IF NOT EXISTS people(seq INTEGER PRIMARY KEY, rev INTEGER NOT NULL DEFAULT 0, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, doc BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS groups(id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members(grp TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY(grp, person)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc BLOB NOT NULL);`

const (
	sqliteReaders = 4
	biggestBatch  = 256 // writes in one commit
)

// lite is SQLite with one writing connection, owned by one goroutine, and a few
// reading ones.
type lite struct {
	read, write *sql.DB
	conn        *sql.Conn
	delay       time.Duration
	total       atomic.Int64
	waiting     chan *write
	ended       chan struct{}

	begin, commit, rollback                                      *sql.Stmt
	insert, replace, guarded, insertGroup, addMember, dropMember *sql.Stmt
	byName, byID, versioned, window, groupName, memberIDs        *sql.Stmt
	addEvent, eventPage                                          *sql.Stmt
}

// write is one caller's change, waiting for the commit it shares with others.
type write struct {
	change func() error
	err    error
	done   chan struct{}
}

func openSQLite(ctx context.Context, file string, delay time.Duration) (*lite, error) {
	dsn := "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	l := &lite{delay: delay, waiting: make(chan *write, 4*biggestBatch), ended: make(chan struct{})}
	for _, db := range []struct {
		at    **sql.DB
		conns int
	}{{&l.write, 1}, {&l.read, sqliteReaders}} {
		opened, err := sql.Open("sqlite", dsn)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", file, err)
		}
		opened.SetMaxOpenConns(db.conns)
		opened.SetMaxIdleConns(db.conns)
		*db.at = opened
	}
	if err := l.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", file, err)
	}
	go l.writer()
	return l, nil
}

func (l *lite) prepare(ctx context.Context) error {
	if _, err := l.write.ExecContext(ctx, sqliteSchema); err != nil {
		return err
	}
	var err error
	if l.conn, err = l.write.Conn(ctx); err != nil {
		return err
	}
	for text, at := range map[string]**sql.Stmt{
		`BEGIN IMMEDIATE`: &l.begin, `COMMIT`: &l.commit, `ROLLBACK`: &l.rollback,
		`INSERT INTO people(id, name, doc) VALUES(?, ?, ?)`:                  &l.insert,
		`UPDATE people SET doc = ?, rev = rev + 1 WHERE id = ?`:              &l.replace,
		`UPDATE people SET doc = ?, rev = rev + 1 WHERE seq = ? AND rev = ?`: &l.guarded,
		`INSERT INTO groups(id, name) VALUES(?, ?)`:                          &l.insertGroup,
		`INSERT OR IGNORE INTO members(grp, person) VALUES(?, ?)`:            &l.addMember,
		`DELETE FROM members WHERE grp = ? AND person = ?`:                   &l.dropMember,
		`INSERT INTO events(id, doc) VALUES(?, ?)`:                           &l.addEvent,
	} {
		if *at, err = l.conn.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	for text, at := range map[string]**sql.Stmt{
		`SELECT doc FROM people WHERE name = ?`:                      &l.byName,
		`SELECT doc FROM people WHERE id = ?`:                        &l.byID,
		`SELECT seq, rev, doc FROM people WHERE id = ?`:              &l.versioned,
		`SELECT doc FROM people WHERE seq >= ? ORDER BY seq LIMIT ?`: &l.window,
		`SELECT name FROM groups WHERE id = ?`:                       &l.groupName,
		`SELECT person FROM members WHERE grp = ?`:                   &l.memberIDs,
		`SELECT id, doc FROM events WHERE seq > coalesce((SELECT seq FROM events WHERE id = ?), 0) ORDER BY seq LIMIT ?`: &l.eventPage,
	} {
		if *at, err = l.read.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	// Rows are never deleted, so the last row number is the count; counting a
	// million rows would be paid at every start.
	var last int64
	if err := l.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM people`).Scan(&last); err != nil {
		return err
	}
	l.total.Store(last)
	return nil
}

func (l *lite) close() error {
	close(l.waiting)
	<-l.ended
	return errors.Join(l.conn.Close(), l.write.Close(), l.read.Close())
}

// durably runs change in a transaction that is on the disk when it returns.
func (l *lite) durably(change func() error) error {
	w := &write{change: change, done: make(chan struct{})}
	l.waiting <- w
	<-w.done
	return w.err
}

// writer commits what is waiting together. It never waits for company, so a
// lone caller pays nothing for sharing.
func (l *lite) writer() {
	defer close(l.ended)
	batch := make([]*write, 0, biggestBatch)
	for first := range l.waiting {
		batch = append(batch[:0], first)
		err := l.runBatch(&batch)
		for _, w := range batch {
			if w.err == nil {
				w.err = err
			}
			close(w.done)
		}
	}
}

// runBatch applies the first write and those that arrive meanwhile. A change
// that fails fails in its first statement here, so it leaves nothing behind and
// needs no savepoint of its own.
func (l *lite) runBatch(batch *[]*write) error {
	if _, err := l.begin.Exec(); err != nil {
		return err
	}
	for i := 0; i < len(*batch); i++ {
		(*batch)[i].err = (*batch)[i].change()
		l.gather(batch)
	}
	time.Sleep(l.delay)
	if _, err := l.commit.Exec(); err != nil {
		_, undo := l.rollback.Exec()
		return errors.Join(err, undo)
	}
	return nil
}

func (l *lite) gather(batch *[]*write) {
	for len(*batch) < biggestBatch {
		select {
		case w, open := <-l.waiting:
			if !open {
				return
			}
			*batch = append(*batch, w)
		default:
			return
		}
	}
}

func (l *lite) createUser(_ context.Context, id, userName string, doc []byte) error {
	err := l.durably(func() error {
		_, err := l.insert.Exec(id, userName, doc)
		return err
	})
	if err == nil {
		l.total.Add(1)
	}
	return err
}

func (l *lite) userByName(_ context.Context, userName string) ([]byte, error) {
	return oneDoc(l.byName, userName)
}

func (l *lite) user(_ context.Context, id string) ([]byte, error) { return oneDoc(l.byID, id) }

func oneDoc(stmt *sql.Stmt, key string) ([]byte, error) {
	var doc []byte
	return doc, absent(stmt.QueryRow(key).Scan(&doc))
}

func absent(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errAbsent
	}
	return err
}

func (l *lite) replaceUser(_ context.Context, id string, doc []byte) error {
	return l.durably(func() error { return oneRow(l.replace.Exec(doc, id)) })
}

func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errAbsent
}

func (l *lite) setActive(ctx context.Context, id string, active bool) ([]byte, error) {
	return l.set(ctx, id, "active", active)
}

func (l *lite) setTitle(ctx context.Context, id, title string) ([]byte, error) {
	return l.set(ctx, id, "title", title)
}

// set reads and encodes outside the writer and writes with a guard, so that the
// one writer never parses JSON; a lost guard starts again.
func (l *lite) set(ctx context.Context, id, attribute string, value any) ([]byte, error) {
	for ctx.Err() == nil {
		var seq, rev int64
		var doc []byte
		if err := l.versioned.QueryRow(id).Scan(&seq, &rev, &doc); err != nil {
			return nil, absent(err)
		}
		changed, err := withAttribute(doc, attribute, value)
		if err != nil {
			return nil, err
		}
		err = l.durably(func() error { return oneRow(l.guarded.Exec(changed, seq, rev)) })
		if !errors.Is(err, errAbsent) {
			return changed, err
		}
	}
	return nil, ctx.Err()
}

func (l *lite) page(_ context.Context, start, count int) ([][]byte, int, error) {
	docs, err := column[[]byte](l.window.Query(start, count))
	return docs, int(l.total.Load()), err
}

func column[T any](rows *sql.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func (l *lite) createGroup(_ context.Context, id, name string, members []string) error {
	return l.durably(func() error {
		if _, err := l.insertGroup.Exec(id, name); err != nil {
			return err
		}
		return l.insertMembers(id, members)
	})
}

func (l *lite) insertMembers(group string, members []string) error {
	for _, m := range members {
		if _, err := l.addMember.Exec(group, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lite) group(_ context.Context, id string, withMembers bool) (string, []string, error) {
	var name string
	if err := l.groupName.QueryRow(id).Scan(&name); err != nil {
		return "", nil, absent(err)
	}
	if !withMembers {
		return name, nil, nil
	}
	members, err := column[string](l.memberIDs.Query(id))
	return name, members, err
}

func (l *lite) addMembers(_ context.Context, group string, members []string) error {
	return l.durably(func() error { return l.insertMembers(group, members) })
}

func (l *lite) removeMember(_ context.Context, group, member string) error {
	return l.durably(func() error {
		_, err := l.dropMember.Exec(group, member)
		return err
	})
}

func (l *lite) addEvents(_ context.Context, events []event) error {
	return l.durably(func() error {
		for _, e := range events {
			if _, err := l.addEvent.Exec(e.id, e.doc); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *lite) eventsAfter(_ context.Context, id string, count int) ([]event, error) {
	rows, err := l.eventPage.Query(id, count)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make([]event, 0, count)
	for rows.Next() {
		var e event
		if err := rows.Scan(&e.id, &e.doc); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
