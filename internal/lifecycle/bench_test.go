package lifecycle_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/token"
)

// counting counts what it is given, and how much memory was in use at most.
type counting struct {
	records, bytes int
	heap           uint64
}

func (*counting) Begin(string) error { return nil }

func (c *counting) Record(_ event.Type, _ time.Time, data []byte) error {
	c.bytes += len(data)
	if c.records++; c.records%10_000 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		c.heap = max(c.heap, m.HeapAlloc)
	}
	return nil
}

// BenchmarkSnapshot streams 100,000 people, half of them in a group.
func BenchmarkSnapshot(b *testing.B) {
	const people = 100_000
	for _, engine := range dbtest.Engines(b) {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, engine, migrations.Files)
			p := newProcess(b, d)
			a := p.directory(p.organization("Acme"), directory.Kept)
			first, err := p.person(a, "first") // links the directory
			p.must(err)
			g, err := p.group(a, "Half", string(first.ID))
			p.must(err)
			crowded(b, d, a.Directory.ID, g.ID, people)
			p.must(d.Analyze(b.Context()))
			var c counting
			took := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				p.must(p.snaps.Take(b.Context(), lifecycle.Selection{}, &c))
				took += time.Since(start)
			}
			if c.records < b.N*people*3/2 {
				b.Fatalf("%d records", c.records)
			}
			b.ReportMetric(float64(c.records)/took.Seconds(), "records/s")
			b.ReportMetric(float64(c.heap)/(1<<20), "MB")
		})
	}
}

// crowded writes people straight into the tables.
func crowded(b *testing.B, d *db.DB, directoryID directory.ID, g directory.GroupID, people int) {
	b.Helper()
	ids := token.NewSource(time.Now)
	for n := 0; n < people; n += 1000 {
		var users, members [][]any
		for i := n; i < n+1000; i++ {
			id, name := ids.NewID("directory_user"), fmt.Sprintf("person-%d@example.com", i)
			users = append(users, []any{string(directoryID), id, name, id, true, false, 1, 1, 1, fmt.Sprintf(
				`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"name":{"givenName":"Given","familyName":"Family %d"},"displayName":"Given Family %d",`+
					`"title":"Engineer","emails":[{"value":%q,"type":"work","primary":true}],"active":true,"externalId":"00u%d"}`, name, i, i, name, i)})
			if i%2 == 0 {
				members = append(members, []any{string(directoryID), string(g), id, "user"})
			}
		}
		var w db.Write
		w.Many(`INSERT INTO directory_users (directory_id, id, user_name_key, idp_id, active, suspended, version, created_at, updated_at, document)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, users)
		w.Many(`INSERT INTO directory_group_members (directory_id, group_id, member_id, kind) VALUES ($1, $2, $3, $4)`, members)
		if err := d.Write(b.Context(), &w); err != nil {
			b.Fatal(err)
		}
	}
}
