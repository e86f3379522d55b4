package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func (h *house) names(q directory.PeopleQuery) []string {
	h.t.Helper()
	if q.Directory == "" {
		q.Directory = h.dir.ID
	}
	if q.Limit == 0 {
		q.Limit = 10
	}
	found, _, err := h.s.People(ctx, q)
	h.ok(err)
	out := []string{}
	for _, u := range found {
		out = append(out, doc(h.t, string(u.Document)).Text("userName"))
	}
	return out
}

func TestPeople_are_found_by_the_beginning_of_name_and_address_and_by_whole_ids(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada := a.user(`{"userName":"Ada.L","externalId":"00u1","emails":[{"value":"lovelace@acme.example","primary":true}]}`)
		a.person("alan")
		a.person("100%")
		b.person("ada.other")
		for search, want := range map[string][]string{
			"":                {"Ada.L", "alan", "100%"},
			"A":               {"Ada.L", "alan"},
			"aDA.":            {"Ada.L"},
			"LOVE":            {"Ada.L"},
			"00u1":            {"Ada.L"},
			"00u":             {},
			"100%":            {"100%"},
			"%":               {},
			"lan":             {},
			string(ada.ID):    {"Ada.L"},
			"ada.other":       {},
			"ada.l\U0010FFFF": {},
		} {
			if got := a.names(directory.PeopleQuery{Search: search, Ascending: true}); !slices.Equal(got, want) {
				a.t.Errorf("search %q: %v, want %v", search, got, want)
			}
		}
	})
}

func TestPeople_are_listed_by_state_whatever_consumers_are_told(t *testing.T) {
	each(t, func(h *house) {
		removed := directory.Removed
		_, err := h.s.Update(ctx, actor(), h.dir.ID, directory.Changes{InactiveUsers: &removed})
		h.ok(err)
		h.a = h.open(h.token)
		ada, alan := h.person("ada"), h.person("alan")
		h.activate(alan.ID, false)
		_, err = h.s.SuspendUser(ctx, h.a, string(ada.ID), record)
		h.ok(err)
		yes, no := true, false
		for _, one := range []struct {
			inactive *bool
			want     []string
		}{{nil, []string{"ada", "alan"}}, {&yes, []string{"alan"}}, {&no, []string{"ada"}}} {
			if got := h.names(directory.PeopleQuery{Inactive: one.inactive, Ascending: true}); !slices.Equal(got, one.want) {
				h.t.Errorf("%v, want %v", got, one.want)
			}
		}
		for id, want := range map[directory.UserID]directory.PersonState{ada.ID: directory.PersonSuspended, alan.ID: directory.PersonInactive} {
			u, err := h.s.Person(ctx, h.dir.ID, id)
			h.ok(err)
			if u.State() != want {
				h.t.Errorf("%s is %s, want %s", id, u.State(), want)
			}
		}
	})
}

func TestPages_of_people_and_groups_go_on_from_where_they_ended(t *testing.T) {
	each(t, func(h *house) {
		for i := range 5 {
			h.person(fmt.Sprintf("p%d", i))
			h.group(fmt.Sprintf("G%d", i))
		}
		first, more, err := h.s.People(ctx, directory.PeopleQuery{Directory: h.dir.ID, Limit: 3})
		h.ok(err)
		if len(first) != 3 || !more {
			h.t.Fatalf("%d people, more: %v", len(first), more)
		}
		if got := h.names(directory.PeopleQuery{After: string(first[2].ID), Limit: 3}); !slices.Equal(got, []string{"p1", "p0"}) {
			h.t.Errorf("the second page is %v", got)
		}
		groups, more, err := h.s.Groups(ctx, directory.GroupQuery{Directory: h.dir.ID, Limit: 3, Ascending: true})
		h.ok(err)
		if len(groups) != 3 || !more || groups[0].Name != "G0" {
			h.t.Errorf("%+v, more: %v", groups, more)
		}
		groups, more, err = h.s.Groups(ctx, directory.GroupQuery{Directory: h.dir.ID, Limit: 3, Search: "g4"})
		h.ok(err)
		if len(groups) != 1 || more || groups[0].Name != "G4" {
			h.t.Errorf("%+v, more: %v", groups, more)
		}
	})
}

