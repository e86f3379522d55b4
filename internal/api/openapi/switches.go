package openapi

import (
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
)

func switchCounts(words string) *Schema {
	return about(words, object(
		has("matched", count("Whose counterpart is certain: they are carried over.")),
		has("unmatched", count("For whom nobody was found: they stay as they are.")),
		has("ambiguous", count("Who could be several, or of whom several could be one: they stay as they are.")),
		has("only_new", count("Of the new directory, and nobody's counterpart.")),
	))
}

func switchSide(words string) *Schema {
	return about(words, object(has("connection_id", optionalText("Id: conn_….")), has("directory_id", optionalText("Id: directory_…."))))
}

func switchMembers() []Member {
	carried := "none: the old one had none; carried: the new one has got it; kept: the new one had its own. null before the cut-over."
	return []Member{
		has("id", text("Id: identity_provider_switch_….")),
		has("organization_id", text("Whose identity provider it is.")),
		has("state", choice("How far it is.", "preparing", "cut_over", "reverted", "cancelled", "finished")),
		has("from", switchSide("What goes.")),
		has("to", switchSide("What comes.")),
		has("directory_mapping", optionalText("What became of the mapping of the old directory. "+carried)),
		has("connection_mapping", optionalText("The same of the old connection.")),
		has("brake", optionalText("The same of the setting of the old directory's brake.")),
		has("people", switchCounts("People, now or at the cut-over.")),
		has("groups", switchCounts("Groups, now or at the cut-over.")),
		has("leaving", count("People who are in, and whose counterpart is not active: they are out with the cut-over.")),
		has("groups_lost", count("Groups without a counterpart that a mapping or a team counts on.")),
		has("cut_over_at", orNull(moment("When it was cut over."))),
		has("revertible_until", orNull(moment("Until when it can be reverted: 14 days after the cut-over."))),
		has("ended_at", orNull(moment("When it was reverted, cancelled or finished."))),
		has("created_at", moment("When it was begun.")),
		has("updated_at", moment("When it was changed last.")),
	}
}

func pairingMembers(side func() *Schema, by ...string) []Member {
	return []Member{
		has("id", text("Id of the old side; of the new where there is no old.")),
		has("match", choice("Whether the counterpart is certain.", "matched", "unmatched", "ambiguous", "only_new")),
		has("found_by", optionalText("By what it was found: "+strings.Join(by, ", ")+"; null where nothing was.")),
		has("organization_membership_id", optionalText("Whose membership it is: om_….")),
		has("old", about("As the old side has it; null where there is no old.", orNull(side()))),
		has("new", about("The counterpart; null where none is certain.", orNull(side()))),
		has("candidates", listOf("Ids of who could be meant, of an ambiguous one.", text("Id."))),
	}
}

func switchSchemas() map[string]*Schema {
	person := func() *Schema {
		return object(
			has("id", text("Id: directory_user_…; of the old side om_… for a member who only signs in.")),
			has("name", optionalText("Full name.")),
			may("email", text("Address.")),
			may("user_name", text("User name.")),
			may("external_id", text("externalId.")),
			may("active", flag("Whether the directory says that they are in.")),
		)
	}
	group := func() *Schema {
		return object(has("id", text("Id: directory_group_….")), has("name", optionalText("Display name.")))
	}
	return map[string]*Schema{
		"IdentityProviderSwitch":     noun("identity_provider_switch", switchMembers()...),
		"IdentityProviderSwitchList": page("IdentityProviderSwitch"),
		"NewIdentityProviderSwitch": object(
			has("from", about("What goes.", object(may("connection_id", optionalText("The old connection.")), may("directory_id", optionalText("The old directory: it is live."))))),
			has("to", about("What comes.", object(may("connection_id", optionalText("The new connection.")), may("directory_id", optionalText("The new directory: it collects (live: false)."))))),
		),
		"IdentityProviderSwitchPerson": noun("identity_provider_switch_person",
			pairingMembers(person, "hand", "external_id", "user_name", "email", "directory")...),
		"IdentityProviderSwitchPersonList": page("IdentityProviderSwitchPerson"),
		"IdentityProviderSwitchGroup":      noun("identity_provider_switch_group", pairingMembers(group, "hand", "external_id", "name")...),
		"IdentityProviderSwitchGroupList":  page("IdentityProviderSwitchGroup"),
		"IdentityProviderCounterpart":      object(has("new_id", optionalText("Who or what it is in the new directory; null: nobody."))),
		"IdentityProviderCutOver": object(
			may("expected_unmatched", orNull(count("How many people are unmatched or ambiguous."))),
			may("expected_groups_lost", orNull(count("How many groups without a counterpart a mapping or a team counts on."))),
			may("expected_leaving", orNull(count("How many people who are in will be out."))),
		),
	}
}

