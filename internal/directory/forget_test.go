package directory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// forget asks for an erasure and has it done, when it is due.
func (h *house) forget(organization, subject string) {
	h.t.Helper()
	h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.events.ForgetTx(ctx, tx, organization, subject, time.Now()) }))
	if n, err := h.events.Erase(ctx, time.Now()); err != nil || n != 0 {
		h.t.Errorf("%d erased before what was under way can have been stored: %v", n, err)
	}
	for later := time.Now().Add(time.Hour); ; {
		n, err := h.events.Erase(ctx, later)
		h.ok(err)
		if n == 0 {
			return
		}
	}
}

// everything is the text of all tables, a row a line.
func (h *house) everything() []string {
	h.t.Helper()
	columns := `SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid`
	if h.db.Engine() == db.PostgreSQL {
		columns = `SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
			WHERE table_schema = 'public' AND table_name <> 'event_log' ORDER BY table_name, ordinal_position`
	}
	tables := map[string][]string{}
	h.strings(columns, func(table, column string) { tables[table] = append(tables[table], column) })
	if len(tables) < 20 {
		h.t.Fatalf("only %d tables", len(tables))
	}
	var out []string
	for table, names := range tables {
		texts := make([]string, len(names))
		for i, name := range names {
			texts[i] = `COALESCE(CAST("` + name + `" AS TEXT), '')`
		}
		h.strings(`SELECT '`+table+`', `+strings.Join(texts, ` || ' | ' || `)+` FROM `+table, func(table, row string) { out = append(out, table+": "+row) })
	}
	return out
}

func (h *house) strings(text string, each func(a, b string)) {
	h.t.Helper()
	rows, err := h.db.Query(ctx, text)
	h.ok(err)
	defer rows.Close()
	for rows.Next() {
		var a, b string
		h.ok(rows.Scan(&a, &b))
		each(a, b)
	}
	h.ok(rows.Err())
}

func (h *house) without(words ...string) {
	h.t.Helper()
	for _, row := range h.everything() {
		for _, word := range words {
			if strings.Contains(strings.ToLower(row), strings.ToLower(word)) {
				h.t.Errorf("%q is left in %.400s", word, row)
			}
		}
	}
}

const (
	lovelace = `{"userName":"ada@example.com","externalId":"okta-ada-1","name":{"givenName":"Augusta","familyName":"Lovelace"},"title":"Countess",
		"emails":[{"value":"lovelace@work.example","type":"work","primary":true}],"active":true}`
	hopper = `{"userName":"grace@example.com","externalId":"okta-grace-1","name":{"givenName":"Grace","familyName":"Hopper"},"title":"Admiral","active":true}`
)

// note records a request that changed nothing.
func (h *house) note(x directory.Exchange) {
	h.t.Helper()
	x.OrganizationID, x.DirectoryID, x.At, x.Method, x.Status = string(h.org.ID), h.dir.ID, time.Now(), "GET", 200
	h.s.Note(&x)
	h.ok(h.s.FlushNotes(ctx))
}

// told records the bodies of requests, as the edge does.
func told(body string) directory.Record {
	return func(o directory.Outcome) *directory.Exchange {
		x := &directory.Exchange{At: time.Now(), Method: "POST", Path: "/Users", Status: 201, Body: []byte(body), Effect: []byte(`{"change":"` + string(o.Change) + `"}`)}
		if o.User != nil {
			x.Answer = []byte(`{"id":"` + string(o.User.ID) + `"}`)
		}
		return x
	}
}

