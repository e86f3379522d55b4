package openapi

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
)

const tagEvents = "events"

// Kind describes a type of event.
type Kind struct {
	About string // a sentence
	Data  *Schema
}

// Kinds describe every type of event, those of the catalogue and those that are being built.
func Kinds() map[event.Type]Kind {
	all := map[event.Type]Kind{
		event.OrganizationCreated: {"An organization was made.", ref("Organization")},
		event.OrganizationUpdated: {"An organization's name, external id, metadata or domains changed.", ref("Organization")},
		event.OrganizationDeleted: {"An organization was deleted, with all that was its.", ref("Organization")},

		event.OrganizationDomainCreated: {"A domain was added to an organization.", ref("OrganizationDomain")},
		"organization_domain.updated":   {"A domain's proof was asked for anew.", ref("OrganizationDomain")},
		"organization_domain.verified":  {"A domain was proven, or vouched for.", ref("OrganizationDomain")},
		"organization_domain.deleted":   {"A domain was removed from its organization.", ref("OrganizationDomain")},
		"organization_domain.verification_failed": {"A domain was not proven in time, or another organization proved it.", object(
			has("reason", choice("Why.", "domain_verification_period_expired", "domain_verified_by_other_organization")),
			has("organization_domain", ref("OrganizationDomain")),
		)},

		"api_key.created": {"An API key was made.", ref("ApiKey")},
		"api_key.updated": {"An API key's end was set.", noun("api_key", append(apiKeyMembers(),
			has("previous_attributes", object(has("expires_at", orNull(moment("What it was."))))))...)},
		"api_key.revoked": {"An API key was deleted.", ref("ApiKey")},

		event.DirectoryActivated:    {"A directory was made.", eventDirectory(true)},
		event.DirectoryDeleted:      {"A directory was deleted, with all its people and groups; none of them gets an event of its own.", eventDirectory(false)},
		event.DirectoryTokenCreated: {"A SCIM token was made.", eventToken()},
		event.DirectoryTokenRevoked: {"A SCIM token was revoked.", eventToken()},
	}
	for kind, k := range peopleKinds() {
		all[kind] = k
	}
	for kind, k := range connectionKinds() {
		all[event.Type(kind)] = k
	}
	for _, part := range []map[event.Type]Kind{memberKinds(), invitationKinds(), signInKinds(), accessKinds(), ownKinds(), policyKinds(), brakeKinds(), switchKinds()} {
		for kind, k := range part {
			all[kind] = k
		}
	}
	return all
}

func peopleKinds() map[event.Type]Kind {
	before := may("previous_attributes", anything("The old values of what changed, not descending into objects."))
	membership := object(has("directory_id", text("The directory of both.")), has("user", ref("DirectoryUser")), has("group", ref("DirectoryGroup")))
	return map[event.Type]Kind{
		event.DirectoryUserCreated: {"A person was added to a directory, or became active where inactive people are removed.", ref("DirectoryUser")},
		event.DirectoryUserUpdated: {
			"A person changed. This is also how somebody becomes inactive where inactive people are kept.",
			noun("directory_user", append(userMembers(), before)...),
		},
		event.DirectoryUserDeleted: {"A person was removed from a directory, or became inactive where inactive people are removed.", ref("DirectoryUser")},

		event.DirectoryGroupCreated: {"A group was added to a directory.", ref("DirectoryGroup")},
		event.DirectoryGroupUpdated: {"A group changed, other than in its members.", noun("directory_group", append(groupMembers(), before)...)},
		event.DirectoryGroupDeleted: {"A group was removed; no user_removed precedes it.", ref("DirectoryGroup")},

		event.DirectoryGroupUserAdded:   {"A person came into a group.", membership},
		event.DirectoryGroupUserRemoved: {"A person left a group.", membership},
	}
}

// ownKinds are the types that WorkOS does not have.
func ownKinds() map[event.Type]Kind {
	return map[event.Type]Kind{
		event.WebhookEndpointDisabled: {"A webhook endpoint failed for days and gets nothing any more.", noun("webhook_endpoint",
			has("id", text("Id: we_….")),
			has("endpoint_url", text("Where deliveries went.")),
			has("status", choice("Always disabled.", "enabled", "disabled")),
			has("events", listOf("The types it got.", text(""))),
			has("disabled_reason", text("Why it was disabled.")),
			has("failing_since", orNull(moment("Since when every delivery had failed."))),
			made(), changed(),
		)},
	}
}

// eventDirectory is a directory as events show it: active where the API says linked.
func eventDirectory(activated bool) *Schema {
	members := []Member{
		has("id", text("Id: directory_….")),
		may("organization_id", text("Whose directory it is.")),
		has("type", choice("What feeds it.", directoryTypes()...)),
		has("state", choice("active where the API says linked.", "active", "validating", "invalid_credentials", "inactive", "deleting")),
		has("name", text("Name, for people.")),
		made(), changed(),
	}
	if activated {
		members = append(members,
			has("external_key", text("The last part of its random SCIM address.")),
			has("domains", listOf("Always empty.", noun("organization_domain", has("id", text("Id of the domain.")), has("domain", text("The domain name."))))))
	}
	return noun("directory", members...)
}

