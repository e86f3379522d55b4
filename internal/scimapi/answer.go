package scimapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/web"
)

// answer is what goes back, held until it is known to be true: a write's answer is made before its commit, to be recorded in it.
type answer struct {
	status     int
	body       []byte // nil: none
	etag       string
	location   string // absolute address of the resource
	allow      string
	challenge  string
	list       bool // a list that was read: little of it is recorded
	retryAfter time.Duration
}

// The charset is said, although RFC 8259 knows only UTF-8: some clients take anything else for Latin-1.
const (
	typeSCIM = "application/scim+json; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

func (a answer) write(w http.ResponseWriter, request http.Header) {
	h := w.Header()
	setHeader(h, "Etag", a.etag)
	setHeader(h, "Location", a.location)
	setHeader(h, "Content-Location", a.location)
	setHeader(h, "Allow", a.allow)
	setHeader(h, "Www-Authenticate", a.challenge)
	if a.retryAfter > 0 || a.status == http.StatusTooManyRequests {
		web.SetRetryAfter(h, a.retryAfter)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	web.WriteBody(w, a.status, contentType(request), a.body)
}

// setHeader takes the name in net/http's canonical spelling, in which it is sent in any case, and so spares Set looking for it.
func setHeader(h http.Header, name, value string) {
	if value != "" {
		h[name] = []string{value}
	}
}

// contentType is application/scim+json unless only plain JSON is accepted (RFC 7644 section 3.8). An Accept header that names
// neither is not refused: clients that send one read JSON all the same.
func contentType(request http.Header) string {
	accept := strings.ToLower(strings.Join(request["Accept"], ","))
	if accept == "" || strings.Contains(accept, "application/scim+json") || !strings.Contains(accept, "application/json") {
		return typeSCIM
	}
	return typeJSON
}

// etagOf is the version as ETag and meta.version show it. It is weak: the same version is answered in several projections.
func etagOf(version int64) string {
	return `W/"` + strconv.FormatInt(version, 10) + `"`
}

// condition reads If-Match (RFC 9110 section 13.1.1), or the version of a bulk operation. Tags are compared weakly, as clients
// send back what they got (RFC 7644 section 3.14); one that was never ours matches nothing.
func condition(values []string) directory.Condition {
	var c directory.Condition
	for _, tag := range tagsIn(values) {
		c.Given = true
		if tag == "*" {
			c.Any = true
			continue
		}
		if version, ok := versionIn(tag); ok {
			c.Versions = append(c.Versions, version)
		}
	}
	return c
}

func tagsIn(values []string) []string {
	var tags []string
	for tag := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

func versionIn(tag string) (int64, bool) {
	tag = strings.Trim(strings.TrimPrefix(strings.TrimPrefix(tag, "W/"), "w/"), `"`)
	version, err := strconv.ParseInt(tag, 10, 64)
	return version, err == nil && version > 0
}

// unmodified tells whether If-None-Match names this version (RFC 9110 section 13.1.2).
func unmodified(request http.Header, version int64) bool {
	values := request["If-None-Match"]
	if len(values) == 0 {
		return false
	}
	for _, tag := range tagsIn(values) {
		if v, ok := versionIn(tag); tag == "*" || ok && v == version {
			return true
		}
	}
	return false
}
