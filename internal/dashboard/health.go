package dashboard

import (
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/web/health"
)

// provider is what the catalogue knows of whom a directory is for; where it has forgotten them, of whom the type stands for.
func (c *call) provider(d directory.Directory) idp.Provider {
	if p, known := c.s.o.Catalog.Provider(idp.Slug(d.Provider)); known && p.Speaks(idp.SCIM) {
		return p
	}
	return c.s.o.Catalog.ByDirectoryType(idp.DirectoryType(d.Type))[0]
}

// showHealth is the tab on which a directory's own rows tell how its provider keeps it.
func showHealth(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "health")
	if err != nil {
		return err
	}
	provider := c.provider(d)
	h, err := c.s.o.Healths.Of(c.ctx(), d, provider)
	if err != nil {
		return err
	}
	p := health.Props{Health: h, Provider: provider, Group: func(id string) string { return directoryHref(d.ID, "groups", id) }}
	return c.show(c.tabFrame(d, o, "health"), healthPage(s, p))
}
