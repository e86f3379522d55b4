package sso

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Of what is kept of connections between sign-ins.
const (
	maxParts  = 512
	partsLife = time.Minute // when a certificate was used last is not part of the version
)

// parts are what a connection has in other tables, as of a version of it: every change of them changes that.
type parts struct {
	version      int64
	at           time.Time
	certificates []Certificate
	paths        []string
	parsed       map[string]*x509.Certificate // by fingerprint; never changed
}

// keptParts keeps the parts of connections that people sign in through. The connection itself is read each time and says whether they
// are still those.
type keptParts struct {
	mu sync.Mutex
	of map[ID]parts
}

func (k *keptParts) get(c Connection, now time.Time) (parts, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.of[c.ID]
	return p, ok && p.version == c.version && now.Sub(p.at) < partsLife && !now.Before(p.at)
}

// put makes room by forgetting some other connection, whichever comes first.
func (k *keptParts) put(id ID, p parts) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, there := k.of[id]; !there && len(k.of) >= maxParts {
		for other := range k.of {
			delete(k.of, other)
			break
		}
	}
	k.of[id] = p
}

// address is what an answer came to: the connection, its organization, and the attempt that the answer seems to belong to.
type address struct {
	c       Connection
	claimed AttemptID
	owner   owned
	ahead   *ahead
}

// signInBy is ByKey for a sign-in: the certificates come parsed, and from memory where they are the same. It asks for what else a sign-in
// needs in the same breath: a round trip to the database costs more than what it brings.
func (s *Service) signInBy(ctx context.Context, key, request string, browser token.Hash) (at address, err error) {
	var found []Connection
	var whole org.Whole
	questions := []db.Question{
		{SQL: selectConnection + " AND key = $1", Args: []any{key}, Read: func(rows db.Rows) (err error) {
			found, err = readBare(rows)
			return err
		}},
		org.AskWhole(ownerByKey, []any{key}, &whole),
	}
	if at.ahead = newAhead(request, browser); at.ahead != nil {
		questions = append(questions, at.ahead.question())
	}
	if err := s.c.DB.Ask(ctx, questions...); err != nil {
		return at, fmt.Errorf("read the connection of a response: %w", err)
	}
	if len(found) == 0 {
		return at, NotFound(key)
	}
	at.owner = owned{by: whole.Organization, refused: shut(whole)}
	at.c, err = s.withParts(ctx, found)
	return at, err
}

// withParts completes one connection.
func (s *Service) withParts(ctx context.Context, found []Connection) (Connection, error) {
	c, now := found[0], s.moment()
	p, ok := s.parts.get(c, now)
	if !ok {
		err := complete(ctx, s.c.DB, found)
		if err != nil {
			return Connection{}, err
		}
		p = parts{version: c.version, at: now, certificates: found[0].Certificates, paths: found[0].Paths, parsed: map[string]*x509.Certificate{}}
		for _, one := range p.certificates {
			if p.parsed[one.Fingerprint], err = one.x509Of(); err != nil {
				return Connection{}, err
			}
		}
		s.parts.put(c.ID, p)
	}
	// Their owner may change what it got.
	c.Certificates, c.Paths, c.parsed = slices.Clone(p.certificates), slices.Clone(p.paths), p.parsed
	return c, nil
}
