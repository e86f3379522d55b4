package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/token"
)

// house is an installation with a clock.
type house struct {
	t   *testing.T
	db  *db.DB
	now atomic.Int64
	log bytes.Buffer
}

func onEach(t *testing.T, story func(h *house)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		h := &house{t: t, db: open()}
		h.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixMicro())
		story(h)
	})
}

func (h *house) time() time.Time      { return time.UnixMicro(h.now.Load()).UTC() }
func (h *house) pass(d time.Duration) { h.now.Add(d.Microseconds()) }

// process is one Rollcall process that sends by a sender.
func (h *house) process(sender mail.Sender) *mail.Outbox {
	h.t.Helper()
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	h.must(err)
	o, err := mail.NewOutbox(mail.Options{
		DB: h.db, IDs: token.NewSource(h.time), Sealer: sealer, Now: h.time, Logger: slog.New(slog.NewTextHandler(&h.log, nil)), Sender: sender, App: "Acme",
	})
	h.must(err)
	return o
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) code(to string) mail.Message {
	return mail.Message{OrganizationID: "org_1", To: to, Content: mail.MagicAuth{
		Code: "123456", Link: "https://id.example/sign-in/link/secret", ExpiresAt: h.time().Add(10 * time.Minute),
	}}
}

func certificateMessage(to string, ends time.Time) mail.Message {
	return mail.Message{OrganizationID: "org_1", To: to, Content: mail.ConnectionCertificate{
		Organization: "Acme", Connection: "Okta", Subject: "CN=okta", Fingerprint: "AB:CD", ExpiresAt: ends,
	}}
}

func (h *house) put(o *mail.Outbox, m mail.Message) {
	h.t.Helper()
	var w db.Write
	h.must(o.Put(&w, m))
	h.must(h.db.Write(h.t.Context(), &w))
}

func (h *house) send(o *mail.Outbox) int {
	h.t.Helper()
	n, err := o.Send(h.t.Context())
	h.must(err)
	return n
}

// row is what the table says of the one mail there is.
func (h *house) row() (state string, attempts int64, recipient, content, lastError string) {
	h.t.Helper()
	var r, c, e *string
	h.must(h.db.QueryRow(h.t.Context(), `SELECT state, attempts, recipient, content, last_error FROM mails`).Scan(&state, &attempts, &r, &c, &e))
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return state, attempts, text(r), text(c), text(e)
}

func (h *house) wantRow(state string, attempts int64, sealed bool, lastError string) {
	h.t.Helper()
	gotState, gotAttempts, recipient, content, gotError := h.row()
	if gotState != state || gotAttempts != attempts || recipient == "" || (content != "") != sealed || !strings.Contains(gotError, lastError) || (lastError == "") != (gotError == "") {
		h.t.Errorf("%s after %d attempts to %q, content %t, error %q; want %s after %d, content %t, error %q",
			gotState, gotAttempts, recipient, content != "", gotError, state, attempts, sealed, lastError)
	}
}

// sender is a function.
type sender func(ctx context.Context, l mail.Letter) error

func (s sender) Send(ctx context.Context, l mail.Letter) error { return s(ctx, l) }

// keeping is a sender that keeps what it is given.
type keeping struct {
	mu      sync.Mutex
	letters []mail.Letter
}

func (k *keeping) Send(_ context.Context, l mail.Letter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.letters = append(k.letters, l)
	return nil
}

