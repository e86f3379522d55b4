package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

// How exactly the last use is written down: not every sign-in has to write to the same row.
const (
	touchConnectionEvery  = time.Minute
	touchCertificateEvery = time.Hour
)

// FinishInto adds what a sign-in changes to a write: the attempt is used, the assertion is used up, the profile is stored, the
// connection becomes active with its first. A lost guard or a unique violation of the write means that the world has changed since
// Receive: receive again, which then says what. The result of a test cannot be finished so: the guard of the attempt does not hold.
// before are events of the same write that come before its own: one statement for all is cheaper than several. The write asks Agreed
// before it commits, and its error may be that of Agreed.
func (s *Service) FinishInto(w *db.Write, v *Verified, end End, before ...event.Entry) error {
	if v.meeting != nil {
		return fmt.Errorf("finish attempt %s: nobody has asked for its profile", v.Attempt.ID)
	}
	now := s.moment()
	a := v.Attempt
	a.State, a.UserID, a.SessionID, a.ProfileID, a.IDPID, a.Email = Succeeded, end.UserID, end.SessionID, v.Profile.ID, v.Profile.IDPID, v.Profile.Email
	a.IP, a.UserAgent, a.Checks, a.FinishedAt = v.arrived.ip, v.arrived.userAgent, v.Checks, now
	used := s.used(a, SignIn, v, now)
	entries := []event.Entry{{OrganizationID: a.OrganizationID, Type: event.SSOSucceeded, Context: actedBy(end.UserID), Data: a.told("succeeded")}}
	w.Before = v.Agreed // while all else is done
	useInto(w, used, v)
	s.storeInto(w, v.Profile, end.UserID, v.changed, now)
	s.c.Events.Append(w, now, slices.Concat(before, s.succeedInto(w, v, now), entries)...)
	return nil
}

// actedBy: the person acted, by signing in; without an account it was the provider.
func actedBy(userID string) []byte {
	if userID == "" {
		return systemContext()
	}
	return event.Context{Actor: event.Actor{ID: userID, Source: event.System}}.JSON()
}

// used are the arguments of finishAttempt.
func (s *Service) used(a Attempt, kind Kind, v *Verified, now time.Time) []any {
	var refused, code, raw any
	if a.Refused != nil {
		refused, code = encode(a.Refused), string(a.Refused.Code)
	}
	if len(v.arrived.raw) > 0 {
		raw = s.c.Sealer.Seal(rawPlace(a.ID), v.arrived.raw)
	}
	return []any{
		a.OrganizationID, string(a.ConnectionID), string(a.ID), string(a.State), code, refused, encode(a.Checks),
		db.TextOrNull(string(a.ProfileID)), db.TextOrNull(a.UserID), db.TextOrNull(a.SessionID), db.TextOrNull(a.IDPID), db.TextOrNull(a.Email), raw,
		now.UnixMicro(), string(kind),
	}
}

// useInto uses up the attempt and what the provider sent.
func useInto(w *db.Write, used []any, v *Verified) {
	w.Guard(finishAttempt, used...)
	if v.assertion != "" {
		w.Exec(insertUsed, string(v.Attempt.ConnectionID), string(v.assertion), v.usable.UnixMicro())
	}
}

// storeInto stores the profile, if the provider said something new or it is of another account than it was.
func (s *Service) storeInto(w *db.Write, p Profile, userID string, changed bool, now time.Time) {
	switch {
	case p.version == 0:
		w.Exec(insertProfile, string(p.ID), p.OrganizationID, string(p.ConnectionID), p.IDPID, p.Email, p.EmailVerified, db.TextOrNull(p.FirstName),
			db.TextOrNull(p.LastName), db.TextOrNull(p.Name), list(p.Groups), list(p.Roles), encode(p.Custom), encode(p.Raw), p.subjectText(), db.TextOrNull(p.Subject.Value),
			db.TextOrNull(userID), now.UnixMicro())
	case changed || p.userID != userID:
		w.Guard(updateProfile, p.OrganizationID, string(p.ConnectionID), string(p.ID), p.version, p.Email, p.EmailVerified, db.TextOrNull(p.FirstName),
			db.TextOrNull(p.LastName), db.TextOrNull(p.Name), list(p.Groups), list(p.Roles), encode(p.Custom), encode(p.Raw), p.subjectText(), db.TextOrNull(p.Subject.Value),
			db.TextOrNull(userID), now.UnixMicro())
	}
}

