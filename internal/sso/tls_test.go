package sso_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// secured serves a document over TLS, and makes the service one that trusts the server.
func (h *house) secured(handler http.Handler) *httptest.Server {
	h.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	s := httptest.NewUnstartedServer(handler)
	s.Listener = listener
	s.StartTLS()
	h.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	h.s = h.service(outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, lookup).Trusting(roots))
	return s
}

// published is a connection by metadata over TLS.
func (h *house) published() (p *provider, body *atomic.Value, asked *atomic.Int64) {
	h.Helper()
	body, asked = &atomic.Value{}, &atomic.Int64{}
	server := h.secured(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, body.Load())
	}))
	idp := samltest.New("https://idp.example.com/acme")
	body.Store(metadata(idp.EntityID, "https://idp.example.com/sso", idp.Signer))
	c, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "GenericSAML", Settings: sso.Change{Name: ptr("SSO"), MetadataURL: ptr(server.URL + "/metadata")}})
	h.ok(err)
	if c.State != sso.Validating || c.Pending != nil || len(c.Certificates) != 1 || c.Certificates[0].Source != sso.FromMetadata || c.IDPEntityID != idp.EntityID {
		h.Fatalf("metadata over TLS was not taken over: %+v", c)
	}
	return &provider{house: h, IDP: idp, c: c}, body, asked
}

func (p *provider) by(s samltest.Signer) (*sso.Verified, error) {
	_, request := p.start(sso.SignIn)
	return p.s.ReceiveSAML(ctx, p.arrival((&samltest.IDP{EntityID: p.EntityID, Signer: s}).Respond(p.message(request), samltest.AssertionSigned)))
}

// P16: over TLS the change of certificates is taken over by itself, by the first sign-in that shows it, and nobody waits.
func TestP16_certificate_changes_by_itself_where_the_metadata_comes_over_TLS(t *testing.T) {
	onBoth(t, func(h *house) {
		p, body, asked := h.published()
		fresh := samltest.NewSigner(samltest.RSA("fresh", 2048), samltest.Year(2020), samltest.Year(2040))
		stranger := samltest.NewSigner(samltest.RSA("stranger", 2048), samltest.Year(2020), samltest.Year(2040))
		v, err := p.by(p.Signer)
		h.ok(err)
		h.ok(h.finish(v, sso.End{}))
		h.wait(20 * time.Minute)
		body.Store(metadata(p.EntityID, "https://idp.example.com/sso2", p.Signer, fresh))
		before := asked.Load()
		v, err = p.by(fresh)
		h.ok(err)
		if v.Connection.SSOURL != "https://idp.example.com/sso2" || asked.Load() != before+1 {
			h.Errorf("read %d times, %s", asked.Load()-before, v.Connection.SSOURL)
		}
		h.ok(h.finish(v, sso.End{}))
		_, err = p.by(p.Signer) // both count
		h.ok(err)
		_, err = p.by(stranger)
		h.refused(err, sso.CertificateUnknown)
		if asked.Load() != before+1 {
			h.Error("a stranger's certificate had the metadata read at once again")
		}

		body.Store(metadata(p.EntityID, "https://idp.example.com/sso2", fresh))
		c, err := h.s.RefreshMetadata(ctx, actor, p.c.ID)
		h.ok(err)
		if len(c.Certificates) != 2 || c.Pending != nil {
			h.Fatalf("%+v", c)
		}
		v, err = p.by(p.Signer) // not named any more, and still on the way
		h.ok(err)
		if !slices.ContainsFunc(v.Warnings, func(w string) bool { return strings.Contains(w, "does not name") }) {
			h.Errorf("%v", v.Warnings)
		}
		h.wait(15 * 24 * time.Hour)
		c, err = h.s.RefreshMetadata(ctx, actor, p.c.ID)
		h.ok(err)
		if len(c.Certificates) != 1 {
			h.Errorf("%d certificates after two weeks", len(c.Certificates))
		}
		_, err = p.by(p.Signer)
		h.refused(err, sso.CertificateUnknown)
		_, err = p.by(fresh)
		h.ok(err)
	})
}

// P15: TLS says where a document comes from, not that it may make somebody else of the provider.
func TestP15_metadata_over_TLS_waits_where_it_changes_who_it_is_or_takes_all_away(t *testing.T) {
	onBoth(t, func(h *house) {
		p, body, _ := h.published()
		stranger := samltest.New("https://idp.example.com/stranger")
		weak := samltest.NewSigner(samltest.RSA("weak", 1024), samltest.Year(2020), samltest.Year(2040))
		for reason, document := range map[string]string{
			"entity_id_changed":   metadata(stranger.EntityID, "https://evil.example/sso", p.Signer, stranger.Signer),
			"no_certificate_left": metadata(p.EntityID, "https://idp.example.com/sso", weak),
		} {
			h.wait(20 * time.Minute)
			body.Store(document)
			_, err := p.by(stranger.Signer) // what has it read
			h.refused(err, sso.CertificateUnknown)
			c, err := h.s.Get(ctx, p.c.ID)
			h.ok(err)
			if c.Pending == nil || !slices.Contains(c.Pending.Reasons, reason) || c.IDPEntityID != p.EntityID || c.SSOURL != "https://idp.example.com/sso" ||
				len(c.Certificates) != 1 || !c.Certificates[0].MissingSince.IsZero() {
				h.Errorf("%s: %+v %+v", reason, c.Pending, c.Certificates)
			}
			_, err = p.by(p.Signer)
			h.ok(err)
		}
	})
}

func TestMetadata_over_TLS_is_that_of_who_it_says(t *testing.T) {
	h := onOne(t)
	p, _, asked := h.published()
	trusting := h.s
	h.s = h.service(outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, lookup))
	before := asked.Load()
	_, err := h.s.RefreshMetadata(ctx, actor, p.c.ID)
	h.wantFault(err, fault.Unprocessable, "idp_unreachable")
	if asked.Load() != before {
		t.Error("asked a server whose certificate nobody trusts")
	}
	h.s = trusting
	plain := h.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, metadata(p.EntityID, "https://evil.example/sso", p.Signer))
	}))
	down := h.secured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) }))
	_, err = h.s.Update(ctx, actor, p.c.ID, sso.Change{MetadataURL: ptr(down.URL)})
	h.wantFault(err, fault.Unprocessable, "idp_unreachable")
}
