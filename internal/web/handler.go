package web

import (
	"context"
	"log/slog"
	"net/http"
)

// Handler answers a request or returns why it cannot. It must not have written anything when it returns an error:
// the edge turns that error into its own wire format.
type Handler func(w http.ResponseWriter, r *http.Request) error

// With makes an http.Handler: refuse answers for h when it returns an error.
func (h Handler) With(refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			refuse(w, r, err)
		}
	})
}

// Request is what is known about the request being served beside its bytes. One goroutine, the one serving it, writes it.
type Request struct {
	ID    string // "req_" and a ULID; in the X-Request-ID header and in every log line
	IP    string // the client's address; a proxy's own when it is not trusted or named none
	Base  string // scheme and host under which the client sees us, no slash at the end: "https://sync.example.com"
	Known string // Base where the client called a host that the operator has named, else empty
	Route string // route class for the metrics: a closed, small set of names; the edge sets it

	quiet bool
	attrs []slog.Attr
}

// Note adds a field to this request's line in the access log. The value must not be a secret or personal data.
func (q *Request) Note(key, value string) {
	q.attrs = append(q.attrs, slog.String(key, value))
}

// Quiet moves this request's line to debug level: probes come every few seconds.
func (q *Request) Quiet() { q.quiet = true }

type requestKey struct{}

// From gives the record of the request ctx belongs to. Outside of a request it is an empty record, so callers need not ask.
func From(ctx context.Context) *Request {
	if q, ok := ctx.Value(requestKey{}).(*Request); ok {
		return q
	}
	return &Request{}
}

// With puts a record into ctx. Front does so for every request; tests of an edge may do it themselves.
func With(ctx context.Context, q *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, q)
}
