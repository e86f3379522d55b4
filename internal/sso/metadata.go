package sso

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
)

// Why a reading of the metadata waits for somebody's approval.
const (
	entityIDChanged   = "entity_id_changed"
	noCertificateLeft = "no_certificate_left"
	notSecure         = "not_secure" // read without TLS, so anybody on the way may have written it
)

// keepMissing is how long a certificate that the metadata does not name any more goes on verifying after its last use.
const keepMissing = 14 * 24 * time.Hour

// maxMetadata is how long a document of metadata may be, in bytes.
const maxMetadata = 2 << 20

// reading is metadata that was parsed.
type reading struct {
	document     string
	etag         string
	entityID     string
	sso, slo     saml.Endpoint
	certificates []Certificate
}

// readMetadata parses a document. entityID chooses where it describes several providers; "" takes the only one.
func readMetadata(document []byte, entityID string, now time.Time) (reading, error) {
	m, err := saml.ParseMetadata(document, entityID, now)
	if err != nil {
		return reading{}, onMetadata(err)
	}
	r := reading{document: string(document), entityID: m.EntityID, sso: preferred(m.SSO), slo: preferred(m.SLO)}
	if r.sso.URL == "" {
		return r, invalid("metadata", "invalid_metadata", "The metadata names no address for sign-ins by HTTP-Redirect or HTTP-POST.")
	}
	for _, c := range m.Certificates {
		if weak(c) == "" && len(r.certificates) < maxCertificates {
			r.certificates = append(r.certificates, certificateOf(c, FromMetadata, now))
		}
	}
	return r, nil
}

// onMetadata makes a refusal of a request out of one of the grammar.
func onMetadata(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	return invalid("metadata", "invalid_metadata", "The metadata cannot be used: %s", f.Message).Compared(f.Wanted, f.Got).Because(err)
}

// preferred is the redirect where there is one: it works without script.
func preferred(endpoints []saml.Endpoint) saml.Endpoint {
	for _, binding := range []saml.Binding{saml.BindingRedirect, saml.BindingPost} {
		if i := slices.IndexFunc(endpoints, func(e saml.Endpoint) bool { return e.Binding == binding }); i >= 0 {
			return endpoints[i]
		}
	}
	return saml.Endpoint{}
}

func bindingOf(b saml.Binding) Binding {
	switch b {
	case saml.BindingRedirect:
		return Redirect
	case saml.BindingPost:
		return Post
	default:
		return ""
	}
}

// reasons to hold a reading for approval. chosen says that a person has just named the source, so that another entity id is what they
// meant.
func (c Connection) reasons(r reading, secure, chosen bool) (why []string) {
	if c.IDPEntityID != "" && c.IDPEntityID != r.entityID && !chosen {
		why = append(why, entityIDChanged)
	}
	if len(r.certificates) == 0 {
		why = append(why, noCertificateLeft)
	}
	if !secure && !c.known(r) {
		why = append(why, notSecure)
	}
	return why
}

// known says whether a reading has nothing new.
func (c Connection) known(r reading) bool {
	if c.IDPEntityID != r.entityID || c.SSOURL != r.sso.URL || c.SLOURL != r.slo.URL || c.SLOResponseURL != r.slo.ResponseURL {
		return false
	}
	return !slices.ContainsFunc(r.certificates, func(one Certificate) bool {
		return !slices.ContainsFunc(c.Certificates, func(have Certificate) bool { return have.Fingerprint == one.Fingerprint && have.MissingSince.IsZero() })
	})
}

// take takes a reading over: its certificates are added, those it does not name are marked, and go when they were not used for two
// weeks. What was given by hand stays.
func (c *Connection) take(r reading, now time.Time) {
	c.metadata, c.metadataETag, c.MetadataError, c.Pending = r.document, r.etag, "", nil
	c.IDPEntityID, c.SSOURL, c.SSOBinding = r.entityID, r.sso.URL, bindingOf(r.sso.Binding)
	c.SLOURL, c.SLOBinding, c.SLOResponseURL = r.slo.URL, bindingOf(r.slo.Binding), r.slo.ResponseURL
	named := map[string]bool{}
	for _, one := range r.certificates {
		named[one.Fingerprint] = true
	}
	c.Certificates = slices.DeleteFunc(slices.Clone(c.Certificates), func(one Certificate) bool {
		return one.Source == FromMetadata && !named[one.Fingerprint] && one.forgotten(now)
	})
	for i := range c.Certificates {
		one := &c.Certificates[i]
		switch {
		case named[one.Fingerprint]:
			one.MissingSince = time.Time{}
		case one.Source == FromMetadata && one.MissingSince.IsZero():
			one.MissingSince = now
		}
	}
	for _, one := range r.certificates {
		c.add(one)
	}
	if extra := len(c.Certificates) - maxCertificates; extra > 0 { // a provider that names new ones every day
		c.dropMissing(extra)
	}
}

// forgotten says whether a certificate was neither named nor used for long enough.
func (c Certificate) forgotten(now time.Time) bool {
	return !c.MissingSince.IsZero() && now.Sub(c.MissingSince) >= keepMissing && now.Sub(c.LastUsedAt) >= keepMissing
}

func (c *Connection) dropMissing(n int) {
	c.Certificates = slices.DeleteFunc(c.Certificates, func(one Certificate) bool {
		if n > 0 && !one.MissingSince.IsZero() {
			n--
			return true
		}
		return false
	})
}

// hold keeps a reading for approval.
func (c *Connection) hold(r reading, reasons []string, now time.Time) {
	p := &PendingChange{Reasons: reasons, At: now, IDPEntityID: r.entityID, SSOURL: r.sso.URL, Document: r.document}
	for _, one := range r.certificates {
		p.Certificates = append(p.Certificates, one.Fingerprint)
	}
	c.Pending, c.MetadataError = p, ""
}

// apply takes a reading over or holds it, and says which.
func (c *Connection) apply(r reading, secure, chosen bool, now time.Time) (taken bool) {
	if why := c.reasons(r, secure, chosen); len(why) > 0 {
		c.hold(r, why, now)
		return false
	}
	c.take(r, now)
	return true
}

// secure says whether nobody on the way can have changed what an address gave.
func secure(url string) bool { return strings.HasPrefix(url, "https://") }

func errNothingPending(id ID) error {
	return fault.New(fault.Conflict, "nothing_pending", "No change of the metadata of connection %s waits for approval.", id)
}

func metadataFault(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return fmt.Sprintf("The metadata could not be read: %s", bounded(err.Error(), maxShown))
}
