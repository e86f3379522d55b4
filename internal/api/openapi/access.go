package openapi

import (
	"maps"

	"github.com/rollcallhq/rollcall/internal/event"
)

const (
	tagRoles    = "authorization"
	tagTeams    = "groups"
	tagLicences = "licences"
	tagMappings = "mappings"
)

func slugText(about string) *Schema {
	s := text(about + " Lower-case letters, digits, and between them : . _ and -.")
	s.MaxLength = 48
	return s
}

func atMost(n int, s *Schema) *Schema {
	s.MaxLength = n
	return s
}

func described() Member {
	return may("description", orNull(atMost(150, text("What it is for."))))
}

func resourceType() Member {
	return may("resource_type_slug", atMost(48, text("organization, which is the only one there is.")))
}

func shownResource() Member {
	return has("resource_type_slug", text("Always organization."))
}

func strongest() *Schema {
	return between(0, 1_000_000, count("Of several mapped roles the one with the smallest number wins. Left out, or 0: it goes to the end."))
}

func adminRole() *Schema {
	return flag("Whether a mapping leaves it to the last active member who has such a role.")
}

func roleMembers() []Member {
	return []Member{
		has("slug", text("The name for programs.")),
		has("id", text("Id: role_….")),
		has("name", text("The name for people.")),
		has("description", optionalText("What it is for.")),
		has("type", choice("Whether every organization has it, or one alone.", "EnvironmentRole", "OrganizationRole")),
		shownResource(),
		has("permissions", listOf("Slugs of permissions, sorted.", text(""))),
		has("priority", count("Of several mapped roles the one with the smallest number wins.")),
		has("is_admin", adminRole()),
		made(), changed(),
	}
}

func permissionMembers() []Member {
	return []Member{
		has("id", text("Id: perm_….")),
		has("slug", text("The name for programs.")),
		has("name", text("The name for people.")),
		has("description", optionalText("What it permits.")),
		has("system", flag("Always false.")),
		shownResource(), made(), changed(),
	}
}

func teamMembers() []Member {
	return []Member{
		has("id", text("Id: group_….")),
		has("organization_id", text("Whose it is.")),
		has("name", text("The name for people.")),
		has("description", optionalText("What it is for.")),
		has("directory_managed", flag("Whether it follows a directory group, which gives it its name and its people.")),
		has("directory_id", optionalText("The directory of that group.")),
		has("directory_group_id", optionalText("The group.")),
		made(), changed(),
	}
}

func licenceMembers() []Member {
	return []Member{
		has("id", text("Id: licence_type_….")),
		has("organization_id", text("Whose it is.")),
		has("slug", text("The name for programs.")),
		has("name", text("The name for people.")),
		has("seats", orNull(count("How many may hold it; null: as many as are wanted."))),
		has("over_limit", overLimit()),
		made(), changed(),
	}
}

func overLimit() *Schema {
	return choice("What becomes of somebody for whom no seat is left. admit: in, without the licence. refuse: not in.", "admit", "refuse")
}

func mappingMembers() []Member {
	return []Member{
		has("organization_id", text("Whose it is.")),
		has("source_id", text("The directory or the connection.")),
		has("version", count("Grows with each change; 0: none was ever saved.")),
		has("drives_roles", flag("Whether its rules give roles.")),
		has("drives_teams", flag("Whether its rules, and groups where teams follow them, put people into teams.")),
		has("drives_licences", flag("Whether its rules give licences.")),
		has("teams_follow_groups", flag("Whether each directory group is a team of its name.")),
		has("rules", listOf("See the reference of mappings.", ref("MappingRule"))),
		has("created_at", orNull(moment("When it was saved first."))),
		has("updated_at", orNull(moment("When it was saved last."))),
	}
}

// each list of what is few is whole, without cursors.
func whole(item string) *Schema {
	return object(has("object", is("list")), has("data", listOf("All of them.", ref(item))))
}

