package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Refusals of a selection, in the words that clients of the compatible routes know.
const (
	invalidSelector   oidc.ErrorCode = "invalid_connection_selector"
	ambiguousSelector oidc.ErrorCode = "ambiguous_connection_selector"
	connectionInvalid oidc.ErrorCode = "connection_invalid"
	connectionOff     oidc.ErrorCode = "connection_unlinked"
	domainInvalid     oidc.ErrorCode = "connection_domain_invalid"
	strategyInvalid   oidc.ErrorCode = "connection_strategy_invalid"
	organizationWrong oidc.ErrorCode = "organization_invalid"
)

// hostedProvider is what clients name who want the hosted page.
const hostedProvider = "authkit"

// way is how a person is to come in. Nothing set: the hosted page asks.
type way struct {
	organizationID string // the only one that will do
	connection     *sso.Connection
	hinted         bool // by a hint, which demands nothing
	asks           bool // the hosted page asks, though there is a connection: the person may choose
}

// selector refuses a selection that standard clients would not understand by a code that they do.
func selector(a issuer.Authorization, code oidc.ErrorCode, format string, args ...any) error {
	if !a.Style.Compatible() {
		code = oidc.InvalidRequest
	}
	return oidc.Refuse(code, format, args...)
}

// selected reads what the application selects: a connection, a domain, an organization, or nothing and perhaps a hint. An organization
// beside a connection or a domain has to be theirs: an application that belongs to an organization always names it.
func (s *SignIns) selected(ctx context.Context, a issuer.Authorization) (w way, err error) {
	r := a.Request
	named := 0
	for _, value := range []string{r.Connection, r.Provider, r.Domain} {
		if value != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return w, selector(a, invalidSelector, "Give one of connection, organization, provider and domain, not several.")
	case r.Connection != "":
		w, err = s.byConnection(ctx, a, sso.ID(r.Connection))
	case r.Domain != "":
		w, err = s.byDomain(ctx, a, r.Domain)
	case r.Provider != "" && r.Provider != hostedProvider:
		return w, selector(a, strategyInvalid, "There is no provider %.80q here. Select a connection or an organization.", r.Provider)
	case r.Organization != "":
		w, err = s.byOrganization(ctx, a, org.ID(r.Organization))
	default:
		w, err = s.byHint(ctx, a)
	}
	if err != nil {
		return way{}, err
	}
	return w, fits(a, w)
}

// fits holds an authorization to the organization that it names.
func fits(a issuer.Authorization, w way) error {
	if named := a.Request.Organization; named != "" && w.organizationID != "" && w.organizationID != named {
		return selector(a, invalidSelector, "The connection or domain is of another organization than the one that is named.")
	}
	return nil
}

func (s *SignIns) byConnection(ctx context.Context, a issuer.Authorization, id sso.ID) (way, error) {
	c, err := s.o.Connections.Get(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return way{}, selector(a, connectionInvalid, "There is no connection '%.80s'.", id)
	case err != nil:
		return way{}, err
	}
	on, err := s.on(ctx, org.ID(c.OrganizationID))
	switch {
	case err != nil:
		return way{}, err
	case on && c.Switching != "" && !c.LetsIn():
		return way{}, selector(a, connectionOff, "%s", c.Closed().Message)
	case !on || !c.LetsIn():
		return way{}, selector(a, connectionOff, "The connection '%.80s' lets nobody in at present.", id)
	}
	return way{organizationID: c.OrganizationID, connection: &c}, nil
}

func (s *SignIns) byOrganization(ctx context.Context, a issuer.Authorization, id org.ID) (way, error) {
	_, err := s.o.Organizations.Get(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return way{}, selector(a, organizationWrong, "There is no organization '%.80s'.", id)
	case err != nil:
		return way{}, err
	}
	c, err := s.entrance(ctx, id)
	var refused *fault.Error
	switch {
	case errors.As(err, &refused) && refused.Kind == fault.Conflict:
		return way{}, selector(a, ambiguousSelector, "The organization has several connections. Select one of them, or make one the default.")
	case err != nil:
		return way{}, err
	case c == nil && (s.o.ProfilesOnly || a.Style == oidc.StyleSSO):
		return way{}, selector(a, organizationWrong, "The organization '%.80s' has no connection that lets people in.", id)
	}
	asks, err := s.choosable(ctx, a, id)
	return way{organizationID: string(id), connection: c, asks: c != nil && asks}, err
}

