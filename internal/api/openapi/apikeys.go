package openapi

const tagAPIKeys = "api-keys"

func apiKeyMembers() []Member {
	return []Member{
		has("id", text("Id: api_key_….")),
		has("owner", object(has("type", is("organization")), has("id", text("The organization.")))),
		has("name", text("Name, for people.")),
		has("obfuscated_value", text("Enough of the value to tell keys apart.")),
		has("last_used_at", orNull(moment("When it was used last, to within some minutes; null if never."))),
		has("expires_at", orNull(moment("When it ends or ended; null if never."))),
		has("permissions", listOf("What it may do. scim makes it a token of the organization's directories.", &Schema{Type: []string{typeString}})),
		made(), changed(),
	}
}

func apiKeySchemas() map[string]*Schema {
	return map[string]*Schema{
		"ApiKey":     noun("api_key", apiKeyMembers()...),
		"ApiKeyList": page("ApiKey"),
		"ApiKeyWithValue": noun("api_key", append(apiKeyMembers(),
			has("value", text("The key itself, shown this once.")))...,
		),
		"NewApiKey": object(
			has("name", text("Name, for people.")),
			may("permissions", listOf("What it may do.", &Schema{Type: []string{typeString}})),
			may("expires_at", moment("When it ends. Left out: never.")),
		),
		"ApiKeyExpiry": object(may("expires_at", orNull(moment("When it ends. Left out or null: now.")))),
		"ApiKeyProbe":  object(has("value", text("The key to look at."))),
		"ApiKeyValidation": object(
			has("api_key", &Schema{Description: "The key, or null if it is not valid.", OneOf: []*Schema{ref("ApiKey"), {Type: []string{typeNull}}}}),
		),
	}
}

func apiKeys() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/organizations/{organizationId}/api_keys"}: {
			ID: "listApiKeys", Tag: tagAPIKeys, Summary: "List the API keys of an organization", Query: paged(),
			Answers: done(200, "A page of keys, without their values.", ref("ApiKeyList")), Refuses: and(badPage(), gone()),
		},
		{"POST", "/organizations/{organizationId}/api_keys"}: {
			ID: "createApiKey", Tag: tagAPIKeys, Summary: "Create an API key for an organization",
			Body: ref("NewApiKey"), Example: `{"name":"Payroll sync","permissions":["scim"]}`,
			Answers: done(201, "The key, with its value, which is never shown again.", ref("ApiKeyWithValue")),
			Refuses: and(gone(), refuses(422, "required", "invalid", "invalid_permission", "invalid_date", "too_many", "too_long")),
		},
		{"DELETE", "/api_keys/{id}"}: {
			ID: "deleteApiKey", Tag: tagAPIKeys, Summary: "Delete an API key",
			Answers: done(204, "Deleted; it is refused from now on.", nil), Refuses: gone(),
		},
		{"POST", "/api_keys/{id}/expire"}: {
			ID: "expireApiKey", Tag: tagAPIKeys, Summary: "End an API key now or at a time",
			Body: ref("ApiKeyExpiry"), Sparse: true, Example: `{"expires_at":"2027-01-01T00:00:00.000Z"}`,
			Answers: done(200, "The key as it is now.", ref("ApiKey")),
			Refuses: and(gone(), refuses(409, "api_key_already_expired"), refuses(422, "invalid", "invalid_date")),
		},
		{"POST", "/api_keys/validations"}: {
			ID: "validateApiKey", Tag: tagAPIKeys, Summary: "Look whether an API key is valid",
			About: "Answers 200 with null for anything that is not valid. An Idempotency-Key is ignored here: an answer must not outlive the key.",
			Body:  ref("ApiKeyProbe"), Example: `{"value":"sk_…"}`,
			Answers: done(200, "The key, or null.", ref("ApiKeyValidation")), Refuses: refuses(422, "required"),
		},
	}
}
