package signin

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// maxPublicAge: keys and the document change rarely, and a key is published a day before it signs.
const publicCache = "public, max-age=300"

func discovery(c *call) error {
	body, err := c.s.o.Issuer.Discovery()
	if err != nil {
		return err
	}
	return c.public(body)
}

func keySet(c *call) error {
	body, err := c.s.o.Issuer.JWKS(c.ctx())
	if err != nil {
		return err
	}
	return c.public(body)
}

func clientKeySet(c *call) error {
	body, err := c.s.o.Issuer.ClientJWKS(c.ctx(), c.values["client_id"])
	if err != nil {
		return err
	}
	return c.public(body)
}

func (c *call) public(body []byte) error {
	c.w.Header().Set("Cache-Control", publicCache)
	web.WriteBody(c.w, http.StatusOK, "application/json", body)
	return nil
}

func authorize(c *call) error        { return c.authorize(oidc.StyleOIDC) }
func authorizeProfile(c *call) error { return c.authorize(oidc.StyleSSO) }
func authorizeAccount(c *call) error { return c.authorize(oidc.StyleUserManagement) }

// authorize begins a sign-in. The parameters may be posted (OpenID Connect Core 1.0, section 3.1.2.1).
func (c *call) authorize(style oidc.Style) error {
	values, err := c.parameters()
	if err != nil {
		return err
	}
	request, err := oidc.ParseAuthorization(values, style)
	if err != nil {
		return c.s.o.Issuer.Refused(c.ctx(), request, err)
	}
	a, err := c.s.o.Issuer.Authorize(c.ctx(), request, style)
	if err != nil {
		return err
	}
	if c.returned(values) {
		return nil
	}
	n, err := c.s.o.SignIns.Begin(c.ctx(), c.visitor(true), a)
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// returned sends a browser that posted without the session's cookie here once more: a post from another site comes without it, a redirect
// with it.
func (c *call) returned(values url.Values) bool {
	if c.r.Method != http.MethodPost || web.SessionCookie.Value(c.r) != "" || values.Has(bounced) {
		return false
	}
	values.Set(bounced, "1")
	c.redirect(c.r.URL.Path + "?" + values.Encode())
	return true
}

func (c *call) parameters() (url.Values, error) {
	if c.r.Method == http.MethodPost {
		return c.form(maxForm)
	}
	return c.query()
}

// request is an application's request as the grammar reads it.
func (c *call) request() (oidc.Request, error) {
	body, err := web.ReadBody(c.r, oidc.MaxTokenBody)
	return oidc.Request{
		ContentType: c.r.Header.Get("Content-Type"), Authorization: c.r.Header.Get("Authorization"), Query: c.r.URL.RawQuery, Body: body,
	}, err
}

func issueToken(c *call) error   { return c.issue(oidc.StyleOIDC) }
func issueProfile(c *call) error { return c.issue(oidc.StyleSSO) }
func issueAccount(c *call) error { return c.issue(oidc.StyleUserManagement) }

func (c *call) issue(style oidc.Style) error {
	in, err := c.request()
	if err != nil {
		return err
	}
	request, err := oidc.ParseTokenRequest(in, style)
	if err != nil {
		return err
	}
	answer, err := c.s.o.Issuer.Token(c.ctx(), request, style)
	if err != nil {
		return err
	}
	c.jsonBody(answer.JSON())
	return nil
}

// question is what an application asks about a token of its own.
func (c *call) question() (oidc.TokenQuestion, error) {
	in, err := c.request()
	if err != nil {
		return oidc.TokenQuestion{}, err
	}
	return oidc.ParseTokenQuestion(in)
}

func introspect(c *call) error {
	question, err := c.question()
	if err != nil {
		return err
	}
	body, err := c.s.o.Issuer.Introspect(c.ctx(), question)
	if err != nil {
		return err
	}
	c.jsonBody(body)
	return nil
}

// revoke answers every token alike (RFC 7009, section 2.2).
func revoke(c *call) error {
	question, err := c.question()
	if err != nil {
		return err
	}
	if err := c.s.o.Issuer.Revoke(c.ctx(), question); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// bearer is the token of the Authorization header; in an address or a form none is taken (RFC 9700, section 4.3.2).
func (c *call) bearer() (token.Secret, error) {
	scheme, secret, ok := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return "", oidc.Refuse(oidc.InvalidToken, "There is no bearer token in the Authorization header.").Because(errNoToken{})
	}
	return token.Secret(strings.TrimSpace(secret)), nil
}

func userInfo(c *call) error    { return c.about(c.s.o.Issuer.UserInfo) }
func showProfile(c *call) error { return c.about(c.s.o.Issuer.ProfileOf) }

// about answers with what a bearer token says of its person.
func (c *call) about(tell func(context.Context, token.Secret) ([]byte, error)) error {
	secret, err := c.bearer()
	if err != nil {
		return err
	}
	body, err := tell(c.ctx(), secret)
	if err != nil {
		return err
	}
	c.jsonBody(body)
	return nil
}
