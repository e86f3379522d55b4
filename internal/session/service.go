package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Events *event.Log
	IDs    *token.Source
	Sealer *db.Sealer
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
}

// Service holds the verbs on sessions, codes and tokens.
type Service struct {
	db     *db.DB
	events *event.Log
	ids    *token.Source
	sealer *db.Sealer
	now    func() time.Time
	log    *slog.Logger
	uses   uses
}

// NewService makes the service.
func NewService(o Options) *Service {
	s := &Service{db: o.DB, events: o.Events, ids: o.IDs, sealer: o.Sealer, now: o.Now, log: o.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.uses.init()
	s.events.Forgets(event.Forgetter{Rows: s.forget})
	return s
}

// forget takes out where a deleted account was, and what was mailed to it. Codes that nobody's account was for are gone in minutes.
func (s *Service) forget(ctx context.Context, who event.Forgotten) error {
	if who.Subject == "" {
		return nil // accounts do not go with an organization
	}
	var w db.Write
	w.Exec(forgetNames, who.OrganizationID, who.Subject)
	w.Exec(forgetSessions, who.OrganizationID, who.Subject)
	w.Exec(forgetMagics, who.Subject)
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget the sessions of %s: %w", who.Subject, err)
	}
	return nil
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// NewGrantID makes the id of a grant.
func (s *Service) NewGrantID() string { return s.ids.NewID(GrantPrefix) }

// StartInto adds a session and its session.created to a write, in which the caller has guarded that the person may come in: by a row
// that whoever takes the right away changes too. The session's id is new with each call.
func (s *Service) StartInto(w *db.Write, n New) Session {
	made, started := s.OpenInto(w, n)
	s.events.Append(w, made.CreatedAt, started)
	return made
}

// OpenInto is StartInto without the event, which it gives: the caller appends it with others of the same write.
func (s *Service) OpenInto(w *db.Write, n New) (Session, event.Entry) {
	now := s.time()
	made := n.session(s.ids.NewID(Prefix), now)
	w.Exec(insertSession, string(n.Cookie), made.ID, made.OrganizationID, made.UserID, db.TextOrNull(made.ConnectionID), db.TextOrNull(made.ProfileID),
		db.TextOrNull(made.IDPSession), string(made.Method), encode(made.AMR), db.TextOrNull(made.IP), db.TextOrNull(made.UserAgent),
		made.AuthenticatedAt.UnixMicro(), now.UnixMicro(), now.UnixMicro(), int64(made.Idle/time.Second), made.ExpiresAt.UnixMicro(), db.TextOrNull(string(made.Browser)),
		db.TextOrNull(made.Subject.Text), db.TextOrNull(made.Subject.Key))
	return made, event.Entry{
		OrganizationID: made.OrganizationID, Type: event.SessionCreated, Data: made.Payload(now),
		Context: event.Context{Actor: event.Actor{ID: made.UserID, Source: event.System}}.JSON(),
	}
}

// ContinueInto makes a session that lives go on with a new sign-in of its person, by the same way in: under a new cookie and for as long as
// a new one would live, so that applications which know it notice nothing. The write holds only while it lives. What its provider called
// it before still ends it.
func (s *Service) ContinueInto(w *db.Write, held Session, n New) Session {
	now := s.time()
	made := n.session(held.ID, now)
	made.CreatedAt = held.CreatedAt
	w.Exec(keepName, made.ID, made.Subject.Key, made.IDPSession, now.UnixMicro())
	w.Guard(continueSession, made.ID, made.OrganizationID, made.UserID, made.ConnectionID, made.ProfileID, string(n.Cookie), db.TextOrNull(made.IDPSession),
		string(made.Method), encode(made.AMR), db.TextOrNull(made.IP), db.TextOrNull(made.UserAgent), made.AuthenticatedAt.UnixMicro(), now.UnixMicro(),
		int64(made.Idle/time.Second), made.ExpiresAt.UnixMicro(), db.TextOrNull(string(made.Browser)), db.TextOrNull(made.Subject.Text), db.TextOrNull(made.Subject.Key))
	return made
}

// Continues says whether a sign-in goes on in a session, see ContinueInto.
func (n New) Continues(held Session, now time.Time) bool {
	return held.Living(now) && held.UserID == n.UserID && held.OrganizationID == n.OrganizationID && held.ConnectionID == n.ConnectionID && held.ProfileID == n.ProfileID
}

func (n New) session(id string, now time.Time) Session {
	life := DefaultLife()
	if n.Life.Idle >= time.Second {
		life.Idle = n.Life.Idle
	}
	if n.Life.Absolute >= time.Second {
		life.Absolute = n.Life.Absolute
	}
	made := Session{
		ID: id, OrganizationID: n.OrganizationID, UserID: n.UserID, ConnectionID: n.ConnectionID, ProfileID: n.ProfileID, IDPSession: n.IDPSession,
		Subject: n.Subject, Browser: n.Browser, Method: n.Method, AMR: append([]string{}, n.AMR...), IP: n.IP, UserAgent: n.UserAgent, AuthenticatedAt: n.AuthenticatedAt.UTC().Truncate(time.Microsecond),
		CreatedAt: now, SeenAt: now, Idle: life.Idle.Truncate(time.Second), ExpiresAt: now.Add(life.Absolute),
	}
	if n.AuthenticatedAt.IsZero() {
		made.AuthenticatedAt = now
	}
	if until := n.Until.UTC().Truncate(time.Microsecond); !n.Until.IsZero() && until.Before(made.ExpiresAt) {
		made.ExpiresAt = until
	}
	return made
}

// encode writes strings as JSON.
func encode(v any) []byte {
	out, err := json.Marshal(v, json.Deterministic(true))
	if err != nil { // strings, of our own making
		panic(err)
	}
	return out
}

// ByCookie finds the living session of a browser; ok is false for any other cookie, and no reason is told.
func (s *Service) ByCookie(ctx context.Context, cookie token.Secret) (_ Session, ok bool, err error) {
	if cookie == "" {
		return Session{}, false, nil
	}
	found, err := read(ctx, s.db, scan, sessionByCookie, string(token.HashOf(cookie)))
	if err != nil || len(found) == 0 || !found[0].Living(s.time()) {
		return Session{}, false, err
	}
	return found[0], true, nil
}

// InBrowser finds the sessions of a browser that have neither ended nor reached their end, whoever's they are: that of its cookie, and those
// that were begun with the same binding cookie. What a provider posts comes from another site, and without the session's cookie.
func (s *Service) InBrowser(ctx context.Context, cookie token.Secret, browser token.Hash) (found []Session, err error) {
	return found, s.db.Ask(ctx, s.AskInBrowser(cookie, browser, &found))
}

// AskInBrowser is the question behind InBrowser, to be asked with others.
func (s *Service) AskInBrowser(cookie token.Secret, browser token.Hash, into *[]Session) db.Question {
	args := []any{string(token.HashOf(cookie)), string(browser), s.time().UnixMicro()}
	return db.Question{SQL: sessionsHere, Args: args, Read: func(rows db.Rows) (err error) {
		*into, err = scanAll(rows, scan)
		return err
	}}
}

// AskLiving is the question for all sessions of a user that have neither ended nor reached their end, for EndAmongInto. The user is an
// expression of SQL, "$1" or a SELECT that finds one id, with its arguments.
func (s *Service) AskLiving(user string, args []any, into *[]Open) db.Question {
	args = append(slices.Clone(args), s.time().UnixMicro())
	return db.Question{SQL: selectOpen + "user_id = " + user + notEnded + mark(len(args)) + livingLast, Args: args, Read: func(rows db.Rows) (err error) {
		*into, err = scanAll(rows, scanOpen)
		return err
	}}
}

// Get finds a session, ended ones too. One that is not there is NotFound.
func (s *Service) Get(ctx context.Context, id string) (Session, error) {
	found, err := read(ctx, s.db, scan, sessionByID, id)
	if err != nil {
		return Session{}, err
	}
	if len(found) == 0 {
		return Session{}, fault.New(fault.NotFound, "entity_not_found", "Session not found: '%.80s'.", id)
	}
	return found[0], nil
}

// Living lists the sessions of a selection that have neither ended nor reached their end, oldest first.
func (s *Service) Living(ctx context.Context, r db.Reader, sel Selection) ([]Session, error) {
	return s.living(ctx, r, sel, "")
}

func (s *Service) living(ctx context.Context, r db.Reader, sel Selection, suffix string) ([]Session, error) {
	text, args, err := sel.living(s.time())
	if err != nil {
		return nil, err
	}
	return read(ctx, r, scan, selectSession+text+livingLast+suffix, args...)
}

// open reads the sessions of a selection that live, to end them.
func (s *Service) open(ctx context.Context, r db.Reader, sel Selection, suffix string) ([]Open, error) {
	text, args, err := sel.living(s.time())
	if err != nil {
		return nil, err
	}
	return read(ctx, r, scanOpen, selectOpen+text+livingLast+suffix, args...)
}

// Applications lists the ids of the applications that learned of a session.
func (s *Service) Applications(ctx context.Context, sessionID string) ([]string, error) {
	rows, err := s.db.Query(ctx, appsOfSession, sessionID)
	if err != nil {
		return nil, fmt.Errorf("read the applications of session %s: %w", sessionID, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read the applications of session %s: %w", sessionID, err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func read[T any](ctx context.Context, r db.Reader, scan func(db.Row) (T, error), text string, args ...any) ([]T, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	defer rows.Close()
	return scanAll(rows, scan)
}

func scanAll[T any](rows db.Rows, scan func(db.Row) (T, error)) (out []T, err error) {
	for rows.Next() {
		found, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read sessions: %w", err)
		}
		out = append(out, found)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return out, nil
}

func scan(row db.Row) (s Session, err error) {
	var connection, profile, idp, ip, agent, browser, subject, subjectKey, reason *string
	var amr []byte
	var authenticated, created, seen, idle, expires int64
	var ended *int64
	if err := row.Scan(&s.ID, &s.OrganizationID, &s.UserID, &connection, &profile, &idp, (*string)(&s.Method), &amr, &ip, &agent, &authenticated,
		&created, &seen, &idle, &expires, &browser, &subject, &subjectKey, &ended, &reason); err != nil {
		return s, err
	}
	s.ConnectionID, s.ProfileID, s.IDPSession, s.IP, s.UserAgent, s.EndReason = orEmpty(connection), orEmpty(profile), orEmpty(idp), orEmpty(ip), orEmpty(agent), Reason(orEmpty(reason))
	s.AuthenticatedAt, s.CreatedAt, s.SeenAt, s.ExpiresAt, s.EndedAt = db.Time(authenticated), db.Time(created), db.Time(seen), db.Time(expires), db.TimeOrZero(ended)
	s.Browser, s.Subject = token.Hash(orEmpty(browser)), Subject{orEmpty(subject), orEmpty(subjectKey)}
	s.Idle = time.Duration(idle) * time.Second
	if err := json.Unmarshal(amr, &s.AMR); err != nil {
		return s, fmt.Errorf("amr of session %s: %w", s.ID, err)
	}
	return s, nil
}

func scanOpen(row db.Row) (o Open, err error) {
	var ip, agent *string
	var created, expires int64
	if err := row.Scan(&o.ID, &o.OrganizationID, &o.UserID, (*string)(&o.Method), &ip, &agent, &created, &expires); err != nil {
		return o, err
	}
	o.IP, o.UserAgent, o.CreatedAt, o.ExpiresAt = orEmpty(ip), orEmpty(agent), db.Time(created), db.Time(expires)
	return o, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// touchEvery is the precision of SeenAt, and how often a session is written because of its use.
const touchEvery = time.Minute

// uses gathers when sessions were used, so that a busy session is not written for each request.
type uses struct {
	mu      sync.Mutex
	pending map[string]time.Time
}

func (u *uses) init() { u.pending = map[string]time.Time{} }

// Touch notes that a session that was just read is used. It is written within moments by Run, once a minute at most.
func (s *Service) Touch(used Session) {
	now := s.time()
	if now.Sub(used.SeenAt) < touchEvery {
		return
	}
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	s.uses.pending[used.ID] = now
}

// FlushUses writes the uses noted so far. What cannot be written is kept for the next time.
func (s *Service) FlushUses(ctx context.Context) error {
	s.uses.mu.Lock()
	taken := s.uses.pending
	s.uses.pending = map[string]time.Time{}
	s.uses.mu.Unlock()
	var w db.Write
	for id, at := range taken {
		w.Exec(touchSession, id, at.UnixMicro())
	}
	err := s.db.Write(ctx, &w)
	if err == nil {
		return nil
	}
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	for id, at := range taken {
		if at.After(s.uses.pending[id]) {
			s.uses.pending[id] = at
		}
	}
	return fmt.Errorf("write the last use of sessions: %w", err)
}

// TouchInto adds the use of a session to a write, where the last one that is stored is a minute old.
func (s *Service) TouchInto(w *db.Write, used Session) {
	if now := s.time(); now.Sub(used.SeenAt) >= touchEvery {
		w.Exec(touchSession, used.ID, now.UnixMicro())
	}
}

// GuardInto makes a write hold only if the session is living when it happens, and hold its end back until then: whoever writes codes or
// tokens of a session begins with it.
func (s *Service) GuardInto(w *db.Write, sessionID string) {
	w.GuardSelect(livingSession+s.db.ForShare(), sessionID, s.time().UnixMicro())
}

func mark(n int) string { return fmt.Sprintf("$%d", n) }

// lost says that a write has to be computed again: something changed between reading and writing.
func lost(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}