func TestMail_leaves_with_its_transaction_and_what_it_says_is_gone_after(t *testing.T) {
	onEach(t, func(h *house) {
		s := serve(t, options{})
		smtpSender, err := mail.ParseSMTP("smtp://" + s.address)
		h.must(err)
		smtpSender.From = netmail.Address{Address: "no-reply@acme.example"}
		o := h.process(smtpSender)
		broken := errors.New("undone")
		if err := h.db.Tx(t.Context(), func(tx db.Tx) error {
			h.must(o.PutTx(t.Context(), tx, h.code("nobody@home.example")))
			return broken
		}); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if n := h.send(o); n != 0 {
			t.Fatalf("%d mails of a transaction that was undone", n)
		}
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return o.PutTx(t.Context(), tx, h.code("ada@home.example")) }))
		h.wantRow("pending", 0, true, "")
		if _, _, _, content, _ := h.row(); strings.Contains(content, "123456") || strings.Contains(content, "secret") {
			t.Errorf("not sealed: %s", content)
		}
		if n := h.send(o); n != 1 || o.Sent() != 1 {
			t.Errorf("%d sent, %d counted", n, o.Sent())
		}
		h.wantRow("sent", 1, false, "")
		if got := s.mails(); len(got) != 1 || got[0].to != "ada@home.example" || !strings.Contains(got[0].data, "123456") {
			t.Errorf("received %+v", got)
		}
		if strings.Contains(h.log.String(), "123456") {
			t.Errorf("logged: %s", h.log.String())
		}
	})
}

func TestTwo_processes_send_each_mail_once(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		one, two := h.process(k), h.process(k)
		const mails = 60
		for i := range mails {
			h.put(one, h.code(fmt.Sprintf("p%d@home.example", i)))
		}
		var working sync.WaitGroup
		for _, o := range []*mail.Outbox{one, two, one, two} {
			working.Go(func() {
				for {
					n, err := o.Send(context.Background())
					if err != nil {
						t.Error(err)
					}
					if n == 0 || err != nil {
						return
					}
				}
			})
		}
		working.Wait()
		seen := map[string]int{}
		for _, l := range k.letters {
			seen[l.To]++
		}
		if len(seen) != mails || len(k.letters) != mails {
			t.Errorf("%d mails to %d people, want %d", len(k.letters), len(seen), mails)
		}
	})
}

func TestMail_of_a_process_that_was_killed_is_sent_by_another_when_its_claim_has_run_out(t *testing.T) {
	onEach(t, func(h *house) {
		stuck, killed := make(chan struct{}), make(chan struct{})
		first := h.process(sender(func(context.Context, mail.Letter) error {
			close(stuck)
			<-killed
			return errors.New("whatever became of it")
		}))
		k := &keeping{}
		second := h.process(k)
		h.put(first, certificateMessage("ada@home.example", h.time().Add(time.Hour)))
		var dying sync.WaitGroup
		dying.Go(func() { _, _ = first.Send(context.Background()) })
		<-stuck
		h.pass(mail.Lease - time.Second)
		if n := h.send(second); n != 0 {
			t.Errorf("%d mails taken from a living process", n)
		}
		h.pass(2 * time.Second)
		if n := h.send(second); n != 1 || len(k.letters) != 1 {
			t.Errorf("%d claimed, %d sent", n, len(k.letters))
		}
		close(killed)
		dying.Wait()
		h.wantRow("sent", 2, false, "") // whoever has lost the claim changes nothing
	})
}

func TestMail_that_is_refused_for_now_is_tried_for_a_day(t *testing.T) {
	onEach(t, func(h *house) {
		s := serve(t, options{})
		s.refuse = func(to string, _ int) error {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, " + to}
		}
		smtpSender, err := mail.ParseSMTP("smtp://" + s.address)
		h.must(err)
		smtpSender.From = netmail.Address{Address: "no-reply@acme.example"}
		o := h.process(smtpSender)
		h.put(o, certificateMessage("ada@home.example", h.time().Add(time.Hour)))
		attempts := 0
		var waits []time.Duration
		last := h.time()
		for range 30 * 24 * 60 {
			if h.send(o) == 1 {
				attempts++
				waits = append(waits, h.time().Sub(last))
				last = h.time()
			}
			if state, _, _, _, _ := h.row(); state == "failed" {
				break
			}
			if attempts == 1 {
				h.wantRow("pending", 1, true, "451")
			}
			h.pass(next(h))
		}
		if attempts < 12 || attempts > 25 || waits[1] != 5*time.Second || waits[2] != 15*time.Second {
			t.Errorf("%d attempts after %v", attempts, waits)
		}
		h.wantRow("failed", int64(attempts), false, "too late")
		if passed := h.time().Sub(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)); passed != 24*time.Hour {
			t.Errorf("given up after %s", passed)
		}
		if o.Failed() != 1 || strings.Contains(h.log.String(), "ada@") {
			t.Errorf("%d counted, log %s", o.Failed(), h.log.String())
		}
	})
}

