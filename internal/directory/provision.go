package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Who is due is claimed by a lease, so that two processes do not look at the same person at once. What keeps them from doing the same
// twice is the number of the row: the write that applies a person deletes the row with the number that was claimed, or is undone. Any
// later change of the person has moved the number, so nothing that has been read before it is ever written after it.
const (
	provisionPoll     = time.Second      // for what other processes leave
	provisionBatch    = 100              // people of one claim
	provisionTogether = 20               // of one write: that is how long a request may wait for it, or for a processor
	togetherOnSQLite  = 10               // its only writer is everybody's
	provisionLease    = 10 * time.Second // many times what a batch takes
	provisionTries    = 8                // of one person, losing guards, before others go first
	longestDelay      = 10 * time.Minute // between two tries of a person who cannot be applied
)

// provision is the state of this process's worker.
type provision struct {
	bell                    chan struct{}
	applied, failed, oldest atomic.Int64
}

func (p *provision) init() { p.bell = make(chan struct{}, 1) }

// nudge wakes the worker; it never waits.
func (p *provision) nudge() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

// due is a person whom members have to look at, as claimed.
type due struct {
	directory    ID
	user         UserID
	organization string
	number       int64
	cause        []byte
	tries        int64
}

func (d due) key() []any { return []any{string(d.directory), string(d.user), d.number} }

// context is the cause of the events that come of it.
func (d due) context() (c event.Context) {
	if err := json.Unmarshal(d.cause, &c); err != nil { // of a later release: who acted is known in any case
		return event.Context{Actor: event.Actor{ID: string(d.directory), Source: event.System}}
	}
	return c
}

// keepProvisioning works off who is due, at once when this process makes somebody due and within a second otherwise, until ctx ends.
func (s *Service) keepProvisioning(ctx context.Context) {
	if !s.keeps() {
		return
	}
	tick := time.NewTicker(provisionPoll)
	defer tick.Stop()
	for {
		work := s.applyDue
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			work = s.Provision
			if err := s.measureDue(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("background work failed and will be tried again", "work", "look for the oldest person due", "error", err)
			}
		case <-s.provision.bell:
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("background work failed and will be tried again", "work", "apply what directories say to members", "error", err)
		}
	}
}

// Provision applies what directories say to members, until nobody is due whom no other process has claimed. Who could not be applied is
// due again later, and keeps nobody waiting. Of those who are only looked at to be sure, it takes a hundred of each directory.
func (s *Service) Provision(ctx context.Context) error {
	if !s.keeps() {
		return nil
	}
	if err := s.beginAgain(ctx); err != nil {
		return err
	}
	if err := s.applyDue(ctx); err != nil {
		return err
	}
	_, err := s.reapplySome(ctx, true)
	return err
}

// applyDue works off who is due, and passes of everybody.
func (s *Service) applyDue(ctx context.Context) error {
	for ctx.Err() == nil {
		batch, err := s.claimDue(ctx)
		if err != nil {
			return err
		}
		// What was claimed is finished, also when the process is to stop.
		s.applyAll(context.WithoutCancel(ctx), batch)
		more, err := s.reapplySome(ctx, false)
		if err != nil {
			return err
		}
		if len(batch) == 0 && !more {
			return nil
		}
	}
	return ctx.Err()
}

// claimDue takes the people who have been due longest. Without any, nothing is written.
func (s *Service) claimDue(ctx context.Context) (batch []due, err error) {
	now := s.time()
	var one int64
	err = s.db.QueryRow(ctx, anyDue, now.UnixMicro()).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			batch, err = s.claimDueTx(ctx, tx, now)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("claim who is due: %w", err)
	}
	return batch, nil
}

func (s *Service) claimDueTx(ctx context.Context, tx db.Tx, now time.Time) ([]due, error) {
	return claimed(tx.Query(ctx, fmt.Sprintf(claimDue, s.db.SkipLocked()), now.UnixMicro(), now.Add(provisionLease).UnixMicro(), provisionBatch))
}

