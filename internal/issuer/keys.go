package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

const (
	keyLife    = 90 * 24 * time.Hour // how long a key signs
	keyShown   = 24 * time.Hour      // before it signs: clients keep the set so long
	keyLead    = 2 * keyShown        // the next one is made so long before it has to sign
	keyMargin  = 24 * time.Hour      // it is shown so long after it has signed for the last time; tokens live minutes
	keysFresh  = 30 * time.Second    // how long a process remembers the keys
	keyRounds  = 10                  // how often the making of a key is tried beside other processes
	keysTended = time.Hour
	// JWKSMaxAge is how long others may keep the key set: less than a new key is shown before it signs.
	JWKSMaxAge = time.Hour
)

// signingKey is a row.
type signingKey struct {
	kid                               string
	alg                               oidc.Algorithm
	generation                        int64
	sealed                            string // "" once it signs no more
	public                            oidc.PublicKey
	createdAt                         time.Time
	signsFrom, signsUntil, shownUntil time.Time
}

// keyset is what the database said of the keys at a moment, with those that sign opened.
type keyset struct {
	at    time.Time
	all   []signingKey
	signs map[string]oidc.SigningKey // by kid
}

func keyPlace(kid string) string { return "signing_keys.private_key/" + kid }

// current is the key of an algorithm that signs: the newest whose time has come.
func (k *keyset) current(alg oidc.Algorithm, now time.Time) (signingKey, bool) {
	for _, key := range slices.Backward(k.all) {
		if key.alg == alg && key.sealed != "" && !now.Before(key.signsFrom) {
			return key, true
		}
	}
	return signingKey{}, false
}

func (k *keyset) newest(alg oidc.Algorithm) (signingKey, bool) {
	for _, key := range slices.Backward(k.all) {
		if key.alg == alg {
			return key, true
		}
	}
	return signingKey{}, false
}

