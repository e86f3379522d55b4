package second_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Responses that others sent have to have two verifiers. The gaps are Keycloak's way to encrypt (xmlenc11#rsa-oaep), which gosaml2
// does not know, and that of lasso, which names our certificate inside the signed Response, where gosaml2 wants to find its own.
func TestBoth_verifiers_agree_about_responses_of_real_identity_providers(t *testing.T) {
	var all []struct {
		Response, Metadata, Key, Audience, Recipient, Layout, Peer string
		Clock                                                      time.Time
	}
	if err := json.Unmarshal(read(t, "peers.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		t.Run(c.Peer+"_"+c.Layout, func(t *testing.T) {
			metadata, err := saml.ParseMetadata(read(t, c.Metadata), "", c.Clock)
			if err != nil {
				t.Fatal(err)
			}
			e := saml.Expectation{
				Now: c.Clock, Issuer: metadata.EntityID, Audiences: []string{c.Audience}, Recipients: []string{c.Recipient},
				Certificates: metadata.Certificates, AllowCBC: true,
			}
			if c.Key != "" {
				block, _ := pem.Decode(read(t, c.Key))
				key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
				if err != nil {
					t.Fatal(err)
				}
				e.Keys = []*rsa.PrivateKey{key.(*rsa.PrivateKey)}
			}
			document := read(t, c.Response)
			ours, err := saml.Consume(document, e)
			if err != nil {
				t.Fatal(err)
			}
			err = second.Check(document, e, ours)
			if c.Layout == "encrypted" && c.Peer != "simplesamlphp" {
				if !errors.Is(err, second.GapEncryption) {
					t.Errorf("got %v, want the gap %q", err, second.GapEncryption)
				}
				return
			}
			if err != nil {
				t.Errorf("gosaml2 disagrees: %v", err)
			}
		})
	}
	if len(all) < 12 {
		t.Errorf("got %d responses, want 12", len(all))
	}
}
