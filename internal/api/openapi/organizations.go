package openapi

const tagOrganizations = "organizations"

// metadata: a value of null in a request says that the key is to be gone.
func metadata(values *Schema, kind ...string) *Schema {
	values.MaxLength = 600
	return &Schema{
		Type: kind, Description: "Up to 50 texts of your own. A key has at most 40 characters, a value at most 600.",
		Additional: values, PropertyNames: &Schema{MaxLength: 40}, MaxProperties: 50,
	}
}

func externalID() *Schema {
	return &Schema{
		Type: []string{typeString, typeNull}, Description: "Your own id of the organization, unique. At most 128 ASCII characters.",
		MaxLength: 128, Pattern: `^[\x00-\x7F]+$`,
	}
}

func domainNames() *Schema {
	return listOf("Domain names, which are made pending. domain_data says more.", text(""))
}

func organizationSchemas() map[string]*Schema {
	shared := func(name Member, domains *Schema) []Member {
		return []Member{
			name,
			may("allow_profiles_outside_organization", flag("Ignored.")),
			may("domains", domains),
			may("domain_data", listOf("Domains and whether you vouch for them.", ref("NewOrganizationDomain"))),
			may("metadata", metadata(orNull(text("")), typeObject, typeNull)),
			may("external_id", externalID()),
		}
	}
	return map[string]*Schema{
		"Organization": noun(
			"organization",
			has("id", text("Id: org_….")),
			has("name", text("Name, for people.")),
			may("allow_profiles_outside_organization", deprecated(flag("Always false."))),
			has("domains", listOf("Its domains.", ref("OrganizationDomain"))),
			has("metadata", metadata(text(""), typeObject)),
			has("external_id", orNull(text("Your own id of it, null if it has none."))),
			made(), changed(),
		),
		"OrganizationList": page("Organization"),
		"NewOrganization":  object(shared(has("name", text("Name, for people.")), domainNames())...),
		"OrganizationChange": object(append(shared(may("name", text("New name.")), deprecated(domainNames())),
			may("stripe_customer_id", text("Ignored.")))...),
		"NewOrganizationDomain": object(
			has("domain", text("Domain name, like example.com.")),
			has("state", choice("verified: you vouch for it. pending: it is proven by DNS.", "pending", "verified")),
		),
	}
}

func organizations() map[Route]Operation {
	bad := and(refuses(400, "invalid_metadata", "external_id_already_used"), refuses(409, "domain_already_verified"),
		refuses(422, "required", "too_long", "invalid", "invalid_domain", "invalid_state", "duplicate_domain", "too_many"))
	return map[Route]Operation{
		{"GET", "/organizations"}: {
			ID: "listOrganizations", Tag: tagOrganizations, Summary: "List organizations",
			Query: paged(
				Parameter{Name: "domains", List: true, Schema: listOf("Those that have one of these domains.", &Schema{Type: []string{typeString}})},
				asks("search", text("Those whose name holds this, in any letter case.")),
			),
			Answers: done(200, "A page of organizations.", ref("OrganizationList")),
			Refuses: and(badPage(), refuses(422, "too_many", "too_long")),
		},
		{"POST", "/organizations"}: {
			ID: "createOrganization", Tag: tagOrganizations, Summary: "Create an organization",
			Body: ref("NewOrganization"), Example: `{"name":"Acme","external_id":"customer-42","domain_data":[{"domain":"acme.example","state":"verified"}]}`,
			Answers: done(201, "The new organization.", ref("Organization")), Refuses: bad,
		},
		{"GET", "/organizations/{id}"}: {
			ID: "getOrganization", Tag: tagOrganizations, Summary: "Get an organization",
			Answers: done(200, "The organization.", ref("Organization")), Refuses: gone(),
		},
		{"GET", "/organizations/external_id/{external_id}"}: {
			ID: "getOrganizationByExternalId", Tag: tagOrganizations, Summary: "Get an organization by your own id",
			Answers: done(200, "The organization.", ref("Organization")), Refuses: gone(),
		},
		{"PUT", "/organizations/{id}"}: {
			ID: "updateOrganization", Tag: tagOrganizations, Summary: "Change an organization",
			About: "What is left out stays. metadata is merged: a key with null is removed. domains and domain_data replace the domains.",
			Body:  ref("OrganizationChange"), Example: `{"name":"Acme Corporation","metadata":{"plan":"enterprise","trial":null}}`,
			Answers: done(200, "The organization as it is now.", ref("Organization")), Refuses: and(gone(), bad),
		},
		{"DELETE", "/organizations/{id}"}: {
			ID: "deleteOrganization", Tag: tagOrganizations, Summary: "Delete an organization",
			About:   "Its directories are deleted and its keys and tokens refused at once; personal data is erased soon after.",
			Answers: done(202, "Deleted; erasure is under way.", nil), Refuses: gone(),
		},
	}
}
