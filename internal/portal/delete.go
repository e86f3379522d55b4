package portal

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// showDelete asks before the identity provider is deleted.
func showDelete(c *call) error { return c.askDelete(http.StatusOK, "", "", nil) }

// askDelete shows what goes. warning names those who would be left without a way in, once that is known; number is how many they are.
func (c *call) askDelete(status int, wrong, warning string, number *int) error {
	connections, err := c.connections()
	if err != nil {
		return err
	}
	directories, err := c.directories()
	if err != nil {
		return err
	}
	if len(connections)+len(directories) == 0 {
		c.redirect("/portal/home")
		return nil
	}
	p := ui.ConfirmProps{
		Title: c.t("portal.delete_title"), Text: c.t("portal.delete_text"), Form: c.formTo(""), Confirm: c.t("portal.delete_go"),
		Cancel: ui.Link{Label: c.t("portal.delete_keep"), Href: "/portal/home"}, Type: c.organization.Name, Error: wrong,
	}
	for _, one := range connections {
		p.Lines = append(p.Lines, c.t("portal.delete_connection", "name", one.Name))
	}
	for _, one := range directories {
		p.Lines = append(p.Lines, c.t("portal.delete_directory", "name", one.Name))
	}
	var left *ui.TableProps
	more := ""
	if number != nil {
		p.Form.Hidden = append(p.Form.Hidden, ui.Hidden{Name: "left_out", Value: strconv.Itoa(*number)})
		if left, more, err = c.strandedTable(*number); err != nil {
			return err
		}
	}
	return c.page(status, c.shell(c.t("portal.delete_title")), deletePage(warning, left, more, p))
}

// strandedAtMost is how many of those are shown who would be left without a way in.
const strandedAtMost = 200

// strandedTable lists them; nil where the app keeps the accounts, and the warning names whom it can.
func (c *call) strandedTable(number int) (*ui.TableProps, string, error) {
	found, more, err := c.s.o.Policies.LeftOut(c.ctx(), lifecycle.LeftOutQuery{OrganizationID: c.org(), Without: true, Limit: strandedAtMost, Ascending: true})
	if err != nil || len(found) == 0 {
		return nil, "", err
	}
	t := &ui.TableProps{
		ID: "left-out", Caption: c.t("portal.delete_left_out"), Columns: []ui.Column{{Label: c.t("portal.name")}, {Label: c.t("portal.state")}, {Label: c.t("organizations.left_out_why")}},
	}
	for _, l := range found {
		why := make([]string, len(l.Reasons))
		for i, r := range l.Reasons {
			why[i] = c.t("organizations.left_out_" + string(r))
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Person(l.Name(), l.Member.User.Email, ""), ui.Text(c.t("people.state_" + string(l.Member.Membership.State))), ui.Text(strings.Join(why, "; "))}})
	}
	if !more {
		return t, "", nil
	}
	return t, c.t("organizations.left_out_more", "n", c.s.o.Site.Words(c.r).Number(number-len(found))), nil
}

// takeDelete deletes it, for who has typed the organization's name, and confirmed how many it leaves without a way in.
func takeDelete(c *call) error {
	var confirmed *int
	if n, err := strconv.Atoi(c.form.Get("left_out")); err == nil {
		confirmed = &n
	}
	if strings.TrimSpace(c.form.Get("confirm")) != strings.TrimSpace(c.organization.Name) {
		return c.askDelete(http.StatusUnprocessableEntity, c.t("portal.delete_typed_wrong"), "", confirmed)
	}
	err := c.s.o.Policies.DeleteIdentityProvider(c.ctx(), c.actor(), c.org(), confirmed)
	var left *lifecycle.ConfirmationError
	if errors.As(err, &left) {
		return c.askDelete(http.StatusConflict, "", c.s.o.Site.Words(c.r).N("portal.delete_left", left.Number, "names", strings.Join(left.Names, ", ")), &left.Number)
	}
	if err != nil {
		return err
	}
	c.redirect("/portal/home")
	return nil
}
