package portal

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// contactsView is the page of those who are written to, and may ask for a link.
type contactsView struct {
	All                []contactView
	Email, Name, Wrong string
	Add                ui.FormProps
}

type contactView struct {
	itadmin.Contact

	Remove ui.FormProps
	Self   bool
}

func showContacts(c *call) error { return c.contactsPage(http.StatusOK, contactsView{}) }

func (c *call) contactsPage(status int, v contactsView) error {
	found, _, err := c.s.o.Admins.Contacts(c.ctx(), itadmin.ContactQuery{OrganizationID: c.org(), Limit: itadmin.MaxContacts, Ascending: true})
	if err != nil {
		return err
	}
	v.Add = c.formTo("/portal/contacts")
	for _, one := range found {
		v.All = append(v.All, contactView{one, c.formTo("/portal/contacts/" + one.ID + "/remove"), one.ID == c.session.Contact.ID})
	}
	return c.page(status, c.shell(c.t("portal.contacts_title")), under(c.tabs(), contactsPage(v)))
}

func addContact(c *call) error {
	n := itadmin.NewContact{Email: c.form.Get("email"), Name: c.form.Get("name")}
	_, err := c.s.o.Admins.AddContact(c.ctx(), c.actor(), c.org(), n)
	if f, ok := fault.As(err); ok && (f.Kind == fault.Unprocessable || f.Kind == fault.Conflict) {
		return c.contactsPage(http.StatusUnprocessableEntity, contactsView{Email: n.Email, Name: n.Name, Wrong: f.Message})
	}
	if err != nil {
		return err
	}
	c.redirect("/portal/contacts")
	return nil
}

// removeContact removes one of this organization; who removes themselves has no session any more.
func removeContact(c *call) error {
	if err := c.s.o.Admins.RemoveContact(c.ctx(), c.actor(), c.org(), c.path("contact")); err != nil {
		return err
	}
	c.redirect("/portal/contacts")
	return nil
}