func TestErasure_of_a_person_leaves_nothing_of_them_and_others_untouched(t *testing.T) {
	each(t, func(h *house) {
		ada, _, err := h.s.CreateUser(ctx, h.a, doc(h.t, lovelace), told(lovelace))
		h.ok(err)
		grace, _, err := h.s.CreateUser(ctx, h.a, doc(h.t, hopper), told(hopper))
		h.ok(err)
		team := h.group("Team", string(ada.ID), string(grace.ID)) // one row for both
		h.group("Crew", string(grace.ID))
		solo := h.group("Solo", string(ada.ID))
		_, _, err = h.s.UpdateUser(ctx, h.a, string(ada.ID), directory.Condition{}, set(scim.Member{Name: "title", Value: scim.StringOf("Enchantress")}), told(`{"title":"Enchantress"}`))
		h.ok(err)
		h.activate(ada.ID, false) // leaves both groups: one row of one person
		h.activate(ada.ID, true)
		h.members(solo, scim.MembersRemove, string(ada.ID))
		h.note(directory.Exchange{Path: "/Users?filter=userName%20eq%20%22Ada%40example.com%22", Answer: []byte(`{"totalResults":0}`)})
		h.note(directory.Exchange{Path: "/Users/ada@example.com", Effect: []byte(`{"summary":"User \"ada@example.com\" not found.","refusal":{"status":404,"code":"not_found","reason":"ada@example.com"}}`)})
		h.note(directory.Exchange{Path: "/Users?filter=userName%20eq%20%22grace%40example.com%22", Answer: []byte(`{"totalResults":1,"Resources":[{"userName":"grace@example.com"}]}`)})
		h.ok(h.s.DeleteUser(ctx, h.a, string(ada.ID), directory.Condition{}, told("")))
		h.members(team, scim.MembersAdd, "ada@example.com") // waits for somebody who is gone

		before := h.log()
		exchanges, err := h.s.Exchanges(ctx, h.dir.ID, "", 100)
		h.ok(err)
		h.forget(string(h.org.ID), string(ada.ID))
		h.without("ada@example.com", "ada%40example.com", "lovelace", "Augusta", "okta-ada-1", "Countess", "Enchantress")

		after := h.log()
		if len(after) != len(before) {
			h.t.Fatalf("%d events, there were %d", len(after), len(before))
		}
		changed := 0
		for i, e := range after {
			was := before[i]
			if e.ID != was.ID || e.Type != was.Type || !e.CreatedAt.Equal(was.CreatedAt) || string(e.Context) != string(was.Context) {
				h.t.Errorf("event %s became %+v", was.ID, e)
			}
			if !strings.Contains(string(was.Data), string(ada.ID)) && string(e.Data) != string(was.Data) {
				h.t.Errorf("an event about others changed:\n%s\n%s", was.Data, e.Data)
			}
			if string(e.Data) != string(was.Data) {
				changed++
				if !strings.Contains(string(e.Data), `"idp_id":"`+string(ada.ID)+`"`) || !strings.Contains(string(e.Data), `"email":null`) {
					h.t.Errorf("%s is %s", e.Type, e.Data)
				}
			}
		}
		if changed < 10 {
			h.t.Errorf("only %d events changed", changed)
		}
		left, err := h.s.Exchanges(ctx, h.dir.ID, "", 100)
		h.ok(err)
		if len(left) != len(exchanges) {
			h.t.Errorf("%d exchanges, there were %d", len(left), len(exchanges))
		}
		graces := 0
		for i, x := range left {
			if strings.Contains(string(x.Body)+string(x.Answer), "grace@example.com") {
				graces++
			}
			if x.Method != exchanges[i].Method || x.Status != exchanges[i].Status || !x.At.Equal(exchanges[i].At) {
				h.t.Errorf("exchange %s became %+v", x.ID, x)
			}
		}
		if graces != 2 {
			h.t.Errorf("%d exchanges about somebody else have kept their text, want 2", graces)
		}
		if got := h.user(hopperAgain); got.ID == ada.ID { // the directory goes on
			h.t.Error("the same id")
		}
		if n, err := h.exec("DELETE FROM erasures"); err != nil || n != 0 {
			h.t.Errorf("%d erasures are left: %v", n, err)
		}
	})
}

const hopperAgain = `{"userName":"ada@example.com","active":true}`

