package sso_test

import (
	"bytes"
	"compress/flate"
	"crypto/rsa"
	"encoding/base64"
	"io"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
)

var idForm = regexp.MustCompile(` ID="([^"]+)"`)

// requestID takes the id out of an AuthnRequest.
func requestID(t *testing.T, message string, deflated bool) string {
	t.Helper()
	found := idForm.FindSubmatch(requestXML(t, message, deflated))
	if found == nil {
		t.Fatal("the request has no ID")
	}
	return string(found[1])
}

func requestXML(t *testing.T, message string, deflated bool) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(message)
	if err != nil {
		t.Fatal(err)
	}
	if !deflated {
		return raw
	}
	raw, err = io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// logoutRequest is the address of a logout request that the provider signs.
func logoutRequest(h *house, p *provider, to, name, index string) string {
	h.Helper()
	key, is := p.Key.(*rsa.PrivateKey)
	if !is {
		h.Fatal("no RSA key")
	}
	u, err := saml.LogoutRequest{
		ID: saml.NewRequestID(), Issuer: p.EntityID, Destination: to, IssuedAt: h.now(), NotOnOrAfter: h.now().Add(time.Minute),
		NameID: saml.NameID{Value: name}, SessionIndexes: []string{index},
	}.Redirect("state", key)
	h.ok(err)
	return u
}

// requestIn takes the id out of the address that a sign-in is sent to.
func requestIn(p *provider, address string) string {
	p.Helper()
	u, err := url.Parse(address)
	p.ok(err)
	return requestID(p.T, u.Query().Get("SAMLRequest"), true)
}
