package portal

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
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
	Alerts       []alertView
	Connections  []connectionView
	Directories  []directoryView
	SSO, Sync    bool // what the link is for
	Delete       bool
}

// connectionView is a connection on the home page.
type connectionView struct {
	Name, Provider, State string
	Tone                  ui.Tone
	LastUsed              time.Time
	Warnings              []string
	Certificates          string // address; "" for none
	Secret                string // address; "" for none
}

// directoryView is a directory on the home page.
type directoryView struct {
	Name, Provider, State    string
	Tone                     ui.Tone
	LastUsed                 time.Time
	Active, Inactive, Groups int
	Tokens, Health, Brake    string // addresses
	Held                     *heldView
}

func showHome(c *call) error {
	h := homeView{Organization: c.organization.Name, SSO: c.session.May(itadmin.SSO), Sync: c.session.May(itadmin.DirectorySync)}
	var err error
	if h.Alerts, err = c.alerts(); err != nil {
		return err
	}
	connections, err := c.connections()
	if err != nil {
		return err
	}
	directories, err := c.directories()
	if err != nil {
		return err
	}
	if h.SSO || c.session.May(itadmin.CertificateRenewal) {
		for _, one := range connections {
			h.Connections = append(h.Connections, c.connectionView(one))
		}
	}
	if h.Sync {
		if h.Directories, err = c.directoryViews(directories); err != nil {
			return err
		}
	}
	h.Delete = c.session.Intent == itadmin.Everything && len(connections)+len(directories) > 0
	return c.ok(c.t("portal.home_title"), homePage(h))
}

func (c *call) connectionView(one sso.Connection) connectionView {
	out := connectionView{
		Name: one.Name, Provider: c.providerName(one.Provider), State: c.t("portal.connection_" + string(one.State)), LastUsed: one.LastSuccessAt,
		Warnings: one.Warnings(c.s.o.Now()),
	}
	switch one.State {
	case sso.Active:
		out.Tone = ui.Good
	case sso.Inactive:
		out.Tone = ui.Warn
	case sso.Draft, sso.Validating:
		out.Tone = ui.Neutral
	}
	if one.Protocol == sso.SAML {
		out.Certificates = "/portal/certificates/" + string(one.ID)
	} else if c.session.May(itadmin.SSO) {
		out.Secret = "/portal/secrets/" + string(one.ID)
	}
	return out
}

// providerName is how people call a provider of the catalogue.
func (c *call) providerName(slug string) string {
	if p, known := c.s.o.Catalog.Provider(idp.Slug(slug)); known {
		return p.Name
	}
	return slug
}

func (c *call) directoryViews(all []directory.Directory) ([]directoryView, error) {
	ids := make([]directory.ID, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	counts, err := c.s.o.Directories.CountsOf(c.ctx(), ids...)
	if err != nil {
		return nil, err
	}
	out := make([]directoryView, len(all))
	for i, one := range all {
		n := counts[one.ID]
		out[i] = directoryView{
			Name: one.Name, Provider: c.providerName(one.Provider), Active: int(n.Active), Inactive: int(n.Inactive), Groups: int(n.Groups), Tokens: "/portal/tokens/" + string(one.ID),
			Health: "/portal/health/" + string(one.ID), Brake: brakeHref(one.ID),
		}
		if out[i].Held, err = c.held(one); err != nil {
			return nil, err
		}
		out[i].State, out[i].Tone = c.directoryState(one)
		if out[i].LastUsed, err = c.lastContact(one.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *call) directoryState(one directory.Directory) (string, ui.Tone) {
	switch {
	case one.State == directory.Unlinked:
		return c.t("portal.directory_unlinked"), ui.Neutral
	case one.Switching == directory.Retired:
		return c.t("portal.directory_retired"), ui.Neutral
	case one.Paused:
		return c.t("portal.directory_paused"), ui.Warn
	case !one.Live():
		return c.t("portal.directory_collecting"), ui.Warn
	}
	return c.t("portal.directory_live"), ui.Good
}

// lastContact is when the provider's last request was let in.
func (c *call) lastContact(id directory.ID) (last time.Time, err error) {
	tokens, err := c.s.o.Directories.Tokens(c.ctx(), id)
	for _, t := range tokens {
		if t.LastUsedAt.After(last) {
			last = t.LastUsedAt
		}
	}
	return last, err
}
