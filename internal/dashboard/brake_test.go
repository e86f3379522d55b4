package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// leave shuts people out.
func (f *feed) leave(people ...directory.User) {
	f.w.t.Helper()
	f.open()
	for _, u := range people {
		_, _, err := f.w.dirs.UpdateUser(ctx, f.access, string(u.ID), directory.Condition{MentionsActive: true}, func(o *scim.Object) (*scim.Object, error) {
			out := o.Clone()
			out.Set("active", scim.BoolOf(false))
			return out, nil
		}, f.record)
		f.w.ok(err)
	}
}

// braked is a directory of so many people, called so, whose brake holds all but the first.
func (w *world) braked(o org.Organization, name string, people int) (*feed, []directory.User, directory.Hold) {
	w.t.Helper()
	f := w.feed(o, directory.New{Provisioning: directory.Direct})
	_, err := w.dirs.SetBrake(ctx, tester(), f.dir.ID, directory.Brake{Enabled: true, Share: 1, People: 2, Window: 15, Hold: 60})
	w.ok(err)
	f.open()
	var all []directory.User
	for i := range people {
		all = append(all, f.user(fmt.Sprintf(`{"userName":"%s%02d@acme.example","displayName":%q,"active":true}`, strings.ToLower(f.dir.AddressKey[:4]), i, fmt.Sprintf("%s %02d", name, i))))
	}
	w.ok(w.dirs.Provision(ctx))
	f.leave(all...)
	h, waits, err := w.dirs.WaitingOf(ctx, directory.Directory{ID: f.dir.ID, Holding: true})
	w.ok(err)
	if !waits || h.People != int64(people-1) {
		w.t.Fatalf("%+v, %t", h, waits)
	}
	return f, all, h.Hold
}

func TestBrake_is_set_by_its_form_and_every_wrong_number_is_named(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{})
		b := w.as(operator.Admin)
		b.get(f.at("settings")).want(t, http.StatusOK).says(t, "Brake bursts", "Share, in percent", "nobody who leaves alone is ever held")
		form := func(name, value string) []string {
			out := []string{"enabled", "on"}
			for _, one := range [][2]string{{"share_percent", "20"}, {"people", "3"}, {"window_minutes", "30"}, {"hold_minutes", "45"}} {
				if one[0] == name {
					one[1] = value
				}
				out = append(out, one[0], one[1])
			}
			return out
		}
		for name, wrong := range map[string]string{"share_percent": "100", "people": "1", "window_minutes": "many", "hold_minutes": hostile} {
			b.send(f.at("brake"), form(name, wrong)...).want(t, http.StatusUnprocessableEntity).says(t, name+" is a number from").harmless(t)
		}
		if got := w.audits("directory.brake_updated"); len(got) != 0 {
			t.Error("a refused form is in the audit", got)
		}
		b.send(f.at("brake"), form("", "")...).location(t)
		w.byOperator(t, "directory.brake_updated")
		d, err := w.dirs.Get(ctx, f.dir.ID)
		if err != nil || d.Brake != (directory.Brake{Enabled: true, Share: 20, People: 3, Window: 30, Hold: 45}) {
			t.Errorf("%+v %v", d.Brake, err)
		}
	})
}

func TestHeld_people_stand_on_the_home_page_and_above_their_directory_until_somebody_decides(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme", org.NewDomain{Domain: "acme.example", State: org.Verified})
		f, people, h := w.braked(acme, hostile, 4)
		page := f.at("holds", string(h.ID))
		for _, role := range []operator.Role{operator.Admin, operator.ReadOnly} {
			b := w.as(role)
			b.get("/dashboard/").want(t, http.StatusOK).says(t, "People are held", "Release what waits, or keep them.")
			for _, tab := range []string{"", "users", "settings"} {
				b.get(strings.TrimSuffix(f.at(tab), "/")).want(t, http.StatusOK).says(t, "The brake holds 3 people", "Follows by itself at").harmless(t)
			}
			b.get(f.at("holds")).want(t, http.StatusOK).says(t, "Waits for a hand", "Held since")
			got := b.get(page).want(t, http.StatusOK).says(t, "Still held 3", "Shut them out", hostile+" 03", "2 of 4 active people").harmless(t)
			if strings.Contains(got.text(), hostile+" 00") {
				t.Error("who left before the burst is shown as held")
			}
			if offers := strings.Contains(got.text(), "Undo: keep them"); offers != (role == operator.Admin) {
				t.Errorf("%s is offered to decide: %t", role, offers)
			}
		}
		b := w.as2("decides@example.com", operator.Admin)
		b.get(f.at("users", string(people[1].ID))).says(t, "in a burst that its brake holds")
		b.get("/dashboard/members?organization="+string(acme.ID)).want(t, http.StatusOK).says(t, "in a burst that its brake holds").harmless(t)
		b.get(page+"/undo").want(t, http.StatusOK).says(t, "Let 3 people in again?", "Keep 3 people")
		b.send(page+"/undo", "people", "2").want(t, http.StatusConflict).says(t, "The brake holds 3 people by now")
		b.send(page+"/undo").want(t, http.StatusConflict)
		if to := b.send(page+"/undo", "people", "3").location(t); to != page+"?did=hold_undone" {
			t.Error("leads to", to)
		}
		w.byOperator(t, "directory.brake_undone")
		b.get(page).says(t, "Undone", "By hand", "In, until the directory writes them again", hostile+" 03").harmless(t)
		b.send(page+"/release", "people", "0").want(t, http.StatusConflict).says(t, "ended already")
		if to := b.get(page + "/release").location(t); to != page {
			t.Error("asks about a hold that has ended:", to)
		}
		for _, path := range []string{"/dashboard/", f.at("users")} {
			if text := b.get(path).text(); strings.Contains(text, "People are held") || strings.Contains(text, "brake holds 3") {
				t.Error(path, "still says that somebody is held")
			}
		}
	})
}

