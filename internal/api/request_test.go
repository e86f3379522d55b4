package api

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"regexp"
	"testing"
)

var requestIDForm = regexp.MustCompile(` ID="([^"]+)"`)

// requestID takes the id out of an AuthnRequest that travels in an address.
func requestID(t *testing.T, message string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(message)
	if err == nil {
		raw, err = io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	}
	found := requestIDForm.FindSubmatch(raw)
	if err != nil || found == nil {
		t.Fatalf("no request: %v", err)
	}
	return string(found[1])
}
