package event

// Type names what happened, in WorkOS's words where it has one.
type Type string

// The catalogue. An event type is added here and nowhere else.
const (
	OrganizationCreated Type = "organization.created"
	OrganizationUpdated Type = "organization.updated"
	OrganizationDeleted Type = "organization.deleted"

	OrganizationDomainCreated            Type = "organization_domain.created"
	OrganizationDomainUpdated            Type = "organization_domain.updated"
	OrganizationDomainDeleted            Type = "organization_domain.deleted"
	OrganizationDomainVerified           Type = "organization_domain.verified"
	OrganizationDomainVerificationFailed Type = "organization_domain.verification_failed"

	APIKeyCreated Type = "api_key.created"
	APIKeyUpdated Type = "api_key.updated"
	APIKeyRevoked Type = "api_key.revoked"

	DirectoryActivated    Type = "dsync.activated"
	DirectoryDeleted      Type = "dsync.deleted"
	DirectoryTokenCreated Type = "dsync.token.created"
	DirectoryTokenRevoked Type = "dsync.token.revoked"

	DirectoryUserCreated  Type = "dsync.user.created"
	DirectoryUserUpdated  Type = "dsync.user.updated"
	DirectoryUserDeleted  Type = "dsync.user.deleted"
	DirectoryGroupCreated Type = "dsync.group.created"
	DirectoryGroupUpdated Type = "dsync.group.updated"
	DirectoryGroupDeleted Type = "dsync.group.deleted"

	DirectoryGroupUserAdded   Type = "dsync.group.user_added"
	DirectoryGroupUserRemoved Type = "dsync.group.user_removed"

	UserCreated Type = "user.created"
	UserUpdated Type = "user.updated"
	UserDeleted Type = "user.deleted"

	OrganizationMembershipCreated Type = "organization_membership.created"
	OrganizationMembershipUpdated Type = "organization_membership.updated"
	OrganizationMembershipDeleted Type = "organization_membership.deleted"

	RoleCreated Type = "role.created"
	RoleUpdated Type = "role.updated"
	RoleDeleted Type = "role.deleted"

	OrganizationRoleCreated Type = "organization_role.created"
	OrganizationRoleUpdated Type = "organization_role.updated"
	OrganizationRoleDeleted Type = "organization_role.deleted"

	PermissionCreated Type = "permission.created"
	PermissionUpdated Type = "permission.updated"
	PermissionDeleted Type = "permission.deleted"

	GroupCreated       Type = "group.created"
	GroupUpdated       Type = "group.updated"
	GroupDeleted       Type = "group.deleted"
	GroupMemberAdded   Type = "group.member_added"
	GroupMemberRemoved Type = "group.member_removed"

	ConnectionActivated          Type = "connection.activated"
	ConnectionDeactivated        Type = "connection.deactivated"
	ConnectionDeleted            Type = "connection.deleted"
	ConnectionCertificateEnding  Type = "connection.saml_certificate_renewal_required"
	ConnectionCertificateRenewed Type = "connection.saml_certificate_renewed"

	SSOStarted   Type = "authentication.sso_started"
	SSOSucceeded Type = "authentication.sso_succeeded"
	SSOFailed    Type = "authentication.sso_failed"
	SSOTimedOut  Type = "authentication.sso_timed_out"

	SessionCreated Type = "session.created"
	SessionRevoked Type = "session.revoked"

	InvitationCreated  Type = "invitation.created"
	InvitationAccepted Type = "invitation.accepted"
	InvitationResent   Type = "invitation.resent"
	InvitationRevoked  Type = "invitation.revoked"

	MagicAuthCreated   Type = "magic_auth.created"
	MagicAuthSucceeded Type = "authentication.magic_auth_succeeded"
	MagicAuthFailed    Type = "authentication.magic_auth_failed"
)

