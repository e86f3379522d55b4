package openapi

const tagConnections = "connections"

// connectionTypes are the contract's; those of identity providers can be created.
func connectionTypes() []string {
	return []string{
		"Pending", "ADFSSAML", "AdpOidc", "AppleOAuth", "Auth0Migration", "Auth0SAML", "AzureSAML", "BitbucketOAuth", "CasSAML", "ClassLinkSAML",
		"CleverOIDC", "CloudflareSAML", "CyberArkSAML", "DiscordOAuth", "DuoSAML", "EntraIdOIDC", "GenericOIDC", "GenericSAML", "GitHubOAuth",
		"GitLabOAuth", "GoogleOAuth", "GoogleOIDC", "GoogleSAML", "GrokOAuth", "XOAuth", "IntuitOAuth", "JumpCloudSAML", "KeycloakSAML",
		"LastPassSAML", "LinkedInOAuth", "LoginGovOidc", "MagicLink", "MicrosoftOAuth", "MiniOrangeSAML", "NetIqSAML", "OktaOIDC", "OktaSAML",
		"OneLoginSAML", "OracleSAML", "PingFederateSAML", "PingOneSAML", "RipplingSAML", "SalesforceSAML", "ShibbolethGenericSAML", "ShibbolethSAML",
		"SimpleSamlPhpSAML", "SalesforceOAuth", "SlackOAuth", "TestIdp", "VercelMarketplaceOAuth", "VercelOAuth", "VMwareSAML", "XeroOAuth",
	}
}

func creatableConnectionTypes() []string {
	return []string{
		"ADFSSAML", "Auth0SAML", "AzureSAML", "ClassLinkSAML", "CloudflareSAML", "CyberArkSAML", "DuoSAML", "EntraIdOIDC", "GenericOIDC",
		"GenericSAML", "GoogleOIDC", "GoogleSAML", "JumpCloudSAML", "KeycloakSAML", "LastPassSAML", "MiniOrangeSAML", "NetIqSAML", "OktaOIDC",
		"OktaSAML", "OneLoginSAML", "OracleSAML", "PingFederateSAML", "PingOneSAML", "RipplingSAML", "SalesforceSAML", "ShibbolethSAML",
		"SimpleSamlPhpSAML", "VMwareSAML",
	}
}

func protocol() *Schema { return choice("How it speaks with the provider.", "saml", "oidc") }

// connectionOptions are the members of options; each may be left out of a request.
func connectionOptions(one func(string, *Schema) Member) *Schema {
	return object(
		one("default", flag("Meant by its organization where several connections let people in. Taken from the others when it is set.")),
		one("force_authn", flag("Ask the provider to authenticate people again each time.")),
		one("allow_outside_domains", flag("Let in people whose address lies in no domain that the organization has verified.")),
		one("allow_unverified_email", flag("Take addresses that the provider itself calls not verified. Whoever can change their own address there can become somebody else.")),
		one("clock_skew", count("How far clocks may differ, in seconds: 60 to 180.")),
		one("single_logout", flag("Send people who sign out here on to the provider, so that they are signed out there too. With SAML it is on and serves once there is slo_url; with OpenID Connect it is off, as many providers stop to ask.")),
		one("sign_requests", flag("SAML: sign requests with sp_certificate.")),
		one("nameid_format", text("SAML: the format of NameID to ask for; empty asks for none.")),
		one("require_encrypted", flag("SAML: refuse assertions that are not encrypted.")),
		one("allow_cbc", flag("SAML: open AES-CBC too, which does not protect what it hides from change. Some identity providers encrypt with nothing else, SimpleSAMLphp 1.x and LemonLDAP::NG among them.")),
		one("allow_sha1_until", orNull(moment("SAML: accept SHA-1 signatures until then, within a year."))),
		one("requested_authn_contexts", listOf("SAML: ways of authentication, of which one is demanded.", &Schema{Type: []string{typeString}})),
		one("unsolicited", choice("SAML: what is done about a response that nobody asked for. It is never a sign-in.", "restart", "refuse")),
		one("restart_unknown_requests", flag("SAML: treat an answer to an unknown request as one that nobody asked for.")),
		one("scopes", listOf("OpenID Connect: what to ask for. Empty: openid email profile.", &Schema{Type: []string{typeString}})),
		one("token_endpoint_auth_method", choice("OpenID Connect: how the client secret is shown. Empty: as the provider takes it.", "", "client_secret_basic", "client_secret_post", "private_key_jwt")),
		one("id_token_signing_algs", listOf("OpenID Connect: algorithms that ID tokens may be signed with. Empty: those the provider names.", &Schema{Type: []string{typeString}})),
	)
}

