package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	sdk "github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

const (
	mirrorKills = 8
	mirrorers   = 400 // people, every fourth of whom is deactivated again
)

// A mirror that is killed without warning again and again, while people come and go, ends with the tables that the directory has.
func TestMirror_that_is_killed_holds_what_the_directory_holds(t *testing.T) {
	app := dbtest.Options(t, db.PostgreSQL, nil).URL
	h := newHome(t, db.SQLite)
	p := h.start(t)
	api, err := sdk.New(p.url, managementKey)
	must(t, err)
	x := newTenant(t, p, "Acme")
	removed := "removed" // then the log has only people who are in
	_, err = api.UpdateDirectory(t.Context(), x.directory, sdk.DirectoryChange{InactiveUsers: &removed})
	must(t, err)

	idp := x.scim(p)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		comeAndGo(t, idp)
	}()
	mirror := []string{"event", "mirror", "--url", p.url, "--to", app}
	for range mirrorKills {
		m := h.launch(t, mirror...)
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		m.kill(t)
	}
	<-ended
	if code, _, complaints := h.finish(t, append(mirror, "--once")...); code != 0 {
		t.Fatalf("exit code %d: %s", code, complaints)
	}

	want := map[string]bool{}
	for u, err := range api.DirectoryUsers(t.Context(), sdk.DirectoryUserQuery{DirectoryID: x.directory}) {
		must(t, err)
		if u.State == "active" {
			want[u.Email] = true
		}
	}
	conn, err := pgx.Connect(t.Context(), app)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	rows, err := conn.Query(t.Context(), "SELECT email FROM rollcall.users")
	must(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if len(got) != len(want) || len(want) != mirrorers*3/4 {
		t.Errorf("the mirror holds %d people, the directory %d", len(got), len(want))
	}
	for _, email := range got {
		if !want[email] {
			t.Errorf("%s should be gone", email)
		}
	}
	k, err := api.Consumer(t.Context(), "mirror")
	must(t, err)
	if k.Lag != 0 {
		t.Errorf("the consumer is %d events behind", k.Lag)
	}
}

// comeAndGo runs beside the test, so it reports and does not stop.
func comeAndGo(t *testing.T, idp *client) {
	for i := range mirrorers {
		a, err := idp.do(t.Context(), "POST", "/Users", userBody(fmt.Sprintf("person%d", i), "Person"))
		var made object
		if err != nil || a.status != 201 || json.Unmarshal(a.raw, &made) != nil {
			t.Errorf("person %d: %d %v", i, a.status, err)
			return
		}
		if i%4 != 0 {
			continue
		}
		leave := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
		if a, err := idp.do(t.Context(), "PATCH", "/Users/"+text(made, "id"), leave); err != nil || a.status != 200 {
			t.Errorf("person %d leaves: %d %v", i, a.status, err)
			return
		}
	}
}
