package openapi

import "github.com/rollcallhq/rollcall/internal/event"

const tagApplications = "applications"

func texts() *Schema { return &Schema{Type: []string{typeString}} }

func applicationMembers() []Member {
	return []Member{
		has("id", text("Id: conn_app_….")),
		has("client_id", text("What the application calls itself: client_….")),
		has("name", text("Name, for people.")),
		has("description", optionalText("What it is for.")),
		has("application_type", is("oauth")),
		has("scopes", listOf("What it may ask for.", texts())),
		has("redirect_uris", listOf("Where codes go; compared character by character.", object(
			has("uri", text("The address.")), has("default", flag("Stands for the application where none is named.")),
		))),
		has("uses_pkce", flag("Whether PKCE is needed on the compatible routes too; on the standard ones it always is.")),
	}
}

// ownApplication are the members that the contract does not have.
func ownApplication() []Member {
	return []Member{
		has("is_public", flag("Has no secret: an app on a device or in a browser.")),
		has("is_default", flag("There from the first start; the management key is its secret on the compatible routes.")),
		has("signing_alg", choice("How ID and logout tokens are signed.", "RS256", "ES256")),
		has("cors_origins", listOf("Always empty: scripts of every origin may ask for tokens.", texts())),
		has("post_logout_redirect_uris", listOf("Where a person may go after a logout.", texts())),
		has("backchannel_logout_uri", optionalText("Where the end of a session is told (OpenID Connect Back-Channel Logout 1.0).")),
		has("initiate_login_uri", optionalText("Where a sign-in starts over that the identity provider began.")),
		made(), changed(),
	}
}

func wantedApplication() []Member {
	uri := object(has("uri", text("https, or http on this machine (localhost).")), may("default", orNull(flag("The one that stands for the application."))))
	return []Member{
		may("description", optionalText("What it is for.")),
		may("scopes", orNull(listOf("What it may ask for: openid, profile, email, groups, roles, offline_access. Left out: all.", texts()))),
		may("redirect_uris", orNull(listOf("Where codes go.", uri))),
		may("uses_pkce", orNull(flag("Whether PKCE is needed on the compatible routes too."))),
		may("signing_alg", choice("How ID and logout tokens are signed; RS256 if nothing is said.", "RS256", "ES256")),
		may("post_logout_redirect_uris", orNull(listOf("Where a person may go after a logout.", texts()))),
		may("backchannel_logout_uri", optionalText("An https address of the public internet, or one that --allow-target names.")),
		may("initiate_login_uri", optionalText("Where a sign-in starts over that the identity provider began.")),
	}
}

func secretMembers() []Member {
	return []Member{
		has("id", text("Id: secret_….")),
		has("secret_hint", text("Its last characters.")),
		has("last_used_at", orNull(moment("When it was used last, to the minute; null if never."))),
		made(), changed(),
	}
}

