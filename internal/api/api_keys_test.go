package api

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

func (w *world) apiKey(organization, body string) reply {
	w.Helper()
	return w.send("POST", "/organizations/"+organization+"/api_keys", body)
}

func (w *world) validate(value string) reply {
	w.Helper()
	return w.send("POST", "/api_keys/validations", `{"value":"`+value+`"}`).wants(200)
}

func TestAPIKey_value_is_shown_once_and_validates(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		made := w.apiKey(id, `{"name":" R&D <key> ","permissions":["scim","posts:read","scim"],"expires_at":null,"x":1}`).wants(201)
		value := made.text("value")
		if !strings.HasPrefix(value, "sk_") || made.text("obfuscated_value") != "sk_..."+value[len(value)-4:] || made.text("name") != "R&D <key>" ||
			made.text("owner.id") != id || fmt.Sprint(made.at("permissions")) != "[scim posts:read]" {
			t.Errorf("made %s", made.raw)
		}
		got := w.validate(value)
		if got.text("api_key.id") != made.text("id") || got.text("api_key.owner.type") != "organization" {
			t.Errorf("validated: %s", got.raw)
		}
		w.must(w.orgs.FlushUses(w.Context()))
		list := w.get("/organizations/" + id + "/api_keys").wants(200)
		if used, _ := list.data()[0]["last_used_at"].(string); len(list.data()) != 1 || used == "" {
			t.Errorf("listed: %s", list.raw)
		}
		for what, r := range map[string]reply{"list": list, "validation": got, "events": w.get("/events")} {
			if strings.Contains(r.raw, value) || strings.Contains(r.raw, string(token.HashOf(token.Secret(value)))) {
				t.Errorf("%s shows the value or its hash: %s", what, r.raw)
			}
		}
		if bare := w.apiKey(id, `{"name":"Bare"}`).wants(201); fmt.Sprint(bare.at("permissions")) != "[]" || bare.at("expires_at") != nil {
			t.Errorf("bare: %s", bare.raw)
		}
	})
}

func TestAPIKey_that_is_wrong_expired_or_deleted_validates_as_null(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		value := func(body string) (string, string) {
			made := w.apiKey(id, body).wants(201)
			return made.text("id"), made.text("value")
		}
		deletedID, deleted := value(`{"name":"deleted"}`)
		w.send("DELETE", "/api_keys/"+deletedID, "").wants(204)
		w.send("DELETE", "/api_keys/"+deletedID, "").refused(404, "entity_not_found", "")
		expiredID, expired := value(`{"name":"expired"}`)
		if got := w.send("POST", "/api_keys/"+expiredID+"/expire", "").wants(200); got.text("expires_at") == "" {
			t.Errorf("expired: %s", got.raw)
		}
		scim := w.feed(id, "").made.text("bearer_token")
		for name, v := range map[string]string{
			"deleted": deleted, "expired": expired, "mistyped": deleted + "x", "none": "", "the management key": w.key.Reveal(), "a SCIM token": scim,
			"of the form": token.NewSecret("sk").Reveal(), "nonsense": "sk_" + strings.Repeat("a", 500),
		} {
			if got := w.validate(v); got.raw != `{"api_key":null}` {
				t.Errorf("%s: %s", name, got.raw)
			}
		}
		w.send("POST", "/api_keys/validations", ``).refused(422, "required", "value")
		w.send("POST", "/api_keys/validations", `{"value":null}`).refused(422, "required", "value")
		w.send("POST", "/api_keys/validations", `{"value":7}`).refused(422, "invalid_type", "value")
		bad := w.send("POST", "/api_keys/validations", `{"value":["`+expired+`"]}`)
		bad.refused(422, "invalid_type", "value")
		if strings.Contains(bad.raw, expired) || strings.Contains(w.log.String(), expired) {
			t.Error("the value of a key is in a refusal or the log")
		}
	})
}

func TestAPIKey_does_not_open_the_API(t *testing.T) {
	onBoth(t, func(w *world) {
		value := w.apiKey(w.organization("Acme"), `{"name":"Key","permissions":["scim"]}`).wants(201).text("value")
		r := httptest.NewRequest("GET", "/organizations", nil)
		r.Header.Set("Authorization", "Bearer "+value)
		w.serve(r).refused(401, "unauthorized", "")
	})
}

