package openapi

const tagWebhooks = "webhooks"

func webhookMembers() []Member {
	return []Member{
		has("id", text("Id: we_….")),
		has("endpoint_url", text("Where deliveries go.")),
		has("secret", text("What signs them: whsec_….")),
		has("status", choice("disabled: nothing is delivered.", "enabled", "disabled")),
		has("events", listOf("The types it gets.", &Schema{Type: []string{typeString}})),
		made(), changed(),
	}
}

// webhookHealth is what only the operator needs.
func webhookHealth() []Member {
	return []Member{
		has("failing_since", orNull(moment("Since when every delivery has failed, null if none has."))),
		has("disabled_at", orNull(moment("When it was disabled, null if it is not."))),
		has("disabled_reason", optionalText("Why it was disabled, null if it is not.")),
		has("old_secret_until", orNull(moment("Until when the former secret signs too, null if it does not."))),
	}
}

// subscription holds the contract's types and ours: clients written for it may name types that nothing here makes.
func subscription() *Schema {
	return listOf("The types it gets.", text("Type of an event, like dsync.user.created."))
}

func webhookSchemas() map[string]*Schema {
	delivery := []Member{
		has("id", text("Id: webhook_delivery_….")),
		has("webhook_endpoint_id", text("Where it goes.")),
		has("organization_id", optionalText("The event's organization, null if it has none.")),
		has("event_id", text("What it tells.")),
		has("event", text("The event's type.")),
		has("state", choice("failed: given up after three days. cancelled: the endpoint was disabled or deleted.", "pending", "delivered", "failed", "cancelled")),
		has("reason", optionalText("Why it failed or was cancelled.")),
		has("replay", flag("Whether it was asked for by a replay.")),
		has("attempt_count", count("How often it was tried.")),
		has("next_attempt_at", orNull(moment("When it is tried next, null if it is not."))),
		made(),
		has("finished_at", orNull(moment("When nothing was left to do, null until then."))),
	}
	return map[string]*Schema{
		"WebhookEndpoint":           noun("webhook_endpoint", webhookMembers()...),
		"WebhookEndpointList":       page("WebhookEndpoint"),
		"WebhookEndpointWithHealth": noun("webhook_endpoint", append(webhookMembers(), webhookHealth()...)...),
		"NewWebhookEndpoint": object(
			has("endpoint_url", text("An https address of the public internet, or one that --allow-target names.")),
			has("events", subscription()),
		),
		"WebhookEndpointChange": object(
			may("endpoint_url", text("New address.")),
			may("status", choice("Switch deliveries on or off.", "enabled", "disabled")),
			may("events", subscription()),
		),
		"SecretRotation":      object(may("keep_old_for_seconds", count("How long the old secret signs beside the new one; 0: not at all."))),
		"WebhookDelivery":     noun("webhook_delivery", delivery...),
		"WebhookDeliveryList": page("WebhookDelivery"),
		"WebhookDeliveryWithAttempts": noun("webhook_delivery", append(delivery, has("attempts", listOf("Each try, oldest first.", noun("webhook_attempt",
			has("id", text("Id of the attempt.")),
			has("at", moment("When it was made.")),
			has("milliseconds", number("How long it took.")),
			has("status", &Schema{Type: []string{typeInteger, typeNull}, Description: "HTTP status, null if there was no answer."}),
			has("error", optionalText("Why it failed, null if it did not.")),
			has("answer", optionalText("The beginning of what was answered.")),
		))))...),
		"ReplayRange": object(
			may("event_ids", listOf("These events.", &Schema{Type: []string{typeString}})),
			may("range_start", moment("Events from this time on.")),
			may("range_end", moment("Events before this time.")),
			may("failed", flag("Every delivery that failed.")),
		),
		"Replayed": object(has("replayed", count("How many deliveries were made."))),
	}
}

