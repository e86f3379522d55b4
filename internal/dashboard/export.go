package dashboard

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// exporting streams a list as CSV, as its filter leaves it and however long it is. read gives a page from a cursor on, with the cursor after it.
func exporting[T any](c *call, name string, columns []string, read func(ctx context.Context, after string) (page []T, next string, err error), cells func(T) ([]string, error)) error {
	return web.Export{Name: name, Form: web.ExportCSV, Columns: columns, Log: c.s.o.Logger, Next: func(ctx context.Context, after string) ([]web.Exported, string, error) {
		page, next, err := read(ctx, after)
		out := make([]web.Exported, 0, len(page))
		for _, one := range page {
			row, err := cells(one)
			if err != nil {
				return nil, "", err
			}
			out = append(out, web.Exported{Cells: row})
		}
		return out, next, err
	}}.Write(c.w, c.r)
}

// further is the cursor after a page, "" at the end.
func further[T any](page []T, more bool, id func(T) string) string {
	if !more || len(page) == 0 {
		return ""
	}
	return id(page[len(page)-1])
}

// exportHref is where a list is exported, with the parameters that its filter has.
func exportHref(path string, query url.Values, filters ...string) string {
	q := url.Values{}
	for _, name := range filters {
		if v := query.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return path + "/export"
	}
	return path + "/export?" + q.Encode()
}

func (c *call) exportAction(href string) action {
	return action{Label: c.words().T("log.export_csv"), Href: href, Variant: ui.Secondary, Icon: ui.IconDownload, Download: true}
}

// written is a time in an export, "" for none.
func written(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return event.Shown(t)
}

func exportOrganizations(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	search := searchOf(q.Get("search"))
	return exporting(c, "organizations", []string{"id", "name", "external_id", "domains", "created_at", "updated_at"},
		func(ctx context.Context, after string) ([]org.Organization, string, error) {
			page, more, err := c.s.o.Organizations.List(ctx, org.ListQuery{Search: search, After: after, Limit: exportAtOnce})
			return page, further(page, more, func(o org.Organization) string { return string(o.ID) }), err
		},
		func(o org.Organization) ([]string, error) {
			names := make([]string, len(o.Domains))
			for i, d := range o.Domains {
				names[i] = d.Domain
			}
			return []string{string(o.ID), o.Name, o.ExternalID, strings.Join(names, " "), written(o.CreatedAt), written(o.UpdatedAt)}, nil
		})
}

// memberStateOf is the state that a list of members is narrowed to; none is all but the removed.
func memberStateOf(query url.Values) (states []member.State, err error) {
	state, known := chosen(query.Get("state"), memberStates())
	switch {
	case !known:
		return nil, fault.New(fault.Unprocessable, "invalid_state", "There is no state %.40q.", query.Get("state")).On("state")
	case state != "":
		return []member.State{state}, nil
	}
	return nil, nil
}

func exportMembers(c *call) error {
	if err := c.keepsAccounts(); err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	id, err := filterOrganizationID(query)
	if err != nil {
		return err
	}
	o, err := c.organization(id)
	if err != nil {
		return err
	}
	states, err := memberStateOf(query)
	if err != nil {
		return err
	}
	return exporting(c, "members", []string{"id", "user_id", "email", "name", "state", "why", "primary", "role", "licence", "directory_user_id", "joined_at"},
		func(ctx context.Context, after string) ([]member.Member, string, error) {
			page, more, err := c.s.o.Members.List(ctx, member.ListQuery{OrganizationID: string(o.ID), States: states, After: after, Limit: exportAtOnce})
			return page, further(page, more, func(m member.Member) string { return string(m.Membership.ID) }), err
		},
		func(m member.Member) ([]string, error) {
			at := m.Membership
			return []string{
				string(at.ID), string(m.User.ID), m.User.Email, m.User.Name(), string(at.State), string(at.Why), strconv.FormatBool(at.Primary), at.Role, at.Licence, at.DirectoryUserID,
				written(at.JoinedAt),
			}, nil
		})
}

func exportPeople(c *call) error {
	d, _, err := c.directory()
	if err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	of := directory.PeopleQuery{Directory: d.ID, Search: searchOf(query.Get("search")), Inactive: inactiveOf(query), Limit: exportAtOnce}
	return exporting(c, "directory-users", []string{"id", "idp_id", "user_name", "email", "name", "state", "created_at", "updated_at"},
		func(ctx context.Context, after string) ([]directory.User, string, error) {
			of.After = after
			page, more, err := c.s.o.Directories.People(ctx, of)
			return page, further(page, more, func(u directory.User) string { return string(u.ID) }), err
		},
		func(u directory.User) ([]string, error) {
			all, err := directory.Attributes(u)
			a := attributesByName(all)
			return []string{string(u.ID), a["idp_id"], a["username"], a["email"], a["name"], string(u.State()), written(u.CreatedAt), written(u.UpdatedAt)}, err
		})
}

// inactiveOf is the state that a list of a directory's people is narrowed to; nil is all.
func inactiveOf(query url.Values) *bool {
	state := query.Get("state")
	if state != "active" && state != "inactive" {
		return nil
	}
	inactive := state == "inactive"
	return &inactive
}