func TestGroup_is_shown_with_its_people_by_page_and_all_others_at_once(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		ada, inner := a.person("ada"), a.group("Inner")
		outer := a.group("Outer", string(ada.ID), string(inner.ID), "waits")
		a.members(inner, scim.MembersAdd, string(ada.ID))

		g, err := a.s.Group(ctx, a.dir.ID, outer.ID)
		a.ok(err)
		want := []directory.Member{{Value: string(inner.ID), Kind: directory.MemberGroup, Display: "Inner"}, {Value: "waits", Kind: directory.MemberParked}}
		if !slices.Equal(g.Members, want) {
			a.t.Errorf("%+v, want %+v", g.Members, want)
		}
		if got := a.names(directory.PeopleQuery{Group: outer.ID}); !slices.Equal(got, []string{"ada"}) {
			a.t.Errorf("people of the group: %v", got)
		}
		a.person("ada.of.nowhere")
		if got := a.names(directory.PeopleQuery{Group: outer.ID, Search: "ADA"}); !slices.Equal(got, []string{"ada"}) {
			a.t.Errorf("people of the group that were searched for: %v", got)
		}
		u, err := a.s.Person(ctx, a.dir.ID, ada.ID)
		a.ok(err)
		if len(u.Groups) != 2 || !u.Groups[0].Direct || !u.Groups[1].Direct {
			a.t.Errorf("groups of the person: %+v", u.Groups)
		}
		_, err = b.s.Group(ctx, b.dir.ID, outer.ID)
		b.wantFault(err, fault.NotFound, "entity_not_found")
		_, err = b.s.Person(ctx, b.dir.ID, ada.ID)
		b.wantFault(err, fault.NotFound, "entity_not_found")
		if got := append(b.names(directory.PeopleQuery{Group: outer.ID}), b.names(directory.PeopleQuery{Group: outer.ID, Search: "ada"})...); len(got) > 0 {
			b.t.Errorf("people of another directory's group: %v", got)
		}
	})
}

func TestAttributes_say_which_of_the_providers_they_were_taken_from(t *testing.T) {
	each(t, func(h *house) {
		u := h.user(`{"userName":"ada@acme.example","externalId":"00u1","name":{"givenName":"Ada","familyName":"Lovelace"},"title":"Countess",
			"emails":[{"value":"home@ada.example","type":"home"},{"value":"work@acme.example","type":"work"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Engines"}}`)
		got, err := directory.Attributes(u)
		h.ok(err)
		want := []directory.Attribute{
			{Name: "idp_id", Value: "00u1", From: "externalId"},
			{Name: "username", Value: "ada@acme.example", From: "userName"},
			{Name: "email", Value: "work@acme.example", From: `emails[type eq "work"].value`},
			{Name: "name", Value: "Ada Lovelace", From: "name.givenName, name.familyName"},
			{Name: "first_name", Value: "Ada", From: "name.givenName"},
			{Name: "last_name", Value: "Lovelace", From: "name.familyName"},
			{Name: "job_title", Value: "Countess", From: "title"},
			{Name: "department_name", Value: "Engines", From: "enterprise.department"},
		}
		if !slices.Equal(got, want) {
			h.t.Errorf("%+v\nwant %+v", got, want)
		}
		plain, err := directory.Attributes(h.person("alan@acme.example"))
		h.ok(err)
		if plain[0].From != "" || plain[2] != (directory.Attribute{Name: "email", Value: "alan@acme.example", From: "userName"}) {
			h.t.Errorf("%+v", plain)
		}
	})
}

