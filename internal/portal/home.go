package portal

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// shownAtMost is more connections, or directories, than an organization has.
const shownAtMost = 50

// connections are those of the call's organization.
func (c *call) connections() ([]sso.Connection, error) {
	found, _, err := c.s.o.Connections.List(c.ctx(), sso.ListQuery{OrganizationID: string(c.org()), Limit: shownAtMost, Ascending: true})
	return found, err
}

// connection is one of the organization that an address names; any other is NotFound, alike for those that are another organization's.
func (c *call) connection(id string) (sso.Connection, error) {
	found, err := c.s.o.Connections.Get(c.ctx(), sso.ID(id))
	if f, ok := fault.As(err); ok && f.Kind == fault.NotFound || err == nil && found.OrganizationID != string(c.org()) {
		return sso.Connection{}, fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	return found, err
}

// directories are those of the call's organization.
func (c *call) directories() ([]directory.Directory, error) {
	found, _, err := c.s.o.Directories.List(c.ctx(), directory.ListQuery{OrganizationID: string(c.org()), Limit: shownAtMost, Ascending: true})
	return found, err
}

// directory is one of the organization that an address names; any other is NotFound, alike for those that are another organization's.
func (c *call) directory(id string) (directory.Directory, error) {
	found, err := c.s.o.Directories.Get(c.ctx(), directory.ID(id))
	if f, ok := fault.As(err); ok && f.Kind == fault.NotFound || err == nil && found.OrganizationID != string(c.org()) {
		return directory.Directory{}, fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	return found, err
}

// homeView is the portal's home.
type homeView struct {
	Organization string
	Connections  []connectionView
	Directories  []directoryView
	SSO, Sync    bool // what the link is for
}

type connectionView struct {
	ID, Name, State string
	Tone            ui.Tone
	LastUsed        time.Time
	Warnings        []string
}

type directoryView struct {
	ID, Name, State string
	Tone            ui.Tone
	LastUsed        time.Time
	Active          int64
	Groups          int64
}

func showHome(c *call) error {
	h := homeView{Organization: c.organization.Name, SSO: c.session.May(itadmin.SSO), Sync: c.session.May(itadmin.DirectorySync)}
	connections, err := c.connections()
	if err != nil {
		return err
	}
	for _, one := range connections {
		h.Connections = append(h.Connections, c.connectionView(one))
	}
	return c.ok(c.t("portal.home_title"), homePage(h))
}

func (c *call) connectionView(one sso.Connection) connectionView {
	return connectionView{
		ID: string(one.ID), Name: one.Name, State: c.t("portal.connection_" + string(one.State)), Tone: ui.Neutral, LastUsed: one.LastSuccessAt, Warnings: one.Warnings(c.s.o.Now()),
	}
}
