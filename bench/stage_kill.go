package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const killWriters = 32 // per directory, all on its one group

// books of one directory: what every writer was told.
type books struct {
	d     *directory
	group string

	mu     sync.Mutex
	ledger []*entry
}

// killed lets 32 writers in each of two directories work on one group each,
// kills the server without warning, starts it again and reads everything back.
func (l *lab) killed(ctx context.Context, eng engine) error {
	s, err := l.newSide(ctx, false, eng, extras{})
	if err != nil {
		return err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return err
	}
	defer func() { _ = s.proc.stop() }() // an error was reported by what it disturbed
	var both []*books
	for _, tag := range []string{"left", "right"} {
		b, err := newBooks(ctx, l, s, tag)
		if err != nil {
			return err
		}
		both = append(both, b)
	}
	var f findings
	for range l.opt.kills {
		if err := l.loadAndKill(ctx, s, both); err != nil {
			return err
		}
		if err := s.start(ctx, &l.procs); err != nil {
			return fmt.Errorf("after kill -9: %w", err)
		}
		for _, b := range both {
			got, err := b.readBack(ctx, s)
			if err != nil {
				return fmt.Errorf("read back %s: %w", b.d.tag, err)
			}
			f.add(audit(b.ledger, got))
		}
	}
	l.record(ctx, killCell(eng, l.opt.kills, both, f, s.floor))
	return nil
}

func killCell(eng engine, kills int, both []*books, f findings, noEvents bool) cell {
	c := rowOf("kill").cell(eng, "")
	c.Now = float64(len(f.all()))
	c.Note = fmt.Sprintf("%d kills, %d and %d people acknowledged; misplaced %d, lost %d, doubled %d",
		kills, both[0].acknowledged(), both[1].acknowledged(), len(f.misplaced), len(f.lost), len(f.doubled))
	if noEvents {
		c.Note += "; the floor has no events and no tenants"
	}
	if all := f.all(); len(all) > 0 {
		c.Note += "; first: " + strings.Join(all[:min(3, len(all))], "; ")
	}
	if both[0].acknowledged() == 0 || both[1].acknowledged() == 0 {
		c.Failure = "nothing was acknowledged, so nothing was tried"
	}
	return c
}

func newBooks(ctx context.Context, l *lab, s *side, tag string) (*books, error) {
	d, err := s.newDirectory(ctx, l, tag)
	if err != nil {
		return nil, err
	}
	c := d.dial()
	defer c.close()
	group, err := d.newGroup(c, "Everybody "+tag)
	return &books{d: d, group: group}, err
}

func (b *books) acknowledged() int {
	n := 0
	for _, e := range b.ledger {
		if e.id != "" {
			n++
		}
	}
	return n
}

// loadAndKill returns when every writer has noticed the end of the server. An
// answer that refuses a writer is an error: nothing here may be refused.
func (l *lab) loadAndKill(ctx context.Context, s *side, both []*books) error {
	var killed atomic.Bool
	var wg sync.WaitGroup
	refusals := make(chan error, 2*killWriters)
	for _, b := range both {
		for range killWriters {
			wg.Go(func() {
				if err := b.work(&killed); err != nil {
					refusals <- err
				}
			})
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(l.opt.killAfter):
	}
	killed.Store(true)
	err := s.proc.kill()
	wg.Wait()
	close(refusals)
	for refusal := range refusals {
		err = errors.Join(err, refusal)
	}
	return errors.Join(err, ctx.Err())
}

// work brings in one person after the other until the connection breaks. An
// error before the kill is the server's fault and returned.
func (b *books) work(killed *atomic.Bool) error {
	c := b.d.dial()
	defer c.close()
	for {
		if err := b.onePerson(c); err != nil {
			if killed.Load() && isConnectionError(err) {
				return nil
			}
			return err
		}
	}
}

// onePerson creates, adds to the group, deactivates every third and removes
// every fourth from the group. Before each request the book says that it is in
// doubt, after its answer that it is done.
func (b *books) onePerson(c *conn) error {
	seq := b.d.nextSeq()
	e := &entry{name: userName(b.d.tag, seq), idpID: externalID(b.d.tag, seq), active: true, doubt: doubtCreate}
	b.mu.Lock()
	b.ledger = append(b.ledger, e)
	b.mu.Unlock()
	id, _, err := b.d.create(c, nil, seq)
	if err != nil {
		return err
	}
	e.id, e.doubt = id, doubtJoin
	if err := b.d.patchGroup(c, "add a member", b.group, appendAddMembers(nil, id)); err != nil {
		return err
	}
	e.member, e.doubt = true, certain
	if seq%3 == 0 {
		e.doubt = doubtDeactivate
		if err := b.deactivate(c, id); err != nil {
			return err
		}
		e.active, e.doubt = false, certain
	}
	if seq%4 == 0 {
		e.doubt = doubtLeave
		if err := b.d.patchGroup(c, "remove a member", b.group, appendRemoveMember(nil, id)); err != nil {
			return err
		}
		e.member, e.doubt = false, certain
	}
	return nil
}

func (b *books) deactivate(c *conn, id string) error {
	status, doc, err := c.do("PATCH", b.d.base+"/Users/"+id, appendSetActive(nil, false))
	if err != nil {
		return err
	}
	return changed("deactivate", status, doc, id)
}

// isConnectionError tells a broken connection from an answer that refuses.
func isConnectionError(err error) bool {
	var broken *brokenError
	return errors.As(err, &broken)
}

func (b *books) readBack(ctx context.Context, s *side) (readBack, error) {
	var got readBack
	var err error
	if got.people, err = b.list(ctx); err != nil {
		return got, err
	}
	c := b.d.dial()
	defer c.close()
	if got.members, err = b.d.members(c, b.group); err != nil || s.floor {
		return got, err
	}
	if got.events, err = s.createdEvents(ctx, b.d.organization); err != nil {
		return got, err
	}
	if got.events == nil {
		got.events = []event{} // none is a finding, not a server without events
	}
	return got, nil
}

// list reads the whole directory page by page.
func (b *books) list(ctx context.Context) ([]listedPerson, error) {
	const count = 1000
	c := b.d.dial()
	defer c.close()
	var all []listedPerson
	for start := 1; ctx.Err() == nil; {
		status, doc, err := c.do("GET", b.d.base+pagePath(start, count), nil)
		if err != nil {
			return nil, err
		}
		if err := answered("list", 200, status, doc); err != nil {
			return nil, err
		}
		var page listPage
		if err := json.Unmarshal(doc, &page); err != nil {
			return nil, fmt.Errorf("list is not JSON: %w", err)
		}
		for _, p := range page.Resources {
			// The floor knows no directories; there only names tell them apart.
			if b.d.base != "" || strings.Contains(p.UserName, "."+b.d.tag+"@") {
				all = append(all, p)
			}
		}
		start += len(page.Resources)
		switch {
		case start > page.Total:
			return all, nil
		case len(page.Resources) == 0:
			return nil, fmt.Errorf("list ends at %d of %d people", start-1, page.Total)
		}
	}
	return nil, ctx.Err()
}