func accessSchemas() map[string]*Schema {
	change := func(more ...Member) *Schema {
		return object(append([]Member{may("name", atMost(48, text("The name for people."))), described()}, more...)...)
	}
	ours := []Member{may("priority", strongest()), may("is_admin", adminRole())}
	all := map[string]*Schema{
		"Role":     noun("role", roleMembers()...),
		"RoleList": whole("Role"),
		"NewRole":  object(append([]Member{has("slug", slugText("The name for programs.")), has("name", atMost(48, text("The name for people."))), described(), resourceType()}, ours...)...),
		"NewOrganizationRole": object(append([]Member{
			may("slug", slugText("The name for programs. Left out: made of the name, with org- before it.")), has("name", atMost(48, text("The name for people."))), described(), resourceType(),
		}, ours...)...),
		"RoleChange":      change(ours...),
		"RolePermissions": object(has("permissions", listOf("All that the role is to have; [] is none.", text("")))),
		"RolePermission":  object(has("slug", text("The permission."))),

		"Permission":       noun("permission", permissionMembers()...),
		"PermissionList":   page("Permission"),
		"NewPermission":    object(has("slug", slugText("The name for programs.")), has("name", atMost(48, text("The name for people."))), described(), resourceType()),
		"PermissionChange": change(),

		"Group":     noun("group", teamMembers()...),
		"GroupList": page("Group"),
		"NewGroup":  object(has("name", atMost(256, text("The name for people."))), described()),
		"GroupChange": object(
			may("name", atMost(256, text("The name for people."))), described(),
		),
		"NewGroupMember": object(has("organization_membership_id", text("Who: om_…."))),

		"LicenceType":     noun("licence_type", append(licenceMembers(), has("used", count("How many hold it.")))...),
		"LicenceTypeList": whole("LicenceType"),
		"NewLicenceType": object(has("slug", slugText("The name for programs.")), has("name", atMost(48, text("The name for people."))),
			may("seats", orNull(count("How many may hold it; null: as many as are wanted."))), may("over_limit", overLimit())),
		"LicenceTypeChange": object(may("name", atMost(48, text("The name for people."))),
			may("seats", orNull(count("How many may hold it; null: as many as are wanted. Fewer than are used take none away."))), may("over_limit", overLimit())),
	}
	maps.Copy(all, mappingSchemas())
	return all
}

func transform() *Schema {
	return &Schema{OneOf: []*Schema{
		choice("", "trim", "lower", "upper", "first"),
		object(
			may("join", text("All values as one text, with this between them.")),
			may("before", text("What stands before the first of these; all where there is none.")),
			may("after", text("What stands after the first of these; all where there is none.")),
			may("map", &Schema{Type: []string{typeObject}, Description: "By a table; * is for whatever is not in it, which else is left out.", Additional: text("")}),
			may("json", text("This member of the JSON that the text is.")),
		),
	}}
}

