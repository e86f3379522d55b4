package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// handler serves one method of one resource.
type handler func(*call) (answer, error)

// row is one line of the URL table.
type row struct {
	pattern string // {name} stands for one segment, which may hold an encoded slash
	class   string // for metrics and logs
	methods map[string]handler
}

// table is every address there is. HEAD is answered as GET.
func table() []row {
	return []row{
		{"/organizations", "api_organizations", map[string]handler{http.MethodGet: listOrganizations, http.MethodPost: createOrganization}},
		{"/organizations/{id}", "api_organization", map[string]handler{
			http.MethodGet: getOrganization, http.MethodPut: updateOrganization, http.MethodDelete: deleteOrganization,
		}},
		{"/organizations/external_id/{external_id}", "api_organization", map[string]handler{http.MethodGet: getOrganizationByExternalID}},

		{"/organizations/{id}/features", "api_organization_features", map[string]handler{http.MethodGet: getFeatures, http.MethodPut: setFeatures}},
		{"/organizations/{id}/policy", "api_organization_policy", map[string]handler{http.MethodGet: getPolicy, http.MethodPut: setPolicy}},
		{"/organizations/{id}/left_out", "api_left_out", map[string]handler{http.MethodGet: listLeftOut}},
		{"/organizations/{id}/end_sessions", "api_end_sessions", map[string]handler{http.MethodPost: endSessions}},
		{"/organizations/{id}/identity_provider", "api_identity_provider", map[string]handler{http.MethodDelete: deleteIdentityProvider}},
		{"/organizations/{id}/identity_provider_switches", "api_switches", map[string]handler{http.MethodGet: listSwitches, http.MethodPost: createSwitch}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}", "api_switch", map[string]handler{http.MethodGet: getSwitch}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/people", "api_switch_people", map[string]handler{http.MethodGet: listSwitchPeople}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/people/{old_id}", "api_switch_person", map[string]handler{http.MethodPut: setSwitchPerson}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/groups", "api_switch_groups", map[string]handler{http.MethodGet: listSwitchGroups}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/groups/{old_id}", "api_switch_group", map[string]handler{http.MethodPut: setSwitchGroup}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/cut_over", "api_switch_cut_over", map[string]handler{http.MethodPost: cutOverSwitch}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/revert", "api_switch_revert", map[string]handler{http.MethodPost: revertSwitch}},
		{"/organizations/{id}/identity_provider_switches/{switch_id}/cancel", "api_switch_cancel", map[string]handler{http.MethodPost: cancelSwitch}},
		{"/organizations/{id}/break_glass_users", "api_break_glass_users", map[string]handler{http.MethodGet: listBreakGlassUsers, http.MethodPost: createBreakGlassUser}},
		{"/organizations/{id}/break_glass_users/{user_id}", "api_break_glass_user", map[string]handler{http.MethodDelete: deleteBreakGlassUser}},
		{"/organizations/{id}/contacts", "api_contacts", map[string]handler{http.MethodGet: listContacts, http.MethodPost: createContact}},
		{"/organizations/{id}/contacts/{contact_id}", "api_contact", map[string]handler{http.MethodDelete: deleteContact}},
		{"/organizations/{id}/contacts/{contact_id}/send_link", "api_contact_link", map[string]handler{http.MethodPost: sendPortalLink}},
		{"/portal/generate_link", "api_portal_link", map[string]handler{http.MethodPost: generateLink}},
		{"/organizations/{organizationId}/api_keys", "api_keys", map[string]handler{http.MethodGet: listAPIKeys, http.MethodPost: createAPIKey}},
		{"/api_keys/validations", "api_key_validations", map[string]handler{http.MethodPost: validateAPIKey}},
		{"/api_keys/{id}", "api_key", map[string]handler{http.MethodDelete: deleteAPIKey}},
		{"/api_keys/{id}/expire", "api_key", map[string]handler{http.MethodPost: expireAPIKey}},
		{"/organization_domains", "api_organization_domains", map[string]handler{http.MethodPost: createDomain}},
		{"/organization_domains/{id}", "api_organization_domain", map[string]handler{http.MethodGet: getDomain, http.MethodDelete: deleteDomain}},
		{"/organization_domains/{id}/verify", "api_organization_domain", map[string]handler{http.MethodPost: verifyDomain}},

		{"/directories", "api_directories", map[string]handler{http.MethodGet: listDirectories, http.MethodPost: createDirectory}},
		{"/directories/{id}", "api_directory", map[string]handler{http.MethodGet: getDirectory, http.MethodPatch: updateDirectory, http.MethodDelete: deleteDirectory}},
		{"/directories/{id}/tokens", "api_directory_tokens", map[string]handler{http.MethodGet: listTokens, http.MethodPost: createToken}},
		{"/directories/{id}/tokens/{token_id}", "api_directory_token", map[string]handler{http.MethodDelete: revokeToken}},
		{"/directories/{id}/go_live", "api_directory_go_live", map[string]handler{http.MethodPost: goLive}},
		{"/directories/{id}/provisioning", "api_directory_provisioning", map[string]handler{http.MethodGet: getProvisioning}},
		{"/directories/{id}/provisioning/preview", "api_directory_preview", map[string]handler{http.MethodGet: previewProvisioning}},
		{"/directories/{id}/brake", "api_directory_brake", map[string]handler{http.MethodGet: getBrake, http.MethodPut: setBrake}},
		{"/directories/{id}/holds", "api_directory_holds", map[string]handler{http.MethodGet: listHolds}},
		{"/directories/{id}/holds/{hold_id}/release", "api_directory_hold_release", map[string]handler{http.MethodPost: releaseHold}},
		{"/directories/{id}/holds/{hold_id}/undo", "api_directory_hold_undo", map[string]handler{http.MethodPost: undoHold}},
		{"/directories/{id}/exchanges", "api_exchanges", map[string]handler{http.MethodGet: listExchanges}},

		{"/directory_users", "api_directory_users", map[string]handler{http.MethodGet: listUsers}},
		{"/directory_users/{id}", "api_directory_user", map[string]handler{http.MethodGet: getUser, http.MethodDelete: eraseUser}},
		{"/directory_groups", "api_directory_groups", map[string]handler{http.MethodGet: listGroups}},
		{"/directory_groups/{id}", "api_directory_group", map[string]handler{http.MethodGet: getGroup}},

		{"/connections", "api_connections", map[string]handler{http.MethodGet: listConnections, http.MethodPost: createConnection}},
		{"/connections/{id}", "api_connection", map[string]handler{http.MethodGet: getConnection, http.MethodPatch: updateConnection, http.MethodDelete: deleteConnection}},
		{"/connections/{id}/certificates", "api_connection_certificates", map[string]handler{http.MethodGet: listCertificates, http.MethodPost: addCertificate}},
		{"/connections/{id}/certificates/{fingerprint}", "api_connection_certificate", map[string]handler{http.MethodDelete: deleteCertificate}},
		{"/connections/{id}/refresh_metadata", "api_connection_metadata", map[string]handler{http.MethodPost: refreshMetadata}},
		{"/connections/{id}/approve_metadata", "api_connection_metadata", map[string]handler{http.MethodPost: approveMetadata}},
		{"/connections/{id}/test_sign_ins", "api_test_sign_ins", map[string]handler{http.MethodPost: createTestSignIn}},
		{"/connections/{id}/sign_in_attempts", "api_sign_in_attempts", map[string]handler{http.MethodGet: listSignIns}},
		{"/sign_in_attempts/{id}", "api_sign_in_attempt", map[string]handler{http.MethodGet: getSignIn}},

		{"/webhook_endpoints", "api_webhook_endpoints", map[string]handler{http.MethodGet: listWebhookEndpoints, http.MethodPost: createWebhookEndpoint}},
		{"/webhook_endpoints/{id}", "api_webhook_endpoint", map[string]handler{http.MethodGet: getWebhookEndpoint, http.MethodPatch: updateWebhookEndpoint, http.MethodDelete: deleteWebhookEndpoint}},
		{"/webhook_endpoints/{id}/rotate_secret", "api_webhook_secret", map[string]handler{http.MethodPost: rotateWebhookSecret}},
		{"/webhook_endpoints/{id}/deliveries", "api_webhook_deliveries", map[string]handler{http.MethodGet: listWebhookDeliveries}},
		{"/webhook_endpoints/{id}/replay", "api_webhook_replay", map[string]handler{http.MethodPost: replayWebhookEndpoint}},
		{"/webhook_deliveries/{id}", "api_webhook_delivery", map[string]handler{http.MethodGet: getWebhookDelivery}},
		{"/webhook_deliveries/{id}/replay", "api_webhook_replay", map[string]handler{http.MethodPost: replayWebhookDelivery}},

		{"/connect/applications", "api_applications", map[string]handler{http.MethodGet: listApplications, http.MethodPost: createApplication}},
		{"/connect/applications/{id}", "api_application", map[string]handler{http.MethodGet: getApplication, http.MethodPut: updateApplication, http.MethodDelete: deleteApplication}},
		{"/connect/applications/{id}/client_secrets", "api_client_secrets", map[string]handler{http.MethodGet: listSecrets, http.MethodPost: createSecret}},
		{"/connect/applications/{id}/logout_deliveries", "api_logout_deliveries", map[string]handler{http.MethodGet: listLogoutDeliveries}},
		{"/connect/client_secrets/{id}", "api_client_secret", map[string]handler{http.MethodDelete: deleteSecret}},
		{"/user_management/redirect_uris", "api_redirect_uris", map[string]handler{http.MethodGet: listRedirectURIs, http.MethodPost: createRedirectURI}},
		{"/user_management/redirect_uris/{id}", "api_redirect_uri", map[string]handler{http.MethodDelete: deleteRedirectURI}},
		{"/user_management/invitations", "api_invitations", map[string]handler{http.MethodGet: asContract(listInvitations), http.MethodPost: asContract(createInvitation)}},
		{"/user_management/invitations/by_token/{token}", "api_invitation_token", map[string]handler{http.MethodGet: asContract(getInvitationByToken)}},
		{"/user_management/invitations/{id}", "api_invitation", map[string]handler{http.MethodGet: asContract(getInvitation)}},
		{"/user_management/invitations/{id}/accept", "api_invitation_state", map[string]handler{http.MethodPost: asContract(acceptInvitation)}},
		{"/user_management/invitations/{id}/resend", "api_invitation_state", map[string]handler{http.MethodPost: asContract(resendInvitation)}},
		{"/user_management/invitations/{id}/revoke", "api_invitation_state", map[string]handler{http.MethodPost: asContract(revokeInvitation)}},
		{"/user_management/organization_memberships", "api_memberships", map[string]handler{http.MethodGet: asContract(invalidAsContract(listMemberships)), http.MethodPost: asContract(createMembership)}},
		{"/user_management/organization_memberships/{id}", "api_membership", map[string]handler{
			http.MethodGet: asContract(getMembership), http.MethodPut: asContract(updateMembership), http.MethodDelete: asContract(deleteMembership),
		}},
		{"/user_management/organization_memberships/{id}/deactivate", "api_membership_state", map[string]handler{http.MethodPut: asContract(deactivateMembership)}},
		{"/user_management/organization_memberships/{id}/reactivate", "api_membership_state", map[string]handler{http.MethodPut: asContract(reactivateMembership)}},
		{"/user_management/users", "api_users", map[string]handler{http.MethodGet: asContract(listAccounts), http.MethodPost: asContract(createAccount)}},
		{"/user_management/users/{id}", "api_user", map[string]handler{
			http.MethodGet: asContract(getAccount), http.MethodPut: asContract(updateAccount), http.MethodDelete: asContract(deleteAccount),
		}},
		{"/user_management/users/external_id/{external_id}", "api_user", map[string]handler{http.MethodGet: asContract(getAccountByExternalID)}},
		{"/user_management/users/{id}/identities", "api_user_identities", map[string]handler{http.MethodGet: asContract(listIdentities)}},
		{"/user_management/users/{id}/sso_identities", "api_user_identities", map[string]handler{http.MethodGet: asContract(listSSOIdentities)}},
		{"/user_management/users/{id}/sessions", "api_user_sessions", map[string]handler{http.MethodGet: asContract(listSessions)}},
		{"/user_management/users/{id}/sessions/revoke", "api_user_sessions", map[string]handler{http.MethodPost: asContract(revokeSessions)}},
		{"/user_management/sessions/revoke", "api_session", map[string]handler{http.MethodPost: asContract(revokeSession)}},
		{"/authorization/roles", "api_roles", map[string]handler{http.MethodGet: listRoles, http.MethodPost: createRole}},
		{"/authorization/roles/{slug}", "api_role", map[string]handler{http.MethodGet: getRole, http.MethodPatch: updateRole, http.MethodDelete: deleteRole}},
		{"/authorization/roles/{slug}/permissions", "api_role_permissions", map[string]handler{http.MethodPut: setRolePermissions, http.MethodPost: addRolePermission}},
		{"/authorization/roles/{slug}/permissions/{permissionSlug}", "api_role_permissions", map[string]handler{http.MethodDelete: removeRolePermission}},
		{"/authorization/organizations/{organizationId}/roles", "api_organization_roles", map[string]handler{http.MethodGet: listRoles, http.MethodPost: createRole}},
		{"/authorization/organizations/{organizationId}/roles/{slug}", "api_organization_role", map[string]handler{
			http.MethodGet: getRole, http.MethodPatch: updateRole, http.MethodDelete: deleteRole,
		}},
		{"/authorization/organizations/{organizationId}/roles/{slug}/permissions", "api_organization_role_permissions", map[string]handler{
			http.MethodPut: setRolePermissions, http.MethodPost: addRolePermission,
		}},
		{"/authorization/organizations/{organizationId}/roles/{slug}/permissions/{permissionSlug}", "api_organization_role_permissions", map[string]handler{
			http.MethodDelete: removeRolePermission,
		}},
		{"/authorization/permissions", "api_permissions", map[string]handler{http.MethodGet: listPermissions, http.MethodPost: createPermission}},
		{"/authorization/permissions/{slug}", "api_permission", map[string]handler{
			http.MethodGet: getPermission, http.MethodPatch: updatePermission, http.MethodDelete: deletePermission,
		}},
		{"/organizations/{organizationId}/groups", "api_teams", map[string]handler{http.MethodGet: listTeams, http.MethodPost: createTeam}},
		{"/organizations/{organizationId}/groups/{groupId}", "api_team", map[string]handler{http.MethodGet: getTeam, http.MethodPatch: updateTeam, http.MethodDelete: deleteTeam}},
		{"/organizations/{organizationId}/groups/{groupId}/organization-memberships", "api_team_members", map[string]handler{
			http.MethodGet: listTeamMembers, http.MethodPost: addTeamMember,
		}},
		{"/organizations/{organizationId}/groups/{groupId}/organization-memberships/{omId}", "api_team_members", map[string]handler{http.MethodDelete: removeTeamMember}},
		{"/organizations/{organizationId}/licence_types", "api_licence_types", map[string]handler{http.MethodGet: listLicences, http.MethodPost: createLicence}},
		{"/organizations/{organizationId}/licence_types/{slug}", "api_licence_type", map[string]handler{
			http.MethodGet: getLicence, http.MethodPatch: updateLicence, http.MethodDelete: deleteLicence,
		}},
		{"/directories/{id}/mapping", "api_mapping", map[string]handler{http.MethodGet: getDirectoryMapping, http.MethodPut: setDirectoryMapping}},
		{"/directories/{id}/mapping/preview", "api_mapping_preview", map[string]handler{http.MethodPost: previewDirectoryMapping}},
		{"/connections/{id}/mapping", "api_mapping", map[string]handler{http.MethodGet: getConnectionMapping, http.MethodPut: setConnectionMapping}},
		{"/connections/{id}/mapping/preview", "api_mapping_preview", map[string]handler{http.MethodPost: previewConnectionMapping}},
		{"/signing_keys", "api_signing_keys", map[string]handler{http.MethodGet: listSigningKeys}},
		{"/signing_keys/rotate", "api_signing_keys", map[string]handler{http.MethodPost: rotateSigningKeys}},
		{"/sso/logout/authorize", "api_sso_logout", map[string]handler{http.MethodPost: authorizeLogout}},

		{"/audit", "api_audit", map[string]handler{http.MethodGet: listAudit}},
		{"/organizations/{id}/access", "api_access", map[string]handler{http.MethodGet: listAccess}},
		{"/organizations/{id}/offboardings", "api_offboardings", map[string]handler{http.MethodGet: listOffboardings}},
		{"/offboardings/{id}", "api_offboarding", map[string]handler{http.MethodGet: getOffboarding}},
		{"/offboardings/{id}/receipt", "api_offboarding_receipt", map[string]handler{http.MethodGet: getReceipt}},
		{"/connect/applications/{id}/gap", "api_application_gap", map[string]handler{http.MethodGet: getGap}},

		{"/events", "api_events", map[string]handler{http.MethodGet: listEvents}},
		{"/events/{id}/acknowledge", "api_event_acknowledge", map[string]handler{http.MethodPost: acknowledgeEvent}},
		{"/events/snapshot", "api_snapshot", map[string]handler{http.MethodGet: readSnapshot}},
		{"/event_consumers", "api_event_consumers", map[string]handler{http.MethodGet: listConsumers, http.MethodPost: createConsumer}},
		{"/event_consumers/{name}", "api_event_consumer", map[string]handler{http.MethodGet: getConsumer, http.MethodDelete: deleteConsumer}},
		{"/event_consumers/{name}/events", "api_event_consumer_events", map[string]handler{http.MethodGet: listConsumerEvents}},
		{"/event_consumers/{name}/acknowledge", "api_event_consumer_acknowledge", map[string]handler{http.MethodPost: acknowledge}},
	}
}

