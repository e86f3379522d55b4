package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
)

// Who is who of a large switch takes seconds to find, so a process remembers it (docs/adr/0018-switching.md). A pairing is taken for the present
// one while nothing that it is made of has changed and for pairingFresh at most: what leaves no event (a refused request that suspends somebody, a
// first sign-in through the old connection) is seen by then.
const (
	pairingFresh   = time.Minute
	pairingUnseen  = 10 * time.Minute       // not looked at for so long: forgotten
	pairingOldest  = 10 * time.Minute       // older ones are not shown even while a newer one is made
	pairingQuick   = 25 * time.Millisecond  // what is made so fast is made for each look
	pairingWait    = 250 * time.Millisecond // a page waits so long for a newer one
	pairingLines   = 300_000                // remembered in all; the one looked at last stays however large it is
	pairingsAtOnce = 2                      // of different switches
	pairingRest    = 4                      // times as long as it took the last one is let be, where only the sides have changed
)

// pairings are those that a process remembers.
type pairings struct {
	mu      sync.Mutex
	known   map[pairingKey]*known
	slots   chan struct{}
	working sync.WaitGroup
	closed  bool
	running context.Context // ends with the process: a pairing outlives the request that asked for it
	stop    context.CancelFunc
}

type pairingKey struct {
	organization org.ID
	id           switching.ID
}

// known is what is remembered of one switch.
type known struct {
	last   *pairing
	err    error         // of the last one that was tried
	turns  int           // begun so far
	making chan struct{} // closed when the one that is being made is there; nil: none is
	looked time.Time
}

func newPairings() *pairings {
	running, stop := context.WithCancel(context.Background())
	return &pairings{known: map[pairingKey]*known{}, slots: make(chan struct{}, pairingsAtOnce), running: running, stop: stop}
}

// close ends what is being made, and waits for it.
func (p *pairings) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.working.Wait()
}

// look gives what is remembered of a switch, how many were begun by now, and once why the last one was not made.
func (p *pairings) look(key pairingKey, now time.Time) (last *pairing, turns int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[key]
	if k == nil {
		return nil, 0, nil
	}
	err, k.err, k.looked = k.err, nil, now
	return k.last, k.turns, err
}

// begin has a pairing made, unless one is being made already. The channel is closed when it is there, or has failed.
func (p *pairings) begin(key pairingKey, now time.Time, pair func(context.Context) (*pairing, error)) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[key]
	if k == nil {
		k = &known{}
		p.known[key] = k
	}
	k.looked = now
	switch {
	case k.making != nil:
		return k.making
	case p.closed:
		k.err = context.Canceled
		over := make(chan struct{})
		close(over)
		return over
	}
	k.turns++
	k.making = make(chan struct{})
	turn := k.turns
	p.working.Go(func() {
		p.slots <- struct{}{}
		defer func() { <-p.slots }()
		made, err := pair(p.running)
		p.keep(key, k, turn, made, err)
	})
	return k.making
}

func (p *pairings) keep(key pairingKey, k *known, turn int, made *pairing, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(k.making)
	k.making, k.err = nil, err
	if err == nil {
		made.turn, k.last = turn, made
		p.shed(key)
	}
}

// shed forgets those looked at the longest ago, while there are too many lines. That of the key stays.
func (p *pairings) shed(kept pairingKey) {
	total := 0
	var others []pairingKey
	for key, k := range p.known {
		if k.last == nil {
			continue
		}
		total += k.last.size()
		if key != kept {
			others = append(others, key)
		}
	}
	slices.SortFunc(others, func(a, b pairingKey) int { return p.known[a].looked.Compare(p.known[b].looked) })
	for _, key := range others {
		if total <= pairingLines {
			return
		}
		total -= p.known[key].last.size()
		p.known[key].last = nil
	}
}

// expire forgets what nobody has looked at for long.
func (p *pairings) expire(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, k := range p.known {
		if k.making == nil && now.Sub(k.looked) >= pairingUnseen {
			delete(p.known, key)
		}
	}
}

// forget drops what is remembered of a switch that has ended.
func (p *pairings) forget(key pairingKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.known[key]; k != nil {
		k.last = nil
	}
}

// Pairings of these are made of what these events tell of. What only the domains, the switch's own rows and the counts of the directories show is
// in the print beside them.
var pairingEvents = []event.Type{
	event.DirectoryUserCreated, event.DirectoryUserUpdated, event.DirectoryUserDeleted,
	event.DirectoryGroupCreated, event.DirectoryGroupUpdated, event.DirectoryGroupDeleted, event.DirectoryDeleted,
	event.OrganizationMembershipCreated, event.OrganizationMembershipUpdated, event.OrganizationMembershipDeleted,
	event.UserUpdated, event.UserDeleted, event.InvitationAccepted,
	event.GroupCreated, event.GroupUpdated, event.GroupDeleted, event.MappingUpdated,
}

