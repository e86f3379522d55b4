package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	maxNotes   = 1024 // per half second:// exchanges waiting to be written; more are dropped and counted
	maxRefused = 100  // wrong-token requests kept per directory
)

// notes is the buffer of exchanges that change nothing: reads, no-ops, refusals.
type notes struct {
	mu      sync.Mutex
	waiting []*Exchange
	tokens  map[TokenID]use
	grown   map[ID]int64 // bytes written since a directory's exchanges were measured; absent: never measured here
	dropped atomic.Int64
	unknown atomic.Int64
}

type use struct {
	directory ID
	at        time.Time
}

func (n *notes) init() {
	n.tokens, n.grown = map[TokenID]use{}, map[ID]int64{}
}

// grew counts what was written, so that a directory's exchanges are measured only when they may have come near their share.
func (n *notes) grew(x *Exchange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if grown, measured := n.grown[x.DirectoryID]; measured {
		n.grown[x.DirectoryID] = grown + x.size()
	}
}

// due says whether to measure: once for each directory, then after each sixteenth of its share.
func (n *notes) due(d ID, share int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	grown, measured := n.grown[d]
	if measured && grown < share/16 {
		return false
	}
	n.grown[d] = 0
	return true
}

func (n *notes) use(d ID, t TokenID, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tokens[t] = use{d, at}
}

const exchangePrefix = "exchange"

// NewExchangeID makes the id of an exchange.
func (s *Service) NewExchangeID() ExchangeID { return ExchangeID(s.ids.NewID(exchangePrefix)) }

// Note files an exchange of a request that changed nothing. It is written within about a second; when more come than can be
// written they are dropped and counted (Dropped). One without a directory is only counted (Unknown).
func (s *Service) Note(x *Exchange) {
	if x.DirectoryID == "" {
		s.notes.unknown.Add(1)
		return
	}
	n := &s.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= maxNotes {
		n.dropped.Add(1)
		return
	}
	if x.ID == "" {
		x.ID = s.NewExchangeID()
	}
	n.waiting = append(n.waiting, x)
}

// Busy says that the exchange of an accepted read would be dropped (and counts it as dropped), so that nobody need make it. A
// quarter of the buffer is kept for what was refused or repeated, which is looked at more.
func (s *Service) Busy() bool {
	n := &s.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) < maxNotes*3/4 {
		return false
	}
	n.dropped.Add(1)
	return true
}

// Dropped is how many exchanges could not be kept because too many came at once.
func (s *Service) Dropped() int64 { return s.notes.dropped.Load() }

// Unknown is how many requests came with a wrong token to an address that is nobody's.
func (s *Service) Unknown() int64 { return s.notes.unknown.Load() }

func (s *Service) flushNotes(ctx context.Context) error {
	n := &s.notes
	n.mu.Lock()
	waiting, tokens := n.waiting, n.tokens
	n.waiting, n.tokens = nil, map[TokenID]use{}
	n.mu.Unlock()
	if len(waiting) == 0 && len(tokens) == 0 {
		return nil
	}
	var w db.Write
	rows := make([][]any, len(waiting))
	refused := map[ID]bool{}
	for i, x := range waiting {
		rows[i] = x.row()
		if x.Refused {
			refused[x.DirectoryID] = true
		}
	}
	w.Many(insertExchange, rows)
	for d := range refused {
		w.Exec(trimRefused, string(d), maxRefused)
	}
	for t, use := range tokens {
		w.Exec(touchToken, string(use.directory), string(t), use.at.UnixMicro())
	}
	if err := s.db.Write(ctx, &w); err != nil {
		n.dropped.Add(int64(len(waiting)))
		return fmt.Errorf("%d exchanges are lost: %w", len(waiting), err)
	}
	for _, x := range waiting {
		n.grew(x)
	}
	return nil
}

// complete fills in what the service knows better than the edge.
func (x *Exchange) complete(a *Access) {
	x.OrganizationID, x.DirectoryID, x.TokenID = a.Directory.OrganizationID, a.Directory.ID, a.TokenID
}

// size is about what the exchange takes in the store, in bytes.
func (x *Exchange) size() int64 {
	return int64(len(x.Path) + len(x.Effect) + len(x.Body) + len(x.Answer))
}

func (x *Exchange) row() []any {
	effect := x.Effect
	if len(effect) == 0 {
		effect = []byte("{}")
	}
	return []any{
		string(x.ID), x.OrganizationID, string(x.DirectoryID), x.At.UnixMicro(), x.size(), x.Refused, db.TextOrNull(string(x.TokenID)), x.Method, x.Path,
		x.Status, x.Took.Microseconds(), x.RequestID, x.UserAgent, effect, optionalBytes(x.Body), optionalBytes(x.Answer),
	}
}

