package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/web"
)

func showLicence(status int, u access.Use, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{status, jsontext.Value(u.Payload())}, nil
}

// licencePlace reads organization and slug of an address.
func (c *call) licencePlace() (organizationID, slug string, err error) {
	if organizationID, err = c.placeOf(); err != nil {
		return "", "", err
	}
	if slug = c.path["slug"]; !web.IsText(slug) {
		return "", "", access.LicenceNotFound(slug)
	}
	return organizationID, slug, nil
}

// listLicences shows all: an organization has few.
func listLicences(c *call) (answer, error) {
	organization, err := c.placeOf()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Licences(c.ctx(), organization)
	if err != nil {
		return answer{}, err
	}
	out := rolesList{Object: "list", Data: make([]jsontext.Value, len(found))}
	for i, u := range found {
		out.Data[i] = u.Payload()
	}
	return ok(out), nil
}

type newLicence struct {
	Slug      string           `json:"slug"`
	Name      string           `json:"name"`
	Seats     *int64           `json:"seats"`
	OverLimit access.OverLimit `json:"over_limit"`
}

func createLicence(c *call) (answer, error) {
	organization, err := c.placeOf()
	if err != nil {
		return answer{}, err
	}
	var wanted newLicence
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Access.CreateLicenceType(c.ctx(), c.actor, access.NewLicenceType{
		OrganizationID: organization, Slug: wanted.Slug, Name: wanted.Name, Seats: wanted.Seats, OverLimit: wanted.OverLimit,
	})
	return showLicence(http.StatusCreated, made, err)
}

func getLicence(c *call) (answer, error) {
	organization, slug, err := c.licencePlace()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Licence(c.ctx(), organization, slug)
	return showLicence(http.StatusOK, found, err)
}

// licenceChanges: seats that are left out stay, null takes the limit away.
type licenceChanges struct {
	Name      *string           `json:"name"`
	Seats     jsontext.Value    `json:"seats"`
	OverLimit *access.OverLimit `json:"over_limit"`
}

func (l licenceChanges) changes() (access.LicenceTypeChanges, error) {
	out := access.LicenceTypeChanges{Name: l.Name, OverLimit: l.OverLimit}
	if l.Seats.Kind() == 0 {
		return out, nil
	}
	var seats *int64
	if err := json.Unmarshal(l.Seats, &seats); err != nil {
		return out, errField("seats", "invalid_type", "seats has to be a whole number or null.")
	}
	out.Seats = &seats
	return out, nil
}

func updateLicence(c *call) (answer, error) {
	organization, slug, err := c.licencePlace()
	if err != nil {
		return answer{}, err
	}
	var wanted licenceChanges
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	changes, err := wanted.changes()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.UpdateLicenceType(c.ctx(), c.actor, organization, slug, changes)
	return showLicence(http.StatusOK, changed, err)
}

func deleteLicence(c *call) (answer, error) {
	organization, slug, err := c.licencePlace()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Access.DeleteLicenceType(c.ctx(), c.actor, organization, slug); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
