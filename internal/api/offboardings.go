package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web"
)

// listOffboardings lists the memberships of an organization that have ended, the latest first.
func listOffboardings(c *call) (answer, error) {
	p, err := c.paging(lifecycle.OffboardingPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Offboardings.List(c.ctx(), lifecycle.OffboardingQuery{
		OrganizationID: c.path["id"], Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(f lifecycle.Offboarding) string { return f.ID }, showOffboarding)
	return ok(page), err
}

func getOffboarding(c *call) (answer, error) {
	f, err := c.o.Offboardings.Get(c.ctx(), c.path["id"])
	if err != nil {
		return answer{}, err
	}
	shown, err := showOffboarding(f)
	return ok(written(shown)), err
}

// showOffboarding shows what its receipt says, under the names that the API has for it.
func showOffboarding(f lifecycle.Offboarding) (jsontext.Value, error) {
	r := f.Receipt
	return encode(struct {
		Object          string                        `json:"object"`
		ID              string                        `json:"id"`
		OrganizationID  string                        `json:"organization_id"`
		MembershipID    string                        `json:"organization_membership_id"`
		UserID          string                        `json:"user_id"`
		Status          string                        `json:"status"`
		Why             string                        `json:"why"`
		Cause           lifecycle.ReceiptCause        `json:"cause"`
		RequestedAt     *string                       `json:"requested_at"`
		EndedAt         string                        `json:"ended_at"`
		CommittedBy     string                        `json:"committed_by"`
		Sessions        lifecycle.ReceiptSessions     `json:"sessions"`
		Events          []lifecycle.ReceiptEvent      `json:"events"`
		Webhooks        []lifecycle.ReceiptWebhook    `json:"webhooks"`
		Logouts         []lifecycle.ReceiptLogout     `json:"logouts"`
		Acknowledgement *lifecycle.ReceiptAcknowledge `json:"acknowledgement"`
		SpanMS          int64                         `json:"span_ms"`
		Complete        bool                          `json:"complete"`
		Missing         []lifecycle.ReceiptMissing    `json:"missing"`
		FrozenAt        *string                       `json:"frozen_at"`
	}{
		"offboarding", f.ID, f.OrganizationID, f.MembershipID, f.UserID, f.State, f.Why, r.Cause, r.RequestedAt, r.EndedAt, r.CommittedBy, r.Sessions,
		r.Events, r.Webhooks, r.Logouts, r.Acknowledgement, r.SpanMS, r.Complete, r.Missing, shownOrNull(f.FrozenAt),
	})
}

func shownOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	at := event.Shown(t)
	return &at
}

const joseType = "application/jose"

// getReceipt gives the signed receipt: in an object, or with format=jws or Accept: application/jose bare.
func getReceipt(c *call) (answer, error) {
	form := c.query.Get("format")
	if form != "" && form != "json" && form != "jws" {
		return answer{}, errField("format", "invalid_format", "format is json or jws, not %.40q.", form)
	}
	f, signed, err := c.o.Offboardings.Signed(c.ctx(), c.path["id"])
	if err != nil {
		return answer{}, err
	}
	if form == "jws" || form == "" && strings.HasPrefix(c.r.Header.Get("Accept"), joseType) {
		return ok(streamed(func(w http.ResponseWriter) error {
			w.Header().Set("Content-Disposition", `attachment; filename="`+f.ID+`.jws"`)
			web.WriteBody(w, http.StatusOK, joseType, []byte(signed))
			return nil
		})), nil
	}
	return ok(struct {
		Object   string                     `json:"object"`
		ID       string                     `json:"offboarding_id"`
		Receipt  string                     `json:"receipt"`
		Complete bool                       `json:"complete"`
		Missing  []lifecycle.ReceiptMissing `json:"missing"`
		FrozenAt *string                    `json:"frozen_at"`
	}{"offboarding_receipt", f.ID, signed, f.Receipt.Complete, f.Receipt.Missing, shownOrNull(f.FrozenAt)}), nil
}

// acknowledgeEvent keeps the app's word that it has done what an event asks of it.
func acknowledgeEvent(c *call) (answer, error) {
	a, err := c.o.Offboardings.Acknowledge(c.ctx(), c.actor, c.path["id"])
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		Object  string      `json:"object"`
		EventID string      `json:"event_id"`
		By      event.Actor `json:"acknowledged_by"`
		At      string      `json:"acknowledged_at"`
	}{"event_acknowledgement", a.EventID, a.Actor, event.Shown(a.At)}), nil
}

// getGap says for how long an application may let somebody go on whose access has ended.
func getGap(c *call) (answer, error) {
	g, err := c.o.Issuer.Gap(c.ctx(), c.path["id"])
	if err != nil {
		return answer{}, err
	}
	return ok(showGap(g, c.o.Now())), nil
}

type gapLogouts struct {
	Configured bool   `json:"configured"`
	Measured   int    `json:"measured"`
	Median     *int64 `json:"p50_ms"`
	P95        *int64 `json:"p95_ms"`
	Worst      *int64 `json:"max_ms"`
	Failed     int    `json:"failed"`
	Pending    int    `json:"pending"`
}

type gapIntrospection struct {
	InUse  bool    `json:"in_use"`
	LastAt *string `json:"last_at"`
}

type gapShown struct {
	Object        string           `json:"object"`
	ApplicationID string           `json:"application_id"`
	Logouts       gapLogouts       `json:"back_channel_logout"`
	Introspection gapIntrospection `json:"introspection"`
	TokenLife     int64            `json:"access_token_seconds"`
	Worst         int64            `json:"worst_gap_ms"`
	By            string           `json:"worst_gap_by"`
}

func showGap(g issuer.Gap, now time.Time) gapShown {
	gap, by := g.TrueWorst()
	out := gapShown{
		Object: "application_gap", ApplicationID: g.Application.ID, TokenLife: int64(g.TokenLife.Seconds()), Worst: gap.Milliseconds(), By: by,
		Logouts:       gapLogouts{Configured: g.Application.LogoutURI != "", Measured: g.Measured, Failed: g.Failed, Pending: g.Pending},
		Introspection: gapIntrospection{g.AsksEachTime(now), shownOrNull(g.IntrospectedAt)},
	}
	if g.Measured == 0 {
		return out
	}
	median, p95, worst := g.Median.Milliseconds(), g.P95.Milliseconds(), g.Worst.Milliseconds()
	out.Logouts.Median, out.Logouts.P95, out.Logouts.Worst = &median, &p95, &worst
	return out
}
