package org

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// KeyNotFound is the refusal for an API key that is not there.
func KeyNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "API Key not found: '%.80s'.", id)
}

// CreateAPIKey makes a key of an organization; its value is in the answer and nowhere else.
func (s *Service) CreateAPIKey(ctx context.Context, actor event.Actor, id ID, n NewAPIKey) (APIKey, token.Secret, error) {
	at := s.time()
	if err := n.check(at); err != nil {
		return APIKey{}, "", err
	}
	secret := token.NewSecret("sk")
	k := APIKey{
		ID: s.ids.NewID("api_key"), OrganizationID: string(id), Name: n.Name, Hint: secret.Suffix(), Permissions: n.Permissions,
		CreatedAt: at, UpdatedAt: at,
	}
	if !n.ExpiresAt.IsZero() {
		k.ExpiresAt = n.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.LockTx(ctx, tx, id); err != nil {
			return err
		}
		var have int64
		if err := tx.QueryRow(ctx, countKeys, string(id)).Scan(&have); err != nil {
			return err
		}
		if have >= maxKeys {
			return fault.New(fault.Unprocessable, "too_many",
				"The organization has %d API keys already. Delete those that are not used any more.", maxKeys).On("organization_id")
		}
		if _, err := tx.Exec(ctx, insertKey, k.ID, string(id), k.Name, string(token.HashOf(secret)), k.Hint, encode(k.Permissions),
			at.UnixMicro(), at.UnixMicro(), db.MicrosOrNull(k.ExpiresAt)); err != nil {
			return err
		}
		return s.appendKey(ctx, tx, at, actor, event.APIKeyCreated, k, k.Payload())
	})
	if err != nil {
		return APIKey{}, "", fmt.Errorf("create an API key of organization %s: %w", id, err)
	}
	return k, secret, nil
}

func (s *Service) appendKey(ctx context.Context, tx db.Tx, at time.Time, actor event.Actor, kind event.Type, k APIKey, data []byte) error {
	return s.events.AppendTx(ctx, tx, at, event.Entry{
		OrganizationID: k.OrganizationID, Type: kind, Context: event.Context{Actor: actor}.JSON(), Data: data,
	})
}

// APIKeyQuery selects a page of an organization's keys. Before and After are ids.
type APIKeyQuery struct {
	OrganizationID ID
	Before, After  string
	Limit          int
	Ascending      bool
}

// APIKeys gives a page of keys, expired ones too, and whether more follow in the direction read.
func (s *Service) APIKeys(ctx context.Context, q APIKeyQuery) ([]APIKey, bool, error) {
	if _, err := s.Get(ctx, q.OrganizationID); err != nil {
		return nil, false, err
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Where("organization_id = " + p.Arg(string(q.OrganizationID)))
	text, args := p.Statement(selectKeys+" WHERE TRUE", "id")
	found, err := queryKeys(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// APIKey finds a key of an organization. One of another organization is NotFound.
func (s *Service) APIKey(ctx context.Context, id ID, key string) (APIKey, error) {
	found, err := queryKeys(ctx, s.db, selectKeys+" WHERE organization_id = $1 AND id = $2", string(id), key)
	if err != nil {
		return APIKey{}, err
	}
	if len(found) == 0 {
		return APIKey{}, KeyNotFound(key)
	}
	return found[0], nil
}

func queryKeys(ctx context.Context, r db.Reader, text string, args ...any) ([]APIKey, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	defer rows.Close()
	var out []APIKey
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("read API keys: %w", err)
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

func scanKey(row db.Row) (k APIKey, err error) {
	var permissions []byte
	var created, updated int64
	var used, expires *int64
	if err := row.Scan(&k.ID, &k.OrganizationID, &k.Name, &k.Hint, &permissions, &created, &updated, &used, &expires); err != nil {
		return k, err
	}
	k.CreatedAt, k.UpdatedAt, k.LastUsedAt, k.ExpiresAt = db.Time(created), db.Time(updated), db.TimeOrZero(used), db.TimeOrZero(expires)
	if err := json.Unmarshal(permissions, &k.Permissions); err != nil {
		return k, fmt.Errorf("permissions of API key %s: %w", k.ID, err)
	}
	return k, nil
}

// keyTx reads a key and locks it for a change.
func (s *Service) keyTx(ctx context.Context, tx db.Tx, id string) (APIKey, error) {
	k, err := scanKey(tx.QueryRow(ctx, selectKeys+" WHERE id = $1"+s.db.ForUpdate(), id))
	if errors.Is(err, db.ErrNoRows) {
		return k, KeyNotFound(id)
	}
	return k, err
}

// DeleteAPIKey ends a key at once: when it returns, no process accepts it any more.
func (s *Service) DeleteAPIKey(ctx context.Context, actor event.Actor, id string) error {
	at := s.time()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		k, err := s.keyTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteKey, k.OrganizationID, id); err != nil {
			return err
		}
		if err := s.doors.Moved(ctx, tx); err != nil {
			return err
		}
		return s.appendKey(ctx, tx, at, actor, event.APIKeyRevoked, k, k.Payload())
	})
	if err != nil {
		return fmt.Errorf("delete API key %s: %w", id, err)
	}
	return s.doors.Await(ctx)
}

// Expiry is when an API key is to end.
type Expiry struct {
	At    time.Time // zero: now
	Never bool      // whatever end was set is taken back
}

// ExpireAPIKey sets when a key ends. A key that has ended stays so: that is a Conflict "api_key_already_expired". What changes
// nothing is silent.
func (s *Service) ExpireAPIKey(ctx context.Context, actor event.Actor, id string, e Expiry) (APIKey, error) {
	at := s.time()
	ends, err := e.moment(at)
	if err != nil {
		return APIKey{}, err
	}
	var k APIKey
	err = s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if k, err = s.keyTx(ctx, tx, id); err != nil {
			return err
		}
		if k.Expired(at) {
			return fault.New(fault.Conflict, "api_key_already_expired", "The API key has expired already. Make a new one.")
		}
		before := k.ExpiresAt
		if before.Equal(ends) {
			return nil
		}
		k.ExpiresAt, k.UpdatedAt = ends, at
		if _, err := tx.Exec(ctx, expireKey, k.OrganizationID, id, db.MicrosOrNull(ends), at.UnixMicro()); err != nil {
			return err
		}
		if err := s.doors.Moved(ctx, tx); err != nil {
			return err
		}
		return s.appendKey(ctx, tx, at, actor, event.APIKeyUpdated, k, k.changed(before))
	})
	if err != nil {
		return APIKey{}, fmt.Errorf("expire API key %s: %w", id, err)
	}
	return k, s.doors.Await(ctx)
}

