package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/token"
)

// moving is an organization with an old directory of three people, and a new one that has one of them by the same user name.
type moving struct {
	org       org.Organization
	old, next *feed
	ada, bob  directory.User
	robert    directory.User
	engineers directory.Group
}

func (w *world) moving(name string) moving {
	w.t.Helper()
	m := moving{org: w.organization(name, org.NewDomain{Domain: strings.ToLower(name) + ".example", State: org.Verified})}
	domain := strings.ToLower(name)
	person := func(f *feed, user, shown string) directory.User {
		return f.user(fmt.Sprintf(`{"userName":"%s@%s.example","displayName":%q,"active":true}`, user, domain, shown))
	}
	m.old = w.feed(m.org, directory.New{Name: "Okta", Provisioning: directory.Direct})
	m.ada, m.bob = person(m.old, "ada", hostile), person(m.old, "bob", "Bob")
	person(m.old, "cyd", "Cyd")
	m.engineers = m.old.group("Engineers", string(m.ada.ID))
	w.ok(w.dirs.Provision(ctx))
	m.next = w.feed(m.org, directory.New{Name: "Entra", Silent: true, Provisioning: directory.Direct})
	person(m.next, "ada", "Ada of Entra")
	m.robert = person(m.next, "robert", "Robert")
	return m
}

func (m moving) at(parts ...string) string {
	return at(m.org, append([]string{"switches"}, parts...)...)
}

// begun is a switch of the two directories, begun on the page.
func (m moving) begun(t *testing.T, b *browser) string {
	t.Helper()
	to := b.send(m.at("new"), "from_directory", string(m.old.dir.ID), "to_directory", string(m.next.dir.ID)).location(t)
	path, did, _ := strings.Cut(to, "?")
	if did != "did=switch_begun" {
		t.Fatal("leads to", to)
	}
	return path
}

// leadsTo are the pages that a page leads to.
var leadsTo = regexp.MustCompile(`<a [^>]*href="(/dashboard/[^"#?]*)"`)

var hiddenField = regexp.MustCompile(`name="(unmatched|groups_lost|leaving)" value="(\d+)"`)

func (a answer) hidden() (out []string) {
	for _, m := range hiddenField.FindAllStringSubmatch(a.body, -1) {
		out = append(out, m[1], m[2])
	}
	return out
}

