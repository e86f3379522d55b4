package openapi

const tagPortal = "portal"

func portalSchemas() map[string]*Schema {
	return map[string]*Schema{
		"Contact": noun("contact",
			has("id", text("Id: contact_….")),
			has("organization_id", text("Whose contact it is.")),
			has("email", text("Address.")),
			has("name", optionalText("What they are called.")),
			made(),
		),
		"ContactList": page("Contact"),
		"NewContact": object(
			has("email", text("Address.")),
			may("name", text("What they are called; at most 255 characters.")),
		),
		"NewPortalLink": object(
			has("organization", text("Whose portal it opens: org_….")),
			may("intent", choice("What the link is for; left out: everything. log_streams and bring_your_own_key are refused: there are no pages for them.",
				"sso", "dsync", "audit_logs", "certificate_renewal", "domain_verification", "log_streams", "bring_your_own_key")),
			may("return_url", text("Where the way back to your app leads: an https or http address.")),
			may("success_url", text("Where the portal leads when the work is done; else return_url.")),
			may("it_contact_emails", listOf("Who become IT contacts of the organization, if they are not; at most 20. No mail is sent to them now.", &Schema{Type: []string{typeString}})),
		),
		"PortalLink": object(has("link", text("The address. It is good for 5 minutes, and opens once."))),
	}
}

func portal() map[Route]Operation {
	return map[Route]Operation{
		{"POST", "/portal/generate_link"}: {
			ID: "generatePortalLink", Tag: tagPortal, Summary: "Make a link into the portal of an organization",
			About: "Make it when your user presses the button, and redirect them to it: whoever opens it first is in, for 8 hours and for this intent alone.",
			Body:  ref("NewPortalLink"), Example: `{"organization":"org_01JDXA5Q0G8YQZP0R3M4T7W9KE","intent":"sso","return_url":"https://app.acme.example/settings"}`,
			Answers: done(201, "The link.", ref("PortalLink")),
			Refuses: and(gone(), refuses(422, "required", "invalid_intent", "intent_not_supported", "invalid_url", "invalid_email", "too_many")),
		},
		{"GET", "/organizations/{id}/contacts"}: {
			ID: "listContacts", Tag: tagPortal, Summary: "List the IT contacts of an organization", Query: paged(),
			Answers: done(200, "A page of contacts.", ref("ContactList")), Refuses: and(badPage(), gone()),
		},
		{"POST", "/organizations/{id}/contacts"}: {
			ID: "createContact", Tag: tagPortal, Summary: "Add an IT contact",
			About: "From then on they are told by mail when the identity provider, a certificate or a token changes, and can ask for a link at /portal.",
			Body:  ref("NewContact"), Example: `{"email":"it@acme.example","name":"Ida Admin"}`,
			Answers: done(201, "The contact.", ref("Contact")),
			Refuses: and(gone(), refuses(409, "contact_exists"), refuses(422, "required", "invalid_email", "too_long", "too_many")),
		},
		{"DELETE", "/organizations/{id}/contacts/{contact_id}"}: {
			ID: "deleteContact", Tag: tagPortal, Summary: "Remove an IT contact",
			About: "Their links and sessions end at once.", Answers: done(204, "Removed.", nil), Refuses: gone(),
		},
		{"POST", "/organizations/{id}/contacts/{contact_id}/send_link"}: {
			ID: "sendPortalLink", Tag: tagPortal, Summary: "Mail an IT contact a link into the portal",
			About:   "It is good for 7 days. Each time it is opened a code is mailed to the contact, so that it is of no use to others.",
			Answers: done(200, "The contact; the mail is on its way.", ref("Contact")), Refuses: gone(),
		},
	}
}
