package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// OffboardingPrefix begins the ids of offboardings.
const OffboardingPrefix = "offboarding"

const (
	// offboardingOpen is for how long an offboarding is followed; then its receipt says what is missing.
	offboardingOpen = 24 * time.Hour
	offboardingPoll = time.Second
	// offboardingPace is how far apart two looks are at least: everything that is synchronised commits.
	offboardingPace = 25 * time.Millisecond
	// offboardingLook is how long one that nothing is heard of waits, at most, before it is looked at again.
	offboardingLook  = time.Minute
	offboardingBatch = 100
	// offboardingMoment is how far the times of the events of one transaction may lie apart.
	offboardingMoment = 5 * time.Second
)

// Offboarding is the end of one membership, and what became of it.
type Offboarding struct {
	ID             string
	OrganizationID string
	MembershipID   string
	UserID         string
	State          string // of the membership: inactive, removed
	Why            string
	Cause          event.Context
	RequestedAt    time.Time // when the identity provider's request came; zero: by hand, or not known
	EndedAt        time.Time // the moment written in the transaction
	CommittedBy    time.Time // seen to be committed, so it was no later
	Sessions       int       // that ended with it
	Events         []ToldBy
	FrozenAt       time.Time // zero: its receipt may still change
	Receipt        Receipt   // as it is now, or as it was frozen

	directoryUserID string
	waits           bool // a brake holds what follows: more events will tell of it
}

// ToldBy is an event that tells of an offboarding.
type ToldBy struct {
	ID        string     `json:"id"`
	Type      event.Type `json:"event"`
	SessionID string     `json:"session_id,omitempty"` // of session.revoked
	At        time.Time  `json:"at"`
}

// OffboardingOptions are what the service is built from.
type OffboardingOptions struct {
	DB            *db.DB
	Events        *event.Log
	IDs           *token.Source
	Organizations *org.Service
	Directories   *directory.Service
	Webhooks      *webhook.Service // nil: there are none
	Issuer        *issuer.Service
	Observe       func(seconds float64) // told of the whole span of each when it is frozen; may be nil
	Now           func() time.Time      // time.Now
	Logger        *slog.Logger          // slog.Default
}

// Offboardings follows memberships that end.
type Offboardings struct{ o OffboardingOptions }

// NewOffboardings makes the service.
func NewOffboardings(o OffboardingOptions) *Offboardings {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Observe == nil {
		o.Observe = func(float64) {}
	}
	return &Offboardings{o}
}

func (s *Offboardings) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// Run follows offboardings until ctx ends.
func (s *Offboardings) Run(ctx context.Context) {
	for ctx.Err() == nil {
		changed, looked := s.o.Events.Changed(), time.Now()
		began, err := s.Begin(ctx)
		if err == nil {
			_, err = s.Follow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.o.Logger.Error("offboardings could not be followed; it will be tried again", "error", err)
		}
		if began == offboardingBatch && err == nil {
			continue
		}
		pause(ctx, changed, offboardingPoll)
		pause(ctx, nil, offboardingPace-time.Since(looked))
	}
}

func pause(ctx context.Context, changed <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
	}
}

// due is a membership that has just ended.
type due struct {
	organizationID, membershipID, userID, directoryUserID, state, why string
	version                                                           int64
	primary                                                           bool
	endedAt                                                           time.Time
}

// Begin makes the offboardings of memberships that have ended and says how many it looked at. Of several processes one makes each.
func (s *Offboardings) Begin(ctx context.Context) (int, error) {
	found, err := s.due(ctx)
	if err != nil {
		return 0, err
	}
	for _, d := range found {
		if err := s.begin(ctx, d); err != nil {
			return 0, fmt.Errorf("begin the offboarding of %s: %w", d.membershipID, err)
		}
	}
	return len(found), nil
}

func (s *Offboardings) due(ctx context.Context) ([]due, error) {
	rows, err := s.o.DB.Query(ctx, selectDue, int64(offboardingBatch))
	if err != nil {
		return nil, fmt.Errorf("read memberships that have ended: %w", err)
	}
	defer rows.Close()
	var out []due
	for rows.Next() {
		var d due
		var person *string
		var at int64
		if err := rows.Scan(&d.organizationID, &d.membershipID, &d.version, &d.userID, &person, &d.state, &d.why, &d.primary, &at); err != nil {
			return nil, fmt.Errorf("read memberships that have ended: %w", err)
		}
		d.directoryUserID, d.endedAt = orEmpty(person), db.Time(at)
		out = append(out, d)
	}
	return out, rows.Err()
}

