package portal

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// braked is a directory of four people of whom the brake holds three.
func (d *desk) braked(o org.Organization, name string) (directory.Directory, directory.Hold) {
	d.Helper()
	ctx := d.Context()
	dir, secret, err := d.dirs.Create(ctx, d.operator(), directory.New{OrganizationID: string(o.ID), Name: name, Type: directory.OktaSCIM})
	d.must(err)
	_, err = d.dirs.SetBrake(ctx, d.operator(), dir.ID, directory.Brake{Enabled: true, Share: 1, People: 2, Window: 15, Hold: 60})
	d.must(err)
	p := d.push(string(dir.ID), secret.Reveal())
	for i := range 4 {
		p.person(hostilePerson, fmt.Sprint(i), fmt.Sprintf("p%d@%s.example", i, strings.ToLower(o.Name)))
	}
	users, _, _, err := d.dirs.APIUsers(ctx, directory.APIQuery{Directory: dir.ID, Limit: 10, Ascending: true})
	d.must(err)
	for _, u := range users {
		_, _, err := d.dirs.UpdateUser(ctx, p.access, string(u.ID), directory.Condition{MentionsActive: true}, func(doc *scim.Object) (*scim.Object, error) {
			out := doc.Clone()
			out.Set("active", scim.BoolOf(false))
			return out, nil
		}, func(directory.Outcome) *directory.Exchange {
			return p.exchange(http.MethodPatch, "/Users", "shut them out", oktaAgent)
		})
		d.must(err)
	}
	h, waits, err := d.dirs.WaitingOf(ctx, directory.Directory{ID: dir.ID, Holding: true})
	d.must(err)
	if !waits || h.People != 3 {
		d.Fatalf("%+v, %t", h, waits)
	}
	return dir, h.Hold
}

const hostilePerson = `"><script>alert(1)</script>`

func TestBrake_is_set_in_the_portal_and_the_audit_says_by_whom(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		path := "/portal/brake/" + string(c.directory.ID)
		c.get("/portal/home").shows(path)
		c.get(path).wants(http.StatusOK).shows("Brake of Acme people", "Brake bursts")
		form := []string{"enabled", "on", "share_percent", "20", "people", "3", "window_minutes", "30", "hold_minutes", "61"}
		c.post(path, form...).wants(http.StatusUnprocessableEntity).shows("hold_minutes is a number from 1 to 60")
		form[9] = hostilePerson
		c.post(path, form...).wants(http.StatusUnprocessableEntity).hides("<script>alert")
		form[9] = "45"
		if to := c.post(path, form...).leads(); to != path+"?saved=yes" {
			t.Errorf("leads to %s", to)
		}
		c.get(path + "?saved=yes").shows("The brake is set.")
		got, err := d.dirs.Get(d.Context(), c.directory.ID)
		d.must(err)
		if got.Brake != (directory.Brake{Enabled: true, Share: 20, People: 3, Window: 30, Hold: 45}) {
			t.Errorf("%+v", got.Brake)
		}
		d.byAdmin(c.org.ID, "directory.brake_updated")
	})
}

// byAdmin asks that the audit has the change with somebody of the portal as its cause.
func (d *desk) byAdmin(id org.ID, action event.Action) {
	d.Helper()
	for _, e := range d.audit(id) {
		if e.Action == action && e.Context.Actor.Source == event.AdminPortal {
			return
		}
	}
	d.Errorf("the audit does not have %s by the portal", action)
}

func TestHeld_people_are_shown_and_decided_about_in_the_portal(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		dir, h := d.braked(o, "People of Acme")
		b := d.enter(o.ID, itadmin.DirectorySync)
		page := "/portal/brake/" + string(dir.ID) + "/" + string(h.ID)
		b.get("/portal/home").wants(http.StatusOK).shows("The brake holds 3 people", page)
		b.get("/portal/brake/" + string(dir.ID)).wants(http.StatusOK).shows("The brake holds 3 people")
		b.get(page).wants(http.StatusOK).shows("Still held 3", "2 of 4 active people", "Shut them out", "p3@acme.example", "Undo: keep them").hides("p0@acme.example", "<script>alert")
		b.get(page+"/release").wants(http.StatusOK).shows("Let 3 people go?", "Release 3 people", "may be deleted")
		b.get(page + "/undo").wants(http.StatusOK).shows("Let 3 people in again?")
		b.post(page+"/undo", "people", "2").wants(http.StatusConflict).shows("The brake holds 3 people by now")
		b.post(page+"/undo", "people", "3").leads()
		d.byAdmin(o.ID, event.Action(event.DirectoryBrakeUndone))
		b.get(page).wants(http.StatusOK).shows("Undone", "By hand").hides("Undo: keep them")
		b.post(page+"/release", "people", "0").leads()
		if is, err := d.dirs.Hold(d.Context(), dir.ID, h.ID); err != nil || is.State != directory.HoldUndone {
			t.Errorf("%+v, %v", is, err)
		}
		b.get("/portal/home").hides("brake holds")
	})
}

func TestHold_of_another_organization_is_neither_shown_nor_ended(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		ours, theirs := d.organization("Acme"), d.organization("Globex")
		mine, _ := d.braked(ours, "People of Acme")
		dir, h := d.braked(theirs, "People of Globex")
		b := d.enter(ours.ID, itadmin.Everything)
		for _, of := range []directory.ID{dir.ID, mine.ID} {
			page := "/portal/brake/" + string(of) + "/" + string(h.ID)
			for _, path := range []string{page, page + "/release", page + "/undo"} {
				b.get(path).wants(http.StatusNotFound).hides("globex")
			}
			b.post(page+"/release", "people", "3").wants(http.StatusNotFound)
			b.post(page+"/undo", "people", "3").wants(http.StatusNotFound)
		}
		if is, err := d.dirs.Hold(d.Context(), dir.ID, h.ID); err != nil || is.State != directory.HoldWaits {
			t.Errorf("%+v, %v", is, err)
		}
	})
}

func TestDirectory_that_is_paused_or_of_a_switch_says_so_in_the_portal(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c := d.company("Acme")
		set := func(text string) {
			var w db.Write
			w.Exec(`UPDATE directories SET state = 'linked', ` + text + ` WHERE id = '` + string(c.directory.ID) + `'`)
			d.must(d.db.Write(d.Context(), &w))
		}
		live := "/portal/directory/" + string(c.directory.ID) + "/live"
		set("paused_at = 1")
		c.get("/portal/home").shows("Paused until it goes live again").hides("Collecting, not live yet")
		c.get(live).wants(http.StatusOK).shows("Go live")
		set("paused_at = NULL, live_at = NULL, switching = 'coming'")
		c.get("/portal/home").shows("Collecting, not live yet")
		c.get(live).wants(http.StatusOK).shows("goes live with the cut-over").hides(`value="live"`)
		set("switching = 'retired'")
		c.get("/portal/home").shows("Replaced by another directory")
	})
}
