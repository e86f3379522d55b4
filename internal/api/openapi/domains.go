package openapi

const tagDomains = "organization-domains"

func domainMembers(state func(string, *Schema) Member) []Member {
	return []Member{
		has("id", text("Id: org_domain_….")),
		has("organization_id", text("Whose domain it is.")),
		has("domain", text("The domain name, in lower case.")),
		state("state", choice("How far its proof has come.", "failed", "legacy_verified", "pending", "unverified", "verified")),
		may("verification_prefix", text("What the TXT record's value begins with.")),
		may("verification_token", text("What proves the domain as a DNS TXT record.")),
		may("verification_strategy", choice("How it is proven: by DNS, or by the operator's word.", "dns", "manual")),
		made(), changed(),
	}
}

func domainSchemas() map[string]*Schema {
	return map[string]*Schema{
		"OrganizationDomain": noun("organization_domain", domainMembers(may)...),
		"OrganizationDomainWithRecords": noun("organization_domain", append(domainMembers(may),
			has("verification_records", listOf("DNS records of which one proves the domain.", object(
				has("type", text("Like TXT.")), has("name", text("Where the record belongs.")), has("value", text("What it holds.")),
			))))...),
		"DomainVerification": object(
			may("verification_strategy", choice("manual: the operator vouches for the domain, and it is verified at once. dns: it is looked up.", "dns", "manual")),
		),
		"NewDomain": object(
			has("domain", text("Domain name, like example.com.")),
			has("organization_id", text("Whose domain it becomes.")),
		),
	}
}

func domains() map[Route]Operation {
	return map[Route]Operation{
		{"POST", "/organization_domains"}: {
			ID: "createOrganizationDomain", Tag: tagDomains, Summary: "Add a domain to an organization",
			About: "The domain is pending until a DNS TXT record proves it.",
			Body:  ref("NewDomain"), Example: `{"organization_id":"org_01JDXA5Q0G8YQZP0R3M4T7W9KE","domain":"acme.example"}`,
			Answers: done(201, "The new domain.", ref("OrganizationDomainWithRecords")),
			Refuses: and(refuses(404, "entity_not_found"), refuses(409, "domain_already_exists", "domain_already_verified"), refuses(422, "required", "invalid_domain", "too_many")),
		},
		{"GET", "/organization_domains/{id}"}: {
			ID: "getOrganizationDomain", Tag: tagDomains, Summary: "Get a domain",
			Answers: done(200, "The domain.", ref("OrganizationDomainWithRecords")), Refuses: gone(),
		},
		{"DELETE", "/organization_domains/{id}"}: {
			ID: "deleteOrganizationDomain", Tag: tagDomains, Summary: "Remove a domain",
			Answers: done(204, "Removed.", nil), Refuses: gone(),
		},
		{"POST", "/organization_domains/{id}/verify"}: {
			ID: "verifyOrganizationDomain", Tag: tagDomains, Summary: "Verify a domain",
			About: "Looks for the TXT record now, and again in the background until it is there. With the strategy manual the operator vouches for the domain.",
			Body:  ref("DomainVerification"), Sparse: true, Example: `{"verification_strategy":"manual"}`,
			Answers: done(201, "The domain as it is now.", ref("OrganizationDomainWithRecords")),
			Refuses: and(gone(), refuses(400, "domain_already_verified"), refuses(409, "domain_already_verified"), refuses(422, "invalid")),
		},
	}
}

func featureSchemas() map[string]*Schema {
	switches := object(
		may("sso", flag("Single sign-on.")),
		may("directory_sync", flag("Directories: off, their SCIM addresses refuse and none can be made; nothing is deleted.")),
	)
	return map[string]*Schema{
		"OrganizationFeatures": noun(
			"organization_features",
			has("organization_id", text("Whose features they are.")),
			has("features", object(has("sso", flag("Single sign-on.")), has("directory_sync", flag("Directories.")))),
		),
		"FeatureChange": object(has("features", switches)),
	}
}

func features() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/organizations/{id}/features"}: {
			ID: "getOrganizationFeatures", Tag: tagOrganizations, Summary: "Show which features an organization has",
			Answers: done(200, "All features, on or off.", ref("OrganizationFeatures")), Refuses: gone(),
		},
		{"PUT", "/organizations/{id}/features"}: {
			ID: "updateOrganizationFeatures", Tag: tagOrganizations, Summary: "Switch features of an organization",
			About: "Features that are left out stay as they are.",
			Body:  ref("FeatureChange"), Example: `{"features":{"directory_sync":false}}`,
			Answers: done(200, "All features as they are now.", ref("OrganizationFeatures")), Refuses: and(gone(), refuses(422, "unknown_feature", "required")),
		},
	}
}
