package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/operator"
)

// Lists are taken along whole, as their filter leaves them, however many pages they have; and without formulas.
func TestLists_are_exported_whole_as_their_filter_leaves_them(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const people = 620 // more than an export reads at once
		acme, other := w.organization("Acme"), w.organization("=Other()")
		f := w.feed(acme, directory.New{})
		for i := range people {
			f.user(fmt.Sprintf(`{"userName":"p%03d@acme.example","externalId":"00u%d","displayName":"@SUM(%d)","active":%v}`, i, i, i, i%5 != 0))
		}
		w.feed(other, directory.New{}).user(`{"userName":"stranger@other.example","active":true}`)
		b := w.as(operator.ReadOnly)

		users := exported(t, b, f.at("users")+"/export", "directory-users.csv")
		if len(users) != people+1 || !strings.HasPrefix(users[0], "id,name,email,state,user_name,idp_id,") {
			t.Errorf("%d lines, the first %q; want %d", len(users), users[0], people+1)
		}
		all := strings.Join(users, "\n")
		for i := range people {
			if strings.Count(all, fmt.Sprintf(",p%03d@acme.example,00u%d,", i, i)) != 1 {
				t.Errorf("p%03d is not there once", i)
			}
		}
		if strings.Contains(all, "stranger") || strings.Contains(all, ",@SUM") || !strings.Contains(all, ",'@SUM(7),") {
			t.Errorf("somebody else's people, or a formula: %.400s", all)
		}
		if got := exported(t, b, f.at("users")+"/export?state=inactive", "directory-users.csv"); len(got) != people/5+1 {
			t.Errorf("%d lines of inactive people, want %d", len(got), people/5+1)
		}
		if got := exported(t, b, f.at("users")+"/export?search=p01", "directory-users.csv"); len(got) != 10+1 {
			t.Errorf("%d lines of those whose names begin with p01, want 11", len(got))
		}
		if got := exported(t, b, f.at("users")+"/export?search=p&state=active", "directory-users.csv"); len(got) != people-people/5+1 {
			t.Errorf("%d lines of active people whose names begin with p, want %d: a search of a page looks at 500", len(got), people-people/5+1)
		}
		if got := exported(t, b, "/dashboard/organizations/export", "organizations.csv"); len(got) != 2+1 || !strings.Contains(got[1]+got[2], ",'=Other(),") {
			t.Errorf("organizations: %q", got)
		}
		if got := exported(t, b, "/dashboard/organizations/export?search=Acm", "organizations.csv"); len(got) != 1+1 {
			t.Errorf("organizations that begin with Acm: %q", got)
		}
		b.get(f.at("users")).want(t, http.StatusOK).says(t, "CSV")
	})
}

func TestMembers_are_exported_with_why(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		w.people(acme, "ada@acme.example")
		w.people(other, "stranger@other.example")
		b := w.as(operator.ReadOnly)
		got := exported(t, b, "/dashboard/members/export?organization="+string(acme.ID), "members.csv")
		if len(got) != 2 || !strings.Contains(got[1], ",ada@acme.example,") || !strings.Contains(got[1], ",active,") {
			t.Errorf("members: %q", got)
		}
		if got := exported(t, b, "/dashboard/members/export?state=removed&organization="+string(acme.ID), "members.csv"); len(got) != 1 {
			t.Errorf("removed members: %q", got)
		}
		b.get("/dashboard/members/export?state=nonsense&organization="+string(acme.ID)).want(t, http.StatusUnprocessableEntity)
		b.get("/dashboard/members/export?organization=org_01ARZ3NDEKTSV4RRFFQ69G5FAV").want(t, http.StatusNotFound)
		if b.get("/dashboard/members/export").StatusCode == http.StatusOK {
			t.Error("members of every organization are exported at once")
		}
	})
}

// exported are the lines of an export.
func exported(t *testing.T, b *browser, address, file string) []string {
	t.Helper()
	page := b.get(address).want(t, http.StatusOK)
	if d := page.Header.Get("Content-Disposition"); d != `attachment; filename="`+file+`"` {
		t.Errorf("the file is called %q", d)
	}
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(page.body, "\r\n", "\n")), "\n")
}