func TestSwitch_is_begun_matched_cut_over_and_reverted_in_the_dashboard(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, b := w.moving("Acme"), w.as(operator.Admin)
		b.get(m.at()).want(t, http.StatusOK).says(t, "The identity provider was never switched", "Switch the identity provider")
		for _, to := range leadsTo.FindAllStringSubmatch(b.get(m.at("new")).want(t, http.StatusOK).says(t, "Old directory", "Okta", "Entra · Collecting").body, -1) {
			b.get(to[1]).want(t, http.StatusOK)
		}
		b.send(m.at("new"), "from_directory", string(m.old.dir.ID)).want(t, http.StatusUnprocessableEntity).says(t, "on both sides or on neither")
		b.send(m.at("new")).want(t, http.StatusUnprocessableEntity).says(t, "Name what is switched from")
		path := m.begun(t, b)
		w.byOperator(t, "identity_provider_switch.created")
		b.send(m.at("new"), "from_directory", string(m.old.dir.ID), "to_directory", string(m.next.dir.ID)).want(t, http.StatusConflict)
		b.get(at(m.org)).says(t, "A switch of the identity provider is being prepared")
		b.get(m.next.at()).says(t, "goes live with the cut-over")

		b.get(path).want(t, http.StatusOK).says(t, "Being prepared", "Matched: by user name", "Ada of Entra", "Bob", "Unmatched", "Robert", "Only new").harmless(t)
		if text := b.get(path+"?match=unmatched").want(t, http.StatusOK).says(t, "Bob", "Cyd").text(); strings.Contains(text, "Robert") {
			t.Error("the filter lets others through")
		}
		b.get(path+"?kind=groups").want(t, http.StatusOK).says(t, "Engineers", "Unmatched")
		b.get(path+"?match=nonsense").want(t, http.StatusBadRequest)
		b.get(path+"?after=directory_1").want(t, http.StatusBadRequest)

		match := path + "/people/" + string(m.bob.ID)
		b.get(match).want(t, http.StatusOK).says(t, "Who is Bob in the new directory?", "Robert", "Ada of Entra", "Nobody is")
		b.get(match+"?search=rob").says(t, "Robert")
		b.send(match).want(t, http.StatusBadRequest)
		b.send(match, "new", hostile).want(t, http.StatusUnprocessableEntity).says(t, "The new directory has no").harmless(t)
		b.send(match, "new", string(m.ada.ID)).want(t, http.StatusUnprocessableEntity)
		b.send(match, "new", string(m.robert.ID)).location(t)
		w.byOperator(t, "identity_provider_switch.match_set")
		b.get(path).says(t, "Matched: by hand")
		b.get(path+"/people/"+string(m.ada.ID)).want(t, http.StatusOK).says(t, "Who is").harmless(t)
		b.get(path+"/groups/"+string(m.engineers.ID)).want(t, http.StatusOK).says(t, "Who is Engineers")

		ask := b.get(path+"/cut-over").want(t, http.StatusOK).says(t, "2 people are matched", "1 person is unmatched or ambiguous, and stays as they are")
		b.send(path+"/cut-over", "unmatched", "0").want(t, http.StatusConflict).says(t, "have no certain counterpart")
		b.send(path+"/cut-over", ask.hidden()...).location(t)
		w.byOperator(t, "identity_provider_switch.cut_over")
		b.get(path).want(t, http.StatusOK).says(t, "Cut over", "Can be reverted until", "Revert")
		b.get(at(m.org)).says(t, "The identity provider was switched, and can still be reverted")
		b.get(m.old.at()).says(t, "Replaced", "Another directory has taken its place")
		if to := b.get(path + "/cut-over").location(t); to != path {
			t.Error("asks again:", to)
		}
		b.send(path+"/cancel").want(t, http.StatusConflict)
		b.get(path+"/revert").want(t, http.StatusOK).says(t, "Let the old identity provider of Acme rule again?")
		b.send(path + "/revert").location(t)
		w.byOperator(t, "identity_provider_switch.reverted")
		b.get(m.at()).want(t, http.StatusOK).says(t, "Reverted")
		if text := b.get(at(m.org)).text(); strings.Contains(text, "can still be reverted") {
			t.Error("the organization still says that it is switched")
		}
	})
}

func TestSwitch_that_is_cancelled_leaves_everything_and_is_nobody_elses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, other, b := w.moving("Acme"), w.moving("Globex"), w.as(operator.Admin)
		path, theirs := m.begun(t, b), other.begun(t, b)
		id := theirs[strings.LastIndex(theirs, "/")+1:]
		for _, wrong := range []string{m.at(id), m.at(id, "cut-over"), m.at(id, "revert"), m.at(id, "cancel"), m.at(id, "people", string(other.bob.ID)), m.at("identity_provider_switch_1")} {
			b.get(wrong).want(t, http.StatusNotFound)
		}
		for _, wrong := range []string{m.at(id, "cut-over"), m.at(id, "cancel"), m.at(id, "revert"), m.at(id, "people", string(other.bob.ID))} {
			b.send(wrong, "new", string(other.robert.ID)).want(t, http.StatusNotFound)
		}
		b.send(path+"/people/"+string(m.bob.ID), "new", string(other.robert.ID)).want(t, http.StatusUnprocessableEntity)
		b.get(path+"/people/"+string(m.engineers.ID)).want(t, http.StatusNotFound)
		if status := b.send(m.at("new"), "from_directory", string(other.old.dir.ID), "to_directory", hostile).harmless(t).StatusCode; status < 400 || status >= 500 {
			t.Error("a directory of another organization:", status)
		}
		b.get(path+"/cancel").want(t, http.StatusOK).says(t, "Everything stays as it is.")
		b.send(path + "/cancel").location(t)
		w.byOperator(t, "identity_provider_switch.cancelled")
		b.get(path).says(t, "Cancelled")
		b.get(m.next.at()).says(t, "This directory only collects")
		found, _, err := w.switches.List(ctx, switching.ListQuery{OrganizationID: other.org.ID, Limit: 5})
		if err != nil || len(found) != 1 || found[0].State != switching.Preparing {
			t.Errorf("%+v, %v", found, err)
		}
		reader := w.as(operator.ReadOnly)
		if text := reader.get(theirs).want(t, http.StatusOK).text(); strings.Contains(text, "Match by hand") || strings.Contains(text, "Cancel the switch") {
			t.Error("who may only look is offered to change it")
		}
	})
}

