package saml

import (
	"bytes"
	"testing"
	"time"

	"github.com/beevik/etree"
	rtvalidator "github.com/mattermost/xml-roundtrip-validator"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// FuzzGate: what passes the gate is read alike by the library, survives a round trip, and passes again when it was written anew.
func FuzzGate(f *testing.F) {
	idp := samltest.New("https://idp.example/metadata")
	m := idp.Message(samltest.To{EntityID: "https://sp.example", ACS: "https://sp.example/acs"}, time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	for _, l := range samltest.Layouts() {
		f.Add(idp.Respond(m, l))
	}
	for variant := 1; variant <= 8; variant++ {
		f.Add(samltest.XSW(variant, idp.Respond(m, samltest.BothSigned)))
	}
	for _, s := range []string{
		`<?xml version="1.0" encoding="UTF-8"?><a xmlns="urn:a" xmlns:b="urn:b" b:c="&#9;&lt;"> <b:d>x&amp;</b:d> </a>`, `<!DOCTYPE a><a/>`, `<a><!-- --></a>`,
		`<a><![CDATA[x]]></a>`, `<a/><b/>`, `<x::y/>`, `<a xmlns:n="1"/>`, "\ufeff<a/>", `<a b="1" b="2"/>`, `<a>x<b/>y</a>`, `<a><?p?></a>`, "<a>\r\n</a>", `<a b="
"/>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := gate(data)
		if err != nil {
			return
		}
		if err := rtvalidator.Validate(bytes.NewReader(data)); err != nil {
			t.Fatalf("%q passed and does not survive a round trip: %v", data, err)
		}
		theirs := etree.NewDocument()
		if err := theirs.ReadFromBytes(data); err != nil {
			t.Fatalf("%q passed and the library refuses it: %v", data, err)
		}
		ours, again := canonically(t, root.el), canonically(t, theirs.Root())
		if ours != again {
			t.Fatalf("%q is read as %q and as %q", data, ours, again)
		}
		if len(ours) > maxDocument {
			return
		}
		second, err := gate([]byte(ours))
		if err != nil {
			t.Fatalf("%q passed and %q, which is the same, did not: %v", data, ours, err)
		}
		if once := canonically(t, second.el); once != ours {
			t.Fatalf("%q is written as %q", ours, once)
		}
	})
}

func canonically(t *testing.T, el *etree.Element) string {
	t.Helper()
	d := etree.NewDocument()
	d.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalEndTags: true, CanonicalText: true}
	d.SetRoot(el.Copy())
	text, err := d.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
