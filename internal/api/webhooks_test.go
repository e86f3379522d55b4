package api

import (
	"net/http"
	"strings"
	"testing"
)

const hooks = `{"endpoint_url":"https://app.example.com/hooks","events":["dsync.user.created","user.created","webhook_endpoint.disabled"]}`

func TestWebhook_endpoints_are_made_shown_changed_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/webhook_endpoints", hooks).wants(http.StatusCreated)
		id, secret := made.text("id"), made.text("secret")
		if !strings.HasPrefix(id, "we_") || !strings.HasPrefix(secret, "whsec_") || made.text("status") != "enabled" {
			t.Errorf("made %s", made.raw)
		}
		w.send("POST", "/webhook_endpoints", hooks).refused(http.StatusConflict, "duplicate_endpoint", "")
		other := w.send("POST", "/webhook_endpoints", `{"endpoint_url":"https://other.example.com/hooks","events":[]}`).wants(http.StatusCreated).text("id")
		same(t, "list", w.get("/webhook_endpoints").wants(http.StatusOK).each("id"), []string{other, id})
		same(t, "page", w.get("/webhook_endpoints?limit=1&after="+other).wants(http.StatusOK).each("id"), []string{id})

		one := w.get("/webhook_endpoints/" + id).wants(http.StatusOK)
		if one.text("secret") != secret || one.at("failing_since") != nil || one.text("endpoint_url") != "https://app.example.com/hooks" {
			t.Errorf("shown %s", one.raw)
		}
		after := w.send("PATCH", "/webhook_endpoints/"+id, `{"status":"disabled","events":["dsync.user.deleted"],"endpoint_url":null}`).wants(http.StatusOK)
		if after.text("status") != "disabled" || after.text("secret") != secret || !strings.Contains(after.raw, `"events":["dsync.user.deleted"]`) {
			t.Errorf("changed %s", after.raw)
		}
		if got := w.get("/webhook_endpoints/" + id).text("disabled_reason"); got != "operator" {
			t.Errorf("disabled by %q", got)
		}
		w.send("PATCH", "/webhook_endpoints/"+id, `{"endpoint_url":"https://other.example.com/hooks"}`).refused(http.StatusConflict, "duplicate_endpoint", "")

		w.send("DELETE", "/webhook_endpoints/"+id, "").wants(http.StatusNoContent)
		for _, gone := range []reply{
			w.get("/webhook_endpoints/" + id), w.send("PATCH", "/webhook_endpoints/"+id, `{}`), w.send("DELETE", "/webhook_endpoints/"+id, ""),
			w.send("POST", "/webhook_endpoints/"+id+"/rotate_secret", ""), w.get("/webhook_endpoints/" + id + "/deliveries"), w.get("/webhook_endpoints/we_nonsense"),
			w.send("POST", "/webhook_endpoints/"+id+"/replay", `{"failed":true}`),
		} {
			gone.refused(http.StatusNotFound, "entity_not_found", "")
		}
		w.send("POST", "/webhook_endpoints", hooks).wants(http.StatusCreated) // the address is free again
	})
}

func TestWebhook_endpoints_refuse_what_cannot_be_called_or_sent(t *testing.T) {
	onBoth(t, func(w *world) {
		kept := w.send("POST", "/webhook_endpoints", hooks).wants(http.StatusCreated).text("id")
		for _, url := range []string{
			"", "app.example.com", "ftp://app.example.com/", "http://app.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/",
			"https://169.254.169.254/latest", "https://[fd00:ec2::254]/", "https://user:pass@app.example.com/", "https://app.example.com/#x",
			"https://app.example.com:99999/", "https://0x7f.1/", "https://2130706433/", "https://app.example.com/" + strings.Repeat("a", 2048), "https:///x", "https://exa mple.com/",
		} {
			body := `{"endpoint_url":"` + url + `","events":["dsync.user.created"]}`
			w.send("POST", "/webhook_endpoints", body).refused(http.StatusUnprocessableEntity, "invalid_url", "endpoint_url")
			if url != "" {
				w.send("PATCH", "/webhook_endpoints/"+kept, `{"endpoint_url":"`+url+`"}`).refused(http.StatusUnprocessableEntity, "invalid_url", "endpoint_url")
			}
		}
		if got := w.send("POST", "/webhook_endpoints", `{"endpoint_url":"http://127.0.0.1:1/","events":[]}`); !strings.Contains(got.text("message"), "--allow-target") {
			t.Errorf("the setting is not named: %s", got.raw)
		}
		got := w.send("POST", "/webhook_endpoints", `{"endpoint_url":"https://b.example.com/","events":["dsync.user.creatd"]}`)
		got.refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "events")
		if !strings.Contains(got.raw, `"unknown_event_type"`) {
			t.Errorf("no unknown_event_type: %s", got.raw)
		}
		w.send("POST", "/webhook_endpoints", `{"endpoint_url":"https://b.example.com/"}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "events")
		w.send("PATCH", "/webhook_endpoints/"+kept, `{"status":"paused"}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "status")
		for _, keep := range []string{"-1", "604801", "9223372036854775807"} {
			w.send("POST", "/webhook_endpoints/"+kept+"/rotate_secret", `{"keep_old_for_seconds":`+keep+`}`).refused(http.StatusUnprocessableEntity, "invalid_request_parameters", "keep_old_for_seconds")
		}
		for query, field := range map[string]string{"state=lost": "state", "event=nothing": "event", "limit=0": "limit"} {
			if got := w.get("/webhook_endpoints/" + kept + "/deliveries?" + query); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.raw, `"field":"`+field+`"`) {
				t.Errorf("%s: %s", query, got.raw)
			}
		}
		for _, body := range []string{`{}`, `{"failed":true,"event_ids":[]}`, `{"failed":true,"range_start":"2026-01-01"}`} {
			w.send("POST", "/webhook_endpoints/"+kept+"/replay", body).refused(http.StatusUnprocessableEntity, "ambiguous_replay", "event_ids")
		}
		w.send("POST", "/webhook_endpoints/"+kept+"/replay", `{"range_start":"yesterday"}`).refused(http.StatusUnprocessableEntity, "invalid_date", "range_start")
		w.send("POST", "/webhook_endpoints/"+kept+"/replay", `{"range_start":"2026-02-01","range_end":"2026-01-01"}`).refused(http.StatusUnprocessableEntity, "invalid_range", "range_start")
		w.send("POST", "/webhook_endpoints/"+kept+"/replay", `{"event_ids":["event_x"]}`).refused(http.StatusUnprocessableEntity, "unknown_event", "event_ids")
	})
}