// next is how long the next mail is away.
func next(h *house) time.Duration {
	h.t.Helper()
	var at int64
	h.must(h.db.QueryRow(h.t.Context(), `SELECT next_at FROM mails`).Scan(&at))
	return time.UnixMicro(at).Sub(h.time())
}

func TestMail_that_is_refused_for_good_is_given_up_at_once(t *testing.T) {
	onEach(t, func(h *house) {
		s := serve(t, options{})
		s.refuse = func(to string, _ int) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user " + to}
		}
		smtpSender, err := mail.ParseSMTP("smtp://" + s.address)
		h.must(err)
		smtpSender.From = netmail.Address{Address: "no-reply@acme.example"}
		o := h.process(smtpSender)
		h.put(o, h.code("ada@home.example"))
		h.send(o)
		h.wantRow("failed", 1, false, "550")
		if _, _, _, _, kept := h.row(); strings.Contains(kept, "ada@") || strings.Contains(kept, "123456") {
			t.Errorf("kept %q", kept)
		}
		if n := h.send(o); n != 0 || o.Failed() != 1 {
			t.Errorf("%d sent again, %d counted", n, o.Failed())
		}
	})
}

func TestCode_is_not_sent_after_it_has_run_out(t *testing.T) {
	onEach(t, func(h *house) {
		fails := h.process(sender(func(context.Context, mail.Letter) error { return errors.New("not now") }))
		h.put(fails, h.code("ada@home.example"))
		h.send(fails)
		h.pass(10 * time.Minute)
		k := &keeping{}
		h.send(h.process(k))
		if len(k.letters) != 0 {
			t.Errorf("sent %+v", k.letters)
		}
		h.wantRow("failed", 2, false, "too late")
	})
}

func TestMails_wait_for_a_server_to_be_set(t *testing.T) {
	onEach(t, func(h *house) {
		without := h.process(nil)
		h.put(without, h.code("ada@home.example"))
		h.send(without)
		h.wantRow("pending", 1, true, "--smtp-url")
		if without.Sends() || !strings.Contains(h.log.String(), "--smtp-url") {
			t.Errorf("nobody is told: %s", h.log.String())
		}
		h.pass(time.Minute)
		k := &keeping{}
		h.send(h.process(k))
		if len(k.letters) != 1 {
			t.Errorf("%d sent", len(k.letters))
		}
	})
}

func TestAddresses_are_checked_before_a_mail_is_stored(t *testing.T) {
	onEach(t, func(h *house) {
		o := h.process(nil)
		var w db.Write
		if err := o.Put(&w, h.code("ada@home.example\r\nBcc: eve@evil.example")); !fault.Is(err, fault.Unprocessable) || w.Len() != 0 {
			t.Errorf("%v, %d statements", err, w.Len())
		}
	})
}

func TestMail_moved_to_another_row_is_not_opened(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		h.put(o, h.code("ada@home.example"))
		var w db.Write
		w.Exec(`UPDATE mails SET id = 'mail_other'`)
		h.must(h.db.Write(t.Context(), &w))
		h.send(o)
		if len(k.letters) != 0 {
			t.Error("sent")
		}
		h.wantRow("failed", 1, false, "open a mail")
	})
}

