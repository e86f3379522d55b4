package event_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestJSON_is_what_a_reader_who_parses_and_stringifies_it_gets(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.FixedZone("", 3600))
	for data, want := range map[string]string{
		`{"a":"R&D <é> \" ` + "\u2028" + `","b":[1,true,null]}`:                       `{"a":"R&D <é> \" ` + "\u2028" + `","b":[1,true,null]}`,
		`{"n":[1.0,-0,1e3,1E400,0.10,12345678901234567890,1e21,1e-7,100]}`:            `{"n":[1,0,1000,1.7976931348623157e+308,0.1,12345678901234567000,1e+21,1e-7,100]}`,
		`{"b":1,"10":2,"9":3,"a":{"2":{},"1":[{"z":1,"0":2}]},"01":4,"4294967295":5}`: `{"9":3,"10":2,"b":1,"a":{"1":[{"0":2,"z":1}],"2":{}},"01":4,"4294967295":5}`,
		`{"0":1,"x":1,"0":2}`:                 `{"0":2,"x":1}`,
		`{"1\n":"a\"1\":2"}`:                  `{"1\n":"a\"1\":2"}`,
		`{}`:                                  `{}`,
		"{\"a\": \"x y\",\n\"b\\\\\":[1, 2]}": `{"a":"x y","b\\":[1,2]}`,
		``:                                    `null`,
	} {
		got := event.Event{ID: "event_1", Type: "dsync.user.created", CreatedAt: at, Data: json.RawMessage(data), Context: json.RawMessage(`{"actor":{"id":"x"}}`)}.JSON()
		if full := `{"object":"event","id":"event_1","event":"dsync.user.created","data":` + want + `,"created_at":"2026-03-01T11:00:00.123Z","context":{"actor":{"id":"x"}}}`; string(got) != full {
			t.Errorf("%s\ngot  %s\nwant %s", data, got, full)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"1":1.0}`, `[-0,{"a":"\ud800"}]`, `"x"`, `{"a":1,"a":2}`, `{`, `1e999`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if !json.Valid([]byte(data)) {
			return
		}
		once := event.Event{Data: json.RawMessage(data)}.JSON()
		var shown struct{ Data json.RawMessage }
		if err := json.Unmarshal(once, &shown); err != nil {
			t.Fatalf("%q became %q: %v", data, once, err)
		}
		if twice := (event.Event{Data: shown.Data}).JSON(); string(twice) != string(once) {
			t.Errorf("%q became %q, then %q", data, once, twice)
		}
	})
}

func TestNamed_finds_single_and_packed_events_and_leaves_out_what_is_none(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		one := appendEvents(t, d, l, time.Now(), entry("o", event.OrganizationCreated, "1"))[0]
		first := appendEvents(t, d, l, time.Now(), event.Entry{
			OrganizationID: "o", Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Shared: []byte("2"), Each: [][]byte{[]byte("a"), []byte("b"), []byte("c")},
		})[0]
		last := appendEvents(t, d, l, time.Now(), entry("o", event.OrganizationUpdated, "3"))[0]
		strange := []string{token.At(first, 3), token.At(one, 1), "event_00000000000000000000000000", "x", ""}
		wanted := append([]string{last, token.At(first, 2), first, one, token.At(first, 1)}, strange...)
		found, err := l.Named(ctx, wanted)
		if err != nil || len(found) != 5 {
			t.Fatalf("%v %v", found, err)
		}
		for id, want := range map[string]string{one: "1", first: "2a", token.At(first, 1): "2b", token.At(first, 2): "2c", last: "3"} {
			if e := found[id]; e.ID != id || string(e.Data) != want {
				t.Errorf("%s is %+v, want %s", id, e, want)
			}
		}
		if none, err := l.Named(ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("%v %v", none, err)
		}
	})
}

// Who waits for one type is woken by a commit of it, also when others were committed before and since, and not by those.
func TestAwait_wakes_for_its_types_alone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		commit := func(kind event.Type) {
			t.Helper()
			var w db.Write
			l.Append(&w, time.Now(), entry("o", kind, "1"))
			if err := d.Write(ctx, &w); err != nil {
				t.Fatal(err)
			}
			l.Nudge()
		}
		changed := l.Changed()
		for range 3 {
			commit(event.OrganizationCreated)
		}
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		if l.Await(short, changed, time.Minute, event.SessionRevoked); short.Err() == nil {
			t.Fatal("woken by something else")
		}
		before := time.Now()
		if l.Await(ctx, l.Changed(), 50*time.Millisecond, event.SessionRevoked); time.Since(before) < 50*time.Millisecond {
			t.Error("woken by what was before")
		}
		woken := make(chan time.Duration)
		changed = l.Changed()
		go func() {
			begun := time.Now()
			l.Await(ctx, changed, time.Minute, event.SessionRevoked, event.UserCreated)
			woken <- time.Since(begun)
		}()
		commit(event.OrganizationCreated)
		commit(event.SessionRevoked)
		commit(event.OrganizationCreated)
		if after := <-woken; after > 10*time.Second {
			t.Errorf("woken after %v", after)
		}
	})
}

func TestChanged_wakes_all_who_wait_and_only_after_a_commit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		a, b := l.Changed(), l.Changed()
		if err := d.Tx(ctx, func(tx db.Tx) error {
			if err := l.AppendTx(ctx, tx, time.Now(), entry("o", event.OrganizationCreated, "1")); err != nil {
				return err
			}
			select {
			case <-a:
				t.Error("woken before the commit")
			default:
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []<-chan struct{}{a, b} {
			select {
			case <-c:
			case <-time.After(5 * time.Second):
				t.Error("not woken")
			}
		}
		select {
		case <-l.Changed():
			t.Error("woken by what was before")
		default:
		}
	})
}
