package sso

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// LogoutArrival is what came to the single logout address of a connection: a query or a posted form.
type LogoutArrival struct {
	Key      string
	Bases    Bases
	RawQuery string // as it was received, of a GET
	Form     url.Values
	Begun    BegunLogout // what this browser went to the provider with, if it did
}

// Answers says whether the message is, by its name, the answer to a logout that began here.
func (in LogoutArrival) Answers() bool {
	fields := in.Form
	if in.RawQuery != "" {
		fields, _ = url.ParseQuery(in.RawQuery) // what cannot be read is neither
	}
	return fields.Has("SAMLResponse") && !fields.Has("SAMLRequest")
}

// LogoutOutcome is what the browser is to do next. With neither address nor form the logout is complete.
type LogoutOutcome struct {
	URL   string
	Form  *Form
	Ended int // sessions
}

// ReceiveLogout verifies a message of single logout. A request ends the sessions that it names and is answered; an answer is the end of
// one that this browser began here. Refusals have the codes of sign-ins.
func (s *Service) ReceiveLogout(ctx context.Context, in LogoutArrival) (LogoutOutcome, error) {
	c, err := s.ByKey(ctx, in.Key)
	if err != nil {
		return LogoutOutcome{}, err
	}
	if c.Protocol != SAML {
		return LogoutOutcome{}, NotFound(in.Key)
	}
	bases := in.Bases(c.OrganizationID)
	message, err := s.verifyLogout(c, in, bases)
	if err != nil {
		return LogoutOutcome{}, s.logoutRefused(ctx, c, err)
	}
	if message.Request == nil {
		if refused := c.judgeAnswer(message.Response, in.Begun); refused != nil {
			return LogoutOutcome{}, s.logoutRefused(ctx, c, refused)
		}
		return LogoutOutcome{}, nil
	}
	if err := s.useOnce(ctx, c, message.Request.ID, message.UsableUntil); err != nil {
		return LogoutOutcome{}, s.logoutRefused(ctx, c, err)
	}
	ended, err := s.endNamed(ctx, c, message.Request.NameID.Value, message.Request.SessionIndexes)
	if err != nil || message.Request.Asynchronous || c.SLOURL == "" {
		return LogoutOutcome{Ended: ended}, err
	}
	out, err := s.answerLogout(c, message, bases[0])
	out.Ended = ended
	return out, err
}

// logoutRefused notes in the log of attempts why a message ended nobody's session: who set it up finds out there what to mend. What came
// is not kept, since it names people, and of a connection only so many are (see Fail).
func (s *Service) logoutRefused(ctx context.Context, c Connection, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	noted := fault.New(f.Kind, f.Code, "A logout message was refused: %s", f.Message).Compared(f.Wanted, f.Got)
	if Code(f.Code) == Unsigned {
		noted = fault.New(f.Kind, f.Code, "A logout message was refused because it is not signed: anybody could have sent it. Where the identity provider does not "+
			"sign it, as is reported of Microsoft Entra ID, leave its logout URL empty; people who are deactivated in the directory are signed out at once.").Compared(f.Wanted, f.Got)
	}
	if _, errFail := s.Fail(ctx, &Refusal{Fault: noted, Connection: c}); errFail != nil {
		return errors.Join(err, errFail)
	}
	return err
}

func (s *Service) verifyLogout(c Connection, in LogoutArrival, bases []string) (*saml.Logout, error) {
	certificates, err := c.verifying()
	if err != nil {
		return nil, err
	}
	key, _, err := s.keyPair(c)
	if err != nil {
		return nil, err
	}
	e := saml.LogoutExpectation{
		Now: s.moment(), Issuer: c.IDPEntityID, Certificates: certificates, ClockSkew: c.Options.skew(), Keys: []*rsa.PrivateKey{key}, AllowCBC: c.Options.AllowCBC,
	}
	if c.Options.AllowSHA1Until != nil {
		e.SHA1Until = *c.Options.AllowSHA1Until
	}
	for _, base := range bases {
		e.Destinations = append(e.Destinations, c.Addresses(base).SLO)
	}
	if in.RawQuery != "" {
		return saml.ConsumeLogoutRedirect(in.RawQuery, e)
	}
	return saml.ConsumeLogoutPost(in.Form, e)
}

// useOnce uses up the id of a message.
func (s *Service) useOnce(ctx context.Context, c Connection, id string, until time.Time) error {
	var w db.Write
	w.Exec(insertUsed, string(c.ID), string(token.HashOf(token.Secret("logout:"+id))), until.UnixMicro())
	err := s.c.DB.Write(ctx, &w)
	if taken := (*db.UniqueError)(nil); errors.As(err, &taken) {
		return errReplayed()
	}
	if err != nil {
		return fmt.Errorf("use a logout message of %s: %w", c.ID, err)
	}
	return nil
}

