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

// People are read ahead by their keys, and not by going through their organization.
func TestPeople_are_read_ahead_by_their_keys(t *testing.T) {
	onEach(t, func(h *house) {
		claims, accounts := h.members.AheadTexts()
		for text, args := range map[string][]any{claims: {"org_1", "directory_1", `["a"]`}, accounts: {"org_1", `["a"]`}} {
			plan, ok := dbtest.SQLitePlan(t, h.db, text, args...)
			if !ok {
				return
			}
			for step := range strings.Lines(plan) {
				if strings.HasPrefix(step, "SCAN") && !strings.HasPrefix(step, "SCAN json_each") || strings.Contains(step, "(organization_id=?)") {
					t.Errorf("%s\nis planned as\n%s", text, plan)
				}
			}
		}
	})
}
