package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAs_reads_the_data_of_an_event(t *testing.T) {
	e := Event{ID: "event_1", Type: "dsync.group.user_added", Data: []byte(`{"directory_id":"directory_1","user":{"id":"directory_user_1","email":null},"group":{"id":"directory_group_1"}}`)}
	m, err := As[DirectoryMembership](e)
	must(t, err)
	if m.User.ID != "directory_user_1" || m.Group.ID != "directory_group_1" || m.User.Email != "" {
		t.Errorf("got %+v", m)
	}
	if _, err := As[DirectoryMembership](Event{ID: "event_1", Type: "x", Data: []byte(`[]`)}); err == nil || !strings.Contains(err.Error(), "event_1") {
		t.Error(err)
	}
}

func TestTail_gives_what_there_is_and_what_comes_and_outlives_an_outage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(150)
		var down atomic.Bool
		c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				refuse(w, 500, "internal")
				return
			}
			l.ServeHTTP(w, r)
		}, WithRetries(0))
		time.AfterFunc(10*time.Second, func() { down.Store(true); l.add(3) })
		time.AfterFunc(100*time.Second, func() { down.Store(false) })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var got []Event
		var end error
		told := 0
		for e, err := range c.Tail(ctx, "event_002", TailOptions{OnRetry: func(error, time.Duration) { told++ }}) {
			if err != nil {
				end = err
				break
			}
			got = append(got, e)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		want := slices.Clone(l.events[2:])
		for i, e := range got {
			if e.ID != want[i] {
				t.Fatalf("event %d is %s, want %s", i, e.ID, want[i])
			}
		}
		if len(got) != 151 || told == 0 || !errors.Is(end, context.DeadlineExceeded) {
			t.Errorf("%d events, told %d times, %v", len(got), told, end)
		}
	})
}

func TestTail_ends_when_the_server_refuses(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "unauthorized") })
	n := 0
	for _, err := range c.Tail(t.Context(), "", TailOptions{}) {
		if n++; Status(err) != 401 {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("it went on %d times", n)
	}
}

func TestLastEvent_is_the_newest(t *testing.T) {
	for n, want := range map[int]string{0: "", 5: "event_005"} {
		if got, err := newTest(t, newLog(n).ServeHTTP).LastEvent(t.Context(), EventQuery{}); err != nil || got != want {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
}

func TestConsume_handles_each_event_in_order_and_acknowledges_batches(t *testing.T) {
	l := newLog(7)
	c := newTest(t, l.ServeHTTP)
	var got []Event
	take := func(_ context.Context, e Event) error { got = append(got, e); return nil }
	must(t, c.Consume(t.Context(), "app", ConsumeOptions{Batch: 3, UntilCaughtUp: true}, take))
	if ids(got) != "001 002 003 004 005 006 007" || strings.Join(l.acks, " ") != "event_003 event_006 event_007" {
		t.Errorf("handled %s, acknowledged %s", ids(got), l.acks)
	}
	// A new process goes on where the last one ended.
	l.add(1)
	got = nil
	must(t, c.Consume(t.Context(), "app", ConsumeOptions{UntilCaughtUp: true}, take))
	if ids(got) != "008" {
		t.Errorf("the second run handled %s", ids(got))
	}
}

func TestConsume_starts_where_it_is_told(t *testing.T) {
	for start, want := range map[string]string{"": "001 002 003", Beginning: "001 002 003", Now: "", "event_002": "003"} {
		var got []Event
		o := ConsumeOptions{Start: start, UntilCaughtUp: true}
		must(t, newTest(t, newLog(3).ServeHTTP).Consume(t.Context(), "app", o, func(_ context.Context, e Event) error { got = append(got, e); return nil }))
		if ids(got) != want {
			t.Errorf("from %q: %s, want %s", start, ids(got), want)
		}
	}
}

func TestConsume_never_skips_an_event_that_fails_and_keeps_what_was_done_before_it(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(4)
		var got []Event
		var told []string
		failures := 0
		start := time.Now()
		err := newTest(t, l.ServeHTTP).Consume(t.Context(), "app", ConsumeOptions{
			UntilCaughtUp: true, OnRetry: func(err error, _ time.Duration) { told = append(told, err.Error()) },
		}, func(_ context.Context, e Event) error {
			if e.ID == "event_003" && failures < 5 {
				if failures++; failures == 1 && len(l.acks) != 0 {
					t.Errorf("acknowledged too early: %s", l.acks)
				}
				if failures == 2 && strings.Join(l.acks, " ") != "event_002" {
					t.Errorf("while event 3 waits %s is acknowledged", l.acks)
				}
				return errors.New("the database is away")
			}
			got = append(got, e)
			return nil
		})
		must(t, err)
		if ids(got) != "001 002 003 004" || len(told) != 5 || !strings.Contains(told[0], "event_003: the database is away") {
			t.Errorf("handled %s; told %q", ids(got), told)
		}
		if took := time.Since(start); took < 4*time.Second || took > 16*time.Second {
			t.Errorf("five pauses took %s", took)
		}
	})
}

