package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
)

// busy makes seven events: an organization, a token, activation, two people, a group and two people in it.
func (w *world) busy(name string) feed {
	w.Helper()
	f := w.feed(w.organization(name), "")
	f.group("Team", f.person("ann", ""), f.person("bob", ""))
	return f
}

func TestEvents_are_read_in_order_with_what_caused_them(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.busy("R&D <EU>")
		got := w.get("/events").wants(http.StatusOK)
		same(t, "events", got.each("event"), []string{
			"organization.created", "dsync.token.created", "dsync.activated", "dsync.user.created", "dsync.user.created", "dsync.group.created",
			"dsync.group.user_added", "dsync.group.user_added",
		})
		if !strings.Contains(got.raw, `"name":"R&D <EU>"`) {
			t.Errorf("names are escaped: %s", got.raw)
		}
		activated := got.data()[2]
		if data := activated["data"].(map[string]any); data["state"] != "active" || data["id"] != f.id {
			t.Errorf("the activation is %v", activated)
		}
		actor := activated["context"].(map[string]any)["actor"].(map[string]any)
		if actor["id"] != f.id || actor["source"] != "system" {
			t.Errorf("the actor is %v", actor)
		}
		if got.raw[strings.LastIndex(got.raw, `"list_metadata"`):] != `"list_metadata":{"after":null}}` {
			t.Errorf("the metadata is %v", got.at("list_metadata"))
		}
	})
}

func TestEvents_are_followed_by_a_cursor_one_by_one(t *testing.T) {
	onBoth(t, func(w *world) {
		w.busy("Acme")
		all := w.get("/events").each("id")
		var read []string
		last := ""
		for range all {
			page := w.get("/events?limit=1&after=" + last).wants(http.StatusOK).each("id")
			read = append(read, page...)
			last = page[0]
		}
		same(t, "one by one", read, all)
		same(t, "past the end", w.get("/events?after="+last).each("id"), []string{})
		w.organization("Later")
		same(t, "what came later", w.get("/events?after="+last).each("event"), []string{"organization.created"})
	})
}

func TestEvents_are_walked_in_both_orders_and_directions(t *testing.T) {
	onBoth(t, func(w *world) {
		w.busy("Acme")
		all := w.get("/events").each("id")
		for order, want := range map[string][]string{"": all, "normal": all, "asc": all, "desc": reversed(all)} {
			var read []string
			for after, first := "", true; first || after != ""; first = false {
				page := w.get("/events?limit=3&order=" + order + "&after=" + after).wants(http.StatusOK)
				read, after = append(read, page.each("id")...), page.text("list_metadata.after")
			}
			same(t, "order "+order, read, want)
			same(t, "before the sixth, order "+order, w.get("/events?limit=2&order="+order+"&before="+want[5]).each("id"), want[3:5])
			same(t, "before the first, order "+order, w.get("/events?order="+order+"&before="+want[0]).each("id"), []string{})
			same(t, "between, order "+order, w.get("/events?order="+order+"&after="+want[1]+"&before="+want[5]).each("id"), want[2:5])
			if page := w.get("/events?limit=2&order=" + order + "&before=" + want[5]); page.text("list_metadata.after") != want[4] {
				t.Errorf("order %s: after a page read backwards is %v", order, page.at("list_metadata"))
			}
		}
	})
}

func TestEvents_are_chosen_by_type_however_the_list_is_written(t *testing.T) {
	onBoth(t, func(w *world) {
		w.busy("Acme")
		want := []string{"dsync.activated", "dsync.group.created"}
		for _, query := range []string{
			"events=dsync.activated,dsync.group.created", "events=dsync.group.created&events=dsync.activated", "events[]=dsync.group.created&events[]=dsync.activated",
			"events%5B%5D=dsync.activated,dsync.group.created", "events[0]=dsync.activated&events[1]=dsync.group.created",
			"events=dsync.activated,%20dsync.group.created,&events=user.created",
		} {
			same(t, query, w.get("/events?"+query).wants(http.StatusOK).each("event"), want)
		}
		same(t, "types of the contract that are not made yet", w.get("/events?events=user.created,connection.activated").wants(http.StatusOK).each("event"), []string{})
		w.get("/events?events=dsync.activated,dsync.user.creatd").refused(http.StatusUnprocessableEntity, "invalid_event", "events")
	})
}

func TestEvents_types_not_made_yet_are_no_types_of_the_catalogue(t *testing.T) {
	for _, made := range event.Types() {
		for _, name := range notEmitted() {
			if name == string(made) {
				t.Errorf("%s is in both lists", name)
			}
		}
	}
}

func TestEvents_are_chosen_by_organization_and_time(t *testing.T) {
	onBoth(t, func(w *world) {
		first := w.busy("First")
		middle := time.Now()
		time.Sleep(5 * time.Millisecond)
		second := w.organization("Second")
		at := url.QueryEscape(middle.UTC().Add(2 * time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00"))
		elsewhere := url.QueryEscape(middle.In(time.FixedZone("", 2*60*60)).Add(2 * time.Millisecond).Format(time.RFC3339Nano))
		tomorrow := middle.UTC().AddDate(0, 0, 1).Format(time.DateOnly)

		same(t, "of the second", w.get("/events?organization_id="+second).each("event"), []string{"organization.created"})
		if got := w.get("/events?organization_id=" + first.organization).data(); len(got) != 8 {
			t.Errorf("of the first: %d events", len(got))
		}
		for _, from := range []string{at, elsewhere} {
			same(t, "since", w.get("/events?range_start="+from).wants(http.StatusOK).each("event"), []string{"organization.created"})
			if got := w.get("/events?range_end=" + from).wants(http.StatusOK).data(); len(got) != 8 {
				t.Errorf("until: %d events", len(got))
			}
		}
		same(t, "since tomorrow", w.get("/events?range_start="+tomorrow).wants(http.StatusOK).each("id"), []string{})
	})
}

func TestEvents_refuse_what_cannot_be_meant(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.busy("Acme")
		own := w.get("/events").each("id")[0]
		for query, want := range map[string]struct {
			status      int
			code, field string
		}{
			"limit=0":                                {422, "invalid_limit", "limit"},
			"limit=101":                              {422, "invalid_limit", "limit"},
			"order=random":                           {422, "invalid_order", "order"},
			"range_start=yesterday":                  {422, "invalid_date", "range_start"},
			"range_end=2026-13-01":                   {422, "invalid_date", "range_end"},
			"organization_id=nonsense":               {422, "invalid_id", "organization_id"},
			"after=" + f.id:                          {400, "invalid_cursor", "after"},
			"before=x":                               {400, "invalid_cursor", "before"},
			"after=" + strings.ToLower(own):          {400, "invalid_cursor", "after"},
			"after=event_01ARZ3NDEKTSV4RRFFQ69G5FAV": {400, "invalid_cursor", ""}, // well formed, and names nothing
			"after=" + own[:len(own)-1] + "9":        {400, "invalid_cursor", ""},
		} {
			w.get("/events?"+query).refused(want.status, want.code, want.field)
		}
	})
}