func webhooks() map[Route]Operation {
	bad := and(refuses(409, "duplicate_endpoint"), refuses(422, "invalid_url", "invalid_request_parameters"))
	return map[Route]Operation{
		{"GET", "/webhook_endpoints"}: {
			ID: "listWebhookEndpoints", Tag: tagWebhooks, Summary: "List webhook endpoints", Query: paged(),
			Answers: done(200, "A page of endpoints.", ref("WebhookEndpointList")), Refuses: badPage(),
		},
		{"POST", "/webhook_endpoints"}: {
			ID: "createWebhookEndpoint", Tag: tagWebhooks, Summary: "Create a webhook endpoint",
			Body: ref("NewWebhookEndpoint"), Example: `{"endpoint_url":"https://app.example.com/hooks","events":["dsync.user.created","dsync.user.updated","dsync.user.deleted"]}`,
			Answers: done(201, "The new endpoint with its secret.", ref("WebhookEndpoint")), Refuses: and(bad, refuses(409, "too_many_endpoints")),
		},
		{"GET", "/webhook_endpoints/{id}"}: {
			ID: "getWebhookEndpoint", Tag: tagWebhooks, Summary: "Get a webhook endpoint",
			Answers: done(200, "The endpoint.", ref("WebhookEndpointWithHealth")), Refuses: gone(),
		},
		{"PATCH", "/webhook_endpoints/{id}"}: {
			ID: "updateWebhookEndpoint", Tag: tagWebhooks, Summary: "Change a webhook endpoint",
			Body: ref("WebhookEndpointChange"), Example: `{"status":"disabled"}`,
			Answers: done(200, "The endpoint as it is now.", ref("WebhookEndpoint")), Refuses: and(gone(), bad),
		},
		{"DELETE", "/webhook_endpoints/{id}"}: {
			ID: "deleteWebhookEndpoint", Tag: tagWebhooks, Summary: "Delete a webhook endpoint",
			Answers: done(204, "Deleted; what was waiting for it is cancelled.", nil), Refuses: gone(),
		},
		{"POST", "/webhook_endpoints/{id}/rotate_secret"}: {
			ID: "rotateWebhookSecret", Tag: tagWebhooks, Summary: "Give a webhook endpoint a new secret",
			Body: ref("SecretRotation"), Sparse: true, Example: `{"keep_old_for_seconds":86400}`,
			Answers: done(200, "The endpoint with its new secret.", ref("WebhookEndpointWithHealth")), Refuses: and(gone(), refuses(422, "invalid_request_parameters")),
		},
		{"GET", "/webhook_endpoints/{id}/deliveries"}: {
			ID: "listWebhookDeliveries", Tag: tagWebhooks, Summary: "List the deliveries to an endpoint",
			Query: paged(
				asks("state", choice("Those in this state.", "pending", "delivered", "failed", "cancelled")),
				asks("event", text("Those of this type of event.")),
			),
			Answers: done(200, "A page of deliveries.", ref("WebhookDeliveryList")), Refuses: and(badPage(), gone(), refuses(422, "invalid_state", "invalid_event")),
		},
		{"GET", "/webhook_deliveries/{id}"}: {
			ID: "getWebhookDelivery", Tag: tagWebhooks, Summary: "Get a delivery with its attempts",
			Answers: done(200, "The delivery.", ref("WebhookDeliveryWithAttempts")), Refuses: gone(),
		},
		{"POST", "/webhook_deliveries/{id}/replay"}: {
			ID: "replayWebhookDelivery", Tag: tagWebhooks, Summary: "Deliver an event again",
			Answers: done(201, "The new delivery.", ref("WebhookDelivery")), Refuses: and(gone(), refuses(409, "endpoint_disabled"), refuses(422, "event_gone")),
		},
		{"POST", "/webhook_endpoints/{id}/replay"}: {
			ID: "replayWebhookDeliveries", Tag: tagWebhooks, Summary: "Deliver many events again",
			About: "Name the events, a range of time, or all that failed.",
			Body:  ref("ReplayRange"), Example: `{"failed":true}`,
			Answers: done(202, "How many are on their way.", ref("Replayed")), Refuses: and(gone(), refuses(409, "endpoint_disabled"),
				refuses(422, "ambiguous_replay", "invalid_range", "invalid_date", "invalid_request_parameters", "unknown_event", "too_many")),
		},
	}
}
