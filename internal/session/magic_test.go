package session_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

type mailed struct {
	session.Magic
	digits, link token.Secret
	visitor      session.Visitor
}

func (w *world) magic(email string, browser token.Hash) mailed {
	w.Helper()
	var write db.Write
	m, digits, link, err := w.s.MagicInto(ctx, w.db, &write, session.NewMagic{Email: email, EmailKey: strings.ToLower(email), Browser: browser, Continuation: "go on"})
	w.must(err)
	w.must(w.db.Write(ctx, &write))
	return mailed{m, digits, link, session.Visitor{Browser: browser, IP: "203.0.113.9"}}
}

func refused(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Code == session.CodeMagic
}

// wrong are six digits that are not the right ones.
func wrong(right token.Secret) token.Secret {
	if right.Reveal() == "000000" {
		return "000001"
	}
	return "000000"
}

func TestMagic_tells_of_itself_and_never_of_its_code(t *testing.T) {
	each(t, func(w *world) {
		m := w.magic("Ada@acme.test", "browser")
		if len(m.digits.Reveal()) != 6 || strings.Trim(m.digits.Reveal(), "0123456789") != "" {
			t.Errorf("not six digits")
		}
		data, _ := w.told(event.MagicAuthCreated)
		if len(data) != 1 || data[0]["object"] != "magic_auth" || data[0]["id"] != m.ID || data[0]["email"] != "Ada@acme.test" || data[0]["user_id"] != nil {
			t.Errorf("%v", data)
		}
		var code, link string
		w.must(w.db.QueryRow(ctx, `SELECT code, link_hash FROM magic_auths`).Scan(&code, &link))
		for _, text := range []string{fmt.Sprint(data), code, link} {
			if strings.Contains(text, m.digits.Reveal()) && len(text) < 200 || strings.Contains(text, m.link.Reveal()) {
				t.Errorf("%q holds the secret", text)
			}
		}
	})
}

func TestMagic_is_redeemed_once_of_a_hundred_by_code_and_by_link(t *testing.T) {
	each(t, func(w *world) {
		m := w.magic("ada@acme.test", "browser")
		var won atomic.Int64
		var done sync.WaitGroup
		for i := range 100 {
			done.Go(func() {
				var found session.Magic
				var err error
				if i%2 == 0 {
					found, err = w.s.CheckCode(ctx, m.ID, m.digits, m.visitor)
				} else {
					found, err = w.s.CheckLink(ctx, m.link, m.visitor)
				}
				if refused(err) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
				var write db.Write
				w.s.RedeemMagicInto(&write, found, "user_1", m.visitor)
				switch err := w.db.Write(ctx, &write); {
				case err == nil:
					won.Add(1)
				case !isLost(err):
					t.Error(err)
				}
			})
		}
		done.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d have won", won.Load())
		}
		data, _ := w.told(event.MagicAuthSucceeded)
		if len(data) != 1 || data[0]["user_id"] != "user_1" || data[0]["email"] != "ada@acme.test" || data[0]["status"] != "succeeded" || data[0]["ip_address"] != "203.0.113.9" {
			t.Errorf("told: %v", data)
		}
		if _, err := w.s.CheckCode(ctx, m.ID, m.digits, m.visitor); !refused(err) {
			t.Errorf("a used code: %v", err)
		}
		if _, err := w.s.CheckLink(ctx, m.link, m.visitor); !refused(err) {
			t.Errorf("a used link: %v", err)
		}
	})
}

func TestMagic_is_over_after_five_wrong_codes_even_at_once(t *testing.T) {
	each(t, func(w *world) {
		m := w.magic("ada@acme.test", "browser")
		var done sync.WaitGroup
		for range 40 {
			done.Go(func() {
				if _, err := w.s.CheckCode(ctx, m.ID, wrong(m.digits), m.visitor); !refused(err) {
					t.Errorf("a wrong code: %v", err)
				}
			})
		}
		done.Wait()
		data, _ := w.told(event.MagicAuthFailed)
		if len(data) != session.MaxMagicTries || data[0]["error"].(map[string]any)["code"] != session.CodeMagic || data[0]["status"] != "failed" {
			t.Errorf("looked at %d wrong codes: %v", len(data), data)
		}
		if _, err := w.s.CheckCode(ctx, m.ID, m.digits, m.visitor); !refused(err) {
			t.Errorf("the right code after five wrong ones: %v", err)
		}
	})
}