func attributeMap() *Schema {
	return &Schema{
		Type: []string{typeObject}, Description: "Names of the provider's attributes by what they mean: idp_id, email, first_name, last_name, name, groups, roles; any other is a custom attribute. What is left out is found by names that are known.",
		Additional: listOf("", &Schema{Type: []string{typeString}}),
	}
}

func certificateMembers() []Member {
	return []Member{
		has("fingerprint", text("SHA-256 of the certificate.")),
		has("subject", text("Whom it names.")),
		has("not_before", moment("Its beginning.")),
		has("not_after", moment("Its end. It is announced 60, 30, 14, 7 and 1 days before.")),
		has("source", choice("Who gave it.", "metadata", "manual")),
		has("pem", text("The certificate.")),
		made(),
		has("last_used_at", orNull(moment("When a response was signed by it last, to within an hour."))),
		has("missing_since", orNull(moment("Since when the metadata does not name it any more. It goes after two weeks without use."))),
	}
}

func connectionBase() []Member {
	return []Member{
		has("id", text("Id: conn_….")),
		has("organization_id", text("Whose connection it is.")),
		has("connection_type", choice("What it leads to.", connectionTypes()...)),
		has("name", text("Name, for people.")),
		has("state", choice("Validating and active ones let people in; the first who comes makes it active.", "requires_type", "draft", "active", "validating", "inactive", "deleting")),
	}
}

func connectionDomain() *Schema {
	return noun("connection_domain", has("id", text("Id of the domain.")), has("domain", text("The domain name.")))
}

func connectionMembers() []Member {
	address := func(about string) *Schema { return orNull(text(about)) }
	return append(connectionBase(),
		has("status", deprecated(choice("linked when it is active.", "linked", "unlinked"))),
		has("domains", listOf("Domains that the organization has verified.", connectionDomain())),
		made(), changed(),
		has("protocol", protocol()),
		has("provider", address("Identity provider of the catalogue, like okta.")),
		has("options", connectionOptions(has)),
		has("attribute_map", attributeMap()),
		has("lacks", listOf("What it needs and does not have yet.", &Schema{Type: []string{typeString}})),
		has("warnings", listOf("What works today and has to be mended.", &Schema{Type: []string{typeString}})),
		has("acs_url", address("SAML: where the provider posts responses to.")),
		has("acs_paths", listOf("SAML: further paths at which responses are taken.", &Schema{Type: []string{typeString}})),
		has("sp_entity_id", address("SAML: our entity id, the audience.")),
		has("sp_metadata_url", address("SAML: where our metadata is.")),
		has("sp_slo_url", address("SAML: where the provider sends logouts to.")),
		has("sp_certificate", address("The certificate of our key, which signs requests and opens encrypted assertions.")),
		has("redirect_uri", address("OpenID Connect: where the provider sends people back to.")),
		has("backchannel_logout_uri", address("OpenID Connect: where the provider sends logouts to.")),
		has("post_logout_redirect_uri", address("OpenID Connect: where the provider sends people back to whom it has signed out.")),
		has("login_url", address("Where a provider's portal leads people, to begin a sign-in.")),
		has("idp_entity_id", address("SAML: the provider's entity id.")),
		has("sso_url", address("SAML: where people are sent to.")),
		has("sso_binding", orNull(text("How they are sent: redirect or post."))),
		has("slo_url", address("SAML: where logouts are sent to.")),
		has("slo_binding", orNull(text("How they are sent: redirect or post."))),
		has("slo_response_url", address("SAML: where answers to the provider's logouts are sent to, if that is another address than slo_url.")),
		has("certificates", listOf("SAML: what the provider may sign with.", noun("connection_certificate", certificateMembers()...))),
		has("metadata_url", address("SAML: where the provider's metadata is read, daily.")),
		has("metadata_read_at", orNull(moment("When metadata or discovery was read last."))),
		has("metadata_error", address("Why the last reading failed.")),
		has("pending_metadata", orNull(about("Metadata that waits for approval, null if none does.", object(
			has("reasons", listOf("Why it waits: entity_id_changed, no_certificate_left, not_secure.", &Schema{Type: []string{typeString}})),
			has("read_at", moment("When it was read.")),
			has("idp_entity_id", text("The entity id it names.")),
			has("sso_url", text("The address it names.")),
			has("certificates", listOf("Fingerprints of the certificates it names.", &Schema{Type: []string{typeString}})),
		)))),
		has("issuer", address("OpenID Connect: the provider's issuer.")),
		has("client_id", address("OpenID Connect: our client id there.")),
		has("client_secret_set", flag("OpenID Connect: there is a client secret.")),
		has("client_secret_expires_at", orNull(moment("OpenID Connect: when the client secret ends, as it was told. Null: nobody has."))),
		has("first_success_at", orNull(moment("When somebody signed in first."))),
		has("last_success_at", orNull(moment("When somebody signed in last, to within a minute."))),
	)
}