// printOf is what a pairing would be made of now. It is taken before anything is read: what is committed between is seen twice, and nothing never.
func (s *Switches) printOf(ctx context.Context, o org.Organization, w switching.Switch) (p imprint, err error) {
	p = imprint{state: w.State, version: w.Version()}
	for _, d := range o.Domains {
		if d.State == org.Verified {
			p.domains += d.Domain + "\n"
		}
	}
	if w.Directory.There() {
		from, to := directory.ID(w.Directory.From), directory.ID(w.Directory.To)
		counts, err := s.o.Directories.CountsOf(ctx, from, to)
		if err != nil {
			return p, err
		}
		p.old, p.next = counts[from], counts[to]
	}
	found, err := s.o.Events.List(ctx, event.Query{OrganizationID: string(o.ID), Descending: true, Limit: 1})
	if err == nil && len(found) > 0 {
		p.event = found[0].ID
	}
	return p, err
}

// unchanged tells whether all that is known to have happened leaves a pairing as it is.
func (s *Switches) unchanged(ctx context.Context, o org.Organization, last *pairing, now imprint) (bool, error) {
	if last == nil || !last.print.same(now) {
		return false, nil
	}
	if last.print.event == now.event {
		return true, nil
	}
	since, err := s.o.Events.List(ctx, event.Query{OrganizationID: string(o.ID), After: last.print.event, Types: pairingEvents, Limit: 1})
	if fault.Is(err, fault.Conflict) { // it is older than events are kept
		return false, nil
	}
	return len(since) == 0, err
}

// latest gives who is who as a process last found it, and whether something has changed since. It waits for a newer one as long as it may; nil is
// that there is none yet. Who may wait for ever gets one that was begun after they asked, or to which nothing has happened.
func (s *Switches) latest(ctx context.Context, o org.Organization, w switching.Switch, wait <-chan time.Time) (last *pairing, stale bool, err error) {
	key := pairingKey{o.ID, w.ID}
	last, asked, err := s.known.look(key, s.time())
	if err != nil {
		return nil, false, err
	}
	for {
		now, err := s.printOf(ctx, o, w)
		if err != nil {
			return nil, false, err
		}
		unchanged, err := s.unchanged(ctx, o, last, now)
		if err != nil {
			return nil, false, err
		}
		remembered := unchanged && last.took >= s.o.Quick
		switch {
		case remembered && s.time().Sub(last.at) < pairingFresh:
			return last, false, nil
		case last != nil && last.turn > asked:
			return last, false, nil
		case wait != nil && s.rests(last, now):
			return s.shown(last, now), true, nil
		}
		made := s.known.begin(key, s.time(), func(ctx context.Context) (*pairing, error) { return s.pairAnew(ctx, o.ID, w.ID) })
		if known := s.shown(last, now); wait != nil && remembered && known != nil {
			return known, true, nil // it is only a minute old: not worth a wait
		}
		select {
		case <-made:
		case <-wait:
			return s.shown(last, now), true, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if last, _, err = s.known.look(key, s.time()); err != nil {
			return nil, false, err
		}
	}
}

// rests tells whether one that is not fresh any more is not made anew yet, since the last one was made a moment ago and no hand has spoken: a
// directory that is filling must not keep a processor busy because somebody looks.
func (s *Switches) rests(p *pairing, now imprint) bool {
	return p != nil && p.took >= s.o.Quick && p.print.spoken() == now.spoken() && s.time().Sub(p.at) < (1+pairingRest)*p.took
}

// shown is one that may be shown though something has changed since: not one of another state of the switch, nor one that is too old.
func (s *Switches) shown(p *pairing, now imprint) *pairing {
	if p == nil || p.print.state != now.state || s.time().Sub(p.at) >= pairingOldest {
		return nil
	}
	return p
}

// pairAnew makes one, of what is there now.
func (s *Switches) pairAnew(ctx context.Context, organizationID org.ID, id switching.ID) (*pairing, error) {
	begun, at := time.Now(), s.time()
	o, err := s.o.Organizations.Get(ctx, organizationID)
	if err != nil {
		return nil, err
	}
	w, err := switching.In(ctx, s.o.DB, organizationID, id, "")
	if err != nil {
		return nil, err
	}
	now, err := s.printOf(ctx, o, w)
	if err != nil {
		return nil, err
	}
	p, err := s.pair(ctx, o, id)
	if err != nil {
		return nil, fmt.Errorf("find who is who in identity provider switch %s: %w", id, err)
	}
	p.at, p.took, p.print = at, time.Since(begun), now
	return p, nil
}
