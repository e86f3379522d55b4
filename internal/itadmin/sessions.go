package itadmin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Opened is what the opening of a link gives a browser.
type Opened struct {
	Cookie  token.Secret
	Email   string        // where the code was mailed to, with most of it hidden; "": no code is needed
	Keep    time.Duration // how long the cookie may serve
	Session Session       // once no code is needed
}

// Open opens a link, which uses up one of the app's. For a contact a code is mailed, and the session waits for it. old is the cookie that
// the browser has of an earlier session, which ends; it may be "".
func (s *Service) Open(ctx context.Context, secret, old token.Secret) (out Opened, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		out = Opened{Cookie: token.NewSecret(cookiePrefix)}
		l, c, err := s.link(ctx, tx, secret)
		if err != nil {
			return err
		}
		if err := s.o.Organizations.LockTx(ctx, tx, l.OrganizationID); err != nil {
			return goneOr(err)
		}
		if n, err := tx.Exec(ctx, useLink, string(token.HashOf(secret)), s.time().UnixMicro()); err != nil || n == 0 {
			if err == nil {
				err = refusedLink() // somebody else was faster
			}
			return err
		}
		if old != "" {
			if _, err := tx.Exec(ctx, endReplaced, string(token.HashOf(old)), s.time().UnixMicro()); err != nil {
				return err
			}
		}
		if l.ContactID != "" {
			return s.challengeTx(ctx, tx, l, c, &out)
		}
		return s.enterTx(ctx, tx, l, &out)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("open a portal link: %w", err)
	}
	return out, nil
}

// enterTx makes the session of a link that needs no code.
func (s *Service) enterTx(ctx context.Context, tx db.Tx, l Link, out *Opened) error {
	now := s.time()
	out.Keep = SessionLife
	out.Session = Session{
		ID: s.o.IDs.NewID(sessionPrefix), OrganizationID: l.OrganizationID, LinkID: l.ID, Intent: l.Intent, ReturnURL: l.ReturnURL, SuccessURL: l.SuccessURL,
		ExpiresAt: now.Add(SessionLife),
	}
	if err := s.insertTx(ctx, tx, out.Cookie, out.Session, "", now); err != nil {
		return err
	}
	return s.beganTx(ctx, tx, out.Session, now)
}

// challengeTx makes the session of a contact, which serves nothing until the code is entered that it mails.
func (s *Service) challengeTx(ctx context.Context, tx db.Tx, l Link, c Contact, out *Opened) error {
	now := s.time()
	var id string
	if err := tx.QueryRow(ctx, holdContact+s.db.ForUpdate(), string(l.OrganizationID), c.ID).Scan(&id); err != nil {
		return err
	}
	var mailed int64
	if err := tx.QueryRow(ctx, countCodes, string(l.OrganizationID), c.ID, now.Add(-codeWindow).UnixMicro()).Scan(&mailed); err != nil {
		return err
	}
	if mailed >= maxCodes {
		f := fault.New(fault.Limited, "too_many_codes", "Too many codes were sent to this address. Use the last one, or try again in an hour.")
		f.RetryAfter = codeWindow
		return f
	}
	o, err := s.o.Organizations.GetIn(ctx, tx, l.OrganizationID)
	if err != nil {
		return err
	}
	code := digits()
	out.Email, out.Keep = hidden(c.Email), CodeLife
	waiting := Session{
		ID: s.o.IDs.NewID(sessionPrefix), OrganizationID: l.OrganizationID, Contact: c, LinkID: l.ID, Intent: l.Intent, ReturnURL: l.ReturnURL, SuccessURL: l.SuccessURL,
		ExpiresAt: now.Add(CodeLife),
	}
	if err := s.insertTx(ctx, tx, out.Cookie, waiting, code, now); err != nil {
		return err
	}
	return s.o.Mails.PutTx(ctx, tx, mail.Message{
		OrganizationID: string(l.OrganizationID), To: c.Email, Content: mail.PortalCode{Organization: o.Name, Code: code.Reveal(), ExpiresAt: waiting.ExpiresAt},
	})
}

func (s *Service) insertTx(ctx context.Context, tx db.Tx, cookie token.Secret, made Session, code token.Secret, now time.Time) error {
	var sealed, codeExpires any
	verified := any(now.UnixMicro())
	if code != "" {
		sealed, codeExpires, verified = s.o.Sealer.Seal(codePlace(made.ID), []byte(code.Reveal())), now.Add(CodeLife).UnixMicro(), nil
	}
	_, err := tx.Exec(ctx, insertSession, string(token.HashOf(cookie)), made.ID, string(made.OrganizationID), db.TextOrNull(made.Contact.ID), made.LinkID, string(made.Intent),
		made.ReturnURL, made.SuccessURL, sealed, codeExpires, now.UnixMicro(), verified, made.ExpiresAt.UnixMicro())
	return err
}

// beganTx tells that somebody is in.
func (s *Service) beganTx(ctx context.Context, tx db.Tx, in Session, at time.Time) error {
	return s.o.Events.AuditTx(ctx, tx, at, event.Change{
		OrganizationID: string(in.OrganizationID), Action: SessionCreated, Target: in.ID, Cause: event.Context{Actor: in.Actor()},
		After: event.Settings{"intent": in.Intent, "link_id": in.LinkID, "contact_id": in.Contact.ID, "expires_at": event.Shown(in.ExpiresAt)},
	})
}

func codePlace(id string) string { return "portal_sessions.code/" + id }

// digits makes six random digits.
func digits() token.Secret {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil { // crypto/rand does not fail
		panic(err)
	}
	return token.Secret(fmt.Sprintf("%06d", n))
}

