package app

import (
	"context"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/web"
)

// pingTimeout is below the second or two that orchestrators give a probe.
const pingTimeout = 900 * time.Millisecond

// live says that the process answers. It asks nobody else: restarting us does not mend a database.
func (a *App) live(w http.ResponseWriter, r *http.Request) error {
	web.From(r.Context()).Quiet()
	web.From(r.Context()).Route = "health"
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

type readiness struct {
	Status   string `json:"status"` // ready, or why not
	Database string `json:"database"`
}

// ready says whether to send requests here. The schema is up to date and the keys are read before the server starts, so
// what can still change is the database and whether we are stopping. Causes are for the log: a probe's answer is public.
func (a *App) ready(w http.ResponseWriter, r *http.Request) error {
	web.From(r.Context()).Quiet()
	web.From(r.Context()).Route = "health"
	answer, status := readiness{Status: "ready", Database: "ok"}, http.StatusOK
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	if err := a.db.Ping(ctx); err != nil {
		a.log.WarnContext(ctx, "not ready: the database does not answer", "request_id", web.From(ctx).ID, "cause", err)
		answer, status = readiness{Status: "not ready", Database: "does not answer"}, http.StatusServiceUnavailable
	}
	if a.stopping.Load() {
		answer.Status, status = "stopping", http.StatusServiceUnavailable
	}
	return web.WriteJSON(w, status, answer)
}
