// Package idp is the catalogue of identity providers: what Rollcall knows about
// each of them, as data. One folder under catalog/ is one provider; adding a
// provider is adding a folder, never a line of Go.
//
// # A folder
//
//	catalog/okta/idp.json                      name, protocols, types, claim names, quirks, signs
//	catalog/okta/traffic/01-assign.traffic     what it sends, what it must be answered
//	catalog/okta/saml.md, oidc.md, scim.md     how an IT admin connects it by each protocol
//	catalog/okta/logo.svg                      a tile with letters of its name, drawn by logogen
//	catalog/okta/simulate.json                 how its SCIM client is played (see [Dialect] and internal/simulate)
//
// [Load] reads and checks all of it; a fault names file and line. The folder's
// name is the provider's slug and is stored beside a directory or connection,
// so a slug is never renamed. A rank in idp.json puts a provider among the most used, which lists show first.
//
// demo/ is written like catalog/ and holds the demo's test identity provider alone, which lets anybody in as anybody: [LoadForDemo] reads
// it, [Load] does not.
//
// Leniency that is safe for everybody (string booleans, letter case, explicit
// nulls) lives in the SCIM grammar and is on for everybody. A [Quirk] is
// behaviour that would be wrong with another provider; it is on only where an
// idp.json lists it, and no Go code asks for a provider by name.
//
// # A guide
//
// A guide is Markdown that reads well by itself; the set-up pages and the pages
// under docs/providers are made from it. Raw HTML, images and links that are not
// https are refused.
//
//	# Okta by SAML               title: the provider's name, "by", the protocol
//	One or two paragraphs.       what the admin will have, rights needed, how long it takes
//	## Create the application    each is a step: one screen of the provider, in the imperative
//	1. Press **Next**.           what to click; bold is what is written there
//	> A trap.                    a note
//	## Good to know              optional: bullets, and blocks to copy
//	## Troubleshooting           last: a table, | You see | Why | What to do |, two rows or more
//
// Fenced blocks, the word behind the backticks first; one entry per line:
//
//	copy     Label at the provider: value              values may hold {{placeholders}}
//	map      name we read: attribute of the provider   for SCIM: path of the SCIM attribute
//	ask      field: Label at the provider — hint       the hint may be left out; a line "or" parts alternatives, best first
//	check    metadata                                  what Rollcall sees for itself
//	xml, …   lines to copy as a whole                  one of [Languages]; placeholders as in copy
//
// [Placeholders], [AskFields] and [Checks] are closed lists for each protocol. A
// guide of SAML shows {{acs_url}} and {{sp_entity_id}}, or {{sp_metadata_url}},
// and the check metadata; one of OpenID Connect {{redirect_uri}} and the check
// discovery; both ask once, for all that a connection needs, and end with the step
// "Test the sign-in" and the check test_sign_in. A guide of SCIM shows
// {{scim_url}} and {{scim_token}} and the checks first_request and first_user.
//
// # A traffic story
//
// A story is a conversation as the provider holds it, with what it must be
// answered and which events must follow. The first sign of a line says what it
// is; a blank line ends a step.
//
//	# Assignment looks the person up, then creates        title, then free remarks
//	= type okta scim v2.0                                 the directory it runs in
//	= covers B1 T13 61 91                                 dialect, tolerance, statement
//	= header User-Agent: Okta SCIM Client 1.0.0           sent with every request
//
//	# Nobody has this name yet                            name of the next step
//	> GET /Users?filter=userName+eq+%22ada%40example.com%22
//	< 200
//	< {"totalResults": 0, "Resources": []}
//
//	> POST /Users
//	> {"userName": "ada@example.com",
//	>  "active": true}
//	< 201
//	< Location: «any»/Users/{{ada}}
//	< {"id": "{{ada}}", "active": true}
//	! dsync.user.created {"id": "{{ada}}", "state": "active"}
//
// Settings ("= word …") stand before the first step:
//
//	= type T       a directory type of the closed list [DirectoryTypes]; required
//	= covers …     B1–B13, T1–T20 and statement numbers of the conformance list
//	= strict       the directory refuses what the interoperability profile refuses
//	= auth V       bearer (default), raw (the token without a scheme) or none
//	= header N: V  sent with every request; a Content-Type only with those that have a body
//
// Requests (">") are the method and the target below the directory's base
// address, sent byte for byte (a trailing "?", "//Users" and unescaped signs
// included), then headers, then the body: the first line that cannot be a
// header, or whatever follows an empty ">" line. A header of a step replaces
// the one of the story.
//
// Answers ("<") are one or several statuses ("200|204"), headers and a JSON
// pattern. An answer with status 204 or 304 must have no body, whatever the
// pattern says; every other body must be SCIM JSON, and every body of a status
// from 400 up a SCIM Error (RFC 7644 §3.12): the runner checks that unasked.
//
// Events ("!") are compared exactly and in order: the type, the word "derived"
// if the event's context must say that Rollcall derived it ("derived?" if it
// does not matter), and a pattern for its data. Lines that begin with "!" and
// two blanks continue the pattern. A first line "! any order" lifts the order. A
// step that writes must name its events or say "! none"; a step that reads
// must cause none. Only dsync.* events are compared, and dsync.activated only
// in a story that names it.
//
// # Patterns
//
//	{"a": 1}            an object with at least these members, each matching
//	[1, 2]              exactly these elements in this order
//	["«any order»", …]  exactly these elements, in any order
//	["…", …]            at least these elements, in any order
//	"*"                 any value, null included, but not absent
//	"«absent»"          the member is not there
//	"«none»"            unassigned: absent, null or [] (RFC 7643 §2.5)
//	"«any»/Users/x"     any run of characters inside a string
//	"{{ada}}"           first use in an answer or event: any non-empty string,
//	                    remembered; later: that very string, also in requests
//
// The names base (the directory's address) and token are known from the start.
// In a request a name must have been remembered before; the parser says where
// one was not.
package idp
