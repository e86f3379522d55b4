package openapi

func membershipSchemas() map[string]*Schema {
	role := []Member{
		may("role_slug", optionalText("The role: one of the organization or of the installation. Left out: member.")),
		may("licence", optionalText("The licence type, by its slug; null takes it away.")),
		may("role_slugs", orNull(listOf("The same in a list of one: a member has one role.", texts()))),
	}
	member := noun("organization_membership", append(placeMembers(),
		has("directory_user_id", optionalText("The person in a directory that the membership was joined with: directory_user_….")), has("user", ref("User")),
		may("held", flag("true while a directory's brake holds what it says of the member: they are out, and status is what events have told.")))...)
	return map[string]*Schema{
		"OrganizationMembership":     member,
		"OrganizationMembershipList": page("OrganizationMembership"),
		"NewOrganizationMembership": object(append([]Member{
			has("user_id", text("Who: user_….")), has("organization_id", text("Where: org_….")),
		}, role...)...),
		"OrganizationMembershipChange": object(role...),
	}
}

func memberships() map[Route]Operation {
	managed := refuses(409, "directory_managed")
	roles := and(badParameter(), refuses(422, "invalid_role", "multiple_roles_not_enabled"))
	return map[Route]Operation{
		{"GET", "/user_management/organization_memberships"}: {
			ID: "listOrganizationMemberships", Tag: tagMemberships, Summary: "List organization memberships",
			About: "Of an organization, of a user, or of both; one of the two has to be named. Only active ones, unless statuses says otherwise.",
			Query: paged(
				asks("organization_id", text("Those of this organization.")),
				asks("user_id", text("Those of this user.")),
				withStatuses("Those in these states. Who was removed is shown by removed alone, with the status inactive."),
			),
			Answers: done(200, "A page of memberships.", ref("OrganizationMembershipList")),
			Refuses: account(badCursor(), gone(), refuses(400, "missing_user_id_or_organization_id", "invalid_request_parameters"), badParameter()),
		},
		{"POST", "/user_management/organization_memberships"}: {
			ID: "createOrganizationMembership", Tag: tagMemberships, Summary: "Create an organization membership",
			About: "It is active at once, and nothing is mailed. One that is inactive becomes active, unless a directory has shut the person out: then 409 directory_managed names it.",
			Body:  ref("NewOrganizationMembership"), Example: `{"user_id":"user_01JZ0000000000000000000000","organization_id":"org_01JZ0000000000000000000000","role_slug":"member"}`,
			Answers: done(201, "The membership.", ref("OrganizationMembership")),
			Refuses: account(gone(), managed, roles, refuses(409, "licence_limit_reached"), refuses(400, "user_already_organization_member", "cannot_reactivate_pending_organization_membership")),
		},
		{"GET", "/user_management/organization_memberships/{id}"}: {
			ID: "getOrganizationMembership", Tag: tagMemberships, Summary: "Get an organization membership",
			About: "One that was removed is gone.", Answers: done(200, "The membership.", ref("OrganizationMembership")), Refuses: account(gone()),
		},
		{"PUT", "/user_management/organization_memberships/{id}"}: {
			ID: "updateOrganizationMembership", Tag: tagMemberships, Summary: "Change the role or licence of a member",
			About: "A role or licence that a directory's mapping gives is refused with 409 directory_managed, which names the directory.",
			Body:  ref("OrganizationMembershipChange"), Example: `{"role_slug":"admin"}`,
			Answers: done(200, "The membership as it is now.", ref("OrganizationMembership")), Refuses: account(gone(), managed, roles, refuses(409, "licence_limit_reached")),
		},
		{"DELETE", "/user_management/organization_memberships/{id}"}: {
			ID: "deleteOrganizationMembership", Tag: tagMemberships, Summary: "Take a member out of an organization",
			About:   "Sessions, codes and tokens of the organization end at once; the user stays. Whom a directory wants in is refused with 409 directory_managed, which names it: they would be back with its next word.",
			Answers: done(200, "Taken out.", nil), Refuses: account(gone(), managed),
		},
		{"PUT", "/user_management/organization_memberships/{id}/deactivate"}: {
			ID: "deactivateOrganizationMembership", Tag: tagMemberships, Summary: "Shut a member out",
			About: "Sessions, codes and tokens of the organization end at once. It is never refused because of a directory, and only a hand lifts it. One that is inactive already stays as it is.",
			Body:  ref("Nothing"), Sparse: true, Example: `{}`,
			Answers: done(200, "The membership as it is now.", ref("OrganizationMembership")),
			Refuses: account(gone(), badParameter(), refuses(400, "cannot_deactivate_pending_organization_membership")),
		},
		{"PUT", "/user_management/organization_memberships/{id}/reactivate"}: {
			ID: "reactivateOrganizationMembership", Tag: tagMemberships, Summary: "Let a member in again",
			About: "Whom a directory has shut out only the directory lets in again: 409 directory_managed names it. One that is active already stays as it is.",
			Body:  ref("Nothing"), Sparse: true, Example: `{}`,
			Answers: done(200, "The membership as it is now.", ref("OrganizationMembership")),
			Refuses: account(gone(), badParameter(), managed, refuses(400, "cannot_reactivate_pending_organization_membership")),
		},
	}
}

// withStatuses narrows a list by the states of memberships.
func withStatuses(about string) Parameter {
	return Parameter{Name: "statuses", List: true, Schema: listOf(about, choice("", "active", "inactive", "pending", "removed"))}
}
