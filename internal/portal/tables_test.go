package portal

import (
	"encoding/csv"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// notExported are tables that nobody takes along, by the id that they have on their page, and why.
func notExported() map[string]string {
	return map[string]string{
		"/portal/health/{directory} attributes": "as many as there are attributes",
		"/portal/brake/{directory}/{hold} held": "people whom the brake holds for an hour at most",
	}
}

var (
	tabled = regexp.MustCompile(`<div class="listing" id="([a-z-]+)"`)
	taken  = regexp.MustCompile(`<a[^>]* id="export-([a-z-]+)"[^>]*>`)
	linked = regexp.MustCompile(` href="([^"#]+)"`)
)

// A page with a table and no export is one that somebody forgot.
func TestEvery_table_of_the_portal_is_taken_along_or_says_why_not(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c, tables := d.company("Acme"), map[string]bool{}
		for _, r := range table() {
			if !r.inside() || r.call.get == nil {
				continue
			}
			page := c.get(c.path(r.pattern))
			exports := map[string]string{}
			for _, link := range taken.FindAllStringSubmatch(page.body, -1) {
				exports[link[1]] = html.UnescapeString(linked.FindStringSubmatch(link[0])[1])
			}
			for _, found := range tabled.FindAllStringSubmatch(page.body, -1) {
				tables[found[1]], tables[r.pattern+" "+found[1]] = true, true
				reason := notExported()[r.pattern+" "+found[1]]
				href, there := exports[found[1]]
				if there == (reason != "") {
					t.Errorf("%s: the table %q: exported %t, %q", r.pattern, found[1], there, reason)
				}
				if there {
					c.rows(href)
				}
			}
		}
		for excuse := range notExported() {
			if !tables[excuse] {
				t.Errorf("there is no table %s, which the list excuses", excuse)
			}
		}
		for _, known := range []string{"access", "leavers"} {
			if !tables[known] {
				t.Errorf("the table %q was nowhere", known)
			}
		}
	})
}

// rows are the lines of an export, as programs read them: by the names of the columns.
func (b *adminBrowser) rows(path string) (out []map[string]string) {
	b.Helper()
	all, err := csv.NewReader(strings.NewReader(b.get(path).wants(http.StatusOK).body)).ReadAll()
	b.must(err)
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[all[0][i]] = cell
		}
		out = append(out, row)
	}
	return out
}

func TestLeavers_are_exported_with_the_times_of_their_receipts(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c, other := d.company("Acme"), d.company("Other")
		rows := c.rows("/portal/leavers.csv")
		if len(rows) != 1 {
			t.Fatalf("%d leavers: %v", len(rows), rows)
		}
		row := rows[0]
		for name, want := range map[string]string{
			"offboarding_id": c.leaver.ID, "email": "leaves@acme.example", "status": "inactive", "sessions_ended": "0", "requested_at": "", "ended_at": c.leaver.Receipt.EndedAt,
			"committed_by": c.leaver.Receipt.CommittedBy, "user_id": c.leaver.UserID,
		} {
			if got, there := row[name]; !there || got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if at, err := time.Parse(time.RFC3339Nano, row["ended_at"]); err != nil || at.IsZero() || row["seconds"] == "" || row["complete"] == "" {
			t.Errorf("%v %v", row, err)
		}
		if theirs := other.rows("/portal/leavers.csv"); len(theirs) != 1 || theirs[0]["email"] != "leaves@other.example" {
			t.Errorf("%v", theirs)
		}
		c.get("/portal/leavers").wants(http.StatusOK)
		if body := c.get("/portal/leavers").body; !strings.Contains(body, `href="/portal/leavers.csv"`) {
			t.Error("the page does not lead to its export")
		}
	})
	atDesks(t, false, func(d *desk) {
		d.enter(d.organization("Acme").ID, "audit_logs").get("/portal/leavers.csv").wants(http.StatusNotFound)
	})
}

func TestExport_of_who_had_access_is_of_the_day_that_the_page_shows(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		at := func(path string) (export string, people []string) {
			page := c.get(path).wants(http.StatusOK).body
			export = html.UnescapeString(linked.FindStringSubmatch(taken.FindString(page))[1])
			for _, row := range c.rows(export) {
				people = append(people, row["email"])
			}
			return export, people
		}
		if _, now := at("/portal/access"); !slices.Equal(now, []string{"stays@acme.example"}) {
			t.Error("now:", now)
		}
		if export, then := at("/portal/access?day=2001-01-01"); len(then) > 0 || !strings.HasSuffix(export, "?day=2001-01-01") {
			t.Error(export, then)
		}
		if export, now := at("/portal/access?day=2999-01-01"); len(now) != 1 || strings.Contains(export, "day") {
			t.Error("a day that has not come is answered with now, and exported as", export, now)
		}
	})
}

func TestLast_of_several_times_is_known_once_all_are(t *testing.T) {
	at := func(text *string) *string { return text }
	early, late := "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
	for _, one := range []struct {
		all  []*string
		want string
	}{{nil, ""}, {[]*string{&late, &early}, late}, {[]*string{&early, nil}, ""}} {
		if got := lastOf(one.all, at); got != one.want {
			t.Errorf("%q, want %q", got, one.want)
		}
	}
}