func (s *SignIns) byDomain(ctx context.Context, a issuer.Authorization, domain string) (way, error) {
	id, err := s.ownerOf(ctx, "x@"+domain)
	switch {
	case err != nil:
		return way{}, err
	case id == "":
		return way{}, selector(a, domainInvalid, "No organization with a connection has verified the domain '%.80s'.", domain)
	}
	w, err := s.byOrganization(ctx, a, id)
	w.asks = false // who names a domain means its connection
	return w, err
}

// byHint goes straight on where a hint leads to a connection, and asks where it does not: hints of strangers find out no more than the
// page would tell them.
func (s *SignIns) byHint(ctx context.Context, a issuer.Authorization) (way, error) {
	for _, email := range []string{a.Request.LoginHint, "x@" + a.Request.DomainHint} {
		c, err := s.connectionFor(ctx, a, email)
		if err != nil {
			return way{}, err
		}
		if c != nil {
			asks, err := s.choosable(ctx, a, org.ID(c.OrganizationID))
			return way{organizationID: c.OrganizationID, connection: c, hinted: true, asks: asks}, err
		}
	}
	return way{}, nil
}

// connectionFor finds the connection that people with an address come in through; nil if there is none, or more than one.
func (s *SignIns) connectionFor(ctx context.Context, a issuer.Authorization, email string) (*sso.Connection, error) {
	id, err := s.ownerOf(ctx, email)
	if err != nil || id == "" || a.Request.Organization != "" && a.Request.Organization != string(id) {
		return nil, err
	}
	c, err := s.entrance(ctx, id)
	if fault.Is(err, fault.Conflict) {
		return nil, nil //nolint:nilnil // several, and none of them the default
	}
	return c, err
}

// ownerOf is the organization that has verified the domain of an address; "" if none has.
func (s *SignIns) ownerOf(ctx context.Context, email string) (org.ID, error) {
	domain, ok := org.EmailDomain(email)
	if !ok {
		return "", nil
	}
	id, err := org.OfDomain(ctx, s.o.DB, domain)
	if err != nil {
		return "", fmt.Errorf("find the organization of a domain: %w", err)
	}
	return id, nil
}

// entrance is the connection through which an organization is entered; nil if there is none. Conflict: there are several.
func (s *SignIns) entrance(ctx context.Context, id org.ID) (*sso.Connection, error) {
	on, err := s.on(ctx, id)
	if err != nil || !on {
		return nil, err
	}
	c, err := s.o.Connections.Choose(ctx, string(id))
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil //nolint:nilnil // none is an answer
	case err != nil:
		return nil, err
	}
	return &c, nil
}

// on says whether the organization is there and may use single sign-on.
func (s *SignIns) on(ctx context.Context, id org.ID) (bool, error) {
	f, err := s.o.Organizations.Features(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return f.On(org.SSO), err
}

// HopPath is where a browser changes from one of our hosts to another on its way to a provider.
const HopPath = "/sign-in/onward"

// anyBrowser seals an authorization that the other host's browser cookie shall take over. Whoever holds it can begin a sign-in, and
// no more: an application's authorization address can be opened by anybody too.
const anyBrowser token.Hash = "any"

func (s *SignIns) hop(a issuer.Authorization, c sso.Connection, hint string) string {
	return url.Values{"to": {s.o.Issuer.SealAuthorization(a, anyBrowser)}, "connection": {string(c.ID)}, "login_hint": {hint}}.Encode()
}

// Onward goes on at the host of a connection.
func (s *SignIns) Onward(ctx context.Context, v Visitor, to, connection, hint string) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(to, anyBrowser)
	if err != nil {
		return Next{}, err
	}
	w, err := s.byConnection(ctx, a, sso.ID(connection))
	if err == nil {
		err = fits(a, w)
	}
	if err != nil {
		return s.told(a, err)
	}
	return s.depart(ctx, v, a, *w.connection, hint)
}
