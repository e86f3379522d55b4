package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal by the server.
type Error struct {
	Status     int           // HTTP status
	Code       string        // stable, for programs, like entity_not_found
	Message    string        // for people
	Fields     []FieldError  // of 400 and 422
	RequestID  string        // names the request in the server's log
	RetryAfter time.Duration // 0 where the server said nothing
	Confirm    int           // of people_left_out: the number that confirms the request
}

// FieldError names what was wrong in what was sent.
type FieldError struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error gives the server's sentence, and what it takes to find the request.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	fmt.Fprintf(&b, " (%d", e.Status)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	for i, f := range e.Fields {
		if f.Field == "" {
			continue
		}
		if i == 0 {
			b.WriteString(", field")
		}
		b.WriteString(" " + f.Field)
	}
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	return b.String() + ")"
}

// Status is the HTTP status of a refusal, and 0 for every other error.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Code is the stable code of a refusal, and "" for every other error.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// UnreachableError says that no answer came: nobody listens, the connection broke, or it took too long.
type UnreachableError struct {
	URL string
	Err error
}

// Error names the address.
func (e *UnreachableError) Error() string { return "no answer from " + e.URL + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// maxRefusal bounds what is read of a refusal: it holds a sentence.
const maxRefusal = 64 << 10

// refusalOf reads an answer that is no success.
func refusalOf(res *http.Response, now time.Time) *Error {
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get("X-Request-ID"), RetryAfter: retryAfter(res.Header.Get("Retry-After"), now)}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	var body struct {
		Code             string       `json:"code"`
		Message          string       `json:"message"`
		Errors           []FieldError `json:"errors"`
		Confirm          int          `json:"confirm"`
		OAuth            string       `json:"error"`
		OAuthDescription string       `json:"error_description"`
	}
	if err == nil && json.Unmarshal(text, &body) == nil {
		e.Code, e.Message, e.Fields, e.Confirm = body.Code, body.Message, body.Errors, body.Confirm
		if e.Code == "" {
			e.Code = body.OAuth
		}
		if e.Message == "" {
			e.Message = body.OAuthDescription
		}
	}
	switch {
	case e.Message != "":
	case res.StatusCode/100 == 3:
		e.Message = "the address leads elsewhere, to " + clean(res.Header.Get("Location")) + "; give that one as the server's address"
	default:
		e.Message = "the answer " + res.Status + " is not one of Rollcall's; is the server's address right?"
	}
	return e
}

// clean bounds what a stranger has written before it is shown.
func clean(s string) string {
	const enough = 200
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s[:min(len(s), enough)])
}

// retryAfter reads both forms of the header (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

func asRefusal(err error) *Error {
	var e *Error
	errors.As(err, &e)
	return e
}
