package dashboard

import (
	"context"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func licenceHref(o org.ID, parts ...string) string {
	return hrefOf("organizations", append([]string{string(o), "licences"}, parts...)...)
}

// licencesTable are the licences of an organization. Who holds one is in the list of its members.
func licencesTable(c *call) (table[access.Use], error) {
	o, err := c.owner()
	if err != nil {
		return table[access.Use]{}, err
	}
	w := c.words()
	return table[access.Use]{
		id: "licences", file: "licences", at: licenceHref(o.ID), key: func(u access.Use) string { return string(u.Type.ID) },
		read: whole(func(ctx context.Context) ([]access.Use, error) { return c.s.o.Access.Licences(ctx, string(o.ID)) }),
		fields: ui.Fields[access.Use]{
			ui.Both(ui.Column{Label: w.T("common.name")}, func(u access.Use) templ.Component { return link(u.Type.Name, licenceHref(o.ID, u.Type.Slug)) },
				"name", func(u access.Use) string { return u.Type.Name }),
			ui.Both(ui.Column{Label: w.T("access.slug")}, func(u access.Use) templ.Component { return ui.Mono(u.Type.Slug) }, "slug", func(u access.Use) string { return u.Type.Slug }),
			ui.Both(ui.Column{Label: w.T("access.seats")}, c.seats, "seats", func(u access.Use) string { return seatsOf(u.Type) }),
			ui.InExport("used", func(u access.Use) string { return strconv.FormatInt(u.Used, 10) }),
			ui.Both(ui.Column{Label: w.T("access.over_limit"), Minor: true}, func(u access.Use) templ.Component {
				return ui.Text(sayOr(w, "access.over_"+string(u.Type.OverLimit), string(u.Type.OverLimit)))
			}, "over_limit", func(u access.Use) string { return string(u.Type.OverLimit) }),
			ui.InExport("created_at", func(u access.Use) string { return written(u.Type.CreatedAt) }),
		},
	}, nil
}

// seatsOf is how many seats there are, "" for as many as are wanted.
func seatsOf(t access.LicenceType) string {
	if t.Seats == nil {
		return ""
	}
	return strconv.FormatInt(*t.Seats, 10)
}

func showLicences(c *call) error { return c.licencesPage(misfit{}) }

func (c *call) licencesPage(m misfit) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	list, err := licencesTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "licences", m)
	s.Head.Actions = acts([]action{list.exportAction(c)})
	t := ui.TableProps{Caption: w.T("access.licences"), Empty: ui.EmptyProps{Icon: ui.IconFile, Title: w.T("access.licences_none"), Text: w.T("access.licences_none_text")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(f, listing(s, t, c.ifAdmin(form(formView{
		ID: "licence-form", Form: c.form(licenceHref(o.ID)), Title: w.T("access.licence_add"), Save: w.T("access.licence_add"), Fields: c.licenceFields(access.LicenceType{}, m),
	}))...))
}

// seats draws how many seats are taken of how many.
func (c *call) seats(u access.Use) templ.Component {
	w := c.words()
	if u.Type.Seats == nil {
		return ui.Text(w.T("access.seats_open", "used", u.Used))
	}
	return ui.Progress(ui.ProgressProps{Label: w.T("access.seats_used", "used", u.Used, "of", *u.Type.Seats), Value: int(u.Used), Max: int(*u.Type.Seats)})
}

func (c *call) licenceFields(t access.LicenceType, m misfit) []templ.Component {
	w := c.words()
	fields := []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Error: m.on("name")}, Value: c.kept("name", t.Name), MaxLength: 255}),
	}
	if t.Slug == "" {
		fields = append(fields, ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "slug", Label: w.T("access.slug"), Hint: w.T("access.slug_hint"), Error: m.on("slug")}, Value: c.kept("slug", ""), Mono: true, MaxLength: 255,
		}))
	}
	over := string(t.OverLimit)
	if over == "" {
		over = string(access.Admit)
	}
	return append(fields,
		ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "seats", Label: w.T("access.seats"), Hint: w.T("access.seats_hint"), Optional: true, Error: m.on("seats")}, Type: "number", Value: c.kept("seats", seatsOf(t)),
		}),
		ui.Choices(ui.ChoicesProps{FieldProps: ui.FieldProps{ID: "over_limit", Label: w.T("access.over_limit"), Error: m.on("over_limit")}, Value: c.kept("over_limit", over), Options: []ui.Option{
			{Value: string(access.Admit), Label: w.T("access.over_admit"), Hint: w.T("access.over_admit_hint")},
			{Value: string(access.Refuse), Label: w.T("access.over_refuse"), Hint: w.T("access.over_refuse_hint")},
		}}),
	)
}

