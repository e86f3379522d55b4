package member_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/member"
)

// Whoever comes in for the first time is looked for by the address among those of whom nobody is meant: there may be a hundred thousand.
func TestPeople_of_whom_nobody_is_meant_are_found_by_their_address(t *testing.T) {
	onEach(t, func(h *house) {
		plan, ok := dbtest.SQLitePlan(t, h.db, member.SelectUnlinked(), "org_1", "ada@acme.example")
		if ok && !strings.Contains(plan, "membership_claims_nobodies (email_key=?)") {
			t.Errorf("the plan is\n%s", plan)
		}
	})
}