func connectionSettings() []Member {
	return []Member{
		may("options", connectionOptions(may)), may("attribute_map", orNull(attributeMap())),
		may("acs_paths", listOf("SAML: further paths at which responses are taken, like those of a former vendor. Several connections may have the same: then a response counts only for the connection whose open request it answers. Requests name no ACS URL where there are any, so the provider answers at the address it has stored.", &Schema{Type: []string{typeString}})),
		may("sp_entity_id", orNull(text("SAML: another entity id than the one made of the address."))),
		may("metadata_url", orNull(text("SAML: where the provider's metadata is. It is read at once and then daily."))),
		may("metadata_xml", text("SAML: the provider's metadata.")),
		may("idp_entity_id", orNull(text("SAML: the provider's entity id. With metadata of several providers it chooses one."))),
		may("sso_url", orNull(text("SAML: where people are sent to."))),
		may("sso_binding", choice("How they are sent.", "redirect", "post")),
		may("slo_url", orNull(text("SAML: where logouts are sent to."))),
		may("slo_binding", choice("How they are sent.", "redirect", "post")),
		may("slo_response_url", orNull(text("SAML: where answers to the provider's logouts are sent to. It goes when slo_url changes."))),
		may("certificates", listOf("SAML: certificates of the provider, as PEM or base64. They take the place of all that were given so.", &Schema{Type: []string{typeString}})),
		may("issuer", orNull(text("OpenID Connect: the provider's issuer. Its discovery document is read at once."))),
		may("client_id", orNull(text("OpenID Connect: our client id there."))),
		may("client_secret", orNull(text("OpenID Connect: the client secret. It is never shown."))),
		may("client_secret_expires_at", orNull(text("OpenID Connect: when the client secret ends, a time or a day, which begins at midnight UTC. IT contacts and the operator are told by mail 30 and 7 days before, and when it has. A new client_secret that is given without it has none."))),
	}
}

func checkSchema() *Schema {
	return object(
		has("name", text("What was looked at.")),
		has("passed", flag("Green or red.")),
		has("wanted", text("What would be right.")),
		has("got", text("What came.")),
		may("code", text("The refusal that a red one is.")),
	)
}

func connectionSchemas() map[string]*Schema {
	return map[string]*Schema{
		"Connection":     noun("connection", connectionMembers()...),
		"ConnectionList": page("Connection"),
		"NewConnection": object(append([]Member{
			has("organization_id", text("Whose connection it becomes.")),
			has("name", text("Name, for people.")),
			may("connection_type", choice("What it leads to. Give it, or provider.", creatableConnectionTypes()...)),
			may("provider", text("Identity provider of the catalogue, like okta.")),
			may("protocol", protocol()),
		}, connectionSettings()...)...),
		"ConnectionChange": object(append([]Member{
			may("name", text("New name.")), may("state", choice("Switch it on or off by hand.", "active", "inactive")),
		}, connectionSettings()...)...),
		"ConnectionCertificate":     noun("connection_certificate", certificateMembers()...),
		"ConnectionCertificateList": page("ConnectionCertificate"),
		"NewConnectionCertificate":  object(has("certificate", text("The certificate, as PEM or base64."))),
		"TestSignIn": noun("test_sign_in",
			has("connection_id", text("What is tested.")),
			has("url", text("Where a browser makes the test. It makes no user and no session and ends in a list of checks."))),
		"SignInAttempt": noun("sign_in_attempt",
			has("id", text("Id: sign_in_attempt_….")),
			has("organization_id", text("Whose connection it went through.")),
			has("connection_id", text("The connection.")),
			has("kind", choice("unsolicited belongs to no sign-in that was begun here.", "sign_in", "test", "unsolicited")),
			has("state", choice("Where it is.", "at_provider", "succeeded", "failed", "timed_out")),
			has("error", orNull(about("Why it was refused, null if it was not.", object(
				has("code", text("Why it was refused; see the reference of sign-in errors.")),
				has("message", text("A sentence.")),
				may("wanted", text("What would have been right.")),
				may("got", text("What came.")),
				has("fixer", choice("Who mends it.", "it_admin", "operator", "member", "rollcall")),
				has("advice", text("What to do.")),
			)))),
			has("checks", listOf("What was looked at.", checkSchema())),
			has("profile_id", orNull(text("The profile that signed in."))),
			has("user_id", orNull(text("Their account."))),
			has("session_id", orNull(text("Their session."))),
			has("idp_id", orNull(text("Their identifier at the provider."))),
			has("email", orNull(text("Their address."))),
			has("ip_address", orNull(text("Where the browser was."))),
			has("user_agent", orNull(text("What the browser calls itself."))),
			made(),
			has("finished_at", orNull(moment("When it ended."))),
			has("expires_at", moment("When it ends by itself.")),
		),
		"SignInAttemptList": page("SignInAttempt"),
	}
}

