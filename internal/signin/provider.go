package signin

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web"
)

// metadata is what a SAML provider may read about us.
func metadata(c *call) error {
	found, err := c.s.o.Connections.ByKey(c.ctx(), c.values["key"])
	if err != nil {
		return err
	}
	if found.Protocol != sso.SAML {
		return fault.New(fault.NotFound, "not_found", "There is nothing at this address.")
	}
	body, err := c.s.o.Connections.SPMetadata(found, c.s.o.Bases(found.OrganizationID))
	if err != nil {
		return err
	}
	web.WriteBody(c.w, http.StatusOK, "application/samlmetadata+xml", body)
	return nil
}

// bounced marks a post that came back from our own page.
const bounced = "rollcall_again"

// receiveSAML takes a response at a connection's own address, or at one it has from a former vendor.
func receiveSAML(c *call) error {
	f, err := c.form(maxSAML)
	if err != nil {
		return err
	}
	if web.BrowserCookie.Value(c.r) == "" && f.Get(bounced) == "" {
		return c.bounce(f)
	}
	arrival := sso.SAMLArrival{Key: c.values["key"], Bases: c.s.o.Bases, Called: c.q.Known}
	if arrival.Key == "" {
		arrival.Path = c.r.URL.Path
	}
	if arrival.Response, err = one(f, "SAMLResponse"); err != nil {
		return err
	}
	if arrival.RelayState, err = one(f, "RelayState"); err != nil {
		return err
	}
	n, err := c.s.o.SignIns.ReceiveSAML(c.ctx(), c.visitor(true), arrival)
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// bounce has the browser post the same again, from here: then its cookie comes along.
func (c *call) bounce(f map[string][]string) error {
	p := web.OnwardPage{Action: c.r.URL.Path, Back: true, Fields: []web.Field{{Name: bounced, Value: "1"}}}
	for _, name := range []string{"SAMLResponse", "RelayState"} {
		for _, value := range f[name] {
			p.Fields = append(p.Fields, web.Field{Name: name, Value: value})
		}
	}
	return c.page(http.StatusOK, p, "")
}

func receiveOIDC(c *call) error {
	q, err := c.providers()
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.ReceiveOIDC(c.ctx(), c.visitor(true), sso.OIDCArrival{Key: c.values["key"], Query: q})
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// startAt begins a sign-in at a connection's address. target_link_uri of the standard is not followed: it could be anybody's.
func startAt(c *call) error {
	q, err := c.query()
	if c.r.Method == http.MethodPost {
		q, err = c.form(maxForm)
	}
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.StartAt(c.ctx(), c.visitor(true), c.values["key"], q)
	if err != nil {
		return err
	}
	return c.proceed(n)
}
