package saml_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// The scene of all tests: one identity provider, one connection of ours, one moment.
var (
	now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	idp = samltest.New("https://idp.example/metadata")
	us  = samltest.To{EntityID: "https://login.example/saml/abc", ACS: "https://login.example/saml/abc/acs"}
)

func expectation() saml.Expectation {
	return saml.Expectation{
		Now: now.Add(3 * time.Second), Issuer: idp.EntityID,
		Audiences: []string{us.EntityID}, Recipients: []string{us.ACS}, Certificates: []*x509.Certificate{idp.Certificate},
	}
}

func message() samltest.Message { return idp.Message(us, now) }

// edit is strings.Replace that insists on finding what it replaces.
func edit(t testing.TB, doc, from, to string) string {
	t.Helper()
	if !strings.Contains(doc, from) {
		t.Fatalf("nothing to change: %q is not in %s", from, doc)
	}
	return strings.Replace(doc, from, to, 1)
}

// sign signs what a strange identity provider would send.
func sign(doc string, l samltest.Layout) []byte {
	return []byte(idp.Sign(doc, samltest.ResponseID, samltest.AssertionID, l))
}

func accepted(t testing.TB, doc []byte, e saml.Expectation) *saml.Assertion {
	t.Helper()
	a, err := saml.Consume(doc, e)
	if err != nil {
		t.Fatalf("refused: %s\n%.3000s", told(err), doc)
	}
	if a.Subject.Value != samltest.Person {
		t.Fatalf("accepted %q\n%.3000s", a.Subject.Value, doc)
	}
	return a
}

func refused(t testing.TB, doc []byte, e saml.Expectation, code string) *saml.Error {
	t.Helper()
	a, err := saml.Consume(doc, e)
	if err == nil {
		t.Fatalf("accepted as %+v, want %s\n%.3000s", a.Subject, code, doc)
	}
	var refusal *saml.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	if refusal.Code != code {
		t.Fatalf("refused with %s, want %s\n%.3000s", told(err), code, doc)
	}
	if a != nil {
		t.Fatalf("a refusal came with an assertion: %+v", a)
	}
	if f, ok := fault.As(err); !ok || f.Code != code || f.Message == "" {
		t.Fatalf("no fault crosses the floors: %v", err)
	}
	return refusal
}

func told(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return err.Error()
	}
	return f.Code + ": " + f.Message + " wanted " + f.Wanted + ", got " + f.Got
}

// each runs a test for the three layouts.
func each(t *testing.T, f func(t *testing.T, l samltest.Layout)) {
	for _, l := range samltest.Layouts() {
		t.Run(strings.ReplaceAll(l.String(), " ", "_"), func(t *testing.T) { f(t, l) })
	}
}

func fingerprint(c *x509.Certificate) string { return fmt.Sprintf("%x", sha256.Sum256(c.Raw)) }

func der(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