func mappingSchemas() map[string]*Schema {
	condition := object(
		may("group", text("The person is in the group of this name.")),
		may("group_id", text("The person is in this directory group.")),
		may("path", text("A SCIM path, or the name of a claim. Beside it stands one of the tests.")),
		may("equals", text("One of the values is this.")),
		may("in", listOf("One of the values is one of these.", text(""))),
		may("prefix", text("One of the values begins so.")),
		may("contains", text("One of the values holds this.")),
		may("present", flag("Whether there is a value.")),
	)
	change := object(has("before", optionalText("What they have.")), has("after", optionalText("What they would have.")))
	team := object(has("id", optionalText("The team; null: saving the mapping makes it.")), has("name", text("Its name.")))
	return map[string]*Schema{
		"Mapping": noun("mapping", mappingMembers()...),
		"MappingRule": object(
			has("set", choice("What it gives.", "role", "team", "licence", "attribute", "profile")),
			may("name", text("Of the attribute, or the field of the account: first_name, last_name, picture_url or locale.")),
			may("to", text("What it gives: a slug, the id of a team, or a text.")),
			may("from", text("Or the SCIM path or claim that it is read from.")),
			may("transform", listOf("What is done to what was read, in order: trim, lower, upper, first, or an object with one of join, before, after, map and json.", transform())),
			may("as", choice("Type of an attribute; text if left out.", "text", "number", "boolean", "list")),
			may("when", &Schema{Description: "Conditions; all of them have to hold.", OneOf: []*Schema{condition, listOf("", condition)}}),
		),
		"MappingChange": object(
			may("drives_roles", flag("Whether its rules give roles. Left out: no.")),
			may("drives_teams", flag("Whether people are put into teams. Left out: no.")),
			may("drives_licences", flag("Whether its rules give licences. Left out: no.")),
			may("teams_follow_groups", flag("Whether each directory group is a team of its name. Left out: no.")),
			may("rules", listOf("All rules. Left out: none.", ref("MappingRule"))),
			may("version", orNull(count("The version that is replaced; another is refused. Left out: whichever it is."))),
		),
		"MappingDifference": noun("mapping_difference",
			has("directory_user_id", optionalText("Who, in the directory; null of a connection.")),
			has("profile_id", optionalText("Who, as the connection's provider described them at their last sign-in; null of a directory.")),
			has("organization_membership_id", optionalText("Their membership, if they have one.")),
			has("name", optionalText("Their name.")),
			has("email", optionalText("Their address.")),
			may("role", change), may("licence", change),
			has("teams_gained", listOf("Teams they would come into.", team)),
			has("teams_lost", listOf("Teams they would leave.", team)),
			has("attributes", anything("What changes of their attributes, and under profile.<field> of their account: {\"before\":…,\"after\":…} by name.")),
			has("why", anything("Why they would have what they would have: \"role:editor\" → \"group Editors\".")),
		),
		"MappingPreview": object(
			has("object", is("list")),
			has("data", listOf("Those for whom anything changes.", ref("MappingDifference"))),
			has("scanned", count("How many people were looked at for this page.")),
			has("list_metadata", object(
				has("before", orNull(text("Always null."))),
				has("after", orNull(text("Where to go on, null when everybody was looked at. A page may be short, or empty, and not be the last."))),
			)),
		),
	}
}

func accessOperations() map[Route]Operation {
	all := roleOperations("/authorization/roles", "", "NewRole")
	maps.Copy(all, roleOperations("/authorization/organizations/{organizationId}/roles", "Organization", "NewOrganizationRole"))
	for _, part := range []map[Route]Operation{permissions(), teams(), licences(), mappings()} {
		maps.Copy(all, part)
	}
	return all
}

// roleOperations are the same for the roles of the installation and for those of an organization.
func roleOperations(path, of, body string) map[Route]Operation {
	bad := refuses(422, "required", "too_long", "invalid_slug", "invalid_priority", "unknown_resource_type")
	conflict, about, changing := "role_slug_conflict", "the installation's roles, which every organization has", account(gone())
	if of != "" {
		conflict, about = "organization_role_slug_conflict", "the roles that members of an organization can have: the installation's and its own"
		changing = and(changing, refuses(403, "environment_role"))
	}
	held := refuses(409, "role_has_assignments", "role_has_group_role_mappings", "default_role")
	return map[Route]Operation{
		{"GET", path}: {
			ID: "list" + of + "Roles", Tag: tagRoles, Summary: "List " + about, About: "The one that wins first. The role member is there from the start.",
			Answers: done(200, "The roles.", ref("RoleList")), Refuses: account(gone()),
		},
		{"POST", path}: {
			ID: "create" + of + "Role", Tag: tagRoles, Summary: "Create a role", About: "It goes to the end of the order, unless priority says otherwise.",
			Body: ref(body), Example: `{"slug":"billing-admin","name":"Billing Administrator","description":null}`,
			Answers: done(201, "The role.", ref("Role")), Refuses: and(account(gone()), bad, refuses(409, conflict)),
		},
		{"GET", path + "/{slug}"}: {
			ID: "get" + of + "Role", Tag: tagRoles, Summary: "Get a role", Answers: done(200, "The role.", ref("Role")), Refuses: account(gone()),
		},
		{"PATCH", path + "/{slug}"}: {
			ID: "update" + of + "Role", Tag: tagRoles, Summary: "Change a role", Body: ref("RoleChange"), Example: `{"name":"Finance","priority":50}`,
			Answers: done(200, "The role as it is now.", ref("Role")), Refuses: and(changing, bad),
		},
		{"DELETE", path + "/{slug}"}: {
			ID: "delete" + of + "Role", Tag: tagRoles, Summary: "Delete a role",
			About:   "Nobody may have it, and no mapping may name it: whoever has it would be left without what they were given.",
			Answers: done(204, "Deleted.", nil), Refuses: and(changing, held),
		},
		{"PUT", path + "/{slug}/permissions"}: {
			ID: "set" + of + "RolePermissions", Tag: tagRoles, Summary: "Replace the permissions of a role", Body: ref("RolePermissions"), Example: `{"permissions":["invoices:read"]}`,
			Answers: done(200, "The role as it is now.", ref("Role")), Refuses: and(changing, refuses(422, "unknown_permission", "required")),
		},
		{"POST", path + "/{slug}/permissions"}: {
			ID: "add" + of + "RolePermission", Tag: tagRoles, Summary: "Add a permission to a role", Body: ref("RolePermission"), Example: `{"slug":"invoices:read"}`,
			Answers: done(200, "The role as it is now.", ref("Role")), Refuses: and(changing, refuses(422, "unknown_permission")),
		},
		{"DELETE", path + "/{slug}/permissions/{permissionSlug}"}: {
			ID: "remove" + of + "RolePermission", Tag: tagRoles, Summary: "Take a permission from a role",
			Answers: done(200, "The role as it is now.", ref("Role")), Refuses: changing,
		},
	}
}