func connections() map[Route]Operation {
	bad := refuses(422, "required", "invalid", "invalid_date", "invalid_type", "invalid_option", "invalid_attribute", "too_many", "too_long",
		"invalid_url", "invalid_path", "reserved_path", "duplicate_path", "invalid_certificate", "invalid_metadata", "idp_unreachable", "malformed",
		"issuer_mismatch", "algorithm_not_allowed", "wrong_protocol", "ambiguous")
	shown := func(status int, about string) map[int]Answer { return done(status, about, ref("Connection")) }
	return map[Route]Operation{
		{"GET", "/connections"}: {
			ID: "listConnections", Tag: tagConnections, Summary: "List connections",
			Query: paged(
				asks("connection_type", text("Those of one type.")),
				asks("domain", text("Those of organizations with this domain.")),
				asks("organization_id", text("Those of one organization.")),
				asks("search", text("Those whose name holds this, in any letter case.")),
			),
			Answers: done(200, "A page of connections.", ref("ConnectionList")), Refuses: and(badPage(), refuses(422, "invalid_id", "too_long")),
		},
		{"POST", "/connections"}: {
			ID: "createConnection", Tag: tagConnections, Summary: "Create a connection",
			About: "The answer holds the addresses to enter at the identity provider. It is a draft until it has what its protocol needs.",
			Body:  ref("NewConnection"), Example: `{"organization_id":"org_01JDXA5Q0G8YQZP0R3M4T7W9KE","name":"Acme Okta","connection_type":"OktaSAML"}`,
			Answers: shown(201, "The new connection."),
			Refuses: and(refuses(403, "feature_disabled"), refuses(404, "entity_not_found"), refuses(422, "invalid_provider", "invalid_protocol"), bad),
		},
		{"GET", "/connections/{id}"}: {
			ID: "getConnection", Tag: tagConnections, Summary: "Get a connection", Answers: shown(200, "The connection."), Refuses: gone(),
		},
		{"PATCH", "/connections/{id}"}: {
			ID: "updateConnection", Tag: tagConnections, Summary: "Change a connection",
			About: "What is left out stays; null takes away. Of options those change that are named.",
			Body:  ref("ConnectionChange"), Example: `{"metadata_url":"https://idp.example.com/metadata","options":{"sign_requests":true}}`,
			Answers: shown(200, "The connection as it is now."), Refuses: and(gone(), bad, refuses(409, "identity_provider_switching"), refuses(422, "invalid_state", "connection_incomplete")),
		},
		{"DELETE", "/connections/{id}"}: {
			ID: "deleteConnection", Tag: tagConnections, Summary: "Delete a connection",
			About:   "Sessions that came through it end at once, with all their tokens.",
			Answers: done(204, "Deleted.", nil), Refuses: and(gone(), refuses(409, "identity_provider_switching")),
		},
		{"GET", "/connections/{id}/certificates"}: {
			ID: "listConnectionCertificates", Tag: tagConnections, Summary: "List the certificates of a connection", About: "All in one page.",
			Answers: done(200, "The certificates.", ref("ConnectionCertificateList")), Refuses: gone(),
		},
		{"POST", "/connections/{id}/certificates"}: {
			ID: "addConnectionCertificate", Tag: tagConnections, Summary: "Add a signing certificate",
			About: "Several count at once, so that the provider can change to a new one at any moment.",
			Body:  ref("NewConnectionCertificate"), Example: `{"certificate":"-----BEGIN CERTIFICATE-----\nMIIC…\n-----END CERTIFICATE-----"}`,
			Answers: shown(201, "The connection."), Refuses: and(gone(), refuses(409, "wrong_protocol"), refuses(422, "invalid_certificate", "too_many")),
		},
		{"DELETE", "/connections/{id}/certificates/{fingerprint}"}: {
			ID: "deleteConnectionCertificate", Tag: tagConnections, Summary: "Delete a signing certificate",
			Answers: done(204, "Deleted; nothing signed by it is accepted any more.", nil), Refuses: and(gone(), refuses(409, "wrong_protocol")),
		},
		{"POST", "/connections/{id}/refresh_metadata"}: {
			ID: "refreshConnectionMetadata", Tag: tagConnections, Summary: "Read the provider's documents now",
			Answers: shown(200, "The connection."),
			Refuses: and(gone(), refuses(409, "no_metadata_url", "no_issuer"), refuses(422, "idp_unreachable", "invalid_metadata", "malformed", "issuer_mismatch", "algorithm_not_allowed")),
		},
		{"POST", "/connections/{id}/approve_metadata"}: {
			ID: "approveConnectionMetadata", Tag: tagConnections, Summary: "Approve metadata that waits",
			About:   "A changed entity id, the loss of all certificates, and what was read without TLS are not taken over by themselves.",
			Answers: shown(200, "The connection."),
			Refuses: and(gone(), refuses(409, "wrong_protocol", "nothing_pending", "no_certificate_left"), refuses(422, "invalid_metadata")),
		},
		{"POST", "/connections/{id}/test_sign_ins"}: {
			ID: "createTestSignIn", Tag: tagConnections, Summary: "Begin a test sign-in",
			Answers: done(201, "Where to make it.", ref("TestSignIn")), Refuses: and(gone(), refuses(501, "not_offered")),
		},
		{"GET", "/connections/{id}/sign_in_attempts"}: {
			ID: "listSignInAttempts", Tag: tagConnections, Summary: "List the sign-in attempts of a connection", About: "The last fifty where no limit is asked for.",
			Query: paged(), Answers: done(200, "A page of attempts.", ref("SignInAttemptList")), Refuses: and(badPage(), gone()),
		},
		{"GET", "/sign_in_attempts/{id}"}: {
			ID: "getSignInAttempt", Tag: tagConnections, Summary: "Get a sign-in attempt",
			Answers: done(200, "The attempt.", ref("SignInAttempt")), Refuses: gone(),
		},
	}
}