func TestAPIKey_end_is_set_moved_and_taken_back(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.apiKey(w.organization("Acme"), `{"name":"Key","expires_at":"2098-01-01T00:00:00+02:00"}`).wants(201)
		if made.text("expires_at") != "2097-12-31T22:00:00.000Z" {
			t.Errorf("made %s", made.raw)
		}
		path := "/api_keys/" + made.text("id") + "/expire"
		if got := w.send("POST", path, `{"expires_at":"2099-01-01T00:00:00.000Z"}`).wants(200); got.text("expires_at") != "2099-01-01T00:00:00.000Z" {
			t.Errorf("moved: %s", got.raw)
		}
		w.send("POST", path, `{"expires_at":"2099-01-01T00:00:00.000Z"}`).wants(200)
		if got := w.send("POST", path, `{"expires_at":null}`).wants(200); got.at("expires_at") != nil {
			t.Errorf("taken back: %s", got.raw)
		}
		w.send("POST", path, `{"expires_at":"2020-01-01T00:00:00.000Z"}`).refused(422, "invalid_date", "expires_at")
		w.send("POST", path, `{"expires_at":"tomorrow"}`).refused(422, "invalid_date", "expires_at")
		w.send("POST", path, `{"expires_at":{}}`).refused(422, "invalid_type", "expires_at")
		w.send("POST", path, `{}`).wants(200)
		w.send("POST", path, `{}`).refused(409, "api_key_already_expired", "")
		w.send("POST", path, `{"expires_at":null}`).refused(409, "api_key_already_expired", "")
		w.send("POST", "/api_keys/api_key_01ARZ3NDEKTSV4RRFFQ69G5FAV/expire", `{}`).refused(404, "entity_not_found", "")
		var before []any
		for _, e := range w.get("/events?events=api_key.updated").wants(200).data() {
			before = append(before, e["data"].(map[string]any)["previous_attributes"].(map[string]any)["expires_at"])
		}
		if fmt.Sprint(before) != "[2097-12-31T22:00:00.000Z 2099-01-01T00:00:00.000Z <nil>]" {
			t.Errorf("the ends before were %v", before)
		}
	})
}

func TestAPIKey_whose_end_has_come_is_over(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.apiKey(w.organization("Acme"), `{"name":"Key","expires_at":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`).wants(201)
		if got := w.validate(made.text("value")); got.at("api_key") == nil {
			t.Errorf("before its end: %s", got.raw)
		}
		w.now = func() time.Time { return time.Now().Add(61 * time.Minute) }
		if got := w.validate(made.text("value")); got.at("api_key") != nil {
			t.Errorf("after its end: %s", got.raw)
		}
	})
}

func TestAPIKeys_are_listed_by_organization_in_pages(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		var made []string
		for i := range 5 {
			made = append(made, w.apiKey(id, fmt.Sprintf(`{"name":"%d"}`, i)).wants(201).text("id"))
			w.apiKey(other, `{"name":"of the other"}`).wants(201)
		}
		path := "/organizations/" + id + "/api_keys"
		same(t, "all", w.get(path).wants(200).each("id"), reversed(made))
		var walked []string
		for after, first := "", true; first || after != ""; first = false {
			page := w.get(path + "?limit=2&order=asc&after=" + after).wants(200)
			walked, after = append(walked, page.each("id")...), page.text("list_metadata.after")
		}
		same(t, "walked", walked, made)
		same(t, "before", w.get(path+"?limit=2&order=asc&before="+made[3]).each("id"), made[1:3])
		foreign := w.get("/organizations/" + other + "/api_keys").each("id")
		for _, id := range w.get(path + "?after=" + foreign[0]).wants(200).each("name") {
			if id == "of the other" {
				t.Error("a cursor of another organization shows its keys")
			}
		}
		w.get(path+"?after="+id).refused(400, "invalid_cursor", "after")
		w.get(path+"?limit=0").refused(422, "invalid_limit", "limit")
		w.get("/organizations/org_01ARZ3NDEKTSV4RRFFQ69G5FAV/api_keys").refused(404, "entity_not_found", "")
	})
}

func TestAPIKey_is_refused_with_the_field_that_is_wrong(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.organization("Acme")
		many := strings.Repeat(`"a",`, 100) + `"a"`
		for body, want := range map[string]struct{ code, field string }{
			``:               {"required", "name"},
			`{"name":null}`:  {"required", "name"},
			`{"name":"  "}`:  {"required", "name"},
			`{"name":["a"]}`: {"invalid_type", "name"},
			`{"name":"` + strings.Repeat("a", 256) + `"}`:      {"too_long", "name"},
			`{"name":"a","permissions":"scim"}`:                {"invalid_type", "permissions"},
			`{"name":"a","permissions":["a b"]}`:               {"invalid_permission", "permissions"},
			`{"name":"a","permissions":[""]}`:                  {"invalid_permission", "permissions"},
			`{"name":"a","permissions":[` + many + `]}`:        {"too_many", "permissions"},
			`{"name":"a","expires_at":"soon"}`:                 {"invalid_date", "expires_at"},
			`{"name":"a","expires_at":"2020-01-01T00:00:00Z"}`: {"invalid_date", "expires_at"},
		} {
			w.apiKey(id, body).refused(422, want.code, want.field)
		}
		w.apiKey("org_01ARZ3NDEKTSV4RRFFQ69G5FAV", `{"name":"a"}`).refused(404, "entity_not_found", "")
		w.apiKey("nonsense", `{"name":"a"}`).refused(404, "entity_not_found", "")
		same(t, "keys", w.get("/organizations/"+id+"/api_keys").each("id"), []string{})
	})
}
