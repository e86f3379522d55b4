package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web"
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
	out := org.New{Name: n.Name, ExternalID: n.ExternalID, Domains: newDomains(n.Domains, n.DomainData)}
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

func newDomains(names []string, data []domainData) []org.NewDomain {
	var out []org.NewDomain
	for _, d := range names {
		out = append(out, org.NewDomain{Domain: d, State: org.Pending})
	}
	for _, d := range data {
		out = append(out, org.NewDomain(d))
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
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Organizations.Get(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(found.Payload())), nil
}

func getOrganizationByExternalID(c *call) (answer, error) {
	id := c.path["external_id"]
	if !web.IsText(id) {
		return answer{}, errMissing(orgNoun, id)
	}
	found, err := c.o.Organizations.GetByExternalID(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(found.Payload())), nil
}

// organizationID checks the form of the id in the address.
func (c *call) organizationID(name string) (org.ID, error) {
	id := c.path[name]
	if !isID(id, orgPrefix) {
		return "", errMissing(orgNoun, id)
	}
	return org.ID(id), nil
}

// organizationChanges is what a client sends. null is the same as leaving out, but for external_id, which it takes away, and for the
// keys of metadata, which it deletes.
type organizationChanges struct {
	Name       *string            `json:"name"`
	ExternalID jsontext.Value     `json:"external_id"`
	Metadata   map[string]*string `json:"metadata"`
	Domains    []string           `json:"domains"`
	DomainData []domainData       `json:"domain_data"`
}

func (n organizationChanges) changes() (org.Changes, error) {
	out := org.Changes{Name: n.Name, Metadata: n.Metadata}
	var err error
	if out.ExternalID, err = textOrNull("external_id", n.ExternalID); err != nil {
		return out, err
	}
	if n.Domains != nil || n.DomainData != nil {
		domains := newDomains(n.Domains, n.DomainData)
		out.Domains = &domains
	}
	return out, nil
}

func updateOrganization(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted organizationChanges
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	changes, err := wanted.changes()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Organizations.Update(c.ctx(), c.actor, id, changes)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(changed.Payload())), nil
}

func deleteOrganization(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Lifecycle.DeleteOrganization(c.ctx(), c.actor, id); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted}, nil
}
