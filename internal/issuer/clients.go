package issuer

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
)

// useEvery is the precision of a secret's last use.
const useEvery = time.Minute

// client is an application that has proven to be it.
type client struct {
	Application

	secretID string // the secret it showed; "" for another proof
	noteUse  bool   // its last use is old enough to be written
}

func invalidClient(why string) *oidc.ErrorResponse {
	return oidc.Refuse(oidc.InvalidClient, "%s", why)
}

// authenticate checks who sends a request. A client id that nobody has and a wrong secret are answered alike.
func (s *Service) authenticate(ctx context.Context, c oidc.ClientCredentials, style oidc.Style) (client, error) {
	rows, err := s.db.Query(ctx, selectClient, c.ID)
	if err != nil {
		return client{}, fmt.Errorf("read a client: %w", err)
	}
	defer rows.Close()
	hash := token.HashOf(token.Secret(c.Secret))
	var found client
	there, proven := false, false
	for rows.Next() {
		var a Application
		var id, secret *string
		var used *int64
		if err := a.scan(rows, &id, &secret, &used); err != nil {
			return client{}, fmt.Errorf("read a client: %w", err)
		}
		found.Application, there = a, true
		if id != nil && same(token.Hash(*secret), hash) {
			proven, found.secretID, found.noteUse = true, *id, s.time().Sub(db.TimeOrZero(used)) >= useEvery
		}
	}
	if err := rows.Err(); err != nil {
		return client{}, fmt.Errorf("read a client: %w", err)
	}
	if style.Compatible() && found.Default {
		for _, key := range s.o.ManagementKeys {
			proven = same(key, hash) || proven
		}
	}
	return found, found.judge(c, style, there, proven)
}

func (c client) judge(shown oidc.ClientCredentials, style oidc.Style, there, proven bool) error {
	switch {
	case shown.Method == oidc.AuthNone && there && !c.Public:
		return invalidClient("The client has to authenticate with its client_secret.")
	case shown.Method == oidc.AuthNone && there:
		return nil
	case shown.Method == oidc.AuthBearer && !style.Compatible():
		return invalidClient("The Authorization header has to be Basic.")
	case !there || !proven || c.Public || shown.Secret == "":
		return invalidClient("Invalid client ID or secret.")
	}
	return nil
}

// same compares two hashes in constant time.
func same(a, b token.Hash) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// noteUseInto adds the use of the secret to a write, once a minute.
func (c client) noteUseInto(w *db.Write, now time.Time) {
	if c.noteUse {
		w.Exec(touchSecret, c.ID, c.secretID, now.UnixMicro())
	}
}
