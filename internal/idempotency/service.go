package idempotency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Sealer *db.Sealer
	Now    func() time.Time
	Logger *slog.Logger
}

// Service claims keys and keeps answers.
type Service struct{ o Options }

// NewService makes the service.
func NewService(o Options) *Service { return &Service{o: o} }

// Claim is the right to carry out a request, once. It ends with Keep or Release; one that does neither is of unknown outcome.
type Claim struct {
	service *Service
	caller  string
	keyHash string
	at      int64
}

// Begin claims the key for the request, or gives the answer that the first such request got. Exactly one of the two is not nil when
// the error is. The refusals are Unprocessable idempotency_key_reused when the key stood for another request, and Conflict:
// idempotency_in_progress (with RetryAfter), idempotency_unknown, idempotency_answer_not_kept.
func (s *Service) Begin(ctx context.Context, r Request) (*Claim, *Answer, error) {
	const attempts = 3 // the row may go between the two statements, when the first request is released
	for range attempts {
		claim, err := s.claim(ctx, r)
		if claim != nil || err != nil {
			return claim, nil, err
		}
		answer, err := s.read(ctx, r)
		if !errors.Is(err, db.ErrNoRows) {
			return nil, answer, err
		}
	}
	return nil, nil, errUnderWay()
}

// claim gives nil when the key is taken.
func (s *Service) claim(ctx context.Context, r Request) (*Claim, error) {
	now := s.o.Now()
	c := &Claim{service: s, caller: r.Caller, keyHash: r.keyHash(), at: now.UnixMicro()}
	var w db.Write
	w.Exec(deleteExpired, c.caller, c.keyHash, now.Add(-Lifetime).UnixMicro())
	w.Guard(insertClaim, c.caller, c.keyHash, r.asked(), c.at)
	err := s.o.DB.Write(ctx, &w)
	var taken *db.GuardError
	switch {
	case errors.As(err, &taken):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("claim an idempotency key: %w", err)
	}
	return c, nil
}

func (s *Service) read(ctx context.Context, r Request) (*Answer, error) {
	var asked string
	var status *int64
	var sealed *string
	var at int64
	if err := s.o.DB.QueryRow(ctx, selectClaim, r.Caller, r.keyHash()).Scan(&asked, &status, &sealed, &at); err != nil {
		return nil, fmt.Errorf("read an idempotency key: %w", err)
	}
	switch {
	case asked != r.asked():
		return nil, errReused()
	case status == nil && s.o.Now().Sub(time.UnixMicro(at)) < Patience:
		return nil, errUnderWay()
	case status == nil:
		return nil, errUnknown()
	case sealed == nil:
		return nil, errNotKept(*status)
	}
	return s.open(place(r.Caller, r.keyHash()), *sealed)
}

func (s *Service) open(place, sealed string) (*Answer, error) {
	text, err := s.o.Sealer.Open(place, sealed)
	if err != nil {
		return nil, fmt.Errorf("open a kept answer: %w", err)
	}
	var kept sealedAnswer
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("read a kept answer: %w", err)
	}
	a := Answer(kept)
	return &a, nil
}

// place binds a sealed answer to its row.
func place(caller, keyHash string) string {
	return "idempotency_answers.answer/" + caller + "/" + keyHash
}

// Keep stores the answer of the request that was carried out. The ctx of the request may have ended: the client that left is
// the one that will come back. An answer over MaxAnswer is noted as given and not kept.
func (c *Claim) Keep(ctx context.Context, a Answer) error {
	var sealed any
	if len(a.Body) <= MaxAnswer {
		sealed = c.service.o.Sealer.Seal(place(c.caller, c.keyHash), a.encoded())
	}
	var w db.Write
	w.Guard(updateAnswer, c.caller, c.keyHash, c.at, int64(a.Status), sealed)
	if err := c.write(ctx, &w); err != nil {
		return fmt.Errorf("keep an answer for its idempotency key: %w", err)
	}
	return nil
}

// Release gives the key back after a request that changed nothing. cause is why it failed, if it did: when that leaves open
// whether a commit happened, the claim stays and its outcome is unknown.
func (c *Claim) Release(ctx context.Context, cause error) error {
	var unknown *db.UnknownOutcomeError
	if errors.As(cause, &unknown) {
		return nil
	}
	var w db.Write
	w.Exec(deleteClaim, c.caller, c.keyHash, c.at)
	if err := c.write(ctx, &w); err != nil {
		return fmt.Errorf("release an idempotency key: %w", err)
	}
	return nil
}

func (c *Claim) write(ctx context.Context, w *db.Write) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return c.service.o.DB.Write(ctx, w)
}

const (
	sweepEvery = 10 * time.Minute
	sweepRows  = 1000 // of one transaction
)

// Run removes what has expired until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.ErrorContext(ctx, "expired idempotency keys could not be removed; it will be tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep removes what has expired, some rows a transaction.
func (s *Service) Sweep(ctx context.Context) error {
	before := s.o.Now().Add(-Lifetime).UnixMicro()
	for removed := int64(sweepRows); removed == sweepRows; {
		err := s.o.DB.Tx(ctx, func(tx db.Tx) (err error) {
			removed, err = tx.Exec(ctx, sweep, before, sweepRows)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove expired idempotency keys: %w", err)
		}
	}
	return nil
}
