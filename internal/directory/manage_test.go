package directory_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

func TestCounts_stay_right_while_people_and_groups_come_change_and_go(t *testing.T) {
	each(t, func(h *house) {
		other, _ := h.directory(directory.New{Name: "Other"})
		want := func(d directory.Directory, c directory.Counts) {
			h.t.Helper()
			// Before and after differences are folded away, and again with blocks that are remembered.
			for range 2 {
				if got, err := h.s.Counts(ctx, d.ID); err != nil || got != c {
					h.t.Fatalf("%+v %v, want %+v", got, err, c)
				}
				h.ok(h.s.FoldTally(ctx))
			}
		}
		want(h.dir, directory.Counts{})
		ada, bob := h.person("ada"), h.person("bob")
		cyd := h.user(`{"userName":"cyd","active":false}`)
		want(h.dir, directory.Counts{Active: 2, Inactive: 1})
		staff := h.group("Staff", string(ada.ID))
		h.activate(ada.ID, false)
		h.activate(ada.ID, false)
		want(h.dir, directory.Counts{Active: 1, Inactive: 2, Groups: 1})
		h.activate(cyd.ID, true)
		want(h.dir, directory.Counts{Active: 2, Inactive: 1, Groups: 1})
		h.person("ada") // an inactive person comes back by being created
		want(h.dir, directory.Counts{Active: 3, Groups: 1})
		h.activate(bob.ID, false)
		h.ok(h.s.DeleteUser(ctx, h.a, string(bob.ID), directory.Condition{}, record))
		h.ok(h.s.DeleteUser(ctx, h.a, string(cyd.ID), directory.Condition{}, record))
		h.ok(h.s.DeleteGroup(ctx, h.a, string(staff.ID), directory.Condition{}, record))
		want(h.dir, directory.Counts{Active: 1})
		want(other, directory.Counts{})
	})
}

func TestDirectories_are_refused_with_a_provider_or_custom_schemas_of_no_form(t *testing.T) {
	each(t, func(h *house) {
		create := func(n directory.New) error {
			n.OrganizationID, n.Name, n.Type = string(h.org.ID), "Okta", directory.OktaSCIM
			_, _, err := h.s.Create(ctx, actor(), n)
			return err
		}
		for _, provider := range []string{"Okta", "../okta", "okta_scim", "é", "okta\n", strings.Repeat("o", 65)} {
			h.wantFault(create(directory.New{Provider: provider}), fault.Unprocessable, "invalid_provider")
		}
		for _, extensions := range []string{`{"users":[]}`, `{"user":[],"device":[]}`, `{"User":[]}`, `[]`, `{"user":{}}`, `{`} {
			h.wantFault(create(directory.New{Extensions: []byte(extensions)}), fault.Unprocessable, "invalid_extensions")
		}
		h.ok(create(directory.New{Provider: strings.Repeat("o", 64), Extensions: []byte(`{"user":[],"group":[]}`)}))
		h.ok(create(directory.New{Provider: "entra-id"}))
	})
}

func TestPayloads_of_events_are_what_JSON_stringify_writes(t *testing.T) {
	each(t, func(h *house) {
		const awkward, stringify = "R&D <EU> \u2028\u2029 \x7f \\ \"", "\"R&D <EU> \u2028\u2029 \x7f \\\\ \\\"\""
		_, secret := h.directory(directory.New{Name: awkward})
		h.a = h.open(secret)
		h.ok(h.s.NoteAccepted(ctx, h.a))
		h.a = h.open(secret)
		u := h.user(`{"userName":"ada","displayName":` + stringify + `}`)
		h.group("Staff", string(u.ID))
		named := h.user(`{"userName":"bob","title":` + stringify + `}`)
		h.ok(h.s.DeleteUser(ctx, h.a, string(named.ID), directory.Condition{}, record))
		events := h.newEvents()
		if len(events) != 7 { // a token, activated, three people's, two groups'
			h.t.Errorf("%d events", len(events))
		}
		for _, e := range events {
			text := string(e.Context) + string(e.Data)
			if i := strings.Index(text, `\u`); i >= 0 {
				h.t.Errorf("%s escapes what need not be: %s", e.Type, text[i:])
			}
			if e.Type != event.DirectoryTokenCreated && !strings.Contains(text, stringify) && e.Type != event.DirectoryGroupCreated {
				h.t.Errorf("%s lacks the name: %s", e.Type, text)
			}
		}
	})
}
