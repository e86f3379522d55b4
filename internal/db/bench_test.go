package db_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// benchSchema has the shape of a request that changes a directory user: five
// tables with eleven indexes in total, primary keys counted, and one table with two.
const benchSchema = `
CREATE TABLE b_user (dir TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, email TEXT, ext TEXT, version BIGINT NOT NULL, active BOOLEAN NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (dir, id));
CREATE UNIQUE INDEX b_user_name ON b_user (dir, name);
CREATE INDEX b_user_email ON b_user (dir, email);
CREATE INDEX b_user_ext ON b_user (dir, ext);
CREATE TABLE b_member (org TEXT NOT NULL, id TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (org, id));
CREATE UNIQUE INDEX b_member_who ON b_member (org, who);
CREATE TABLE b_event (id TEXT NOT NULL PRIMARY KEY, org TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX b_event_org ON b_event (org, id);
CREATE TABLE b_exchange (dir TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (dir, id));
CREATE INDEX b_exchange_at ON b_exchange (dir, at);
CREATE TABLE b_outbox (id TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE b_single (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX b_single_name ON b_single (name);`

func benchID(n int64) string { return fmt.Sprintf("01JD%022d", n) }

func representative(n int64) *db.Write {
	id, at := benchID(n), n
	var w db.Write
	w.Exec("INSERT INTO b_user (dir, id, name, email, ext, version, active, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		"dir_1", id, "user"+id, id+"@example.com", "ext"+id, 1, true, userDoc)
	w.Exec("INSERT INTO b_member (org, id, who, state, at) VALUES ($1, $2, $3, $4, $5)", "org_1", id, "user"+id, "active", at)
	w.Exec("INSERT INTO b_event (id, org, kind, at, body) VALUES ($1, $2, $3, $4, $5)", id, "org_1", "dsync.user.created", at, eventDoc)
	w.Exec("INSERT INTO b_exchange (dir, id, at, body) VALUES ($1, $2, $3, $4)", "dir_1", id, at, exchangeDoc)
	w.Exec("INSERT INTO b_outbox (id, at, kind) VALUES ($1, $2, $3)", id, at, "event")
	return &w
}

var userDoc, eventDoc, exchangeDoc = []byte(strings.Repeat("u", 1200)), []byte(strings.Repeat("e", 1200)), []byte(strings.Repeat("x", 1600))

func single(n int64) *db.Write {
	id := benchID(n)
	var w db.Write
	w.Exec("INSERT INTO b_single (id, name, doc) VALUES ($1, $2, $3)", id, "user"+id, userDoc)
	return &w
}

func guarded(n int64) *db.Write {
	w := representative(n)
	w.Guard("UPDATE b_user SET version = 2 WHERE dir = $1 AND id = $2 AND version = 1", "dir_1", benchID(n))
	return w
}

func BenchmarkWrite(b *testing.B) {
	shapes := []struct {
		name string
		make func(int64) *db.Write
	}{{"five", representative}, {"single", single}, {"guarded", guarded}}
	for _, engine := range dbtest.Engines(b) {
		for _, shape := range shapes {
			for _, callers := range []int{1, 8, 32} {
				b.Run(fmt.Sprintf("%s/%s/%d", engine, shape.name, callers), func(b *testing.B) {
					d := dbtest.Open(b, engine, dbtest.Migrations(benchSchema))
					concurrently(b, callers, func(n int64) error { return d.Write(b.Context(), shape.make(n)) })
				})
			}
		}
	}
}

func BenchmarkWrite_on_a_slow_disk(b *testing.B) {
	for _, callers := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			o := dbtest.Options(b, db.SQLite, dbtest.Migrations(benchSchema))
			o.CommitDelay = 2 * time.Millisecond
			d, err := db.Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			concurrently(b, callers, func(n int64) error { return d.Write(b.Context(), representative(n)) })
		})
	}
}

func BenchmarkMany(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(string(engine)+"/500", func(b *testing.B) {
			d := dbtest.Open(b, engine, dbtest.Migrations(benchSchema))
			concurrently(b, 1, func(n int64) error {
				rows := make([][]any, 500)
				for i := range rows {
					id := benchID(n*500 + int64(i))
					rows[i] = []any{"org_1", id, "user" + id, "active", n}
				}
				var w db.Write
				w.Many("INSERT INTO b_member (org, id, who, state, at) VALUES ($1, $2, $3, $4, $5)", rows)
				return d.Write(b.Context(), &w)
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		d := dbtest.Open(b, engine, dbtest.Migrations(benchSchema))
		var w db.Write
		for n := range int64(2000) {
			w.Many("INSERT INTO b_user (dir, id, name, version, active, doc) VALUES ($1, $2, $3, $4, $5, $6)",
				[][]any{{"dir_1", benchID(n), fmt.Sprint("user", n), 1, true, userDoc}})
		}
		if err := d.Write(b.Context(), &w); err != nil {
			b.Fatal(err)
		}
		for _, callers := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", engine, callers), func(b *testing.B) {
				concurrently(b, callers, func(n int64) error {
					var id string
					var version int64
					var active bool
					var doc []byte
					return d.QueryRow(b.Context(), "SELECT id, version, active, doc FROM b_user WHERE dir = $1 AND name = $2",
						"dir_1", fmt.Sprint("user", n%2000)).Scan(&id, &version, &active, &doc)
				})
			})
		}
	}
}

func concurrently(b *testing.B, callers int, do func(n int64) error) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range callers {
		group.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := do(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}
