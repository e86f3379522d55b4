package openapi

const tagDirectories = "directories"

// directoryTypes are the contract's; those of SCIM can be created.
func directoryTypes() []string {
	return []string{
		"azure scim v2.0", "bamboohr", "breathe hr", "cezanne hr", "cyberark scim v2.0", "fourth hr", "generic scim v2.0", "gsuite directory",
		"hibob", "sailpoint scim v2.0", "jump cloud scim v2.0", "okta scim v2.0", "onelogin scim v2.0", "people hr", "personio",
		"pingfederate scim v2.0", "rippling scim v2.0", "s3", "sftp", "sftp workday", "workday",
	}
}

func creatableTypes() []string {
	return []string{
		"azure scim v2.0", "cyberark scim v2.0", "generic scim v2.0", "jump cloud scim v2.0", "okta scim v2.0", "onelogin scim v2.0",
		"pingfederate scim v2.0", "rippling scim v2.0", "sailpoint scim v2.0",
	}
}

// Members that a directory has in requests and answers alike.
func label() *Schema {
	return text("Name of its SCIM address, instead of a random one: lower-case letters, digits and hyphens, unique.")
}

func provider() *Schema { return text("Identity provider of the catalogue, like okta.") }

func inactiveUsers() *Schema {
	return choice("What consumers are told when somebody becomes inactive: an update (kept) or a deletion (removed).", "kept", "removed")
}

func provisioning() *Schema {
	return choice("How people become members of the app.", "invite", "direct", "existing_only")
}

func live() *Schema {
	return flag("Whether the app's members follow it. While it is false people and groups are collected, and nothing comes of them.")
}

func strict() *Schema {
	return flag("Follow the SCIM standard to the letter instead of forgiving what providers are known to send.")
}

func extensions() *Schema { return anything("SCIM schemas of your own for users and groups.") }

func bearerToken() *Schema {
	return text("The SCIM token, shown this once: the identity provider sends it with each request.")
}

func scimEndpoint() *Schema { return text("The address that the identity provider is given.") }

func directoryMembers() []Member {
	return []Member{
		has("id", text("Id: directory_….")),
		has("organization_id", text("Whose directory it is.")),
		has("external_key", text("The last part of its random SCIM address.")),
		has("type", choice("What feeds it.", directoryTypes()...)),
		has("state", choice("linked once the provider has sent something.", "linked", "validating", "invalid_credentials", "unlinked", "deleting")),
		has("name", text("Name, for people.")),
		may("metadata", object(
			has("users", object(has("active", count("People who are active.")), has("inactive", count("People who are not.")))),
			has("groups", count("Groups.")),
		)),
		made(), changed(),
		has("provider", orNull(provider())),
		has("label", orNull(label())),
		has("inactive_users", inactiveUsers()),
		has("provisioning", provisioning()),
		has("live", live()),
		has("strict", strict()),
		has("extensions", extensions()),
		has("scim_endpoint", scimEndpoint()),
	}
}

func tokenMembers() []Member {
	return []Member{
		has("id", text("Id: directory_token_….")),
		has("directory_id", text("Whose token it is.")),
		has("organization_id", text("The directory's organization.")),
		has("token_suffix", text("Its last four characters.")),
		made(),
		has("last_used_at", orNull(moment("When it was used last, to within some minutes; null if never."))),
		has("revoked_at", orNull(moment("When it was revoked, null while it is valid."))),
	}
}

