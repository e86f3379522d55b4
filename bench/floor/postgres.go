package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

const postgresSchema = `
CREATE TABLE IF NOT EXISTS people(seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS groups(id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members(grp TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY(grp, person));
CREATE TABLE IF NOT EXISTS events(seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);`

const postgresConns = 16

// remote is PostgreSQL: every write is one statement, committed by itself. pgx
// prepares each statement once per connection.
type remote struct {
	idle  chan *pgx.Conn
	total atomic.Int64
}

func openPostgres(ctx context.Context, url string) (*remote, error) {
	r := &remote{idle: make(chan *pgx.Conn, postgresConns)}
	for range postgresConns {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect: %w", err), r.close())
		}
		r.idle <- c
	}
	err := r.with(func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, postgresSchema); err != nil {
			return err
		}
		var last int64
		if err := c.QueryRow(ctx, `SELECT count(*) FROM people`).Scan(&last); err != nil {
			return err
		}
		r.total.Store(last)
		return nil
	})
	return r, err
}

// close ends the connections that nobody uses; after the HTTP server has shut
// down that is all of them.
func (r *remote) close() error {
	var errs []error
	for {
		select {
		case c := <-r.idle:
			errs = append(errs, c.Close(context.Background()))
		default:
			return errors.Join(errs...)
		}
	}
}

// with lends a connection. Statements run under a background context, since a
// cancelled one would close the connection and the pool would shrink.
func (r *remote) with(use func(*pgx.Conn) error) error {
	c := <-r.idle
	defer func() { r.idle <- c }()
	return use(c)
}

func (r *remote) change(sql string, args ...any) (rows int64, err error) {
	err = r.with(func(c *pgx.Conn) error {
		tag, err := c.Exec(context.Background(), sql, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

func (r *remote) oneText(sql string, args ...any) (text []byte, err error) {
	err = r.with(func(c *pgx.Conn) error {
		err := c.QueryRow(context.Background(), sql, args...).Scan(&text)
		if errors.Is(err, pgx.ErrNoRows) {
			return errAbsent
		}
		return err
	})
	return text, err
}

func manyRows[T any](r *remote, sql string, args ...any) (all []T, err error) {
	err = r.with(func(c *pgx.Conn) error {
		rows, err := c.Query(context.Background(), sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	})
	return all, err
}

func (r *remote) createUser(_ context.Context, id, userName string, doc []byte) error {
	_, err := r.change(`INSERT INTO people(id, name, doc) VALUES($1, $2, $3)`, id, userName, doc)
	if err == nil {
		r.total.Add(1)
	}
	return err
}

func (r *remote) userByName(_ context.Context, userName string) ([]byte, error) {
	return r.oneText(`SELECT doc FROM people WHERE name = $1`, userName)
}

func (r *remote) user(_ context.Context, id string) ([]byte, error) {
	return r.oneText(`SELECT doc FROM people WHERE id = $1`, id)
}

func (r *remote) replaceUser(_ context.Context, id string, doc []byte) error {
	n, err := r.change(`UPDATE people SET doc = $1 WHERE id = $2`, doc, id)
	if err == nil && n == 0 {
		return errAbsent
	}
	return err
}

const setAttribute = `UPDATE people SET doc = jsonb_set(doc::jsonb, ARRAY[$1::text], to_jsonb($2::%s))::text WHERE id = $3 RETURNING doc`

func (r *remote) setActive(_ context.Context, id string, active bool) ([]byte, error) {
	return r.oneText(fmt.Sprintf(setAttribute, "bool"), "active", active, id)
}

func (r *remote) setTitle(_ context.Context, id, title string) ([]byte, error) {
	return r.oneText(fmt.Sprintf(setAttribute, "text"), "title", title, id)
}

func (r *remote) page(_ context.Context, start, count int) ([][]byte, int, error) {
	docs, err := manyRows[[]byte](r, `SELECT doc FROM people WHERE seq >= $1 ORDER BY seq LIMIT $2`, start, count)
	return docs, int(r.total.Load()), err
}

func (r *remote) createGroup(_ context.Context, id, name string, members []string) error {
	_, err := r.change(`
		WITH g AS (INSERT INTO groups(id, name) VALUES($1, $2) RETURNING id)
		INSERT INTO members(grp, person) SELECT g.id, p FROM g, unnest($3::text[]) p ON CONFLICT DO NOTHING`, id, name, members)
	return err
}

func (r *remote) group(_ context.Context, id string, withMembers bool) (string, []string, error) {
	name, err := r.oneText(`SELECT name FROM groups WHERE id = $1`, id)
	if err != nil || !withMembers {
		return string(name), nil, err
	}
	members, err := manyRows[string](r, `SELECT person FROM members WHERE grp = $1`, id)
	return string(name), members, err
}

func (r *remote) addMembers(_ context.Context, group string, members []string) error {
	_, err := r.change(`INSERT INTO members(grp, person) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, group, members)
	return err
}

func (r *remote) removeMember(_ context.Context, group, member string) error {
	_, err := r.change(`DELETE FROM members WHERE grp = $1 AND person = $2`, group, member)
	return err
}

func (r *remote) addEvents(_ context.Context, events []event) error {
	ids, docs := make([]string, len(events)), make([]string, len(events))
	for i, e := range events {
		ids[i], docs[i] = e.id, string(e.doc)
	}
	_, err := r.change(`INSERT INTO events(id, doc) SELECT * FROM unnest($1::text[], $2::text[])`, ids, docs)
	return err
}

func (r *remote) eventsAfter(_ context.Context, id string, count int) (all []event, err error) {
	const page = `SELECT id, doc FROM events WHERE seq > coalesce((SELECT seq FROM events WHERE id = $1), 0) ORDER BY seq LIMIT $2`
	err = r.with(func(c *pgx.Conn) error {
		rows, err := c.Query(context.Background(), page, id, count)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e event, err error) {
			err = row.Scan(&e.id, &e.doc)
			return e, err
		})
		return err
	})
	return all, err
}
