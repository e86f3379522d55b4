package api

import "time"

// audited makes a request to a route and wants an entry of an action in the audit; it gives the answer.
type audited func(route, path, body, action string) reply

// auditsOfMembers makes every change that there is of accounts, members, what they may and how they come in.
func (w *world) auditsOfMembers(does audited) {
	w.Helper()
	w.auditsOfAccounts(does)
	w.auditsOfMemberships(does)
	w.auditsOfInvitations(does)
	w.auditsOfSessions(does)
	w.auditsOfPolicy(does)
	w.auditsOfIdentityProvider(does)
	w.auditsOfRoles(does)
	w.auditsOfOrganizationRoles(does)
	w.auditsOfTeams(does)
	w.auditsOfLicences(does)
	w.auditsOfMappings(does)
	w.auditsOfBrakes(does)
	w.auditsOfSwitches(does)
}

func (w *world) auditsOfAccounts(does audited) {
	w.Helper()
	user := does("POST /user_management/users", usersPath, `{"email":"ada@account.test"}`, "user.created").text("id")
	does("PUT /user_management/users/{id}", usersPath+"/"+user, `{"first_name":"Ada"}`, "user.updated")
	does("DELETE /user_management/users/{id}", usersPath+"/"+user, "", "user.deleted")
}

func (w *world) auditsOfMemberships(does audited) {
	w.Helper()
	body := `{"user_id":"` + w.user("ada@member.test").text("id") + `","organization_id":"` + w.organization("Members") + `"}`
	w.role("auditor")
	path := membershipPath + "/" + does("POST /user_management/organization_memberships", membershipPath, body, "organization_membership.created").text("id")
	does("PUT /user_management/organization_memberships/{id}", path, `{"role_slug":"auditor"}`, "organization_membership.updated")
	does("PUT /user_management/organization_memberships/{id}/deactivate", path+"/deactivate", "", "organization_membership.updated")
	does("PUT /user_management/organization_memberships/{id}/reactivate", path+"/reactivate", "", "organization_membership.updated")
	does("DELETE /user_management/organization_memberships/{id}", path, "", "organization_membership.deleted")
}

func (w *world) auditsOfInvitations(does audited) {
	w.Helper()
	id := w.organization("Invited")
	one := does("POST /user_management/invitations", invitationsPath, `{"email":"ada@invited.test","organization_id":"`+id+`"}`, "invitation.created").text("id")
	two := w.invited(id, "bob@invited.test").text("id")
	w.later()
	does("POST /user_management/invitations/{id}/resend", invitationsPath+"/"+one+"/resend", `{}`, "invitation.resent")
	does("POST /user_management/invitations/{id}/accept", invitationsPath+"/"+one+"/accept", "", "invitation.accepted")
	does("POST /user_management/invitations/{id}/revoke", invitationsPath+"/"+two+"/revoke", "", "invitation.revoked")
}

func (w *world) auditsOfSessions(does audited) {
	w.Helper()
	id := w.organization("Sessions")
	user, _ := w.placed(id, "ada@session.test", "Ada")
	does("POST /user_management/sessions/revoke", "/user_management/sessions/revoke", `{"session_id":"`+w.session(id, user)+`"}`, "session.revoked")
	w.live(user, id)
	does("POST /user_management/users/{id}/sessions/revoke", userPath+user+"/sessions/revoke", "", "session.revoked")
	w.live(user, id)
	does("POST /organizations/{id}/end_sessions", "/organizations/"+id+"/end_sessions", `{"user_id":"`+user+`"}`, "session.revoked")
}

func (w *world) auditsOfPolicy(does audited) {
	w.Helper()
	id := w.organization("Policy")
	path := "/organizations/" + id
	does("PUT /organizations/{id}/policy", path+"/policy", `{"sso":"optional"}`, "organization_policy.updated")
	user, _ := w.placed(id, "ada@policy.test", "Ada")
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	body := `{"user_id":"` + user + `","reason":"keeps the keys","expires_at":"` + until + `"}`
	does("POST /organizations/{id}/break_glass_users", path+"/break_glass_users", body, "break_glass_user.created")
	does("DELETE /organizations/{id}/break_glass_users/{user_id}", path+"/break_glass_users/"+user, "", "break_glass_user.deleted")
}

func (w *world) auditsOfIdentityProvider(does audited) {
	w.Helper()
	id := w.organization("Provider")
	w.proven(id)
	w.feed(id, "")
	path := "/organizations/" + id + "/identity_provider"
	does("DELETE /organizations/{id}/identity_provider", path, "", "connection.deleted")
	w.feed(id, "")
	does("DELETE /organizations/{id}/identity_provider", path, "", "dsync.deleted")
}