func directorySchemas() map[string]*Schema {
	settings := []Member{
		may("provider", orNull(provider())), may("label", orNull(label())), may("inactive_users", inactiveUsers()),
		may("provisioning", provisioning()), may("strict", strict()), may("extensions", orNull(extensions())),
	}
	return map[string]*Schema{
		"Directory":          noun("directory", directoryMembers()...),
		"DirectoryList":      page("Directory"),
		"DirectoryWithToken": noun("directory", append(directoryMembers(), has("bearer_token", bearerToken()))...),
		"NewDirectory": object(append([]Member{
			has("organization_id", text("Whose directory it becomes.")),
			has("name", text("Name, for people.")),
			has("type", choice("What will feed it.", creatableTypes()...)),
			may("live", live()),
		}, settings...)...),
		"DirectoryProvisioning": noun("directory_provisioning",
			has("directory_id", text("The directory.")),
			has("state", choice("applying while people are waiting to be looked at.", "up_to_date", "applying")),
			has("done", count("People who have been looked at.")),
			has("total", count("People to be looked at.")),
		),
		"ProvisioningPreview": noun("provisioning_preview",
			has("directory_user_id", text("The person of the directory.")),
			has("email", orNull(text("Their address, null if they have none."))),
			has("name", orNull(text("Their name, null if they have none."))),
			has("says", choice("What the directory says of them.", "active", "inactive")),
			has("outcome", choice("What would become of them.", outcomes()...)),
		),
		"ProvisioningPreviewList": page("ProvisioningPreview"),
		"DirectoryChange":         object(append([]Member{may("name", text("New name."))}, settings...)...),
		"DirectoryToken":          noun("directory_token", tokenMembers()...),
		"DirectoryTokenList":      page("DirectoryToken"),
		"DirectoryTokenWithValue": noun("directory_token", append(tokenMembers(),
			has("scim_endpoint", scimEndpoint()), has("bearer_token", bearerToken()))...),
		"Exchange": noun("exchange",
			has("id", text("Id: exchange_….")),
			has("directory_id", text("The directory that was called.")),
			has("token_id", orNull(text("The token that was used, null where it was refused."))),
			has("at", moment("When the request came.")),
			has("method", text("HTTP method.")),
			has("path", text("Path and query, without what may be personal.")),
			has("status", count("HTTP status of the answer.")),
			has("milliseconds", number("How long it took.")),
			has("request_id", text("Its X-Request-ID.")),
			has("user_agent", text("What the provider calls itself.")),
			has("effect", anything("What it did: the resources that were made, changed or deleted, or why it was refused.")),
			has("body", orNull(text("What was sent, null where nothing was or it has been erased."))),
			has("answer", orNull(text("What was answered, null where nothing was or it has been erased."))),
		),
		"ExchangeList": page("Exchange"),
	}
}

// outcomes are what may become of a person of a directory.
func outcomes() []string {
	return []string{
		"invited", "activated", "linked", "returned", "updated", "unchanged", "deactivated", "removed", "stored", "no_email", "not_existing", "unmatched", "refused", "held",
	}
}