func TestErasure_takes_people_and_organizations_out_of_the_outbox(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		h.put(o, h.code("Ada@home.example"))
		h.must(o.Forget(t.Context(), "org_2", true, []string{"ada@home.example"}))
		h.must(o.Forget(t.Context(), "org_1", true, []string{"bob@home.example", "ada"}))
		h.must(o.Forget(t.Context(), "org_2", false, nil))
		h.wantRow("pending", 0, true, "")
		h.must(o.Forget(t.Context(), "org_1", true, []string{"ADA@home.example"}))
		if state, _, recipient, content, _ := h.row(); state != "failed" || recipient != "" || content != "" {
			t.Errorf("%s to %q: %q", state, recipient, content)
		}
		h.put(o, h.code("bob@home.example"))
		h.must(o.Forget(t.Context(), "org_1", false, nil))
		h.send(o)
		if len(k.letters) != 0 {
			t.Errorf("sent %+v", k.letters)
		}
		var left int64
		h.must(h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM mails WHERE recipient IS NOT NULL OR content IS NOT NULL OR next_at IS NOT NULL`).Scan(&left))
		if left != 0 {
			t.Errorf("%d rows with something", left)
		}
	})
}

func TestRun_sends_and_forgets_whom_mails_went_to(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		run := func() (stop func()) {
			ctx, cancel := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() { o.Run(ctx) })
			return func() { cancel(); running.Wait() }
		}
		until := func(what, condition string) {
			t.Helper()
			var n int64
			for range 500 {
				h.must(h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM mails WHERE `+condition).Scan(&n))
				if n == 1 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("not %s", what)
		}
		stop := run()
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error { return o.PutTx(t.Context(), tx, h.code("ada@home.example")) }))
		until("sent", `state = 'sent' AND recipient IS NOT NULL`)
		stop()
		h.pass(30*24*time.Hour + time.Second)
		stop = run()
		until("forgotten", `recipient IS NULL`)
		stop()
		h.pass(60 * 24 * time.Hour)
		h.put(o, certificateMessage("bob@home.example", h.time())) // so that one row is counted
		stop = run()
		until("deleted", `state = 'sent' AND (SELECT COUNT(*) FROM mails) = 1`)
		stop()
	})
}

func TestOutbox_that_cannot_be_read_fails(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		h.put(o, h.code("ada@home.example"))
		rename := func(from, to string) {
			t.Helper()
			h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), `ALTER TABLE `+from+` RENAME TO `+to)
				return err
			}))
		}
		rename("mails", "away")
		if _, err := o.Send(t.Context()); err == nil {
			t.Error("sent")
		}
		if err := o.Forget(t.Context(), "org_1", false, nil); err == nil {
			t.Error("forgotten")
		}
		if err := h.db.Tx(t.Context(), func(tx db.Tx) error { return o.PutTx(t.Context(), tx, h.code("ada@home.example")) }); err == nil {
			t.Error("stored")
		}
		rename("away", "mails")
		if n := h.send(o); n != 1 || len(k.letters) != 1 {
			t.Errorf("%d claimed, %d sent", n, len(k.letters))
		}
		if err := h.db.Tx(t.Context(), func(tx db.Tx) error { return o.PutTx(t.Context(), tx, h.code("nobody")) }); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("stored for nobody: %v", err)
		}
	})
}

func TestMail_that_does_not_hold_what_it_should_is_given_up(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		h.put(o, h.code("ada@home.example"))
		var id string
		h.must(h.db.QueryRow(t.Context(), `SELECT id FROM mails`).Scan(&id))
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		h.must(err)
		var w db.Write
		w.Exec(`UPDATE mails SET content = $1`, sealer.Seal("mails.content/"+id, []byte("no JSON")))
		h.must(h.db.Write(t.Context(), &w))
		h.send(o)
		h.wantRow("failed", 1, false, "does not hold")
		w = db.Write{}
		w.Exec(`UPDATE mails SET state = 'pending', next_at = created_at, recipient = NULL`)
		h.must(h.db.Write(t.Context(), &w))
		h.send(o)
		if state, _, _, _, lastError := h.row(); state != "failed" || !strings.Contains(lastError, "forgotten") || len(k.letters) != 0 {
			t.Errorf("%s: %s, sent %d", state, lastError, len(k.letters))
		}
	})
}