// endNamed ends the sessions at the provider that a message names; if it names none, all of that person.
func (s *Service) endNamed(ctx context.Context, c Connection, subject string, indexes []string) (int, error) {
	why := session.Ending{Reason: session.ProviderSignedOut, Context: event.Context{Actor: event.Actor{ID: string(c.ID), Source: event.System, Name: &c.Name}}}
	which, err := s.meant(ctx, c, subject, indexes)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, one := range which {
		n, err := s.c.Sessions.End(ctx, one, why)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// meant selects the sessions that a message means. A session knows the name that the person had when it began, which another sign-in may
// since have changed; one that an earlier release began is found by what its profile says now.
func (s *Service) meant(ctx context.Context, c Connection, subject string, indexes []string) ([]session.Selection, error) {
	all := session.Selection{OrganizationID: c.OrganizationID, ConnectionID: string(c.ID)}
	if subject == "" { // only a back channel may leave the person out
		return atIndexes(all, indexes), nil
	}
	found, err := profiles(ctx, s.c.DB, selectProfile+" WHERE connection_id = $1 AND subject_key = $2", string(c.ID), subject)
	if err != nil {
		return nil, err
	}
	one := all
	one.Subject = subject
	people := []session.Selection{one}
	for _, p := range found {
		one := all
		one.ProfileID, one.Nameless = string(p.ID), true
		people = append(people, one)
	}
	if len(indexes) == 0 {
		return people, nil
	}
	var which []session.Selection
	for _, one := range people {
		which = append(which, atIndexes(one, indexes)...)
	}
	return which, nil
}

// atIndexes narrows a selection to sessions at the provider; without one it is nobody's.
func atIndexes(of session.Selection, indexes []string) (out []session.Selection) {
	for _, index := range indexes {
		if of.IDPSession = index; index != "" {
			out = append(out, of)
		}
	}
	return out
}

func (s *Service) answerLogout(c Connection, message *saml.Logout, base string) (LogoutOutcome, error) {
	key, cert, err := s.keyPair(c)
	if err != nil {
		return LogoutOutcome{}, err
	}
	to := c.SLOResponseURL
	if to == "" {
		to = c.SLOURL
	}
	r := saml.LogoutResponse{
		ID: saml.NewRequestID(), Issuer: c.Addresses(base).EntityID, Destination: to, IssuedAt: s.moment(), InResponseTo: message.Request.ID,
	}
	if c.SLOBinding == Post {
		form, err := r.Post(message.RelayState, key, cert)
		return LogoutOutcome{Form: &form}, err
	}
	address, err := r.Redirect(message.RelayState, key)
	return LogoutOutcome{URL: address}, err
}

// ReceiveLogoutToken ends the sessions that an OpenID provider's back channel names (OpenID Connect Back-Channel Logout 1.0).
func (s *Service) ReceiveLogoutToken(ctx context.Context, key, raw string) (ended int, err error) {
	c, err := s.ByKey(ctx, key)
	if err != nil {
		return 0, err
	}
	if c.Protocol != OIDC || c.discovery == "" {
		return 0, NotFound(key)
	}
	d, err := c.provider()
	if err != nil {
		return 0, fmt.Errorf("discovery of connection %s: %w", c.ID, err)
	}
	t, err := s.verifyLogoutToken(ctx, c, d, raw)
	if err != nil {
		return 0, s.logoutRefused(ctx, c, err)
	}
	if err := s.useOnce(ctx, c, t.ID, t.Expiry.Add(c.Options.skew())); err != nil {
		return 0, s.logoutRefused(ctx, c, err)
	}
	var sids []string
	if t.SID != "" {
		sids = []string{t.SID}
	}
	return s.endNamed(ctx, c, t.Subject, sids)
}

func (s *Service) verifyLogoutToken(ctx context.Context, c Connection, d oidc.Discovery, raw string) (oidc.LogoutToken, error) {
	e := oidc.LogoutExpectation{Issuer: c.Issuer, ClientID: c.ClientID, Algorithms: c.pinned(d), Now: s.moment(), Skew: c.Options.skew()}
	keys, err := oidc.ParseKeySet([]byte(c.jwks))
	if err != nil {
		return oidc.LogoutToken{}, err
	}
	t, err := oidc.VerifyLogoutToken(ctx, raw, keys, e)
	if !errors.Is(err, oidc.ErrUnknownKey) {
		return t, err
	}
	fresh, errFetch := s.refreshKeys(ctx, c, d)
	if errFetch != nil || fresh == "" {
		return t, errors.Join(err, errFetch)
	}
	if keys, errFetch = oidc.ParseKeySet([]byte(fresh)); errFetch != nil {
		return t, err
	}
	return oidc.VerifyLogoutToken(ctx, raw, keys, e)
}

// Subject is how the provider names the person in its own messages; it is what a logout has to repeat.
type Subject saml.NameID

func (p Profile) subjectText() any {
	if p.Subject.Value == "" {
		return nil
	}
	return encode(saml.NameID(p.Subject))
}

// Named is how the provider named the person at this sign-in, for the session to keep.
func (p Profile) Named() session.Subject {
	if p.Subject.Value == "" {
		return session.Subject{}
	}
	return session.Subject{Text: string(encode(saml.NameID(p.Subject))), Key: p.Subject.Value}
}

func readSubject(text string) (s Subject, err error) {
	if text == "" {
		return s, nil
	}
	return s, json.Unmarshal([]byte(text), (*saml.NameID)(&s))
}