func directories() map[Route]Operation {
	bad := and(refuses(409, "label_taken"), refuses(422, "required", "invalid", "invalid_label", "invalid_provider", "invalid_extensions"))
	return map[Route]Operation{
		{"GET", "/directories"}: {
			ID: "listDirectories", Tag: tagDirectories, Summary: "List directories",
			Query: paged(
				asks("organization_id", text("Those of one organization.")),
				asks("search", text("Those whose name holds this, in any letter case.")),
				asks("domain", deprecated(text("Ignored."))),
			),
			Answers: done(200, "A page of directories.", ref("DirectoryList")), Refuses: and(badPage(), refuses(422, "invalid_id", "too_long")),
		},
		{"POST", "/directories"}: {
			ID: "createDirectory", Tag: tagDirectories, Summary: "Create a directory",
			About: "The answer holds the address and the token to enter at the identity provider. The token is never shown again.",
			Body:  ref("NewDirectory"), Example: `{"organization_id":"org_01JDXA5Q0G8YQZP0R3M4T7W9KE","name":"Acme Okta","type":"okta scim v2.0"}`,
			Answers: done(201, "The new directory with its first token.", ref("DirectoryWithToken")),
			Refuses: and(refuses(403, "feature_disabled"), refuses(404, "entity_not_found"), bad),
		},
		{"GET", "/directories/{id}"}: {
			ID: "getDirectory", Tag: tagDirectories, Summary: "Get a directory",
			Answers: done(200, "The directory.", ref("Directory")), Refuses: gone(),
		},
		{"PATCH", "/directories/{id}"}: {
			ID: "updateDirectory", Tag: tagDirectories, Summary: "Change a directory",
			About: "What is left out stays. label null gives the random address back.",
			Body:  ref("DirectoryChange"), Example: `{"name":"Acme Entra","label":"acme"}`,
			Answers: done(200, "The directory as it is now.", ref("Directory")), Refuses: and(gone(), bad),
		},
		{"DELETE", "/directories/{id}"}: {
			ID: "deleteDirectory", Tag: tagDirectories, Summary: "Delete a directory",
			About:   "Its tokens are refused at once; consumers get one dsync.deleted and nothing for each person.",
			Answers: done(202, "Deleted.", nil), Refuses: and(gone(), refuses(409, "identity_provider_switching")),
		},
		{"GET", "/directories/{id}/tokens"}: {
			ID: "listDirectoryTokens", Tag: tagDirectories, Summary: "List the tokens of a directory",
			About:   "All in one page, revoked ones too.",
			Answers: done(200, "The tokens, without their values.", ref("DirectoryTokenList")), Refuses: gone(),
		},
		{"POST", "/directories/{id}/tokens"}: {
			ID: "createDirectoryToken", Tag: tagDirectories, Summary: "Create a second token",
			About:   "Two tokens may live at once, so that the provider can be given the new one before the old one is revoked.",
			Answers: done(201, "The token, with its value, which is never shown again.", ref("DirectoryTokenWithValue")),
			Refuses: and(gone(), refuses(400, "invalid_json"), refuses(409, "token_limit"), refuses(413, "body_too_large"), refuses(422, "invalid_character")),
		},
		{"DELETE", "/directories/{id}/tokens/{token_id}"}: {
			ID: "revokeDirectoryToken", Tag: tagDirectories, Summary: "Revoke a token",
			Answers: done(204, "Revoked; every replica refuses it from now on.", nil), Refuses: gone(),
		},
		{"POST", "/directories/{id}/go_live"}: {
			ID: "goLiveDirectory", Tag: tagDirectories, Summary: "Let the app's members follow a directory",
			About:   "For a directory that was made with live false. Everybody it has brought is applied in the background. Asking again changes nothing.",
			Answers: done(200, "The directory as it is now.", ref("Directory")), Refuses: and(gone(), refuses(409, "identity_provider_switching"), refuses(400, "invalid_json"), refuses(413, "body_too_large"), refuses(422, "invalid_character")),
		},
		{"GET", "/directories/{id}/provisioning"}: {
			ID: "getDirectoryProvisioning", Tag: tagDirectories, Summary: "Tell how far members have come with what a directory says",
			About:   "A change of provisioning or of the mapping has everybody looked at again; two minutes after a mapping changed they are looked at once more.",
			Answers: done(200, "How far it is.", ref("DirectoryProvisioning")), Refuses: gone(),
		},
		{"GET", "/directories/{id}/provisioning/preview"}: {
			ID: "previewDirectoryProvisioning", Tag: tagDirectories, Summary: "Preview what would become of the people of a directory",
			About:   "Nothing is changed. Each person is decided by themselves.",
			Query:   paged(asks("provisioning", provisioning())),
			Answers: done(200, "A page of people.", ref("ProvisioningPreviewList")),
			Refuses: and(badPage(), gone(), refuses(409, "accounts_elsewhere"), refuses(422, "invalid", "ambiguous")),
		},
		{"GET", "/directories/{id}/exchanges"}: {
			ID: "listExchanges", Tag: tagDirectories, Summary: "List the recorded SCIM requests of a directory",
			About: "Newest first. before and after both go back in time.",
			Query: paged(), Answers: done(200, "A page of exchanges.", ref("ExchangeList")), Refuses: and(badPage(), gone(), refuses(422, "ambiguous")),
		},
	}
}
