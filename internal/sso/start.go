package sso

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Limits of an attempt.
const (
	attemptLife     = 10 * time.Minute
	maxContinuation = 16 << 10
	maxHint         = 320
	maxAgent        = 512
	maxIP           = 64

	openPerBrowser    = 64 // attempts at an organization's providers, of one browser
	defaultPerNetwork = 2000
)

// secrets are what an attempt by OpenID Connect keeps for the way back.
type secrets struct {
	Nonce       string `json:"nonce"`
	Verifier    string `json:"verifier"`
	RedirectURI string `json:"redirect_uri"`
}

// Start begins an attempt. Refusals, of which none is recorded: NotFound, feature_disabled, connection_inactive,
// ambiguous_connection_selector, connection_incomplete for a test of what lacks too much to be tried, and Limited too_many_sign_ins for a
// network from which too many were begun and not ended. Of one browser's too many the oldest time out.
func (s *Service) Start(ctx context.Context, st Start) (Outgoing, error) {
	c, err := s.chosen(ctx, st)
	if err != nil {
		return Outgoing{}, err
	}
	if _, refused, err := s.owner(ctx, c); err != nil || refused != nil {
		return Outgoing{}, errors.Join(err, asError(refused))
	}
	if refused := startable(c, st); refused != nil {
		return Outgoing{}, refused
	}
	if err := s.uncrowded(ctx, st.Network); err != nil {
		return Outgoing{}, err
	}
	now := s.moment()
	a := Attempt{
		ID: AttemptID(s.c.IDs.NewID(AttemptPrefix)), OrganizationID: c.OrganizationID, ConnectionID: c.ID, Kind: st.Kind, State: AtProvider,
		Continuation: st.Continuation, LoginHint: bounded(st.LoginHint, maxHint), ForceAuthn: st.ForceAuthn || c.Options.ForceAuthn,
		IP: bounded(st.IP, maxIP), UserAgent: bounded(st.UserAgent, maxAgent), CreatedAt: now, ExpiresAt: now.Add(attemptLife), browser: string(st.Browser), network: bounded(st.Network, maxIP),
	}
	var out Outgoing
	var request token.Hash
	if c.Protocol == SAML {
		out, request, err = s.askSAML(c, a, st.Base)
	} else {
		out, request, err = s.askOIDC(c, &a, st.Base)
	}
	if err != nil {
		return Outgoing{}, err
	}
	out.Attempt = a.ID
	if err := s.begin(ctx, c, a, request); err != nil {
		return Outgoing{}, err
	}
	return out, s.crowdOut(ctx, a)
}

// uncrowded refuses a network that holds too many attempts open: each costs a row and an event, and a stranger may begin as many as the
// limits of pages allow. Those who are at their providers are not disturbed.
func (s *Service) uncrowded(ctx context.Context, network string) error {
	if network == "" {
		return nil
	}
	var open int
	if err := s.c.DB.QueryRow(ctx, countNetwork, network, s.moment().UnixMicro(), int64(s.c.OpenPerNetwork)).Scan(&open); err != nil {
		return fmt.Errorf("count the open attempts of a network: %w", err)
	}
	if open < s.c.OpenPerNetwork {
		return nil
	}
	refused := fault.New(fault.Limited, "too_many_sign_ins", "Too many sign-ins were begun from this network and not finished. Please wait a minute and try again.")
	refused.RetryAfter = time.Minute
	return refused
}

// crowdOut times out the oldest open attempts of a browser that has too many at the organization.
func (s *Service) crowdOut(ctx context.Context, a Attempt) error {
	over, err := attempts(ctx, s.c.DB, selectOver, a.OrganizationID, a.browser, int64(sweepBatch), int64(openPerBrowser))
	if err != nil {
		return err
	}
	for _, old := range over {
		if err := s.timeOut(ctx, old, s.moment(), fmt.Sprintf("The browser began %d more sign-ins after this one, without finishing any.", openPerBrowser)); err != nil {
			return err
		}
	}
	return nil
}

// asError keeps a nil pointer from becoming an error that is not nil.
func asError(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}

func (s *Service) chosen(ctx context.Context, st Start) (Connection, error) {
	switch {
	case (st.ConnectionID == "") == (st.OrganizationID == ""):
		return Connection{}, errors.New("start a sign-in: give exactly one of a connection and an organization")
	case st.Kind != SignIn && st.Kind != Test || st.Browser == "" || st.Base == "" || strings.HasSuffix(st.Base, "/") || len(st.Continuation) > maxContinuation:
		return Connection{}, fmt.Errorf("start a sign-in: kind %q, base %q and a continuation of %d bytes do not do", st.Kind, st.Base, len(st.Continuation))
	case st.ConnectionID != "":
		return s.Get(ctx, st.ConnectionID)
	}
	return s.Choose(ctx, st.OrganizationID)
}