func (s *Offboardings) begin(ctx context.Context, d due) error {
	seen := s.time()
	cause, events, err := s.events(ctx, d)
	if err != nil {
		return err
	}
	sessions := 0
	for _, e := range events {
		if e.SessionID != "" {
			sessions++
		}
	}
	requested, err := s.requested(ctx, cause)
	if err != nil {
		return err
	}
	var w db.Write
	w.Guard(takeDue, d.organizationID, d.membershipID, d.version)
	w.Exec(insertOffboarding, s.o.IDs.NewID(OffboardingPrefix), d.organizationID, d.membershipID, d.version, d.userID, d.state, d.why, cause.JSON(),
		db.MicrosOrNull(requested), d.endedAt.UnixMicro(), sessions, encodeEvents(events), seen.UnixMicro(), seen.UnixMicro(),
		db.TextOrNull(d.directoryUserID))
	var lost *db.GuardError
	if err := s.o.DB.Write(ctx, &w); err != nil && !errors.As(err, &lost) { // another process was first
		return err
	}
	return nil
}

// events are those that tell of the end, with their one cause: of the membership, of the sessions that ended with it, of the account, and of the person
// in the directory.
func (s *Offboardings) events(ctx context.Context, d due) (cause event.Context, out []ToldBy, err error) {
	types := []event.Type{
		event.OrganizationMembershipUpdated, event.OrganizationMembershipDeleted, event.SessionRevoked,
		event.DirectoryUserUpdated, event.DirectoryUserDeleted, event.UserUpdated, "user.deactivated",
	}
	found, err := s.o.Events.AboutThen(ctx, d.organizationID, d.endedAt, offboardingMoment, types...)
	if err != nil {
		return cause, nil, err
	}
	// Events of the account are of no organization, and so are sessions that serve none: they go with the organization where the person is at home.
	if d.primary {
		none, err := s.o.Events.AboutThen(ctx, "", d.endedAt, offboardingMoment, types...)
		if err != nil {
			return cause, nil, err
		}
		found = append(found, none...)
	}
	cause, known, err := causeOf(found, d)
	if err == nil && !known && d.why == string(member.WhyHeldByBrake) { // the event of the membership waits; that of its sessions does not
		cause, known, err = s.o.Directories.CauseOfHold(ctx, d.organizationID, directory.UserID(d.directoryUserID))
	}
	if err != nil || !known {
		return cause, nil, err
	}
	for _, e := range found {
		about := aboutOf(e)
		var c event.Context
		if err := json.Unmarshal(e.Context, &c); err != nil {
			return cause, nil, fmt.Errorf("context of event %s: %w", e.ID, err)
		}
		if c.Actor.ID != cause.Actor.ID || c.ExchangeID != cause.ExchangeID || !about.concerns(e.Type, d) {
			continue
		}
		told := ToldBy{ID: e.ID, Type: e.Type, At: e.CreatedAt}
		if e.Type == event.SessionRevoked {
			told.SessionID = about.ID
		}
		out = append(out, told)
	}
	return cause, out, nil
}

// released adds the events that tell of somebody whom a brake held, once the hold has ended and they are told. Who is in again is told of by none.
func (s *Offboardings) released(ctx context.Context, f *Offboarding) error {
	if f.Why != string(member.WhyHeldByBrake) || f.directoryUserID == "" {
		return nil
	}
	is, at, err := s.o.Directories.HeldThen(ctx, f.OrganizationID, directory.UserID(f.directoryUserID), f.EndedAt, offboardingMoment)
	if err != nil {
		return err
	}
	if f.waits = is == directory.HeldWaits; is != directory.HeldApplied {
		return nil
	}
	_, told, err := s.events(ctx, due{
		organizationID: f.OrganizationID, membershipID: f.MembershipID, userID: f.UserID, directoryUserID: f.directoryUserID, primary: true, endedAt: at,
	})
	for _, e := range told {
		if !slices.ContainsFunc(f.Events, func(known ToldBy) bool { return known.ID == e.ID }) {
			f.Events = append(f.Events, e)
		}
	}
	return err
}

