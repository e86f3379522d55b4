package openapi

import "github.com/rollcallhq/rollcall/internal/event"

func seconds(about string) *Schema {
	return orNull(count(about))
}

func policyMembers() []Member {
	return []Member{
		has("organization_id", text("Whose policy it is.")),
		has("sso", ssoPolicy("Who has to come in through the organization's identity provider. Nobody has to before somebody has come in through it, or tested it with success.")),
		has("optional_until", orNull(moment("Until then single sign-on is optional; from then on sso holds, and the default where that is optional."))),
		has("jit", orNull(text("Who becomes a member just by signing in through the provider: directory, verified_domain or off. null: directory where there is one that is live and linked, else verified_domain."))),
		has("session_idle_seconds", seconds("A session ends when it was not used for so long. null: the installation's --session-idle.")),
		has("session_life_seconds", seconds("A session ends after so long in any case. null: the installation's --session-life.")),
		has("updated_at", orNull(moment("When it was changed last, null if it never was."))),
	}
}

func ssoPolicy(about string) *Schema {
	return choice(about, "required_for_all", "required_for_primary_members", "optional")
}

func jit(about string) *Schema { return choice(about, "directory", "verified_domain", "off") }

func breakGlassMembers() []Member {
	return []Member{
		has("organization_id", text("Whose policy does not bind the person.")),
		has("user_id", text("Who it is: user_….")),
		has("reason", text("Why.")),
		has("named_by", text("Who has named them.")),
		has("expires_at", moment("Until when.")),
		has("created_at", moment("Since when.")),
	}
}

func policySchemas() map[string]*Schema {
	return map[string]*Schema{
		"OrganizationPolicy": noun("organization_policy", append(policyMembers(),
			has("sso_in_force", ssoPolicy("What sso and optional_until come to now.")),
			has("sso_state", choice("not_started: nobody has come in through the provider yet. shut: it is required and no connection lets anybody in, so that only break-glass users come in.",
				"not_required", "not_started", "required", "shut")),
			has("jit_in_force", jit("What jit comes to now.")),
		)...),
		"OrganizationPolicyChange": object(
			may("sso", ssoPolicy("Given without optional_until it takes that away.")),
			may("optional_until", orNull(moment("A time within a year."))),
			may("jit", orNull(text("directory, verified_domain or off; null: the default."))),
			may("session_idle_seconds", orNull(between(300, 31536000, count("null: the installation's.")))),
			may("session_life_seconds", orNull(between(300, 31536000, count("null: the installation's.")))),
			may("confirm", orNull(count("How many people would be left without a way in."))),
		),
		"BreakGlassUser":     noun("break_glass_user", breakGlassMembers()...),
		"BreakGlassUserList": page("BreakGlassUser"),
		"NewBreakGlassUser": object(
			has("user_id", text("A member of the organization: user_….")),
			has("reason", text("Why; at most 500 characters.")),
			has("expires_at", moment("Until when, within 30 days.")),
		),
		"LeftOutMember": noun("left_out_member",
			has("organization_membership_id", text("Id: om_….")),
			has("user_id", text("Whose membership it is.")),
			has("email", text("Address.")),
			has("name", optionalText("Full name.")),
			has("primary", flag("Whether the account belongs to the organization; else a guest.")),
			has("status", choice("Whether they are in, or asked in: pending people are listed without=identity_provider alone.", "active", "pending")),
			has("reasons", listOf("Why they might not get in. Of an address outside the verified domains a mailed code is asked first, at each sign-in (outside_domains); who has come in so is not listed for it.",
				choice("", "never_signed_in", "not_in_directory", "outside_domains", "no_mail_sent", "address_not_proven"))),
		),
		"LeftOutMemberList": page("LeftOutMember", has("total", orNull(count("How many there are in all. On the first page alone, null on others: everybody is looked at for it.")))),
		"EndedSessions":     noun("ended_sessions", has("ended", count("How many were ended."))),
		"SessionsToEnd":     object(may("user_id", text("Only those of this member."))),
	}
}

