package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	endChunk  = 400 // sessions of one statement
	endRounds = 20  // how often End computes again what others have changed meanwhile
)

// living is the condition of a selection whose sessions have neither ended nor reached their end at a moment, the last of the arguments.
func (sel Selection) living(now time.Time) (condition string, args []any, err error) {
	condition, args, err = sel.where()
	args = append(args, now.UnixMicro())
	return condition + notEnded + sel.value(len(args), "BIGINT"), args, err
}

// value is an argument of the condition. Somebody's sessions are few, whoever it is: PostgreSQL is not shown the values, or it may plan the
// statement for them each time, which takes as long as ending fifty sessions does. What an organization has is for it to look at.
func (sel Selection) value(n int, kind string) string {
	if sel.UserID == "" {
		return mark(n)
	}
	return "(SELECT CAST(" + mark(n) + " AS " + kind + "))"
}

// where is the condition of a selection. A selection that names neither tenant, user nor session is a mistake of the program.
func (sel Selection) where() (string, []any, error) {
	if sel.SessionID == "" && sel.UserID == "" && sel.OrganizationID == "" {
		return "", nil, fmt.Errorf("select sessions: %+v names neither a session nor a user nor an organization", sel)
	}
	organization := "organization_id"
	if sel.UserID != "" || sel.ProfileID != "" { // they lead to few sessions, the organization to all: as an expression it has no index
		organization += " || ''"
	}
	var conditions []string
	var args []any
	for _, c := range []struct{ column, value string }{
		{"id", sel.SessionID},
		{"user_id", sel.UserID},
		{organization, sel.OrganizationID},
		{"connection_id", sel.ConnectionID},
		{"profile_id", sel.ProfileID},
		{"browser", string(sel.Browser)},
	} {
		if c.value != "" {
			args = append(args, c.value)
			conditions = append(conditions, "sessions."+c.column+" = "+sel.value(len(args), "TEXT"))
		}
	}
	if sel.Nameless {
		conditions = append(conditions, "sessions.subject_key IS NULL")
	}
	if sel.Unvouched {
		conditions = append(conditions, "sessions.connection_id IS NULL")
	}
	where := strings.Join(conditions, " AND ")
	names := sel.names()
	if len(names) == 0 {
		return where, args, nil
	}
	var now, before []string
	for _, n := range names {
		args = append(args, n.value)
		now, before = append(now, "sessions."+n.column+" = "+mark(len(args))), append(before, "session_names."+n.column+" = "+mark(len(args)))
	}
	return fmt.Sprintf(sessionsNamed, where, strings.Join(now, " AND "), strings.Join(before, " AND ")), args, nil
}

type name struct{ column, value string }

// names are those by which the provider calls sessions. One sign-in has to have all of them.
func (sel Selection) names() []name {
	return slices.DeleteFunc([]name{{"subject_key", sel.Subject}, {"idp_session", sel.IDPSession}}, func(n name) bool { return n.value == "" })
}

// alone says whether the selection means grants without a session too, and by which condition after organization_id.
func (sel Selection) alone() (condition string, args []any, ok bool) {
	if sel.OrganizationID == "" || sel.SessionID != "" || sel.UserID != "" || sel.IDPSession != "" || sel.Subject != "" || sel.Unvouched {
		return "", nil, false
	}
	args = []any{sel.OrganizationID}
	if sel.ConnectionID != "" {
		args = append(args, sel.ConnectionID)
		condition += " AND connection_id = " + mark(len(args)+1)
	}
	if sel.ProfileID != "" {
		args = append(args, sel.ProfileID)
		condition += " AND profile_id = " + mark(len(args)+1)
	}
	return condition, args, true
}

// End ends the sessions of a selection with all codes and tokens, and says how many. When it returns nobody is let in by any of them.
func (s *Service) End(ctx context.Context, sel Selection, why Ending) (int, error) {
	var err error
	for range endRounds {
		var w db.Write
		var n int
		if n, err = s.EndInto(ctx, s.db, &w, sel, why); err != nil {
			return 0, err
		}
		if err = s.db.Write(ctx, &w); err == nil {
			s.events.Nudge()
			return n, nil
		}
		if !lost(err) {
			break
		}
	}
	return 0, fmt.Errorf("end sessions: %w", err)
}

