package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// signInTx makes a session.
func (s *Service) signInTx(ctx context.Context, tx db.Tx, at time.Time, o Operator, how Method, from Visitor) (SignedIn, error) {
	in := SignedIn{Operator: o, Cookie: token.NewSecret(cookiePrefix), Session: Session{
		ID: s.o.IDs.NewID(sessionPrefix), OperatorID: o.ID, Method: how, IP: from.IP, UserAgent: from.UserAgent,
		CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(SessionLife),
	}}
	if _, err := tx.Exec(ctx, insertSession, string(token.HashOf(in.Cookie)), in.Session.ID, string(o.ID), string(how), from.IP, from.UserAgent,
		at.UnixMicro(), in.Session.ExpiresAt.UnixMicro()); err != nil {
		return in, err
	}
	if _, err := tx.Exec(ctx, noteSignIn, string(o.ID), at.UnixMicro()); err != nil {
		return in, err
	}
	in.Operator.LastSignInAt = at
	return in, s.audit(ctx, tx, at, o.Actor(), "operator_session.created", in.Session.ID, nil, event.Settings{"method": string(how), "ip": from.IP})
}

// touchEvery is how exactly the last use of a session is known.
const touchEvery = time.Minute

// Authenticate finds the session that a cookie is for; false for one that is wrong, ended, unused for SessionIdle or older than SessionLife, all alike.
func (s *Service) Authenticate(ctx context.Context, cookie token.Secret) (o Operator, session Session, ok bool, err error) {
	if !token.WellFormed(cookie, cookiePrefix) {
		return o, session, false, nil
	}
	at := s.now()
	var created, seen, expires, born int64
	var last *int64
	err = s.o.DB.QueryRow(ctx, sessionByCookie, string(token.HashOf(cookie)), at.UnixMicro(), at.Add(-SessionIdle).UnixMicro()).Scan(
		&session.ID, &session.OperatorID, &session.Method, &session.IP, &session.UserAgent, &created, &seen, &expires, &o.Email, &o.Name, &o.Role, &born, &last)
	if errors.Is(err, db.ErrNoRows) {
		return o, session, false, nil
	}
	if err != nil {
		return o, session, false, fmt.Errorf("look up a session of an operator: %w", err)
	}
	o.ID, o.CreatedAt, o.LastSignInAt = session.OperatorID, db.Time(born), db.TimeOrZero(last)
	session.CreatedAt, session.SeenAt, session.ExpiresAt = db.Time(created), db.Time(seen), db.Time(expires)
	return o, session, true, s.touch(ctx, &session, at)
}

// touch notes the use.
func (s *Service) touch(ctx context.Context, session *Session, at time.Time) error {
	if at.Sub(session.SeenAt) < touchEvery {
		return nil
	}
	var w db.Write
	w.Exec(touchSession, session.ID, at.UnixMicro())
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return fmt.Errorf("note the use of a session of an operator: %w", err)
	}
	session.SeenAt = at
	return nil
}

// Sessions are those of an operator that are open, the newest first.
func (s *Service) Sessions(ctx context.Context, id ID) ([]Session, error) {
	at := s.now()
	rows, err := s.o.DB.Query(ctx, listSessions, string(id), at.UnixMicro(), at.Add(-SessionIdle).UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("list sessions of operator %s: %w", id, err)
	}
	defer rows.Close()
	var out []Session
	for rows.Next() {
		var one Session
		var created, seen, expires int64
		if err := rows.Scan(&one.ID, &one.OperatorID, &one.Method, &one.IP, &one.UserAgent, &created, &seen, &expires); err != nil {
			return nil, fmt.Errorf("list sessions of operator %s: %w", id, err)
		}
		one.CreatedAt, one.SeenAt, one.ExpiresAt = db.Time(created), db.Time(seen), db.Time(expires)
		out = append(out, one)
	}
	return out, rows.Err()
}

// EndSession ends one session of an operator; one that has ended or is somebody else's is NotFound.
func (s *Service) EndSession(ctx context.Context, id ID, session string) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		ended, err := tx.Exec(ctx, endSession, string(id), session, at.UnixMicro())
		if err != nil {
			return err
		}
		if ended == 0 {
			return fault.New(fault.NotFound, "entity_not_found", "This session has ended already.")
		}
		return s.audit(ctx, tx, at, event.Asking(ctx), "operator_session.revoked", session, event.Settings{"operator_id": string(id)}, nil)
	})
	if err != nil {
		return fmt.Errorf("end a session of operator %s: %w", id, err)
	}
	return nil
}

// EndOtherSessions ends all sessions of an operator but one.
func (s *Service) EndOtherSessions(ctx context.Context, id ID, keep string) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		ended, err := tx.Exec(ctx, endOthers, string(id), keep, at.UnixMicro())
		if err != nil || ended == 0 {
			return err
		}
		return s.audit(ctx, tx, at, event.Asking(ctx), "operator_session.revoked", string(id), event.Settings{"sessions": ended}, nil)
	})
	if err != nil {
		return fmt.Errorf("end other sessions of operator %s: %w", id, err)
	}
	return nil
}
