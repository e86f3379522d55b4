package portal

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web/linktest"
)

// Whoever opens all that can be opened, by links, is nowhere told that nothing is there, with a set-up of each provider by each protocol.
func TestLinks_of_all_pages_lead_somewhere(t *testing.T) {
	for name, accounts := range map[string]bool{"accounts": true, "profiles": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, dbtest.Open(t, db.SQLite, migrations.Files), accounts) // what links there are is no matter of the engine
			d.walk(d.enter(d.organization("Nothing set up").ID, itadmin.Everything))
			for _, p := range d.catalog.Providers() {
				d.walkSetUps(p)
			}
		})
	}
}

func (d *desk) walkSetUps(p idp.Provider) {
	d.Helper()
	b := d.enter(d.organization(p.Name).ID, itadmin.Everything)
	for _, protocol := range []idp.Protocol{idp.SAML, idp.OIDC} {
		if p.Speaks(protocol) {
			b.begin(string(p.Slug), string(protocol))
		}
	}
	d.walk(b)
	if p.Speaks(idp.SCIM) { // by a link for everything single sign-on comes first
		b = d.enter(d.organization(p.Name+" directory").ID, itadmin.DirectorySync)
		b.beginDirectory(string(p.Slug))
		d.walk(b)
	}
}

func (d *desk) walk(b *adminBrowser) {
	d.Helper()
	linktest.Walk(d.T, "/portal/home", "/portal", 10, 500, func(address string) (int, string) {
		got := b.get(address)
		return got.status, got.body
	})
}