// EndInto reads the sessions of a selection from r and adds their end to a write, with the end of all their codes and tokens and one
// session.revoked each, and says how many. The write holds only if those are still all there are: on a lost guard the caller computes
// again. A guard of the caller's that those who start such sessions guard too comes before.
func (s *Service) EndInto(ctx context.Context, r db.Reader, w *db.Write, sel Selection, why Ending) (int, error) {
	found, err := s.open(ctx, r, sel, "")
	if err != nil {
		return 0, err
	}
	return len(found), s.endFoundInto(w, found, sel, why)
}

// EndAmongInto is EndInto where all sessions of a user were read before, see AskLiving: of them those end that the selection names. It may
// name that user and an organization, and nothing else.
func (s *Service) EndAmongInto(w *db.Write, living []Open, sel Selection, why Ending) error {
	if sel.UserID == "" || sel != (Selection{UserID: sel.UserID, OrganizationID: sel.OrganizationID}) {
		return fmt.Errorf("end sessions among those of a user: %+v names something else than a user and an organization", sel)
	}
	named := slices.DeleteFunc(slices.Clone(living), func(one Open) bool {
		return one.UserID != sel.UserID || sel.OrganizationID != "" && one.OrganizationID != sel.OrganizationID
	})
	return s.endFoundInto(w, named, sel, why)
}

// endFoundInto ends those that were found by a selection, if they are still all there are.
func (s *Service) endFoundInto(w *db.Write, found []Open, sel Selection, why Ending) error {
	now := s.time()
	living, args, err := sel.living(now)
	if err != nil {
		return err
	}
	w.Just(ids(found), fmt.Sprintf(endJust, mark(len(args)), mark(len(args)+1), living), append(args, string(why.Reason))...)
	_ = s.endGrants(found, now, func(text string, args ...any) error {
		w.Exec(text, args...)
		return nil
	})
	if condition, args, ok := sel.alone(); ok {
		args = append([]any{now.UnixMicro()}, args...)
		w.Exec(endCodesAlone+condition, args...)
		w.Exec(endAccessAlone+condition, args...)
	}
	if entries := revoked(found, why, now); len(entries) > 0 {
		s.events.Append(w, now, entries...)
	}
	return nil
}

// EndTx is End inside a transaction that holds what those who start such sessions guard.
func (s *Service) EndTx(ctx context.Context, tx db.Tx, sel Selection, why Ending) (int, error) {
	found, err := s.open(ctx, tx, sel, s.db.ForUpdate())
	if err != nil {
		return 0, err
	}
	now := s.time()
	if condition, args, ok := sel.alone(); ok {
		args = append([]any{now.UnixMicro()}, args...)
		for _, text := range []string{endCodesAlone, endAccessAlone} {
			if _, err := tx.Exec(ctx, text+condition, args...); err != nil {
				return 0, fmt.Errorf("end grants without a session: %w", err)
			}
		}
	}
	return len(found), s.endFoundTx(ctx, tx, found, why, now)
}

// EndPickedTx ends those sessions of a selection that pick gives back of all that there are, and says how many. Until the transaction ends
// none of them is written to.
func (s *Service) EndPickedTx(ctx context.Context, tx db.Tx, sel Selection, pick func([]Session) ([]Session, error), why Ending) (int, error) {
	found, err := s.living(ctx, tx, sel, s.db.ForUpdate())
	if err != nil {
		return 0, err
	}
	if found, err = pick(found); err != nil {
		return 0, err
	}
	picked := make([]Open, len(found))
	for i, one := range found {
		picked[i] = one.open()
	}
	return len(found), s.endFoundTx(ctx, tx, picked, why, s.time())
}