func policies() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/organizations/{id}/policy"}: {
			ID: "getOrganizationPolicy", Tag: tagOrganizations, Summary: "Show who may come in to an organization, and how",
			Answers: done(200, "The policy, and what it comes to now.", ref("OrganizationPolicy")), Refuses: gone(),
		},
		{"PUT", "/organizations/{id}/policy"}: {
			ID: "updateOrganizationPolicy", Tag: tagOrganizations, Summary: "Change who may come in to an organization, and how",
			About: "What is left out stays. To require single sign-on of people who are free now needs a connection through which somebody has come in, or tested it with success " +
				"(else 409 sso_not_proven), and one of two: optional_until, or confirm with the number of people who would be left without a way in. Without it the refusal is 409 " +
				"people_left_out, whose member confirm is that number; GET …/left_out lists them. Sessions that the new policy does not let go on end at once.",
			Body: ref("OrganizationPolicyChange"), Example: `{"sso":"required_for_all","optional_until":"2027-01-15T12:00:00.000Z","session_idle_seconds":3600}`,
			Answers: done(200, "The policy as it is now.", ref("OrganizationPolicy")),
			Refuses: and(gone(), refuses(409, "sso_not_proven", "people_left_out"),
				refuses(422, "invalid_sso", "invalid_jit", "invalid_optional_until", "invalid_session_life", "invalid_date", "invalid_number")),
		},
		{"GET", "/organizations/{id}/left_out"}: {
			ID: "listLeftOutMembers", Tag: tagOrganizations, Summary: "List who might not get in if single sign-on was required",
			About: "Active members who have never come in through the connection, are not in the directory, or have an address outside the organization's verified domains. Break-glass users are not among them. " +
				"With without=identity_provider those whom deleting the identity provider would leave without a way in, pending people too: no mail is sent, or nobody has proven their address. With --accounts app nobody " +
				"is a member, and the list is empty.",
			Query: paged(
				asks("sso", choice("As this policy would have it; required_for_all if it is left out.", "required_for_all", "required_for_primary_members")),
				asks("connection", text("Through this connection. If it is left out, through any that lets people in.")),
				asks("without", choice("As if the organization had no identity provider; goes with neither sso nor connection.", "identity_provider")),
			),
			Answers: done(200, "A page of members.", ref("LeftOutMemberList")), Refuses: and(gone(), badPage(), refuses(422, "invalid_sso", "invalid_id", "invalid_without")),
		},
		{"POST", "/organizations/{id}/end_sessions"}: {
			ID: "endOrganizationSessions", Tag: tagOrganizations, Summary: "End all sessions of an organization",
			About: "With their codes and tokens, at once; every application that was signed in to is told. People may sign in again.",
			Body:  ref("SessionsToEnd"), Sparse: true, Example: `{"user_id":"user_01JDXA5Q0G8YQZP0R3M4T7W9KE"}`,
			Answers: done(200, "How many.", ref("EndedSessions")), Refuses: gone(),
		},
		{"DELETE", "/organizations/{id}/identity_provider"}: {
			ID: "deleteIdentityProvider", Tag: tagOrganizations, Summary: "Delete an organization's identity provider",
			About: "Removes its connections and directories at once and keeps the people, their memberships and roles; sessions through the provider end, and from then on people come in by mailed codes. " +
				"Where some could not (no mail is sent, or nobody has proven their address) the refusal is 409 people_left_out, whose member confirm is their number; " +
				"GET …/left_out?without=identity_provider lists them. They are counted in the transaction: a number that is no longer right is refused with the right one.",
			Query:   []Parameter{asks("confirm", count("How many people would be left without a way in."))},
			Answers: done(204, "Deleted.", nil), Refuses: and(gone(), refuses(409, "people_left_out", "too_many_directories"), refuses(422, "invalid_number")),
		},
		{"GET", "/organizations/{id}/break_glass_users"}: {
			ID: "listBreakGlassUsers", Tag: tagOrganizations, Summary: "List break-glass users",
			About:   "Named people whom the policy does not bind for a while, the first to end first. There are 20 at most. What a directory or a hand has decided about a membership binds them as everybody.",
			Answers: done(200, "All of them.", ref("BreakGlassUserList")), Refuses: gone(),
		},
		{"POST", "/organizations/{id}/break_glass_users"}: {
			ID: "createBreakGlassUser", Tag: tagOrganizations, Summary: "Name a break-glass user",
			About: "Who is one already gets the new reason and end.",
			Body:  ref("NewBreakGlassUser"), Example: `{"user_id":"user_01JDXA5Q0G8YQZP0R3M4T7W9KE","reason":"Keeps the keys while Okta is moved","expires_at":"2026-12-24T12:00:00.000Z"}`,
			Answers: done(201, "The break-glass user.", ref("BreakGlassUser")),
			Refuses: and(gone(), refuses(409, "too_many_break_glass_users"), refuses(422, "required", "too_long", "invalid_expires_at", "invalid_date")),
		},
		{"DELETE", "/organizations/{id}/break_glass_users/{user_id}"}: {
			ID: "deleteBreakGlassUser", Tag: tagOrganizations, Summary: "Revoke a break-glass user",
			About:   "Their sessions that the policy does not let go on end at once.",
			Answers: done(204, "Revoked.", nil), Refuses: gone(),
		},
	}
}

// policyKinds are the types of events that policies have. WorkOS has none of them.
func policyKinds() map[event.Type]Kind {
	exempt := func(more ...Member) *Schema { return noun("break_glass_user", append(breakGlassMembers(), more...)...) }
	return map[event.Type]Kind{
		event.OrganizationPolicyUpdated: {"Who may come in to an organization, and how, was changed.", noun("organization_policy", policyMembers()...)},
		event.BreakGlassUserCreated:     {"Somebody was exempted from an organization's policy for a while, or for another one.", exempt()},
		event.BreakGlassUserDeleted:     {"An exemption was revoked before its end.", exempt()},
		event.BreakGlassUserSignedIn: {
			"Somebody came in whom the policy alone would not have let in.",
			exempt(has("session_id", text("Their session: session_…."))),
		},
	}
}
