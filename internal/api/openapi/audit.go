package openapi

const tagAudit = "audit"

func auditSchemas() map[string]*Schema {
	actor := object(has("id", text("Who acted.")), has("source", choice("Where.", "api", "dashboard", "admin_portal", "system")), has("name", optionalText("What they are called.")))
	change := object(may("before", &Schema{Description: "What it was; missing where there was nothing."}), may("after", &Schema{Description: "What it is; missing where nothing is left."}))
	changes := orNull(&Schema{Type: []string{typeObject}, Description: "By setting what it was and is, as far as that is told. Secrets are hidden. null: the event of this id tells it.", Additional: change})
	return map[string]*Schema{
		"AuditEntry": noun("audit_entry",
			has("id", text("Id: that of the event that tells of the change, event_…, or audit_… where the log has none.")),
			has("organization_id", optionalText("Whose it is, null for what is the installation's.")),
			has("action", text("What happened: a type of event, or a word like it, like directory.updated.")),
			has("target", optionalText("Id of what was changed. What has none is named by its slug, as a role, or by the id of whose it is, as a policy.")),
			has("actor", actor),
			has("cause", object(
				has("type", choice("exchange: a recorded request of an identity provider. Else who acted where.", "exchange", "api", "dashboard", "admin_portal", "system")),
				has("id", text("Id of the exchange or of the actor.")),
			)),
			has("derived", flag("Concluded by Rollcall, not said by the provider.")),
			has("reason", optionalText("Why, of sessions that ended.")),
			has("changes", changes),
			made(),
		),
		"AuditEntryList": page("AuditEntry"),
		"Access": noun("access",
			has("organization_membership_id", text("Id: om_….")),
			has("user_id", text("Whose account.")),
			has("email", optionalText("What the account is called now, null once it was deleted.")),
			has("first_name", optionalText("Likewise.")),
			has("last_name", optionalText("Likewise.")),
			has("role", text("Role then.")),
			has("primary", flag("The account was at home in this organization then; else a guest.")),
			has("since", moment("Since when the membership was as it was then.")),
			has("at", moment("The moment asked about.")),
		),
		"AccessList": page("Access"),
	}
}

func exportFormat() Parameter {
	return asks("format", choice("csv and jsonl give the whole list in one answer, without pages. An Accept header of text/csv or application/x-ndjson does the same.", "json", "csv", "jsonl"))
}

func audit() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/audit"}: {
			ID: "listAudit", Tag: tagAudit, Summary: "List every change and who or what caused it",
			About: "Settings, secrets, mappings, members, people of directories. Each has one cause. A page may hold fewer entries than asked for, even none, while after is not null. " +
				"Oldest first leaves out the last minute, so that a reader who follows the cursor misses nothing.",
			Query: []Parameter{
				{Name: "after", Schema: text("The after of the page before.")},
				{Name: "limit", Schema: pageLimit()},
				{Name: "order", Schema: order()},
				asks("organization_id", text("Changes of this organization.")),
				asks("actor", text("What this actor did: management_key, a directory, a user.")),
				{Name: "actions", Schema: text("Actions like directory.updated."), List: true},
				asks("target", text("Changes of what has this id.")),
				asks("range_start", moment("At or after this time.")),
				asks("range_end", moment("Before this time.")),
				exportFormat(),
			},
			Answers: done(200, "The entries.", ref("AuditEntryList")),
			Refuses: and(badPage(), refuses(409, "cursor_expired"),
				refuses(422, "invalid_cursor", "invalid_id", "invalid_action", "invalid_date", "invalid_format", "not_paged", "too_long", "too_many")),
		},
		{"GET", "/organizations/{id}/access"}: {
			ID: "listAccess", Tag: tagAudit, Summary: "List who has access, or had it at a time",
			About: "Told from what memberships were, which stays when events expire and people are erased. By the ids of memberships.",
			Query: []Parameter{
				{Name: "after", Schema: text("The id of the last membership of the page before.")},
				{Name: "limit", Schema: pageLimit()},
				asks("at", moment("The moment. Left out: now.")),
				exportFormat(),
			},
			Answers: done(200, "Those who had access.", ref("AccessList")),
			Refuses: and(gone(), refuses(400, "invalid_cursor"), refuses(422, "invalid_limit", "invalid_date", "invalid_format", "not_paged")),
		},
	}
}
