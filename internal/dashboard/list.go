package dashboard

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// perPage is how many rows a page of a list has.
const perPage = 25

// paging is where a page of a list begins. Cursors are ids of what is listed.
type paging struct {
	before, after string
	whole         bool // all pages are read, one after the other
}

// isID asks for the form in which ids are handed out.
func isID(id, prefix string) bool {
	got, u, ok := token.Parse(id)
	return ok && got == prefix && id == prefix+"_"+u.String()
}

// pageOf reads the cursors of the address, which are ids that begin with a prefix.
func pageOf(query url.Values, prefix string) (paging, error) {
	p := paging{before: query.Get("before"), after: query.Get("after")}
	for _, id := range []string{p.before, p.after} {
		if id != "" && !isID(id, prefix) {
			return paging{}, errPlace()
		}
	}
	return p, nil
}

func errPlace() error {
	return fault.New(fault.Invalid, "invalid_cursor", "The address names a place in the list that there is not. Open the list anew.")
}

// pager leads from a page to its neighbours: beside it lies the row of the cursor that it was read from, and in the direction read whatever
// more says.
func pager(query url.Values, p paging, first, last string, more bool) ui.Pager {
	var out ui.Pager
	before, after := p.after != "", more
	if p.before != "" && p.after == "" {
		before, after = more, true
	}
	if first != "" && before {
		out.Previous, out.First = atCursor(query, "before", first), atCursor(query, "", "")
	}
	if last != "" && after {
		out.Next = atCursor(query, "after", last)
	}
	return out
}

// atCursor is the address of the present page with another cursor.
func atCursor(query url.Values, name, id string) string {
	q := maps.Clone(query)
	q.Del("before")
	q.Del("after")
	q.Del("did")
	if name != "" {
		q.Set(name, id)
	}
	return "?" + q.Encode()
}

// ends are the ids of the first and the last row.
func ends[T any](rows []T, id func(T) string) (first, last string) {
	if len(rows) == 0 {
		return "", ""
	}
	return id(rows[0]), id(rows[len(rows)-1])
}

// cleared is the address of a list without its filter; "" where nothing is filtered.
func cleared(query url.Values, path string, names ...string) string {
	if slices.ContainsFunc(names, func(n string) bool { return query.Get(n) != "" }) {
		return path
	}
	return ""
}

// filterOrganizationID reads the parameter that names an organization; "" if it is not given.
func filterOrganizationID(query url.Values) (string, error) {
	const name = "organization"
	id := strings.TrimSpace(query.Get(name))
	if id != "" && !isID(id, orgPrefix) {
		return "", fault.New(fault.Unprocessable, "invalid_id", "%.60q is not an id that begins with %s_.", web.Mask(id), orgPrefix).On(name)
	}
	return id, nil
}

// misfit is why a form was refused. The zero value says nothing.
type misfit struct {
	Field, Message string
	Status         int
}

// on is the message for a field of the form.
func (m misfit) on(field string) string {
	if m.Field == field {
		return m.Message
	}
	return ""
}

// again draws the page that a form stood on once more, with why it was refused. What is a failure of ours, or is about something that is not
// there, is answered as everywhere.
func again(err error, draw func(misfit) error) error {
	f, refused := fault.As(err)
	if !refused || slices.Contains([]fault.Kind{fault.Internal, fault.Unavailable, fault.NotFound}, f.Kind) {
		return err
	}
	return draw(misfit{Field: f.Field, Message: web.Mask(f.Message), Status: web.Status(f.Kind)})
}

const (
	orgPrefix        = "org"
	membershipPrefix = "om"
	userPrefix       = "user"
	teamPrefix       = "group"
	apiKeyPrefix     = "api_key"
	eventPrefix      = "event"
)

// organization is the one that an id names.
func (c *call) organization(id string) (org.Organization, error) {
	if !isID(id, orgPrefix) {
		return org.Organization{}, org.NotFound(id)
	}
	return c.s.o.Organizations.Get(c.ctx(), org.ID(id))
}

// namesKept is how many names of organizations a list remembers: an export may come by all there are.
const namesKept = 10_000

// owners gives the names of organizations, each read once while they are not too many.
func (c *call) owners() func(ctx context.Context, id string) (string, error) {
	known := map[string]string{}
	return func(ctx context.Context, id string) (string, error) {
		if id == "" {
			return "", nil
		}
		if name, there := known[id]; there {
			return name, nil
		}
		if len(known) >= namesKept {
			clear(known)
		}
		o, err := c.s.o.Organizations.Get(ctx, org.ID(id))
		switch {
		case fault.Is(err, fault.NotFound): // it was deleted; what it had is still listed
			known[id] = id
		case err != nil:
			return "", err
		default:
			known[id] = o.Name
		}
		return known[id], nil
	}
}

func organizationHref(id string) string { return hrefOf("organizations", id) }

// hrefOf is the address of something below a list.
func hrefOf(list string, parts ...string) string {
	out := Prefix + list
	for _, p := range parts {
		out += "/" + url.PathEscape(p)
	}
	return out
}

// chosen is a value of a closed list as a person chose it; "" for none.
func chosen[T ~string](value string, all []T) (T, bool) {
	i := slices.IndexFunc(all, func(one T) bool { return string(one) == value })
	if i < 0 {
		return "", value == ""
	}
	return all[i], true
}

// told is a changed text: nil where it is as it was.
func told(is, was string) *string {
	if is = strings.TrimSpace(is); is == was {
		return nil
	}
	return &is
}

// lines are the entries of a text area, one on each line.
func lines(text string) []string {
	out := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// orDash stands in for an empty text.
func orDash(text string) string { return cmp.Or(text, "–") }
