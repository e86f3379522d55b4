package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/org"
)

const (
	orgPrefix = "org"
	orgNoun   = "Organization"
)

func showOrganization(o org.Organization) (jsontext.Value, error) {
	return jsontext.Value(o.Payload()), nil
}

func listOrganizations(c *call) (answer, error) {
	p, err := c.paging(orgPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := org.ListQuery{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
	if q.Search, err = c.search(); err != nil {
		return answer{}, err
	}
	if q.Domains, err = c.values("domains"); err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Organizations.List(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(o org.Organization) string { return string(o.ID) }, showOrganization)
	return ok(page), err
}

// newOrganization is what a client sends; allow_profiles_outside_organization and everything else is ignored.
type newOrganization struct {
	Name       string             `json:"name"`
	ExternalID string             `json:"external_id"`
	Metadata   map[string]*string `json:"metadata"`
	Domains    []string           `json:"domains"`
	DomainData []domainData       `json:"domain_data"`
}

type domainData struct {
	Domain string          `json:"domain"`
	State  org.DomainState `json:"state"`
}

// organization: a domain of the older list `domains` says nothing about its state, so nobody has vouched for it and it is pending.
func (n newOrganization) organization() org.New {
	out := org.New{Name: n.Name, ExternalID: n.ExternalID}
	for _, d := range n.Domains {
		out.Domains = append(out.Domains, org.NewDomain{Domain: d, State: org.Pending})
	}
	for _, d := range n.DomainData {
		out.Domains = append(out.Domains, org.NewDomain(d))
	}
	for k, v := range n.Metadata {
		if v == nil { // how clients say that a key is to be gone
			continue
		}
		if out.Metadata == nil {
			out.Metadata = map[string]string{}
		}
		out.Metadata[k] = *v
	}
	return out
}

func createOrganization(c *call) (answer, error) {
	var wanted newOrganization
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Organizations.Create(c.ctx(), c.actor, wanted.organization())
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, jsontext.Value(made.Payload())}, nil
}

func getOrganization(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, orgPrefix) {
		return answer{}, errMissing(orgNoun, id)
	}
	found, err := c.o.Organizations.Get(c.ctx(), org.ID(id))
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(found.Payload())), nil
}

func getOrganizationByExternalID(c *call) (answer, error) {
	id := c.path["external_id"]
	if !isText(id) {
		return answer{}, errMissing(orgNoun, id)
	}
	found, err := c.o.Organizations.GetByExternalID(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(found.Payload())), nil
}
