package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// door remembers what tokens open. Nothing is ever answered from memory without knowing that it is still true: the store
// holds an epoch that every change of a token or directory moves, and what is remembered counts only for its epoch. With
// SQLite this process makes all changes and knows the epoch. With PostgreSQL a process holds a lease (see lease.go); without a
// valid one it reads the epoch after the request arrived, in one query for all requests that wait for it at the same time.
type door struct {
	s        *Service
	local    atomic.Int64 // the epoch this process knows of: SQLite always, PostgreSQL while the lease is valid
	mu       sync.RWMutex
	epoch    int64
	accesses map[string]*Access // by the token's hash, or by organization and address
	used     sync.Map           // TokenID -> time of the last write of last_used_at

	waiting chan chan epochAnswer
	asking  atomic.Bool
	process string       // the name the lease goes by
	leased  atomic.Int64 // until when, on this process's own clock since start
	start   time.Time
}

type epochAnswer struct {
	epoch int64
	err   error
}

func (d *door) init(s *Service) {
	d.s, d.accesses = s, map[string]*Access{}
	d.waiting = make(chan chan epochAnswer, 1024)
	d.process, d.start = s.ids.NewID("process"), time.Now()
}

// errUnauthorized is one and the same for every reason, so that strangers learn nothing.
func errUnauthorized() error {
	return fault.New(fault.Unauthorized, "unauthorized", "The bearer token is not valid for this address. Copy the token again, or make a new one for this directory.")
}

// Authenticate opens the door of a directory: address is its key or label, or "" where the credential decides. That is a token of
// the directory, or an API key of its organization with the permission scim. A wrong, revoked or foreign credential and an
// unknown address are the same refusal. Where a key decides and its organization has not exactly one directory the error is
// an *UndecidedError.
func (s *Service) Authenticate(ctx context.Context, address string, secret token.Secret) (*Access, error) {
	switch {
	case secret == "":
		return nil, errUnauthorized()
	case s.o.APIKeys != nil && isAPIKey(secret):
		return s.openByKey(ctx, address, secret)
	}
	hash := string(token.HashOf(secret))
	access, err := s.door.open(ctx, hash, func(ctx context.Context) (*Access, error) { return s.door.load(ctx, hash) })
	if err != nil {
		return nil, err
	}
	if address != "" && address != access.Directory.AddressKey && address != access.Directory.Label {
		return nil, errUnauthorized()
	}
	s.door.touch(access)
	return access, nil
}

// open gives what is remembered under a name, or loads it.
func (d *door) open(ctx context.Context, name string, load func(context.Context) (*Access, error)) (*Access, error) {
	epoch, err := d.fresh(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.RLock()
	access, known := d.accesses[name]
	known = known && d.epoch == epoch
	d.mu.RUnlock()
	if known {
		return access, nil
	}
	access, err = load(ctx)
	if err != nil {
		return nil, err
	}
	d.remember(epoch, name, access)
	return access, nil
}

// remember files the access under the epoch read before it was loaded; older knowledge is dropped.
func (d *door) remember(epoch int64, name string, a *Access) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if epoch < d.epoch {
		return
	}
	if epoch > d.epoch || len(d.accesses) > 100_000 {
		d.epoch, d.accesses = epoch, map[string]*Access{}
	}
	d.accesses[name] = a
}

func (d *door) load(ctx context.Context, hash string) (*Access, error) {
	var tokenID, directoryID string
	err := d.s.db.QueryRow(ctx, selectByToken, hash).Scan(&tokenID, &directoryID)
	if errors.Is(err, db.ErrNoRows) {
		return nil, errUnauthorized()
	}
	if err != nil {
		return nil, fmt.Errorf("look up a token: %w", err)
	}
	found, err := d.s.Get(ctx, ID(directoryID))
	if fault.Is(err, fault.NotFound) {
		return nil, errUnauthorized()
	}
	if err != nil {
		return nil, err
	}
	return d.s.access(ctx, found, TokenID(tokenID))
}

// access is what an opened door gives of a directory.
func (s *Service) access(ctx context.Context, found Directory, credential TokenID) (*Access, error) {
	model, err := modelOf(found)
	if err != nil {
		return nil, err
	}
	features, err := org.FeaturesIn(ctx, s.db, org.ID(found.OrganizationID), "")
	if fault.Is(err, fault.NotFound) { // the organization is gone
		return nil, errUnauthorized()
	}
	if err != nil {
		return nil, err
	}
	mapping, err := s.mappingOf(ctx, s.db, found, model)
	if err != nil {
		return nil, err
	}
	return &Access{
		Directory: found, TokenID: credential, Model: model, Mode: scim.Mode{Strict: found.Strict}, Off: !features.On(org.DirectorySync), mapping: mapping,
	}, nil
}

// modelOf adds the directory's declared extensions to the standard schemas.
func modelOf(d Directory) (*scim.Model, error) {
	model := scim.Standard()
	user, group, err := parseExtensions(d.Extensions)
	if err != nil {
		return nil, fmt.Errorf("extensions of directory %s: %w", d.ID, err)
	}
	return model.With(user, group), nil
}

func errExtensions() *fault.Error {
	return fault.New(fault.Unprocessable, "invalid_extensions",
		`Custom schemas are given as {"user":[schema, …],"group":[schema, …]}, and there are no other kinds.`).On("extensions")
}

