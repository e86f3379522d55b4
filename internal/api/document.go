package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/web"
)

// document is the OpenAPI document of this program, which never changes while it runs.
type document struct {
	text []byte
	etag string
}

// served are the routes there are.
func served() []openapi.Route {
	out := []openapi.Route{{Method: http.MethodGet, Pattern: openapi.Path}}
	for _, r := range table() {
		for method := range r.methods {
			out = append(out, openapi.Route{Method: method, Pattern: r.pattern})
		}
	}
	return out
}

func newDocument() document {
	text := openapi.Document(served())
	sum := sha256.Sum256(text)
	return document{text: text, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// describe answers with the document. Nobody needs a key for it: it is published with the source. It is large, so strangers are
// counted as elsewhere.
func (s *server) describe(w http.ResponseWriter, r *http.Request) {
	t := target{row: &row{pattern: openapi.Path, class: "api_openapi", methods: map[string]handler{http.MethodGet: nil}}}
	web.From(r.Context()).Route = t.class()
	if _, err := t.handler(r.Method); err != nil {
		s.refuse(w, r, t, err)
		return
	}
	if err := s.strange(r); err != nil {
		s.refuse(w, r, t, err)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("ETag", s.document.etag)
	if seen(r.Header.Values("If-None-Match"), s.document.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	web.WriteBody(w, http.StatusOK, "application/json", s.document.text)
}

// seen: the client has this version (RFC 9110 section 13.1.2).
func seen(conditions []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(conditions, ","), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			return true
		}
	}
	return false
}
