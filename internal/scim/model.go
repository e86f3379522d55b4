package scim

import "slices"

// Model is what one directory speaks: its resource types with their extensions. It is shared by all requests and never changes.
type Model struct{ User, Group *ResourceType }

// Standard gives the resource types of RFC 7643, with its errata put right, without any custom extension.
func Standard() *Model {
	return &Model{
		User: &ResourceType{
			ID: "User", Name: "User", Endpoint: "/Users", Description: "People's accounts",
			Core: userSchema(), Extensions: []Extension{{Schema: enterpriseSchema()}},
		},
		Group: &ResourceType{
			ID: "Group", Name: "Group", Endpoint: "/Groups", Description: "Groups of people",
			Core: groupSchema(),
		},
	}
}

// With gives a model that also knows these extensions. The model itself stays as it is.
func (m *Model) With(user, group []Extension) *Model {
	return &Model{User: m.User.with(user), Group: m.Group.with(group)}
}

func (r *ResourceType) with(more []Extension) *ResourceType {
	if len(more) == 0 {
		return r
	}
	extended := *r
	extended.Extensions = slices.Concat(r.Extensions, more)
	return &extended
}

// ResourceTypes gives the types in the order they are listed.
func (m *Model) ResourceTypes() []*ResourceType { return []*ResourceType{m.User, m.Group} }

// Schemas gives every schema to list under /Schemas, once: those of the resource types with their extensions, and those of
// the discovery resources. Messages have URNs but are no schemas (RFC 7643 section 10).
func (m *Model) Schemas() []*Schema {
	var all []*Schema
	add := func(s *Schema) {
		if !slices.ContainsFunc(all, func(other *Schema) bool { return other.ID == s.ID }) {
			all = append(all, s)
		}
	}
	for _, r := range m.ResourceTypes() {
		add(r.Core)
		for _, e := range r.Extensions {
			add(e.Schema)
		}
	}
	for _, s := range discoverySchemas() {
		add(s)
	}
	return all
}
