package openapi

import (
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

func accountMembers() []Member {
	return []Member{
		has("id", text("Id: user_….")),
		has("email", text("Address, as it was given.")),
		has("email_verified", flag("Whether it lies in a domain that the person's organization has verified, or was proven by a mailed code.")),
		has("first_name", optionalText("First name.")),
		has("last_name", optionalText("Last name.")),
		has("name", optionalText("Full name.")),
		has("profile_picture_url", optionalText("Picture.")),
		has("locale", optionalText("Language.")),
		has("external_id", optionalText("The app's own id for the person.")),
		has("metadata", metadata(text(""), typeObject)),
		has("last_sign_in_at", orNull(moment("When the person last signed in."))),
		made(), changed(),
	}
}

// whys are the reasons of memberships.
func whys() []string {
	var out []string
	for _, w := range member.Whys() {
		out = append(out, string(w))
	}
	return out
}

// roleSources are why members have their roles.
func roleSources() []string {
	var out []string
	for _, s := range member.RoleSources() {
		out = append(out, string(s))
	}
	return out
}

func placeMembers() []Member {
	role := object(has("slug", text("The role's name for programs.")))
	return []Member{
		has("id", text("Id: om_….")),
		has("user_id", text("Whose membership it is.")),
		has("organization_id", text("In which organization.")),
		has("status", choice("pending until the first sign-in; inactive when shut out.", "active", "inactive", "pending")),
		has("why", choice("What put it into this state.", whys()...)),
		has("primary", flag("Whether the account belongs to this organization; else the person is a guest.")),
		has("role", role), has("role_source", choice("Why they have it: see membership in the reference. last_administrator: a mapping would take it, and nobody else has a role of administrators.", roleSources()...)), has("roles", listOf("The same role.", role)),
		has("licence", optionalText("The licence type that is held, null for none.")),
		has("wanted_licence", optionalText("The licence type that would be held if a seat were left.")),
		has("directory_managed", flag("Whether a directory has the person.")),
		has("custom_attributes", anything("What the directory's or connection's mapping gives, by name.")),
		has("joined_at", orNull(moment("When the person first came in, null if never."))),
		made(), changed(),
	}
}

// memberKinds are the types of events that accounts and memberships have.
func memberKinds() map[event.Type]Kind {
	user, place := noun("user", accountMembers()...), noun("organization_membership", placeMembers()...)
	return map[event.Type]Kind{
		event.UserCreated: {"An account was made, by a first sign-in.", user},
		event.UserUpdated: {"An account's address or names changed, its address was proven, or it became an organization's own. A sign-in alone is no change.", user},
		event.UserDeleted: {"An account was deleted, after its memberships.", user},

		event.UserDeactivated: {"The directory of the organization that an account belongs to has deprovisioned it: the person is out everywhere. Only for those who name it.", user},
		event.UserReactivated: {"That directory has given the account back. Only for those who name it.", user},

		event.LicenceLimitReached: {"Somebody got in without the licence that they were to have: no seat was left. Only for those who name it.", place},

		event.OrganizationMembershipCreated: {"Somebody became a member of an organization, or came back.", place},
		event.OrganizationMembershipUpdated: {"A membership changed: its status, for one.", place},
		event.OrganizationMembershipDeleted: {"Somebody was taken out of an organization.", place},
	}
}
