package sso

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/session"
)

// logoutLife is how long a logout request of ours may be on its way.
const logoutLife = 5 * time.Minute

// Departure is a person's way to the provider, so that their session ends there too.
type Departure struct {
	URL   string
	Form  *Form
	Begun BegunLogout
}

// BegunLogout is by what the provider's answer is known as the answer to a logout of ours.
type BegunLogout struct {
	Connection ID     `json:"c"`
	Request    string `json:"r"` // SAML: id of the request; OpenID Connect: state
}

// Answered says whether what came back at a connection is the answer to this.
func (b BegunLogout) Answered(c ID, request string) bool {
	return b.Request != "" && b.Connection == c && b.Request == request
}

// LeavesTo finds the connection of a session whose provider the person is sent on to when it ends; ok is false where there is none: no
// connection, no address for logouts, or the option is off.
func (s *Service) LeavesTo(ctx context.Context, ended session.Session) (c Connection, ok bool, err error) {
	if ended.ConnectionID == "" {
		return c, false, nil
	}
	c, err = s.Get(ctx, ID(ended.ConnectionID))
	if fault.Is(err, fault.NotFound) || err == nil && (c.OrganizationID != ended.OrganizationID || !c.singleLogout()) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	if c.Protocol == SAML {
		return c, c.SLOURL != "" && ended.ProfileID != "", nil
	}
	if c.discovery == "" {
		return c, false, nil
	}
	d, err := c.provider()
	return c, err == nil && d.EndSessionEndpoint != "", err
}

// Logout gives the way to the provider that ends a person's session there too; ok is false where LeavesTo is. The session here is for the
// caller to end, before. base is that of the connection's organization.
func (s *Service) Logout(ctx context.Context, ended session.Session, base string) (out Departure, ok bool, err error) {
	c, ok, err := s.LeavesTo(ctx, ended)
	if err != nil || !ok {
		return out, false, err
	}
	if c.Protocol == OIDC {
		out, err = c.leaveByOIDC(base)
		return out, err == nil, err
	}
	whom, err := s.whom(ctx, c, ended)
	if err != nil || whom.Value == "" {
		return out, false, err
	}
	out, err = s.leaveBySAML(c, whom, ended.IDPSession, base)
	return out, err == nil, err
}

// whom is the person of a session as the provider named them when it began; in a session of an earlier release, as it named them last.
func (s *Service) whom(ctx context.Context, c Connection, ended session.Session) (Subject, error) {
	if ended.Subject.Text != "" {
		return readSubject(ended.Subject.Text)
	}
	p, err := s.Profile(ctx, ProfileID(ended.ProfileID))
	if fault.Is(err, fault.NotFound) || err == nil && p.ConnectionID != c.ID {
		return Subject{}, nil
	}
	return p.Subject, err
}

// leaveBySAML asks the provider by a signed request. Without the provider's name of the session all of the person's are meant there.
func (s *Service) leaveBySAML(c Connection, whom Subject, session, base string) (out Departure, err error) {
	key, cert, err := s.keyPair(c)
	if err != nil {
		return out, err
	}
	now := s.moment()
	r := saml.LogoutRequest{
		ID: saml.NewRequestID(), Issuer: c.Addresses(base).EntityID, Destination: c.SLOURL, IssuedAt: now, NotOnOrAfter: now.Add(logoutLife),
		NameID: saml.NameID(whom),
	}
	if session != "" {
		r.SessionIndexes = []string{session}
	}
	out.Begun = BegunLogout{Connection: c.ID, Request: r.ID}
	if c.SLOBinding == Post {
		form, err := r.Post("", key, cert)
		out.Form = &form
		return out, err
	}
	out.URL, err = r.Redirect("", key)
	return out, err
}

// leaveByOIDC asks without a hint, since ID tokens are not kept: the provider knows us by the client id, and may ask the person (OpenID
// Connect RP-Initiated Logout 1.0, section 2).
func (c Connection) leaveByOIDC(base string) (out Departure, err error) {
	d, err := c.provider()
	if err != nil {
		return out, fmt.Errorf("discovery of connection %s: %w", c.ID, err)
	}
	u, err := url.Parse(d.EndSessionEndpoint)
	if err != nil {
		return out, fmt.Errorf("end_session_endpoint of connection %s: %w", c.ID, err)
	}
	out.Begun = BegunLogout{Connection: c.ID, Request: saml.NewRequestID()}
	q := u.Query()
	q.Set("client_id", c.ClientID)
	q.Set("post_logout_redirect_uri", c.Addresses(base).SignedOut)
	q.Set("state", out.Begun.Request)
	u.RawQuery = q.Encode()
	out.URL = u.String()
	return out, nil
}

// judgeAnswer holds a verified answer against what this browser began. That other applications of the provider were not reached
// (PartialLogout) is nothing that could be mended here: its own session is over.
func (c Connection) judgeAnswer(r *saml.LogoutResponse, begun BegunLogout) *fault.Error {
	switch {
	case !begun.Answered(c.ID, r.InResponseTo):
		return deny(InResponseToUnknown, "the answer to a logout that this browser began within ten minutes", "an answer to another", "The answer belongs to no logout that this browser began here.")
	case r.Status != saml.StatusSuccess && r.Detail != saml.StatusPartialLogout:
		return deny(IDPDenied, saml.StatusSuccess, r.Status+" "+r.Detail, "The identity provider did not end its session. The person is signed out here.")
	}
	return nil
}