// route is a row with its pattern taken apart.
type route struct {
	row      *row
	segments []string
}

func routes() []route {
	rows := table()
	out := make([]route, len(rows))
	for i := range rows {
		out[i] = route{row: &rows[i], segments: strings.Split(rows[i].pattern[1:], "/")}
	}
	return out
}

// target is what an address means.
type target struct {
	row  *row // nil: there is nothing
	path map[string]string
}

// find is our own and not ServeMux's because that one redirects with pages of HTML and takes encoded slashes for separators.
func (s *server) find(u *url.URL) target {
	segments := strings.Split(strings.TrimPrefix(strings.TrimSuffix(u.EscapedPath(), "/"), "/"), "/")
	for _, rt := range s.routes {
		if path, ok := rt.match(segments); ok {
			return target{row: rt.row, path: path}
		}
	}
	return target{}
}

func (rt route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(rt.segments) {
		return nil, false
	}
	path := map[string]string{}
	for i, wanted := range rt.segments {
		got, err := url.PathUnescape(segments[i])
		switch name, isParameter := strings.CutPrefix(wanted, "{"); {
		case err != nil || got == "":
			return nil, false
		case isParameter:
			path[strings.TrimSuffix(name, "}")] = got
		case got != wanted:
			return nil, false
		}
	}
	return path, true
}

// class is of the closed set of names for the metrics.
func (t target) class() string {
	if t.row == nil {
		return "api_unknown"
	}
	return t.row.class
}

func (t target) handler(method string) (handler, error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := t.row.methods[method]; ok {
		return h, nil
	}
	return nil, fault.New(fault.NotAllowed, "method_not_allowed", "%.20s is not possible at %s. Possible are %s.", web.Mask(method), t.row.pattern, t.allow())
}

// allow is the Allow header (RFC 9110 section 10.2.1).
func (t target) allow() string {
	var methods []string
	for m := range t.row.methods {
		methods = append(methods, m)
		if m == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}
