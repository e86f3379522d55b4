package openapi

const (
	tagUsers  = "directory-users"
	tagGroups = "directory-groups"
)

func optionalText(about string) *Schema { return orNull(text(about)) }

func userMembers() []Member {
	return []Member{
		has("id", text("Id: directory_user_….")),
		has("directory_id", text("The directory that knows the person.")),
		has("organization_id", text("The directory's organization.")),
		has("idp_id", text("The provider's own id (SCIM externalId).")),
		has("email", optionalText("The primary address.")),
		may("first_name", optionalText("Given name.")),
		may("last_name", optionalText("Family name.")),
		may("name", optionalText("Name as shown to people.")),
		may("emails", deprecated(listOf("All addresses.", object(
			may("primary", flag("Whether it is the primary one.")),
			may("type", text("Like work.")),
			may("value", optionalText("The address.")),
		)))),
		may("job_title", deprecated(optionalText("Use custom_attributes."))),
		may("username", deprecated(optionalText("SCIM userName."))),
		has("state", choice("Whether the person may come in.", "active", "suspended", "inactive")),
		has("raw_attributes", deprecated(anything("The SCIM document as the provider sent it."))),
		has("custom_attributes", anything("Predefined attributes: job_title, department_name, cost_center_name, division_name, employee_number, manager_email, employment_type.")),
		may("role", ref("DirectoryRole")),
		may("roles", listOf("Roles.", ref("DirectoryRole"))),
		made(), changed(),
	}
}

func groupMembers() []Member {
	return []Member{
		has("id", text("Id: directory_group_….")),
		has("idp_id", text("The provider's own id (SCIM externalId).")),
		has("directory_id", text("The directory that knows the group.")),
		has("organization_id", text("The directory's organization.")),
		has("name", text("Name.")),
		may("raw_attributes", anything("The SCIM document as the provider sent it, without members.")),
		made(), changed(),
	}
}

func peopleSchemas() map[string]*Schema {
	return map[string]*Schema{
		"DirectoryRole": object(has("slug", text("Name of the role."))),
		"DirectoryUser": noun("directory_user", userMembers()...),
		"DirectoryUserWithGroups": noun("directory_user", append(userMembers(),
			has("groups", deprecated(listOf("The groups the person is in.", ref("DirectoryGroup")))),
			may("held", flag("true while the directory's brake holds what the provider wrote of the person, or keeps them in: this is how events have told of them.")))...),
		"DirectoryUserList":  page("DirectoryUserWithGroups"),
		"DirectoryGroup":     noun("directory_group", groupMembers()...),
		"DirectoryGroupList": page("DirectoryGroup"),
	}
}

func people() map[Route]Operation {
	list := and(badPage(), gone(), refuses(422, "required"))
	stated := and(list, refuses(422, "invalid_state"))
	return map[Route]Operation{
		{"GET", "/directory_users"}: {
			ID: "listDirectoryUsers", Tag: tagUsers, Summary: "List the people of a directory or group",
			About: "Give directory, group or both.",
			Query: paged(
				asks("directory", text("The people of this directory.")),
				asks("group", text("The people of this group, not those of groups in it.")),
				asks("idp_id", text("Who has this id at the provider.")),
				asks("email", text("Who has this address.")),
				Parameter{Name: "state", List: true, Schema: listOf("Those in these states.", choice("", "active", "inactive", "suspended"))},
			),
			Answers: done(200, "A page of people.", ref("DirectoryUserList")), Refuses: stated,
		},
		{"GET", "/directory_users/{id}"}: {
			ID: "getDirectoryUser", Tag: tagUsers, Summary: "Get a person",
			Answers: done(200, "The person.", ref("DirectoryUserWithGroups")), Refuses: gone(),
		},
		{"DELETE", "/directory_users/{id}"}: {
			ID: "deleteDirectoryUser", Tag: tagUsers, Summary: "Remove a person and erase personal data",
			About:   "The person leaves the directory at once; personal data in events, exchanges and deliveries is erased soon after.",
			Answers: done(202, "Removed; erasure is under way.", nil), Refuses: gone(),
		},
		{"GET", "/directory_groups"}: {
			ID: "listDirectoryGroups", Tag: tagGroups, Summary: "List the groups of a directory or person",
			About: "Give directory, user or both.",
			Query: paged(
				asks("directory", text("The groups of this directory.")),
				asks("user", text("The groups this person is in.")),
			),
			Answers: done(200, "A page of groups.", ref("DirectoryGroupList")), Refuses: list,
		},
		{"GET", "/directory_groups/{id}"}: {
			ID: "getDirectoryGroup", Tag: tagGroups, Summary: "Get a group",
			Answers: done(200, "The group.", ref("DirectoryGroup")), Refuses: gone(),
		},
	}
}
