package itadmin

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Ask notes that somebody wants a fresh link for an address. Whether the address is known changes neither the answer nor how long it takes:
// Run looks that up after, and mails a link to each organization that has it as a contact, for maxAsks in askWindow. What is no address is
// Unprocessable "invalid_email".
func (s *Service) Ask(ctx context.Context, email string) error {
	key := keyOf(email)
	if key == "" {
		return fault.New(fault.Unprocessable, "invalid_email", "This is no email address that mail can be sent to.").On("email")
	}
	var w db.Write
	w.Exec(insertAsk, s.o.IDs.NewID(askPrefix), key, s.time().UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("note who asks for a link: %w", err)
	}
	s.nudge()
	return nil
}

// ask is one that is still to be answered.
type ask struct {
	id, key string
	at      time.Time
}

// asksAtOnce are answered in one transaction.
const asksAtOnce = 20

// AnswerAsks answers those who have asked for a link, some of them, and tells how many.
func (s *Service) AnswerAsks(ctx context.Context) (n int, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		open, err := s.openTx(ctx, tx)
		if err != nil {
			return err
		}
		n = len(open)
		for _, a := range open {
			if err := s.answerTx(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("answer who asks for a portal link: %w", err)
	}
	return n, nil
}

func (s *Service) openTx(ctx context.Context, tx db.Tx) (out []ask, err error) {
	rows, err := tx.Query(ctx, openAsks+s.db.SkipLocked(), int64(asksAtOnce))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a ask
		var at int64
		if err := rows.Scan(&a.id, &a.key, &at); err != nil {
			return nil, err
		}
		a.at = db.Time(at)
		out = append(out, a)
	}
	return out, rows.Err()
}

func (s *Service) answerTx(ctx context.Context, tx db.Tx, a ask) error {
	if _, err := tx.Exec(ctx, closeAsk, a.id, s.time().UnixMicro()); err != nil {
		return err
	}
	var before int64
	if err := tx.QueryRow(ctx, countAsks, a.key, a.at.Add(-askWindow).UnixMicro(), a.id).Scan(&before); err != nil || before >= maxAsks {
		return err
	}
	found, err := contacts(ctx, tx, selectContacts+withAddress, a.key, int64(maxLinkedOrgs))
	if err != nil {
		return err
	}
	for _, c := range found {
		called := c.Called()
		actor := event.Actor{ID: c.ID, Source: event.AdminPortal, Name: &called}
		err := s.mailTx(ctx, tx, actor, c)
		if f, ok := fault.As(err); ok && (f.Kind == fault.NotFound || f.Kind == fault.Unprocessable) {
			s.o.Logger.Warn("a portal link could not be mailed", "organization", string(c.OrganizationID), "cause", f.Code)
			continue // the organization is being deleted, or the address takes no mail: others that ask are answered all the same
		}
		if err != nil {
			return err
		}
	}
	return nil
}
