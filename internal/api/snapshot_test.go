package api

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSnapshot_streams_the_present_state_and_the_events_go_on_from_its_cursor(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.busy("R&D <EU>")
		other := w.organization("Other")
		got := w.get("/events/snapshot").wants(http.StatusOK)
		if kind := got.header.Get("Content-Type"); kind != "application/x-ndjson" {
			t.Errorf("content type %q", kind)
		}
		lines := got.lines()
		var kinds []string
		for _, line := range lines[1 : len(lines)-1] {
			kinds = append(kinds, line["event"].(string))
			if _, has := line["id"]; has || line["object"] != "event" {
				t.Errorf("a line is %v", line)
			}
			// It is an event but for its id, which it has not.
			line["id"], line["context"] = "event_x", map[string]any{}
			for _, fault := range w.contract.FaultsOf("EventSchema", line) {
				t.Errorf("%v: %s", line, fault)
			}
		}
		same(t, "records", kinds, []string{
			"organization.created", "dsync.activated", "dsync.user.created", "dsync.user.created", "dsync.group.created", "dsync.group.user_added",
			"dsync.group.user_added", "organization.created",
		})
		first, last := lines[0], lines[len(lines)-1]
		all := w.get("/events?limit=100").each("id")
		cursor, _ := first["cursor"].(string)
		if first["object"] != "snapshot" || cursor != all[len(all)-1] {
			t.Errorf("it begins with %v", first)
		}
		if last["object"] != "snapshot_end" || last["cursor"] != cursor || last["records"] != float64(len(kinds)) {
			t.Errorf("it ends with %v", last)
		}
		if !strings.Contains(got.raw, `"name":"R&D <EU>"`) {
			t.Error("names are escaped")
		}
		same(t, "after the cursor", w.get("/events?after="+cursor).each("id"), []string{})
		w.organization("Later")
		same(t, "after the cursor", w.get("/events?after="+cursor).each("event"), []string{"organization.created"})

		for query, want := range map[string]int{
			"organization_id=" + f.organization: 7, "organization_id=" + other: 1, "directory=" + f.id: 6,
			"directory=" + f.id + "&organization_id=" + f.organization: 6,
		} {
			if got := w.get("/events/snapshot?" + query).wants(http.StatusOK); got.at("records") != float64(want) {
				t.Errorf("%s: %v", query, got.object)
			}
		}
		if got := w.send(http.MethodHead, "/events/snapshot", "").wants(http.StatusOK); got.raw != "" {
			t.Errorf("HEAD has the body %s", got.raw)
		}
	})
}

func TestSnapshot_of_nothing_has_no_cursor(t *testing.T) {
	onBoth(t, func(w *world) {
		got := w.get("/events/snapshot").wants(http.StatusOK)
		if want := `{"object":"snapshot","cursor":null}` + "\n" + `{"object":"snapshot_end","cursor":null,"records":0}` + "\n"; got.raw != want {
			t.Errorf("got %s", got.raw)
		}
	})
}

func TestSnapshot_refuses_what_cannot_be_meant(t *testing.T) {
	onBoth(t, func(w *world) {
		f := w.busy("Acme")
		w.get("/events/snapshot?organization_id=x").refused(422, "invalid_id", "organization_id")
		w.get("/events/snapshot?directory=x").refused(422, "invalid_id", "directory")
		for _, query := range []string{
			"organization_id=org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "directory=directory_01ARZ3NDEKTSV4RRFFQ69G5FAV",
			"directory=" + f.id + "&organization_id=" + w.organization("Other"),
		} {
			w.get("/events/snapshot?"+query).refused(404, "entity_not_found", "")
		}
		w.send(http.MethodPost, "/events/snapshot", "").refused(405, "method_not_allowed", "")
	})
}

// failing is a connection that takes so many writes.
type failing struct {
	*httptest.ResponseRecorder
	left int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, context.DeadlineExceeded
	}
	return f.ResponseRecorder.Write(p)
}

func TestSnapshot_that_breaks_off_has_no_last_line_and_breaks_the_connection(t *testing.T) {
	onOne(t, func(w *world) {
		w.busy("Acme")
		answer := &failing{httptest.NewRecorder(), 1}
		r := httptest.NewRequest(http.MethodGet, "/events/snapshot", nil)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		func() {
			defer func() {
				if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // what net/http compares with
					t.Errorf("recovered %v", cause)
				}
			}()
			w.handler.ServeHTTP(answer, r)
		}()
		if body := answer.Body.String(); !strings.Contains(body, `"snapshot"`) || strings.Contains(body, "snapshot_end") {
			t.Errorf("the client has %s", body)
		}
		if !strings.Contains(w.log.String(), "a snapshot broke off") {
			t.Errorf("the log has %s", w.log)
		}
	})
}

// A request's own deadline is shorter than a long snapshot takes.
func TestSnapshot_outlasts_the_deadline_of_a_request(t *testing.T) {
	onOne(t, func(w *world) {
		w.busy("Acme")
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		r := httptest.NewRequest(http.MethodGet, "/events/snapshot", nil).WithContext(ctx)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, r)
		last := ""
		for lines := bufio.NewScanner(got.Body); lines.Scan(); {
			last = lines.Text()
		}
		if !strings.Contains(last, `"snapshot_end"`) {
			t.Errorf("%d: the last line is %s", got.Code, last)
		}
	})
}