func eventToken() *Schema {
	return noun("directory_token",
		has("id", text("Id: directory_token_….")),
		has("directory_id", text("Whose token it is.")),
		may("organization_id", text("The directory's organization.")),
		has("token_suffix", text("Its last four characters.")),
		made(),
	)
}

// SchemaOf names the schema of a type of event: dsync.user.created → EventDsyncUserCreated.
func SchemaOf(kind event.Type) string {
	name := "Event"
	for part := range strings.FieldsFuncSeq(string(kind), func(r rune) bool { return r == '.' || r == '_' }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

// served are the types that events can have now.
func served() []event.Type { return slices.Concat(event.Types(), event.OwnTypes()) }

func eventSchemas() map[string]*Schema {
	all := map[string]*Schema{
		"EventContext": object(
			may("actor", object(
				has("id", text("management_key, a directory, or an API key.")),
				has("source", choice("Where it was done. system: by a provider over SCIM, or by Rollcall itself.", "api", "dashboard", "admin_portal", "system")),
				has("name", optionalText("Name, if there is one.")),
			)),
			may("exchange_id", text("The recorded SCIM request that caused it.")),
			may("derived", flag("Concluded by Rollcall, not said by the provider.")),
			may("changes", &Schema{
				Type: []string{typeObject}, Description: "By setting what it was and is, where the event does not show that: of organization.updated.",
				Additional: object(may("before", &Schema{Description: "What it was."}), may("after", &Schema{Description: "What it is."})),
			}),
			may("reason", text("Why, where the type of the event does not say it: of session.revoked, like signed_out or user_deactivated.")),
		),
		"EventList": object(
			has("object", is("list")),
			has("data", listOf("The events of this page.", ref("Event"))),
			has("list_metadata", object(has("after", optionalText("Cursor of the next page, null at the end of the log: keep the last event's id.")))),
		),
		"SnapshotLine": {Description: "One line. Those between the first and the last are events without an id.", OneOf: []*Schema{
			noun("snapshot", has("cursor", optionalText("The event up to which the snapshot tells everything, null if there is none."))),
			noun("event", has("event", text("user.created, organization.created, organization_domain.created, dsync.activated, dsync.user.created, dsync.group.created, dsync.group.user_added or organization_membership.created.")),
				has("data", anything("What is there now.")), made()),
			noun("snapshot_end", has("cursor", optionalText("The same as in the first line.")), has("records", count("How many lines were between."))),
		}},
	}
	one := &Schema{Description: "An event; its type says what data holds."}
	kinds := Kinds()
	for _, kind := range served() {
		name := SchemaOf(kind)
		one.OneOf = append(one.OneOf, ref(name))
		all[name] = about(kinds[kind].About, noun("event",
			has("id", text("Id: event_….")),
			has("event", is(string(kind))),
			has("data", kinds[kind].Data),
			made(),
			has("context", ref("EventContext")),
		))
	}
	all["Event"] = one
	return all
}

// ascending: this list begins with the oldest.
func ascending(query []Parameter) []Parameter {
	for _, p := range query {
		if p.Name == "order" {
			p.Schema.Default = "asc"
		}
	}
	return query
}

func events() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/events"}: {
			ID: "listEvents", Tag: tagEvents, Summary: "Read the log of events",
			About: "Oldest first unless order says otherwise: a reader that keeps the id of the last event it has seen, and asks for what is after it, misses nothing and gets nothing twice.",
			Query: ascending(paged(
				Parameter{Name: "events", List: true, Schema: listOf("Only these types. Left out: all but our own.", &Schema{Type: []string{typeString}})},
				asks("range_start", text("Events from this time on, in ISO 8601.")),
				asks("range_end", text("Events before this time, in ISO 8601.")),
				asks("organization_id", text("Events of one organization.")),
			)),
			Answers: done(200, "A page of events.", ref("EventList")),
			Refuses: and(badPage(), refuses(422, "invalid_event", "invalid_date", "invalid_id", "too_many")),
		},
		{"GET", "/events/snapshot"}: {
			ID: "getSnapshot", Tag: tagEvents, Summary: "Read the present state as a stream",
			About: "What a new consumer begins with: everything there is, as of one event, from which it goes on reading.",
			Query: []Parameter{
				asks("organization_id", text("Of one organization.")), asks("directory", text("Of one directory.")),
			},
			Answers: map[int]Answer{200: {About: "JSON, one object a line.", Schema: ref("SnapshotLine"), Type: "application/x-ndjson"}},
			Refuses: and(refuses(404, "entity_not_found"), refuses(422, "invalid_id")),
		},
	}
}
