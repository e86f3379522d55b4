package portal

import (
	"strconv"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// alertsShown is more than an organization has.
const alertsShown = 50

// alertView is something that is wrong, on the home page.
type alertView struct {
	Tone       ui.Tone
	Title, Fix string
	Since      time.Time // zero: the title says it
	Mend       string    // address of the page where it is mended; "": it is not mended here
}

// alerts are those of the call's organization that the link is for.
func (c *call) alerts() (out []alertView, err error) {
	open, err := c.s.o.Alerts.OpenOf(c.ctx(), c.org(), alertsShown)
	if err != nil {
		return nil, err
	}
	for _, a := range open {
		intent, theirs := a.Kind.Intent()
		if theirs && (c.session.May(intent) || intent == itadmin.CertificateRenewal && c.session.May(itadmin.SSO)) {
			out = append(out, c.alertView(a))
		}
	}
	return out, nil
}

func (c *call) alertView(a alert.Alert) alertView {
	key := string(a.Kind)
	if a.Stage > alert.Wrong {
		key += "_" + strconv.Itoa(a.Stage)
	}
	out := alertView{
		Tone: ui.Warn, Title: c.t("alerts.told_"+key, "name", a.Name), Since: a.Since,
		Fix: c.t("alerts.fix_"+key, "count", strconv.Itoa(a.Facts.Count), "request", a.Facts.Method+" "+a.Facts.Path, "status", strconv.Itoa(a.Facts.Status),
			"minutes", strconv.Itoa(a.Facts.Minutes), "at", a.SeenAt.UTC().Format("2006-01-02 15:04 UTC")),
	}
	if a.Bad() {
		out.Tone = ui.Bad
	}
	if place := a.PortalPlace(); place != "/home" {
		out.Mend = itadmin.Path + place
	}
	return out
}
