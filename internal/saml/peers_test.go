package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Responses that identity providers of others sent to a service provider of the test, kept with their clock. `make interop` makes new
// ones (interop/capture_test.go).

type capture struct {
	Peer         string              `json:"peer"`
	Version      string              `json:"version"`
	Layout       string              `json:"layout"`
	Response     string              `json:"response"`
	Metadata     string              `json:"metadata"`
	Key          string              `json:"key"`
	Clock        time.Time           `json:"clock"`
	Issuer       string              `json:"issuer"`
	Audience     string              `json:"audience"`
	Recipient    string              `json:"recipient"`
	Certificates []string            `json:"certificates"`
	NameID       string              `json:"name_id"`
	SessionIndex string              `json:"session_index"`
	Attributes   map[string][]string `json:"attributes"`
}

func captures(t *testing.T) []capture {
	t.Helper()
	var all []capture
	if err := json.Unmarshal(captured(t, "peers.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Fatalf("got %d captures, want four of each of three identity providers", len(all))
	}
	return all
}

func captured(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// expectation is made from the peer's metadata, as a connection is.
func (c capture) expectation(t *testing.T) Expectation {
	t.Helper()
	metadata, err := ParseMetadata(captured(t, c.Metadata), "", c.Clock)
	if err != nil {
		t.Fatalf("metadata of %s: %v", c.Peer, err)
	}
	e := Expectation{
		Now: c.Clock, Issuer: metadata.EntityID, Audiences: []string{c.Audience}, Recipients: []string{c.Recipient}, Certificates: metadata.Certificates,
	}
	if c.Key != "" {
		block, _ := pem.Decode(captured(t, c.Key))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		e.Keys, e.RequireEncrypted = []*rsa.PrivateKey{key.(*rsa.PrivateKey)}, true
	}
	// What lasso encrypts with unless told otherwise.
	e.AllowCBC = bytes.Contains(captured(t, c.Response), []byte("aes256-cbc")) || bytes.Contains(captured(t, c.Response), []byte("aes128-cbc"))
	return e
}

func eachCapture(t *testing.T, look func(t *testing.T, c capture)) {
	t.Helper()
	for _, c := range captures(t) {
		t.Run(c.Peer+"_"+c.Layout, func(t *testing.T) { look(t, c) })
	}
}

func TestResponses_of_real_identity_providers_are_understood(t *testing.T) {
	eachCapture(t, func(t *testing.T, c capture) {
		e := c.expectation(t)
		if e.Issuer != c.Issuer {
			t.Errorf("metadata is of %q, want %q", e.Issuer, c.Issuer)
		}
		a, err := Consume(captured(t, c.Response), e)
		if err != nil {
			t.Fatal(err)
		}
		if a.Subject.Value != c.NameID || a.Issuer != c.Issuer || a.InResponseTo == "" || a.ID == "" {
			t.Errorf("got %q by %q in response to %q, want %q by %q in response to something", a.Subject.Value, a.Issuer, a.InResponseTo, c.NameID, c.Issuer)
		}
		if a.Subject.Format != "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress" {
			t.Errorf("NameID has the format %q", a.Subject.Format)
		}
		if c.SessionIndex != "" && a.SessionIndex != c.SessionIndex {
			t.Errorf("session index is %q, want %q", a.SessionIndex, c.SessionIndex)
		}
		if a.Encrypted != (c.Key != "") || a.SHA1 || a.Expired {
			t.Errorf("encrypted %t, SHA-1 %t, expired certificate %t", a.Encrypted, a.SHA1, a.Expired)
		}
		for name, want := range c.Attributes {
			i := slices.IndexFunc(a.Attributes, func(x Attribute) bool { return x.Name == name })
			if i < 0 {
				t.Errorf("no attribute %s in %+v", name, a.Attributes)
				continue
			}
			// Of an encrypted one that gosaml2 could not open only the first value is known.
			if got := a.Attributes[i].Values; !slices.Equal(got[:min(len(got), len(want))], want) {
				t.Errorf("attribute %s is %q, want %q", name, got, want)
			}
		}
		if since := c.Clock.Sub(a.AuthnInstant); since < -time.Minute || since > 10*time.Minute {
			t.Errorf("signed in at %s, received at %s", a.AuthnInstant, c.Clock)
		}
	})
}

func TestMetadata_of_real_identity_providers_has_their_certificates(t *testing.T) {
	eachCapture(t, func(t *testing.T, c capture) {
		var got []string
		for _, certificate := range c.expectation(t).Certificates {
			got = append(got, base64.StdEncoding.EncodeToString(certificate.Raw))
		}
		want := slices.Compact(slices.Sorted(slices.Values(c.Certificates)))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// What would be accepted of the next best forger, audience or day would show that the test above proves nothing.
func TestResponses_of_real_identity_providers_are_refused_elsewhere(t *testing.T) {
	all := captures(t)
	eachCapture(t, func(t *testing.T, c capture) {
		document := captured(t, c.Response)
		stranger := all[slices.IndexFunc(all, func(o capture) bool { return o.Peer != c.Peer })]
		for name, change := range map[string]func(*Expectation){
			"another certificate":   func(e *Expectation) { e.Certificates = stranger.expectation(t).Certificates },
			"no certificate":        func(e *Expectation) { e.Certificates = nil },
			"another issuer":        func(e *Expectation) { e.Issuer = stranger.Issuer },
			"another audience":      func(e *Expectation) { e.Audiences = []string{c.Audience + "x"} },
			"another recipient":     func(e *Expectation) { e.Recipients = []string{c.Recipient + "/"} },
			"a day later":           func(e *Expectation) { e.Now = e.Now.Add(24 * time.Hour) },
			"an hour before":        func(e *Expectation) { e.Now = e.Now.Add(-time.Hour) },
			"a later sign-in asked": func(e *Expectation) { e.AuthnAfter = e.Now.Add(time.Hour) },
		} {
			e := c.expectation(t)
			change(&e)
			if a, err := Consume(document, e); err == nil {
				t.Errorf("%s: accepted %+v", name, a)
			}
		}
		for _, text := range []string{c.NameID, c.Audience} {
			changed := bytes.Replace(document, []byte(">"+text+"<"), []byte(">"+text+"x<"), 1)
			if bytes.Equal(changed, document) {
				continue // encrypted
			}
			if a, err := Consume(changed, c.expectation(t)); err == nil {
				t.Errorf("accepted with %q changed: %+v", text, a)
			}
		}
	})
}
