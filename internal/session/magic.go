package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Limits of magic auths.
const (
	MagicLife     = 10 * time.Minute // how long code and link serve
	MaxMagicTries = 5                // codes that may be entered for one
	MaxMagics     = 5                // made for an address in MagicWindow
	MagicWindow   = time.Hour

	// Of an address in MagicDay. Whoever guesses comes to one code in forty thousand a day with all of it.
	MaxMagicsDaily     = 10
	MaxMagicTriesDaily = 25 // codes that may be entered, right ones too
	MagicDay           = 24 * time.Hour
)

// CodeMagic is the code of the one refusal that everybody gets whose code or link is not good, whatever is wrong with it.
const CodeMagic = "invalid_one_time_code"

func refusedMagic() *fault.Error {
	return fault.New(fault.Invalid, CodeMagic, "This code or link is not valid any more, or was not asked for in this browser. Ask for a new one.")
}

// MagicInto adds a magic auth for an address to a write, with its event, and gives the six digits and the link's token for the mail. An
// address that got MaxMagics in the last hour, or MaxMagicsDaily in the last day, is Limited "too_many_codes". Two made at once for one address are a unique violation for
// one of them, which begins again.
func (s *Service) MagicInto(ctx context.Context, r db.Reader, w *db.Write, n NewMagic) (_ Magic, code, link token.Secret, err error) {
	now := s.time()
	var daily, recent, last int64
	if err := r.QueryRow(ctx, countMagic, n.EmailKey, now.Add(-MagicDay).UnixMicro(), now.Add(-MagicWindow).UnixMicro()).Scan(&daily, &recent, &last); err != nil {
		return Magic{}, "", "", fmt.Errorf("count codes: %w", err)
	}
	if recent >= MaxMagics || daily >= MaxMagicsDaily {
		refused := fault.New(fault.Limited, "too_many_codes", "Too many codes were sent to this address. Use the last one, or try again later.")
		refused.RetryAfter = MagicWindow
		return Magic{}, "", "", refused
	}
	code, link = digits(), token.NewSecret("magic")
	m := Magic{
		ID: s.ids.NewID(MagicPrefix), Email: n.Email, UserID: n.UserID, Browser: n.Browser, Continuation: n.Continuation,
		CreatedAt: now, ExpiresAt: now.Add(MagicLife), emailKey: n.EmailKey, number: last + 1, link: token.HashOf(link),
	}
	m.code = s.sealer.Seal(magicPlace(m.ID), []byte(code.Reveal()))
	w.Exec(insertMagic, m.ID, m.emailKey, m.Email, db.TextOrNull(m.UserID), m.number, m.code, string(m.link), string(m.Browser), m.Continuation,
		now.UnixMicro(), m.ExpiresAt.UnixMicro())
	s.events.Append(w, now, event.Entry{Type: event.MagicAuthCreated, Context: systemContext(m.UserID), Data: m.payload()})
	return m, code, link, nil
}

func magicPlace(id string) string { return "magic_auths.code/" + id }

// digits makes six random digits.
func digits() token.Secret {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil { // crypto/rand does not fail
		panic(err)
	}
	return token.Secret(fmt.Sprintf("%06d", n))
}

// systemContext: whoever types a code has not proven yet to be anybody.
func systemContext(userID string) []byte {
	id := userID
	if id == "" {
		id = "rollcall"
	}
	return event.Context{Actor: event.Actor{ID: id, Source: event.System}}.JSON()
}

// Visitor is who tries a code or a link.
type Visitor struct {
	Browser       token.Hash
	IP, UserAgent string
}