// owner reads the connection's organization and says why it lets nobody in.
func (s *Service) owner(ctx context.Context, c Connection) (org.Organization, *fault.Error, error) {
	o, err := s.c.Organizations.Whole(ctx, org.ID(c.OrganizationID))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return org.Organization{}, nil, err
	}
	return o.Organization, shut(o), nil
}

// shut says why an organization lets nobody in through its connections. One that is gone has no id.
func shut(o org.Whole) *fault.Error {
	switch {
	case o.ID == "":
		return deny(ConnectionInactive, "", "", "The connection's organization is gone.")
	case !o.Features.On(org.SSO):
		return deny(FeatureDisabled, "the feature sso switched on", "switched off", "Single sign-on is switched off for the organization.")
	}
	return nil
}

func startable(c Connection, st Start) error {
	switch {
	case st.Kind == SignIn && !c.open():
		return errInactive(c)
	case c.Protocol == SAML && (c.SSOURL == "" || c.IDPEntityID == ""), c.Protocol == OIDC && (c.discovery == "" || c.ClientID == ""):
		return fault.New(fault.Conflict, "connection_incomplete", "The connection cannot be tried yet: it lacks %s.", strings.Join(c.Lacks(), ", "))
	}
	return nil
}

// Closed is the refusal of a connection that lets nobody in.
func (c Connection) Closed() *fault.Error { return errInactive(c) }

func errInactive(c Connection) *fault.Error {
	const wanted = "a connection that is validating or active"
	switch c.Switching {
	case Retired:
		return deny(ConnectionInactive, wanted, "the identity provider that was switched from",
			"The organization has switched to another identity provider, and this connection with it. Sign in from the app: it leads to the new one.")
	case Coming:
		return deny(ConnectionInactive, wanted, "an identity provider that is being switched to",
			"The organization is about to switch to this identity provider. Until the cut-over its connection can be tested, and lets nobody in.")
	case Ruling:
	}
	return deny(ConnectionInactive, wanted, string(c.State), "The connection lets nobody in at present.")
}

func (s *Service) askSAML(c Connection, a Attempt, base string) (Outgoing, token.Hash, error) {
	id := saml.NewRequestID()
	at := c.Addresses(base)
	r := saml.AuthnRequest{
		ID: id, Issuer: at.EntityID, Destination: c.SSOURL, ACS: at.ACS, IssuedAt: a.CreatedAt, ForceAuthn: a.ForceAuthn,
		NameIDFormat: c.Options.NameIDFormat, Contexts: c.Options.Contexts,
	}
	if len(c.Paths) > 0 { // the provider has the address of a former vendor and would refuse to answer at another
		r.ACS = ""
	}
	request := token.HashOf(token.Secret(id))
	key, cert, err := s.keyPair(c)
	if err != nil {
		return Outgoing{}, "", err
	}
	if !c.Options.SignRequests {
		key, cert = nil, nil
	}
	if c.SSOBinding == Post {
		form, err := r.Post(string(a.ID), key, cert)
		return Outgoing{Form: &form}, request, err
	}
	url, err := r.Redirect(string(a.ID), key)
	return Outgoing{URL: url}, request, err
}

// Lengths of what is random in a request, in characters of a 36-letter alphabet: more than 200 bits.
const (
	stateLength    = 43
	verifierLength = 64 // RFC 7636 section 4.1 wants 43 to 128
)

func (s *Service) askOIDC(c Connection, a *Attempt, base string) (Outgoing, token.Hash, error) {
	d, err := c.provider()
	if err != nil {
		return Outgoing{}, "", err
	}
	keep := secrets{Nonce: token.NewKey(stateLength), Verifier: token.NewKey(verifierLength), RedirectURI: c.Addresses(base).RedirectURI}
	state := token.NewKey(stateLength)
	scopes := c.Options.Scopes
	if len(scopes) == 0 {
		scopes = []string{"openid", "email", "profile"}
	}
	url, err := oidc.AuthorizationURL(d, oidc.AuthorizationParameters{
		ClientID: c.ClientID, RedirectURI: keep.RedirectURI, Scopes: scopes, State: state, Nonce: keep.Nonce, Verifier: keep.Verifier,
		LoginHint: a.LoginHint, ForceAuthn: a.ForceAuthn,
	})
	a.secret = s.c.Sealer.Seal(attemptPlace(a.ID), encode(keep))
	return Outgoing{URL: url}, token.HashOf(token.Secret(state)), err
}