func applicationSchemas() map[string]*Schema {
	own := noun("connect_application", append(append(applicationMembers(), has("is_first_party", truth(true))), ownApplication()...)...)
	foreign := noun("connect_application", append(append(applicationMembers(),
		has("is_first_party", truth(false)), has("was_dynamically_registered", truth(false)), has("organization_id", text("Whose application it is."))), ownApplication()...)...)
	secret := noun("connect_application_secret", secretMembers()...)
	return map[string]*Schema{
		"ConnectApplication":     {Description: "The operator's own application, or one organization's.", OneOf: []*Schema{own, foreign}},
		"ConnectApplicationList": page("ConnectApplication"),
		"NewConnectApplication": object(append([]Member{
			has("name", text("Name, for people.")), has("application_type", is("oauth")), has("is_first_party", flag("true: the operator's own, for all organizations.")),
			may("organization_id", optionalText("Whose application it is, if it is not the operator's own.")), may("is_public", flag("Has no secret, and needs PKCE everywhere.")),
		}, wantedApplication()...)...),
		"ConnectApplicationChange":    object(append([]Member{may("name", text("Name, for people."))}, wantedApplication()...)...),
		"ConnectApplicationSecret":    secret,
		"NewConnectApplicationSecret": noun("connect_application_secret", append(secretMembers(), has("secret", text("The secret itself, shown this once.")))...),
		"Nothing":                     object(),
		"LogoutDelivery": noun("logout_delivery",
			has("id", text("Id: logout_delivery_….")),
			has("application_id", text("Who is told.")),
			has("session_id", text("What ended: the sid of its tokens.")),
			has("user_id", text("Whose session it was.")),
			has("organization_id", optionalText("Where it was, null if nowhere.")),
			has("event_id", text("The session.revoked it tells of.")),
			has("state", choice("failed: refused with 400, or given up after a day.", "pending", "delivered", "failed")),
			has("attempt_count", count("How often it was tried.")),
			has("next_attempt_at", orNull(moment("When it is tried next, null if it is not."))),
			has("status", &Schema{Type: []string{typeInteger, typeNull}, Description: "HTTP status of the last answer, null if there was none."}),
			has("reason", optionalText("Why the last try failed.")),
			has("session_ended_at", moment("When the session ended.")),
			has("finished_at", orNull(moment("When nothing was left to do, null until then."))),
			has("seconds", &Schema{Type: []string{"number", typeNull}, Description: "From the end of the session to the application's acknowledgement, null without one."}),
			made(),
		),
		"LogoutDeliveryList": page("LogoutDelivery"),
		"RedirectUri": noun("redirect_uri",
			has("id", text("Id: redir_….")), has("uri", text("The address.")), has("default", flag("Stands for the application where none is named.")), made(), changed(),
		),
		"RedirectUriList":  page("RedirectUri"),
		"NewRedirectUri":   object(has("uri", text("https, or http on this machine (localhost)."))),
		"LogoutOfProfile":  object(has("profile_id", text("Who is to be signed out: prof_…."))),
		"LogoutPermission": object(has("logout_url", text("Send the browser there.")), has("logout_token", text("The token in it, good for ten minutes."))),
	}
}

