package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// refusal is the contract's error. It never has a member "error": clients take that for an OAuth answer.
type refusal struct {
	Code      string       `json:"code"`
	Message   string       `json:"message"`
	Errors    []fieldFault `json:"errors,omitempty"`  // 400 and 422: clients tell those kinds by it
	Confirm   *int         `json:"confirm,omitempty"` // the number that confirms the request
	RequestID string       `json:"request_id,omitempty"`
}

type fieldFault struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// refuse answers with an error. What is nobody's business is only logged, under the request id that the answer names.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, t target, err error) {
	f := public(err)
	id := web.From(r.Context()).ID
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.o.Logger.ErrorContext(r.Context(), "an API request failed", "request_id", id, "method", r.Method, "route", t.class(), "error", err)
	}
	header := w.Header()
	switch {
	case f.Kind == fault.Unauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="rollcall"`)
	case f.Kind == fault.NotAllowed:
		header.Set("Allow", t.allow())
	case f.Kind == fault.Limited || f.RetryAfter > 0:
		web.SetRetryAfter(header, f.RetryAfter)
	}
	body := refusalOf(f)
	body.RequestID = id
	var unconfirmed *lifecycle.ConfirmationError
	if errors.As(err, &unconfirmed) {
		body.Confirm = &unconfirmed.Number
	}
	text, err := json.Marshal(body)
	if err != nil { // only strings that are valid UTF-8
		panic(err)
	}
	web.WriteBody(w, web.Status(f.Kind), "application/json", text)
}

func refusalOf(f *fault.Error) refusal {
	out := refusal{Code: f.Code, Message: shown(f.Message)}
	if out.Code == "" {
		out.Code = string(f.Kind)
	}
	one := fieldFault{Code: out.Code, Field: shown(f.Field), Message: out.Message}
	if f.Detail != "" {
		one.Code = f.Detail
	}
	switch f.Kind {
	case fault.Invalid:
		out.Errors = []fieldFault{one}
	case fault.Unprocessable:
		if one.Field == "" { // the contract wants one
			one.Field = "body"
		}
		out.Errors = []fieldFault{one}
	}
	return out
}

// shown makes text fit to be seen that may quote what a caller sent: a secret pasted where an id was wanted is not repeated.
func shown(text string) string { return web.Mask(strings.ToValidUTF8(text, "\uFFFD")) }

// public is web.Public, but that a request which ran out of time or whose client left is not our fault.
func public(err error) *fault.Error {
	if _, ok := fault.As(err); !ok && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return fault.New(fault.Unavailable, "timeout", "The request took too long and was given up. Send it again, or ask for less.").Because(err)
	}
	return web.Public(err)
}

func errNowhere(r *http.Request) error {
	return fault.New(fault.NotFound, "not_found", "Path not found: '%.80s'. GET /openapi.json lists the API's paths.", r.URL.Path)
}

// errMissing is the refusal for what is not there, or cannot be because its id has not the form of one.
func errMissing(noun, id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "%s not found: '%.80s'.", noun, id)
}

// errField is the refusal of a field or parameter.
func errField(field, code, format string, args ...any) error {
	return fault.New(fault.Unprocessable, code, format, args...).On(field)
}

// isID asks for the form in which ids are handed out: others would be compared as text that sorts elsewhere.
func isAnyID(id string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return isID(id, prefix) })
}

func isID(id, prefix string) bool {
	got, u, ok := token.Parse(id)
	return ok && got == prefix && id == prefix+"_"+u.String()
}