// provider is what the OpenID provider says about itself, as it was last read.
func (c Connection) provider() (oidc.Discovery, error) {
	return oidc.ParseDiscovery([]byte(c.discovery), c.Issuer, strings.HasPrefix(c.Issuer, "http://"))
}

func (s *Service) secretsOf(a Attempt) (keep secrets, err error) {
	clear, err := s.c.Sealer.Open(attemptPlace(a.ID), a.secret)
	if err != nil {
		return keep, fmt.Errorf("secrets of attempt %s: %w", a.ID, err)
	}
	return keep, json.Unmarshal(clear, &keep)
}

// begin stores the attempt, if its connection is in the state that was seen, or in another that may be started from: the first who come
// back through it make it active.
func (s *Service) begin(ctx context.Context, c Connection, a Attempt, request token.Hash) error {
	err := s.beginOnce(ctx, c, a, request)
	if lost := (*db.GuardError)(nil); !errors.As(err, &lost) {
		return err
	}
	now, err := s.Get(ctx, c.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && (now.State != c.State || now.Switching != c.Switching) {
		if err := startable(now, Start{Kind: a.Kind}); err != nil {
			return err
		}
		err = s.beginOnce(ctx, now, a, request)
		if lost := (*db.GuardError)(nil); !errors.As(err, &lost) {
			return err
		}
	}
	return errInactive(c)
}

func (s *Service) beginOnce(ctx context.Context, c Connection, a Attempt, request token.Hash) error {
	w := db.Write{Lane: c.OrganizationID}
	w.GuardSelect(guardConnection+s.c.DB.ForShare(), c.OrganizationID, string(c.ID), string(c.State), string(c.Switching))
	s.insertAttempt(&w, a, request, "", nil)
	if a.Kind == SignIn {
		s.c.Events.Append(&w, a.CreatedAt, event.Entry{
			OrganizationID: a.OrganizationID, Type: event.SSOStarted, Context: systemContext(), Data: a.told("started"),
		})
	}
	if err := s.c.DB.Write(ctx, &w); err != nil {
		return fmt.Errorf("begin a sign-in through %s: %w", c.ID, err)
	}
	s.c.Events.Nudge()
	return nil
}

// systemContext is the cause of what nobody with a name did: a person at a provider is known only when they are back.
func systemContext() []byte {
	name := "Rollcall"
	return event.Context{Actor: event.Actor{ID: "rollcall", Source: event.System, Name: &name}}.JSON()
}

func (s *Service) insertAttempt(w *db.Write, a Attempt, request token.Hash, code Code, raw []byte) {
	var refused, checks, sealed any
	if a.Refused != nil {
		refused = encode(a.Refused)
	}
	if len(a.Checks) > 0 {
		checks = encode(a.Checks)
	}
	if len(raw) > 0 {
		sealed = s.c.Sealer.Seal(rawPlace(a.ID), raw)
	}
	w.Exec(insertAttempt, string(a.ID), a.OrganizationID, string(a.ConnectionID), string(a.Kind), string(a.State), db.TextOrNull(a.browser),
		db.TextOrNull(a.secret), bytesOrNull(a.Continuation), db.TextOrNull(a.LoginHint), a.ForceAuthn, refused, checks, db.TextOrNull(string(a.ProfileID)),
		db.TextOrNull(a.UserID), db.TextOrNull(a.SessionID), db.TextOrNull(a.IDPID), db.TextOrNull(a.Email), db.TextOrNull(a.IP),
		db.TextOrNull(a.UserAgent), a.CreatedAt.UnixMicro(), db.MicrosOrNull(a.FinishedAt), a.ExpiresAt.UnixMicro(), db.TextOrNull(string(request)),
		db.TextOrNull(string(code)), sealed, db.TextOrNull(a.network))
}

// SPMetadata is what a provider may read about us at a connection; the first of the bases is the connection's own.
func (s *Service) SPMetadata(c Connection, bases []string) ([]byte, error) {
	_, cert, err := s.keyPair(c)
	if err != nil {
		return nil, err
	}
	at := c.Addresses(bases[0])
	return saml.ServiceProvider{
		EntityID: at.EntityID, ACS: c.ACS(bases[:1]), SLO: at.SLO, Certificate: cert, SignsRequests: c.Options.SignRequests,
		WantsEncrypted: c.Options.RequireEncrypted, NameIDFormat: c.Options.NameIDFormat,
	}.Metadata(), nil
}
