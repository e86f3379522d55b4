// Package simulate plays an identity provider, so that Rollcall can be seen working and tried without a tenant anywhere: a SAML 2.0
// identity provider (NewSAML), an OpenID provider (NewOIDC) and the SCIM client of a known provider (NewSCIMClient).
//
// # It signs in anybody as anybody
//
// Whoever opens its page chooses a person or types one, and is that person: there is no password, on purpose. A connection that trusts it
// has no lock. It is for demonstrations and tests on one's own machine; nothing mounts it unless it is asked for by name, and every page
// says so. They sign with the keys that they are given; without one a provider makes its own, which lasts as long as it runs.
//
// Beside signing in it can misbehave: refuse, send a response for another application, an expired, unsigned or changed one, or one signed by
// an unknown key. So people see how Rollcall refuses, and what it tells the administrator.
//
// It knows no database. Codes, tokens and the last sign-ins are kept in memory, bounded in number and time.
//
// # The SCIM client
//
// A Sender is a page of the test identity provider that plays one to a directory whose address and token are typed there.
//
// A SCIMClient does to any SCIM server what Okta, Entra ID and others do to it, request by request, and says of each answer what the
// provider's administrator would see. How a provider talks is data: simulate.json in its folder of the catalogue, an idp.Dialect. A move, such
// as "hire", is a list of steps; a step is a request with the kind of answer that it wants, and the words for what may come.
//
//	{"when": ["!user.id"], "send": "POST /Users", "takes": "made user", "body": {…}, "says": {"done": "user created"}}
//
// Requests and sentences are templates with names in braces:
//
//	{{person.…}}   as the provider knows them: id (the provider's own), userName, email, firstName, lastName, name, nickname, title, department,
//	               employeeNumber, phone, city, manager, managerId (the server's id of the manager), role, active (activeText), enterprise
//	{{user.…}}     as the server shows them: id, document, changed (the document with the provider's values), linked, inactive, wanted
//	{{changes.…}}  what differs, by the attribute mapping: any, filtered (those with a filter, and removals), values (the others, by path), nested
//	{{group.…}}    id, externalId, name, newName, members, added, removed, staying, differs
//	{{item.…}}     one of a list: id, userName and name of a member, operation of a change, text and uuid in a mapping
//	{{answer.…}}   in sentences: status, reason, detail, type, problem
//	{{stable.…}}   uuid, base, hex, number: the same for the same name and seed; {{random.…}}: uuid, password
//	{{page.start}} of an import
//
// A body is JSON. A name that stands alone takes its value's kind; where there is none the member is left out, or is null with "{{name|null}}" and
// "" with "{{name|}}". Objects with marks are filled in: {"«part»": P} by a part of the dialect, {"«each»": LIST, "«give»": T} by T for
// each element, {"«when»": NAME, "«give»": T} by T if the name has a value, and {"«from»": T, …} by T with the other members laid over it.
package simulate
