package idempotency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// world is the service over a database of its own, with a clock that tests move.
type world struct {
	*testing.T
	*Service
	d   *db.DB
	now *atomic.Int64 // microseconds
}

func each(t *testing.T, test func(w world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { test(newWorld(t, open())) })
}

func newWorld(t *testing.T, d *db.DB) world {
	t.Helper()
	w := world{T: t, d: d, now: &atomic.Int64{}}
	w.now.Store(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).UnixMicro())
	w.Service = w.replica([]byte("0123456789abcdef"))
	return w
}

func (w world) replica(key []byte) *Service {
	w.Helper()
	sealer, err := db.NewSealer(key)
	w.must(err)
	return NewService(Options{
		DB: w.d, Sealer: sealer, Now: func() time.Time { return time.UnixMicro(w.now.Load()) }, Logger: slog.New(slog.DiscardHandler),
	})
}

func (w world) later(d time.Duration) { w.now.Add(d.Microseconds()) }

func (w world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func request() Request {
	return Request{Caller: "mk_1", Route: "POST /organizations", Path: "/organizations", Key: "k1", Body: []byte(`{"name":"Acme"}`)}
}

// first claims; a request that gets an answer or a refusal instead ends the test.
func (w world) first(r Request) *Claim {
	w.Helper()
	claim, answer, err := w.Begin(w.Context(), r)
	w.must(err)
	if claim == nil || answer != nil {
		w.Fatalf("claim %v, answer %v", claim, answer)
	}
	return claim
}

func (w world) refused(r Request, kind fault.Kind, code string) *fault.Error {
	w.Helper()
	claim, answer, err := w.Begin(w.Context(), r)
	f, isFault := fault.As(err)
	if claim != nil || answer != nil || !isFault || f.Kind != kind || f.Code != code {
		w.Fatalf("got claim %v, answer %v, error %v; want %s", claim, answer, err, code)
	}
	return f
}

func (w world) rows() (n int) {
	w.Helper()
	w.must(w.d.QueryRow(w.Context(), "SELECT COUNT(*) FROM idempotency_answers").Scan(&n))
	return n
}

func TestRepeat_gets_the_first_answer(t *testing.T) {
	each(t, func(w world) {
		for i, want := range []Answer{
			{Status: 201, ContentType: "application/json", Body: []byte("{\"name\":\"<R&D>\",\"raw\":\"\xff\"}")},
			{Status: 204},
		} {
			r := request()
			r.Key = Key(fmt.Sprint("k", i))
			w.must(w.first(r).Keep(w.Context(), want))
			w.later(Lifetime - time.Second)
			_, got, err := w.Begin(w.Context(), r)
			w.must(err)
			if got == nil || got.Status != want.Status || got.ContentType != want.ContentType || !bytes.Equal(got.Body, want.Body) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

func TestRepeat_of_another_request_is_refused(t *testing.T) {
	each(t, func(w world) {
		first := request()
		claim := w.first(first)
		other, elsewhere := request(), request()
		other.Body = []byte(`{"name":"Another"}`)
		elsewhere.Path += "?x=1"
		for range 2 { // while the first is under way, and when it is done
			w.refused(other, fault.Unprocessable, "idempotency_key_reused")
			w.refused(elsewhere, fault.Unprocessable, "idempotency_key_reused")
			if claim != nil {
				w.must(claim.Keep(w.Context(), Answer{Status: 201}))
			}
			claim = nil
		}
	})
}

func TestKeys_of_other_callers_and_routes_are_others(t *testing.T) {
	each(t, func(w world) {
		w.must(w.first(request()).Keep(w.Context(), Answer{Status: 201, Body: []byte("mine")}))
		theirs, route := request(), request()
		theirs.Caller = "mk_2"
		route.Route = "POST /directories"
		w.first(theirs)
		w.first(route)
	})
}

func TestRepeat_waits_for_the_first_and_never_takes_its_place(t *testing.T) {
	each(t, func(w world) {
		claim := w.first(request())
		if f := w.refused(request(), fault.Conflict, "idempotency_in_progress"); f.RetryAfter <= 0 {
			t.Error("it does not say when to come back")
		}
		w.later(Patience - time.Microsecond)
		w.refused(request(), fault.Conflict, "idempotency_in_progress")
		w.later(time.Microsecond)
		w.refused(request(), fault.Conflict, "idempotency_unknown")

		// A first request that was only slow still gets its answer in.
		w.must(claim.Keep(w.Context(), Answer{Status: 200}))
		if _, got, err := w.Begin(w.Context(), request()); err != nil || got == nil || got.Status != 200 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestRelease_makes_the_next_request_the_first(t *testing.T) {
	each(t, func(w world) {
		w.must(w.first(request()).Release(w.Context(), errors.New("the database was away")))
		w.must(w.first(request()).Release(w.Context(), nil))
		if n := w.rows(); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestRelease_leaves_a_claim_whose_commit_nobody_knows_of(t *testing.T) {
	each(t, func(w world) {
		w.must(w.first(request()).Release(w.Context(), fmt.Errorf("create: %w", &db.UnknownOutcomeError{Cause: errors.New("broken pipe")})))
		w.later(Patience)
		w.refused(request(), fault.Conflict, "idempotency_unknown")
	})
}

func TestRelease_and_Keep_touch_no_later_claim(t *testing.T) {
	each(t, func(w world) {
		old := w.first(request())
		w.later(Lifetime + time.Second)
		w.first(request())
		w.must(old.Release(w.Context(), nil))
		if err := old.Keep(w.Context(), Answer{Status: 201}); err == nil {
			t.Error("an answer was kept for a claim that had expired")
		}
		w.refused(request(), fault.Conflict, "idempotency_in_progress")
	})
}

func TestAnswer_that_is_too_large_is_noted_and_not_kept(t *testing.T) {
	each(t, func(w world) {
		w.must(w.first(request()).Keep(w.Context(), Answer{Status: 201, Body: make([]byte, MaxAnswer+1)}))
		if f := w.refused(request(), fault.Conflict, "idempotency_answer_not_kept"); !strings.Contains(f.Message, "201") {
			t.Error(f.Message)
		}
		r := request()
		r.Key = "k2"
		w.must(w.first(r).Keep(w.Context(), Answer{Status: 201, Body: make([]byte, MaxAnswer)}))
		if _, got, err := w.Begin(w.Context(), r); err != nil || got == nil || len(got.Body) != MaxAnswer {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestAnswers_expire_and_are_swept(t *testing.T) {
	each(t, func(w world) {
		const many = sweepRows + 5
		var write db.Write
		rows := make([][]any, many)
		for i := range rows {
			rows[i] = []any{"mk_1", fmt.Sprint("h", i), "r", w.now.Load()}
		}
		write.Many(insertClaim, rows)
		w.must(w.d.Write(w.Context(), &write))
		w.later(Lifetime / 2)
		w.must(w.first(request()).Keep(w.Context(), Answer{Status: 201}))
		w.later(Lifetime / 2)
		w.must(w.Sweep(w.Context()))
		if n := w.rows(); n != many+1 {
			t.Errorf("%d rows are left before their time, want %d", n, many+1)
		}
		w.later(time.Microsecond)
		w.must(w.Sweep(w.Context()))
		if n := w.rows(); n != 1 {
			t.Errorf("%d rows are left, want 1", n)
		}
		w.later(Lifetime)
		w.first(request()) // expired, and claimed anew before any sweep
	})
}

func TestReplicas_carry_out_a_request_once(t *testing.T) {
	each(t, func(w world) {
		const callers = 8
		replicas := []*Service{w.Service, w.replica([]byte("0123456789abcdef"))}
		var claims, waits atomic.Int64
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				claim, answer, err := replicas[i%2].Begin(w.Context(), request())
				switch {
				case claim != nil:
					claims.Add(1)
				case fault.Is(err, fault.Conflict):
					waits.Add(1)
				default:
					t.Errorf("answer %v, error %v", answer, err)
				}
			})
		}
		all.Wait()
		if claims.Load() != 1 || waits.Load() != callers-1 {
			t.Errorf("%d carried it out, %d were told to wait", claims.Load(), waits.Load())
		}
	})
}

func TestTable_holds_nothing_readable(t *testing.T) {
	each(t, func(w world) {
		r := request()
		r.Key = "key-of-the-client"
		r.Body = []byte(`{"value":"sk_in_the_body"}`)
		w.must(w.first(r).Keep(w.Context(), Answer{Status: 201, ContentType: "application/json", Body: []byte(`{"bearer_token":"scim_shown_once"}`)}))
		var caller, hash, asked, sealed string
		w.must(w.d.QueryRow(w.Context(), "SELECT caller, key_hash, request, answer FROM idempotency_answers").Scan(&caller, &hash, &asked, &sealed))
		for _, secret := range []string{"key-of", "sk_in", "bearer_token", "scim_shown"} {
			if strings.Contains(caller+hash+asked+sealed, secret) {
				t.Errorf("the row shows %q", secret)
			}
		}
		if got := len(sealed); got < 40 {
			t.Errorf("the sealed answer has %d characters", got)
		}
	})
}

func TestAnswer_moved_to_another_row_or_sealed_by_another_key_is_no_answer(t *testing.T) {
	each(t, func(w world) {
		mine, theirs := request(), request()
		theirs.Caller = "mk_2"
		w.must(w.first(mine).Keep(w.Context(), Answer{Status: 201, Body: []byte("mine")}))
		w.must(w.first(theirs).Keep(w.Context(), Answer{Status: 201, Body: []byte("theirs")}))
		if _, got, err := w.replica([]byte("another key, 16+")).Begin(w.Context(), mine); !errors.Is(err, db.ErrSealed) || got != nil {
			t.Errorf("with another sealing key: %v, %v", got, err)
		}
		w.must(w.d.Tx(w.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.Context(), "UPDATE idempotency_answers SET answer = (SELECT answer FROM idempotency_answers WHERE caller = 'mk_1') WHERE caller = 'mk_2'")
			return err
		}))
		if _, got, err := w.Begin(w.Context(), theirs); !errors.Is(err, db.ErrSealed) || got != nil {
			t.Errorf("with the answer of another row: %v, %v", got, err)
		}
	})
}

func TestKeep_outlives_the_request(t *testing.T) {
	each(t, func(w world) {
		claim := w.first(request())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.must(claim.Keep(ctx, Answer{Status: 201}))
	})
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"", "k", "\x00", "ä", strings.Repeat("a", 256), " ", "6f1b0f0a-7e3c-4c53-8b43-0f4ff0a3d0d4", "\"quoted\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		good := len(text) >= 1 && len(text) <= MaxKey && strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
		if (err == nil) != good || good && string(key) != text {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestRequests_that_differ_have_different_hashes(t *testing.T) {
	a, b := request(), request()
	a.Key, a.Path = "k1/", "x"
	b.Key, b.Path = "k1", "/x"
	if a.asked() == b.asked() {
		t.Error("where one part ends is not told")
	}
}
