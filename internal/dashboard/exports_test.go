package dashboard_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// rows are the lines of an export, as programs read them: by the names of the columns.
func (b *browser) rows(t *testing.T, path string) (out []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(b.get(path).want(t, http.StatusOK).body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[all[0][i]] = cell
		}
		out = append(out, row)
	}
	return out
}

// column is one column of them, sorted.
func column(rows []map[string]string, name string) (out []string) {
	for _, r := range rows {
		out = append(out, r[name])
	}
	slices.Sort(out)
	return out
}

func TestExports_have_all_pages_and_only_what_the_filter_leaves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 510 // more than an export reads at once, and than a page's search looks at
		acme, other := w.organization("Acme"), w.organization("Other")
		f, theirs := w.feed(acme, directory.New{}), w.feed(other, directory.New{})
		u := f.user(`{"userName":"ada@acme.example","active":true}`)
		for i := range many {
			f.group(fmt.Sprintf("Group %03d", i))
			f.exchange(directory.Exchange{Method: "GET", Path: fmt.Sprintf("/Users/%d", i), Status: 200 + 200*(i%2)})
		}
		f.group("=Formula", string(u.ID))
		theirs.group("Group of others")
		b := w.as(operator.ReadOnly)

		if got := b.rows(t, f.at("groups")+"/export"); len(got) != many+1 || !slices.Contains(column(got, "name"), "'=Formula") || slices.Contains(column(got, "name"), "Group of others") {
			t.Errorf("%d groups, want %d", len(got), many+1)
		}
		if got := b.rows(t, f.at("groups")+"/export?search=group"); len(got) != many {
			t.Errorf("%d groups are called so, want %d", len(got), many)
		}
		ids := column(b.rows(t, f.at("exchanges")+"/export"), "id")
		if n := len(slices.Compact(ids)); n < many {
			t.Errorf("%d requests, want %d at least", n, many)
		}
		refused := b.rows(t, f.at("exchanges")+"/export?show=refused")
		if len(refused) != many/2 || slices.ContainsFunc(refused, func(r map[string]string) bool { return r["status"] != "400" }) {
			t.Errorf("%d refused requests, want %d", len(refused), many/2)
		}
		if got := b.rows(t, "/dashboard/events/export?type=dsync.group.created&organization="+string(acme.ID)); len(got) != many+1 || len(slices.Compact(column(got, "id"))) != many+1 {
			t.Errorf("%d events, want %d", len(got), many+1)
		}
		if got := b.rows(t, "/dashboard/events/export?type=dsync.group.created&organization="+string(other.ID)); len(got) != 1 || got[0]["organization"] != "Other" {
			t.Errorf("events of the other: %v", got)
		}
		b.get("/dashboard/events/export?type=nonsense").want(t, http.StatusUnprocessableEntity)
		b.get(f.at("exchanges")+"/export?after=nonsense").want(t, http.StatusBadRequest)
	})
}

func TestExports_of_what_belongs_to_one_hold_nothing_of_another(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		f, theirs := w.feed(acme, directory.New{}), w.feed(other, directory.New{})
		g, stranger := f.group("Engineers", string(f.user(`{"userName":"ada@acme.example","active":true}`).ID)), theirs.user(`{"userName":"eve@other.example","active":true}`)
		u := w.people(acme, "ada@acme.example")[0]
		here, there := w.seated(acme, u), w.seated(other, u)
		c := w.okta(acme, "Okta")
		w.attempt(c, "ada@acme.example")
		w.came(c, "grace@acme.example")
		w.attempt(w.okta(other, "Entra"), "eve@other.example")
		b := w.as(operator.ReadOnly)

		if got := b.rows(t, f.at("groups", string(g.ID))+"/export"); len(got) != 1 || got[0]["user_name"] != "ada@acme.example" {
			t.Errorf("people of the group: %v", got)
		}
		b.get(theirs.at("groups", string(g.ID))+"/export").want(t, http.StatusNotFound)
		b.get(f.at("users", string(stranger.ID), "groups")+"/export").want(t, http.StatusNotFound)
		if got := column(b.rows(t, memberAt(w.memberOf(acme, u), "sessions")+"/export"), "id"); !slices.Equal(got, []string{here.ID}) || here.ID == there.ID {
			t.Errorf("sessions %v, want %s alone", got, here.ID)
		}
		if got := column(b.rows(t, of(c, "sign-ins")+"/export"), "email"); !slices.Equal(got, []string{"ada@acme.example", "grace@acme.example"}) {
			t.Errorf("sign-ins %v", got)
		}
		if got := b.rows(t, of(c, "sign-ins")+"/export?state=succeeded"); len(got) != 1 || got[0]["email"] != "grace@acme.example" {
			t.Errorf("sign-ins that succeeded: %v", got)
		}
		b.get(of(c, "sign-ins")+"?state=succeeded").want(t, http.StatusOK).says(t, "grace@acme.example")
		if strings.Contains(b.get(of(c, "sign-ins")+"?state=succeeded").text(), "ada@acme.example") {
			t.Error("the page's filter leaves others")
		}
		b.get(of(c, "sign-ins")+"?state=nonsense").want(t, http.StatusUnprocessableEntity)
		if got := b.rows(t, "/dashboard/connections/export?organization="+string(acme.ID)); len(got) != 1 || got[0]["name"] != "Okta" {
			t.Errorf("connections of Acme: %v", got)
		}
		if got := b.rows(t, "/dashboard/connections/export?search=entr"); len(got) != 1 || got[0]["organization"] != "Other" {
			t.Errorf("connections called Entra: %v", got)
		}
		if got := column(b.rows(t, "/dashboard/members/export?email=ada@acme.example"), "organization"); !slices.Equal(got, []string{"Acme"}) {
			t.Errorf("memberships of Ada: %v", got)
		}
		for _, bad := range []string{"/dashboard/api-keys/export", "/dashboard/members/export", "/dashboard/api-keys/export?organization=" + string(org.ID("org_01ARZ3NDEKTSV4RRFFQ69G5FAV"))} {
			b.get(bad).want(t, http.StatusNotFound)
		}
	})
}

