package mail

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the outbox is built from.
type Options struct {
	DB     *db.DB
	IDs    *token.Source
	Sealer *db.Sealer
	Now    func() time.Time
	Logger *slog.Logger
	Sender Sender // nil: there is no way to send; mails wait for one until they are too late
	App    string // who writes, in people's words

	Templates string // folder with an operator's own templates; "": ours
}

// Sender takes a letter to where it is sent on. A *PermanentError says that trying again is of no use. An error holds nothing of
// what the letter says.
type Sender interface {
	Send(ctx context.Context, l Letter) error
}

// PermanentError is a refusal for good.
type PermanentError struct{ Cause error }

func (e *PermanentError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *PermanentError) Unwrap() error { return e.Cause }

// Outbox keeps mails until they are sent.
type Outbox struct {
	o      Options
	db     *db.DB
	log    *slog.Logger
	press  *press
	wake   chan struct{}
	sent   atomic.Int64
	failed atomic.Int64
	oldest atomic.Int64 // creation of the oldest pending mail in microseconds; 0: none
}

// NewOutbox makes the outbox; Run sends.
func NewOutbox(o Options) (*Outbox, error) {
	p, err := newPress(o.App, o.Templates)
	if err != nil {
		return nil, err
	}
	return &Outbox{o: o, db: o.DB, log: o.Logger, press: p, wake: make(chan struct{}, 1)}, nil
}

// time is now, at the precision that is stored.
func (o *Outbox) time() time.Time { return o.o.Now().UTC().Truncate(time.Microsecond) }

// Sends tells whether there is a way to send.
func (o *Outbox) Sends() bool { return o.o.Sender != nil }

// Put adds a mail to a write. It is sent after the commit: within a second, or at once after Nudge. An address that is none is
// Unprocessable "invalid_email", and nothing is added.
func (o *Outbox) Put(w *db.Write, m Message) error {
	args, err := o.row(m)
	if err != nil {
		return err
	}
	w.Exec(insertMail, args...)
	return nil
}

// PutTx adds a mail to a transaction, as Put does.
func (o *Outbox) PutTx(ctx context.Context, tx db.Tx, m Message) error {
	args, err := o.row(m)
	if err != nil {
		return err
	}
	tx.OnCommit(o.Nudge)
	if _, err := tx.Exec(ctx, insertMail, args...); err != nil {
		return fmt.Errorf("put a mail into the outbox: %w", err)
	}
	return nil
}

// Withdraw adds to a write that mails about something are not sent any more. One that is being sent at the moment may arrive.
func (o *Outbox) Withdraw(w *db.Write, about string) { w.Exec(withdraw, about, o.time().UnixMicro()) }

// Nudge has the outbox looked into now.
func (o *Outbox) Nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Outbox) row(m Message) ([]any, error) {
	if err := checkAddress(m.To); err != nil {
		return nil, err
	}
	now := o.time()
	letter, err := o.press.letter(m.Content, now)
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(letter)
	if err != nil {
		return nil, fmt.Errorf("put a mail into the outbox: %w", err)
	}
	id := o.o.IDs.NewID("mail")
	giveUp := now.Add(patience)
	if until := m.Content.until(); !until.IsZero() && until.Before(giveUp) {
		giveUp = until
	}
	return []any{
		id, m.OrganizationID, string(letter.Kind), m.To, o.o.Sealer.Seal(place(id), content), now.UnixMicro(), giveUp.UnixMicro(),
		db.TextOrNull(m.About),
	}, nil
}

// place is where a mail's content is sealed to.
func place(id string) string { return "mails.content/" + id }

// Forget takes a person out of the mails of an organization by their addresses, or with none everything of the organization. What has
// not been sent is not sent any more.
func (o *Outbox) Forget(ctx context.Context, organizationID string, person bool, addresses []string) error {
	var w db.Write
	now := o.time().UnixMicro()
	if !person {
		w.Exec(forgetOrganization, organizationID, now)
	}
	for _, a := range addresses {
		if person && strings.Contains(a, "@") {
			w.Exec(forgetAddress, organizationID, strings.ToLower(a), now)
		}
	}
	if err := o.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget mails: %w", err)
	}
	return nil
}

// Sent counts mails that a server has taken since the start.
func (o *Outbox) Sent() int64 { return o.sent.Load() }

// Failed counts mails that were given up since the start.
func (o *Outbox) Failed() int64 { return o.failed.Load() }

// OldestPending is the age of the oldest mail that is neither sent nor given up, as of a moment ago.
func (o *Outbox) OldestPending() time.Duration {
	created := o.oldest.Load()
	if created == 0 {
		return 0
	}
	return max(0, o.time().Sub(time.UnixMicro(created)))
}
