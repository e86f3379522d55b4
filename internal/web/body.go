package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// firstRead bounds what is set aside before a byte has come: Content-Length is only a promise, and a thousand
// slow clients that promise megabytes must not cost gigabytes.
const firstRead = 64 << 10

// ReadBody reads the whole body, at most limit bytes of it (the front's own limit holds as well). Errors are refusals to
// show: TooLarge over the limit, Invalid when the body is encoded, cut short or too slow.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, fault.New(fault.Invalid, "unsupported_encoding", "The body is sent with Content-Encoding %s; send it without one.", cut(enc))
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0)+bytes.MinRead, firstRead)))
	if _, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1)); err != nil {
		return nil, bodyFault(err)
	}
	if int64(buf.Len()) > limit {
		return nil, tooLarge(limit)
	}
	return buf.Bytes(), nil
}

func bodyFault(err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(over.Limit).Because(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.Invalid, "body_too_slow", "The body did not arrive in time; nothing was changed, send it again.").Because(err)
	default:
		return fault.New(fault.Invalid, "body_incomplete", "The body ended before its announced length; nothing was changed, send it again.").Because(err)
	}
}

func tooLarge(limit int64) *fault.Error {
	return fault.New(fault.TooLarge, "body_too_large", "The body is over the limit of %d bytes; send less in one request.", limit)
}

// WriteJSON answers v as JSON without HTML escaping: names like "R&D <EU>" arrive as they were sent. Nothing is written when
// v cannot be encoded.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	WriteBody(w, status, "application/json", body)
	return nil
}

// WriteBody answers bytes that are ready. The error of writing to a client that has gone away has nobody to be told to.
func WriteBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// cut keeps a client's words short enough for a sentence or a log line.
func cut(s string) string {
	const longest = 80
	runes := 0
	for i := range s {
		if runes == longest {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
