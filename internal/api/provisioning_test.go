package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/token"
)

// provisioned lets members follow directories, as where accounts are kept.
func (w *world) provisioned() {
	w.Helper()
	ids := token.NewSource(time.Now)
	give := access.NewService(access.Options{
		DB: w.db, Events: event.NewLog(w.db, ids), IDs: ids, Now: time.Now, Living: func(context.Context, db.Tx, string) error { return nil },
	})
	sealer, err := db.NewSealer([]byte("sealing key of tests"))
	w.must(err)
	w.members.SetInviting(member.Inviting{Sealer: sealer, Base: func(string) string { return publicURL }})
	w.dirs.SetMembers(w.members, give)
	w.access.SetDirectories(w.dirs)
}

func TestDirectory_that_is_not_live_is_previewed_and_goes_live(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		f := w.feed(w.organization("Acme"), `,"live":false,"provisioning":"direct"`)
		made, id := f.made, f.id
		if made.object["live"] != false {
			t.Errorf("live is %v", made.object["live"])
		}
		f.person("ada", "")
		f.person("bob", `,"active":false`)
		w.must(w.dirs.Provision(w.Context()))

		page := w.get("/directories/" + id + "/provisioning/preview?limit=1").wants(http.StatusOK)
		one := page.data()[0]
		if one["email"] != "ada@example.com" || one["name"] != "ada Sample" || one["says"] != "active" || one["outcome"] != "invited" { // outside verified domains
			t.Errorf("foreseen %v", one)
		}
		after, _ := page.at("list_metadata.after").(string)
		next := w.get("/directories/" + id + "/provisioning/preview?after=" + after).wants(http.StatusOK)
		if one := next.data()[0]; one["says"] != "inactive" || one["outcome"] != "stored" {
			t.Errorf("foreseen %v", one)
		}
		w.get("/directories/"+id+"/provisioning/preview?provisioning=perhaps").refused(http.StatusUnprocessableEntity, "invalid", "provisioning")
		w.get("/directories/"+id+"/provisioning/preview?after=user_x").refused(http.StatusBadRequest, "invalid_cursor", "after")

		for range 2 {
			if live := w.send("POST", "/directories/"+id+"/go_live", "").wants(http.StatusOK); live.object["live"] != true {
				t.Errorf("live is %v", live.object["live"])
			}
		}
		if told := w.get("/audit?actions=directory.updated&target=" + id).wants(http.StatusOK).data(); len(told) != 1 ||
			fmt.Sprint(told[0]["changes"]) != "map[live:map[after:true before:false]]" {
			t.Errorf("the audit tells %v", told)
		}
		if p := w.get("/directories/" + id + "/provisioning").wants(http.StatusOK); p.text("state") != "applying" || p.object["total"] != 2.0 || p.object["done"] != 0.0 {
			t.Errorf("progress %s", p.raw)
		}
		w.must(w.dirs.Provision(w.Context()))
		if p := w.get("/directories/" + id + "/provisioning").wants(http.StatusOK); p.text("state") != "up_to_date" || p.object["done"] != 2.0 {
			t.Errorf("progress %s", p.raw)
		}
		if _, err := w.members.UserByEmail(w.Context(), "ada@example.com"); err != nil {
			t.Error(err)
		}
		for _, path := range []string{"/provisioning", "/provisioning/preview"} {
			w.get("/directories/directory_01M80ZTZ164MCZ9G3QZ4VJG000"+path).refused(http.StatusNotFound, "entity_not_found", "")
		}
		w.send("POST", "/directories/directory_01M80ZTZ164MCZ9G3QZ4VJG000/go_live", "").refused(http.StatusNotFound, "entity_not_found", "")
	})
}

func TestPreview_is_refused_where_the_app_keeps_the_accounts(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.feed(w.organization("Acme"), "").made
		if made.object["live"] != true {
			t.Errorf("live is %v", made.object["live"])
		}
		w.get("/directories/"+made.text("id")+"/provisioning/preview").refused(http.StatusConflict, "accounts_elsewhere", "")
		if p := w.get("/directories/" + made.text("id") + "/provisioning").wants(http.StatusOK); p.text("state") != "up_to_date" {
			t.Errorf("progress %s", p.raw)
		}
	})
}

func TestProvisioning_that_is_changed_applies_everybody_anew(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		f := w.feed(w.organization("Acme"), "")
		f.person("ada", "")
		made := f.made
		w.must(w.dirs.Provision(w.Context()))
		w.send("PATCH", "/directories/"+made.text("id"), `{"provisioning":"existing_only"}`).wants(http.StatusOK)
		if p := w.get("/directories/" + made.text("id") + "/provisioning").wants(http.StatusOK); p.text("state") != "applying" {
			t.Errorf("progress %s", p.raw)
		}
	})
}

// While some people are written the next ones are looked at: also where they are the same.
func TestPeople_whom_two_directories_have_are_members_once_where_both_are_applied_at_the_same_time(t *testing.T) {
	onBoth(t, func(w *world) {
		w.provisioned()
		acme := w.organization("Acme")
		w.send("POST", "/organization_domains", `{"organization_id":"`+acme+`","domain":"example.com"}`)
		first, second := w.feed(acme, `,"provisioning":"direct"`), w.feed(acme, `,"provisioning":"direct"`)
		const people = 50 // who come last in the first directory come first in the second: the write of the ones is on its way while the others are looked at
		for i := range people {
			first.person(fmt.Sprintf("p%02d", i), "")
			second.person(fmt.Sprintf("p%02d", people-1-i), "")
		}
		w.must(w.dirs.Provision(w.Context()))
		for _, f := range []feed{first, second} {
			if p := w.get("/directories/" + f.id + "/provisioning").wants(http.StatusOK); p.text("state") != "up_to_date" {
				t.Errorf("progress %s", p.raw)
			}
		}
		if members := w.get("/user_management/organization_memberships?statuses=active&statuses=pending&limit=100&organization_id=" + acme).wants(http.StatusOK).data(); len(members) != people {
			t.Errorf("%d members, want %d", len(members), people)
		}
		if n := w.dirs.NotApplied(); n != 0 {
			t.Errorf("%d people could not be applied", n)
		}
	})
}