func (e Expiry) moment(now time.Time) (time.Time, error) {
	switch at := e.At.UTC().Truncate(time.Microsecond); {
	case e.Never:
		return time.Time{}, nil
	case e.At.IsZero():
		return now, nil
	case !at.After(now):
		return time.Time{}, fault.New(fault.Unprocessable, "invalid_date",
			"expires_at lies in the past. Leave it out to end the key now, or send null to take its end back.").On("expires_at")
	default:
		return at, nil
	}
}

// AuthenticateAPIKey finds the key with this value; false for one that is wrong, expired or deleted, all alike. It notes the use.
// The value is looked up by its hash, so that time tells nothing about how much of a guess was right. Who remembers the answer
// has to be one of the Doors, which learn of every end; an end that was set for later is for APIKey.Expired to say.
func (s *Service) AuthenticateAPIKey(ctx context.Context, secret token.Secret) (APIKey, bool, error) {
	if !token.WellFormed(secret, "sk") {
		return APIKey{}, false, nil
	}
	k, err := scanKey(s.db.QueryRow(ctx, selectKeys+" WHERE hash = $1", string(token.HashOf(secret))))
	if errors.Is(err, db.ErrNoRows) || err == nil && k.Expired(s.now()) {
		return APIKey{}, false, nil
	}
	if err != nil {
		return APIKey{}, false, fmt.Errorf("look up an API key: %w", err)
	}
	s.NoteUse(k)
	return k, true, nil
}

// useInterval is how exactly the last use of a key is known.
const useInterval = time.Minute

// uses are the keys that were used and when, and of those what is not written yet.
type uses struct {
	mu      sync.Mutex
	last    map[string]time.Time
	pending map[string]APIKey
}

// NoteUse notes that a key was used now. It costs no input or output: Run writes it, once a minute at most.
func (s *Service) NoteUse(k APIKey) {
	now := s.time()
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	if last, ok := s.uses.last[k.ID]; ok && now.Sub(last) < useInterval {
		return
	}
	k.LastUsedAt = now
	s.uses.last[k.ID], s.uses.pending[k.ID] = now, k
}

// takeUses gives what is to be written and forgets whom nobody has used for a while.
func (s *Service) takeUses() map[string]APIKey {
	now := s.now()
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	for id, last := range s.uses.last {
		if now.Sub(last) >= useInterval {
			delete(s.uses.last, id)
		}
	}
	if len(s.uses.pending) == 0 {
		return nil // the map that is being written to stays where it is
	}
	pending := s.uses.pending
	s.uses.pending = map[string]APIKey{}
	return pending
}

// FlushUses writes the uses noted so far. What cannot be written is kept for the next time.
func (s *Service) FlushUses(ctx context.Context) error {
	taken := s.takeUses()
	var w db.Write
	for id, k := range taken {
		w.Exec(touchKey, k.OrganizationID, id, k.LastUsedAt.UnixMicro(), k.LastUsedAt.Add(-useInterval).UnixMicro())
	}
	err := s.db.Write(ctx, &w)
	if err == nil {
		return nil
	}
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	for id, k := range taken {
		if _, newer := s.uses.pending[id]; !newer {
			s.uses.pending[id] = k
		}
	}
	return fmt.Errorf("write the last use of API keys: %w", err)
}