func permissions() map[Route]Operation {
	bad := refuses(422, "required", "too_long", "invalid_slug", "unknown_resource_type")
	return map[Route]Operation{
		{"GET", "/authorization/permissions"}: {
			ID: "listPermissions", Tag: tagRoles, Summary: "List permissions", Query: paged(),
			Answers: done(200, "A page of permissions.", ref("PermissionList")), Refuses: and(account(), badPage()),
		},
		{"POST", "/authorization/permissions"}: {
			ID: "createPermission", Tag: tagRoles, Summary: "Create a permission", Body: ref("NewPermission"), Example: `{"slug":"invoices:read","name":"See invoices"}`,
			Answers: done(201, "The permission.", ref("Permission")), Refuses: and(account(), bad, refuses(409, "permission_slug_conflict")),
		},
		{"GET", "/authorization/permissions/{slug}"}: {
			ID: "getPermission", Tag: tagRoles, Summary: "Get a permission", Answers: done(200, "The permission.", ref("Permission")), Refuses: account(gone()),
		},
		{"PATCH", "/authorization/permissions/{slug}"}: {
			ID: "updatePermission", Tag: tagRoles, Summary: "Change how a permission is called", Body: ref("PermissionChange"), Example: `{"name":"Read invoices"}`,
			Answers: done(200, "The permission as it is now.", ref("Permission")), Refuses: and(account(gone()), bad),
		},
		{"DELETE", "/authorization/permissions/{slug}"}: {
			ID: "deletePermission", Tag: tagRoles, Summary: "Delete a permission", About: "Roles that have it lose it.",
			Answers: done(204, "Deleted.", nil), Refuses: account(gone()),
		},
	}
}

