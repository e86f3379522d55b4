package lifecycle

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// LinkPath is where a mailed link leads; the token follows.
const LinkPath = "/sign-in/link/"

// codes says whether a sign-in may end by a mailed code at all.
func (s *SignIns) codes(a issuer.Authorization) bool {
	return !s.o.ProfilesOnly && a.Style != oidc.StyleSSO && s.mails() // else they would wait for a letter that nobody sends
}

// Email takes the address that a person typed on the page that Begin asked for. byCode: they asked for a code, which anybody may have: it
// proves an address, and whom a policy binds is led to their provider after it. So nobody learns by asking who is free to come in so.
func (s *SignIns) Email(ctx context.Context, v Visitor, sealed, email string, byCode bool) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(sealed, v.Browser)
	if err != nil {
		return Next{}, err
	}
	email = strings.TrimSpace(email)
	if _, ok := member.EmailKey(email); !ok {
		return s.ask(v, a, email, WrongEmail), nil
	}
	if byCode && s.codes(a) {
		return s.mailCode(ctx, v, a, email)
	}
	c, err := s.connectionFor(ctx, a, email)
	if err == nil && c == nil {
		c, err = s.remembered(ctx, v, a, email)
	}
	switch {
	case err != nil:
		return Next{}, err
	case c != nil:
		next, err := s.start(ctx, v, a, *c, email)
		next.Remember = &Last{Email: email, OrganizationID: c.OrganizationID}
		return next, err
	case !s.codes(a):
		return s.ask(v, a, email, NoWay), nil
	}
	return s.mailCode(ctx, v, a, email)
}

// remembered is the connection that this browser came in through with the same address before: of a guest, whose address is of no
// verified domain here.
func (s *SignIns) remembered(ctx context.Context, v Visitor, a issuer.Authorization, email string) (*sso.Connection, error) {
	owner, err := s.ownerOf(ctx, email)
	if err != nil || owner != "" || v.Last.OrganizationID == "" || !sameAddress(v.Last.Email, email) {
		return nil, err
	}
	named := a.Request.Organization
	if named != "" && named != v.Last.OrganizationID {
		return nil, nil //nolint:nilnil // none is an answer
	}
	c, err := s.entrance(ctx, orgID(v.Last.OrganizationID))
	if fault.Is(err, fault.Conflict) {
		return nil, nil //nolint:nilnil // several, and none of them the default
	}
	return c, err
}

// mailCode sends a code where that may be done. Everybody sees the same page, takes the same limits and leaves the same row, so that
// nobody learns who has an account.
func (s *SignIns) mailCode(ctx context.Context, v Visitor, a issuer.Authorization, email string) (Next, error) {
	key, _ := member.EmailKey(email)
	u, may, err := s.mayGetMail(ctx, email)
	if err != nil {
		return Next{}, err
	}
	sealed := s.o.Issuer.SealAuthorization(a, v.Browser)
	for range rounds {
		var w db.Write
		m, code, link, err := s.o.Sessions.MagicInto(ctx, s.o.DB, &w, session.NewMagic{
			Email: email, EmailKey: key, UserID: string(u.ID), Browser: v.Browser, Continuation: sealed,
		})
		if fault.Is(err, fault.Limited) {
			return s.ask(v, a, email, TooManyOut), nil
		}
		if err == nil && may {
			err = s.o.Mails.Put(&w, mail.Message{To: email, Content: mail.MagicAuth{
				Code: code.Reveal(), Link: s.mailBase(v) + LinkPath + link.Reveal(), ExpiresAt: m.ExpiresAt,
			}})
		}
		if err == nil {
			err = s.o.DB.Write(ctx, &w)
		}
		switch {
		case lost(err):
			continue
		case err != nil:
			return Next{}, err
		}
		s.o.Events.Nudge()
		if may {
			s.o.Mails.Nudge()
		}
		return Next{Page: AskCode, App: a.ClientName, Target: a.Request.RedirectURI, Email: email, Magic: m.ID, Sealed: sealed, Remember: &Last{
			Email: email, OrganizationID: v.Last.of(email), // typed again, it is still whose choice that was
		}}, nil
	}
	return s.ask(v, a, email, TooMany), nil
}

// mailBase begins the address in a mail: what the browser called, if that is one of ours. Else a stranger could have a link mailed that
// brings them the proof of somebody's address, only by saying that their host is ours.
func (s *SignIns) mailBase(v Visitor) string {
	ours := s.o.Bases("")
	if slices.Contains(ours, v.Base) {
		return v.Base
	}
	return ours[0]
}

// mails says whether this installation sends mails at all.
func (s *SignIns) mails() bool { return s.o.Mails != nil && s.o.Mails.Sends() }

// mayGetMail says whether a code is mailed to an address. A person whose account was taken away gets none, but where another organization
// still wants them: there they may need it to come in.
func (s *SignIns) mayGetMail(ctx context.Context, email string) (u member.User, may bool, err error) {
	u, err = s.o.Members.UserByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		return member.User{}, true, nil // a sign-up
	}
	if err != nil {
		return u, false, err
	}
	barred, err := s.barred(ctx, u)
	return u, !barred, err
}