func (h *house) noted(status int, path string) directory.ExchangeID {
	h.t.Helper()
	x := &directory.Exchange{
		ID: h.s.NewExchangeID(), OrganizationID: string(h.org.ID), DirectoryID: h.dir.ID, At: time.Now(), Method: "GET", Path: path, Status: status,
		RequestID: "req", Body: []byte("sent"), Answer: []byte("answered"),
	}
	h.s.Note(x)
	return x.ID
}

func TestExchanges_are_listed_without_what_was_sent_and_found_whole(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		one := a.noted(200, "/Users/1")
		bad := a.noted(400, "/Users/2")
		last := a.noted(200, "/Users/3")
		b.noted(400, "/Users/4")
		a.ok(a.s.FlushNotes(ctx))

		found, next, err := a.s.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: a.dir.ID, Limit: 2})
		a.ok(err)
		if len(found) != 2 || found[0].ID != last || found[1].ID != bad || next != bad || found[0].Body != nil || found[0].Answer != nil {
			a.t.Errorf("%+v, next %s", found, next)
		}
		found, next, err = a.s.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: a.dir.ID, Before: next, Limit: 2})
		a.ok(err)
		if len(found) != 1 || found[0].ID != one || next != "" {
			a.t.Errorf("%+v, next %s", found, next)
		}
		found, next, err = a.s.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: a.dir.ID, Limit: 2, Refused: true})
		a.ok(err)
		if len(found) != 1 || found[0].ID != bad || next != "" {
			a.t.Errorf("%+v, next %s", found, next)
		}
		whole, err := a.s.Exchange(ctx, a.dir.ID, bad)
		a.ok(err)
		if string(whole.Body) != "sent" || string(whole.Answer) != "answered" {
			a.t.Errorf("%+v", whole)
		}
		_, err = b.s.Exchange(ctx, b.dir.ID, bad)
		b.wantFault(err, fault.NotFound, "entity_not_found")
	})
}

func TestRefused_exchanges_behind_many_others_are_found_page_by_page(t *testing.T) {
	each(t, func(h *house) {
		bad := h.noted(409, "/Users")
		for i := range directory.RefusedWindow + 10 {
			h.noted(200, "/Users/1")
			if i%500 == 0 {
				h.ok(h.s.FlushNotes(ctx))
			}
		}
		h.ok(h.s.FlushNotes(ctx))
		q := directory.ExchangeQuery{Directory: h.dir.ID, Limit: 10, Refused: true}
		found, next, err := h.s.ExchangeHeads(ctx, q)
		h.ok(err)
		if len(found) != 0 || next == "" {
			h.t.Fatalf("%d found, next %q", len(found), next)
		}
		q.Before = next
		found, next, err = h.s.ExchangeHeads(ctx, q)
		h.ok(err)
		if len(found) != 1 || found[0].ID != bad || next != "" {
			h.t.Errorf("%+v, next %q", found, next)
		}
	})
}

func TestDirectories_of_a_page_of_organizations_are_read_at_once(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		second, _ := a.directory(directory.New{Name: "Second"})
		found, err := a.s.OfOrganizations(ctx, string(a.org.ID), string(b.org.ID), "org_none")
		a.ok(err)
		mine := found[string(a.org.ID)]
		if len(found) != 2 || len(mine) != 2 || mine[0].ID != a.dir.ID || mine[1].ID != second.ID || found[string(b.org.ID)][0].ID != b.dir.ID {
			a.t.Errorf("%+v", found)
		}
		a.ok(a.s.Delete(ctx, actor(), second.ID))
		if found, err = a.s.OfOrganizations(ctx, string(a.org.ID)); err != nil || len(found[string(a.org.ID)]) != 1 {
			a.t.Errorf("%+v, %v", found, err)
		}
		if found, err = a.s.OfOrganizations(ctx); err != nil || len(found) > 0 || strings.Contains(fmt.Sprint(found), "org") {
			a.t.Errorf("%+v, %v", found, err)
		}
	})
}