// loadKeys reads all keys. Private halves are opened for those that sign now; what was opened before is not opened again.
func (s *Service) loadKeys(ctx context.Context) (*keyset, error) {
	now := s.time()
	rows, err := s.db.Query(ctx, selectKeys)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	defer rows.Close()
	made := &keyset{at: now, signs: map[string]oidc.SigningKey{}}
	for rows.Next() {
		key, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
		made.all = append(made.all, key)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	before := s.keys.Load()
	for _, alg := range keyAlgorithms() {
		// The next one too: its time may come while this set is remembered.
		for _, at := range []time.Time{now, now.Add(keysFresh)} {
			if err := s.openKey(made, before, alg, at); err != nil {
				return nil, err
			}
		}
	}
	s.keys.Store(made)
	return made, nil
}

func (s *Service) openKey(into, before *keyset, alg oidc.Algorithm, at time.Time) error {
	key, ok := into.current(alg, at)
	if !ok {
		return nil
	}
	if before != nil {
		if opened, there := before.signs[key.kid]; there {
			into.signs[key.kid] = opened
			return nil
		}
	}
	clear, err := s.o.Sealer.Open(keyPlace(key.kid), key.sealed)
	if err != nil {
		return fmt.Errorf("open signing key %s: %w", key.kid, err)
	}
	opened, err := oidc.UnmarshalSigningKey(clear)
	if err != nil {
		return fmt.Errorf("open signing key %s: %w", key.kid, err)
	}
	into.signs[key.kid] = opened
	return nil
}

func scanKey(row db.Row) (k signingKey, err error) {
	var sealed *string
	var public []byte
	var created, from, until, shown int64
	if err := row.Scan(&k.kid, (*string)(&k.alg), &k.generation, &sealed, &public, &created, &from, &until, &shown); err != nil {
		return k, err
	}
	k.sealed, k.createdAt, k.signsFrom, k.signsUntil, k.shownUntil = orEmpty(sealed), db.Time(created), db.Time(from), db.Time(until), db.Time(shown)
	k.public, err = oidc.ParsePublicKey(public)
	return k, err
}

// keySet gives the keys, remembered for moments.
func (s *Service) keySet(ctx context.Context) (*keyset, error) {
	if k := s.keys.Load(); k != nil {
		if age := s.time().Sub(k.at); age >= 0 && age < keysFresh {
			return k, nil
		}
	}
	return s.loadKeys(ctx)
}

// signer gives the key that signs with an algorithm now, and makes it at first use.
func (s *Service) signer(ctx context.Context, alg oidc.Algorithm) (oidc.SigningKey, error) {
	k, err := s.keySet(ctx)
	for range keyRounds {
		if err != nil {
			return oidc.SigningKey{}, err
		}
		if key, ok := k.current(alg, s.time()); ok {
			if opened, there := k.signs[key.kid]; there {
				return opened, nil
			}
		} else if err := s.makeKey(ctx, alg, k, s.time()); err != nil {
			return oidc.SigningKey{}, err
		}
		k, err = s.loadKeys(ctx)
	}
	return oidc.SigningKey{}, fmt.Errorf("no key signs with %s", alg)
}

// makeKey adds the next key of an algorithm. That another process has made it meanwhile is no error.
func (s *Service) makeKey(ctx context.Context, alg oidc.Algorithm, k *keyset, signsFrom time.Time) error {
	var w db.Write
	if err := s.makeKeyInto(ctx, &w, alg, k, signsFrom); err != nil {
		return err
	}
	if err := s.db.Write(ctx, &w); err != nil && !overtaken(err) {
		return fmt.Errorf("store a signing key: %w", err)
	}
	return nil
}

func (s *Service) makeKeyInto(ctx context.Context, w *db.Write, alg oidc.Algorithm, k *keyset, signsFrom time.Time) error {
	now := s.time()
	key, err := oidc.NewSigningKey(alg, now)
	if err != nil {
		return err
	}
	clear, err := key.Marshal()
	if err != nil {
		return err
	}
	public, err := key.Public()
	if err != nil {
		return err
	}
	shown, err := public.Marshal()
	if err != nil {
		return fmt.Errorf("write public key %s: %w", key.KID, err)
	}
	last, _ := k.newest(alg)
	until := signsFrom.Add(keyLife)
	w.Exec(insertKey, key.KID, string(alg), last.generation+1, s.o.Sealer.Seal(keyPlace(key.KID), clear), shown, now.UnixMicro(), signsFrom.UnixMicro(),
		until.UnixMicro(), until.Add(keyMargin).UnixMicro())
	s.auditKeyInto(ctx, w, "signing_key.created", key.KID, alg)
	if last.kid != "" { // it signs until this one does, and is shown a while longer; gone meanwhile, it has another successor
		w.Guard(prolongKey, string(alg), last.generation, signsFrom.UnixMicro(), signsFrom.Add(keyMargin).UnixMicro())
	}
	return nil
}

// RotateKeys makes the next key of each algorithm, shown from now on and signing in a day. Where one is waiting already nothing happens.
func (s *Service) RotateKeys(ctx context.Context, algs ...oidc.Algorithm) error {
	return s.rewriteKeys(ctx, "rotate", func(w *db.Write, k *keyset) error {
		for _, alg := range algs {
			last, ok := k.newest(alg)
			if ok && s.time().Before(last.signsFrom) {
				continue
			}
			from := s.time().Add(keyShown)
			if !ok {
				from = s.time()
			}
			if err := s.makeKeyInto(ctx, w, alg, k, from); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplaceKeys is for keys that somebody else may have: all keys of the algorithms are forgotten, so that nothing they signed counts any
// more, and a new one of each signs at once. Clients that keep the key set refuse new tokens until they have fetched it again; processes
// other than this one sign with the old keys for 30 seconds more.
func (s *Service) ReplaceKeys(ctx context.Context, algs ...oidc.Algorithm) error {
	return s.rewriteKeys(ctx, "replace", func(w *db.Write, k *keyset) error {
		for _, alg := range algs {
			last, found := k.newest(alg)
			if found { // who deletes the newest key is the one who may follow it; else a process that has read long ago could make its successor anew
				w.Guard(deleteNewest, string(alg), last.generation)
				w.Exec(deleteKeys, string(alg), last.generation)
				s.auditKeyInto(ctx, w, "signing_key.revoked", last.kid, alg)
			}
			bare := &keyset{all: []signingKey{{alg: alg, generation: last.generation}}}
			if err := s.makeKeyInto(ctx, w, alg, bare, s.time()); err != nil {
				return err
			}
		}
		return nil
	})
}

// rewriteKeys computes a write from the keys there are and does so again where another process has made keys meanwhile.
func (s *Service) rewriteKeys(ctx context.Context, verb string, change func(*db.Write, *keyset) error) error {
	var lost error
	for range keyRounds {
		k, err := s.loadKeys(ctx)
		if err != nil {
			return err
		}
		var w db.Write
		if err := change(&w, k); err != nil {
			return err
		}
		if err = s.db.Write(ctx, &w); err == nil {
			s.keys.Store(nil)
			_, err = s.loadKeys(ctx)
			return err
		}
		lost = err
		if !overtaken(err) {
			return fmt.Errorf("%s signing keys: %w", verb, err)
		}
	}
	return fmt.Errorf("%s signing keys: other processes made keys %d times meanwhile: %w", verb, keyRounds, lost)
}

// overtaken says whether a write was lost to another process that made or deleted keys.
func overtaken(err error) bool {
	var taken *db.UniqueError
	var gone *db.GuardError
	return errors.As(err, &taken) || errors.As(err, &gone)
}

// KeyState says what a key is good for at a moment.
type KeyState string

// The states, in their order.
const (
	KeyWaiting KeyState = "waiting" // shown, and signs later
	KeySigning KeyState = "signing"
	KeyShown   KeyState = "shown" // signs no more; what it signed still counts
	KeyRetired KeyState = "retired"
)

// Key is what may be told of a signing key.
type Key struct {
	KID        string
	Algorithm  oidc.Algorithm
	State      KeyState
	CreatedAt  time.Time
	SignsFrom  time.Time
	SignsUntil time.Time // the next one takes over; later, where there is none yet
	ShownUntil time.Time
}

func (k *keyset) describe(key signingKey, now time.Time) Key {
	out := Key{key.kid, key.alg, KeyShown, key.createdAt, key.signsFrom, key.signsUntil, key.shownUntil}
	current, ok := k.current(key.alg, now)
	switch {
	case ok && current.kid == key.kid:
		out.State = KeySigning
	case now.Before(key.signsFrom):
		out.State = KeyWaiting
	case !now.Before(key.shownUntil):
		out.State = KeyRetired
	}
	return out
}

// Keys lists all signing keys there are, by algorithm and then the newest first. Those that sign are made where there is none yet.
func (s *Service) Keys(ctx context.Context) ([]Key, error) {
	if err := s.haveSigners(ctx); err != nil {
		return nil, err
	}
	k, err := s.loadKeys(ctx)
	if err != nil {
		return nil, err
	}
	now := s.time()
	out := make([]Key, len(k.all))
	for i, key := range k.all {
		out[i] = k.describe(key, now)
	}
	slices.SortStableFunc(out, func(a, b Key) int {
		return cmp.Or(strings.Compare(string(a.Algorithm), string(b.Algorithm)), b.SignsFrom.Compare(a.SignsFrom))
	})
	return out, nil
}

// Rotation says which keys are to be followed by new ones and how soon.
type Rotation struct {
	Algorithm   oidc.Algorithm // "": all
	Compromised bool           // ReplaceKeys and not RotateKeys
}

// Rotate rotates or replaces signing keys and gives those there are then, as Keys does.
func (s *Service) Rotate(ctx context.Context, r Rotation) ([]Key, error) {
	algs := keyAlgorithms()
	if r.Algorithm != "" {
		if err := checkAlgorithm(r.Algorithm); err != nil {
			return nil, err
		}
		algs = []oidc.Algorithm{r.Algorithm}
	}
	renew := s.RotateKeys
	if r.Compromised {
		renew = s.ReplaceKeys
	}
	if err := renew(ctx, algs...); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "signing keys rotated", "algorithms", algs, "compromised", r.Compromised)
	return s.Keys(ctx)
}

// keyAlgorithms are those there are keys of.
func keyAlgorithms() []oidc.Algorithm { return []oidc.Algorithm{oidc.ES256, oidc.RS256} }

func checkAlgorithm(alg oidc.Algorithm) error {
	if slices.Contains(keyAlgorithms(), alg) {
		return nil
	}
	return wrong("signing_alg", "invalid_signing_alg", "signing_alg is RS256 or ES256, not %.40q.", alg)
}

// haveSigners makes the first keys: a client that fetches the set before the first sign-in keeps it.
func (s *Service) haveSigners(ctx context.Context) error {
	for _, alg := range keyAlgorithms() {
		if _, err := s.signer(ctx, alg); err != nil {
			return err
		}
	}
	return nil
}

// TendKeys makes the next key of each algorithm in use before it is needed, and forgets private keys that sign no more.
func (s *Service) TendKeys(ctx context.Context) error {
	k, err := s.loadKeys(ctx)
	if err != nil {
		return err
	}
	now := s.time()
	for _, alg := range keyAlgorithms() {
		last, ok := k.newest(alg)
		if !ok || now.Before(last.signsUntil.Add(-keyLead)) {
			continue
		}
		from := last.signsUntil
		if shown := now.Add(keyShown); from.Before(shown) { // nobody was here in time: the old one signs for a day more
			from = shown
		}
		if err := s.makeKey(ctx, alg, k, from); err != nil {
			return err
		}
	}
	var w db.Write
	w.Exec(forgetPrivates, now.Add(-keyMargin).UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget signing keys: %w", err)
	}
	return nil
}

// JWKS is the key set document: keys that sign, will sign soon, or have signed what may still be shown. Others may keep it for JWKSMaxAge.
func (s *Service) JWKS(ctx context.Context) ([]byte, error) {
	if err := s.haveSigners(ctx); err != nil {
		return nil, err
	}
	return s.shownKeys(ctx, keyAlgorithms()...)
}

// ClientJWKS is the key set at the address of the compatible API, whose clients know RS256 only. A client id that no application has is
// NotFound.
func (s *Service) ClientJWKS(ctx context.Context, clientID string) ([]byte, error) {
	_, ok, err := s.byClientID(ctx, clientID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ApplicationNotFound(clientID)
	}
	if _, err := s.signer(ctx, oidc.RS256); err != nil {
		return nil, err
	}
	return s.shownKeys(ctx, oidc.RS256)
}

func (s *Service) shownKeys(ctx context.Context, algs ...oidc.Algorithm) ([]byte, error) {
	k, err := s.keySet(ctx)
	if err != nil {
		return nil, err
	}
	now := s.time()
	var shown []oidc.PublicKey
	for _, key := range k.all {
		current, _ := k.current(key.alg, now)
		if slices.Contains(algs, key.alg) && (now.Before(key.shownUntil) || key.kid == current.kid) {
			shown = append(shown, key.public)
		}
	}
	return oidc.PublicJWKS(shown)
}

// allKeys are the public halves of all keys there were, for hints in old tokens.
func (s *Service) allKeys(ctx context.Context) ([]oidc.PublicKey, error) {
	k, err := s.keySet(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]oidc.PublicKey, len(k.all))
	for i, key := range k.all {
		out[i] = key.public
	}
	return out, nil
}
