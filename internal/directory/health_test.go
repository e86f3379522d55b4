package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// aged makes rows of a table look as if they had been written a while ago.
func (h *house) aged(table, id string, ago time.Duration) {
	h.t.Helper()
	n, err := h.exec(`UPDATE `+table+` SET updated_at = $3 WHERE directory_id = $1 AND id = $2`, string(h.dir.ID), id, time.Now().Add(-ago).UnixMicro())
	h.ok(err)
	if n != 1 {
		h.t.Fatalf("%d rows of %s", n, table)
	}
}

func (h *house) health() directory.Health {
	h.t.Helper()
	out, err := h.s.Health(ctx, h.dir.ID)
	h.ok(err)
	return out
}

func TestHealth_names_groups_that_leavers_were_never_taken_out_of(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada, alan, grace := a.person("ada"), a.person("alan"), a.person("grace")
		staff, other := a.group("Staff", string(ada.ID), string(alan.ID)), a.group("Other", string(grace.ID))
		b.group("Theirs", string(b.person("ada").ID))
		a.activate(ada.ID, false)
		if got := a.health().LeftBehind; len(got) != 0 {
			a.t.Errorf("the provider has had no time to take her out: %+v", got)
		}
		a.aged("directory_users", string(ada.ID), 2*time.Hour)
		got := a.health().LeftBehind
		if len(got) != 1 || got[0].Group != staff.ID || got[0].Name != "Staff" || got[0].People != 1 || time.Since(got[0].Last).Round(time.Hour) != 2*time.Hour {
			a.t.Fatalf("%+v", got)
		}
		if got := b.health().LeftBehind; len(got) != 0 {
			b.t.Errorf("another organization's: %+v", got)
		}
		a.activate(alan.ID, false)
		a.aged("directory_users", string(alan.ID), 2*time.Hour)
		a.activate(grace.ID, false)
		a.aged("directory_users", string(grace.ID), 2*time.Hour)
		got = a.health().LeftBehind
		if len(got) != 2 || got[0].Group != staff.ID || got[0].People != 2 || got[1].Group != other.ID {
			a.t.Errorf("the group with the most comes first: %+v", got)
		}
		a.members(staff, scim.MembersRemove, string(ada.ID), string(alan.ID))
		if got := a.health().LeftBehind; len(got) != 1 || got[0].Group != other.ID {
			a.t.Errorf("the provider has taken them out: %+v", got)
		}
	})
}

// Of 100,000 people some hundred are inactive: neither everybody nor all groups may be gone through for them.
func TestLeavers_in_groups_are_looked_for_from_those_who_left_and_either_way_finds_the_same(t *testing.T) {
	each(t, func(h *house) {
		ada, grace := h.person("ada"), h.person("grace")
		h.group("Staff", string(ada.ID), string(grace.ID))
		h.activate(ada.ID, false)
		h.aged("directory_users", string(ada.ID), 2*time.Hour)
		for _, text := range directory.LeftBehindTexts() {
			var id, name string
			var people, last int64
			h.ok(h.db.QueryRow(ctx, text, string(h.dir.ID), time.Now().UnixMicro(), int64(10), int64(10)).Scan(&id, &name, &people, &last))
			if name != "Staff" || people != 1 {
				h.t.Errorf("%s has %d", name, people)
			}
		}
		plan, ok := dbtest.SQLitePlan(h.t, h.db, directory.LeftBehindTexts()[0], string(h.dir.ID), int64(1), int64(10), int64(10))
		if ok && (!strings.Contains(plan, "directory_users_inactive (directory_id=?)") || !strings.Contains(plan, "directory_group_members_member (directory_id=? AND member_id=?)")) {
			h.t.Errorf("the plan is\n%s", plan)
		}
	})
}