// causeOf is the context of the membership's event, of several in that moment the one that is nearest.
func causeOf(found []event.Event, d due) (cause event.Context, known bool, err error) {
	var nearest time.Duration
	for _, e := range found {
		if e.Type != event.OrganizationMembershipUpdated && e.Type != event.OrganizationMembershipDeleted || aboutOf(e).ID != d.membershipID {
			continue
		}
		if off := e.CreatedAt.Sub(d.endedAt).Abs(); !known || off < nearest {
			cause, nearest, known = event.Context{}, off, true
			if err := json.Unmarshal(e.Context, &cause); err != nil {
				return cause, false, fmt.Errorf("context of event %s: %w", e.ID, err)
			}
		}
	}
	return cause, known, nil
}

// subject is what a payload says of what it is about.
type subject struct {
	ID     string `json:"id"`
	UserID string `json:"user_id"`
}

func aboutOf(e event.Event) (a subject) {
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return subject{} // about nothing that has an id
	}
	return a
}

func (a subject) concerns(t event.Type, d due) bool {
	switch t {
	case event.OrganizationMembershipUpdated, event.OrganizationMembershipDeleted:
		return a.ID == d.membershipID
	case event.SessionRevoked:
		return a.UserID == d.userID
	case event.DirectoryUserUpdated, event.DirectoryUserDeleted:
		return d.directoryUserID != "" && a.ID == d.directoryUserID
	default:
		return a.ID == d.userID
	}
}

// requested is when the identity provider's request came that caused it; zero if none did or it is not known (yet).
func (s *Offboardings) requested(ctx context.Context, cause event.Context) (time.Time, error) {
	if cause.ExchangeID == "" {
		return time.Time{}, nil
	}
	at, _, err := s.o.Directories.Received(ctx, directory.ID(cause.Actor.ID), directory.ExchangeID(cause.ExchangeID))
	return at, err
}

// encodeEvents writes times to the microsecond.
func encodeEvents(events []ToldBy) []byte {
	if events == nil {
		events = []ToldBy{}
	}
	out, err := json.Marshal(events, json.Deterministic(true))
	if err != nil { // strings and times
		panic(err)
	}
	return out
}

// OffboardingQuery selects a page of an organization's offboardings. Before and After are ids.
type OffboardingQuery struct {
	OrganizationID string
	Before, After  string
	Limit          int
	Ascending      bool
}