// refusedCode is one for every code that is not good, whatever the reason.
func refusedCode() *fault.Error {
	return fault.New(fault.Invalid, "invalid_one_time_code", "This code is not right, or not good any more. Look at the newest mail, or open the link in it again for another code.")
}

// EnterCode verifies the session that waits behind a cookie, which is another from then on. Each call counts as a try before it is looked at.
// What is not good is refused with "invalid_one_time_code".
func (s *Service) EnterCode(ctx context.Context, cookie, code token.Secret) (out Opened, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) (err error) {
		out, err = s.enterCodeTx(ctx, tx, cookie, code)
		return err
	})
	if err != nil {
		return Opened{}, fmt.Errorf("enter a code of the portal: %w", err)
	}
	if out.Cookie == "" {
		return Opened{}, refusedCode() // the try is counted: the transaction holds
	}
	return out, nil
}

// enterCodeTx gives nothing for a code that is wrong, and no error: the try must be kept.
func (s *Service) enterCodeTx(ctx context.Context, tx db.Tx, cookie, code token.Secret) (out Opened, err error) {
	r, ok, err := s.row(ctx, tx, cookie)
	if err != nil || !ok || r.code == "" || r.Contact.ID == "" {
		return out, err
	}
	now := s.time()
	var id string
	err = tx.QueryRow(ctx, holdContact+s.db.ForUpdate(), string(r.OrganizationID), r.Contact.ID).Scan(&id) // else codes that are tried at once would not see each other
	if absent(err) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	hash := string(token.HashOf(cookie))
	n, err := tx.Exec(ctx, tryCode, hash, maxCodeTries, now.UnixMicro(), string(r.OrganizationID), r.Contact.ID, now.Add(-tryDay).UnixMicro(), maxDayTries)
	if err != nil || n == 0 {
		return out, err
	}
	right, err := s.o.Sealer.Open(codePlace(r.ID), r.code)
	if err != nil {
		return out, fmt.Errorf("open the code of %s: %w", r.ID, err)
	}
	if subtle.ConstantTimeCompare(right, []byte(strings.ReplaceAll(code.Reveal(), " ", ""))) != 1 {
		return out, nil
	}
	in, next := r.Session, token.NewSecret(cookiePrefix)
	in.ExpiresAt = now.Add(SessionLife)
	if n, err := tx.Exec(ctx, verifySession, hash, string(token.HashOf(next)), now.UnixMicro(), in.ExpiresAt.UnixMicro()); err != nil || n == 0 {
		return out, err
	}
	return Opened{Cookie: next, Keep: SessionLife, Session: in}, s.beganTx(ctx, tx, in, now)
}

// row is a session as it is stored.
type row struct {
	Session

	code     string // sealed
	verified bool
	ended    bool
}

func (s *Service) row(ctx context.Context, r db.Reader, cookie token.Secret) (out row, ok bool, err error) {
	if !token.WellFormed(cookie, cookiePrefix) {
		return out, false, nil
	}
	var contact, code, email, name *string
	var verified, ended *int64
	var expires int64
	err = r.QueryRow(ctx, selectSession, string(token.HashOf(cookie))).Scan(&out.ID, (*string)(&out.OrganizationID), &contact, &out.LinkID, (*string)(&out.Intent),
		&out.ReturnURL, &out.SuccessURL, &code, &verified, &expires, &ended, &email, &name)
	if absent(err) {
		return out, false, nil
	}
	if err != nil {
		return out, false, fmt.Errorf("read a session of the portal: %w", err)
	}
	out.code, out.verified, out.ended, out.ExpiresAt = orEmpty(code), verified != nil, ended != nil, db.Time(expires)
	if contact != nil {
		out.Contact = Contact{ID: *contact, OrganizationID: out.OrganizationID, Email: orEmpty(email), Name: orEmpty(name)}
	}
	good := !out.ended && s.time().Before(out.ExpiresAt) && (contact == nil || email != nil)
	return out, good, nil
}

// SessionFor finds the verified session behind a cookie and its living organization; ok is false for any other cookie, and no reason is
// told.
func (s *Service) SessionFor(ctx context.Context, cookie token.Secret) (in Session, o org.Organization, ok bool, err error) {
	r, good, err := s.row(ctx, s.db, cookie)
	if err != nil || !good || !r.verified {
		return in, o, false, err
	}
	o, err = s.o.Organizations.Get(ctx, r.OrganizationID)
	if f, is := fault.As(err); is && f.Kind == fault.NotFound {
		return in, o, false, nil
	}
	return r.Session, o, err == nil, err
}

// Waiting tells whether a session waits for its code behind a cookie, and for whose: the address with most of it hidden.
func (s *Service) Waiting(ctx context.Context, cookie token.Secret) (email string, ok bool, err error) {
	r, good, err := s.row(ctx, s.db, cookie)
	if err != nil || !good || r.verified || r.code == "" {
		return "", false, err
	}
	return hidden(r.Contact.Email), true, nil
}

// End ends a session.
func (s *Service) End(ctx context.Context, in Session) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		at := s.time()
		n, err := tx.Exec(ctx, endSession, string(in.OrganizationID), in.ID, at.UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		return s.o.Events.AuditTx(ctx, tx, at, event.Change{
			OrganizationID: string(in.OrganizationID), Action: SessionEnded, Target: in.ID, Cause: event.Context{Actor: in.Actor()}, Before: event.Settings{},
		})
	})
	if err != nil {
		return fmt.Errorf("end portal session %s: %w", in.ID, err)
	}
	return nil
}
