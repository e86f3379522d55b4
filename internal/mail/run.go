package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	lookEach      = time.Second
	lookTime      = 10 * time.Second // for what the database is asked
	atOnce        = 8                // mails claimed and sent at a time
	sendTime      = time.Minute      // for one mail as a whole
	lease         = 5 * time.Minute  // a claim; longer than sending and marking can take
	patience      = 24 * time.Hour   // after which a mail is given up
	recipientKept = 30 * 24 * time.Hour
	rowKept       = 90 * 24 * time.Hour
	tidyEach      = time.Hour
	maxError      = 300 // characters of an error that are kept
)

// delays are the waits after each failed attempt; the last one repeats until the mail is given up.
func delays() []time.Duration {
	return []time.Duration{
		5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
		2 * time.Hour, 4 * time.Hour,
	}
}

// claimed is a mail that this process may send, once.
type claimed struct {
	id, organizationID string
	kind               string
	recipient, content *string
	attempt            int64
	giveUp             int64
}

// Run sends until ctx ends, having finished what it had in hand.
func (o *Outbox) Run(ctx context.Context) {
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	var tidied time.Time
	for {
		if now := o.time(); now.Sub(tidied) >= tidyEach {
			tidied = now
			o.report(ctx, "tidy up the outbox", o.tidy(ctx, now))
		}
		for more := true; more && ctx.Err() == nil; {
			n, err := o.Send(ctx)
			o.report(ctx, "send mails", err)
			more = n == atOnce && err == nil
		}
		o.report(ctx, "look for the oldest mail", o.measure(ctx))
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-tick.C:
		}
	}
}

func (o *Outbox) report(ctx context.Context, work string, err error) {
	if err != nil && ctx.Err() == nil {
		o.log.Error("work on the outbox failed and will be tried again", "work", work, "cause", err)
	}
}

// Send sends what is due, up to a few at once, and gives how many that were.
func (o *Outbox) Send(ctx context.Context) (int, error) {
	batch, err := o.claim(ctx)
	if err != nil {
		return 0, err
	}
	var sending sync.WaitGroup
	failures := make([]error, len(batch))
	for i, c := range batch {
		sending.Go(func() { failures[i] = o.handle(ctx, c) })
	}
	sending.Wait()
	return len(batch), errors.Join(failures...)
}

// claim takes due mails for this process. Without any, nothing is written.
func (o *Outbox) claim(ctx context.Context) (batch []claimed, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	now := o.time()
	var one int64
	err = o.db.QueryRow(ctx, selectDue, now.UnixMicro()).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = o.db.Tx(ctx, func(tx db.Tx) error {
			batch, err = o.claimTx(ctx, tx, now)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("claim mails: %w", err)
	}
	return batch, nil
}

func (o *Outbox) claimTx(ctx context.Context, tx db.Tx, now time.Time) (batch []claimed, err error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(claimMails, o.db.SkipLocked()), now.UnixMicro(), now.Add(lease).UnixMicro(), int64(atOnce))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c claimed
		if err := rows.Scan(&c.id, &c.organizationID, &c.kind, &c.recipient, &c.content, &c.attempt, &c.giveUp); err != nil {
			return nil, err
		}
		batch = append(batch, c)
	}
	return batch, rows.Err()
}

// handle sends one mail and marks what came of it.
func (o *Outbox) handle(ctx context.Context, c claimed) error {
	if late := c.giveUp <= o.time().UnixMicro(); late {
		return o.fail(ctx, c, errors.New("too late: it could not be sent in time"))
	}
	if !o.Sends() {
		return o.again(ctx, c, errors.New("no mail server is set (--smtp-url)"))
	}
	letter, err := o.open(c)
	if err != nil {
		return o.fail(ctx, c, err)
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	err = o.o.Sender.Send(sending, letter)
	cancel()
	var forGood *PermanentError
	switch {
	case err == nil:
		o.sent.Add(1)
		return o.mark(ctx, c, markSent, c.id, c.attempt, o.time().UnixMicro())
	case errors.As(err, &forGood):
		return o.fail(ctx, c, err)
	}
	return o.again(ctx, c, err)
}

func (o *Outbox) open(c claimed) (l Letter, err error) {
	if c.recipient == nil || c.content == nil {
		return l, errors.New("it was forgotten before it was sent")
	}
	content, err := o.o.Sealer.Open(place(c.id), *c.content)
	if err != nil {
		return l, fmt.Errorf("open a mail: %w", err)
	}
	if err := json.Unmarshal(content, &l); err != nil {
		return l, errors.New("a mail does not hold what it should")
	}
	l.ID, l.To, l.Kind = c.id, *c.recipient, Kind(c.kind)
	return l, nil
}

func (o *Outbox) fail(ctx context.Context, c claimed, why error) error {
	o.failed.Add(1)
	o.log.Warn("a mail was given up", "mail", c.id, "kind", c.kind, "organization", c.organizationID, "attempts", c.attempt, "cause", told(why))
	return o.mark(ctx, c, markFailed, c.id, c.attempt, o.time().UnixMicro(), told(why))
}

// again puts a mail off, not beyond the moment that it is given up.
func (o *Outbox) again(ctx context.Context, c claimed, why error) error {
	table := delays()
	due := o.time().Add(table[min(int(c.attempt)-1, len(table)-1)]).UnixMicro()
	o.log.Warn("a mail could not be sent and will be tried again", "mail", c.id, "kind", c.kind, "organization", c.organizationID, "attempts", c.attempt, "cause", told(why))
	return o.mark(ctx, c, markAgain, c.id, c.attempt, min(due, c.giveUp), told(why))
}

// mark writes what came of an attempt. It is tried to the end, even while the process is being stopped: a mail that was sent and is not
// marked would be sent again.
func (o *Outbox) mark(ctx context.Context, c claimed, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	var err error
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait *= 2 {
		var w db.Write
		w.Exec(text, args...)
		if err = o.db.Write(ctx, &w); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return fmt.Errorf("mark mail %s: %w", c.id, err)
}

// tidy forgets whom mails went to, and later the mails.
func (o *Outbox) tidy(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var w db.Write
	w.Exec(forgetRecipients, now.Add(-recipientKept).UnixMicro())
	w.Exec(deleteOld, now.Add(-rowKept).UnixMicro())
	return o.db.Write(ctx, &w)
}

func (o *Outbox) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var created *int64
	if err := o.db.QueryRow(ctx, oldestPending).Scan(&created); err != nil {
		return err
	}
	if created == nil {
		created = new(int64)
	}
	o.oldest.Store(*created)
	return nil
}