// claimed reads who was claimed, those of an organization and a directory beside each other.
func claimed(rows db.Rows, err error) (batch []due, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d due
		if err := rows.Scan((*string)(&d.directory), (*string)(&d.user), &d.organization, &d.number, &d.cause, &d.tries); err != nil {
			return nil, err
		}
		batch = append(batch, d)
	}
	slices.SortFunc(batch, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.organization, b.organization), cmp.Compare(a.directory, b.directory), cmp.Compare(a.user, b.user))
	})
	return batch, rows.Err()
}

// applyAll applies what was claimed: some people of an organization by one write, and one by one where that is undone. On SQLite the next write is computed
// while one is on its way to the disk: of what it should have seen, its guards tell. On PostgreSQL, where requests of the organization wait for a write
// of its people, there is a pause between two.
func (s *Service) applyAll(ctx context.Context, batch []due) {
	written := func() {}
	for len(batch) > 0 {
		n := slices.IndexFunc(batch, func(d due) bool { return d.organization != batch[0].organization })
		if n < 0 {
			n = len(batch)
		}
		part := batch[:min(n, s.together())]
		batch = batch[len(part):]
		var w *db.Write
		if len(part) > 1 {
			w, _ = s.computed(ctx, part) // what is wrong is told of the person whom it is about
		}
		written()
		if written = s.writing(ctx, part, w); s.db.Engine() != db.SQLite {
			written()
			written = func() {}
		}
	}
	written()
}

// writing begins a write of several people, and gives what waits for it. Without a write, and where it is undone, they are applied one by one.
func (s *Service) writing(ctx context.Context, people []due, w *db.Write) (wait func()) {
	done := make(chan error, 1)
	if w != nil {
		go func() { done <- s.writeApplied(ctx, people, w) }()
	}
	return func() {
		if w != nil && <-done == nil {
			return
		}
		for i := range people {
			s.applyOne(ctx, people[i:i+1])
		}
	}
}

// together is how many people are applied by one write at most.
func (s *Service) together() int {
	if s.db.Engine() == db.SQLite {
		return togetherOnSQLite
	}
	return provisionTogether
}

// applyOne applies one person. What fails is put off, longer each time.
func (s *Service) applyOne(ctx context.Context, one []due) {
	err := s.applyPatiently(ctx, one)
	if err == nil {
		return
	}
	d := one[0]
	s.provision.failed.Add(1)
	delay := min(time.Second<<min(d.tries-1, 20), longestDelay)
	s.log.ErrorContext(ctx, "a directory user could not be applied to members and will be tried again",
		"directory", d.directory, "directory_user", d.user, "organization", d.organization, "in", delay.String(), "error", err)
	var w db.Write
	w.Exec(postponeDue, append(d.key(), s.time().Add(delay).UnixMicro())...)
	if err := s.db.Write(ctx, &w); err != nil { // the lease runs out
		s.log.ErrorContext(ctx, "a directory user could not be put off", "directory_user", d.user, "error", err)
	}
}