func TestMagic_serves_its_browser_in_its_time(t *testing.T) {
	each(t, func(w *world) {
		m := w.magic("ada@acme.test", "browser")
		other := session.Visitor{Browser: "another"}
		if _, err := w.s.CheckCode(ctx, m.ID, m.digits, other); !refused(err) {
			t.Errorf("another browser's code: %v", err)
		}
		if _, err := w.s.CheckLink(ctx, m.link, other); !refused(err) {
			t.Errorf("another browser's link: %v", err)
		}
		if _, err := w.s.CheckCode(ctx, "magic_auth_x", m.digits, m.visitor); !refused(err) {
			t.Errorf("no such id: %v", err)
		}
		if _, err := w.s.CheckLink(ctx, "magic_x", m.visitor); !refused(err) {
			t.Errorf("no such link: %v", err)
		}
		found, err := w.s.CheckCode(ctx, m.ID, m.digits, m.visitor)
		if err != nil || found.Continuation != "go on" || found.Email != "ada@acme.test" {
			t.Fatalf("%+v %v", found, err)
		}
		var write db.Write
		w.s.RedeemMagicInto(&write, found, "user_1", other)
		w.wantLost(write)
		w.later(session.MagicLife + time.Second)
		if _, err := w.s.CheckCode(ctx, m.ID, m.digits, m.visitor); !refused(err) {
			t.Errorf("an expired code: %v", err)
		}
		if _, err := w.s.CheckLink(ctx, m.link, m.visitor); !refused(err) {
			t.Errorf("an expired link: %v", err)
		}
		var late db.Write
		w.s.RedeemMagicInto(&late, found, "user_1", m.visitor)
		w.wantLost(late)
	})
}

func TestMagic_is_mailed_five_times_an_hour_at_most_even_at_once(t *testing.T) {
	each(t, func(w *world) {
		var made atomic.Int64
		var done sync.WaitGroup
		for range 20 {
			done.Go(func() {
				for range 100 { // a lost number begins again
					var write db.Write
					_, _, _, err := w.s.MagicInto(ctx, w.db, &write, session.NewMagic{Email: "ada@acme.test", EmailKey: "ada@acme.test", Browser: "b"})
					if fault.Is(err, fault.Limited) {
						return
					} else if err != nil {
						t.Error(err)
						return
					}
					if err := w.db.Write(ctx, &write); err == nil {
						made.Add(1)
						return
					}
				}
				t.Error("no end of beginning again")
			})
		}
		done.Wait()
		if made.Load() != session.MaxMagics {
			t.Fatalf("%d were mailed", made.Load())
		}
		w.magic("bob@acme.test", "b")
		w.later(session.MagicWindow + time.Minute)
		w.magic("ada@acme.test", "b")
	})
}

func TestMagic_is_mailed_ten_times_a_day_at_most(t *testing.T) {
	each(t, func(w *world) {
		one := func() error {
			var write db.Write
			if _, _, _, err := w.s.MagicInto(ctx, w.db, &write, session.NewMagic{Email: "ada@acme.test", EmailKey: "ada@acme.test", Browser: "b"}); err != nil {
				return err
			}
			return w.db.Write(ctx, &write)
		}
		made := 0
		for range 5 { // hours
			for range session.MaxMagics {
				switch err := one(); {
				case err == nil:
					made++
				case !fault.Is(err, fault.Limited):
					t.Fatal(err)
				}
			}
			w.later(session.MagicWindow + time.Minute)
			w.must(w.s.Clean(ctx)) // which leaves what is counted
		}
		if made != session.MaxMagicsDaily {
			t.Errorf("%d were mailed", made)
		}
		w.magic("bob@acme.test", "b")
		w.later(session.MagicDay)
		w.must(one())
	})
}

func TestMagic_codes_of_an_address_are_guessed_twenty_five_times_a_day_at_most_even_at_once(t *testing.T) {
	each(t, func(w *world) {
		var looked atomic.Int64
		for range 2 { // hours
			var mailed []mailed
			for range session.MaxMagics {
				mailed = append(mailed, w.magic("ada@acme.test", "b"))
			}
			var done sync.WaitGroup
			for _, m := range mailed {
				for range session.MaxMagicTries {
					done.Go(func() {
						if _, err := w.s.CheckCode(ctx, m.ID, wrong(m.digits), m.visitor); !refused(err) {
							t.Error(err)
						}
						looked.Add(1)
					})
				}
			}
			done.Wait()
			w.later(session.MagicWindow + time.Minute)
		}
		failed, _ := w.told(event.MagicAuthFailed) // one for each code that was looked at
		if looked.Load() != 50 || len(failed) != session.MaxMagicTriesDaily {
			t.Errorf("of %d codes %d were looked at", looked.Load(), len(failed))
		}
		other := w.magic("bob@acme.test", "b")
		if _, err := w.s.CheckCode(ctx, other.ID, other.digits, other.visitor); err != nil {
			t.Errorf("another address: %v", err)
		}
		w.later(session.MagicDay)
		again := w.magic("ada@acme.test", "b")
		if _, err := w.s.CheckCode(ctx, again.ID, again.digits, again.visitor); err != nil {
			t.Errorf("the day after: %v", err)
		}
	})
}
