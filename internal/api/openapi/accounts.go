package openapi

const (
	tagAccounts    = "users"
	tagMemberships = "organization-memberships"
	tagSessions    = "sessions"
)

// badParameter is the one code that the contract has for a field that is wrong; errors[].code says how.
func badParameter() map[int][]string { return refuses(422, "invalid_request_parameters") }

// badCursor is what a list of accounts and what belongs to them refuses with.
func badCursor() map[int][]string { return and(refuses(400, "invalid_cursor"), badParameter()) }

// account refuses whatever is about accounts.
func account(more ...map[int][]string) map[int][]string {
	return and(append([]map[int][]string{refuses(403, "accounts_not_kept")}, more...)...)
}

func accountSchemas() map[string]*Schema {
	wanted := func(email Member) *Schema {
		return object(
			email,
			may("first_name", optionalText("First name.")),
			may("last_name", optionalText("Last name.")),
			may("name", optionalText("Full name, where first and last are not given: the first word is taken as the first name.")),
			may("email_verified", orNull(flag("Whether you vouch for the address. One in a domain that an organization has verified is its organization's to vouch for as well."))),
			may("metadata", metadata(orNull(text("")), typeObject, typeNull)),
			may("external_id", optionalText("Your own id for the person, unique.")),
			may("locale", optionalText("Language, like de or pt-BR.")),
			may("ip_address", optionalText("Ignored.")),
			may("user_agent", optionalText("Ignored.")),
			may("signals_id", optionalText("Ignored.")),
		)
	}
	return map[string]*Schema{
		"User":       noun("user", accountMembers()...),
		"UserList":   page("User"),
		"NewUser":    wanted(has("email", text("Address. No two users share one, whatever its letter case."))),
		"UserChange": wanted(may("email", text("Address. No two users share one, whatever its letter case."))),
		"SsoIdentity": noun("sso_identity",
			has("connection_id", text("Through which connection: conn_….")),
			has("organization_id", text("Whose connection it is.")),
			has("idp_id", text("What the identity provider calls the person.")),
			has("linked_by", choice("How the account was found at the first sign-in.", "directory", "email", "created", "proof")),
			has("created_at", moment("When the person first came in so.")),
			has("last_used_at", orNull(moment("When the person last came in so."))),
		),
		"SocialIdentity": object(
			has("idp_id", text("What the network calls the person.")),
			has("type", is("OAuth")),
			has("provider", choice("Which network.", "AppleOAuth", "GoogleOAuth", "MicrosoftOAuth")),
		),
	}
}

func accounts() map[Route]Operation {
	bad := and(refuses(400, "invalid_metadata", "external_id_already_used", "invalid_email", "invalid_locale"), badParameter())
	return map[Route]Operation{
		{"GET", "/user_management/users"}: {
			ID: "listUsers", Tag: tagAccounts, Summary: "List users",
			Query: paged(
				asks("organization", deprecated(text("The same as organization_id."))),
				asks("organization_id", text("Those who are members of this organization: pending, active or inactive.")),
				asks("email", text("The one with this address, in any letter case.")),
				withStatuses("Those with a membership in one of these states: in the organization that is named, else in any."),
			),
			Answers: done(200, "A page of users.", ref("UserList")), Refuses: account(badCursor(), badParameter()),
		},
		{"POST", "/user_management/users"}: {
			ID: "createUser", Tag: tagAccounts, Summary: "Create a user",
			About: "The person is a member of nothing until a membership is made. There are no passwords: one that is sent is refused. user_creation_error says in errors what is wrong: email_not_available, invalid_email or external_id_already_used.",
			Body:  ref("NewUser"), Example: `{"email":"ada@example.com","first_name":"Ada","last_name":"Lovelace","external_id":"42"}`,
			Answers: done(201, "The new user.", ref("User")), Refuses: account(bad, refuses(400, "user_creation_error")),
		},
		{"GET", "/user_management/users/{id}"}: {
			ID: "getUser", Tag: tagAccounts, Summary: "Get a user", Answers: done(200, "The user.", ref("User")), Refuses: account(gone()),
		},
		{"GET", "/user_management/users/external_id/{external_id}"}: {
			ID: "getUserByExternalId", Tag: tagAccounts, Summary: "Get a user by your own id", Answers: done(200, "The user.", ref("User")), Refuses: account(gone()),
		},
		{"PUT", "/user_management/users/{id}"}: {
			ID: "updateUser", Tag: tagAccounts, Summary: "Change a user",
			About: "What is left out or null stays, but null takes external_id and locale away. metadata is merged: a key with null is removed. What a directory of the person's own organization manages " +
				"is refused with 409 directory_managed, which names the directory.",
			Body: ref("UserChange"), Example: `{"first_name":"Ada","metadata":{"plan":"pro","trial":null}}`,
			Answers: done(200, "The user as it is now.", ref("User")), Refuses: account(gone(), bad, refuses(400, "email_not_available"), refuses(409, "directory_managed")),
		},
		{"DELETE", "/user_management/users/{id}"}: {
			ID: "deleteUser", Tag: tagAccounts, Summary: "Delete a user",
			About:   "All memberships, sessions, codes and tokens end at once; personal data is erased soon after.",
			Answers: done(200, "Deleted; erasure is under way.", nil), Refuses: account(gone()),
		},
		{"GET", "/user_management/users/{id}/identities"}: {
			ID: "listUserIdentities", Tag: tagAccounts, Summary: "List a user's social identities",
			About:   "Always empty: people come in through their organization's identity provider, see sso_identities, or by a mailed code.",
			Answers: done(200, "None.", listOf("Identities.", ref("SocialIdentity"))), Refuses: account(gone()),
		},
		{"GET", "/user_management/users/{id}/sso_identities"}: {
			ID: "listUserSsoIdentities", Tag: tagAccounts, Summary: "List who a user is at identity providers",
			Answers: done(200, "All of them, oldest first.", listOf("Identities.", ref("SsoIdentity"))), Refuses: account(gone()),
		},
	}
}
