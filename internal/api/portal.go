package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
)

type newPortalLink struct {
	Organization string   `json:"organization"`
	Intent       string   `json:"intent"`
	ReturnURL    string   `json:"return_url"`
	SuccessURL   string   `json:"success_url"`
	Emails       []string `json:"it_contact_emails"`
}

// generateLink makes a link that the app hands to the IT admin of an organization.
func generateLink(c *call) (answer, error) {
	var wanted newPortalLink
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	switch {
	case wanted.Organization == "":
		return answer{}, errField("organization", "required", "Say whose portal the link is to open, by the id of the organization.")
	case !isID(wanted.Organization, orgPrefix):
		return answer{}, errMissing(orgNoun, wanted.Organization)
	}
	intent, err := itadmin.ParseIntent(wanted.Intent)
	if err != nil {
		return answer{}, err
	}
	_, address, err := c.o.Admins.MakeLink(c.ctx(), c.actor, itadmin.NewLink{
		OrganizationID: org.ID(wanted.Organization), Intent: intent, ReturnURL: wanted.ReturnURL, SuccessURL: wanted.SuccessURL, Emails: wanted.Emails,
	})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, struct {
		Link string `json:"link"`
	}{address.Reveal()}}, nil
}

func showContact(c itadmin.Contact) (jsontext.Value, error) { return c.Payload(), nil }

func listContacts(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(itadmin.ContactPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Admins.Contacts(c.ctx(), itadmin.ContactQuery{
		OrganizationID: id, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(x itadmin.Contact) string { return x.ID }, showContact)
	return ok(page), err
}

type newContact struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

func createContact(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted newContact
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Admins.AddContact(c.ctx(), c.actor, id, itadmin.NewContact{Email: wanted.Email, Name: wanted.Name})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, jsontext.Value(made.Payload())}, nil
}

// contactID reads both ids of an address, and refuses what cannot be one.
func (c *call) contactID() (org.ID, string, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return "", "", err
	}
	contact := c.path["contact_id"]
	if !isID(contact, itadmin.ContactPrefix) {
		return "", "", itadmin.ContactNotFound(contact)
	}
	return id, contact, nil
}

func deleteContact(c *call) (answer, error) {
	id, contact, err := c.contactID()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Admins.RemoveContact(c.ctx(), c.actor, id, contact); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// sendPortalLink mails a contact a link of their own.
func sendPortalLink(c *call) (answer, error) {
	id, contact, err := c.contactID()
	if err != nil {
		return answer{}, err
	}
	sent, err := c.o.Admins.MailLink(c.ctx(), c.actor, id, contact)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(sent.Payload())), nil
}