func (h *house) log() (out []event.Event) {
	h.t.Helper()
	for after := ""; ; after = out[len(out)-1].ID {
		page, err := h.events.List(ctx, event.Query{After: after, Limit: 100})
		h.ok(err)
		if out = append(out, page...); len(page) == 0 {
			return out
		}
	}
}

func TestErasure_stays_within_the_organization(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada := a.user(lovelace)
		b.user(lovelace)
		b.ok(b.db.Tx(ctx, func(tx db.Tx) error { return nil }))
		before := strings.Join(b.everything(), "\n")
		a.forget(string(b.org.ID), string(ada.ID)) // somebody else's id
		if got := strings.Join(b.everything(), "\n"); strings.Count(got, "lovelace@work.example") != strings.Count(before, "lovelace@work.example") {
			t.Error("an erasure touched another organization")
		}
	})
}

func TestErasure_of_an_organization_empties_its_log_and_its_removed_directories(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada, _, err := a.s.CreateUser(ctx, a.a, doc(a.t, lovelace), told(lovelace))
		a.ok(err)
		grace, _, err := a.s.CreateUser(ctx, a.a, doc(a.t, hopper), told(hopper))
		a.ok(err)
		a.group("Secret Project", string(ada.ID), string(grace.ID), "babbage@example.com")
		a.ok(a.s.DeleteUser(ctx, a.a, string(grace.ID), directory.Condition{}, record))
		theirs := b.user(`{"userName":"babbage@example.com"}`)
		a.ok(a.s.Delete(ctx, actor(), a.dir.ID))
		before := a.log()
		a.forget(string(a.org.ID), "")
		a.without("ada@example.com", "lovelace", "grace@example.com", "hopper", "Secret Project", "okta-ada-1")
		after := a.log()
		if len(after) != len(before) {
			t.Fatalf("%d events, there were %d", len(after), len(before))
		}
		for i, e := range after {
			if e.ID != before[i].ID || e.Type != before[i].Type {
				t.Errorf("event %s became %+v", before[i].ID, e)
			}
			if e.OrganizationID != string(a.org.ID) && string(e.Data) != string(before[i].Data) {
				t.Errorf("another organization's event changed: %s", e.Data)
			}
		}
		if u, err := b.s.GetUser(ctx, b.a, string(theirs.ID), false); err != nil || !strings.Contains(string(u.Document), "babbage@example.com") {
			t.Errorf("another organization's person: %v", err)
		}
	})
}

func TestErasure_begins_again_where_a_process_ended(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(lovelace)
		h.ok(h.s.DeleteUser(ctx, h.a, string(ada.ID), directory.Condition{}, record))
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.events.ForgetTx(ctx, tx, string(h.org.ID), string(ada.ID), time.Now()) }))
		due := time.Now().Add(3 * time.Minute)
		_, err := h.exec("UPDATE erasures SET leased_until = $1", due.Add(time.Minute).UnixMicro()) // another process is at it
		h.ok(err)
		if n, err := h.events.Erase(ctx, due); err != nil || n != 0 {
			h.t.Errorf("%d erased under another's lease: %v", n, err)
		}
		if n, err := h.events.Erase(ctx, due.Add(2*time.Minute)); err != nil || n != 1 {
			h.t.Errorf("%d erased after the lease ran out: %v", n, err)
		}
		h.without("lovelace")
	})
}

func TestErasure_of_many_people_is_shared_by_few_walks(t *testing.T) {
	each(t, func(h *house) {
		for i := range 120 {
			u := h.user(fmt.Sprintf(`{"userName":"person-%d@example.com","title":"secret-title","active":true}`, i))
			h.ok(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
			h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.events.ForgetTx(ctx, tx, string(h.org.ID), string(u.ID), time.Now()) }))
		}
		walks := 0
		for {
			n, err := h.events.Erase(ctx, time.Now().Add(time.Hour))
			h.ok(err)
			if n == 0 {
				break
			}
			walks++
		}
		if walks > 3 {
			h.t.Errorf("%d walks", walks)
		}
		h.without("@example.com", "secret-title")
	})
}
