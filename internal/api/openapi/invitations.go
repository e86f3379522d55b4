package openapi

import "github.com/rollcallhq/rollcall/internal/event"

const tagInvitations = "invitations"

// invitedMembers are those that events have too.
func invitedMembers() []Member {
	return []Member{
		has("id", text("Id: invitation_….")),
		has("email", text("Who is invited.")),
		has("state", choice("What became of it.", "pending", "accepted", "expired", "revoked")),
		has("accepted_at", orNull(moment("When it was accepted."))),
		has("revoked_at", orNull(moment("When it was revoked."))),
		has("expires_at", moment("Until when the link is good.")),
		has("organization_id", optionalText("Into which organization; null: to the app alone.")),
		has("inviter_user_id", optionalText("Who invites; null for nobody in particular.")),
		has("accepted_user_id", optionalText("Who has accepted.")),
		has("role_slug", optionalText("The role that the member gets; null: member.")),
		made(), changed(),
	}
}

func locale() *Schema { return optionalText("Language tag, like en or de-AT.") }

func invitationSchemas() map[string]*Schema {
	return map[string]*Schema{
		"Invitation": noun("invitation", append(invitedMembers(),
			has("token", text("The secret of the link; empty once the invitation is not pending any more.")),
			has("accept_invitation_url", text("Where the person accepts it; empty once it is not pending any more.")),
			has("team_ids", listOf("The teams that the member is put into.", texts())),
			has("licence", optionalText("The licence type that the member gets.")),
			has("directory_id", optionalText("The directory that invites: the invitation is valid while it wants the person, and only the link expires.")),
			may("warning", text("Nothing is mailed, for there is no mail server.")),
		)...),
		"InvitationList": page("Invitation"),
		"NewInvitation": object(
			has("email", text("Who is invited.")),
			may("organization_id", optionalText("Into which organization. Left out: to the app alone.")),
			may("role_slug", optionalText("A role of the organization or of the installation.")),
			may("expires_in_days", orNull(count("1 to 30; 7 if nothing is said."))),
			may("inviter_user_id", optionalText("Who invites: named in the mail and on the page.")),
			may("locale", locale()),
			may("team_ids", orNull(listOf("Teams of the organization: group_….", texts()))),
			may("licence", optionalText("A licence type of the organization.")),
		),
		"InvitationResend": object(may("locale", locale())),
	}
}

func invitations() map[Route]Operation {
	const base = "/user_management/invitations"
	nothing, refusedHere := ref("Nothing"), refuses(409, "directory_managed")
	return map[Route]Operation{
		{"GET", base}: {
			ID: "listInvitations", Tag: tagInvitations, Summary: "List invitations", About: "In all states, unless state says otherwise.",
			Query: paged(
				asks("organization_id", text("Those into this organization.")),
				asks("email", text("Those to this address.")),
				Parameter{Name: "state", List: true, Schema: listOf("Those in these states.", choice("", "pending", "accepted", "expired", "revoked"))},
			),
			Answers: done(200, "A page of invitations.", ref("InvitationList")), Refuses: account(badCursor(), badParameter()),
		},
		{"POST", base}: {
			ID: "createInvitation", Tag: tagInvitations, Summary: "Invite somebody",
			About: "A mail with a link goes to the address, and a pending membership waits for the person. An address has one pending invitation into an organization. " +
				"Whom a directory has put out only a directory lets in again, and whose team a directory fills nobody else puts people into: 409 directory_managed.",
			Body: ref("NewInvitation"), Example: `{"email":"ada@acme.example","organization_id":"org_01JZ0000000000000000000000","role_slug":"member","expires_in_days":14}`,
			Answers: done(201, "The invitation.", ref("Invitation")),
			Refuses: account(gone(), refusedHere, refuses(409, "membership_inactive", "licence_limit_reached"), badParameter(), refuses(400, "email_already_invited_to_organization",
				"user_already_organization_member", "email_already_invited", "user_already_exists", "expires_in_days_too_short", "expires_in_days_too_long", "invalid_role")),
		},
		{"GET", base + "/by_token/{token}"}: {
			ID: "getInvitationByToken", Tag: tagInvitations, Summary: "Find an invitation by its token",
			Answers: done(200, "The invitation.", ref("Invitation")), Refuses: account(gone()),
		},
		{"GET", base + "/{id}"}: {
			ID: "getInvitation", Tag: tagInvitations, Summary: "Get an invitation", Answers: done(200, "The invitation.", ref("Invitation")), Refuses: account(gone()),
		},
		{"POST", base + "/{id}/accept"}: {
			ID: "acceptInvitation", Tag: tagInvitations, Summary: "Accept an invitation for somebody",
			About: "On your word that the person wants in: the membership becomes active. How they sign in stays as the organization has it.",
			Body:  nothing, Sparse: true, Example: `{}`,
			Answers: done(200, "The invitation as it is now.", ref("Invitation")),
			Refuses: account(gone(), refusedHere, badParameter(), refuses(400, "invite_not_pending", "invalid_invite"), refuses(403, "user_deprovisioned", "membership_inactive", "not_a_member", "licence_limit_reached")),
		},
		{"POST", base + "/{id}/resend"}: {
			ID: "resendInvitation", Tag: tagInvitations, Summary: "Mail an invitation again",
			About: "A minute after the last mail at the earliest, and twenty times at most. The link stays the same; that of a directory's invitation is made anew when it has expired. An expired invitation by hand is refused: invite the person again, who gets the same membership. Who is shut out before they came in is mailed nothing.",
			Body:  ref("InvitationResend"), Sparse: true, Example: `{}`,
			Answers: done(200, "The invitation.", ref("Invitation")),
			Refuses: account(gone(), refusedHere, badParameter(), refuses(403, "membership_inactive"), refuses(400, "invite_expired", "invite_revoked", "invite_accepted"), refuses(429, "too_many_mails")),
		},
		{"POST", base + "/{id}/revoke"}: {
			ID: "revokeInvitation", Tag: tagInvitations, Summary: "Revoke an invitation",
			About: "The link is dead at once, and the pending membership goes with it, and what the invitation carried. Of a person whom a directory wants in: 409 directory_managed.",
			Body:  nothing, Sparse: true, Example: `{}`,
			Answers: done(200, "The invitation as it is now.", ref("Invitation")), Refuses: account(gone(), refusedHere, badParameter(), refuses(400, "invite_not_pending")),
		},
	}
}

// invitationKinds are the types of events that invitations have.
func invitationKinds() map[event.Type]Kind {
	invitation := noun("invitation", invitedMembers()...)
	return map[event.Type]Kind{
		event.InvitationCreated:  {"Somebody was invited, by hand or because a directory wants them.", invitation},
		event.InvitationAccepted: {"An invitation was accepted: by its link, by a first sign-in through the organization's provider, or by the API.", invitation},
		event.InvitationResent:   {"An invitation was mailed again.", invitation},
		event.InvitationRevoked:  {"An invitation was taken back.", invitation},
	}
}
