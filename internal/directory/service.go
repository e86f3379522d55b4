package directory

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Events *event.Log
	IDs    *token.Source
	Now    func() time.Time
	Logger *slog.Logger

	// APIKeys open the directories of their organization too; nil: only tokens do.
	APIKeys APIKeys

	ExchangeRetention time.Duration // exchanges older than this are deleted; 0 keeps them for ever
	ExchangeMaxBytes  int64         // of one directory, bodies and answers together; 0 is no limit
	ScanLimit         time.Duration // how long a list may search through documents; 0 is 5 s
}

// Service holds the verbs on directories, their users, groups and exchanges.
type Service struct {
	db     *db.DB
	events *event.Log
	ids    *token.Source
	now    func() time.Time
	log    *slog.Logger
	o      Options

	door   door
	notes  notes
	tally  tally
	groups stripes
	recent recent
	parked atomic.Bool // somebody may be waiting to be resolved: the sweep looks

	members   Members // nil: the app keeps the accounts
	teams     Teams   // as members
	provision provision
}

// NewService makes the service; Run does its background work.
func NewService(o Options) *Service {
	if o.ScanLimit == 0 {
		o.ScanLimit = 5 * time.Second
	}
	s := &Service{db: o.DB, events: o.Events, ids: o.IDs, now: o.Now, log: o.Logger, o: o}
	s.door.init(s)
	s.notes.init()
	s.provision.init()
	s.groups.seed = maphash.MakeSeed()
	s.parked.Store(true)
	o.Events.Know(memberFormName, memberForm)
	o.Events.Forgets(s.forgetter())
	return s
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Run does the background work until ctx ends, then writes what is still buffered: exchanges of reads within a quarter of a second,
// the tally soon after changes, retention, and parked members that a race left behind.
func (s *Service) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for _, work := range []struct {
		every time.Duration
		do    func(context.Context) error
		name  string
	}{
		{leaseRenewal, s.keepLease, "renew the door lease"},
		{250 * time.Millisecond, s.flushNotes, "write exchanges"},
		{250 * time.Millisecond, s.foldTally, "fold the tally"},
		{5 * time.Second, s.sweepParked, "resolve parked members"},
		{alignPoll, s.align, "tell consumers who is gone"},
		{time.Second, s.KeepHolds, "end what brakes hold"},
		{5 * time.Minute, s.forgetDepartures, "forget who left long ago"},
		{5 * time.Minute, s.expire, "delete old exchanges"},
	} {
		workers.Go(func() { s.repeat(ctx, work.every, work.name, work.do) })
	}
	workers.Go(func() { s.keepProvisioning(ctx) })
	workers.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.endLease(last); err != nil {
		s.log.Warn("the door lease was not given back and will run out", "error", err)
	}
	if err := s.flushNotes(last); err != nil {
		s.log.Error("the last exchanges could not be written", "error", err)
	}
}

func (s *Service) repeat(ctx context.Context, every time.Duration, name string, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("background work failed and will be tried again", "work", name, "error", err)
		}
	}
}

// stripes are locks by group, so that writers of one process to one group queue up instead of losing guards to each other.
type stripes struct {
	seed  maphash.Seed
	locks [256]sync.Mutex
}

func (s *stripes) of(key string) *sync.Mutex {
	return &s.locks[maphash.String(s.seed, key)%uint64(len(s.locks))]
}