func parseExtensions(text []byte) (user, group []scim.Extension, err error) {
	if len(text) == 0 || string(text) == "{}" {
		return nil, nil, nil
	}
	var declared map[string][]json.RawMessage
	if err := json.Unmarshal(text, &declared); err != nil {
		return nil, nil, errExtensions().Because(err)
	}
	for kind, schemas := range declared {
		if kind != "user" && kind != "group" {
			return nil, nil, errExtensions()
		}
		for _, raw := range schemas {
			o, err := scim.ReadObject(raw, scim.DefaultLimits)
			if err != nil {
				return nil, nil, err
			}
			e, err := scim.ParseExtension(o)
			if err != nil {
				return nil, nil, err
			}
			if kind == "user" {
				user = append(user, e)
			} else {
				group = append(group, e)
			}
		}
	}
	return user, group, nil
}

// fresh is the epoch as it was at some moment after the call began.
func (d *door) fresh(ctx context.Context) (int64, error) {
	if d.s.db.Engine() == db.SQLite || d.leaseHolds() {
		return d.local.Load(), nil
	}
	answer := make(chan epochAnswer, 1)
	select {
	case d.waiting <- answer:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	go d.ask(ctx)
	select {
	case a := <-answer:
		return a.epoch, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ask reads the epoch for everybody who is waiting when a query starts; those who come later get the next one.
func (d *door) ask(ctx context.Context) {
	for len(d.waiting) > 0 && d.asking.CompareAndSwap(false, true) {
		for group := d.take(); len(group) > 0; group = d.take() {
			a := d.read(context.WithoutCancel(ctx))
			for _, waiter := range group {
				waiter <- a
			}
		}
		d.asking.Store(false) // and look once more: somebody may have queued up in between
	}
}

func (d *door) take() []chan epochAnswer {
	group := make([]chan epochAnswer, 0, 16)
	for {
		select {
		case a := <-d.waiting:
			group = append(group, a)
		default:
			return group
		}
	}
}

func (d *door) read(ctx context.Context) (a epochAnswer) {
	var text string
	if a.err = d.s.db.QueryRow(ctx, selectEpoch).Scan(&text); a.err == nil {
		a.epoch, a.err = strconv.ParseInt(text, 10, 64)
	}
	return a
}

// moved is called inside a transaction that changes what a door may remember.
func (d *door) moved(ctx context.Context, tx db.Tx) error {
	_, err := tx.Exec(ctx, bumpEpoch)
	tx.OnCommit(d.forget)
	return err
}

// Moved is called by other nouns inside a transaction that changes what a door may remember: the features of an organization. After
// the commit Await says when no process acts on the old state any more.
func (s *Service) Moved(ctx context.Context, tx db.Tx) error { return s.door.moved(ctx, tx) }

// Await returns when no process's door knows the state before the last committed change.
func (s *Service) Await(ctx context.Context) error { return s.awaitDoors(ctx) }

// forget makes this process look again. With PostgreSQL the lease ends until it is renewed with the new epoch.
func (d *door) forget() {
	if d.s.db.Engine() == db.SQLite {
		d.local.Add(1)
		return
	}
	d.leased.Store(0)
}

// touch notes that the token was used, at most once a minute and off the request's path.
func (d *door) touch(a *Access) {
	now := d.s.now()
	if last, ok := d.used.Load(a.TokenID); ok && now.Sub(last.(time.Time)) < time.Minute {
		return
	}
	d.used.Store(a.TokenID, now)
	d.s.notes.use(a.Directory.ID, a.TokenID, now)
}

// KnownAddress finds the directory of an address, to file a refused request under it.
func (s *Service) KnownAddress(ctx context.Context, address string) (Directory, bool) {
	if address == "" {
		return Directory{}, false
	}
	found, err := s.queryDirectories(ctx, selectByAddress, address)
	if err != nil || len(found) != 1 {
		return Directory{}, false
	}
	return found[0], true
}

// NoteAccepted tells that a request which writes nothing was accepted: the first one links the directory.
func (s *Service) NoteAccepted(ctx context.Context, a *Access) error {
	if a.Directory.State == Linked {
		return nil
	}
	var w db.Write
	s.link(&w, a, s.time())
	err := s.db.Write(ctx, &w)
	if guard := (*db.GuardError)(nil); err != nil && !errors.As(err, &guard) {
		return fmt.Errorf("link directory %s: %w", a.Directory.ID, err)
	}
	s.linked()
	return nil
}

// link makes an unlinked directory linked within a write: dsync.activated comes before whatever the first request changes.
func (s *Service) link(w *db.Write, a *Access, at time.Time) {
	if a.Directory.State == Linked {
		return
	}
	w.Guard(linkDirectory, string(a.Directory.ID), at.UnixMicro())
	d := a.Directory
	d.State, d.UpdatedAt = Linked, at
	w.Exec(bumpEpoch)
	s.events.Append(w, at, event.Entry{
		OrganizationID: d.OrganizationID, Type: event.DirectoryActivated, Context: systemContext(d, "", false), Data: d.eventPayload(true),
	})
}

// linked forgets what doors remember, so that the next request sees the directory's new state.
func (s *Service) linked() {
	s.door.forget()
	s.events.Nudge()
}
