package dashboard_test

import (
	"encoding/csv"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/web"
)

// notExported are tables that nobody takes along, by the id that they have on their page, and why.
func notExported() map[string]string {
	return map[string]string{
		"/dashboard/account sessions":                                          "an operator's own, a handful",
		"/dashboard/account passkeys":                                          "an operator's own, a handful",
		"/dashboard/members organizations":                                     "a choice on the way to a list; organizations are exported on their own page",
		"/dashboard/api-keys organizations":                                    "a choice on the way to a list; organizations are exported on their own page",
		"/dashboard/members/{id} teams":                                        "those of one person; the teams export who is in them",
		"/dashboard/members/{id} identities":                                   "those of one person, one for each connection",
		"/dashboard/connections/{id} certificates":                             "a handful, of one connection",
		"/dashboard/applications/{id} secrets":                                 "a handful, of one application",
		"/dashboard/signing-keys signing-keys":                                 "a handful, of the installation",
		"/dashboard/settings settings":                                         "as many as there are settings; the file that they come from says the same",
		"/dashboard/directories/{id}/tokens tokens":                            "two that live; the audit has when the others were revoked",
		"/dashboard/directories/{id}/groups/{group} others":                    "the first hundred, none of whom is a person",
		"/dashboard/directories/{id}/users/{user} attributes":                  "those of one person",
		"/dashboard/directories/{id}/health not-arrived":                       "a look at the newest, of bounded length; the sign-ins are exported",
		"/dashboard/directories/{id}/health left-behind":                       "a look of bounded length; the groups' people are exported",
		"/dashboard/directories/{id}/health attributes":                        "as many as there are attributes",
		"/dashboard/directories/{id}/holds holds":                              "the brake's few holds of a directory",
		"/dashboard/directories/{id}/holds/{hold} held":                        "people whom the brake holds for an hour at most; the members' states are exported",
		"/dashboard/organizations/{id}/switches switches":                      "a handful, of one organization",
		"/dashboard/organizations/{id}/switches/{switch} who":                  "a proposal that is worked through on the page",
		"/dashboard/organizations/{id}/switches/{switch}/people/{old} offered": "a handful to choose from",
	}
}

// unseen are addresses that hold no table of their own, though nothing leads there from the pages that the test looks at.
func unseen() []string {
	return []string{
		"/dashboard/directories/{id}/brake",                            // the page of the settings again
		"/dashboard/directories/{id}/exchanges/live",                   // the list of its page again
		"/dashboard/organizations/{id}/switches/{switch}/revert",       // a question, of a switch that is over
		"/dashboard/organizations/{id}/switches/{switch}/groups/{old}", // the form of a group, as that of a person
	}
}

var (
	listed = regexp.MustCompile(`<div class="listing" id="([a-z-]+)"`)
	taken  = regexp.MustCompile(`<a[^>]* id="export-([a-z-]+)"[^>]*>`)
	linked = regexp.MustCompile(` href="([^"#]+)"`)
)

// spider walks all pages that lead to each other, one of each line of the table, from addresses on.
type spider struct {
	browser *browser
	seen    map[string]answer // by pattern
	queue   []string
}

// patternOf is the line of the table that an address is of.
func patternOf(path string) string {
	if found, _ := web.Find(dashboard.Addresses(), func(a *string) web.Pattern { return web.NewPattern(*a) }, path); found != nil {
		return *found
	}
	return ""
}

func (s *spider) walk(t *testing.T) {
	t.Helper()
	for len(s.queue) > 0 {
		address := s.queue[0]
		s.queue = s.queue[1:]
		path, query, _ := strings.Cut(address, "?")
		pattern := patternOf(path)
		key := pattern
		if at, err := url.ParseQuery(query); err != nil {
			t.Fatal(err)
		} else if at.Has("organization") {
			key += "?organization"
		}
		if _, there := s.seen[key]; pattern == "" || there {
			continue
		}
		page := s.browser.get(address)
		s.seen[key] = page
		if page.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", address, page.StatusCode)
		}
		for _, found := range linked.FindAllStringSubmatch(page.body, -1) {
			if href := html.UnescapeString(found[1]); strings.HasPrefix(href, dashboard.Prefix) {
				s.queue = append(s.queue, href)
			}
		}
	}
}