// applyPatiently decides again when something that was read has changed, unless it is the person, who is due anew then.
func (s *Service) applyPatiently(ctx context.Context, one []due) error {
	for attempt := range provisionTries {
		err := s.applyOnce(ctx, one)
		if err == nil || !undone(err) {
			return err
		}
		var still int64
		err = s.db.QueryRow(ctx, stillDue, one[0].key()...).Scan(&still)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look whether a person is still due: %w", err)
		}
		if err := again(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy()
}

// undone tells that a write was computed from what has changed since.
func undone(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}

// applyOnce reads people of one organization as they are now and applies them by one write.
func (s *Service) applyOnce(ctx context.Context, people []due) error {
	w, err := s.computed(ctx, people)
	if err != nil {
		return err
	}
	return s.writeApplied(ctx, people, w)
}

// computed is the write that applies them.
func (s *Service) computed(ctx context.Context, people []due) (*db.Write, error) {
	told, err := s.tell(ctx, people)
	if err != nil {
		return nil, err
	}
	w := &db.Write{}
	if len(people) == 1 { // several would keep requests of the organization waiting
		w.Lane = people[0].organization
	}
	doneInto(w, people)
	known, err := s.readAhead(ctx, told)
	if err != nil {
		return nil, err
	}
	for i, p := range told {
		if p == nil {
			continue
		}
		runtime.Gosched() // requests go first
		if _, err := s.members.ApplyInto(ctx, s.db, w, *p, known[i], people[i].context()); err != nil {
			return nil, fmt.Errorf("apply directory user %s: %w", p.DirectoryUserID, err)
		}
	}
	return w, nil
}

// doneInto takes them from the queue, as they were claimed: the write is lost where one of them is due anew.
func doneInto(w *db.Write, people []due) {
	for _, d := range people {
		w.Each(doneDue, d.key()...)
	}
}

func (s *Service) writeApplied(ctx context.Context, people []due, w *db.Write) error {
	if err := s.db.Write(ctx, w); err != nil {
		return err
	}
	s.provision.applied.Add(int64(len(people)))
	s.members.Nudge()
	return nil
}

// readAhead reads what is known of several people together; one is read when they are looked at.
func (s *Service) readAhead(ctx context.Context, told []*member.DirectoryPerson) ([]*member.Foreknown, error) {
	out := make([]*member.Foreknown, len(told))
	if len(told) < 2 {
		return out, nil
	}
	byDirectory := map[string][]int{}
	for i, p := range told {
		if p != nil {
			byDirectory[p.DirectoryID] = append(byDirectory[p.DirectoryID], i)
		}
	}
	for _, at := range byDirectory {
		people := make([]member.DirectoryPerson, len(at))
		for n, i := range at {
			people[n] = *told[i]
		}
		known, err := s.members.ReadAhead(ctx, s.db, people)
		if err != nil {
			return nil, err
		}
		for n, i := range at {
			out[i] = &known[n]
		}
	}
	return out, nil
}

// tell gives what the directories say of people of one organization: nil for those of a directory that says nothing, because it is gone
// or only collects.
func (s *Service) tell(ctx context.Context, people []due) ([]*member.DirectoryPerson, error) {
	t := s.teller(people[0].organization)
	out := make([]*member.DirectoryPerson, 0, len(people))
	for len(people) > 0 {
		n := slices.IndexFunc(people, func(d due) bool { return d.directory != people[0].directory })
		if n < 0 {
			n = len(people)
		}
		part, err := t.ofDirectory(ctx, people[:n])
		if err != nil {
			return nil, err
		}
		out, people = append(out, part...), people[n:]
	}
	return out, nil
}

// teller reads what is needed to speak of people of an organization, each thing once.
type teller struct {
	s        *Service
	of       string
	roles    []access.Role   // nil: not read yet
	verified map[string]bool // by domain
}

func (s *Service) teller(organizationID string) *teller {
	return &teller{s: s, of: organizationID, verified: map[string]bool{}}
}

// rolesFor are the organization's roles, for a mapping that gives any.
func (t *teller) rolesFor(ctx context.Context, m *mapped) ([]access.Role, error) {
	if !m.DrivesRoles || t.roles != nil {
		return t.roles, nil
	}
	var err error
	if t.roles, err = access.RolesIn(ctx, t.s.db, t.of); err != nil {
		return nil, fmt.Errorf("roles of %s: %w", t.of, err)
	}
	return t.roles, nil
}

func (t *teller) ofDirectory(ctx context.Context, people []due) ([]*member.DirectoryPerson, error) {
	out := make([]*member.DirectoryPerson, len(people))
	found, err := t.s.queryDirectories(ctx, selectDirectory+" AND organization_id = $1 AND id = $2", t.of, string(people[0].directory))
	if err != nil || len(found) == 0 || !found[0].Live() {
		return out, err
	}
	ids := make([]string, len(people))
	for i, d := range people {
		ids[i] = string(d.user)
	}
	args := padded(ids)
	users, err := t.s.queryUsers(ctx, selectUsersG+" AND u.id IN ("+list(2, len(args))+")", append([]any{string(found[0].ID)}, args...)...)
	if err != nil {
		return nil, err
	}
	m, err := t.s.currentMapping(ctx, found[0])
	if err != nil {
		return nil, err
	}
	told, err := t.people(ctx, found[0], m, users)
	if err != nil {
		return nil, err
	}
	for i, d := range people {
		if p, ok := told[d.user]; ok {
			out[i] = &p
			continue
		}
		p := named(found[0], d.user, member.SaysRemoved)
		if p.Held, err = t.s.saysGone(ctx, found[0], d.user); err != nil {
			return nil, err
		}
		out[i] = &p
	}
	return out, nil
}

// people says what a directory says of some of its people, who were read with their groups.
func (t *teller) people(ctx context.Context, d Directory, m *mapped, users []User) (map[UserID]member.DirectoryPerson, error) {
	roles, err := t.rolesFor(ctx, m)
	if err != nil {
		return nil, err
	}
	names, err := t.groups(ctx, d.ID, users)
	if err != nil {
		return nil, err
	}
	out := make(map[UserID]member.DirectoryPerson, len(users))
	for _, u := range users {
		p, err := t.s.person(u)
		if err != nil {
			return nil, fmt.Errorf("stored document of user %s: %w", u.ID, err)
		}
		told := m.told(d, p, placesOf(u, names), roles)
		if told.EmailVerified, err = t.verifies(ctx, told.Email); err != nil {
			return nil, err
		}
		out[u.ID] = told
	}
	return out, nil
}

// groups are the names of all groups that some of them are directly in. Inactive people count as in theirs: what they are given waits for
// their return.
func (t *teller) groups(ctx context.Context, d ID, users []User) (map[string]string, error) {
	var ids []string
	for _, u := range users {
		ids = append(ids, strings.Split(u.direct, ",")...)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	return t.s.groupNames(ctx, d, ids)
}

// placesOf are the groups of a person as mappings see them.
func placesOf(u User, names map[string]string) []access.Group {
	var out []access.Group
	for id := range strings.SplitSeq(u.direct, ",") {
		if name, ok := names[id]; ok {
			out = append(out, access.Group{ID: id, Name: name})
		}
	}
	return out
}

// verifies tells whether the organization has verified the domain of an address.
func (t *teller) verifies(ctx context.Context, email string) (bool, error) {
	if err := t.s.db.Ask(ctx, t.verifying(email)...); err != nil {
		return false, fmt.Errorf("find the organization of a domain: %w", err)
	}
	domain, _ := org.EmailDomain(email)
	return t.verified[domain], nil
}

// verifying is the question behind verifies, to be asked with others; none where the answer is known.
func (t *teller) verifying(email string) []db.Question {
	domain, ok := org.EmailDomain(email)
	if _, known := t.verified[domain]; known || !ok {
		return nil
	}
	var owner org.ID
	q := org.AskOfDomain(domain, &owner)
	read := q.Read
	q.Read = func(rows db.Rows) error {
		err := read(rows)
		if err == nil {
			t.verified[domain] = owner != "" && string(owner) == t.of
		}
		return err
	}
	return []db.Question{q}
}

// Applied is how often this process has applied a person to members.
func (s *Service) Applied() int64 { return s.provision.applied.Load() }

// NotApplied is how often a person could not be applied and was put off.
func (s *Service) NotApplied() int64 { return s.provision.failed.Load() }

// OldestDue is how long the oldest change waits that has not reached members yet, as of a moment ago.
func (s *Service) OldestDue() time.Duration {
	since := s.provision.oldest.Load()
	if since == 0 {
		return 0
	}
	return max(0, s.time().Sub(db.Time(since)))
}

func (s *Service) measureDue(ctx context.Context) error {
	var oldest *int64
	if err := s.db.QueryRow(ctx, oldestDue).Scan(&oldest); err != nil {
		return err
	}
	if oldest == nil {
		oldest = new(int64)
	}
	s.provision.oldest.Store(*oldest)
	return nil
}
