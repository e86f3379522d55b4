package saml_test

import (
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// BenchmarkFloor is what nobody can do without: parse the document and have the library verify what is signed, at RSA-2048.
func BenchmarkFloor(b *testing.B) {
	for _, l := range samltest.Layouts() {
		doc := idp.Respond(message(), l)
		b.Run(l.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				floor(b, doc, l)
			}
		})
	}
}

func floor(b *testing.B, doc []byte, l samltest.Layout) {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(doc); err != nil {
		b.Fatal(err)
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: expectation().Certificates})
	ctx.Clock = dsig.NewFakeClockAt(now)
	el := d.Root()
	var err error
	if l != samltest.AssertionSigned {
		if el, err = ctx.Validate(el); err != nil {
			b.Fatal(err)
		}
	}
	if l != samltest.ResponseSigned {
		if _, err := ctx.Validate(el.FindElement("./Assertion")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConsume(b *testing.B) {
	for _, l := range samltest.Layouts() {
		doc := idp.Respond(message(), l)
		e := expectation()
		b.Run(l.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := saml.Consume(doc, e); err != nil {
					b.Fatal(told(err))
				}
			}
		})
	}
}
