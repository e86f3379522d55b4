package org

import "github.com/rollcallhq/rollcall/internal/event"

// settings are what the audit tells of an organization beside what its event shows.
func (o Organization) settings() event.Settings {
	domains := make([]string, len(o.Domains))
	for i, d := range o.Domains {
		domains[i] = d.Domain
	}
	return event.Settings{"name": o.Name, "external_id": o.ExternalID, "metadata": o.Metadata, "domains": domains}
}
