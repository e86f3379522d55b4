package openapi

// sessionMembers are those of events and answers alike.
func sessionMembers() []Member {
	return []Member{
		has("id", text("Id: session_…; the sid of its tokens.")),
		has("ip_address", optionalText("Where the browser was.")),
		may("organization_id", text("Where the person signed in to, if to an organization.")),
		has("user_agent", optionalText("What browser it was.")),
		has("user_id", text("Who signed in.")),
		has("auth_method", choice("How.", "sso", "magic_code", "unknown")),
		has("status", choice("What it is.", "active", "expired", "revoked")),
		has("expires_at", moment("When it ends in any case.")),
		has("ended_at", orNull(moment("When it ended, null if it did not."))),
		made(), changed(),
	}
}

func sessionSchemas() map[string]*Schema {
	return map[string]*Schema{
		"Session":         noun("session", sessionMembers()...),
		"SessionList":     page("Session"),
		"SessionToRevoke": object(has("session_id", text("Id: session_…, the sid of an access token."))),
		"RevokedSessions": noun("revoked_sessions", has("revoked", count("How many sessions have ended by it."))),
	}
}

func sessions() map[Route]Operation {
	const ends = "Every code, refresh token and opaque access token of it ends in the same moment; an access token of /user_management/authenticate lives on for five minutes at most."
	return map[Route]Operation{
		{"GET", "/user_management/users/{id}/sessions"}: {
			ID: "listSessions", Tag: tagSessions, Summary: "List a user's sessions", About: "Those that have ended or expired are kept for a while.",
			Query: paged(), Answers: done(200, "A page of sessions.", ref("SessionList")), Refuses: account(gone(), badCursor()),
		},
		{"POST", "/user_management/users/{id}/sessions/revoke"}: {
			ID: "revokeSessions", Tag: tagSessions, Summary: "End all sessions of a user", About: "In every organization. " + ends,
			Body: ref("Nothing"), Sparse: true, Example: `{}`, Answers: done(200, "How many have ended.", ref("RevokedSessions")), Refuses: account(gone()),
		},
		{"POST", "/user_management/sessions/revoke"}: {
			ID: "revokeSession", Tag: tagSessions, Summary: "End a session", About: ends + " One that has ended already is no refusal.",
			Body: ref("SessionToRevoke"), Example: `{"session_id":"session_01JZ0000000000000000000000"}`,
			Answers: done(200, "It has ended.", nil), Refuses: account(gone(), badParameter()),
		},
	}
}
