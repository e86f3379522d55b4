package portal

import (
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// certificatesView is the page of a connection's signing certificates.
type certificatesView struct {
	Name, Text, Wrong string
	MetadataURL       string
	Warnings          []string
	All               []certificateView
	Add               ui.FormProps
}

type certificateView struct {
	Subject, Fingerprint string
	NotAfter, LastUsed   time.Time
	Over, Spare          bool // Spare: there is another
	Delete               ui.FormProps
}

// chooseCertificates is where a link for the renewal leads: to the one connection that has certificates, or to a choice.
func chooseCertificates(c *call) error {
	all, err := c.connections()
	if err != nil {
		return err
	}
	var links []ui.Link
	for _, one := range all {
		if one.Protocol == sso.SAML {
			links = append(links, ui.Link{Label: one.Name, Href: "/portal/certificates/" + string(one.ID)})
		}
	}
	if len(links) == 1 {
		c.redirect(links[0].Href)
		return nil
	}
	return c.ok(c.t("portal.certificates_title"), certificateChoice(links))
}

// samlConnection is one of the organization that has certificates.
func (c *call) samlConnection() (sso.Connection, error) {
	one, err := c.connection(c.path("connection"))
	if err == nil && one.Protocol != sso.SAML {
		err = fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	return one, err
}

func showCertificates(c *call) error {
	one, err := c.samlConnection()
	if err != nil {
		return err
	}
	return c.certificatesPage(http.StatusOK, one, "", "")
}

func (c *call) certificatesPage(status int, one sso.Connection, text, wrong string) error {
	now := c.s.o.Now()
	base := "/portal/certificates/" + string(one.ID)
	view := certificatesView{Name: one.Name, Text: text, Wrong: wrong, MetadataURL: one.MetadataURL, Warnings: one.Warnings(now), Add: c.formTo(base)}
	for _, cert := range one.Certificates {
		view.All = append(view.All, certificateView{
			cert.Subject, cert.Fingerprint, cert.NotAfter, cert.LastUsedAt, !now.Before(cert.NotAfter), len(one.Certificates) > 1,
			c.formTo(base + "/" + cert.Fingerprint + "/delete"),
		})
	}
	return c.page(status, c.shell(c.t("portal.certificates_title")), certificatesPage(view))
}

// addCertificate adds one beside those that are there: both are accepted until the provider has switched over.
func addCertificate(c *call) error {
	one, err := c.samlConnection()
	if err != nil {
		return err
	}
	text := c.form.Get("certificate")
	_, err = c.s.o.Connections.AddCertificate(c.ctx(), c.actor(), one.ID, text)
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		return c.certificatesPage(http.StatusUnprocessableEntity, one, text, f.Message)
	}
	if err != nil {
		return err
	}
	c.redirect("/portal/certificates/" + string(one.ID))
	return nil
}

func deleteCertificate(c *call) error {
	one, err := c.samlConnection()
	if err != nil {
		return err
	}
	if len(one.Certificates) < 2 { //nolint:mnd // without any the connection lets nobody in
		return c.certificatesPage(http.StatusConflict, one, "", c.t("portal.certificate_last"))
	}
	_, err = c.s.o.Connections.DeleteCertificate(c.ctx(), c.actor(), one.ID, c.path("fingerprint"))
	if f, ok := fault.As(err); ok && (f.Kind == fault.Unprocessable || f.Kind == fault.Conflict) {
		return c.certificatesPage(http.StatusUnprocessableEntity, one, "", f.Message)
	}
	if err != nil {
		return err
	}
	c.redirect("/portal/certificates/" + string(one.ID))
	return nil
}