// seatsOf reads the number of the form; nil is as many as are wanted.
func (c *call) seatsOf() (*int64, error) {
	text := strings.TrimSpace(c.posted.Get("seats"))
	if text == "" {
		return nil, nil //nolint:nilnil // no limit is what an empty field means
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fault.New(fault.Unprocessable, "invalid_seats", "Seats are a whole number, or nothing for as many as are wanted.").On("seats")
	}
	return &n, nil
}

func createLicence(c *call) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	seats, err := c.seatsOf()
	if err != nil {
		return again(err, c.licencesPage)
	}
	_, err = c.s.o.Access.CreateLicenceType(c.ctx(), c.operator.Actor(), access.NewLicenceType{
		OrganizationID: string(o.ID), Slug: strings.TrimSpace(c.posted.Get("slug")), Name: strings.TrimSpace(c.posted.Get("name")), Seats: seats,
		OverLimit: access.OverLimit(c.posted.Get("over_limit")),
	})
	if err != nil {
		return again(err, c.licencesPage)
	}
	return c.done(licenceHref(o.ID), "saved")
}

func (c *call) licence() (org.Organization, access.Use, error) {
	o, err := c.owner()
	if err != nil {
		return o, access.Use{}, err
	}
	u, err := c.s.o.Access.Licence(c.ctx(), string(o.ID), c.values["licence"])
	return o, u, err
}

func showLicence(c *call) error { return c.licencePage(misfit{}) }

func (c *call) licencePage(m misfit) error {
	o, u, err := c.licence()
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "licences", m)
	s.Head = ui.HeadProps{Title: u.Type.Name, Badge: ui.Badge(ui.BadgeProps{Label: u.Type.Slug}), Back: ui.Link{Label: w.T("access.licences"), Href: licenceHref(o.ID)}}
	if u.Type.Seats == nil {
		s.Head.Text = w.T("access.seats_open", "used", u.Used)
	} else {
		s.Head.Text = w.T("access.seats_used", "used", u.Used, "of", *u.Type.Seats)
	}
	if c.operator.Role.May(operator.Admin) {
		s.Head.Actions = act(action{Label: w.T("common.delete"), Href: licenceHref(o.ID, u.Type.Slug, "delete"), Variant: ui.Danger, Icon: ui.IconTrash})
	}
	f.Title, f.Crumbs = u.Type.Name, append(f.Crumbs, ui.Link{Label: u.Type.Name})
	return c.show(f, forms(s, formView{ID: "licence-form", Form: c.form(licenceHref(o.ID, u.Type.Slug)), Save: w.T("common.save"), Fields: c.licenceFields(u.Type, m)}))
}

func saveLicence(c *call) error {
	o, u, err := c.licence()
	if err != nil {
		return err
	}
	seats, err := c.seatsOf()
	if err != nil {
		return again(err, c.licencePage)
	}
	name, over := strings.TrimSpace(c.posted.Get("name")), access.OverLimit(c.posted.Get("over_limit"))
	if _, err := c.s.o.Access.UpdateLicenceType(c.ctx(), c.operator.Actor(), string(o.ID), u.Type.Slug, access.LicenceTypeChanges{Name: &name, Seats: &seats, OverLimit: &over}); err != nil {
		return again(err, c.licencePage)
	}
	return c.done(licenceHref(o.ID), "saved")
}

func askDeleteLicence(c *call) error { return c.askLicence(misfit{}) }

func (c *call) askLicence(m misfit) error {
	o, u, err := c.licence()
	if err != nil {
		return err
	}
	w := c.words()
	_, f := c.accessSheet(o, "licences", m)
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("access.licence_delete_title", "name", u.Type.Name), Text: w.N("access.licence_delete_text", int(u.Used)), Form: c.form(licenceHref(o.ID, u.Type.Slug, "delete")),
		Confirm: w.T("common.delete"), Cancel: ui.Link{Href: licenceHref(o.ID, u.Type.Slug)},
	}))
}

func deleteLicence(c *call) error {
	o, u, err := c.licence()
	if err != nil {
		return err
	}
	if err := c.s.o.Access.DeleteLicenceType(c.ctx(), c.operator.Actor(), string(o.ID), u.Type.Slug); err != nil {
		return again(err, c.askLicence)
	}
	return c.done(licenceHref(o.ID), "deleted")
}