// list is a JSON array also when it is empty.
func list(values []string) []byte {
	if values == nil {
		values = []string{}
	}
	return encode(values)
}

// succeedInto holds the connection as it was seen and notes that it works; the first success makes it active.
func (s *Service) succeedInto(w *db.Write, v *Verified, now time.Time) (entries []event.Entry) {
	c := v.Connection
	switch {
	case c.State == Validating:
		w.Guard(activateConnection, c.OrganizationID, string(c.ID), now.UnixMicro(), string(c.Switching))
		c.State, c.UpdatedAt = Active, now
		entries = append(entries, event.Entry{OrganizationID: c.OrganizationID, Type: event.ConnectionActivated, Context: systemContext(), Data: c.eventPayload(v.owner)})
	case now.Sub(c.LastSuccessAt) >= touchConnectionEvery && v.Attempt.Kind != Test:
		// Updating instead of locking: two that lock the row and then update it would wait for each other.
		w.Guard(touchConnection, c.OrganizationID, string(c.ID), now.UnixMicro(), string(c.State), string(c.Switching))
	default:
		w.GuardSelect(guardConnection+s.c.DB.ForShare(), c.OrganizationID, string(c.ID), string(c.State), string(c.Switching))
	}
	if used := v.certificate; used != nil && now.Sub(used.LastUsedAt) >= touchCertificateEvery {
		w.Exec(touchCertificate, c.OrganizationID, string(c.ID), used.Fingerprint, now.UnixMicro())
	}
	return entries
}

// testRounds bounds how often the result of a test is computed again because somebody changed the connection meanwhile.
const testRounds = 5

// FinishTest records the result of a test with further checks of the caller. It succeeded when every check passed; then the connection
// is active if it was validating. A second answer to the same test is a *Refusal "replayed".
func (s *Service) FinishTest(ctx context.Context, v *Verified, more ...Check) (Attempt, error) {
	if v.Attempt.Kind != Test {
		return Attempt{}, fmt.Errorf("finish a test: attempt %s is a sign-in", v.Attempt.ID)
	}
	if err := v.Agreed(); err != nil {
		return Attempt{}, err
	}
	for range testRounds {
		a, err := s.finishTest(ctx, v, more)
		if err == nil {
			s.c.Events.Nudge()
			return a, nil
		}
		if !lost(err) {
			return Attempt{}, fmt.Errorf("finish test %s: %w", v.Attempt.ID, err)
		}
		now, err := s.Attempt(ctx, v.Attempt.ID)
		if err != nil {
			return Attempt{}, err
		}
		if now.State != AtProvider || v.spent(s.moment()) {
			break
		}
		if v.Connection, err = s.Get(ctx, v.Connection.ID); err != nil {
			return Attempt{}, err
		}
	}
	return Attempt{}, v.Refuse(errReplayed())
}

// spent says whether the attempt has come to its end.
func (v *Verified) spent(now time.Time) bool { return !now.Before(v.Attempt.ExpiresAt) }

func lost(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}

func (s *Service) finishTest(ctx context.Context, v *Verified, more []Check) (Attempt, error) {
	now := s.moment()
	a := v.Attempt
	a.Checks = append(append([]Check{}, v.Checks...), more...)
	a.State, a.IDPID, a.Email, a.IP, a.UserAgent, a.FinishedAt = Succeeded, v.Profile.IDPID, v.Profile.Email, v.arrived.ip, v.arrived.userAgent, now
	for _, c := range a.Checks {
		if !c.Passed {
			e := explained(c.Code, v.Connection.Protocol)
			a.State, a.Refused = Failed, &Refused{Code: c.Code, Message: e.Meaning, Wanted: c.Wanted, Got: c.Got, Fixer: e.Fixer, Advice: e.Advice}
			break
		}
	}
	w := db.Write{Lane: a.OrganizationID}
	useInto(&w, s.used(a, Test, v, now), v)
	if a.State == Succeeded {
		if entries := s.succeedInto(&w, v, now); len(entries) > 0 {
			s.c.Events.Append(&w, now, entries...)
		}
	}
	return a, s.c.DB.Write(ctx, &w)
}