// endFoundTx ends sessions whose rows are held.
func (s *Service) endFoundTx(ctx context.Context, tx db.Tx, found []Open, why Ending, now time.Time) error {
	if len(found) == 0 {
		return nil
	}
	exec := func(text string, args ...any) error {
		_, err := tx.Exec(ctx, text, args...)
		return err
	}
	for part := range slices.Chunk(found, endChunk) {
		if err := exec(fmt.Sprintf(endSessions, s.db.Among("id", "$2")), now.UnixMicro(), db.List(ids(part)), string(why.Reason)); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
	}
	if err := s.endGrants(found, now, exec); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return s.events.AppendTx(ctx, tx, now, revoked(found, why, now)...)
}

// ShortenTx makes the living sessions of an organization live no longer than said: for Absolute from when they were begun, and for Idle
// unused. Zero fields leave them alone. None lives longer by it.
func (s *Service) ShortenTx(ctx context.Context, tx db.Tx, organizationID string, life Life) error {
	idle, absolute := int64(life.Idle/time.Second), life.Absolute.Microseconds()
	if idle == 0 {
		idle = forever.Microseconds()
	}
	if absolute == 0 {
		absolute = forever.Microseconds()
	}
	if _, err := tx.Exec(ctx, shortenSessions, organizationID, idle, absolute, s.time().UnixMicro()); err != nil {
		return fmt.Errorf("shorten the sessions of organization %s: %w", organizationID, err)
	}
	return nil
}

// forever is longer than any session.
const forever = 100 * 365 * 24 * time.Hour

func ids(sessions []Open) []string {
	out := make([]string, len(sessions))
	for i, s := range sessions {
		out[i] = s.ID
	}
	return out
}

// endGrants ends what was made of sessions whose rows are held, or ended.
func (s *Service) endGrants(found []Open, now time.Time, exec func(string, ...any) error) error {
	for part := range slices.Chunk(found, endChunk) {
		ended, list := now.UnixMicro(), db.List(ids(part))
		for _, text := range []string{endCodesOf, endRefreshOf, endAccessOf} {
			if err := exec(fmt.Sprintf(text, s.db.Among("session_id", "$2")), ended, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// EndApplicationTx takes back all codes and tokens of an application. Its sessions go on: they are the browser's.
func (s *Service) EndApplicationTx(ctx context.Context, tx db.Tx, applicationID string) error {
	for _, text := range []string{endCodesOfApplication, endRefreshOfApplication, endAccessOfApplication} {
		if _, err := tx.Exec(ctx, text, s.time().UnixMicro(), applicationID); err != nil {
			return fmt.Errorf("end the grants of application %s: %w", applicationID, err)
		}
	}
	return nil
}

// EndGrant takes back all tokens of a grant of an application, and its code if that is given. The session goes on.
func (s *Service) EndGrant(ctx context.Context, applicationID, sessionID, grantID string, code Code) error {
	now := s.time().UnixMicro()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if sessionID != "" { // a rotation that is under way holds it, and its token is there when the statements look
			if err := s.holdTx(ctx, tx, sessionID); err != nil {
				return err
			}
		}
		if code.Hash != "" {
			if _, err := tx.Exec(ctx, endCodesOfGrant, now, string(code.Hash), applicationID); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, endRefreshGrant, now, grantID, applicationID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, endAccessGrant, now, grantID, applicationID)
		return err
	})
	if err != nil {
		return fmt.Errorf("end grant %s: %w", grantID, err)
	}
	return nil
}

func (s *Service) holdTx(ctx context.Context, tx db.Tx, sessionID string) error {
	rows, err := tx.Query(ctx, holdSession+s.db.ForUpdate(), sessionID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // one at most; a session that is gone has no tokens that serve
		continue
	}
	return rows.Err()
}

// EndAccessToken takes back one access token of an application.
func (s *Service) EndAccessToken(ctx context.Context, t AccessToken) error {
	var w db.Write
	w.Exec(endAccess, s.time().UnixMicro(), string(t.Hash), t.ApplicationID)
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("end an access token: %w", err)
	}
	return nil
}