func teams() map[Route]Operation {
	const path = "/organizations/{organizationId}/groups"
	bad, managed := refuses(422, "required", "too_long"), refuses(409, "directory_managed")
	return map[Route]Operation{
		{"GET", path}: {
			ID: "listGroups", Tag: tagTeams, Summary: "List the teams of an organization", Query: paged(),
			Answers: done(200, "A page of teams.", ref("GroupList")), Refuses: and(account(gone()), badPage()),
		},
		{"POST", path}: {
			ID: "createGroup", Tag: tagTeams, Summary: "Create a team", Body: ref("NewGroup"), Example: `{"name":"Engineering"}`,
			Answers: done(201, "The team.", ref("Group")), Refuses: and(account(gone()), bad),
		},
		{"GET", path + "/{groupId}"}: {
			ID: "getGroup", Tag: tagTeams, Summary: "Get a team", Answers: done(200, "The team.", ref("Group")), Refuses: account(gone()),
		},
		{"PATCH", path + "/{groupId}"}: {
			ID: "updateGroup", Tag: tagTeams, Summary: "Change a team", About: "The name of one that follows a directory group is the directory's: 409 directory_managed.",
			Body: ref("GroupChange"), Example: `{"description":"Builds it."}`,
			Answers: done(200, "The team as it is now.", ref("Group")), Refuses: and(account(gone()), bad, managed),
		},
		{"DELETE", path + "/{groupId}"}: {
			ID: "deleteGroup", Tag: tagTeams, Summary: "Delete a team", About: "Its people stay members. One that follows a directory group, or that a mapping names, is refused.",
			Answers: done(204, "Deleted.", nil), Refuses: and(account(gone()), managed, refuses(409, "team_has_mappings")),
		},
		{"GET", path + "/{groupId}/organization-memberships"}: {
			ID: "listGroupMembers", Tag: tagTeams, Summary: "List who is in a team", About: "Pending and inactive members too, unless statuses says otherwise: their status says so.",
			Query:   paged(withStatuses("Those in these states.")),
			Answers: done(200, "A page of memberships.", ref("OrganizationMembershipList")), Refuses: and(account(gone()), badPage(), refuses(422, "invalid_status")),
		},
		{"POST", path + "/{groupId}/organization-memberships"}: {
			ID: "addGroupMember", Tag: tagTeams, Summary: "Put a member into a team", About: "Who is in it already stays.",
			Body: ref("NewGroupMember"), Example: `{"organization_membership_id":"om_01JZ0000000000000000000000"}`,
			Answers: done(200, "The team.", ref("Group")), Refuses: and(account(gone()), managed),
		},
		{"DELETE", path + "/{groupId}/organization-memberships/{omId}"}: {
			ID: "removeGroupMember", Tag: tagTeams, Summary: "Take a member out of a team",
			Answers: done(204, "Taken out.", nil), Refuses: and(account(gone()), managed),
		},
	}
}

func licences() map[Route]Operation {
	const path = "/organizations/{organizationId}/licence_types"
	bad := refuses(422, "required", "too_long", "invalid_slug", "invalid_seats", "invalid_over_limit")
	return map[Route]Operation{
		{"GET", path}: {
			ID: "listLicenceTypes", Tag: tagLicences, Summary: "List the licence types of an organization, with their use",
			Answers: done(200, "The licence types.", ref("LicenceTypeList")), Refuses: account(gone()),
		},
		{"POST", path}: {
			ID: "createLicenceType", Tag: tagLicences, Summary: "Create a licence type", Body: ref("NewLicenceType"), Example: `{"slug":"pro","name":"Pro","seats":50}`,
			Answers: done(201, "The licence type.", ref("LicenceType")), Refuses: and(account(gone()), bad, refuses(409, "licence_slug_conflict")),
		},
		{"GET", path + "/{slug}"}: {
			ID: "getLicenceType", Tag: tagLicences, Summary: "Get a licence type with its use", Answers: done(200, "The licence type.", ref("LicenceType")), Refuses: account(gone()),
		},
		{"PATCH", path + "/{slug}"}: {
			ID: "updateLicenceType", Tag: tagLicences, Summary: "Change a licence type", About: "Fewer seats than are used take none away: nobody gets one until enough are free. More seats go at once to those who wait, who has waited longest first.",
			Body: ref("LicenceTypeChange"), Example: `{"seats":80}`,
			Answers: done(200, "The licence type as it is now.", ref("LicenceType")), Refuses: and(account(gone()), bad),
		},
		{"DELETE", path + "/{slug}"}: {
			ID: "deleteLicenceType", Tag: tagLicences, Summary: "Delete a licence type", About: "Nobody may hold it, and no mapping may give it.",
			Answers: done(204, "Deleted.", nil), Refuses: and(account(gone()), refuses(409, "licence_has_holders", "licence_has_mappings")),
		},
	}
}