// CheckCode looks whether six digits are those of a magic auth of this browser. Each call counts as a try, before it is looked at, of this
// one and of the address: after MaxMagicTriesDaily in a day none is good any more. What
// is not good is refused with CodeMagic, and told by authentication.magic_auth_failed.
func (s *Service) CheckCode(ctx context.Context, id string, digits token.Secret, v Visitor) (Magic, error) {
	m, ok, err := s.magic(ctx, "id = $1", id)
	if err != nil {
		return Magic{}, err
	}
	now := s.time()
	if !ok || m.Browser != v.Browser {
		return Magic{}, refusedMagic() // nothing is known of who asks, so nothing is written
	}
	var w db.Write
	w.GuardSelect(holdMagics+s.db.ForUpdate(), m.emailKey) // else codes of one address that are tried at once would each see the others untried
	w.Guard(tryMagic, id, string(v.Browser), MaxMagicTries, now.UnixMicro(), m.emailKey, now.Add(-MagicDay).UnixMicro(), MaxMagicTriesDaily)
	if err := s.db.Write(ctx, &w); lost(err) {
		return Magic{}, refusedMagic() // told of already, as often as there are tries
	} else if err != nil {
		return Magic{}, fmt.Errorf("count a try of %s: %w", id, err)
	}
	m.Tries++
	right, err := s.sealer.Open(magicPlace(m.ID), m.code)
	if err != nil {
		return Magic{}, fmt.Errorf("open the code of %s: %w", id, err)
	}
	if subtle.ConstantTimeCompare(right, []byte(digits.Reveal())) != 1 {
		return Magic{}, s.wrongCode(ctx, m, v)
	}
	return m, nil
}

// CheckLink looks whether a link is that of a magic auth of this browser, without using it. It cannot be guessed, so there is no number
// of tries. What is not good is refused with CodeMagic.
func (s *Service) CheckLink(ctx context.Context, link token.Secret, v Visitor) (Magic, error) {
	m, ok, err := s.magic(ctx, "link_hash = $1", string(token.HashOf(link)))
	if err != nil {
		return Magic{}, err
	}
	if !ok || m.Browser != v.Browser || !m.UsedAt.IsZero() || !s.time().Before(m.ExpiresAt) {
		return Magic{}, refusedMagic()
	}
	return m, nil
}

// RedeemMagicInto makes a write hold only if it is the one that uses the magic auth, which was checked by code or link; it appends
// authentication.magic_auth_succeeded for the user that the write signs in.
func (s *Service) RedeemMagicInto(w *db.Write, m Magic, userID string, v Visitor) {
	now := s.time()
	w.Guard(useMagic, m.ID, now.UnixMicro(), string(v.Browser))
	s.events.Append(w, now, event.Entry{Type: event.MagicAuthSucceeded, Context: systemContext(userID), Data: encode(attemptPayload{
		Type: "magic_auth", Status: "succeeded", IP: optional(v.IP), Agent: optional(v.UserAgent), UserID: &userID, Email: &m.Email,
	})})
}

// wrongCode tells of a try that was not good, and gives the refusal.
func (s *Service) wrongCode(ctx context.Context, m Magic, v Visitor) error {
	var w db.Write
	refused := refusedMagic()
	s.events.Append(&w, s.time(), event.Entry{Type: event.MagicAuthFailed, Context: systemContext(m.UserID), Data: encode(attemptPayload{
		Type: "magic_auth", Status: "failed", IP: optional(v.IP), Agent: optional(v.UserAgent), UserID: optional(m.UserID), Email: &m.Email,
		Error: &attemptError{Code: CodeMagic, Message: refused.Message},
	})})
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("tell of a failed code: %w", err)
	}
	s.events.Nudge()
	return refused
}

func (s *Service) magic(ctx context.Context, where string, arg any) (m Magic, ok bool, err error) {
	var user *string
	var created, expires int64
	var used *int64
	err = s.db.QueryRow(ctx, selectMagic+where, arg).Scan(&m.ID, &m.emailKey, &m.Email, &user, &m.number, &m.code, (*string)(&m.link), (*string)(&m.Browser),
		&m.Continuation, &m.Tries, &created, &expires, &used)
	if errors.Is(err, db.ErrNoRows) {
		return Magic{}, false, nil
	}
	if err != nil {
		return Magic{}, false, fmt.Errorf("read a magic auth: %w", err)
	}
	m.UserID, m.CreatedAt, m.ExpiresAt, m.UsedAt = orEmpty(user), db.Time(created), db.Time(expires), db.TimeOrZero(used)
	return m, true, nil
}