func TestWebhook_secret_is_rotated_and_the_former_one_is_not_shown(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.send("POST", "/webhook_endpoints", hooks).wants(http.StatusCreated)
		path := "/webhook_endpoints/" + made.text("id")
		after := w.send("POST", path+"/rotate_secret", "").wants(http.StatusOK)
		if after.text("secret") == made.text("secret") || strings.Contains(after.raw, made.text("secret")) || after.text("old_secret_until") == "" {
			t.Errorf("rotated %s", after.raw)
		}
		if got := w.get(path); got.text("secret") != after.text("secret") {
			t.Errorf("the new secret is not kept: %s", got.raw)
		}
		if at := w.send("POST", path+"/rotate_secret", `{"keep_old_for_seconds":0}`).wants(http.StatusOK); at.at("old_secret_until") != nil {
			t.Errorf("the former secret stays: %s", at.raw)
		}
	})
}

func TestWebhook_deliveries_are_listed_shown_and_replayed(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.send("POST", "/webhook_endpoints", `{"endpoint_url":"https://app.invalid/hooks","events":["organization.created"]}`).wants(http.StatusCreated).text("id")
		w.organization("Acme")
		event := w.get("/events").each("id")[0]
		path := "/webhook_endpoints/" + id
		if got := w.send("POST", path+"/replay", `{"event_ids":["`+event+`"]}`).wants(http.StatusAccepted); got.at("replayed") != float64(1) {
			t.Errorf("replayed %s", got.raw)
		}
		listed := w.get(path + "/deliveries?state=pending&event=organization.created").wants(http.StatusOK)
		same(t, "events", listed.each("event_id"), []string{event})
		one := w.get("/webhook_deliveries/" + listed.each("id")[0]).wants(http.StatusOK)
		if one.text("event_id") != event || one.at("replay") != true || one.at("attempt_count") != float64(0) || len(one.at("attempts").([]any)) != 0 {
			t.Errorf("delivery %s", one.raw)
		}
		again := w.send("POST", "/webhook_deliveries/"+one.text("id")+"/replay", "").wants(http.StatusCreated)
		if again.text("id") == one.text("id") || again.text("event_id") != event || again.text("state") != "pending" {
			t.Errorf("replay %s", again.raw)
		}
		if got := w.send("POST", path+"/replay", `{"range_start":"2020-01-01","range_end":"2100-01-01"}`).wants(http.StatusAccepted); got.at("replayed") != float64(1) {
			t.Errorf("replayed %s", got.raw)
		}
		w.send("PATCH", path, `{"status":"disabled"}`).wants(http.StatusOK)
		same(t, "cancelled", w.get(path+"/deliveries?state=cancelled&limit=3").wants(http.StatusOK).each("reason"), []string{"endpoint_disabled", "endpoint_disabled", "endpoint_disabled"})
		w.send("POST", path+"/replay", `{"failed":true}`).refused(http.StatusConflict, "endpoint_disabled", "")
		w.send("POST", "/webhook_deliveries/"+one.text("id")+"/replay", "").refused(http.StatusConflict, "endpoint_disabled", "")
		w.send("PATCH", path, `{"status":"enabled"}`).wants(http.StatusOK)
		for _, want := range []float64{2, 0} { // each is replayed once, and one was already
			if got := w.send("POST", path+"/replay", `{"failed":true}`).wants(http.StatusAccepted); got.at("replayed") != want {
				t.Errorf("replayed %s, want %v", got.raw, want)
			}
		}
		w.get("/webhook_deliveries/whd_x").refused(http.StatusNotFound, "entity_not_found", "")
		w.send("DELETE", path, "").wants(http.StatusNoContent)
		w.get("/webhook_deliveries/"+one.text("id")).refused(http.StatusNotFound, "entity_not_found", "")
	})
}
