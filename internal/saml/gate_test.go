package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// CVE-2023-26483, CVE-2023-28119, GHSA-qhrp-hfff-vphr, CVE-2026-56859: documents that are small to send and large to read.
func TestS22_bombs_are_refused_quickly(t *testing.T) {
	doc := string(idp.Respond(message(), samltest.BothSigned))
	status := func(inside string) string {
		return edit(t, doc, "</samlp:Status>", "<samlp:StatusDetail>"+inside+"</samlp:StatusDetail></samlp:Status>")
	}
	var prefixes, attributes strings.Builder
	for i := range 33 {
		fmt.Fprintf(&prefixes, ` xmlns:p%d="urn:x"`, i)
	}
	for i := range 65 {
		fmt.Fprintf(&attributes, ` a%d=""`, i)
	}
	for name, evil := range map[string]string{
		"XXE":               `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + edit(t, doc, ">alice@", ">&e;alice@"),
		"XXE by address":    `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x">` + doc,
		"billion laughs":    `<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + edit(t, doc, ">alice@", ">&b;alice@"),
		"depth":             status(strings.Repeat("<x>", 30) + strings.Repeat("</x>", 30)),
		"depth, never shut": status(strings.Repeat("<x>", 10_000)),
		"tokens":            status(strings.Repeat("<x/>", 10_000)),
		"size":              status(strings.Repeat("x", 256<<10)),
		"10 MB":             status(strings.Repeat("x", 10<<20)),
		"prefixes":          status("<x" + prefixes.String() + "/>"),
		"nested prefixes":   status(strings.Repeat(`<x xmlns:a="urn:a" xmlns:b="urn:b">`, 17) + strings.Repeat("</x>", 17)),
		"attributes":        status("<x" + attributes.String() + "/>"),
		"attributes twice":  status("<x" + strings.Repeat(` a=""`, 60) + "/>"),
		"long name":         status("<" + strings.Repeat("x", 1025) + "/>"),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			begun := time.Now()
			refused(t, []byte(evil), expectation(), saml.CodeMalformed)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// The limits let through what is just below them.
func TestS22_limits_leave_room(t *testing.T) {
	var prefixes, attributes strings.Builder
	for i := range 29 {
		fmt.Fprintf(&prefixes, ` xmlns:p%d="urn:x"`, i)
	}
	for i := range 64 {
		fmt.Fprintf(&attributes, ` a%d=""`, i)
	}
	for _, inside := range []string{
		strings.Repeat("<x>", 29) + strings.Repeat("</x>", 29),
		strings.Repeat("<x/>", 9_900),
		strings.Repeat("x", 240<<10),
		"<x" + prefixes.String() + "/>",
		strings.Repeat("<x"+prefixes.String()+"/>", 50),
		"<x" + attributes.String() + "/>",
		"<" + strings.Repeat("x", 1024) + "/>",
	} {
		doc := edit(t, message().XML(), "</samlp:Status>", "<samlp:StatusDetail>"+inside+"</samlp:StatusDetail></samlp:Status>")
		accepted(t, sign(doc, samltest.AssertionSigned), expectation())
	}
}

// White space between elements is skipped and never collected: collecting it piece by piece takes the square of its length.
func TestS22_white_space_costs_what_it_is_long(t *testing.T) {
	inside := strings.Repeat("<x/>"+strings.Repeat(" ", 30), 6_000)
	doc := edit(t, message().XML(), "</samlp:Status>", "<samlp:StatusDetail>"+inside+"</samlp:StatusDetail></samlp:Status>")
	begun := time.Now()
	accepted(t, sign(doc, samltest.AssertionSigned), expectation())
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestPost_is_base64_and_nothing_else(t *testing.T) {
	doc := idp.Respond(message(), samltest.BothSigned)
	encoded := samltest.Post(doc)
	wrapped := encoded[:76] + "\r\n" + encoded[76:152] + "\n" + encoded[152:]
	for _, good := range []string{encoded, wrapped} {
		if got, err := saml.DecodePost(good); err != nil || !bytes.Equal(got, doc) {
			t.Errorf("%v", err)
		}
	}
	for name, bad := range map[string]string{
		"space":         encoded[:8] + " " + encoded[8:],
		"URL alphabet":  strings.NewReplacer("+", "-", "/", "_").Replace(base64.StdEncoding.EncodeToString([]byte("\xfb\xff\xfe"))),
		"no padding":    strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("abcd")), "="),
		"trailing bits": "YWJjZB==",
		"after padding": "YWJjZA==YWJj",
		"text":          "<samlp:Response/>",
		"too large":     base64.StdEncoding.EncodeToString(make([]byte, 256<<10+1)),
		"huge":          strings.Repeat("A", 10<<20),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if _, err := saml.DecodePost(bad); err == nil || !strings.HasPrefix(told(err), saml.CodeMalformed) {
				t.Errorf("answered %v", err)
			}
		})
	}
	if _, err := saml.DecodePost(strings.Repeat("A", 10<<20)); err == nil || !strings.Contains(told(err), "10485760") {
		t.Errorf("a huge message is decoded before it is refused: %v", err)
	}
	if _, err := saml.DecodePost(base64.StdEncoding.EncodeToString(make([]byte, 256<<10))); err != nil {
		t.Errorf("the largest document is refused: %s", told(err))
	}
	if r := refused(t, bytes.Repeat([]byte("x"), 256<<10+1), expectation(), saml.CodeMalformed); !strings.Contains(r.Wanted, "262144") {
		t.Errorf("wanted %q", r.Wanted)
	}
}

// The POST binding does not compress; who inflates what comes in anyway inflates bombs.
func TestS22_compressed_post_is_not_inflated(t *testing.T) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(idp.Respond(message(), samltest.BothSigned)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := saml.DecodePost(samltest.Post(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, data, expectation(), saml.CodeMalformed)
}

func TestErrors_never_repeat_control_characters_or_long_text(t *testing.T) {
	m := message()
	m.ID = ""
	doc := edit(t, m.XML(), "<samlp:Response", `<samlp:Response ID="_`+strings.Repeat("x", 600)+`"`)
	doc = edit(t, doc, `<saml:Issuer>`, "<saml:Issuer>\u202e\u0085")
	r := refused(t, []byte(doc), expectation(), saml.CodeUnsigned)
	for _, text := range []string{r.Claimed.ID, r.Claimed.Issuer, r.Got, r.Message} {
		if len(text) > 300 || strings.ContainsAny(text, "\u202e\u0085") {
			t.Errorf("%q is repeated", text)
		}
	}
	random := make([]byte, 64)
	rand.Read(random)
	refused(t, random, expectation(), saml.CodeMalformed)
}

// Each gate says what it wants: behind one that was taken away another one often refuses too, for a reason that helps nobody.
func TestGate_says_what_is_wrong(t *testing.T) {
	doc := string(idp.Respond(message(), samltest.BothSigned))
	for _, c := range []struct{ evil, wanted string }{
		{doc[:len(doc)/2], "well-formed XML"},
		{"", "one whole element"},
		{"  ", "one whole element"},
		{doc + "<x/>", "one root element"},
		{doc + "x", "nothing outside the root element"},
		{edit(t, doc, ">alice@", ">\xffalice@"), "UTF-8"},
		{"\ufeff" + doc, "no byte order mark"},
		{edit(t, doc, ">alice@", "><![CDATA[alice]]>@"), "no CDATA section"},
		{edit(t, doc, ">alice@", "><!---->alice@"), "no comment"},
		{edit(t, doc, ">alice@", "><?p?>alice@"), "no processing instruction"},
		{"<!DOCTYPE x>" + doc, "no document type"},
		{`<?xml version="1.0" standalone="maybe"?>` + doc, "an XML declaration"},
		{edit(t, doc, "</saml:Subject>", "</saml:subject>"), "well-formed XML"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject><saml::x/>"), "well-formed XML"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject><saml:/>"), "names of letters"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject :a=''>"), "names of letters"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject a='' a=''>"), "each attribute once"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject xmlns:a='urn:x' xmlns:b='urn:x' a:c='' b:c=''>"), "each attribute once"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject a:c=''>"), "declared prefixes"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject><a:c/>"), "declared prefixes"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject xmlns:a='b'>"), "absolute namespace URIs"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject xmlns:xml='urn:x'>"), "no namespace of XML itself"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject xmlns:samlp='urn:x'>"), "a prefix that means one namespace"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject id='x'>"), "ID attributes where"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject ID='1'>"), "an ID that is a name"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject ID='_response-1'>"), "each ID once"},
		{edit(t, doc, "<saml:Subject>", "x<saml:Subject>"), "text or elements in Assertion"},
		{edit(t, doc, "</saml:Subject>", "</saml:Subject>x"), "text or elements in Assertion"},
		{edit(t, doc, ">alice@", ">al<x/>ice@"), "text or elements in NameID"},
		{edit(t, doc, "</saml:NameID>", "<x/></saml:NameID>"), "text or elements in NameID"},
		{edit(t, doc, between(t, doc, "<ds:SignatureValue>", "</ds:SignatureValue>"), "<ds:SignatureValue><x/></ds:SignatureValue>"), "SignatureValue without x"},
		{between(t, message().XML(), "<saml:Assertion", "</saml:Assertion>"), "a Response"},
		{"<Response/>", "a Response"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject>"+strings.Repeat("<x>", 31)), "at most 32 levels"},
		{edit(t, doc, "<saml:Subject>", "<saml:Subject>"+strings.Repeat("<x/>", 10_000)), "at most 20000 tokens"},
	} {
		if r := refused(t, []byte(c.evil), expectation(), saml.CodeMalformed); !strings.HasPrefix(r.Wanted, c.wanted) {
			t.Errorf("wanted %q (got %q), want %q", r.Wanted, r.Got, c.wanted)
		}
	}
}