func (w *world) auditsOfRoles(does audited) {
	w.Helper()
	const permissions, roles = "/authorization/permissions", "/authorization/roles"
	does("POST "+permissions, permissions, `{"slug":"bills:read","name":"Read bills"}`, "permission.created")
	does("PATCH "+permissions+"/{slug}", permissions+"/bills:read", `{"name":"Bills"}`, "permission.updated")
	w.send("POST", permissions, `{"slug":"bills:write","name":"Write bills"}`).wants(201)

	does("POST "+roles, roles, `{"slug":"billing","name":"Billing"}`, "role.created")
	does("PATCH "+roles+"/{slug}", roles+"/billing", `{"name":"Bills"}`, "role.updated")
	does("PUT "+roles+"/{slug}/permissions", roles+"/billing/permissions", `{"permissions":["bills:read"]}`, "role.updated")
	does("POST "+roles+"/{slug}/permissions", roles+"/billing/permissions", `{"slug":"bills:write"}`, "role.updated")
	does("DELETE "+roles+"/{slug}/permissions/{permissionSlug}", roles+"/billing/permissions/bills:write", "", "role.updated")
	does("DELETE "+roles+"/{slug}", roles+"/billing", "", "role.deleted")
	does("DELETE "+permissions+"/{slug}", permissions+"/bills:read", "", "permission.deleted")
}

func (w *world) auditsOfOrganizationRoles(does audited) {
	w.Helper()
	const route = "/authorization/organizations/{organizationId}/roles"
	for _, slug := range []string{"seats:read", "seats:write"} {
		w.send("POST", "/authorization/permissions", `{"slug":"`+slug+`","name":"`+slug+`"}`).wants(201)
	}
	path := "/authorization/organizations/" + w.organization("Roles") + "/roles"
	does("POST "+route, path, `{"slug":"lead","name":"Lead"}`, "organization_role.created")
	does("PATCH "+route+"/{slug}", path+"/lead", `{"name":"Leader"}`, "organization_role.updated")
	does("PUT "+route+"/{slug}/permissions", path+"/lead/permissions", `{"permissions":["seats:read"]}`, "organization_role.updated")
	does("POST "+route+"/{slug}/permissions", path+"/lead/permissions", `{"slug":"seats:write"}`, "organization_role.updated")
	does("DELETE "+route+"/{slug}/permissions/{permissionSlug}", path+"/lead/permissions/seats:write", "", "organization_role.updated")
	does("DELETE "+route+"/{slug}", path+"/lead", "", "organization_role.deleted")
}

func (w *world) auditsOfTeams(does audited) {
	w.Helper()
	const route = "/organizations/{organizationId}/groups"
	id := w.organization("Teams")
	path, om := "/organizations/"+id+"/groups", w.membership(id, "tim")
	team := path + "/" + does("POST "+route, path, `{"name":"Team"}`, "group.created").text("id")
	does("PATCH "+route+"/{groupId}", team, `{"name":"Platform"}`, "group.updated")
	members := team + "/organization-memberships"
	does("POST "+route+"/{groupId}/organization-memberships", members, `{"organization_membership_id":"`+om+`"}`, "group.member_added")
	does("DELETE "+route+"/{groupId}/organization-memberships/{omId}", members+"/"+om, "", "group.member_removed")
	does("DELETE "+route+"/{groupId}", team, "", "group.deleted")
}

func (w *world) auditsOfLicences(does audited) {
	w.Helper()
	const route = "/organizations/{organizationId}/licence_types"
	path := "/organizations/" + w.organization("Licences") + "/licence_types"
	does("POST "+route, path, `{"slug":"pro","name":"Pro","seats":2}`, "licence_type.created")
	does("PATCH "+route+"/{slug}", path+"/pro", `{"seats":3}`, "licence_type.updated")
	does("DELETE "+route+"/{slug}", path+"/pro", "", "licence_type.deleted")
}

func (w *world) auditsOfMappings(does audited) {
	w.Helper()
	const rules = `{"drives_roles":true,"rules":[{"set":"role","to":"member"}]}`
	id := w.organization("Mappings")
	directory := "/directories/" + w.feed(id, `,"live":false`).id
	does("PUT /directories/{id}/mapping", directory+"/mapping", rules, "mapping.updated")
	does("POST /directories/{id}/go_live", directory+"/go_live", "", "directory.updated")
	conn := w.send("POST", "/connections", `{"organization_id":"`+id+`","name":"Okta","connection_type":"GenericSAML"}`).wants(201).text("id")
	does("PUT /connections/{id}/mapping", "/connections/"+conn+"/mapping", rules, "mapping.updated")
}

func (w *world) auditsOfBrakes(does audited) {
	w.Helper()
	for _, end := range []struct{ way, told string }{{"release", "directory.brake_released"}, {"undo", "directory.brake_undone"}} {
		f, _ := w.burst(w.organization("Brake"))
		path := "/directories/" + f.id
		does("PUT /directories/{id}/brake", path+"/brake", `{"enabled":true,"share_percent":1,"people":2}`, "directory.brake_updated")
		hold := w.get(path + "/holds").wants(200).data()[0]["id"].(string)
		does("POST /directories/{id}/holds/{hold_id}/"+end.way, path+"/holds/"+hold+"/"+end.way, "", end.told)
	}
}
