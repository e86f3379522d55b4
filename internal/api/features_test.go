package api

import "testing"

func TestFeatures_are_on_until_they_are_switched_off(t *testing.T) {
	onBoth(t, func(w *world) {
		id, other := w.organization("Acme"), w.organization("Other")
		path := "/organizations/" + id + "/features"
		const both = `"features":{"directory_sync":true,"sso":true}}`
		all := `{"object":"organization_features","organization_id":"` + id + `",`
		want := func(got reply, features map[string]any) {
			t.Helper()
			if got.text("object") != "organization_features" || got.at("features.sso") != features["sso"] || got.at("features.directory_sync") != features["directory_sync"] {
				t.Errorf("got %s, want %s and %v", got.raw, all+both, features)
			}
		}
		want(w.get(path).wants(200), map[string]any{"sso": true, "directory_sync": true})
		want(w.send("PUT", path, `{"features":{"directory_sync":false,"sso":null},"more":1}`).wants(200), map[string]any{"sso": true, "directory_sync": false})
		want(w.send("PUT", path, `{"features":{"directory_sync":false}}`).wants(200), map[string]any{"sso": true, "directory_sync": false})
		want(w.send("PUT", path, ``).wants(200), map[string]any{"sso": true, "directory_sync": false})
		want(w.get(path).wants(200), map[string]any{"sso": true, "directory_sync": false})
		want(w.get("/organizations/"+other+"/features").wants(200), map[string]any{"sso": true, "directory_sync": true})
		want(w.send("PUT", path, `{"features":{"directory_sync":true}}`).wants(200), map[string]any{"sso": true, "directory_sync": true})
		same(t, "events", w.get("/events?organization_id="+id).each("event"), []string{"organization.created", "organization.updated", "organization.updated"})

		w.send("PUT", path, `{"features":{"sso":true,"teleport":false}}`).refused(422, "unknown_feature", "features")
		w.send("PUT", path, `{"features":{"sso":"no"}}`).refused(422, "invalid_type", "features.sso")
		for _, bad := range []string{"nonsense", "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			w.get("/organizations/"+bad+"/features").refused(404, "entity_not_found", "")
			w.send("PUT", "/organizations/"+bad+"/features", `{"features":{"sso":false}}`).refused(404, "entity_not_found", "")
		}
	})
}