func TestHealth_calls_groups_stale_only_while_others_are_written_and_no_request_names_them(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		old, older, fresh := a.group("Old"), a.group("Older"), a.group("Fresh")
		const day = 24 * time.Hour
		a.aged("directory_groups", string(old.ID), 100*day)
		a.aged("directory_groups", string(older.ID), 200*day)
		names := func() (out []string) {
			for _, g := range a.health().Stale {
				out = append(out, g.Name)
			}
			return out
		}
		if got := names(); !slices.Equal(got, []string{"Older", "Old"}) {
			a.t.Errorf("%v", got)
		}
		a.noted(200, "/Groups/"+string(older.ID)+"?excludedAttributes=members")
		a.runBriefly()
		if got := names(); !slices.Equal(got, []string{"Old"}) {
			a.t.Errorf("the provider has just asked for it: %v", got)
		}
		a.aged("directory_groups", string(fresh.ID), 20*day)
		if got := names(); len(got) != 0 {
			a.t.Errorf("nothing was written to compare with: %v", got)
		}
		if got := b.health(); len(got.Stale) != 0 {
			b.t.Errorf("%+v", got)
		}
	})
}

func TestHealth_knows_the_last_request_that_was_let_in(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		if got := b.health().LastContact; !got.IsZero() {
			b.t.Errorf("nothing has come: %s", got)
		}
		a.person("ada")
		if got := a.health().LastContact; time.Since(got) > time.Minute {
			a.t.Errorf("%s", got)
		}
		if got := b.health().LastContact; !got.IsZero() {
			b.t.Errorf("another directory's: %s", got)
		}
	})
}

func TestArriving_counts_attributes_of_the_newest_people_in_extensions_too(t *testing.T) {
	each(t, func(h *house) {
		h.user(`{"userName":"ada","title":"Countess","emails":[{"value":"ada@acme.example"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`)
		h.user(`{"userName":"alan","title":"","emails":[]}`)
		has, looked, err := h.s.Arriving(ctx, h.dir.ID, "title", "emails", "department", "photos")
		h.ok(err)
		if want := map[string]int{"title": 1, "emails": 1, "department": 1}; looked != 2 || fmt.Sprint(has) != fmt.Sprint(want) {
			t.Errorf("%d %v", looked, has)
		}
	})
}

func TestArrived_knows_people_by_any_likeness_and_who_was_removed_again_within_the_organization(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		a.user(`{"userName":"Ada@acme.example","externalId":"00u1","emails":[{"value":"lovelace@acme.example"}]}`)
		gone := a.user(`{"userName":"gone@acme.example","externalId":"00u2"}`)
		a.ok(a.s.DeleteUser(ctx, a.a, string(gone.ID), directory.Condition{}, record))
		b.user(`{"userName":"theirs@other.example","externalId":"00u9"}`)
		for _, one := range []struct {
			who  directory.Identity
			want bool
		}{
			{directory.Identity{IDPID: "00u1"}, true},
			{directory.Identity{IDPID: "x", Email: "ADA@acme.example"}, true},
			{directory.Identity{IDPID: "ada@ACME.example"}, true},
			{directory.Identity{Email: "Lovelace@acme.example"}, true},
			{directory.Identity{IDPID: "00u2"}, true},
			{directory.Identity{Email: "gone@acme.example"}, true},
			{directory.Identity{IDPID: "00u3", Email: "nobody@acme.example"}, false},
			{directory.Identity{IDPID: "00u9", Email: "theirs@other.example"}, false},
			{directory.Identity{}, false},
		} {
			got, err := a.s.Arrived(ctx, string(a.org.ID), []directory.Identity{one.who})
			a.ok(err)
			if len(got) != 1 || got[0] != one.want {
				a.t.Errorf("%+v: %v", one.who, got)
			}
		}
		many := make([]directory.Identity, 600)
		many[599].IDPID = "00u1"
		got, err := a.s.Arrived(ctx, string(a.org.ID), many)
		a.ok(err)
		if len(got) != 600 || !got[599] || got[0] {
			a.t.Errorf("%d answers", len(got))
		}
	})
}