func optionalBytes(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Exchanges lists a directory's exchanges, the newest first, from before an id on ("" is now). Limit is at most 100.
func (s *Service) Exchanges(ctx context.Context, id ID, before string, limit int) ([]Exchange, error) {
	if before == "" {
		before = newestExchange
	}
	rows, err := s.db.Query(ctx, selectExchanges, string(id), before, limit)
	if err != nil {
		return nil, fmt.Errorf("read exchanges: %w", err)
	}
	return scanExchanges(rows)
}

// newestExchange is after every ULID.
const newestExchange = "exchange_Z"

func scanExchanges(rows db.Rows) ([]Exchange, error) {
	defer rows.Close()
	var out []Exchange
	for rows.Next() {
		x, err := scanExchange(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

func scanExchange(rows db.Rows) (Exchange, error) {
	var x Exchange
	var at, size, status, took int64
	var tokenID *string
	var body, answer *string
	err := rows.Scan((*string)(&x.ID), &x.OrganizationID, (*string)(&x.DirectoryID), &at, &size, &x.Refused, &tokenID, &x.Method, &x.Path,
		&status, &took, &x.RequestID, &x.UserAgent, &x.Effect, &body, &answer)
	if err != nil {
		return x, fmt.Errorf("read exchanges: %w", err)
	}
	x.At, x.Status, x.Took = db.Time(at), int(status), time.Duration(took)*time.Microsecond
	if tokenID != nil {
		x.TokenID = TokenID(*tokenID)
	}
	if body != nil {
		x.Body = []byte(*body)
	}
	if answer != nil {
		x.Answer = []byte(*answer)
	}
	return x, nil
}

// expire deletes exchanges that are too old or over a directory's share, in short transactions.
func (s *Service) expire(ctx context.Context) error {
	ids, err := s.directoryIDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if s.o.ExchangeRetention > 0 {
			if err := s.expireBefore(ctx, id, token.Before("exchange", s.now().Add(-s.o.ExchangeRetention))); err != nil {
				return err
			}
		}
		if s.o.ExchangeMaxBytes > 0 && s.notes.due(id, s.o.ExchangeMaxBytes) {
			if err := s.expireOver(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) directoryIDs(ctx context.Context) ([]ID, error) {
	rows, err := s.db.Query(ctx, selectDirectoryIDs)
	if err != nil {
		return nil, fmt.Errorf("read directories: %w", err)
	}
	defer rows.Close()
	var out []ID
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read directories: %w", err)
		}
		out = append(out, ID(id))
	}
	return out, rows.Err()
}

func (s *Service) expireBefore(ctx context.Context, id ID, before string) error {
	for {
		var n int64
		err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
			n, err = tx.Exec(ctx, expireExchanges, string(id), before)
			return err
		})
		if err != nil || n < 1000 {
			return err
		}
	}
}

// expireOver walks from the newest exchange back until the share is used up, and deletes what lies before.
func (s *Service) expireOver(ctx context.Context, id ID) error {
	var used int64
	for before := newestExchange; ; {
		rows, err := s.db.Query(ctx, selectExchangeSizes, string(id), before)
		if err != nil {
			return fmt.Errorf("measure exchanges: %w", err)
		}
		last, over, err := s.measure(rows, &used)
		if err != nil || last == "" {
			return err
		}
		if over {
			return s.expireBefore(ctx, id, last+"0") // it too
		}
		before = last
	}
}

func (s *Service) measure(rows db.Rows, used *int64) (last string, over bool, err error) {
	defer rows.Close()
	for rows.Next() {
		var size int64
		if err := rows.Scan(&last, &size); err != nil {
			return "", false, fmt.Errorf("measure exchanges: %w", err)
		}
		if *used += size; *used > s.o.ExchangeMaxBytes {
			return last, true, nil
		}
	}
	return last, false, rows.Err()
}

// Received says when the request of an exchange came; ok is false if the exchange is not there: not written yet, or expired.
func (s *Service) Received(ctx context.Context, id ID, x ExchangeID) (at time.Time, ok bool, err error) {
	var micros int64
	err = s.db.QueryRow(ctx, selectReceived, string(id), string(x)).Scan(&micros)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read exchange %s: %w", x, err)
	}
	return db.Time(micros), true, nil
}
