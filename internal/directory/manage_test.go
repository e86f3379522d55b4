package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
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

func TestDirectories_of_an_organization_go_together_and_its_tokens_with_them(t *testing.T) {
	each(t, func(h *house) {
		second, secret := h.directory(directory.New{Name: "Second", Label: "acme"})
		h.open(secret)
		other, err := h.orgs.Create(ctx, actor(), org.New{Name: "Other"})
		h.ok(err)
		kept, others, err := h.s.Create(ctx, actor(), directory.New{OrganizationID: string(other.ID), Name: "Okta", Type: directory.OktaSCIM})
		h.ok(err)
		for _, remembered := range []token.Secret{h.token, secret, others} {
			h.open(remembered)
		}
		h.news()
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			return h.s.DeleteOrganizationTx(ctx, tx, actor(), string(h.org.ID), time.Now())
		}))
		h.ok(h.s.Await(ctx))
		for _, gone := range []token.Secret{h.token, secret} {
			_, err := h.s.Authenticate(ctx, "", gone)
			h.wantFault(err, fault.Unauthorized, "unauthorized")
		}
		for _, id := range []directory.ID{h.dir.ID, second.ID} {
			_, err := h.s.Get(ctx, id)
			h.wantFault(err, fault.NotFound, "entity_not_found")
			tokens, err := h.s.Tokens(ctx, id)
			h.ok(err)
			for _, one := range tokens {
				if one.RevokedAt.IsZero() {
					t.Errorf("token %s of directory %s lives", one.ID, id)
				}
			}
		}
		if h.open(others).Directory.ID != kept.ID {
			t.Error("another organization's directory")
		}
		h.wantNews("dsync.deleted", "dsync.deleted")
		_, _, err = h.s.Create(ctx, actor(), directory.New{OrganizationID: string(other.ID), Name: "Okta", Type: directory.OktaSCIM, Label: "acme"})
		h.ok(err) // the label is free again
		h.news()
		h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
			return h.s.DeleteOrganizationTx(ctx, tx, actor(), string(h.org.ID), time.Now())
		}))
		h.wantNews()
	})
}
