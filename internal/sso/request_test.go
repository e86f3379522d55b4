package sso_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"regexp"
	"testing"
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
