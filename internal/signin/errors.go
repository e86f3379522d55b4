package signin

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/web"
)

// refuse answers for a request that got no answer: a page for persons, JSON for programs.
func (c *call) refuse(err error) {
	var redirect *issuer.RedirectError
	if errors.As(err, &redirect) {
		if to, failed := redirect.Location(); failed == nil {
			c.redirect(to)
			return
		}
	}
	var refusal *oidc.ErrorResponse
	if errors.As(err, &refusal) && refusal.Kind() != fault.Internal {
		c.refuseOAuth(refusal)
		return
	}
	f := web.Public(err)
	if f.Kind == fault.Internal {
		c.s.o.Logger.ErrorContext(c.ctx(), "failed", "request_id", c.q.ID, "cause", err)
	}
	if f.RetryAfter > 0 {
		web.SetRetryAfter(c.w.Header(), f.RetryAfter)
	}
	c.q.Note("refused", f.Code)
	if c.kind == machine || c.kind == open {
		c.refuseMachine(f)
		return
	}
	c.wrongPage(web.Status(f.Kind), f.Message)
}

// wrongPage says what is wrong with a request. When not even that can be written the status speaks for itself.
func (c *call) wrongPage(status int, sentence string) {
	if err := c.s.o.Pages.Write(c.w, c.r, status, web.WrongPage{Sentence: sentence, ID: c.q.ID}, ""); err != nil {
		c.s.o.Logger.ErrorContext(c.ctx(), "a page failed", "request_id", c.q.ID, "cause", err)
		c.w.WriteHeader(status)
	}
}

// refuseOAuth answers in the words of RFC 6749, section 5.2, and RFC 6750, section 3.
func (c *call) refuseOAuth(refusal *oidc.ErrorResponse) {
	c.q.Note("refused", string(refusal.Code))
	if c.kind != machine && c.kind != open {
		c.wrongPage(web.Status(refusal.Kind()), refusal.Description)
		return
	}
	if err := c.limit(c.s.failures); err != nil {
		f, _ := fault.As(err)
		web.SetRetryAfter(c.w.Header(), f.RetryAfter)
		c.refuseMachine(f)
		return
	}
	if isCompatible(c.r.URL.Path) {
		c.refuseCompatible(refusal)
		return
	}
	status := web.Status(refusal.Kind())
	if errors.As(refusal, &errNoToken{}) {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
		c.w.WriteHeader(status)
		return
	}
	switch refusal.Code { //nolint:exhaustive // the others need no header
	case oidc.InvalidClient:
		c.w.Header().Set("WWW-Authenticate", `Basic realm="rollcall"`)
	case oidc.InvalidToken, oidc.InsufficientScope:
		c.w.Header().Set("WWW-Authenticate", `Bearer error="`+string(refusal.Code)+`"`)
	}
	c.json(status, withMessage(refusal))
}

// errNoToken is the cause of a refusal of who shows no token at all: they are told how to, and not that something is wrong with one (RFC 6750,
// section 3.1).
type errNoToken struct{}

func (errNoToken) Error() string { return "no bearer token" }

// isCompatible tells the addresses whose answers are those of the compatible API's contract, where that and the RFCs differ.
func isCompatible(path string) bool {
	return strings.HasPrefix(path, "/sso/") || strings.HasPrefix(path, "/user_management/")
}

// refuseCompatible: a client that is refused is a bad request there, and a token that is refused has a word of its own.
func (c *call) refuseCompatible(refusal *oidc.ErrorResponse) {
	status := web.Status(refusal.Kind())
	switch refusal.Code { //nolint:exhaustive // the others are the same
	case oidc.InvalidClient:
		status = http.StatusBadRequest
	case oidc.InvalidToken:
		c.w.Header().Set("WWW-Authenticate", `Bearer error="`+string(refusal.Code)+`"`)
		refusal = &oidc.ErrorResponse{Code: "Unauthorized", Description: refusal.Description}
	}
	c.json(status, withMessage(refusal))
}

// withMessage adds what clients of the compatible routes show.
func withMessage(refusal *oidc.ErrorResponse) any {
	out := map[string]any{"error": refusal.Code}
	maps.Copy(out, refusal.More)
	if refusal.Description != "" {
		out["error_description"], out["message"] = refusal.Description, refusal.Description
	}
	return out
}

// refuseMachine words a refusal that is none of OAuth's.
func (c *call) refuseMachine(f *fault.Error) {
	code := oidc.ServerError
	switch f.Kind { //nolint:exhaustive // the others are failures
	case fault.Invalid, fault.NotAllowed, fault.TooLarge, fault.Unprocessable, fault.Forbidden, fault.NotFound:
		code = oidc.InvalidRequest
	case fault.Limited, fault.Unavailable:
		code = oidc.TemporarilyUnavailable
	}
	c.json(web.Status(f.Kind), struct {
		Error       oidc.ErrorCode `json:"error"`
		Description string         `json:"error_description"`
		Message     string         `json:"message"`
		Code        string         `json:"code"`
	}{code, f.Message, f.Message, f.Code})
}

// json answers an application. The front has set Cache-Control: no-store (RFC 6749, section 5.1).
func (c *call) json(status int, v any) {
	c.w.Header().Set("Pragma", "no-cache")
	if err := web.WriteJSON(c.w, status, v); err != nil {
		c.s.o.Logger.ErrorContext(c.ctx(), "an answer failed", "request_id", c.q.ID, "cause", err)
		c.w.WriteHeader(http.StatusInternalServerError)
	}
}

func (c *call) jsonBody(body []byte) {
	c.w.Header().Set("Pragma", "no-cache")
	web.WriteBody(c.w, http.StatusOK, "application/json", body)
}

// redirect sends the browser on, always with GET (RFC 9700, section 4.12).
func (c *call) redirect(to string) {
	c.w.Header().Set("Location", to)
	c.w.WriteHeader(http.StatusSeeOther)
}
