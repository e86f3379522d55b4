package org

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Resolver reads TXT records. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// SetResolver takes another resolver than the system's. It is called while the services are built.
func (s *Service) SetResolver(r Resolver) { s.dns = r }

const (
	lookupTimeout = 5 * time.Second // of one question
	maxRecords    = 100             // TXT records of one name that are looked at

	firstDelay    = 30 * time.Second
	longestDelay  = 24 * time.Hour
	waitForProof  = 30 * 24 * time.Hour
	waitForAnswer = 37 * 24 * time.Hour // longer, for it may be we who cannot reach the DNS

	claimed   = 2 * time.Minute // longer than the questions about a domain take
	batch     = 16              // domains that are looked at at once
	dueEvery  = 10 * time.Second
	usesEvery = time.Second
)

// Record is a TXT record that proves a domain.
type Record struct{ Name, Value string }

// Records are the TXT records that prove the domain; one of them is enough. The first is at the domain itself; the other is for
// domains whose own name cannot have one, and it is left out where its name would be too long for DNS.
func (d Domain) Records() []Record {
	out := []Record{{d.Domain, verificationPrefix + "=" + d.VerificationToken}}
	if name := "_" + verificationPrefix + "." + d.Domain; len(name) <= maxDNSName {
		out = append(out, Record{name, d.VerificationToken})
	}
	return out
}

// proof is what the DNS said of a domain.
type proof int

const (
	unproven   proof = iota
	unanswered       // nobody could say
	proven
)

// look asks the DNS for the records of a domain. Names end with a dot, so that no search domain of this machine is tried.
func look(ctx context.Context, dns Resolver, d Domain) proof {
	result := unproven
	for _, wanted := range d.Records() {
		texts, err := lookup(ctx, dns, wanted.Name+".")
		var missing *net.DNSError
		switch {
		case err == nil && holds(texts, wanted.Value):
			return proven
		case err != nil && (!errors.As(err, &missing) || !missing.IsNotFound):
			result = unanswered
		}
	}
	return result
}

func lookup(ctx context.Context, dns Resolver, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return dns.LookupTXT(ctx, name)
}

// holds takes a value with blanks or quotes around it: forms of DNS providers add them.
func holds(texts []string, wanted string) bool {
	for _, text := range texts[:min(len(texts), maxRecords)] {
		if strings.Trim(text, " \t\"") == wanted {
			return true
		}
	}
	return false
}

// delay is how long after a look in vain the next one is due, by how long the proof has been waited for: half of that.
func delay(waited time.Duration) time.Duration {
	return min(max(waited/2, firstDelay), longestDelay)
}

// CheckDomains looks once at every pending domain that is due. Replicas may do so at the same time.
func (s *Service) CheckDomains(ctx context.Context) error {
	for {
		due, err := s.claimDue(ctx)
		if err != nil {
			return fmt.Errorf("claim domains to look at: %w", err)
		}
		failures := make([]error, len(due))
		var looking sync.WaitGroup
		for i, d := range due {
			looking.Go(func() { failures[i] = s.recheck(ctx, d) })
		}
		looking.Wait()
		if err := errors.Join(failures...); err != nil || len(due) < batch {
			return err
		}
	}
}

// claimDue puts the domains off that it gives: should this process end, they are due again soon.
func (s *Service) claimDue(ctx context.Context) (due []Domain, err error) {
	now := s.time()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if due, err = readDue(ctx, tx, selectDue+s.db.SkipLocked(), now.UnixMicro()); err != nil {
			return err
		}
		for _, d := range due {
			if _, err := tx.Exec(ctx, putOff, string(d.OrganizationID), d.ID, now.Add(claimed).UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

func readDue(ctx context.Context, r db.Reader, text string, now int64) ([]Domain, error) {
	rows, err := r.Query(ctx, text, now, batch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Domain
	for rows.Next() {
		d, err := scanDomain(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// verifier is who acts when nobody does.
func verifier() event.Actor { return event.Actor{ID: "domain_verification", Source: event.System} }

func (s *Service) recheck(ctx context.Context, d Domain) error {
	found := look(ctx, s.dns, d)
	if ctx.Err() != nil {
		return ctx.Err() // it is due again
	}
	_, err := s.changeDomain(ctx, verifier(), d.ID, func(d *Domain, now time.Time) (event.Type, error) { return d.learn(found, now), nil })
	if f, ok := fault.As(err); ok && f.Kind == fault.Conflict {
		err = s.lost(ctx, d)
	}
	if fault.Is(err, fault.NotFound) { // deleted while it was looked at
		return nil
	}
	return err
}

// learn changes a domain by what the DNS said and names the event, "" if there is none.
func (d *Domain) learn(found proof, now time.Time) event.Type {
	if d.State != Pending { // decided while it was looked at
		return ""
	}
	if d.pendingSince.IsZero() {
		d.pendingSince = now
	}
	waited := now.Sub(d.pendingSince)
	switch {
	case found == proven:
		d.verify(DNS)
		return event.OrganizationDomainVerified
	case found == unproven && waited >= waitForProof || waited >= waitForAnswer:
		d.fail()
		return event.OrganizationDomainVerificationFailed
	default:
		d.checkAt = now.Add(delay(waited))
		return ""
	}
}

// lost ends the proof of a domain that was verified for another organization in the meantime.
func (s *Service) lost(ctx context.Context, d Domain) error {
	_, err := s.changeDomain(ctx, verifier(), d.ID, func(d *Domain, _ time.Time) (event.Type, error) {
		if d.State != Pending {
			return "", nil
		}
		d.fail()
		d.lost = true
		return event.OrganizationDomainVerificationFailed, nil
	})
	return err
}

// Run does the background work until ctx ends: it looks for the proof of pending domains and writes the last use of API keys, at the
// end what is noted still. What fails is told and tried again.
func (s *Service) Run(ctx context.Context, failed func(work string, err error)) {
	var workers sync.WaitGroup
	workers.Go(func() {
		repeat(ctx, dueEvery, func() error { return s.CheckDomains(ctx) }, func(err error) { failed("verify domains", err) })
	})
	workers.Go(func() {
		repeat(ctx, usesEvery, func() error { return s.FlushUses(ctx) }, func(err error) { failed("write the last use of API keys", err) })
	})
	workers.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.FlushUses(last); err != nil {
		failed("write the last use of API keys", err)
	}
}

func repeat(ctx context.Context, every time.Duration, do func() error, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}
