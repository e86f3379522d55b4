package app

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
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

func nowhere(_ http.ResponseWriter, r *http.Request) error {
	return fault.New(fault.NotFound, "not_found", "There is nothing at this address; the API's paths are like /organizations, SCIM's like /scim/v2.")
}

// scimRefusal is RFC 7644 section 3.12.
type scimRefusal struct {
	Schemas []string `json:"schemas"`
	Status  string   `json:"status"`
	Detail  string   `json:"detail"`
}

type refusal struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// refuse answers where no edge could: in SCIM's format below /scim/, else in the API's.
func refuse(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	status := web.Status(f.Kind)
	id := web.From(r.Context()).ID
	if isSCIM(r.URL.Path) {
		body := scimRefusal{
			Schemas: []string{"urn:ietf:params:scim:api:messages:2.0:Error"},
			Status:  strconv.Itoa(status),
			Detail:  f.Message + " (request " + id + ")",
		}
		answer(w, status, "application/scim+json", body)
		return
	}
	answer(w, status, "application/json", refusal{Code: f.Code, Message: f.Message, RequestID: id})
}

func answer(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // cannot happen with these types; then the status has to speak for itself
		w.WriteHeader(status)
		return
	}
	web.WriteBody(w, status, contentType, body)
}