func switches() map[Route]Operation {
	const path = "/organizations/{id}/identity_provider_switches"
	one := ref("IdentityProviderSwitch")
	matching := []Parameter{asks("match", choice("Only those.", "matched", "unmatched", "ambiguous", "only_new"))}
	counterpart := `{"new_id":"directory_user_01JDXA5Q0G8YQZP0R3M4T7W9KE"}`
	return map[Route]Operation{
		{"GET", path}: {
			ID: "listIdentityProviderSwitches", Tag: tagOrganizations, Summary: "List an organization's identity provider switches",
			About: "Of one that is being prepared nothing is counted here.",
			Query: paged(), Answers: done(200, "A page of switches.", ref("IdentityProviderSwitchList")), Refuses: and(gone(), badPage()),
		},
		{"POST", path}: {
			ID: "createIdentityProviderSwitch", Tag: tagOrganizations, Summary: "Begin to switch an organization's identity provider",
			About: "The new connection can be tested and the new directory collects; neither invites, links or restricts anybody. An organization has one switch at a time that is preparing or can be reverted.",
			Body:  ref("NewIdentityProviderSwitch"), Example: `{"from":{"directory_id":"directory_01JDXA5Q0G8YQZP0R3M4T7W9KE"},"to":{"directory_id":"directory_01JDXA5Q0G8YQZP0R3M4T7W9KF"}}`,
			Answers: done(201, "The switch.", one),
			Refuses: and(gone(), refuses(409, "switch_open", "directory_live", "directory_not_live", "connection_not_open", "identity_provider_switching", "accounts_elsewhere"),
				refuses(422, "required", "kinds_differ", "same_connection", "same_directory", "unknown_connection", "unknown_directory")),
		},
		{"GET", path + "/{switch_id}"}: {
			ID: "getIdentityProviderSwitch", Tag: tagOrganizations, Summary: "Show an identity provider switch",
			About: "While it is prepared, counts are those of now.", Answers: done(200, "The switch.", one), Refuses: gone(),
		},
		{"GET", path + "/{switch_id}/people"}: {
			ID: "listIdentityProviderSwitchPeople", Tag: tagOrganizations, Summary: "List who is who in an identity provider switch",
			About: "Everybody of the old directory, members who sign in by the old connection alone, and those of the new directory who are nobody's counterpart. Found by externalId or user name, else by an address in a verified domain.",
			Query: paged(matching...), Answers: done(200, "A page of people.", ref("IdentityProviderSwitchPersonList")),
			Refuses: and(gone(), badPage(), refuses(422, "invalid_match")),
		},
		{"PUT", path + "/{switch_id}/people/{old_id}"}: {
			ID: "setIdentityProviderSwitchPerson", Tag: tagOrganizations, Summary: "Say by hand who is who",
			About: "After the cut-over too, of those who were not carried over; they are then.",
			Body:  ref("IdentityProviderCounterpart"), Example: counterpart, Answers: done(200, "The person.", ref("IdentityProviderSwitchPerson")),
			Refuses: and(gone(), refuses(409, "counterpart_taken", "already_matched", "switch_state", "no_directory"), refuses(422, "required", "unknown_counterpart")),
		},
		{"GET", path + "/{switch_id}/groups"}: {
			ID: "listIdentityProviderSwitchGroups", Tag: tagOrganizations, Summary: "List which group is which in an identity provider switch",
			About: "Found by externalId or by name, in any case.",
			Query: paged(matching...), Answers: done(200, "A page of groups.", ref("IdentityProviderSwitchGroupList")),
			Refuses: and(gone(), badPage(), refuses(422, "invalid_match")),
		},
		{"PUT", path + "/{switch_id}/groups/{old_id}"}: {
			ID: "setIdentityProviderSwitchGroup", Tag: tagOrganizations, Summary: "Say by hand which group is which", About: "Before the cut-over.",
			Body: ref("IdentityProviderCounterpart"), Example: `{"new_id":"directory_group_01JDXA5Q0G8YQZP0R3M4T7W9KE"}`,
			Answers: done(200, "The group.", ref("IdentityProviderSwitchGroup")),
			Refuses: and(gone(), refuses(409, "counterpart_taken", "switch_state", "no_directory"), refuses(422, "required", "unknown_counterpart")),
		},
		{"POST", path + "/{switch_id}/cut_over"}: {
			ID: "cutOverIdentityProviderSwitch", Tag: tagOrganizations, Summary: "Cut over to the new identity provider",
			About: "In one transaction: matched people keep membership, role, teams, licence and sessions; mappings go over with the groups' counterparts; the old connection lets nobody in and the old directory is not heard any more; " +
				"the new directory goes live, and its people are applied in the background. Whoever is not matched stays as they are. The new connection has to have been tested with success. Where a number differs, the refusal's member confirm is the right one.",
			Body: ref("IdentityProviderCutOver"), Sparse: true, Example: `{"expected_unmatched":2}`, Answers: done(200, "The switch.", one),
			Refuses: and(gone(), refuses(409, "people_unmatched", "groups_unmatched", "people_leaving", "connection_not_tested", "switch_state"),
				refuses(422, "connection_incomplete", "invalid_number")),
		},
		{"POST", path + "/{switch_id}/revert"}: {
			ID: "revertIdentityProviderSwitch", Tag: tagOrganizations, Summary: "Go back to the old identity provider",
			About: "Within 14 days after the cut-over. The old connection and directory rule again, as the latter is by then; mappings and claims are those of before. " +
				"People who came by the new one alone stay as they are, as when a directory is deleted. Sessions through the new connection end.",
			Answers: done(200, "The switch.", one), Refuses: and(gone(), refuses(409, "switch_state")),
		},
		{"POST", path + "/{switch_id}/cancel"}: {
			ID: "cancelIdentityProviderSwitch", Tag: tagOrganizations, Summary: "Cancel a switch before its cut-over",
			About: "Everything stays as it is.", Answers: done(200, "The switch.", one), Refuses: and(gone(), refuses(409, "switch_state")),
		},
	}
}

// switchKinds are the types of events that switches have. WorkOS has none of them.
func switchKinds() map[event.Type]Kind {
	one := noun("identity_provider_switch", switchMembers()...)
	return map[event.Type]Kind{
		event.SwitchCreated:   {"An organization has begun to switch its identity provider.", one},
		event.SwitchCutOver:   {"An organization's new identity provider rules in the place of the old one.", one},
		event.SwitchReverted:  {"The old identity provider rules again.", one},
		event.SwitchCancelled: {"A switch was given up before its cut-over.", one},
		event.SwitchFinished:  {"A switch can be reverted no more: the old connection and directory can be deleted.", one},
	}
}
