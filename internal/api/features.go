package api

import (
	"github.com/rollcallhq/rollcall/internal/org"
)

type shownFeatures struct {
	Object         string               `json:"object"`
	OrganizationID org.ID               `json:"organization_id"`
	Features       map[org.Feature]bool `json:"features"`
}

func showFeatures(id org.ID, f org.Features) answer {
	return ok(shownFeatures{"organization_features", id, f.All()})
}

func getFeatures(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Organizations.Features(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return showFeatures(id, found), nil
}

// featureChanges is what a client sends: features that are not named, or null, stay as they are.
type featureChanges struct {
	Features map[org.Feature]*bool `json:"features"`
}

func setFeatures(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted featureChanges
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	changes := map[org.Feature]bool{}
	for feature, on := range wanted.Features {
		if on != nil {
			changes[feature] = *on
		}
	}
	now, err := c.o.Organizations.SetFeatures(c.ctx(), c.actor, id, changes)
	if err != nil {
		return answer{}, err
	}
	return showFeatures(id, now), nil
}
