package portal

import (
	"github.com/rollcallhq/rollcall/internal/web/health"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// showHealth shows what a directory's requests tell of how it is kept.
func showHealth(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	f, err := c.s.steps.feedOf(c.walk(), d)
	if err != nil {
		return err
	}
	h, err := c.s.o.Healths.Of(c.ctx(), d, f.provider)
	if err != nil {
		return err
	}
	head := ui.HeadProps{
		Title: c.t("health.title", "name", d.Name), Text: c.t("health.lead", "provider", f.provider.Name),
		Back: ui.Link{Label: c.t("portal.to_home"), Href: "/portal/home"},
	}
	return c.ok(head.Title, healthPage(head, health.Props{Health: h, Provider: f.provider}))
}
