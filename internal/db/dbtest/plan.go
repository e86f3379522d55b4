package dbtest

import (
	"context"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// SQLitePlan is how SQLite goes about a statement, a step a line. What SQLite plans does not depend on what is stored; PostgreSQL's plans do, so
// of it there is none: ok is false.
func SQLitePlan(t testing.TB, d *db.DB, text string, args ...any) (plan string, ok bool) {
	t.Helper()
	if d.Engine() != db.SQLite {
		return "", false
	}
	rows, err := d.Query(context.Background(), "EXPLAIN QUERY PLAN "+text, args...)
	must(t, err)
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int64
		var step string
		must(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	must(t, rows.Err())
	return strings.Join(steps, "\n"), true
}
