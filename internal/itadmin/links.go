package itadmin

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// secretPrefix is of the secrets of links, cookiePrefix of those of sessions.
const (
	secretPrefix = "portal"
	cookiePrefix = "ps"
)

// NewLink is what a link is made of.
type NewLink struct {
	OrganizationID org.ID
	Intent         Intent
	ReturnURL      string // https or http; may be ""
	SuccessURL     string
	Emails         []string      // who become IT contacts of the organization, if they are not; no mail is sent to them
	Life           time.Duration // 0: LinkLife; at most a day
}

func (n *NewLink) check() error {
	for _, u := range []struct{ field, value string }{{"return_url", n.ReturnURL}, {"success_url", n.SuccessURL}} {
		if err := checkURL(u.field, u.value); err != nil {
			return err
		}
	}
	if n.Life < 0 || n.Life > longestLife {
		return fault.New(fault.Unprocessable, "invalid_life", "A link of nobody's mailbox lives for a day at most.")
	}
	if len(n.Emails) > MaxNamed {
		return fault.New(fault.Unprocessable, "too_many", "At most %d IT contacts can be named at once; these are %d.", MaxNamed, len(n.Emails)).On("it_contact_emails")
	}
	for _, email := range n.Emails {
		c := NewContact{Email: email}
		if err := c.check(); err != nil {
			if f, ok := fault.As(err); ok {
				return f.On("it_contact_emails")
			}
			return err
		}
	}
	return nil
}

// checkURL takes an address that a browser may be sent to.
func checkURL(field, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	bad := err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(text) > maxURL || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' })
	if bad {
		return fault.New(fault.Unprocessable, "invalid_url", "%s is an address like https://app.example.com/settings, of at most %d characters.", field, maxURL).
			On(field).Compared("an absolute https or http address", "")
	}
	return nil
}

// longestLife is that of a link which binds to nobody: whoever finds it is in.
const longestLife = 24 * time.Hour

// MakeLink makes a link for the app to hand on: it lives for LinkLife if nothing else was said, and opens once. It gives the address, which is told nowhere else.
func (s *Service) MakeLink(ctx context.Context, actor event.Actor, n NewLink) (Link, token.Secret, error) {
	if err := n.check(); err != nil {
		return Link{}, "", err
	}
	var l Link
	var address token.Secret
	err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if err = s.o.Organizations.LockTx(ctx, tx, n.OrganizationID); err != nil {
			return err
		}
		for _, email := range n.Emails {
			if _, _, err = s.addTx(ctx, tx, actor, n.OrganizationID, NewContact{Email: strings.TrimSpace(email)}); err != nil {
				return err
			}
		}
		l, address, err = s.linkTx(ctx, tx, actor, Link{OrganizationID: n.OrganizationID, Intent: n.Intent, ReturnURL: n.ReturnURL, SuccessURL: n.SuccessURL}, cmp.Or(n.Life, LinkLife))
		return err
	})
	if err != nil {
		return Link{}, "", fmt.Errorf("make a portal link of organization %s: %w", n.OrganizationID, err)
	}
	s.nudge()
	return l, address, nil
}

// linkTx stores a link and gives its address.
func (s *Service) linkTx(ctx context.Context, tx db.Tx, actor event.Actor, l Link, life time.Duration) (Link, token.Secret, error) {
	secret := token.NewSecret(secretPrefix)
	l.ID, l.CreatedAt = s.o.IDs.NewID(linkPrefix), s.time()
	l.ExpiresAt = l.CreatedAt.Add(life)
	if _, err := tx.Exec(ctx, insertLink, string(token.HashOf(secret)), l.ID, string(l.OrganizationID), db.TextOrNull(l.ContactID), string(l.Intent), l.ReturnURL,
		l.SuccessURL, l.CreatedAt.UnixMicro(), l.ExpiresAt.UnixMicro()); err != nil {
		return l, "", err
	}
	err := s.o.Events.AuditTx(ctx, tx, l.CreatedAt, event.Change{
		OrganizationID: string(l.OrganizationID), Action: LinkCreated, Target: l.ID, Cause: event.Context{Actor: actor},
		After: event.Settings{"intent": l.Intent, "contact_id": l.ContactID, "expires_at": event.Shown(l.ExpiresAt)},
	})
	return l, token.Secret(s.o.Base(string(l.OrganizationID)) + LinkPath + secret.Reveal()), err
}

