package app

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
)

func TestStart_that_begins_to_keep_accounts_mails_nobody_and_says_who_waits(t *testing.T) {
	c := testConfig(t)
	c.Accounts = AccountsApp
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a := build(t, c)
	actor := event.Actor{ID: "test", Source: event.API}
	o, err := a.organizations.Create(t.Context(), actor, org.New{Name: "Acme"})
	must(err)
	d, _, err := a.directories.Create(t.Context(), actor, directory.New{OrganizationID: string(o.ID), Name: "Okta", Type: "okta scim v2.0"})
	must(err)
	var w db.Write
	w.Exec(`INSERT INTO directory_users (directory_id, id, user_name_key, idp_id, active, suspended, version, created_at, updated_at, document)
		VALUES ($1, 'directory_user_1', 'ada', 'ada', TRUE, FALSE, 1, 1, 1, '{}')`, string(d.ID))
	must(a.db.Write(t.Context(), &w))
	must(a.Close())

	c.Accounts = AccountsRollcall
	for range 2 { // it is said at each start
		var log diary
		a, err = New(t.Context(), c, "test", log.logger())
		must(err)
		found, err := a.directories.Get(t.Context(), d.ID)
		must(err)
		if got := log.String(); found.Live() || !strings.Contains(got, "a directory is paused") || !strings.Contains(got, "directory="+string(d.ID)) || !strings.Contains(got, "people=1") {
			t.Errorf("%+v\n%s", found, got)
		}
		must(a.Close())
	}
}