// as2 is the browser of one more operator.
func (w *world) as2(email string, role operator.Role) *browser {
	w.t.Helper()
	_, path := w.link(email, role)
	b := w.stranger()
	b.post(path, nil).want(w.t, http.StatusSeeOther)
	return b
}

func TestHold_is_released_and_lists_its_people_by_pages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme", org.NewDomain{Domain: "acme.example", State: org.Verified})
		f, people, h := w.braked(acme, "Person", 30)
		w.ok(w.dirs.DeleteUser(ctx, f.access, string(people[29].ID), directory.Condition{}, f.record))
		b, page := w.as(operator.Admin), f.at("holds", string(h.ID))
		first := b.get(page).want(t, http.StatusOK).says(t, "Still held 29", "Deleted them", "Person 29", "Person 05")
		if strings.Contains(first.text(), "Person 04") {
			t.Error("the first page has more than its rows")
		}
		b.get(page+"?after="+string(people[5].ID)).want(t, http.StatusOK).says(t, "Person 04", "Person 01")
		b.get(page+"?after=nonsense").want(t, http.StatusBadRequest)
		b.get(page+"/release").want(t, http.StatusOK).says(t, "Let 29 people go?", "Release 29 people", "Your app is told of each of them")
		b.send(page+"/release", "people", "29").location(t)
		w.byOperator(t, "directory.brake_released")
		w.ok(w.dirs.KeepHolds(ctx))
		b.get(page).says(t, "Released", "Out", "Person 05", string(people[29].ID))

		other, _, theirs := w.braked(w.organization("Globex"), "Other", 3)
		for _, path := range []string{
			f.at("holds", string(theirs.ID)), other.at("holds", string(h.ID)), f.at("holds", string(theirs.ID), "release"), f.at("holds", "directory_hold_1"), f.at("holds", "x%22%3E"),
		} {
			b.get(path).want(t, http.StatusNotFound)
		}
		b.send(f.at("holds", string(theirs.ID), "release"), "people", "2").want(t, http.StatusNotFound)
		b.send(f.at("holds", string(theirs.ID), "undo"), "people", "2").want(t, http.StatusNotFound)
		if now, err := w.dirs.Hold(ctx, other.dir.ID, theirs.ID); err != nil || now.Still != 2 {
			t.Errorf("%d are held elsewhere, %v", now.Still, err)
		}
	})
}

func TestDirectory_that_is_paused_says_so_and_goes_live_by_hand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{})
		var paused db.Write
		paused.Exec(`UPDATE directories SET paused_at = 1 WHERE id = $1`, string(f.dir.ID))
		w.ok(w.db.Write(ctx, &paused))
		b := w.as(operator.Admin)
		page := b.get(f.at()).want(t, http.StatusOK).says(t, "Paused", "This directory is paused", "See what going live does")
		if strings.Contains(page.text(), "Collecting") {
			t.Error("a paused directory is said to collect")
		}
		b.send(f.at("go-live")).location(t)
		if text := b.get(f.at()).text(); strings.Contains(text, "paused") {
			t.Error("it is paused still")
		}
	})
}

func TestDirectory_of_a_switch_says_why_it_is_not_let_live(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		for kind, want := range map[directory.Switching]string{directory.Coming: "goes live with the cut-over", directory.Retired: "Another directory has taken its place"} {
			f := w.feed(acme, directory.New{Name: string(kind), Silent: true})
			var held db.Write
			held.Exec(`UPDATE directories SET switching = $2 WHERE id = $1`, string(f.dir.ID), string(kind))
			w.ok(w.db.Write(ctx, &held))
			b := w.as2(string(kind)+"@example.com", operator.Admin)
			page := b.get(f.at()).want(t, http.StatusOK).says(t, want)
			if strings.Contains(page.body, "go-live") {
				t.Error(kind, "is offered to go live")
			}
			if to := b.get(f.at("go-live")).location(t); to != f.at() {
				t.Error("the page of going live leads to", to)
			}
			b.send(f.at("go-live")).want(t, http.StatusConflict)
		}
	})
}

func TestHold_that_ends_by_its_time_says_so(t *testing.T) {
	w := small(t)
	f, _, h := w.braked(w.organization("Acme"), "Person", 3)
	b := w.as(operator.Admin)
	w.later(61 * time.Minute)
	w.ok(w.dirs.KeepHolds(ctx))
	b.get(f.at("holds", string(h.ID))).want(t, http.StatusOK).says(t, "Released", "By itself, when its time had come", "Out")
}
