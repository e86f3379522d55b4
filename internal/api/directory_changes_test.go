package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestDirectory_is_changed_in_what_is_sent_and_only_there(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), `,"label":"acme","provider":"okta"`)
		f.person("ann", "")
		path := "/directories/" + f.id
		got := w.send("PATCH", path, `{"name":"Staff","inactive_users":"removed","provisioning":"direct","strict":true,"extensions":{"user":[`+badge+`]}}`).wants(http.StatusOK)
		for member, want := range map[string]any{
			"name": "Staff", "inactive_users": "removed", "provisioning": "direct", "strict": true, "label": "acme", "provider": "okta",
			"scim_endpoint": publicURL + "/scim/v2/acme", "type": "okta scim v2.0", "bearer_token": nil,
		} {
			if got.object[member] != want {
				t.Errorf("%s is %v, want %v", member, got.object[member], want)
			}
		}
		if schemas, _ := got.at("extensions.user").([]any); len(schemas) != 1 || got.at("metadata.users.active") != 1.0 {
			t.Errorf("%s", got.raw)
		}
		if again := w.get(path); again.text("name") != "Staff" || again.object["strict"] != true {
			t.Errorf("%s", again.raw)
		}
		for _, nothing := range []string{"", "{}", `{"name":null,"strict":null,"inactive_users":null,"provisioning":null,"type":"bamboohr","newer":1}`} {
			if same := w.send("PATCH", path, nothing).wants(http.StatusOK); same.raw != got.raw {
				t.Errorf("%s changed it:\n%s\n%s", nothing, got.raw, same.raw)
			}
		}
		got = w.send("PATCH", path, `{"label":null,"provider":null,"extensions":null}`).wants(http.StatusOK)
		if got.object["label"] != nil || got.object["provider"] != nil || got.at("extensions.user") != nil ||
			got.text("scim_endpoint") != publicURL+"/scim/v2/"+got.text("external_key") || got.text("name") != "Staff" {
			t.Errorf("%s", got.raw)
		}
		same(t, "events", w.get("/events?limit=100").each("event"), []string{"organization.created", "dsync.token.created", "dsync.activated", "dsync.user.created"})
	})
}

func TestDirectory_is_not_changed_by_what_is_wrong_and_says_which_field(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		w.feed(organization, `,"label":"taken"`)
		f := w.feed(organization, "")
		path := "/directories/" + f.id
		before := w.get(path).raw
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			`{"strict":true,"label":"taken"}`:           {409, "label_taken", ""},
			`{"strict":true,"label":"Under_score"}`:     {422, "invalid_label", "label"},
			`{"strict":true,"label":1}`:                 {422, "invalid_type", "label"},
			`{"strict":true,"name":""}`:                 {422, "required", "name"},
			`{"strict":true,"name":[]}`:                 {422, "invalid_type", "name"},
			`{"strict":true,"provider":"nobody"}`:       {422, "invalid_provider", "provider"},
			`{"strict":true,"provider":{}}`:             {422, "invalid_type", "provider"},
			`{"strict":true,"inactive_users":"x"}`:      {422, "invalid", "inactive_users"},
			`{"strict":true,"provisioning":"x"}`:        {422, "invalid", "provisioning"},
			`{"strict":true,"extensions":{"user":1}}`:   {422, "invalid_extensions", "extensions"},
			`{"strict":true,"extensions":{"user":[1]}}`: {422, "invalid_extensions", "extensions"},
			`{"strict":"true"}`:                         {422, "invalid_type", "strict"},
			`[]`:                                        {400, "invalid_json", ""},
		} {
			w.send("PATCH", path, body).refused(want.status, want.code, want.field)
		}
		if after := w.get(path).raw; after != before {
			t.Errorf("changed:\n%s\n%s", before, after)
		}
		for _, id := range []string{"directory_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", organization} {
			w.send("PATCH", "/directories/"+id, `{"name":"x"}`).refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestPerson_is_erased_and_gone_at_once(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		ann, bob := f.person("ann", ""), f.person("bob", "")
		team := f.group("Team", ann, bob)
		if got := w.send("DELETE", "/directory_users/"+ann, "").wants(http.StatusAccepted); got.raw != "" {
			t.Errorf("the answer is %s", got.raw)
		}
		w.get("/directory_users/"+ann).refused(http.StatusNotFound, "entity_not_found", "")
		same(t, "members", w.get("/directory_users?group="+team).each("id"), []string{bob})
		kinds := w.get("/events?limit=100").each("event")
		same(t, "last events", kinds[len(kinds)-2:], []string{"dsync.group.user_removed", "dsync.user.deleted"})
		for _, id := range []string{ann, "directory_user_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", team, "%00"} {
			w.send("DELETE", "/directory_users/"+id, "").refused(http.StatusNotFound, "entity_not_found", "")
		}
	})
}

