package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// complete is a whole user for matching.
func complete(t *testing.T) func(*directory.User) (*scim.Object, error) {
	return func(u *directory.User) (*scim.Object, error) {
		o, err := scim.ReadObject(u.Document, scim.DefaultLimits)
		if err != nil {
			t.Error(err)
			return nil, err
		}
		o.Set("id", scim.StringOf(string(u.ID)))
		return o, nil
	}
}

func (h *house) list(q directory.Query) ([]string, int64) {
	h.t.Helper()
	q.CompleteUser = complete(h.t)
	page, err := h.s.ListUsers(ctx, h.a, q)
	h.ok(err)
	names := make([]string, len(page.Users))
	for i, u := range page.Users {
		names[i] = doc(h.t, string(u.Document)).Text("userName")
	}
	return names, page.Total
}

func (h *house) filtered(filter string) []string {
	h.t.Helper()
	f, err := scim.ParseFilter(filter, scim.DefaultFilterLimits)
	h.ok(err)
	names, total := h.list(directory.Query{Filter: f, StartIndex: 1, Count: 100})
	if total != int64(len(names)) {
		h.t.Errorf("%s: total %d for %d people", filter, total, len(names))
	}
	return names
}

// Pages by number have to stay right while people come and go, whether or not the tally has been folded yet.
func TestPages_by_number_are_exact_after_any_creates_deletes_and_folds(t *testing.T) {
	each(t, func(h *house) {
		r := rand.New(rand.NewPCG(1, 2))
		var names, ids []string
		check := func() {
			h.t.Helper()
			start, count := 1+r.IntN(len(names)+3), r.IntN(8)
			got, total := h.list(directory.Query{StartIndex: start, Count: count})
			from := min(start-1, len(names))
			if want := names[from:min(from+count, len(names))]; !slices.Equal(got, want) || total != int64(len(names)) {
				h.t.Fatalf("from %d, %d of %d: got %v of %d, want %v", start, count, len(names), got, total, want)
			}
		}
		for i := range 120 {
			switch {
			case len(names) > 0 && r.IntN(4) == 0:
				k := r.IntN(len(names))
				h.ok(h.s.DeleteUser(ctx, h.a, ids[k], directory.Condition{}, record))
				names, ids = slices.Delete(names, k, k+1), slices.Delete(ids, k, k+1)
			default:
				name := fmt.Sprintf("u%03d", i)
				names, ids = append(names, name), append(ids, string(h.person(name).ID))
			}
			if r.IntN(5) == 0 {
				h.ok(h.s.FoldTally(ctx))
			}
			check()
		}
		other := newHouse(h.t, h.db, directory.New{})
		if _, total := other.list(directory.Query{StartIndex: 1, Count: 10}); total != 0 {
			h.t.Errorf("another organization sees %d people", total)
		}
	})
}

// stored puts many people into the store at once, behind the verbs' back.
func (h *house) stored(people int) {
	h.t.Helper()
	var w db.Write
	for i := range people {
		id := fmt.Sprintf("directory_user_01JD000000000000000000%04d", i)
		w.Exec(`INSERT INTO directory_users (directory_id, id, user_name_key, external_id, idp_id, active, suspended, version, created_at, updated_at, document)
			VALUES ($1, $2, $3, NULL, $2, TRUE, FALSE, 1, 1, 1, $4)`, string(h.dir.ID), id, id, fmt.Sprintf(`{"userName":"u%04d"}`, i))
		w.Exec(`INSERT INTO directory_tally_pending (directory_id, kind, resource_id, delta) VALUES ($1, 'user', $2, 1)`, string(h.dir.ID), id)
	}
	h.ok(h.db.Write(ctx, &w))
}