// List gives a page and whether more follow in the direction read.
func (s *Offboardings) List(ctx context.Context, q OffboardingQuery) ([]Offboarding, bool, error) {
	if _, err := s.o.Organizations.Get(ctx, org.ID(q.OrganizationID)); err != nil {
		return nil, false, err
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	text, args := p.Statement(selectOffboarding+"organization_id = "+p.Arg(q.OrganizationID), "id")
	found, err := s.read(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	for i := range found {
		if err := s.complete(ctx, &found[i]); err != nil {
			return nil, false, err
		}
	}
	return found, more, nil
}

// Get finds one.
func (s *Offboardings) Get(ctx context.Context, id string) (Offboarding, error) {
	found, err := s.read(ctx, selectOffboarding+"id = $1", id)
	if err != nil {
		return Offboarding{}, err
	}
	if len(found) == 0 {
		return Offboarding{}, fault.New(fault.NotFound, "entity_not_found", "Offboarding not found: '%.80s'.", id)
	}
	return found[0], s.complete(ctx, &found[0])
}

// complete fills in what is not in the row while it may change.
func (s *Offboardings) complete(ctx context.Context, f *Offboarding) (err error) {
	if f.FrozenAt.IsZero() {
		f.Receipt, err = s.receipt(ctx, f)
	}
	return err
}

// Signed is an offboarding with its receipt as a JWS in compact form, which others can check by the key set (JWKS) alone. Until it is frozen another may
// say more.
func (s *Offboardings) Signed(ctx context.Context, id string) (Offboarding, string, error) {
	f, err := s.Get(ctx, id)
	if err != nil {
		return f, "", err
	}
	signed, err := s.o.Issuer.SignReceipt(ctx, f.Receipt.claims())
	return f, signed, err
}

func (s *Offboardings) read(ctx context.Context, text string, args ...any) ([]Offboarding, error) {
	rows, err := s.o.DB.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read offboardings: %w", err)
	}
	defer rows.Close()
	var out []Offboarding
	for rows.Next() {
		f, err := scanOffboarding(rows)
		if err != nil {
			return nil, fmt.Errorf("read offboardings: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func scanOffboarding(rows db.Rows) (f Offboarding, err error) {
	var cause, events, content []byte
	var requested, frozen *int64
	var ended, created int64
	var person *string
	if err := rows.Scan(&f.ID, &f.OrganizationID, &f.MembershipID, &f.UserID, &f.State, &f.Why, &cause, &requested, &ended, &f.Sessions, &events, &content,
		&created, &frozen, &person); err != nil {
		return f, err
	}
	f.directoryUserID = orEmpty(person)
	f.RequestedAt, f.EndedAt, f.CommittedBy, f.FrozenAt = db.TimeOrZero(requested), db.Time(ended), db.Time(created), db.TimeOrZero(frozen)
	err = errors.Join(json.Unmarshal(cause, &f.Cause), json.Unmarshal(events, &f.Events))
	if content != nil {
		err = errors.Join(err, json.Unmarshal(content, &f.Receipt))
	}
	if err != nil {
		return f, fmt.Errorf("offboarding %s: %w", f.ID, err)
	}
	return f, nil
}

// Follow looks at the offboardings that are due, freezes the receipts of those that are complete or a day old, and says how many it looked at.
func (s *Offboardings) Follow(ctx context.Context) (int, error) {
	found, err := s.read(ctx, selectWatched, s.time().UnixMicro(), int64(offboardingBatch))
	if err != nil {
		return 0, err
	}
	for i := range found {
		if err := s.follow(ctx, &found[i]); err != nil {
			return i, fmt.Errorf("follow offboarding %s: %w", found[i].ID, err)
		}
	}
	return len(found), nil
}

func (s *Offboardings) follow(ctx context.Context, f *Offboarding) (err error) {
	if f.RequestedAt.IsZero() {
		if f.RequestedAt, err = s.requested(ctx, f.Cause); err != nil {
			return err
		}
	}
	if f.Receipt, err = s.receipt(ctx, f); err != nil {
		return err
	}
	now := s.time()
	age := now.Sub(f.EndedAt)
	var w db.Write
	if !f.Receipt.Complete && age < offboardingOpen {
		next := now.Add(min(max(age/4, offboardingPoll), offboardingLook))
		w.Exec(watchAgain, f.OrganizationID, f.ID, next.UnixMicro(), db.MicrosOrNull(f.RequestedAt), encodeEvents(f.Events))
		return s.o.DB.Write(ctx, &w)
	}
	f.Receipt.Frozen = true
	w.Guard(freezeOffboarding, f.OrganizationID, f.ID, []byte(f.Receipt.claims()), now.UnixMicro(), db.MicrosOrNull(f.RequestedAt), encodeEvents(f.Events))
	err = s.o.DB.Write(ctx, &w)
	var lost *db.GuardError
	if errors.As(err, &lost) {
		return nil // another process was first
	}
	if err == nil {
		s.o.Observe(time.Duration(f.Receipt.SpanMS * int64(time.Millisecond)).Seconds())
	}
	return err
}

// Acknowledge keeps the app's word that it has done what an event asks of it, and has the receipts that wait for it looked at.
func (s *Offboardings) Acknowledge(ctx context.Context, actor event.Actor, eventID string) (event.Acknowledgement, error) {
	a, err := s.o.Events.AcknowledgeEvent(ctx, actor, eventID, s.time())
	if err != nil {
		return a, err
	}
	now := s.time()
	var w db.Write
	w.Exec(hastenOffboarding, a.OrganizationID, now.Add(-offboardingOpen).UnixMicro(), now.UnixMicro())
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return a, fmt.Errorf("look at the receipts that wait for %s: %w", eventID, err)
	}
	return a, nil
}

// ids are the events that tell of it.
func (f *Offboarding) ids() []string {
	out := make([]string, len(f.Events))
	for i, e := range f.Events {
		out[i] = e.ID
	}
	return out
}

// ended are the sessions that ended with it.
func (f *Offboarding) ended() (out []issuer.Ended) {
	for _, e := range f.Events {
		if e.SessionID != "" {
			out = append(out, issuer.Ended{SessionID: e.SessionID, EventID: e.ID})
		}
	}
	return slices.Clip(out)
}
