package openapi

func offboardingSchemas() map[string]*Schema {
	missing := listOf("Steps that were not seen.", object(
		has("step", choice("Which.", "event", "request", "webhook", "logout", "acknowledgement")), may("id", text("Of what.")), has("why", text("Its state, or why.")),
	))
	id := func(name string) *Schema { return text("Id: " + name + "_….") }
	state := func() *Schema { return choice("How far it is.", "pending", "delivered", "failed", "cancelled") }
	return map[string]*Schema{
		"Offboarding": noun("offboarding",
			has("id", id("offboarding")),
			has("organization_id", id("org")),
			has("organization_membership_id", id("om")),
			has("user_id", id("user")),
			has("status", choice("What became of the membership.", "inactive", "removed")),
			has("why", text("Why, in the words of memberships.")),
			has("cause", about("The one cause.", object(has("actor_id", text("Who or what acted.")), has("source", text("Where.")), has("exchange_id", optionalText("The identity provider's recorded request."))))),
			has("requested_at", orNull(moment("When the identity provider's request came; null by hand."))),
			has("ended_at", moment("The moment that the transaction wrote.")),
			has("committed_by", moment("Seen to be committed: it was no later.")),
			has("sessions", object(has("ended", count("How many ended in the same transaction.")), has("at", orNull(moment("When."))))),
			has("events", listOf("The events that tell of it.", object(has("id", id("event")), has("event", text("Its type."))))),
			has("webhooks", listOf("Each of them for each endpoint.", object(
				has("webhook_endpoint_id", id("we")), has("event_id", id("event")), has("state", state()), has("delivered_at", orNull(moment("When it was accepted."))),
			))),
			has("logouts", listOf("Back-channel logouts.", object(
				has("application_id", id("conn_app")), has("session_id", id("session")), has("state", state()), has("delivered_at", orNull(moment("When it was acknowledged."))),
			))),
			has("acknowledgement", about("The app's first word about one of the events, null without one.", orNull(object(
				has("event_id", id("event")), has("actor_id", text("Who said so.")), has("source", text("Where.")), has("at", moment("When: the first time.")),
			)))),
			has("span_ms", count("Milliseconds from the request, or from the end where there was none, to the last step that is known.")),
			has("complete", flag("Every step was seen.")),
			has("missing", missing),
			has("frozen_at", orNull(moment("Since when the receipt does not change: complete, or a day old. null: it still may."))),
		),
		"OffboardingList": page("Offboarding"),
		"OffboardingReceipt": noun("offboarding_receipt",
			has("offboarding_id", id("offboarding")),
			has("receipt", text("A JWS in compact form, typ offboarding-receipt+jwt, signed with ES256 by a key of the key set.")),
			has("complete", flag("Every step was seen.")),
			has("missing", missing),
			has("frozen_at", orNull(moment("Since when it says the same; null: it may still say more."))),
		),
		"EventAcknowledgement": noun("event_acknowledgement",
			has("event_id", id("event")),
			has("acknowledged_by", object(has("id", text("Who said so.")), has("source", text("Where.")), has("name", optionalText("What they are called.")))),
			has("acknowledged_at", moment("When it was said first.")),
		),
		"ApplicationGap": noun("application_gap",
			has("application_id", id("conn_app")),
			has("back_channel_logout", object(
				has("configured", flag("The application has an address for it.")),
				has("measured", count("How many of the last 1000 were delivered.")),
				has("p50_ms", orNull(count("From the end of the session to the application's answer: half were as fast."))),
				has("p95_ms", orNull(count("19 of 20 were as fast."))),
				has("max_ms", orNull(count("The slowest."))),
				has("failed", count("How many of the last 1000 were given up.")),
				has("pending", count("How many are under way.")),
			)),
			has("introspection", object(has("in_use", flag("The application asked about a token within a day.")), has("last_at", orNull(moment("When it last did, to the minute."))))),
			has("access_token_seconds", count("How long a token counts for an application that asks nobody.")),
			has("worst_gap_ms", count("For how long, at worst, somebody can go on whose access has ended.")),
			has("worst_gap_by", choice("What bounds it: the life of a token, or logouts where all arrived and sooner.", "access_token", "back_channel_logout")),
		),
	}
}

func offboardings() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/organizations/{id}/offboardings"}: {
			ID: "listOffboardings", Tag: tagAudit, Summary: "List memberships that ended, with what became of them",
			Query: paged(), Answers: done(200, "The offboardings.", ref("OffboardingList")), Refuses: and(gone(), badPage()),
		},
		{"GET", "/offboardings/{id}"}: {
			ID: "getOffboarding", Tag: tagAudit, Summary: "Get an offboarding",
			Answers: done(200, "The offboarding.", ref("Offboarding")), Refuses: gone(),
		},
		{"GET", "/offboardings/{id}/receipt"}: {
			ID: "getOffboardingReceipt", Tag: tagAudit, Summary: "Get the signed receipt of an offboarding",
			About:   "Anybody can check it by the key set (/oauth2/jwks) alone. It names nobody but by id.",
			Query:   []Parameter{asks("format", choice("jws gives the receipt bare, as application/jose.", "json", "jws"))},
			Answers: done(200, "The receipt.", ref("OffboardingReceipt")), Refuses: and(gone(), refuses(422, "invalid_format")),
		},
		{"POST", "/events/{id}/acknowledge"}: {
			ID: "acknowledgeEvent", Tag: tagEvents, Summary: "Say that your app has done what an event asks of it",
			About:   "Receipts of offboardings hold it. It may be repeated; the first time counts.",
			Answers: done(200, "What is recorded.", ref("EventAcknowledgement")), Refuses: gone(),
		},
		{"GET", "/connect/applications/{id}/gap"}: {
			ID: "getApplicationGap", Tag: tagApplications, Summary: "Get the worst gap of an application",
			About:   "For how long somebody can go on in it whose access has ended, measured where that is possible.",
			Answers: done(200, "The gap.", ref("ApplicationGap")), Refuses: gone(),
		},
	}
}
