package app

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/web"
)

// own makes a handler of one of the app's own pages.
func (a *App) own(h web.Handler) http.Handler {
	return h.With(func(w http.ResponseWriter, r *http.Request, err error) {
		f := web.Public(err)
		if f.Kind == fault.Internal {
			a.log.ErrorContext(r.Context(), "failed", "request_id", web.From(r.Context()).ID, "cause", err)
		}
		refuse(w, r, f)
	})
}

type refusal struct {
	Code      string   `json:"code"`
	Message   string   `json:"message"`
	Errors    []detail `json:"errors,omitempty"` // of a 400: the API's clients tell it by them
	RequestID string   `json:"request_id"`
}

type detail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// refuse answers where no edge could: in SCIM's format below /scim/, else in the API's.
func refuse(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	status := web.Status(f.Kind)
	id := web.From(r.Context()).ID
	if isSCIM(r.URL.Path) {
		web.WriteBody(w, status, "application/scim+json", scim.AppendError(nil, status, "", f.Message+" (request "+id+")"))
		return
	}
	body := refusal{Code: f.Code, Message: f.Message, RequestID: id}
	if f.Kind == fault.Invalid {
		body.Errors = []detail{{Code: f.Code, Message: f.Message}}
	}
	if err := web.WriteJSON(w, status, body); err != nil {
		w.WriteHeader(status) // only invalid UTF-8 is no JSON; then the status speaks for itself
	}
}