// Types that the compatible API does not have. Its clients do not know them, so they are given only to those who name them.
const (
	WebhookEndpointDisabled Type = "webhook_endpoint.disabled"

	OrganizationPolicyUpdated Type = "organization_policy.updated"
	BreakGlassUserCreated     Type = "break_glass_user.created"
	BreakGlassUserDeleted     Type = "break_glass_user.deleted"
	BreakGlassUserSignedIn    Type = "break_glass_user.signed_in"

	SwitchCreated   Type = "identity_provider_switch.created"
	SwitchCutOver   Type = "identity_provider_switch.cut_over"
	SwitchReverted  Type = "identity_provider_switch.reverted"
	SwitchCancelled Type = "identity_provider_switch.cancelled"
	SwitchFinished  Type = "identity_provider_switch.finished"

	LicenceTypeCreated Type = "licence_type.created"
	LicenceTypeUpdated Type = "licence_type.updated"
	LicenceTypeDeleted Type = "licence_type.deleted"
	MappingUpdated     Type = "mapping.updated"

	DirectoryBrakeEngaged  Type = "directory.brake_engaged"  // a burst of people was shut out, and what follows is held
	DirectoryBrakeReleased Type = "directory.brake_released" // by hand, by its time, or because the brake or the directory is no more
	DirectoryBrakeUndone   Type = "directory.brake_undone"   // the people are in again

	UserDeactivated     Type = "user.deactivated"      // the organization where the account is at home has taken it away
	UserReactivated     Type = "user.reactivated"      // and has given it back
	LicenceLimitReached Type = "licence.limit_reached" // somebody got in without the licence that they were to have
)

// OwnTypes lists the types that only those get who name them.
func OwnTypes() []Type {
	return []Type{
		OrganizationPolicyUpdated, BreakGlassUserCreated, BreakGlassUserDeleted, BreakGlassUserSignedIn,
		SwitchCreated, SwitchCutOver, SwitchReverted, SwitchCancelled, SwitchFinished,
		WebhookEndpointDisabled, LicenceTypeCreated, LicenceTypeUpdated, LicenceTypeDeleted, MappingUpdated, UserDeactivated, UserReactivated,
		LicenceLimitReached, DirectoryBrakeEngaged, DirectoryBrakeReleased, DirectoryBrakeUndone,
	}
}

// Types lists the catalogue without OwnTypes.
func Types() []Type {
	return []Type{
		OrganizationCreated, OrganizationUpdated, OrganizationDeleted,
		OrganizationDomainCreated, OrganizationDomainUpdated, OrganizationDomainDeleted, OrganizationDomainVerified,
		OrganizationDomainVerificationFailed,
		APIKeyCreated, APIKeyUpdated, APIKeyRevoked,
		DirectoryActivated, DirectoryDeleted, DirectoryTokenCreated, DirectoryTokenRevoked,
		DirectoryUserCreated, DirectoryUserUpdated, DirectoryUserDeleted,
		DirectoryGroupCreated, DirectoryGroupUpdated, DirectoryGroupDeleted,
		DirectoryGroupUserAdded, DirectoryGroupUserRemoved,
		UserCreated, UserUpdated, UserDeleted,
		OrganizationMembershipCreated, OrganizationMembershipUpdated, OrganizationMembershipDeleted,
		RoleCreated, RoleUpdated, RoleDeleted,
		OrganizationRoleCreated, OrganizationRoleUpdated, OrganizationRoleDeleted,
		PermissionCreated, PermissionUpdated, PermissionDeleted,
		GroupCreated, GroupUpdated, GroupDeleted, GroupMemberAdded, GroupMemberRemoved,
		ConnectionActivated, ConnectionDeactivated, ConnectionDeleted, ConnectionCertificateEnding, ConnectionCertificateRenewed,
		SSOStarted, SSOSucceeded, SSOFailed, SSOTimedOut,
		SessionCreated, SessionRevoked,
		InvitationCreated, InvitationAccepted, InvitationResent, InvitationRevoked,
		MagicAuthCreated, MagicAuthSucceeded, MagicAuthFailed,
	}
}

// Source says where an action came from (the contract's closed list): SCIM is System, with the directory as actor.
type Source string

// The sources.
const (
	API         Source = "api"
	Dashboard   Source = "dashboard"
	AdminPortal Source = "admin_portal"
	System      Source = "system"
)
