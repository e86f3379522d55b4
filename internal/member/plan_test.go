package member_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
)

// Whoever comes in for the first time is looked for by the address among those of whom nobody is meant: there may be a hundred thousand.
func TestPeople_of_whom_nobody_is_meant_are_found_by_their_address(t *testing.T) {
	onEach(t, func(h *house) {
		if h.db.Engine() != db.SQLite {
			return // PostgreSQL plans by what is stored
		}
		rows, err := h.db.Query(t.Context(), "EXPLAIN QUERY PLAN "+member.SelectUnlinked(), "org_1", "ada@acme.example")
		h.must(err)
		defer rows.Close()
		var plan []string
		for rows.Next() {
			var id, parent, unused int64
			var step string
			h.must(rows.Scan(&id, &parent, &unused, &step))
			plan = append(plan, step)
		}
		h.must(rows.Err())
		if all := strings.Join(plan, "\n"); !strings.Contains(all, "membership_claims_nobodies (email_key=?)") {
			t.Errorf("the plan is\n%s", all)
		}
	})
}