func TestConsume_acknowledges_what_it_did_when_it_is_stopped(t *testing.T) {
	l := newLog(5)
	ctx, cancel := context.WithCancel(t.Context())
	err := newTest(t, l.ServeHTTP).Consume(ctx, "app", ConsumeOptions{}, func(_ context.Context, e Event) error {
		if e.ID == "event_003" {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || strings.Join(l.acks, " ") != "event_003" {
		t.Errorf("%v, acknowledged %s", err, l.acks)
	}
}

func TestConsume_outlives_an_outage_and_ends_on_a_refusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(250)
		n := 0
		c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n < 8 || n > 10 && n < 20 { // down at the start and in the middle
				refuse(w, 503, "unavailable")
				return
			}
			l.ServeHTTP(w, r)
		}, WithRetries(1))
		var got []Event
		must(t, c.Consume(t.Context(), "app", ConsumeOptions{UntilCaughtUp: true}, func(_ context.Context, e Event) error { got = append(got, e); return nil }))
		if len(got) != 250 || got[249].ID != "event_250" {
			t.Errorf("handled %d", len(got))
		}
		refusing := newTest(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "forbidden") })
		if err := refusing.Consume(t.Context(), "app", ConsumeOptions{}, nil); Status(err) != 403 {
			t.Error(err)
		}
	})
}

func TestConsume_refuses_a_consumer_that_gets_other_events(t *testing.T) {
	l := newLog(1)
	l.consumers["app"] = &fakeOne{types: []string{"b", "a"}}
	c := newTest(t, l.ServeHTTP)
	nothing := func(context.Context, Event) error { return nil }
	must(t, c.Consume(t.Context(), "app", ConsumeOptions{Types: []string{"a", "b"}, UntilCaughtUp: true}, nothing))
	err := c.Consume(t.Context(), "app", ConsumeOptions{Types: []string{"a"}, UntilCaughtUp: true}, nothing)
	if err == nil || !strings.Contains(err.Error(), "take another name, or delete it") {
		t.Error(err)
	}
}

// snapshotOf serves lines as they are.
func snapshotOf(t *testing.T, lines ...string) *Client {
	return newTest(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != "/events/snapshot?directory=directory_1&organization_id=org_1" {
			t.Errorf("asked for %s", r.URL.RequestURI())
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		fmt.Fprint(w, strings.Join(lines, "\n"))
	})
}

const (
	snapshotHead = `{"object":"snapshot","cursor":"event_9"}`
	snapshotUser = `{"object":"event","event":"dsync.user.created","data":{"id":"directory_user_1"},"created_at":"2026-01-15T12:00:00.000Z"}`
	snapshotFoot = `{"object":"snapshot_end","cursor":"event_9","records":2}`
)

func readSnapshot(t *testing.T, lines ...string) (cursor string, n int, err error) {
	t.Helper()
	cursor, records, err := snapshotOf(t, lines...).Snapshot(t.Context(), SnapshotQuery{OrganizationID: "org_1", DirectoryID: "directory_1"})
	if err != nil {
		return cursor, 0, err
	}
	for e, err := range records {
		if err != nil {
			return cursor, n, err
		}
		if e.Type != "dsync.user.created" || e.ID != "" {
			t.Errorf("record %+v", e)
		}
		n++
	}
	return cursor, n, nil
}

func TestSnapshot_gives_its_cursor_and_all_records(t *testing.T) {
	if cursor, n, err := readSnapshot(t, snapshotHead, snapshotUser, "", snapshotUser, snapshotFoot, ""); cursor != "event_9" || n != 2 || err != nil {
		t.Errorf("%q %d %v", cursor, n, err)
	}
	empty := `{"object":"snapshot_end","cursor":null,"records":0}`
	if cursor, n, err := readSnapshot(t, `{"object":"snapshot","cursor":null}`, empty, ""); cursor != "" || n != 0 || err != nil {
		t.Errorf("an empty one: %q %d %v", cursor, n, err)
	}
}

func TestSnapshot_that_is_incomplete_is_an_error(t *testing.T) {
	for name, lines := range map[string][]string{
		"no end":          {snapshotHead, snapshotUser, snapshotUser, ""},
		"half a line":     {snapshotHead, snapshotUser, snapshotUser[:40]},
		"half an end":     {snapshotHead, snapshotUser, snapshotUser, snapshotFoot[:len(snapshotFoot)-5]},
		"end, no newline": {snapshotHead, snapshotUser, snapshotUser, snapshotFoot},
		"one too few":     {snapshotHead, snapshotUser, snapshotFoot, ""},
		"another cursor":  {snapshotHead, snapshotUser, snapshotUser, strings.Replace(snapshotFoot, "event_9", "event_8", 1), ""},
		"no beginning":    {snapshotUser, snapshotFoot, ""},
		"no snapshot":     {"<html>", ""},
	} {
		if _, _, err := readSnapshot(t, lines...); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

func TestSnapshot_may_be_left_in_the_middle(t *testing.T) {
	_, records, err := snapshotOf(t, snapshotHead, snapshotUser, snapshotUser, snapshotFoot, "").Snapshot(t.Context(), SnapshotQuery{"org_1", "directory_1"})
	must(t, err)
	for _, err := range records {
		must(t, err)
		break
	}
}
