package lifecycle

import (
	"context"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// StartAt begins a sign-in at a connection's own address, to the default application: a bookmark of the provider's, or its tile. An OpenID
// provider says which it is (OpenID Connect Core 1.0, section 4).
func (s *SignIns) StartAt(ctx context.Context, v Visitor, key string, values url.Values) (Next, error) {
	c, err := s.o.Connections.ByKey(ctx, key)
	if err != nil {
		return Next{}, err
	}
	hint := values.Get("login_hint")
	if c.Protocol == sso.OIDC {
		in, err := oidc.CheckInitiation(values, c.Issuer)
		if err != nil {
			return Next{}, err
		}
		hint = in.LoginHint
	}
	return s.toDefault(ctx, v, c, hint)
}

// restart answers a response that nobody asked for: with a sign-in of our own in the same browser, never with a session. A provider that
// answers that one without being asked, too, would send the browser round for ever, so it is refused the second time.
func (s *SignIns) restart(ctx context.Context, v Visitor, c sso.Connection, hint string) (Next, error) {
	if v.Restarted == string(c.ID) {
		refusal := &sso.Refusal{Connection: c, Fault: fault.New(fault.Forbidden, string(sso.IDPInitiatedDisabled),
			"The identity provider answered a request of ours without naming it. It has to answer with InResponseTo.").
			Compared("a response to our request", "a response without InResponseTo, twice")}
		return s.refused(ctx, v, refusal)
	}
	next, err := s.toDefault(ctx, v, c, hint)
	next.Restart = string(c.ID)
	return next, err
}

// toDefault begins a sign-in to the default application: it is asked to begin one itself where it says how, else its default redirect URI
// gets a profile, as clients of the compatible route expect of a sign-in that the provider began.
func (s *SignIns) toDefault(ctx context.Context, v Visitor, c sso.Connection, hint string) (Next, error) {
	on, err := s.on(ctx, orgID(c.OrganizationID))
	if err != nil {
		return Next{}, err
	}
	if !on {
		return s.refused(ctx, v, &sso.Refusal{Connection: c, Fault: connectionShut()})
	}
	if !c.LetsIn() {
		return s.refused(ctx, v, &sso.Refusal{Connection: c, Fault: c.Closed()})
	}
	app, err := s.o.Issuer.Default(ctx)
	if err != nil {
		return Next{}, err
	}
	if app.InitiateURI != "" {
		to, err := s.initiate(app.InitiateURI, c, hint)
		return Next{URL: to, Target: app.InitiateURI}, err
	}
	if app.DefaultURI() == "" {
		return Next{}, fault.New(fault.Invalid, "no_default_redirect_uri",
			"A sign-in that the identity provider begins leads to the default application, which has no redirect URI yet.")
	}
	a, err := s.o.Issuer.Authorize(ctx, oidc.AuthorizationRequest{ClientID: app.ClientID, RedirectURI: app.DefaultURI(), Connection: string(c.ID)}, oidc.StyleSSO)
	if err != nil {
		return Next{}, err
	}
	return s.start(ctx, v, a, c, hint)
}

// initiate is a third-party-initiated login of OpenID Connect Core 1.0, section 4, with the connection beside what is standard.
func (s *SignIns) initiate(uri string, c sso.Connection, hint string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("iss", s.o.Issuer.Issuer())
	if hint != "" {
		q.Set("login_hint", hint)
	}
	q.Set("organization", c.OrganizationID)
	q.Set("connection", string(c.ID))
	u.RawQuery = q.Encode()
	return u.String(), nil
}