func TestDirectories_of_a_page_are_counted_each_for_itself(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		a, b, empty := w.feed(organization, ""), w.feed(organization, ""), w.feed(organization, "")
		a.person("ann", "")
		a.group("Team")
		b.person("bob", "")
		b.person("eve", `,"active":false`)
		counts := map[any][3]any{}
		for _, d := range w.get("/directories?limit=100").wants(http.StatusOK).data() {
			users := d["metadata"].(map[string]any)["users"].(map[string]any)
			counts[d["id"]] = [3]any{users["active"], users["inactive"], d["metadata"].(map[string]any)["groups"]}
		}
		if counts[a.id] != [3]any{1.0, 0.0, 1.0} || counts[b.id] != [3]any{1.0, 1.0, 0.0} || counts[empty.id] != [3]any{0.0, 0.0, 0.0} {
			t.Errorf("%v", counts)
		}
	})
}

func TestDirectory_sync_that_is_off_allows_no_new_directory_and_hides_nothing(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		f := w.feed(organization, "")
		ann := f.person("ann", "")
		w.must(w.db.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE organizations SET features = '{"directory_sync":false}' WHERE id = $1`, organization)
			return err
		}))
		w.send("POST", "/directories", `{"organization_id":"`+organization+`","name":"People","type":"okta scim v2.0"}`).refused(http.StatusForbidden, "feature_disabled", "")
		w.get("/directories/" + f.id).wants(http.StatusOK)
		w.get("/directory_users/" + ann).wants(http.StatusOK)
		w.send("PATCH", "/directories/"+f.id, `{"name":"x"}`).wants(http.StatusOK)
	})
}

func TestKeys_of_other_kinds_are_refused_by_name(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		f := w.feed(organization, "")
		living, gone := token.NewSecret("sk"), token.NewSecret("sk")
		w.must(w.db.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at)
				VALUES ('api_key_1', $1, 'k', $2, 'x', '["scim"]', 1, 1)`, organization, string(token.HashOf(living)))
			return err
		}))
		for secret, want := range map[token.Secret]string{
			living: "an API key of an organization", gone: "The management key is not valid", token.Secret(f.made.text("bearer_token")): "the SCIM token of a directory",
			"sk_": "The management key is not valid",
		} {
			as := *w
			as.key = secret
			got := as.get("/events")
			got.refused(http.StatusUnauthorized, "unauthorized", "")
			if !strings.Contains(got.text("message"), want) {
				t.Errorf("%q, want %q", got.text("message"), want)
			}
		}
	})
}

func TestAddress_shown_begins_with_the_host_of_the_organization(t *testing.T) {
	onOne(t, func(w *world) {
		a, b := w.organization("A"), w.organization("B")
		w.server.o.PublicURL = func(_ *http.Request, organization string) string {
			return map[string]string{a: "https://scim.a.example", b: publicURL}[organization]
		}
		f, g := w.feed(a, `,"label":"people"`), w.feed(b, "")
		if got := f.made.text("scim_endpoint"); got != "https://scim.a.example/scim/v2/people" {
			t.Errorf("made: %s", got)
		}
		same(t, "listed", w.get("/directories").each("scim_endpoint"), []string{publicURL + "/scim/v2/" + g.made.text("external_key"), "https://scim.a.example/scim/v2/people"})
		if got := w.send("POST", "/directories/"+f.id+"/tokens", "").wants(http.StatusCreated).text("scim_endpoint"); got != "https://scim.a.example/scim/v2/people" {
			t.Errorf("token: %s", got)
		}
	})
}

// eventually waits until these events, and no others, are there.
func (w *world) eventually(kinds []string) {
	w.Helper()
	var got []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = w.get("/events?limit=100").wants(http.StatusOK).each("event"); slices.Equal(got, kinds) {
			return
		}
	}
	w.Fatalf("events are %q, want %q", got, kinds)
}

// Contract of what consumers get when they are to see inactive people otherwise.
func TestContract_holds_for_people_told_of_after_a_change_of_settings(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.feed(w.organization("Acme"), "")
		f.person("ann", `,"active":false`)
		running, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { w.dirs.Run(running) })
		defer done.Wait()
		defer stop()
		kinds := w.get("/events?limit=100").each("event")
		for _, one := range []struct {
			setting directory.InactiveUsers
			told    string
		}{{directory.Removed, "dsync.user.deleted"}, {directory.Kept, "dsync.user.created"}} {
			w.send("PATCH", "/directories/"+f.id, `{"inactive_users":"`+string(one.setting)+`"}`).wants(http.StatusOK)
			kinds = append(kinds, one.told)
			w.eventually(kinds)
		}
		if got := w.get("/directory_users?directory=" + f.id).data(); len(got) != 1 || got[0]["state"] != "inactive" {
			t.Errorf("%v", got)
		}
	})
}
