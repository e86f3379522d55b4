package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// CodeInto adds a code to a write, and notes that its application learned of the session. The session is one that the same write starts,
// or one that it guards.
func (s *Service) CodeInto(w *db.Write, c Code) {
	w.Exec(insertCode, string(c.Hash), c.ApplicationID, c.OrganizationID, db.TextOrNull(c.SessionID), db.TextOrNull(c.UserID), db.TextOrNull(c.ProfileID),
		db.TextOrNull(c.ConnectionID), c.RedirectURI, db.TextOrNull(c.Challenge), db.TextOrNull(c.Nonce), c.Scope, string(c.Style), c.GrantID,
		encode(append([]string{}, c.AMR...)), c.AuthenticatedAt.UnixMicro(), db.MicrosOrNull(c.Until),
		c.CreatedAt.UnixMicro(), c.ExpiresAt.UnixMicro())
	if c.SessionID != "" {
		w.Exec(insertAppSession, c.SessionID, c.ApplicationID, c.CreatedAt.UnixMicro())
	}
}

// Code finds a code of an application, used and expired ones too; ok is false when there is none.
func (s *Service) Code(ctx context.Context, applicationID string, code token.Secret) (c Code, ok bool, err error) {
	var session, user, profile, connection, challenge, nonce *string
	var amr []byte
	var authenticated, created, expires int64
	var until, used, ended *int64
	err = s.db.QueryRow(ctx, selectCode, string(token.HashOf(code)), applicationID).Scan((*string)(&c.Hash), &c.ApplicationID, &c.OrganizationID,
		&session, &user, &profile, &connection, &c.RedirectURI, &challenge, &nonce, &c.Scope, (*string)(&c.Style), &c.GrantID, &amr, &authenticated,
		&until, &created, &expires, &used, &ended)
	if errors.Is(err, db.ErrNoRows) {
		return Code{}, false, nil
	}
	if err != nil {
		return Code{}, false, fmt.Errorf("read a code: %w", err)
	}
	c.SessionID, c.UserID, c.ProfileID, c.ConnectionID = orEmpty(session), orEmpty(user), orEmpty(profile), orEmpty(connection)
	c.Challenge, c.Nonce = orEmpty(challenge), orEmpty(nonce)
	c.AuthenticatedAt, c.CreatedAt, c.ExpiresAt = db.Time(authenticated), db.Time(created), db.Time(expires)
	c.Until, c.UsedAt, c.EndedAt = db.TimeOrZero(until), db.TimeOrZero(used), db.TimeOrZero(ended)
	if err := json.Unmarshal(amr, &c.AMR); err != nil {
		return Code{}, false, fmt.Errorf("amr of a code: %w", err)
	}
	return c, true, nil
}

// RedeemInto makes a write hold only if it is the one that redeems the code: for its application, redirect URI and style, unused, in
// its time, and with its session living.
func (s *Service) RedeemInto(w *db.Write, c Code) {
	if c.SessionID != "" {
		s.GuardInto(w, c.SessionID)
	}
	w.Guard(useCode, s.time().UnixMicro(), string(c.Hash), c.ApplicationID, c.RedirectURI, string(c.Style))
}

// AccessInto adds an access token to a write that redeems the code or the refresh token it comes of.
func (s *Service) AccessInto(w *db.Write, t AccessToken) {
	w.Exec(insertAccess, string(t.Hash), t.GrantID, t.ApplicationID, t.OrganizationID, db.TextOrNull(t.SessionID), db.TextOrNull(t.UserID),
		db.TextOrNull(t.ProfileID), db.TextOrNull(t.ConnectionID), string(t.Style), t.Scope, t.CreatedAt.UnixMicro(), t.ExpiresAt.UnixMicro())
}

// AccessToken finds a living access token; ok is false for anything else.
func (s *Service) AccessToken(ctx context.Context, bearer token.Secret) (t AccessToken, ok bool, err error) {
	var session, user, profile, connection *string
	var created, expires int64
	err = s.db.QueryRow(ctx, selectAccess, string(token.HashOf(bearer)), s.time().UnixMicro()).Scan((*string)(&t.Hash), &t.GrantID, &t.ApplicationID,
		&t.OrganizationID, &session, &user, &profile, &connection, (*string)(&t.Style), &t.Scope, &created, &expires)
	if errors.Is(err, db.ErrNoRows) {
		return AccessToken{}, false, nil
	}
	if err != nil {
		return AccessToken{}, false, fmt.Errorf("read an access token: %w", err)
	}
	t.SessionID, t.UserID, t.ProfileID, t.ConnectionID = orEmpty(session), orEmpty(user), orEmpty(profile), orEmpty(connection)
	t.CreatedAt, t.ExpiresAt = db.Time(created), db.Time(expires)
	return t, true, nil
}

// RefreshInto adds a refresh token to a write that redeems the code or the refresh token it comes of.
func (s *Service) RefreshInto(w *db.Write, t RefreshToken) {
	w.Exec(insertRefresh, string(t.Hash), t.GrantID, t.ApplicationID, t.OrganizationID, t.SessionID, t.UserID, db.TextOrNull(t.ProfileID), t.Scope,
		db.TextOrNull(t.Nonce), t.AuthenticatedAt.UnixMicro(), t.CreatedAt.UnixMicro(), t.ExpiresAt.UnixMicro())
}

// RefreshToken finds a refresh token of an application, used, expired and revoked ones too; ok is false when there is none.
func (s *Service) RefreshToken(ctx context.Context, applicationID string, secret token.Secret) (t RefreshToken, ok bool, err error) {
	var profile, nonce *string
	var authenticated, created, expires int64
	var used, revoked *int64
	err = s.db.QueryRow(ctx, selectRefresh, string(token.HashOf(secret)), applicationID).Scan((*string)(&t.Hash), &t.GrantID, &t.ApplicationID,
		&t.OrganizationID, &t.SessionID, &t.UserID, &profile, &t.Scope, &nonce, &authenticated, &created, &expires, &used, &revoked)
	if errors.Is(err, db.ErrNoRows) {
		return RefreshToken{}, false, nil
	}
	if err != nil {
		return RefreshToken{}, false, fmt.Errorf("read a refresh token: %w", err)
	}
	t.ProfileID, t.Nonce = orEmpty(profile), orEmpty(nonce)
	t.AuthenticatedAt, t.CreatedAt, t.ExpiresAt = db.Time(authenticated), db.Time(created), db.Time(expires)
	t.UsedAt, t.RevokedAt = db.TimeOrZero(used), db.TimeOrZero(revoked)
	return t, true, nil
}

// RotateInto makes a write hold only if it is the one that uses the refresh token: of its application, unused, not revoked, in its time,
// and with its session living.
func (s *Service) RotateInto(w *db.Write, t RefreshToken) {
	s.GuardInto(w, t.SessionID)
	w.Guard(useRefresh, s.time().UnixMicro(), string(t.Hash), t.ApplicationID)
}
