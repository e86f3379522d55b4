package event_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

// filled is a log of many events: 40 organizations of very different size, one in 2,000 a rare type. ROLLCALL_BENCH_EVENTS is how
// many, 200,000 by default.
func filled(b *testing.B, engine db.Engine) (*db.DB, *event.Log, []string) {
	b.Helper()
	count := 200_000
	if text := os.Getenv("ROLLCALL_BENCH_EVENTS"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	d := dbtest.Open(b, engine, migrations.Files)
	l := event.NewLog(d, token.NewSource(time.Now))
	data := []byte(`{"object":"directory_user","raw_attributes":{"x":"` + strings.Repeat("some text ", 90) + `"}}`)
	var ids []string
	for n := 0; n < count; {
		var w db.Write
		for range 50 {
			entries := make([]event.Entry, 16)
			for i := range entries {
				kind := event.DirectoryUserUpdated
				if n%2000 == 0 {
					kind = event.DirectoryDeleted
				}
				organization := "org-big"
				if n%10 == 0 {
					organization = fmt.Sprint("org-", n/10%39)
				}
				if n%5000 == 0 {
					organization = "org-rare"
				}
				entries[i] = event.Entry{OrganizationID: organization, Type: kind, Context: []byte(`{"actor":{"id":"directory_1","source":"system","name":"Okta"}}`), Data: data}
				n++
			}
			ids = append(ids, l.Append(&w, time.Now(), entries...)...)
		}
		if err := d.Write(ctx, &w); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Position(ctx); err != nil {
		b.Fatal(err)
	}
	if engine == db.PostgreSQL {
		if err := d.Analyze(ctx); err != nil {
			b.Fatal(err)
		}
		rows, err := d.Query(ctx, "VACUUM event_queue") // as PostgreSQL does by itself within a minute
		if err != nil {
			b.Fatal(err)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	return d, l, ids
}

// BenchmarkPage reads pages of 100 by cursor, beside a bare read of 100 rows by the same index and, with filters, beside what finds
// nothing to leave out.
func BenchmarkPage(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		d, l, ids := filled(b, engine)
		from := func() string { return ids[rand.IntN(len(ids)*9/10)] }
		b.Run(string(engine)+"/bare", func(b *testing.B) {
			for b.Loop() {
				bare(b, d, int64(rand.IntN(len(ids)*9/10)))
			}
		})
		for name, q := range map[string]event.Query{
			"page":              {},
			"compatible":        {Compatible: true},
			"big organization":  {OrganizationID: "org-big"},
			"organization":      {OrganizationID: "org-7"},
			"rare organization": {OrganizationID: "org-rare"},
			"common type":       {Types: []event.Type{event.DirectoryUserUpdated, event.DirectoryUserCreated}},
			"rare type":         {Types: []event.Type{event.DirectoryDeleted}},
			"nobody's":          {OrganizationID: "org-nobody"},
		} {
			b.Run(string(engine)+"/"+name, func(b *testing.B) {
				read := 0
				for b.Loop() {
					q.After, q.Limit = from(), 100
					found, err := l.List(ctx, q)
					if err != nil {
						b.Fatal(err)
					}
					read += len(found)
				}
				b.ReportMetric(float64(read)/float64(b.N), "events/op")
			})
		}
		b.Run(string(engine)+"/lag", func(b *testing.B) {
			if _, err := l.CreateConsumer(ctx, event.NewConsumer{Name: "c"}, time.Now()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if c, err := l.Consumer(ctx, "c"); err != nil || c.Lag != event.MaxLag {
					b.Fatal(c.Lag, err)
				}
			}
			if err := l.DeleteConsumer(ctx, "c"); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func bare(b *testing.B, d *db.DB, after int64) {
	b.Helper()
	rows, err := d.Query(ctx, "SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE seq > $1 ORDER BY seq LIMIT 100", after)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, organization, kind string
		var n, at int64
		var cause, data []byte
		if err := rows.Scan(&id, &organization, &kind, &n, &at, &cause, &data); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}
