// Package directory is an organization's feed of people: directories and their tokens, directory users, directory groups and
// who is in them, and the exchanges that brought them about.
//
// Words: a directory user and a directory group are what the identity provider wrote, as a SCIM document beside the few
// columns that are searched by. active is SCIM's: "the provider wants this person in". A member value that names nobody yet is
// parked. An exchange is one recorded SCIM request with its answer and effect.
//
// States of a directory:            of a directory user:
//
//	unlinked ── first accepted ──▶ linked      active ◀── active:true ──── inactive
//	            SCIM request                     │ └──── active:false ──────▶ │
//	(deleted: kept only for old ids)             └─ refused request that asked for active:false ─▶ suspended (sign-in only;
//	                                                any accepted write of active lifts it)
//
// What opens a directory: a token of its own, or an API key of its organization with the permission scim. What the organization's
// feature directory_sync closes: all of it, for everybody, until it is switched on again.
//
// Invariants:
//   - every statement names the directory (or the organization) it may touch;
//   - one verb is one transaction: the document, the membership, the events and the exchange commit together;
//   - a write is computed outside and guarded by the version it was computed from; who loses the guard computes again;
//   - what consumers were told of a person is in the person's row, and every write tells the difference to what they should know;
//   - two views of a group: SCIM shows what the provider wrote, events and API show the active people in it;
//   - nothing here does input or output other than through db.
package directory