// Who may look at a table may take it along, and nobody else: an export is refused to those to whom its page is.
func TestExports_are_for_those_who_may_see_the_page(t *testing.T) {
	w := small(t)
	see := map[string]operator.Role{}
	for _, l := range dashboard.Table() {
		if l.Gets {
			see[l.Pattern] = l.See
		}
	}
	exports := 0
	for _, l := range dashboard.Table() {
		page, is := strings.CutSuffix(l.Pattern, "/export")
		if !is {
			continue
		}
		exports++
		if role, there := see[page]; there && role != l.See {
			t.Errorf("%s is for %s, its page for %s", l.Pattern, l.See, role)
		}
		if l.Posts || !l.Gets {
			t.Errorf("%s is no page to get", l.Pattern)
		}
	}
	if exports < 25 {
		t.Errorf("there are only %d exports", exports)
	}
	w.as(operator.ReadOnly).get("/dashboard/operators/export").want(t, http.StatusForbidden)
	w.as(operator.Admin).get("/dashboard/operators/export").want(t, http.StatusForbidden)
	if got := column(w.as(operator.Owner).rows(t, "/dashboard/operators/export"), "role"); !slices.Equal(got, []string{"admin", "owner", "read_only"}) {
		t.Errorf("operators: %v", got)
	}
	w.stranger().get("/dashboard/organizations/export").location(t)
}

// Of what opens a door an export has no more than the page: the last characters, or that it is there.
func TestExports_hold_no_secret(t *testing.T) {
	w := small(t)
	acme := w.organization("Acme")
	_, value, err := w.orgs.CreateAPIKey(ctx, tester(), acme.ID, org.NewAPIKey{Name: "OneLogin", Permissions: []string{org.PermissionSCIM}})
	w.ok(err)
	e, err := w.webhooks.Create(ctx, webhook.New{URL: "http://127.0.0.1:9/hook", Types: []event.Type{"user.created"}})
	w.ok(err)
	b := w.as(operator.Owner)
	keys := b.rows(t, "/dashboard/api-keys/export?organization="+string(acme.ID))
	if len(keys) != 1 || keys[0]["name"] != "OneLogin" || !strings.HasSuffix(value.Reveal(), keys[0]["hint"]) || len(keys[0]["hint"]) != 4 {
		t.Errorf("keys: %v", keys)
	}
	hooks := b.rows(t, "/dashboard/webhooks/export")
	if len(hooks) != 1 || hooks[0]["endpoint_url"] != e.URL || hooks[0]["events"] != "user.created" {
		t.Errorf("endpoints: %v", hooks)
	}
	for _, rows := range [][]map[string]string{keys, hooks} {
		for name, cell := range rows[0] {
			if strings.Contains(cell, value.Reveal()) || strings.Contains(cell, e.Secret.Reveal()) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
	b.get("/dashboard/webhooks/"+string(e.ID)+"/deliveries/export?"+url.Values{"state": {"nonsense"}}.Encode()).want(t, http.StatusUnprocessableEntity)
}