// Fail records a refusal and gives its attempt. One that belongs to no attempt is recorded under its connection, if it has one, and
// up to a number: then, and where there is no connection, the attempt has no id, or one that soon leads to nothing. Of what belongs
// to no attempt there is no event: a stranger could fill the log with them.
func (s *Service) Fail(ctx context.Context, r *Refusal) (Attempt, error) {
	now := s.moment()
	refused := refusedOf(r.Fault, r.Connection.Protocol)
	if r.Attempt != nil {
		a, err := s.failAttempt(ctx, r, refused, now)
		if !lost(err) {
			return a, err
		}
	}
	return s.failStray(ctx, r, refused, now)
}

func (s *Service) failAttempt(ctx context.Context, r *Refusal, refused *Refused, now time.Time) (Attempt, error) {
	a := *r.Attempt
	a.State, a.Refused, a.Checks, a.IDPID, a.Email, a.FinishedAt = Failed, refused, r.checks, r.idpID, r.email, now
	a.IP, a.UserAgent = r.arrived.ip, r.arrived.userAgent
	w := db.Write{Lane: a.OrganizationID}
	var raw any
	if len(r.arrived.raw) > 0 {
		raw = s.c.Sealer.Seal(rawPlace(a.ID), r.arrived.raw)
	}
	w.Guard(failAttempt, a.OrganizationID, string(a.ConnectionID), string(a.ID), string(Failed), string(refused.Code), encode(refused), encode(a.Checks),
		db.TextOrNull(a.IDPID), db.TextOrNull(a.Email), raw, now.UnixMicro())
	if a.Kind == SignIn {
		s.c.Events.Append(&w, now, event.Entry{OrganizationID: a.OrganizationID, Type: event.SSOFailed, Context: systemContext(), Data: a.told("failed")})
	}
	if err := s.c.DB.Write(ctx, &w); err != nil {
		if lost(err) {
			return Attempt{}, err
		}
		return Attempt{}, fmt.Errorf("record the refusal of attempt %s: %w", a.ID, err)
	}
	s.c.Events.Nudge()
	return a, nil
}

// failStray records what belongs to no attempt that could still be ended.
func (s *Service) failStray(ctx context.Context, r *Refusal, refused *Refused, now time.Time) (Attempt, error) {
	a := Attempt{
		OrganizationID: r.Connection.OrganizationID, ConnectionID: r.Connection.ID, Kind: Unasked, State: Failed, Refused: refused, Checks: r.checks,
		IDPID: r.idpID, Email: r.email, IP: r.arrived.ip, UserAgent: r.arrived.userAgent, CreatedAt: now, FinishedAt: now, ExpiresAt: now,
	}
	if r.Connection.ID == "" {
		return a, nil
	}
	if !s.strays.admit(r.Connection.ID, now) {
		s.dropped.Add(1)
		return a, nil
	}
	a.ID = AttemptID(s.c.IDs.NewID(AttemptPrefix))
	w := db.Write{Lane: a.OrganizationID}
	s.insertAttempt(&w, a, token.Hash(""), refused.Code, r.arrived.raw[:min(len(r.arrived.raw), maxRaw)])
	w.Exec(pruneUnasked, a.OrganizationID, string(a.ConnectionID), int64(strayKept))
	if err := s.c.DB.Write(ctx, &w); err != nil {
		return Attempt{}, fmt.Errorf("record a refusal at connection %s: %w", a.ConnectionID, err)
	}
	return a, nil
}