func applications() map[Route]Operation {
	bad := refuses(422, "required", "too_long", "too_many", "invalid_redirect_uri", "duplicate_redirect_uri", "invalid_scope", "invalid_signing_alg", "invalid_url", "invalid_organization")
	return map[Route]Operation{
		{"GET", "/connect/applications"}: {
			ID: "listApplications", Tag: tagApplications, Summary: "List applications",
			Query: paged(
				asks("organization_id", text("Those of this organization.")),
				Parameter{Name: "registration_types", Schema: listOf("Those that came about so; none registers itself here.", choice("", "dynamic", "authenticated")), List: true},
			),
			Answers: done(200, "A page of applications.", ref("ConnectApplicationList")), Refuses: and(badPage(), refuses(422, "invalid_id", "invalid_registration_type", "too_many")),
		},
		{"POST", "/connect/applications"}: {
			ID: "createApplication", Tag: tagApplications, Summary: "Create an application", About: "It gets a client id; make a secret for it next, unless it is public.",
			Body: ref("NewConnectApplication"), Example: `{"name":"My app","application_type":"oauth","is_first_party":true,"redirect_uris":[{"uri":"https://app.example.com/callback"}]}`,
			Answers: done(201, "The new application.", ref("ConnectApplication")),
			Refuses: and(gone(), bad, refuses(422, "unsupported_application_type", "invalid_application_type")),
		},
		{"GET", "/connect/applications/{id}"}: {
			ID: "getApplication", Tag: tagApplications, Summary: "Get an application", Answers: done(200, "The application.", ref("ConnectApplication")), Refuses: gone(),
		},
		{"PUT", "/connect/applications/{id}"}: {
			ID: "updateApplication", Tag: tagApplications, Summary: "Change an application", About: "What is left out or null stays, except that a null description or address is taken away.",
			Body: ref("ConnectApplicationChange"), Example: `{"backchannel_logout_uri":"https://app.example.com/logout"}`,
			Answers: done(200, "The application as it is now.", ref("ConnectApplication")), Refuses: and(gone(), bad, refuses(422, "immutable")),
		},
		{"DELETE", "/connect/applications/{id}"}: {
			ID: "deleteApplication", Tag: tagApplications, Summary: "Delete an application",
			Answers: done(204, "Deleted, with its secrets and with every code and token it had.", nil), Refuses: and(gone(), refuses(409, "default_application")),
		},
		{"GET", "/connect/applications/{id}/client_secrets"}: {
			ID: "listClientSecrets", Tag: tagApplications, Summary: "List the secrets of an application",
			Answers: done(200, "All of them, newest first, without their values.", listOf("Secrets.", ref("ConnectApplicationSecret"))), Refuses: gone(),
		},
		{"POST", "/connect/applications/{id}/client_secrets"}: {
			ID: "createClientSecret", Tag: tagApplications, Summary: "Create a client secret", About: "Up to five live at once: make the new one, use it everywhere, delete the old one.",
			Body: ref("Nothing"), Sparse: true, Example: `{}`,
			Answers: done(201, "The secret with its value, which is never shown again.", ref("NewConnectApplicationSecret")), Refuses: and(gone(), refuses(422, "too_many", "public_application")),
		},
		{"DELETE", "/connect/client_secrets/{id}"}: {
			ID: "deleteClientSecret", Tag: tagApplications, Summary: "Delete a client secret", Answers: done(204, "Deleted; it is refused from now on.", nil), Refuses: gone(),
		},
		{"GET", "/connect/applications/{id}/logout_deliveries"}: {
			ID: "listLogoutDeliveries", Tag: tagApplications, Summary: "List what an application was told of ended sessions", Query: paged(),
			Answers: done(200, "A page of deliveries.", ref("LogoutDeliveryList")), Refuses: and(badPage(), gone()),
		},
		{"GET", "/user_management/redirect_uris"}: {
			ID: "listRedirectUris", Tag: tagApplications, Summary: "List the redirect URIs of the default application", Query: paged(),
			Answers: done(200, "A page of addresses.", ref("RedirectUriList")), Refuses: badPage(),
		},
		{"POST", "/user_management/redirect_uris"}: {
			ID: "createRedirectUri", Tag: tagApplications, Summary: "Register a redirect URI of the default application",
			Body: ref("NewRedirectUri"), Example: `{"uri":"https://app.example.com/callback"}`,
			Answers: done(201, "The address.", ref("RedirectUri")), Refuses: refuses(422, "invalid_redirect_uri", "duplicate_redirect_uri", "too_many"),
		},
		{"DELETE", "/user_management/redirect_uris/{id}"}: {
			ID: "deleteRedirectUri", Tag: tagApplications, Summary: "Delete a redirect URI of the default application",
			Answers: done(204, "Deleted.", nil), Refuses: and(gone(), refuses(409, "default_redirect_uri")),
		},
		{"POST", "/sso/logout/authorize"}: {
			ID: "authorizeLogout", Tag: tagApplications, Summary: "Let a browser sign somebody out",
			Body: ref("LogoutOfProfile"), Example: `{"profile_id":"prof_01JZ0000000000000000000000"}`,
			Answers: done(200, "Where to send the browser.", ref("LogoutPermission")), Refuses: and(gone(), refuses(422, "required")),
		},
	}
}

// truth is a flag of one value.
func truth(value bool) *Schema { return &Schema{Type: []string{typeBoolean}, Const: value} }

// signInKinds describe what sessions and mailed codes tell.
func signInKinds() map[event.Type]Kind {
	session := noun("session", sessionMembers()...)
	attempt := func(status string, more ...Member) *Schema {
		nullable := func(s *Schema) *Schema {
			if status == "failed" {
				return orNull(s)
			}
			return s
		}
		return object(append([]Member{
			has("type", is("magic_auth")), has("status", is(status)), has("ip_address", optionalText("Where the browser was.")),
			has("user_agent", optionalText("What browser it was.")), has("user_id", nullable(text("Who it was about."))), has("email", nullable(text("The address."))),
		}, more...)...)
	}
	return map[event.Type]Kind{
		event.SessionCreated: {"Somebody signed in.", session},
		event.SessionRevoked: {"A session was ended; context.reason says why. Every code and token of it has ended with it.", session},
		event.MagicAuthCreated: {"A code was mailed to an address. The code is in the mail alone.", noun("magic_auth",
			has("id", text("Id: magic_auth_….")), has("user_id", optionalText("Whose account has the address, null if none has.")), has("email", text("The address.")),
			has("expires_at", moment("Until when the code serves.")), made(), changed(),
		)},
		event.MagicAuthSucceeded: {"Somebody signed in with a mailed code or link.", attempt("succeeded")},
		event.MagicAuthFailed: {"A wrong code was entered.", attempt("failed", has("error", object(
			has("code", text("What was wrong, for programs.")), has("message", text("What was wrong, for people.")),
		)))},
	}
}