// A page with a table and no export is one that somebody forgot.
func TestEvery_table_of_the_dashboard_is_taken_along_or_says_why_not(t *testing.T) {
	apps, customers := furnish(t), small(t)
	acme, f, u, g, bad := customers.customer()
	silent := customers.feed(acme, directory.New{Name: "Silent", Silent: true})
	silent.user(`{"userName":"alan@acme.example"}`)
	_, err := customers.orgs.AskApproval(ctx, event.Actor{ID: "contact_1", Source: event.AdminPortal}, acme.ID, acme.Domains[1].ID)
	customers.ok(err)
	found, _, err := apps.orgs.List(ctx, org.ListQuery{Search: "Acme", Limit: 1})
	apps.ok(err)
	_, err = apps.members.Access().CreateRole(ctx, tester(), access.NewRole{OrganizationID: string(found[0].ID), Slug: "org-editor", Name: "Editor here"})
	apps.ok(err)
	ill := customers.feed(customers.organization("Ill"), directory.New{})
	gone := ill.user(`{"userName":"grace@ill.example","displayName":"Grace Hopper","active":true}`)
	ill.group("Everybody", string(gone.ID))
	ill.deactivate(gone)
	customers.came(customers.okta(org.Organization{ID: org.ID(ill.dir.OrganizationID)}, "Okta"), "ada@ill.example")
	customers.later(2 * time.Hour)
	held, _, hold := customers.braked(customers.organization("Held"), "Person", 4)
	moved := customers.moving("Moving")
	change, err := customers.switches.Create(ctx, tester(), moved.org.ID, lifecycle.NewSwitch{Directory: switching.Pair{From: string(moved.old.dir.ID), To: string(moved.next.dir.ID)}})
	customers.ok(err)
	walks := []*spider{
		{browser: apps.as(operator.Owner), seen: map[string]answer{}, queue: slices.Sorted(maps.Values(apps.pages))},
		{browser: customers.as(operator.Owner), seen: map[string]answer{}, queue: []string{
			at(acme), f.at("users", string(u.ID)), f.at("groups", string(g.ID)), f.at("exchanges", string(bad)), silent.at("go-live"), ill.at("health"), held.at("holds", string(hold.ID)), moved.at(string(change.ID)), moved.at(string(change.ID), "people", string(moved.bob.ID)), "/dashboard/members?organization=" + string(acme.ID), "/dashboard/passkeys/new",
		}},
	}
	tables, seen, met, excuses := 0, map[string]bool{}, map[string]bool{}, notExported()
	for _, s := range walks {
		s.walk(t)
		tables += s.check(t, excuses, met)
		for key := range s.seen {
			pattern, _, _ := strings.Cut(key, "?")
			seen[pattern] = true
		}
	}
	for excuse := range excuses {
		if !met[excuse] {
			t.Errorf("there is no table %s, which the list excuses", excuse)
		}
	}
	if tables < 40 {
		t.Errorf("there were only %d tables", tables)
	}
	for _, l := range dashboard.Table() {
		if !seen[l.Pattern] && l.Gets && !slices.Contains(unseen(), l.Pattern) {
			t.Errorf("nothing led to %s: whether its tables are exported nobody has seen", l.Pattern)
		}
	}
}

// check asks each table for its export, and counts them.
func (s *spider) check(t *testing.T, reasons map[string]string, met map[string]bool) (tables int) {
	t.Helper()
	for key, page := range s.seen {
		pattern, _, _ := strings.Cut(key, "?")
		exports := map[string]string{}
		for _, link := range taken.FindAllStringSubmatch(page.body, -1) {
			exports[link[1]] = html.UnescapeString(linked.FindStringSubmatch(link[0])[1])
		}
		for _, found := range listed.FindAllStringSubmatch(page.body, -1) {
			tables++
			reason, excused := reasons[pattern+" "+found[1]]
			met[pattern+" "+found[1]] = true
			if key != pattern { // of one organization: no choice of one any more
				excused = false
			}
			switch href, there := exports[found[1]]; {
			case there && excused:
				t.Errorf("%s: the table %q is exported, though the list says that it is not: %s", key, found[1], reason)
			case there:
				checkExport(t, s.browser, href)
			case !excused:
				t.Errorf("%s: the table %q has no export", key, found[1])
			}
		}
	}
	return tables
}

// checkExport asks that an export is a table in a file, as programs read it, and holds no secret.
func checkExport(t *testing.T, b *browser, href string) {
	t.Helper()
	page := b.get(href)
	if page.StatusCode != http.StatusOK || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/csv; charset=utf-8; header=present") || page.Header.Get("Cache-Control") != "no-store" ||
		!regexp.MustCompile(`^attachment; filename="[a-z-]+\.csv"$`).MatchString(page.Header.Get("Content-Disposition")) {
		t.Errorf("%s: %d %v", href, page.StatusCode, page.Header)
		return
	}
	rows, err := csv.NewReader(strings.NewReader(page.body)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Errorf("%s: %v %q", href, err, page.body)
		return
	}
	for i, name := range rows[0] {
		if !regexp.MustCompile(`^[a-z_]+$`).MatchString(name) || slices.Index(rows[0], name) != i {
			t.Errorf("%s: the column %q", href, name)
		}
		if strings.Contains(name, "secret") || strings.Contains(name, "token") || strings.Contains(name, "password") {
			t.Errorf("%s: a column for a secret: %q", href, name)
		}
	}
}
