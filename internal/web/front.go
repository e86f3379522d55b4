package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Front stands before every edge.
type Front struct {
	Log       *slog.Logger
	NewID     func() string // makes the request id
	Proxies   Proxies
	PublicURL *url.URL      // nil: addresses are made from the request
	Domains   Domains       // further public hosts
	BodyLimit int64         // bytes; the most any edge accepts. 0: none
	Deadline  time.Duration // a request's context ends after it. 0: never

	// Refuse answers for a request that got no further than here: a panic, a Host header that is none. The path says
	// whose error format is due.
	Refuse func(http.ResponseWriter, *http.Request, *fault.Error)

	// Observe is told of each answer; it must be quick. May be nil.
	Observe func(Outcome)
}

// Outcome is one answered request.
type Outcome struct {
	Route  string // as the edge named it; "other" when it named none
	Method string // one of the usual methods, or "OTHER": a client may invent any number of them
	Status int
	Took   time.Duration
}

// Wrap puts the front before next.
func (f Front) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		base, hostOK := f.Proxies.Base(r, f.PublicURL)
		q := &Request{ID: f.NewID(), IP: f.Proxies.ClientIP(r), Base: base, Known: f.Domains.known[hostKey(f.Proxies.host(r))]}
		if q.Known != "" {
			q.Base = q.Known
		}
		ctx, cancel := f.deadline(With(r.Context(), q))
		defer cancel()
		r = r.WithContext(ctx)
		if f.BodyLimit > 0 {
			r.Body = http.MaxBytesReader(w, r.Body, f.BodyLimit)
		}
		answer := &recorder{ResponseWriter: w}
		setHeaders(w.Header(), q)
		defer f.finish(answer, r, q, started)
		if !hostOK {
			f.Refuse(answer, r, fault.New(fault.Invalid, "invalid_host", "The Host header is not a host name or address."))
			return
		}
		next.ServeHTTP(answer, r)
	})
}

func (f Front) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.Deadline <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, f.Deadline)
}

// always stands on every answer: they hold people's data and are for programs, so nobody stores, frames or guesses at them. A
// page that needs more says so itself. The value lists are shared by all answers, which spares each an allocation a header;
// Set and Add leave them as they are, because their capacity is one.
var always = http.Header{
	"Cache-Control":           {"no-store"},
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Referrer-Policy":         {"no-referrer"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
}

// setHeaders sets HSTS only where the client already came by TLS (RFC 6797 section 7.2).
func setHeaders(h http.Header, q *Request) {
	maps.Copy(h, always)
	h.Set("X-Request-Id", q.ID)
	if strings.HasPrefix(q.Base, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// finish runs after the handler, panic or not: it mends what can be mended and writes the access log's line.
func (f Front) finish(answer *recorder, r *http.Request, q *Request, started time.Time) {
	cause := recover()
	if cause != nil {
		f.recovered(answer, r, q, cause)
	}
	took := time.Since(started)
	f.logAccess(answer, r, q, took)
	if f.Observe != nil {
		f.Observe(Outcome{Route: routeOr(q.Route), Method: methodClass(r.Method), Status: answer.code(), Took: took})
	}
	if cause != nil && answer.cut {
		// The client has half an answer; only a broken connection tells it so.
		panic(http.ErrAbortHandler)
	}
}

func (f Front) recovered(answer *recorder, r *http.Request, q *Request, cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		answer.cut = true
		return
	}
	f.Log.LogAttrs(r.Context(), slog.LevelError, "panic while serving",
		slog.String("request_id", q.ID), slog.String("cause", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	if answer.status != 0 {
		answer.cut = true
		return
	}
	// What the handler meant to say of its answer (an ETag, a Location) is not true of this one.
	clear(answer.Header())
	setHeaders(answer.Header(), q)
	f.Refuse(answer, r, Public(nil))
}

func (f Front) logAccess(answer *recorder, r *http.Request, q *Request, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case answer.code() >= http.StatusInternalServerError && answer.code() != http.StatusNotImplemented && !q.quiet:
		level = slog.LevelError
	case q.quiet:
		level = slog.LevelDebug
	}
	if !f.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("request_id", q.ID),
		slog.String("method", cut(Mask(r.Method))),
		slog.String("path", cutPath(Mask(r.URL.Path))),
		slog.Int("status", answer.code()),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes", answer.bytes),
		slog.String("ip", q.IP),
	}, q.attrs...)
	if query := RedactQuery(r.URL.RawQuery); query != "" {
		attrs = append(attrs, slog.String("query", query))
	}
	if agent := r.UserAgent(); agent != "" {
		attrs = append(attrs, slog.String("agent", cut(Mask(agent))))
	}
	f.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// cutPath keeps a whole SCIM address and no more.
func cutPath(path string) string {
	const longest = 256
	if len(path) > longest {
		return strings.ToValidUTF8(path[:longest], "") + "…"
	}
	return path
}

func routeOr(route string) string {
	if route == "" {
		return "other"
	}
	return route
}

func methodClass(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// recorder notes what was answered. Unwrap lets http.ResponseController reach the connection.
type recorder struct {
	http.ResponseWriter

	status int
	bytes  int64
	cut    bool // the answer broke off
}

func (a *recorder) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *recorder) WriteHeader(status int) {
	// 1xx answers are hints; the real one is still to come.
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *recorder) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

func (a *recorder) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
