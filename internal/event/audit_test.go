package event_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

func by(id string) event.Context {
	return event.Context{Actor: event.Actor{ID: id, Source: event.API}}
}

func auditEvent(org, actor, exchange string, kind event.Type, data string) event.Entry {
	c := by(actor)
	c.ExchangeID = exchange
	return event.Entry{OrganizationID: org, Type: kind, Context: c.JSON(), Data: []byte(data)}
}

func change(org, actor, target string, before, after event.Settings) event.Change {
	return event.Change{OrganizationID: org, Action: "directory.updated", Target: target, Cause: by(actor), Before: before, After: after}
}

func writeAudit(t *testing.T, d *db.DB, l *event.Log, at time.Time, changes ...event.Change) {
	t.Helper()
	var w db.Write
	l.AuditInto(&w, at, changes...)
	if err := d.Write(ctx, &w); err != nil {
		t.Fatal(err)
	}
}

// audit reads all pages.
func audit(t *testing.T, l *event.Log, q event.AuditQuery) (out []event.AuditEntry) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 3
	}
	for range 1000 {
		page, err := l.Audit(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, page.Entries...); page.After == "" {
			return out
		}
		if page.After == q.After {
			t.Fatalf("the cursor %s leads to itself", q.After)
		}
		q.After = page.After
	}
	t.Fatal("the audit has no end")
	return nil
}

func targets(entries []event.AuditEntry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Target)
	}
	return out
}

func TestAudit_has_every_change_once_in_the_order_of_time(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		at := time.Now().Add(-time.Hour)
		var want []string
		for i := range 10 {
			id := fmt.Sprintf("thing_%02d", i)
			want = append(want, id)
			if i%3 == 0 {
				appendEvents(t, d, l, at, auditEvent("org_1", "management_key", "", event.OrganizationUpdated, `{"id":"`+id+`"}`))
			} else {
				writeAudit(t, d, l, at, change("org_1", "management_key", id, event.Settings{"n": 1}, event.Settings{"n": 2}))
			}
			appendEvents(t, d, l, at, auditEvent("org_1", "user_1", "", event.SessionCreated, `{"id":"session_1"}`)) // no change
			time.Sleep(2 * time.Millisecond)
		}
		if got := targets(audit(t, l, event.AuditQuery{Ascending: true})); !slices.Equal(got, want) {
			t.Errorf("oldest first: %v", got)
		}
		slices.Reverse(want)
		for limit := 1; limit < 12; limit++ {
			if got := targets(audit(t, l, event.AuditQuery{Limit: limit})); !slices.Equal(got, want) {
				t.Errorf("newest first by %d: %v", limit, got)
			}
		}
	})
}

func TestAudit_going_forward_leaves_out_what_others_may_still_come_before(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		writeAudit(t, d, l, now.Add(-2*time.Minute), change("org_1", "a", "old", nil, event.Settings{"n": 1}))
		writeAudit(t, d, l, now, change("org_1", "a", "young", nil, event.Settings{"n": 1}))
		appendEvents(t, d, l, now, auditEvent("org_1", "a", "", event.OrganizationUpdated, `{"id":"young_event"}`))
		if got := targets(audit(t, l, event.AuditQuery{Ascending: true})); !slices.Equal(got, []string{"old"}) {
			t.Errorf("forward: %v", got)
		}
		if got := audit(t, l, event.AuditQuery{}); len(got) != 3 {
			t.Errorf("backward: %v", targets(got))
		}
	})
}

func TestAudit_is_filtered(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		at := time.Now().Add(-time.Hour)
		writeAudit(t, d, l, at, change("org_1", "management_key", "directory_1", event.Settings{"n": 1}, event.Settings{"n": 2}))
		writeAudit(t, d, l, at.Add(time.Minute), change("org_2", "user_7", "directory_2", event.Settings{"n": 1}, event.Settings{"n": 2}))
		appendEvents(t, d, l, at, auditEvent("org_1", "directory_1", "exchange_1", event.DirectoryUserUpdated, `{"id":"directory_user_1"}`))
		appendEvents(t, d, l, at.Add(time.Minute), auditEvent("org_2", "user_7", "", event.OrganizationMembershipUpdated, `{"id":"om_1","user_id":"user_9"}`))
		for name, one := range map[string]struct {
			q    event.AuditQuery
			want []string
		}{
			"organization": {event.AuditQuery{OrganizationID: "org_1"}, []string{"directory_user_1", "directory_1"}},
			"actor":        {event.AuditQuery{Actor: "user_7"}, []string{"om_1", "directory_2"}},
			"own action":   {event.AuditQuery{Actions: []event.Action{"directory.updated"}}, []string{"directory_2", "directory_1"}},
			"event":        {event.AuditQuery{Actions: []event.Action{"dsync.user.updated"}}, []string{"directory_user_1"}},
			"no action":    {event.AuditQuery{Actions: []event.Action{"session.created"}}, nil},
			"target":       {event.AuditQuery{Target: "directory_1"}, []string{"directory_1"}},
			"of whom":      {event.AuditQuery{Target: "user_9"}, []string{"om_1"}},
			"from":         {event.AuditQuery{From: at.Add(time.Second)}, []string{"om_1", "directory_2"}},
			"until":        {event.AuditQuery{Until: at.Add(time.Second)}, []string{"directory_user_1", "directory_1"}},
			"both":         {event.AuditQuery{OrganizationID: "org_1", Actor: "user_7"}, nil},
		} {
			if got := targets(audit(t, l, one.q)); !slices.Equal(got, one.want) {
				t.Errorf("%s: got %v, want %v", name, got, one.want)
			}
		}
		for _, e := range audit(t, l, event.AuditQuery{Target: "directory_user_1"}) {
			if e.Context.ExchangeID != "exchange_1" || e.Context.Actor.ID != "directory_1" {
				t.Errorf("cause: %+v", e.Context)
			}
		}
	})
}

