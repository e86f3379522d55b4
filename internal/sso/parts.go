package sso

import (
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"
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

// signInBy is ByKey for a sign-in: the certificates come parsed, and from memory where they are the same.
func (s *Service) signInBy(ctx context.Context, key string) (Connection, error) {
	found, err := bare(ctx, s.c.DB, selectConnection+" AND key = $1", key)
	if err != nil {
		return Connection{}, err
	}
	if len(found) == 0 {
		return Connection{}, NotFound(key)
	}
	c, now := found[0], s.moment()
	p, ok := s.parts.get(c, now)
	if !ok {
		if err := complete(ctx, s.c.DB, found); err != nil {
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