func mappings() map[Route]Operation {
	const example = `{"drives_roles":true,"rules":[{"set":"role","to":"editor","when":{"group":"Editors"}}]}`
	bad := and(account(gone()), refuses(412, "version_conflict"), refuses(422, "invalid_rules", "invalid_rule", "invalid_mapping"))
	get := func(id, of string) Operation {
		return Operation{
			ID: id, Tag: tagMappings, Summary: "Get the mapping of " + of, About: "Where none was saved it drives nothing.",
			Answers: done(200, "The mapping.", ref("Mapping")), Refuses: account(gone()),
		}
	}
	put := func(id, of, about string) Operation {
		return Operation{
			ID: id, Tag: tagMappings, Summary: "Replace the mapping of " + of, About: about, Body: ref("MappingChange"), Sparse: true, Example: example,
			Answers: done(200, "The mapping as it is now.", ref("Mapping")), Refuses: bad,
		}
	}
	return map[Route]Operation{
		{"GET", "/directories/{id}/mapping"}: get("getDirectoryMapping", "a directory"),
		{"GET", "/connections/{id}/mapping"}: get("getConnectionMapping", "a connection"),
		{"PUT", "/directories/{id}/mapping"}: put("setDirectoryMapping", "a directory", "Its people are looked at again in the background. What is wrong is refused by the number of the rule and its field."),
		{"PUT", "/connections/{id}/mapping"}: put("setConnectionMapping", "a connection", "People get what it gives at their next sign-in."),
		{"POST", "/directories/{id}/mapping/preview"}: {
			ID: "previewDirectoryMapping", Tag: tagMappings, Summary: "See who would gain and lose what",
			About: "Compares what the directory's active people get now with what this mapping would give them; nothing is saved. What the members were given by hand or by invitation counts where no rule gives a role or a licence.",
			Query: ascending(paged()), Body: ref("MappingChange"), Sparse: true, Example: example,
			Answers: done(200, "A page of differences.", ref("MappingPreview")), Refuses: and(bad, badPage()),
		},
		{"POST", "/connections/{id}/mapping/preview"}: {
			ID: "previewConnectionMapping", Tag: tagMappings, Summary: "See who would gain and lose what at their next sign-in",
			About: "Compares what the active members who came through the connection got at their last sign-in with what this mapping would give them for the same; nothing is saved. What a directory drives for somebody is not in it.",
			Query: ascending(paged()), Body: ref("MappingChange"), Sparse: true, Example: example,
			Answers: done(200, "A page of differences.", ref("MappingPreview")), Refuses: and(bad, badPage()),
		},
	}
}

// accessKinds are the types of events that roles, permissions, teams, licence types and mappings have.
func accessKinds() map[event.Type]Kind {
	role := noun("role",
		has("slug", text("The name for programs.")), shownResource(), has("permissions", listOf("Slugs of permissions, sorted.", text(""))), made(), changed())
	own := noun("organization_role",
		has("organization_id", text("Whose it is.")), has("slug", text("The name for programs.")), has("name", text("The name for people.")),
		has("description", optionalText("What it is for.")), shownResource(), has("permissions", listOf("Slugs of permissions, sorted.", text(""))), made(), changed())
	permission, team, licence := noun("permission", permissionMembers()...), noun("group", teamMembers()...), noun("licence_type", licenceMembers()...)
	place := object(has("group_id", text("The team.")), has("organization_membership_id", text("The member.")))
	return map[event.Type]Kind{
		event.RoleCreated: {"A role that every organization has was made.", role},
		event.RoleUpdated: {"Such a role changed: its permissions, for one.", role},
		event.RoleDeleted: {"Such a role was deleted.", role},

		event.OrganizationRoleCreated: {"A role of one organization was made.", own},
		event.OrganizationRoleUpdated: {"A role of one organization changed.", own},
		event.OrganizationRoleDeleted: {"A role of one organization was deleted.", own},

		event.PermissionCreated: {"A permission was made.", permission},
		event.PermissionUpdated: {"A permission is called something else.", permission},
		event.PermissionDeleted: {"A permission was deleted. Roles that had it have an event each, before.", permission},

		event.GroupCreated:       {"A team was made, by hand or because a directory group is to have one.", team},
		event.GroupUpdated:       {"A team changed.", team},
		event.GroupDeleted:       {"A team was deleted. That its people are out of it is told by this alone.", team},
		event.GroupMemberAdded:   {"A member came into a team.", place},
		event.GroupMemberRemoved: {"A member was taken out of a team. Who leaves the organization leaves its teams without one.", place},

		event.LicenceTypeCreated: {"A licence type was made.", licence},
		event.LicenceTypeUpdated: {"A licence type changed: its seats, for one.", licence},
		event.LicenceTypeDeleted: {"A licence type was deleted.", licence},
		event.MappingUpdated:     {"What a directory or a connection gives its people changed.", noun("mapping", mappingMembers()...)},
	}
}