func TestAudit_refuses_a_cursor_of_another_list(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, l *event.Log) {
		for _, cursor := range []string{"x", ".", "event_1.", "audit_01JDXA5Q0G8YQZP0R3M4T7W9KE.", "event_01JDXA5Q0G8YQZP0R3M4T7W9KE.event_01JDXA5Q0G8YQZP0R3M4T7W9KE"} {
			_, err := l.Audit(ctx, event.AuditQuery{After: cursor, Limit: 1})
			if refused := fault.Is(err, fault.Invalid); refused == (cursor == ".") {
				t.Errorf("%q: %v", cursor, err)
			}
		}
	})
}

func TestAudit_never_shows_a_secret(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		before := event.Settings{"secret": event.Hidden("hunter1"), "kept": event.Hidden("hunter3"), "name": "A", "gone": true}
		after := event.Settings{"secret": event.Hidden("hunter2"), "kept": event.Hidden("hunter3"), "name": "A", "large": strings.Repeat("x", 10_000)}
		writeAudit(t, d, l, time.Now(), change("org_1", "a", "t", before, after))
		got := audit(t, l, event.AuditQuery{})
		want := `{"gone":{"before":true},"large":{"after":"(10002 bytes)"},"secret":{"before":"(hidden)","after":"(hidden)"}}`
		if len(got) != 1 || string(got[0].Changes) != want {
			t.Errorf("%s", got[0].Changes)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", before, before, before, before["secret"]); strings.Contains(text, "hunter") {
			t.Errorf("a secret is printed: %s", text)
		}
	})
}

func TestAudit_says_nothing_of_what_did_not_change(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		same := event.Settings{"name": "A", "secret": event.Hidden("s")}
		writeAudit(t, d, l, time.Now(), change("org_1", "a", "t", same, event.Settings{"name": "A", "secret": event.Hidden("s")}))
		if got := audit(t, l, event.AuditQuery{}); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestErasure_takes_people_and_organizations_out_of_the_audit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		at, name := time.Now(), "Ada Lovelace"
		named := event.Change{
			OrganizationID: "org_1", Action: "break_glass.created", Target: "user_01JDXA5Q0G8YQZP0R3M4T7W9KE",
			Cause: event.Context{Actor: event.Actor{ID: "user_01JDXA5Q0G8YQZP0R3M4T7W9KF", Source: event.Dashboard, Name: &name}}, After: event.Settings{"who": name},
		}
		other := named
		other.Target, other.Cause = "other", by("a")
		told := event.Context{Actor: event.Actor{ID: "a", Source: event.API}, Changes: event.Diff(nil, event.Settings{"name": name})}
		writeAudit(t, d, l, at, named, other)
		appendEvents(t, d, l, at, event.Entry{OrganizationID: "org_1", Type: event.OrganizationUpdated, Context: told.JSON(), Data: []byte(`{"object":"organization","id":"org_1","name":"x"}`)})
		erase := func(subject string) string {
			t.Helper()
			err := d.Tx(ctx, func(tx db.Tx) error { return l.ForgetTx(ctx, tx, "org_1", subject, at.Add(-time.Hour)) })
			if err == nil {
				_, err = l.Erase(ctx, time.Now())
			}
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%+v %s", audit(t, l, event.AuditQuery{}), allChanges(audit(t, l, event.AuditQuery{})))
		}
		if left := erase(named.Target); strings.Count(allNames(audit(t, l, event.AuditQuery{})), name) != 0 || !strings.Contains(left, "other") {
			t.Errorf("after the person: %s", left)
		}
		if got := allChanges(audit(t, l, event.AuditQuery{Target: "other"})); !strings.Contains(got, name) {
			t.Errorf("somebody else's was taken: %s", got)
		}
		if left := erase(""); strings.Contains(left, name) {
			t.Errorf("after the organization: %s", left)
		}
		if got := audit(t, l, event.AuditQuery{}); len(got) != 3 || got[len(got)-1].Context.Actor.ID != named.Cause.Actor.ID {
			t.Errorf("ids, actions and times stay: %+v", got)
		}
	})
}

