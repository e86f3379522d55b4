package openapi

const tagConsumers = "event-consumers"

func consumerSchemas() map[string]*Schema {
	return map[string]*Schema{
		"EventConsumer": noun("event_consumer",
			has("name", text("Its name, which is its id.")),
			has("events", listOf("The types it is given; empty: all but our own.", &Schema{Type: []string{typeString}})),
			has("organization_id", optionalText("Whose events it is given, null for all.")),
			has("cursor", optionalText("The event acknowledged last, null before the first.")),
			has("lag", count("How many events wait for it.")),
			has("gap", flag("Events that it had not read have expired: take a snapshot.")),
			made(), changed(),
			has("acknowledged_at", orNull(moment("When it acknowledged last, null if never."))),
		),
		"EventConsumerList": page("EventConsumer"),
		"NewEventConsumer": object(
			has("name", text("Lower-case letters, digits, hyphens and underscores.")),
			may("events", listOf("The types it wants. Left out: all but our own.", &Schema{Type: []string{typeString}})),
			may("organization_id", optionalText("Whose events it wants. Left out: everybody's.")),
			may("start", text("Where to begin: beginning, now, or an event's id, after which it begins. Left out: beginning.")),
		),
		"Acknowledgement": object(has("event_id", text("The event up to which everything has been dealt with."))),
	}
}

func consumers() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/event_consumers"}: {
			ID: "listEventConsumers", Tag: tagConsumers, Summary: "List consumers",
			Answers: done(200, "All consumers.", ref("EventConsumerList")),
		},
		{"POST", "/event_consumers"}: {
			ID: "createEventConsumer", Tag: tagConsumers, Summary: "Create a consumer",
			About: "A consumer is a cursor that Rollcall keeps for a reader of events.",
			Body:  ref("NewEventConsumer"), Example: `{"name":"billing","start":"beginning","events":["dsync.user.created","dsync.user.deleted"]}`,
			Answers: done(201, "The new consumer.", ref("EventConsumer")),
			Refuses: and(refuses(400, "invalid_cursor"), refuses(404, "entity_not_found"), refuses(409, "name_taken", "consumer_limit"),
				refuses(422, "invalid_name", "invalid_event", "invalid_id", "invalid_start", "too_many")),
		},
		{"GET", "/event_consumers/{name}"}: {
			ID: "getEventConsumer", Tag: tagConsumers, Summary: "Get a consumer",
			Answers: done(200, "The consumer.", ref("EventConsumer")), Refuses: gone(),
		},
		{"DELETE", "/event_consumers/{name}"}: {
			ID: "deleteEventConsumer", Tag: tagConsumers, Summary: "Delete a consumer",
			Answers: done(204, "Deleted.", nil), Refuses: gone(),
		},
		{"GET", "/event_consumers/{name}/events"}: {
			ID: "listEventConsumerEvents", Tag: tagConsumers, Summary: "Read the events after the acknowledged one",
			About: "The same events come again until they are acknowledged.",
			Query: []Parameter{asks("limit", pageLimit())}, Answers: done(200, "The next events, oldest first.", ref("EventList")),
			Refuses: and(gone(), refuses(422, "invalid_limit")),
		},
		{"POST", "/event_consumers/{name}/acknowledge"}: {
			ID: "acknowledgeEvents", Tag: tagConsumers, Summary: "Acknowledge events",
			About: "The cursor never goes back: acknowledging an earlier event changes nothing.",
			Body:  ref("Acknowledgement"), Example: `{"event_id":"event_01JDXA5Q0G8YQZP0R3M4T7W9KE"}`,
			Answers: done(200, "The consumer as it is now.", ref("EventConsumer")),
			Refuses: and(gone(), refuses(422, "required", "unknown_event", "foreign_event")),
		},
	}
}
