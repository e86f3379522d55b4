package portal

import (
	"cmp"
	"net/http"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web"
)

// stepRows are the addresses of the set-up in the portal's table.
func stepRows() []row {
	var out []row
	at := map[string]int{}
	for _, r := range stepRoutes() {
		i, there := at[r.pattern]
		if !there {
			i = len(out)
			at[r.pattern] = i
			out = append(out, row{pattern: r.pattern, class: "portal_set_up_" + string(r.part), intents: r.part.intents()})
		}
		if r.method == http.MethodPost {
			out[i].call.post = taking(r.serve)
		} else {
			out[i].call.get = taking(r.serve)
		}
	}
	return out
}

// intents are those of links that open a part.
func (p part) intents() []itadmin.Intent {
	switch p {
	case partSSO:
		return []itadmin.Intent{itadmin.SSO}
	case partDirectory:
		return []itadmin.Intent{itadmin.DirectorySync}
	case partDomains:
		return []itadmin.Intent{itadmin.DomainVerification, itadmin.SSO}
	}
	return nil
}

// taking answers a call with what a step shows, or leads on to.
func taking(serve func(*steps, *walk) (screen, error)) func(*call) error {
	return func(c *call) error {
		out, err := serve(c.s.steps, c.walk())
		if err != nil {
			return err
		}
		return c.answer(out)
	}
}

// walk is the call at a step.
func (c *call) walk() *walk {
	return &walk{
		ctx: c.ctx(), say: c.s.o.Site.Words(c.r), organization: c.organization, actor: c.actor(), base: c.s.o.Bases(string(c.org()))[0],
		allows: allowed{
			SSO: c.session.May(itadmin.SSO), Directory: c.session.May(itadmin.DirectorySync), Domains: c.session.May(itadmin.DomainVerification),
		},
		hidden: c.formTo("").Hidden, path: c.path, query: c.r.URL.Query(), form: c.form,
	}
}

func (c *call) answer(out screen) error {
	c.w.Header().Set("Cache-Control", "no-store")
	status := cmp.Or(out.status, http.StatusOK)
	switch {
	case out.to != "":
		c.redirect(out.to)
		return nil
	case out.alone:
		return c.s.o.Site.Write(c.w, c.r, web.Answer{Status: status, Body: out.body, Script: true, Isolated: true})
	}
	p := c.shell(out.title, out.steps...)
	p.Toast = out.toast
	return c.page(status, p, out.body)
}
