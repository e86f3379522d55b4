package saml

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// CVE-2025-47949, CVE-2025-54369, CVE-2025-54419: the assertion was read from the document and not from the bytes that were verified.
// What the decoder gets, written in canonical form, has the digest that was signed; nothing else has.
func TestS25_decoder_reads_the_bytes_whose_digest_was_signed(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	idp := samltest.New("https://idp.example/metadata")
	m := idp.Message(samltest.To{EntityID: "https://sp.example", ACS: "https://sp.example/acs"}, now)
	doc := idp.Respond(m, samltest.AssertionSigned)
	root, err := gate(doc)
	if err != nil {
		t.Fatal(err)
	}
	assertion := root.child(nsAssertion, "Assertion")
	s, err := shapeAssertion(assertion)
	if err != nil {
		t.Fatal(err)
	}
	v, err := signed(assertion, s, Expectation{Now: now, Certificates: []*x509.Certificate{idp.Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	d := etree.NewDocument()
	d.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalEndTags: true, CanonicalText: true}
	d.SetRoot(v.el.Copy())
	written, err := d.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(written)
	if signed := base64.StdEncoding.EncodeToString(digest[:]); !bytes.Contains(doc, []byte("<ds:DigestValue>"+signed+"<")) {
		t.Errorf("what is decoded has the digest %s, which nobody signed", signed)
	}
	if strings.Contains(string(written), "Signature") {
		t.Error("what is decoded holds the signature, which the digest leaves out")
	}
	// the tree that came in can be spoilt now without any effect
	for _, kid := range assertion.kids {
		kid.el.Child, kid.kids, kid.text = nil, nil, "spoilt"
	}
	decoded, err := decodeAssertion(v)
	if err != nil || decoded.Subject.Value != samltest.Person {
		t.Errorf("read %+v, %v", decoded, err)
	}
}

// The type is the proof: outside of verify.go nobody makes one that is not empty.
func TestS25_only_verify_makes_something_verified(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, is := n.(*ast.CompositeLit)
			if !is {
				return true
			}
			if id, is := lit.Type.(*ast.Ident); is && id.Name == "verified" && len(lit.Elts) > 0 {
				made++
				if name != "verify.go" {
					t.Errorf("%s makes a verified element", name)
				}
			}
			return true
		})
	}
	if made == 0 {
		t.Error("nobody makes one; this test reads the wrong thing")
	}
}

// The tree that the gate builds is the one that etree would have built.
func TestGate_builds_the_tree_that_the_library_builds(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	idp := samltest.New("https://idp.example/metadata")
	for _, microsoft := range []bool{false, true} {
		m := idp.Message(samltest.To{EntityID: "https://sp.example/?a=1&b=2", ACS: "https://sp.example/acs"}, now)
		m.Microsoft = microsoft
		doc := append([]byte("<?xml version=\"1.0\"?>\n"), idp.Respond(m, samltest.BothSigned)...)
		doc = bytes.ReplaceAll(doc, []byte("><"), []byte(">\r\n\t<"))
		root, err := gate(doc)
		if err != nil {
			t.Fatal(err)
		}
		theirs, ours := etree.NewDocument(), etree.NewDocument()
		if err := theirs.ReadFromBytes(doc); err != nil {
			t.Fatal(err)
		}
		ours.SetRoot(root.el)
		want := etree.NewDocument()
		want.SetRoot(theirs.Root())
		a, errA := ours.WriteToString()
		b, errB := want.WriteToString()
		if errA != nil || errB != nil || a != b {
			t.Errorf("built\n%s\nwant\n%s", a, b)
		}
	}
}