// barred says whether the organization that an account belongs to has taken it away, by its directory or by hand, and no other has the person as
// a member: one whose own directory wants them in, or whom the first has only blocked.
func (s *SignIns) barred(ctx context.Context, u member.User) (bool, error) {
	members, err := s.o.Members.MembersOf(ctx, u.ID)
	if err != nil {
		return false, err
	}
	taken := !u.DeprovisionedAt.IsZero()
	for _, one := range members {
		switch m := one.Membership; m.State {
		case member.Active, member.Pending:
			return false, nil
		case member.Inactive:
			taken = taken || m.Primary
		case member.Removed:
		}
	}
	return taken, nil
}

// EnterCode takes a mailed code.
func (s *SignIns) EnterCode(ctx context.Context, v Visitor, magicID string, code token.Secret) (Next, error) {
	m, err := s.o.Sessions.CheckCode(ctx, magicID, code, v.visitor())
	if refused(err) {
		return Next{Page: AskCode, Magic: magicID, Wrong: WrongCode}, nil
	}
	if err != nil {
		return Next{}, err
	}
	return s.proven(ctx, v, m)
}

// LinkApp looks whether a mailed link is good in this browser, and for which application, without using it. Of Next it gives App and Target.
func (s *SignIns) LinkApp(ctx context.Context, v Visitor, link token.Secret) (Next, error) {
	m, err := s.o.Sessions.CheckLink(ctx, link, v.visitor())
	if err != nil {
		return Next{}, err
	}
	return s.AppOf(v, m.Continuation)
}

// AppOf says for which application this browser began a sign-in. Of Next it gives App and Target.
func (s *SignIns) AppOf(v Visitor, sealed string) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(sealed, v.Browser)
	return Next{App: a.ClientName, Target: a.Request.RedirectURI}, err
}

// FollowLink takes a mailed link that the person confirmed.
func (s *SignIns) FollowLink(ctx context.Context, v Visitor, link token.Secret) (Next, error) {
	m, err := s.o.Sessions.CheckLink(ctx, link, v.visitor())
	if err != nil {
		return Next{}, err
	}
	return s.proven(ctx, v, m)
}

func (v Visitor) visitor() session.Visitor {
	return session.Visitor{Browser: v.Browser, IP: v.IP, UserAgent: v.UserAgent}
}

// proven goes on with an address that was proven: with a session that has no organization yet, from which the next step is chosen.
func (s *SignIns) proven(ctx context.Context, v Visitor, m session.Magic) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(m.Continuation, v.Browser)
	if err != nil {
		return Next{}, err
	}
	if c, err := s.connectionFor(ctx, a, m.Email); err != nil || c != nil {
		if err != nil {
			return Next{}, err
		}
		managed, err := s.managed(ctx, c.OrganizationID, m.Email)
		if err != nil {
			return Next{}, err
		}
		if managed {
			return s.start(ctx, v, a, *c, m.Email)
		}
	}
	for range rounds {
		held, cookie, err := s.signUp(ctx, v, m)
		switch {
		case lost(err):
			continue
		case err != nil:
			return Next{}, err
		}
		s.o.Events.Nudge()
		next, _, err := s.choose(ctx, v, a, held)
		if err != nil {
			return Next{}, err
		}
		if next.Session == "" {
			next.Session, next.Until = cookie, held.ExpiresAt
		}
		next.Email = m.Email
		return next, nil
	}
	return Next{Page: AskCode, Magic: m.ID, Email: m.Email, Wrong: WrongCode}, nil
}

// signUp uses a proof of an address, and gives the account that it proves a session without organization.
func (s *SignIns) signUp(ctx context.Context, v Visitor, m session.Magic) (session.Session, token.Secret, error) {
	var w db.Write
	u, err := s.o.Members.SignUpInto(ctx, &w, m.Email, cause(m.UserID))
	if err != nil {
		return session.Session{}, "", err
	}
	if barred, err := s.barred(ctx, u); err != nil || barred {
		if err == nil {
			err = fault.New(fault.Forbidden, string(sso.UserDeprovisioned), "This account may not be used.")
		}
		return session.Session{}, "", err
	}
	s.o.Sessions.RedeemMagicInto(&w, m, string(u.ID), v.visitor())
	cookie := token.NewSecret("session")
	started, opened, err := s.seat(ctx, &w, v, session.New{
		Cookie: token.HashOf(cookie), UserID: string(u.ID), Method: session.MagicAuth, AMR: []string{"otp"},
	}, u.UpdatedAt.Equal(u.LastSignInAt)) // the account is new, or nobody had proven its address
	if err != nil {
		return session.Session{}, "", err
	}
	if len(opened) > 0 {
		s.o.Events.Append(&w, s.time(), opened...)
	}
	return started, cookie, s.o.DB.Write(ctx, &w)
}