func TestDirectory_that_only_collects_is_made_on_its_page(t *testing.T) {
	w := small(t)
	acme, b := w.organization("Acme"), w.as(operator.Admin)
	b.send(at(acme, "directories", "new"), "provider", "okta", "provisioning", "invite", "silent", "on").want(t, http.StatusOK)
	found, _, err := w.dirs.List(ctx, directory.ListQuery{OrganizationID: string(acme.ID), Limit: 5})
	if err != nil || len(found) != 1 || found[0].Live() {
		t.Errorf("%+v, %v", found, err)
	}
}

// hasty makes the pages as those of a large organization: who is who is remembered, and no page waits for it.
func hasty(d *db.DB) func(*dashboard.Options) {
	return func(o *dashboard.Options) {
		o.Switches = lifecycle.NewSwitches(lifecycle.SwitchOptions{
			DB: d, Events: o.Events, IDs: token.NewSource(time.Now), Organizations: o.Organizations, Directories: o.Directories, Connections: o.Connections,
			Members: o.Members, Access: o.Access, Now: o.Now, Quick: time.Nanosecond, Patience: time.Nanosecond,
		})
	}
}

// asks is in a page that asks again by itself.
const asks = `hx-trigger="every 2s"`

func TestPages_of_a_switch_say_that_who_is_who_is_being_found_and_ask_again_until_it_is(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		w := newWorld(t, d, hasty(d))
		m, b := w.moving("Acme"), w.as(operator.Admin)
		path := m.begun(t, b)
		w.later(11 * time.Minute) // what was found as it was begun is too old to be shown
		until := func(path string) answer {
			t.Helper()
			for range 500 {
				if a := b.get(path).want(t, http.StatusOK); !strings.Contains(a.body, asks) {
					return a
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Fatal(path, "asks for ever")
			return answer{}
		}
		first := b.get(path+"?match=unmatched").want(t, http.StatusOK).says(t, "Who is who is being found", "Look again").inert(t)
		if !strings.Contains(first.body, asks) || !strings.Contains(first.body, `hx-get="`+path+`?match=unmatched"`) || strings.Contains(first.text(), "Cyd") {
			t.Errorf("%s", first.text())
		}
		if text := until(path+"?match=unmatched").says(t, "As of", "Bob", "Cyd").text(); strings.Contains(text, "being found") || strings.Contains(text, "Something has changed") {
			t.Error(text)
		}
		until(path+"/cut-over").says(t, "1 person is matched", "2 people are unmatched or ambiguous")
		b.get(path+"?search=OB%40acme").says(t, "Bob").harmless(t)
		if text := b.get(path + "?search=bob").text(); strings.Contains(text, "Cyd") || !strings.Contains(text, "Bob") {
			t.Error("the search lets others through:", text)
		}
		b.get(path+"?search=zzz").says(t, "Nobody here")
		b.get(path+"?search="+url.QueryEscape(hostile)).want(t, http.StatusOK).harmless(t)

		// Somebody new on the other side: what was found goes on being shown, and it is said.
		m.next.user(`{"userName":"cyd@acme.example","displayName":"Cyd of Entra","active":true}`)
		stale := b.get(path).says(t, "As of", "Something has changed since", "Cyd").inert(t)
		if !strings.Contains(stale.body, asks) || strings.Contains(stale.text(), "Cyd of Entra") {
			t.Errorf("%s", stale.text())
		}
		until(path).says(t, "Cyd of Entra")
	})
}