// MailLink mails a contact a link to everything, which lives for MailedLinkLife.
func (s *Service) MailLink(ctx context.Context, actor event.Actor, id org.ID, contactID string) (Contact, error) {
	var c Contact
	err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
		if err = s.o.Organizations.LockTx(ctx, tx, id); err != nil {
			return err
		}
		if c, err = contactIn(ctx, tx, id, contactID); err != nil {
			return err
		}
		return s.mailTx(ctx, tx, actor, c)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("mail a portal link to contact %s: %w", contactID, err)
	}
	return c, nil
}

func (s *Service) mailTx(ctx context.Context, tx db.Tx, actor event.Actor, c Contact) error {
	l, address, err := s.linkTx(ctx, tx, actor, Link{OrganizationID: c.OrganizationID, ContactID: c.ID}, MailedLinkLife)
	if err != nil {
		return err
	}
	o, err := s.o.Organizations.GetIn(ctx, tx, c.OrganizationID)
	if err != nil {
		return err
	}
	return s.o.Mails.PutTx(ctx, tx, mail.Message{
		OrganizationID: string(c.OrganizationID), To: c.Email,
		Content: mail.PortalLink{Organization: o.Name, Link: address.Reveal(), ExpiresAt: l.ExpiresAt},
	})
}

// Door is what can be told of a link to whoever holds it, before it is opened.
type Door struct {
	Organization string // name
	Intent       Intent
	Email        string // of the contact that it was mailed to, with most of it hidden; "" for a link of the app
}

// refusedLink is one for every link that does not open, whatever the reason.
func refusedLink() *fault.Error {
	return fault.New(fault.NotFound, "portal_link_invalid", "This link is not good any more: it has ended, or was used already. Ask for a fresh one.")
}

// Look tells what a link would open, and changes nothing. One that does not open is NotFound "portal_link_invalid".
func (s *Service) Look(ctx context.Context, secret token.Secret) (Door, error) {
	l, c, err := s.link(ctx, s.db, secret)
	if err != nil {
		return Door{}, err
	}
	o, err := s.o.Organizations.Get(ctx, l.OrganizationID)
	if err != nil {
		return Door{}, goneOr(err)
	}
	return Door{Organization: o.Name, Intent: l.Intent, Email: hidden(c.Email)}, nil
}

// goneOr makes of a deleted organization what a link of one is.
func goneOr(err error) error {
	if f, ok := fault.As(err); ok && f.Kind == fault.NotFound {
		return refusedLink()
	}
	return err
}

func (s *Service) link(ctx context.Context, r db.Reader, secret token.Secret) (l Link, c Contact, err error) {
	if !token.WellFormed(secret, secretPrefix) {
		return l, c, refusedLink()
	}
	var contact *string
	var created, expires int64
	var used *int64
	err = r.QueryRow(ctx, selectLink, string(token.HashOf(secret))).Scan(&l.ID, (*string)(&l.OrganizationID), &contact, (*string)(&l.Intent), &l.ReturnURL, &l.SuccessURL,
		&created, &expires, &used)
	if absent(err) {
		return l, c, refusedLink()
	}
	if err != nil {
		return l, c, fmt.Errorf("read a portal link: %w", err)
	}
	l.ContactID, l.CreatedAt, l.ExpiresAt, l.UsedAt = orEmpty(contact), db.Time(created), db.Time(expires), db.TimeOrZero(used)
	if !l.good(s.time()) {
		return l, c, refusedLink()
	}
	if l.ContactID != "" {
		c, err = contactIn(ctx, r, l.OrganizationID, l.ContactID)
	}
	return l, c, goneOr(err)
}

// hidden is enough of an address for its owner to know it by.
func hidden(email string) string {
	local, domain, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(local)
	return string(first) + "…@" + domain
}
