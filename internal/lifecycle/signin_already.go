package lifecycle

import (
	"context"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Place is where a person goes on into an application.
type Place struct{ App, URL string }

// already answers a replay that did no harm: a browser that posts the same answer twice, by a double click or by going back, while the
// session that the first one made lives in that very browser. The person is shown the way to their applications, and nothing is granted:
// neither a cookie nor a code. Any other replay is refused.
func (s *SignIns) already(ctx context.Context, v Visitor, r *sso.Refusal) (Next, bool, error) {
	if r.Code != string(sso.Replayed) || v.Browser == "" {
		return Next{}, false, nil
	}
	over := r.Over
	if over == nil {
		over = r.Attempt // that was open when it was read: another post of the same answer came before
	}
	if over == nil {
		return Next{}, false, nil
	}
	now, err := s.o.Connections.Attempt(ctx, over.ID)
	if err != nil || now.State != sso.Succeeded || now.SessionID == "" {
		return Next{}, false, ignoreMissing(err)
	}
	held, err := s.o.Sessions.Get(ctx, now.SessionID)
	if err != nil || held.Browser != v.Browser || !held.Living(s.time()) {
		return Next{}, false, ignoreMissing(err)
	}
	places, err := s.placesOf(ctx, held)
	return Next{Page: ShowAlready, Places: places}, err == nil, err
}

// placesOf are the ways into the applications that know a session.
func (s *SignIns) placesOf(ctx context.Context, held session.Session) ([]Place, error) {
	ids, err := s.o.Sessions.Applications(ctx, held.ID)
	if err != nil {
		return nil, err
	}
	var out []Place
	for _, id := range ids {
		app, err := s.o.Issuer.Get(ctx, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		to, err := s.into(app, held)
		if err != nil {
			return nil, err
		}
		if to != "" {
			out = append(out, Place{App: app.Name, URL: to})
		}
	}
	return out, nil
}

// into is where an application begins a sign-in, which then needs no more than the session; else the home of its default redirect URI, ""
// for one that is no page.
func (s *SignIns) into(app issuer.Application, held session.Session) (string, error) {
	if app.InitiateURI != "" {
		return s.initiate(app.InitiateURI, sso.Connection{OrganizationID: held.OrganizationID, ID: sso.ID(held.ConnectionID)}, "")
	}
	u, err := url.Parse(app.DefaultURI())
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", nil //nolint:nilerr // was a URI when it was registered; without one there is no link
	}
	return u.Scheme + "://" + u.Host + "/", nil
}
