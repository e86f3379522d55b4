package api

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/org"
)

const domainPrefix = "org_domain"

// shownDomain adds to the contract's members the DNS records that prove the domain, of which one has to be published.
type shownDomain struct {
	Records []shownRecord `json:"verification_records"`
}

type shownRecord struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

func showDomain(status int, d org.Domain) (answer, error) {
	more := shownDomain{Records: []shownRecord{}}
	if d.State != org.Verified {
		for _, r := range d.Records() {
			more.Records = append(more.Records, shownRecord{"TXT", r.Name, r.Value})
		}
	}
	shown, err := extended(d.Payload(), more)
	return answer{status, shown}, err
}

// domainID checks the form of the id in the address.
func (c *call) domainID() (string, error) {
	id := c.path["id"]
	if !isID(id, domainPrefix) {
		return "", org.DomainNotFound(id)
	}
	return id, nil
}

type newDomain struct {
	OrganizationID string `json:"organization_id"`
	Domain         string `json:"domain"`
}

func createDomain(c *call) (answer, error) {
	var wanted newDomain
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	switch {
	case wanted.Domain == "":
		return answer{}, errField("domain", "required", "Name the domain, such as example.com.")
	case wanted.OrganizationID == "":
		return answer{}, errField("organization_id", "required", "Name the organization that the domain is to belong to.")
	case !isID(wanted.OrganizationID, orgPrefix):
		return answer{}, errMissing(orgNoun, wanted.OrganizationID)
	}
	made, err := c.o.Organizations.CreateDomain(c.ctx(), c.actor, org.ID(wanted.OrganizationID), wanted.Domain)
	if err != nil {
		return answer{}, err
	}
	return showDomain(http.StatusCreated, made)
}

func getDomain(c *call) (answer, error) {
	id, err := c.domainID()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Organizations.GetDomain(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return showDomain(http.StatusOK, found)
}

func deleteDomain(c *call) (answer, error) {
	id, err := c.domainID()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Organizations.DeleteDomain(c.ctx(), c.actor, id); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// verification is our own body of a route that has none in the contract: by "manual" the operator vouches for the domain.
type verification struct {
	Strategy org.Strategy `json:"verification_strategy"`
}

func verifyDomain(c *call) (answer, error) {
	id, err := c.domainID()
	if err != nil {
		return answer{}, err
	}
	var wanted verification
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	verify := c.o.Organizations.VerifyDomain
	switch wanted.Strategy {
	case "", org.DNS:
	case org.Manual:
		verify = c.o.Organizations.VouchForDomain
	default:
		return answer{}, errField("verification_strategy", "invalid", "verification_strategy is dns or manual, not %.40q.", string(wanted.Strategy))
	}
	d, err := verify(c.ctx(), c.actor, id)
	if err != nil {
		return answer{}, err
	}
	return showDomain(http.StatusCreated, d)
}
