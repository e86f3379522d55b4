package openapi

import "github.com/rollcallhq/rollcall/internal/event"

// brakeRanges are the settings of a brake, as requests and answers have them.
func brakeRanges(as func(string, *Schema) Member) []Member {
	return []Member{
		as("enabled", flag("Whether a burst is held.")),
		as("share_percent", count("More than this share of the active people: 1 to 99.")),
		as("people", count("And at least so many of them: 2 to 100000, so that nobody who leaves alone is ever held.")),
		as("window_minutes", count("Within so many minutes: 1 to 1440.")),
		as("hold_minutes", count("What is held follows by itself after so many minutes: 1 to 60.")),
	}
}

func holdMembers() []Member {
	return []Member{
		has("id", text("Id: directory_hold_….")),
		has("directory_id", text("The directory whose brake was engaged.")),
		has("organization_id", text("The directory's organization.")),
		has("state", choice("undone: its people are in again, until the directory writes them anew.", "waiting", "released", "undone")),
		has("reason", optionalText("Why it ended: by_hand, expired, switched_off or directory_deleted; null while it waits.")),
		has("count", count("People whom it has held.")),
		has("departed", count("People who had left within the window when it was engaged, the first of them not held.")),
		has("active", count("People who were active before the first of them left.")),
		has("engaged_at", moment("When the threshold was crossed.")),
		has("until", moment("When it is released by itself.")),
		has("ended_at", orNull(moment("When it ended, null while it waits."))),
	}
}

func brakeSchemas() map[string]*Schema {
	return map[string]*Schema{
		"DirectoryBrake": noun("directory_brake", append(append([]Member{has("directory_id", text("The directory."))}, brakeRanges(has)...),
			has("updated_at", moment("When the directory was changed last.")))...),
		"DirectoryBrakeSettings": object(brakeRanges(may)...),
		"DirectoryHold": noun("directory_hold", append(holdMembers(),
			has("ended_by", optionalText("Id of who ended it, null where nobody did.")),
			has("people", listOf("The first hundred, in the order of ids.", object(
				has("directory_user_id", text("The person of the directory.")),
				has("state", choice("kept: in again because the hold was undone; applied: all of it has followed; returned: the directory has let them in again.",
					"waiting", "kept", "applied", "returned")),
				has("says", choice("What the directory says of them.", "inactive", "removed")),
				has("held_at", moment("Since when.")),
			))))...),
		"DirectoryHoldList": page("DirectoryHold"),
	}
}

func brakes() map[Route]Operation {
	body := and(refuses(400, "invalid_json"), refuses(413, "body_too_large"), refuses(422, "invalid_character"))
	ended := and(gone(), refuses(409, "hold_ended"), body)
	return map[Route]Operation{
		{"GET", "/directories/{id}/brake"}: {
			ID: "getDirectoryBrake", Tag: tagDirectories, Summary: "Get the brake of a directory",
			About:   "While it is on, a burst of people who are shut out is held: they lose sessions and sign-in at once, and the rest waits for a hand or for its time.",
			Answers: done(200, "The brake.", ref("DirectoryBrake")), Refuses: gone(),
		},
		{"PUT", "/directories/{id}/brake"}: {
			ID: "setDirectoryBrake", Tag: tagDirectories, Summary: "Set the brake of a directory",
			About: "What is left out gets its default: off, 10 percent, 5 people, 15 and 60 minutes. Switching it off releases what it holds.",
			Body:  ref("DirectoryBrakeSettings"), Example: `{"enabled":true,"share_percent":10,"people":5,"window_minutes":15,"hold_minutes":60}`,
			Answers: done(200, "The brake as it is now.", ref("DirectoryBrake")), Refuses: and(gone(), refuses(422, "invalid")),
		},
		{"GET", "/directories/{id}/holds"}: {
			ID: "listDirectoryHolds", Tag: tagDirectories, Summary: "List what the brake of a directory holds or has held",
			About: "Newest first.", Query: paged(),
			Answers: done(200, "A page of holds.", ref("DirectoryHoldList")), Refuses: and(badPage(), gone(), refuses(422, "ambiguous")),
		},
		{"POST", "/directories/{id}/holds/{hold_id}/release"}: {
			ID: "releaseDirectoryHold", Tag: tagDirectories, Summary: "Release a hold",
			About:   "What waits follows at once: accounts end, licences are free, events are told.",
			Answers: done(200, "The hold as it is now.", ref("DirectoryHold")), Refuses: ended,
		},
		{"POST", "/directories/{id}/holds/{hold_id}/undo"}: {
			ID: "undoDirectoryHold", Tag: tagDirectories, Summary: "Undo a hold",
			About:   "Its people may sign in again, as they were, until the directory writes them anew: what it says then rules.",
			Answers: done(200, "The hold as it is now.", ref("DirectoryHold")), Refuses: ended,
		},
	}
}

// brakeKinds are the types of events that brakes have.
func brakeKinds() map[event.Type]Kind {
	hold := noun("directory_hold", holdMembers()...)
	return map[event.Type]Kind{
		event.DirectoryBrakeEngaged:  {"A burst of people was shut out, and the directory's brake holds what follows. Only for those who name it.", hold},
		event.DirectoryBrakeReleased: {"What a brake held follows now: by hand, by its time, or because brake or directory are no more. Only for those who name it.", hold},
		event.DirectoryBrakeUndone:   {"The people whom a brake held are in again. Only for those who name it.", hold},
	}
}