func allChanges(entries []event.AuditEntry) (out string) {
	for _, e := range entries {
		out += string(e.Changes)
	}
	return out
}

func allNames(entries []event.AuditEntry) (out string) {
	for _, e := range entries {
		if e.Context.Actor.Name != nil {
			out += *e.Context.Actor.Name
		}
	}
	return out
}

func TestAcknowledgement_counts_the_first_word(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		at := time.Now().UTC().Truncate(time.Microsecond)
		id := appendEvents(t, d, l, at, auditEvent("org_1", "a", "", event.UserUpdated, `{"id":"user_1"}`))[0]
		first, err := l.AcknowledgeEvent(ctx, event.Actor{ID: "management_key", Source: event.API}, id, at)
		if err != nil || first.Actor.ID != "management_key" || !first.At.Equal(at) || first.OrganizationID != "org_1" {
			t.Fatalf("%+v %v", first, err)
		}
		again, err := l.AcknowledgeEvent(ctx, event.Actor{ID: "other", Source: event.Dashboard}, id, at.Add(time.Hour))
		if err != nil || again != first {
			t.Errorf("said again: %+v %v", again, err)
		}
		for _, unknown := range []string{"event_01JDXA5Q0G8YQZP0R3M4T7W9KE", "x", ""} {
			if _, err := l.AcknowledgeEvent(ctx, first.Actor, unknown, at); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q: %v", unknown, err)
			}
		}
	})
}

func TestReached_says_whether_a_reader_has_come_to_an_event(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		ids := appendEvents(t, d, l, time.Now(), entry("org_1", event.UserCreated, `{}`), entry("org_1", event.UserUpdated, `{}`))
		for _, one := range []struct {
			cursor, event string
			want          bool
		}{{"", ids[0], false}, {ids[0], ids[0], true}, {ids[0], ids[1], false}, {ids[1], ids[0], true}} {
			if got, err := l.Reached(ctx, one.cursor, one.event); err != nil || got != one.want {
				t.Errorf("%+v: %v %v", one, got, err)
			}
		}
	})
}

func TestAudit_still_tells_of_members_and_settings_when_their_events_have_expired(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		old := time.Now().Add(-48 * time.Hour)
		appendEvents(t, d, l, old,
			auditEvent("org_1", "directory_1", "exchange_1", event.DirectoryUserUpdated, `{"id":"directory_user_1"}`),
			auditEvent("org_1", "directory_1", "exchange_1", event.OrganizationMembershipUpdated, `{"id":"om_1","note":"private"}`),
			auditEvent("org_1", "directory_1", "exchange_1", event.SessionRevoked, `{"id":"session_1"}`))
		writeAudit(t, d, l, old, change("org_1", "a", "directory_1", event.Settings{"n": 1}, event.Settings{"n": 2}))
		told := by("a")
		told.Changes = event.Diff(event.Settings{"name": "A"}, event.Settings{"name": "B"})
		appendEvents(t, d, l, old, event.Entry{OrganizationID: "org_1", Type: event.OrganizationUpdated, Context: told.JSON(), Data: []byte(`{"id":"org_1"}`)})
		appendEvents(t, d, l, time.Now(), auditEvent("org_1", "a", "", event.OrganizationUpdated, `{"id":"newest"}`))
		if before := targets(audit(t, l, event.AuditQuery{})); len(before) != 6 {
			t.Fatalf("%v", before)
		}
		for range 2 {
			if err := l.Expire(ctx, 24*time.Hour, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		left := audit(t, l, event.AuditQuery{})
		if got := targets(left); !slices.Equal(got, []string{"newest", "org_1", "directory_1", "om_1"}) {
			t.Fatalf("%v", got)
		}
		if m := left[3]; m.Context.ExchangeID != "exchange_1" || m.Action != "organization_membership.updated" || !m.At.Equal(old.UTC().Truncate(time.Microsecond)) {
			t.Errorf("%+v", m)
		}
		if got := string(left[1].Changes); got != `{"name":{"before":"A","after":"B"}}` {
			t.Errorf("%s", got)
		}
		if text := fmt.Sprintf("%+v", left); strings.Contains(text, "private") {
			t.Errorf("a payload was kept: %s", text)
		}
		if got := targets(audit(t, l, event.AuditQuery{Target: "om_1"})); len(got) != 1 {
			t.Errorf("by target: %v", got)
		}
	})
}
