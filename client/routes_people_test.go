package client

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// peopleCalls are those about accounts, members, what they are given, and what is told of them.
func peopleCalls(ctx context.Context, c *Client) map[string]func() error {
	name, none, yes, at := "N", "", true, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	version, seats, priority := int64(3), 5, 7
	mapping := MappingChange{DrivesRoles: true, TeamsFollowGroups: true, Rules: json.RawMessage("[]"), Version: &version}
	const mapped = `{"drives_roles":true,"drives_teams":false,"drives_licences":false,"teams_follow_groups":true,"rules":[],"version":3}`
	return map[string]func() error{
		"GET /user_management/users?email=e&limit=100&organization_id=o&statuses=pending": func() error {
			_, err := Collect(c.Users(ctx, UserQuery{Email: "e", OrganizationID: "o", Statuses: []string{"pending"}}), 0)
			return err
		},
		"GET /user_management/users/u":             func() error { _, err := c.User(ctx, "u"); return err },
		"GET /user_management/users/external_id/e": func() error { _, err := c.UserByExternalID(ctx, "e"); return err },
		`POST /user_management/users {"email":"e","email_verified":true,"metadata":{"k":"v"}}`: func() error {
			_, err := c.CreateUser(ctx, NewUser{Email: "e", EmailVerified: true, Metadata: map[string]string{"k": "v"}})
			return err
		},
		`PUT /user_management/users/u {"email_verified":true,"external_id":null,"first_name":"N","last_name":"","locale":null,"metadata":{"k":null}}`: func() error {
			_, err := c.UpdateUser(ctx, "u", UserChange{EmailVerified: &yes, FirstName: &name, LastName: &none, Locale: &none, ExternalID: &none, Metadata: map[string]*string{"k": nil}})
			return err
		},
		"DELETE /user_management/users/u":                               func() error { return c.DeleteUser(ctx, "u") },
		"GET /user_management/users/u/sessions?limit=100":               func() error { _, err := Collect(c.Sessions(ctx, "u", Listing{}), 0); return err },
		"POST /user_management/users/u/sessions/revoke":                 func() error { _, err := c.RevokeSessions(ctx, "u"); return err },
		`POST /user_management/sessions/revoke {"session_id":"s"}`:      func() error { return c.RevokeSession(ctx, "s") },
		"GET /user_management/organization_memberships/m":               func() error { _, err := c.OrganizationMembership(ctx, "m"); return err },
		"PUT /user_management/organization_memberships/m/deactivate":    func() error { _, err := c.DeactivateOrganizationMembership(ctx, "m"); return err },
		"PUT /user_management/organization_memberships/m/reactivate":    func() error { _, err := c.ReactivateOrganizationMembership(ctx, "m"); return err },
		"DELETE /user_management/organization_memberships/m":            func() error { return c.DeleteOrganizationMembership(ctx, "m") },
		"GET /user_management/invitations/i":                            func() error { _, err := c.Invitation(ctx, "i"); return err },
		"GET /user_management/invitations/by_token/t":                   func() error { _, err := c.InvitationByToken(ctx, "t"); return err },
		"POST /user_management/invitations/i/accept":                    func() error { _, err := c.AcceptInvitation(ctx, "i"); return err },
		"POST /user_management/invitations/i/revoke":                    func() error { _, err := c.RevokeInvitation(ctx, "i"); return err },
		"POST /user_management/invitations/i/resend {}":                 func() error { _, err := c.ResendInvitation(ctx, "i", ""); return err },
		`POST /user_management/invitations/i/resend {"locale":"de-AT"}`: func() error { _, err := c.ResendInvitation(ctx, "i", "de-AT"); return err },
		"GET /user_management/organization_memberships?limit=100&organization_id=o&statuses=active%2Cpending&user_id=u": func() error {
			_, err := Collect(c.OrganizationMemberships(ctx, MembershipQuery{OrganizationID: "o", UserID: "u", Statuses: []string{"active", "pending"}}), 0)
			return err
		},
		`POST /user_management/organization_memberships {"organization_id":"o","user_id":"u","role_slug":"r","licence":"l"}`: func() error {
			_, err := c.CreateOrganizationMembership(ctx, NewMembership{OrganizationID: "o", UserID: "u", Role: "r", Licence: "l"})
			return err
		},
		`PUT /user_management/organization_memberships/m {"licence":null,"role_slug":"N"}`: func() error {
			_, err := c.UpdateOrganizationMembership(ctx, "m", MembershipChange{Role: &name, Licence: &none})
			return err
		},
		"GET /user_management/invitations?email=e&limit=100&organization_id=o&state=pending": func() error {
			_, err := Collect(c.Invitations(ctx, InvitationQuery{Email: "e", OrganizationID: "o", States: []string{"pending"}}), 0)
			return err
		},
		`POST /user_management/invitations {"email":"e","organization_id":"o","role_slug":"r","team_ids":["g"],"licence":"l","expires_in_days":9,"inviter_user_id":"u","locale":"de"}`: func() error {
			_, err := c.SendInvitation(ctx, NewInvitation{
				Email: "e", OrganizationID: "o", Role: "r", TeamIDs: []string{"g"}, Licence: "l", ExpiresInDays: 9, InviterUserID: "u", Locale: "de",
			})
			return err
		},
		`POST /user_management/invitations {"email":"e"}`: func() error { _, err := c.SendInvitation(ctx, NewInvitation{Email: "e"}); return err },

		"GET /authorization/roles":                   func() error { _, err := Collect(c.Roles(ctx, ""), 0); return err },
		"GET /authorization/organizations/o/roles":   func() error { _, err := Collect(c.Roles(ctx, "o"), 0); return err },
		"GET /authorization/roles/r":                 func() error { _, err := c.Role(ctx, "", "r"); return err },
		"GET /authorization/organizations/o/roles/r": func() error { _, err := c.Role(ctx, "o", "r"); return err },
		`POST /authorization/roles {"slug":"s","name":"N","priority":7,"is_admin":true}`: func() error {
			_, err := c.CreateRole(ctx, "", NewRole{Slug: "s", Name: "N", Priority: 7, IsAdmin: true})
			return err
		},
		`POST /authorization/organizations/o/roles {"name":"N"}`: func() error { _, err := c.CreateRole(ctx, "o", NewRole{Name: "N"}); return err },
		`PATCH /authorization/roles/r {"description":null,"is_admin":true,"name":"N","priority":7}`: func() error {
			_, err := c.UpdateRole(ctx, "", "r", RoleChange{Name: &name, Description: &none, Priority: &priority, IsAdmin: &yes})
			return err
		},
		"PATCH /authorization/organizations/o/roles/r {}":                           func() error { _, err := c.UpdateRole(ctx, "o", "r", RoleChange{}); return err },
		"DELETE /authorization/roles/r":                                             func() error { return c.DeleteRole(ctx, "", "r") },
		"DELETE /authorization/organizations/o/roles/r":                             func() error { return c.DeleteRole(ctx, "o", "r") },
		`PUT /authorization/roles/r/permissions {"permissions":[]}`:                 func() error { _, err := c.SetRolePermissions(ctx, "", "r", nil); return err },
		`PUT /authorization/organizations/o/roles/r/permissions {"permissions":[]}`: func() error { _, err := c.SetRolePermissions(ctx, "o", "r", nil); return err },
		`POST /authorization/roles/r/permissions {"slug":"p"}`:                      func() error { _, err := c.AddRolePermission(ctx, "", "r", "p"); return err },
		`POST /authorization/organizations/o/roles/r/permissions {"slug":"p"}`:      func() error { _, err := c.AddRolePermission(ctx, "o", "r", "p"); return err },
		"DELETE /authorization/roles/r/permissions/p":                               func() error { _, err := c.RemoveRolePermission(ctx, "", "r", "p"); return err },
		"DELETE /authorization/organizations/o/roles/r/permissions/p":               func() error { _, err := c.RemoveRolePermission(ctx, "o", "r", "p"); return err },
		"GET /authorization/permissions?limit=100":                                  func() error { _, err := Collect(c.Permissions(ctx, Listing{}), 0); return err },
		"GET /authorization/permissions/p":                                          func() error { _, err := c.Permission(ctx, "p"); return err },
		`POST /authorization/permissions {"slug":"p","name":"N"}`:                   func() error { _, err := c.CreatePermission(ctx, NewPermission{Slug: "p", Name: "N"}); return err },
		`PATCH /authorization/permissions/p {"description":null,"name":"N"}`: func() error {
			_, err := c.UpdatePermission(ctx, "p", NameChange{Name: &name, Description: &none})
			return err
		},
		"DELETE /authorization/permissions/p": func() error { return c.DeletePermission(ctx, "p") },

		"GET /organizations/o/groups?limit=100":        func() error { _, err := Collect(c.Teams(ctx, "o", Listing{}), 0); return err },
		"GET /organizations/o/groups/g":                func() error { _, err := c.Team(ctx, "o", "g"); return err },
		`POST /organizations/o/groups {"name":"N"}`:    func() error { _, err := c.CreateTeam(ctx, "o", NewTeam{Name: "N"}); return err },
		`PATCH /organizations/o/groups/g {"name":"N"}`: func() error { _, err := c.UpdateTeam(ctx, "o", "g", NameChange{Name: &name}); return err },
		"DELETE /organizations/o/groups/g":             func() error { return c.DeleteTeam(ctx, "o", "g") },
		"GET /organizations/o/groups/g/organization-memberships?limit=100&statuses=active%2Cinactive": func() error {
			_, err := Collect(c.TeamMembers(ctx, "o", "g", Listing{}, "active", "inactive"), 0)
			return err
		},
		`POST /organizations/o/groups/g/organization-memberships {"organization_membership_id":"m"}`: func() error { _, err := c.AddTeamMember(ctx, "o", "g", "m"); return err },
		"DELETE /organizations/o/groups/g/organization-memberships/m":                                func() error { return c.RemoveTeamMember(ctx, "o", "g", "m") },
		"GET /organizations/o/licence_types":                                                         func() error { _, err := Collect(c.LicenceTypes(ctx, "o"), 0); return err },
		"GET /organizations/o/licence_types/l":                                                       func() error { _, err := c.LicenceType(ctx, "o", "l"); return err },
		`POST /organizations/o/licence_types {"slug":"l","name":"N","seats":5,"over_limit":"refuse"}`: func() error {
			_, err := c.CreateLicenceType(ctx, "o", NewLicenceType{Slug: "l", Name: "N", Seats: &seats, OverLimit: "refuse"})
			return err
		},
		`PATCH /organizations/o/licence_types/l {"name":"N","seats":5}`: func() error {
			_, err := c.UpdateLicenceType(ctx, "o", "l", LicenceTypeChange{Name: &name, Seats: &seats})
			return err
		},
		`PATCH /organizations/o/licence_types/l {"over_limit":"N","seats":null}`: func() error {
			_, err := c.UpdateLicenceType(ctx, "o", "l", LicenceTypeChange{Seats: &seats, Unlimited: true, OverLimit: &name})
			return err
		},
		"DELETE /organizations/o/licence_types/l": func() error { return c.DeleteLicenceType(ctx, "o", "l") },

		"GET /directories/d/mapping":           func() error { _, err := c.DirectoryMapping(ctx, "d"); return err },
		"PUT /directories/d/mapping " + mapped: func() error { _, err := c.SetDirectoryMapping(ctx, "d", mapping); return err },
		"GET /connections/c/mapping":           func() error { _, err := c.ConnectionMapping(ctx, "c"); return err },
		`PUT /connections/c/mapping {"drives_roles":false,"drives_teams":false,"drives_licences":false,"teams_follow_groups":false}`: func() error {
			_, err := c.SetConnectionMapping(ctx, "c", MappingChange{})
			return err
		},
		"POST /connections/c/mapping/preview?limit=100 " + mapped: func() error { _, err := Collect(c.PreviewConnectionMapping(ctx, "c", mapping), 0); return err },
		"POST /directories/d/mapping/preview?limit=100 " + mapped: func() error { _, err := Collect(c.PreviewMapping(ctx, "d", mapping), 0); return err },

		"GET /audit?actions=a%2Cb&actor=x&limit=5&order=asc&organization_id=o&range_end=2026-01-15T12%3A00%3A00Z&range_start=2026-01-15T12%3A00%3A00Z&target=t": func() error {
			_, err := Collect(c.Audit(ctx, AuditQuery{OrganizationID: "o", Actor: "x", Actions: []string{"a", "b"}, Target: "t", From: at, Until: at, Ascending: true, PageSize: 5}), 0)
			return err
		},
		"GET /audit?format=csv&target=t": func() error { return c.ExportAudit(ctx, AuditQuery{Target: "t", PageSize: 5}, CSV, io.Discard) },
		"GET /organizations/o/access?at=2026-01-15T12%3A00%3A00Z&limit=100": func() error {
			_, err := Collect(c.AccessAt(ctx, "o", at, Listing{Ascending: true}), 0)
			return err
		},
		"GET /organizations/o/access?format=jsonl":    func() error { return c.ExportAccess(ctx, "o", time.Time{}, JSONLines, io.Discard) },
		"GET /organizations/o/offboardings?limit=100": func() error { _, err := Collect(c.Offboardings(ctx, "o", Listing{}), 0); return err },
		"GET /offboardings/f":                         func() error { _, err := c.Offboarding(ctx, "f"); return err },
		"GET /offboardings/f/receipt":                 func() error { _, err := c.OffboardingReceipt(ctx, "f"); return err },
	}
}
