package portal

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
)

var anyLink = regexp.MustCompile(`<a [^>]*href="([^"#]+)"|hx-get="([^"]+)"`)

// Whoever opens all that can be opened, by links, is nowhere told that nothing is there, with a set-up of each provider by each protocol.
func TestLinks_of_all_pages_lead_somewhere(t *testing.T) {
	for name, accounts := range map[string]bool{"accounts": true, "profiles": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, dbtest.Open(t, db.SQLite, migrations.Files), accounts) // what links there are is no matter of the engine
			d.walk(d.enter(d.organization("Nothing set up").ID, itadmin.Everything), 10)
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
	d.walk(b, 10)
	if p.Speaks(idp.SCIM) { // by a link for everything single sign-on comes first
		b = d.enter(d.organization(p.Name+" directory").ID, itadmin.DirectorySync)
		b.beginDirectory(string(p.Slug))
		d.walk(b, 10)
	}
}

func (d *desk) walk(b *adminBrowser, least int) {
	d.Helper()
	const most = 500
	from, todo := map[string]string{"/portal/home": "the start"}, []string{"/portal/home"}
	for n := 0; len(todo) > 0 && n < most; n++ {
		at := todo[0]
		todo = todo[1:]
		got := b.get(at)
		switch got.status {
		case http.StatusOK, http.StatusSeeOther, http.StatusNoContent:
		default:
			d.Errorf("%s, linked from %s: %d", at, from[at], got.status)
			continue
		}
		base, err := url.Parse(at)
		d.must(err)
		for _, m := range anyLink.FindAllStringSubmatch(got.body, -1) {
			to, err := base.Parse(html.UnescapeString(m[1] + m[2]))
			if err != nil || to.Host != "" || !strings.HasPrefix(to.Path, "/portal") {
				continue
			}
			if address := to.RequestURI(); from[address] == "" {
				from[address] = at
				todo = append(todo, address)
			}
		}
	}
	if len(from) < least || len(todo) > 0 {
		d.Errorf("%d pages were found, %d are left", len(from), len(todo))
	}
}