// connectionKinds are the events about connections and sign-ins.
func connectionKinds() map[string]Kind {
	told := noun("connection", append(connectionBase(), made(), changed(),
		has("external_key", text("The part of its addresses that is its own.")),
		has("status", choice("linked when it is active.", "linked", "unlinked")),
		has("domains", listOf("Domains that the organization has verified.", connectionDomain())))...)
	which := has("connection", object(has("id", text("Id: conn_….")), has("organization_id", text("Whose it is."))))
	certificate := func(more ...Member) Member {
		return has("certificate", object(append([]Member{
			has("certificate_type", choice("Always ResponseSigning.", "ResponseSigning", "RequestSigning", "ResponseEncryption")),
			has("expiry_date", moment("Its end.")),
		}, more...)...))
	}
	attempt := func(status string, more ...Member) *Schema {
		return object(append([]Member{
			has("type", is("sso")), has("status", is(status)),
			has("ip_address", optionalText("Where the browser was.")), has("user_agent", optionalText("What it calls itself.")),
			has("user_id", optionalText("The account, once it is known.")), has("email", optionalText("The address, once it is known.")),
			has("sso", object(has("organization_id", optionalText("The organization.")), has("connection_id", optionalText("The connection.")),
				has("session_id", optionalText("The session that it ended in.")))),
		}, more...)...)
	}
	wrong := has("error", object(has("code", text("Why; see the reference of sign-in errors.")), has("message", text("A sentence."))))
	return map[string]Kind{
		"connection.activated":   {"A connection works: somebody has come through it, or it was switched on again.", told},
		"connection.deactivated": {"A connection lets nobody in any more.", told},
		"connection.deleted":     {"A connection was deleted; the sessions that came through it have ended.", noun("connection", append(connectionBase(), made(), changed())...)},
		"connection.saml_certificate_renewal_required": {"The last certificate of a connection comes to its end: 60, 30, 14, 7 and 1 days before.", object(
			which, certificate(has("is_expired", flag("It is past its end."))), has("days_until_expiry", count("Days that are left.")),
		)},
		"connection.saml_certificate_renewed": {"After a warning a connection has a later certificate.", object(
			which, certificate(), has("renewed_at", moment("When it came.")),
		)},
		"authentication.sso_started":   {"Somebody was sent to an identity provider.", attempt("started")},
		"authentication.sso_succeeded": {"Somebody signed in through an identity provider.", attempt("succeeded")},
		"authentication.sso_failed":    {"A sign-in was refused.", attempt("failed", wrong)},
		"authentication.sso_timed_out": {"Somebody did not come back from the identity provider.", attempt("timed_out", wrong)},
	}
}