func TestFolding_makes_blocks_and_keeps_pages_exact(t *testing.T) {
	each(t, func(h *house) {
		const people = 2600 // more than two blocks
		h.stored(people)
		h.ok(h.s.FoldTally(ctx))
		var blocks int64
		h.ok(h.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_tally_blocks WHERE directory_id = $1`, string(h.dir.ID)).Scan(&blocks))
		if blocks != 3 {
			h.t.Errorf("%d blocks", blocks)
		}
		for _, start := range []int{1, 1024, 1025, 1026, 2048, 2049, 2600, 2601} {
			got, total := h.list(directory.Query{StartIndex: start, Count: 2})
			var want []string
			for i := start - 1; i < min(start+1, people); i++ {
				want = append(want, fmt.Sprintf("u%04d", i))
			}
			if !slices.Equal(got, want) || total != people {
				h.t.Errorf("from %d: %v of %d, want %v", start, got, total, want)
			}
		}
	})
}

func TestCursor_goes_on_after_the_last_one_seen(t *testing.T) {
	each(t, func(h *house) {
		for i := range 7 {
			h.person(fmt.Sprintf("u%d", i))
		}
		var seen []string
		after := ""
		for more := true; more; {
			page, err := h.s.ListUsers(ctx, h.a, directory.Query{StartIndex: 1, Count: 3, After: after})
			h.ok(err)
			for _, u := range page.Users {
				seen = append(seen, doc(h.t, string(u.Document)).Text("userName"))
			}
			after, more = string(page.Users[len(page.Users)-1].ID), page.More
		}
		if got := strings.Join(seen, " "); got != "u0 u1 u2 u3 u4 u5 u6" {
			h.t.Error(got)
		}
	})
}

func TestFilters_give_the_same_with_and_without_an_index(t *testing.T) {
	each(t, func(h *house) {
		h.user(`{"userName":"Ada@example.com","externalId":"X1","title":"CTO","emails":[{"value":"ADA@home.example","type":"home"},{"value":"ada@example.com","type":"work"}]}`)
		h.user(`{"userName":"bob","externalId":"x1","active":false,"emails":[{"value":"bob@example.com","type":"work"}]}`)
		h.user(`{"userName":"eve@example.com","title":"CTO"}`)
		for filter, want := range map[string]string{
			`userName eq "ADA@EXAMPLE.COM"`:                          "Ada@example.com",
			`externalId eq "x1"`:                                     "bob",
			`emails.value eq "ada@HOME.example"`:                     "Ada@example.com",
			`emails[type eq "work"].value eq "ada@home.example"`:     "",
			`emails[type eq "work" and value eq "bob@example.com"]`:  "bob",
			`emails.value eq "bob@example.com" or title eq "cto"`:    "Ada@example.com bob eve@example.com",
			`title eq "CTO" and emails pr`:                           "Ada@example.com",
			`active eq false`:                                        "bob",
			`not (active eq true) or userName eq "eve@example.com"`:  "bob eve@example.com",
			`userName sw "ada" and externalId eq "X1"`:               "Ada@example.com",
			`userName eq "bob" and externalId eq "X1"`:               "",
			`userName eq "bob" or (externalId eq "X1" and title pr)`: "Ada@example.com bob",
			`emails eq "eve@example.com"`:                            "",
			`id eq "directory_user_01JD0000000000000000000000"`:      "",
		} {
			if got := strings.Join(h.filtered(filter), " "); got != want {
				h.t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
	})
}

func TestSearch_that_takes_too_long_is_refused(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		h := newHouse(t, open(), directory.New{})
		h.stored(600)
		slow := h.service(directory.Options{ScanLimit: time.Nanosecond})
		f, err := scim.ParseFilter(`title eq "x"`, scim.DefaultFilterLimits)
		h.ok(err)
		_, err = slow.ListUsers(ctx, h.a, directory.Query{Filter: f, StartIndex: 1, Count: 1, CompleteUser: complete(t)})
		h.wantFault(err, fault.Invalid, "tooMany")
	})
}

func TestGroups_are_found_by_a_member_without_reading_the_others(t *testing.T) {
	each(t, func(h *house) {
		ada, bob := h.person("ada"), h.person("bob")
		staff := h.group("Staff", string(ada.ID), string(bob.ID), "ghost")
		h.group("Admins", string(bob.ID))
		find := func(filter string) []string {
			f, err := scim.ParseFilter(filter, scim.DefaultFilterLimits)
			h.ok(err)
			most := 0
			page, err := h.s.ListGroups(ctx, h.a, directory.Query{Filter: f, StartIndex: 1, Count: 10, CompleteGroup: func(g *directory.Group) (*scim.Object, error) {
				o := doc(h.t, string(g.Document))
				o.Set("id", scim.StringOf(string(g.ID)))
				var members []scim.Value
				for _, m := range g.Members {
					members = append(members, scim.ObjectOf(scim.NewObject(scim.Member{Name: "value", Value: scim.StringOf(m.Value)})))
				}
				most = max(most, len(members))
				if len(members) > 0 {
					o.Set("members", scim.ListOf(members...))
				}
				return o, nil
			}})
			h.ok(err)
			if most > 1 {
				h.t.Errorf("%s read %d members of a group", filter, most)
			}
			var names []string
			for _, g := range page.Groups {
				names = append(names, g.Name)
				if g.Members != nil {
					h.t.Error("members were not asked for")
				}
			}
			return names
		}
		for filter, want := range map[string]string{
			`members eq "` + string(ada.ID) + `"`:                                      "Staff",
			`members.value eq "` + string(bob.ID) + `"`:                                "Staff Admins",
			`id eq "` + string(staff.ID) + `" and members eq "` + string(bob.ID) + `"`: "Staff",
			`displayName eq "admins" and members[value eq "` + string(ada.ID) + `"]`:   "",
			`members eq "ghost"`: "Staff",
		} {
			if got := strings.Join(find(filter), " "); got != want {
				h.t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
	})
}

func TestExchanges_are_kept_by_age_and_size_and_refusals_by_number(t *testing.T) {
	each(t, func(h *house) {
		s := h.service(directory.Options{ExchangeRetention: 24 * time.Hour, ExchangeMaxBytes: 4000})
		note := func(refused bool, body int) {
			s.Note(&directory.Exchange{
				OrganizationID: string(h.org.ID), DirectoryID: h.dir.ID, At: time.Now(), Method: "GET", Path: "/Users", Status: 200,
				Refused: refused, Body: []byte(strings.Repeat("x", body)), Effect: []byte(`{}`),
			})
		}
		for range 130 {
			note(true, 1)
		}
		h.ok(s.FlushNotes(ctx))
		count := func() int {
			found, err := s.Exchanges(ctx, h.dir.ID, "", 500)
			h.ok(err)
			return len(found)
		}
		if got := count(); got != 100 {
			h.t.Errorf("%d refusals kept, want the last 100", got)
		}
		for range 6 {
			note(false, 1000)
		}
		h.ok(s.FlushNotes(ctx))
		h.ok(s.Expire(ctx))
		if got := count(); got != 3 {
			h.t.Errorf("%d exchanges of 1,000 bytes kept in a share of 4,000, want 3", got)
		}
		for range 3 {
			note(false, 1000)
		}
		h.ok(s.FlushNotes(ctx))
		h.ok(s.Expire(ctx)) // measured again, because it has grown
		if got := count(); got != 3 {
			h.t.Errorf("%d exchanges kept after more came, want 3", got)
		}
		later := h.service(directory.Options{ExchangeRetention: 24 * time.Hour, Now: func() time.Time { return time.Now().Add(25 * time.Hour) }})
		h.ok(later.Expire(ctx))
		if got := count(); got != 0 {
			h.t.Errorf("%d exchanges older than their time", got)
		}
	})
}

func TestExchanges_that_come_too_fast_are_dropped_and_counted(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, db.SQLite, migrations.Files), directory.New{})
	for range 2000 {
		h.s.Note(&directory.Exchange{OrganizationID: string(h.org.ID), DirectoryID: h.dir.ID, At: time.Now(), Effect: []byte(`{}`)})
	}
	if got := h.s.Dropped(); got != 2000-1024 {
		t.Errorf("%d dropped", got)
	}
	if !h.s.Busy() || h.s.Dropped() != 2001-1024 {
		t.Error("a full buffer has to say so")
	}
	h.s.Note(&directory.Exchange{})
	if h.s.Unknown() != 1 {
		t.Error("a request of no known directory is only counted")
	}
}

func TestBackground_work_stops_with_its_context(t *testing.T) {
	d := dbtest.Open(t, db.SQLite, migrations.Files)
	h := newHouse(t, d, directory.New{})
	h.s.Note(&directory.Exchange{OrganizationID: string(h.org.ID), DirectoryID: h.dir.ID, At: time.Now(), Method: "GET", Effect: []byte(`{}`)})
	h.runBriefly()
	found, err := h.s.Exchanges(ctx, h.dir.ID, "", 10)
	h.ok(err)
	if len(found) != 1 {
		t.Errorf("%d exchanges after the stop, want the one that was waiting", len(found))
	}
}
