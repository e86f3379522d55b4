// Package scim is the grammar of SCIM 2.0 (RFC 7643, RFC 7644 with their errata, RFC 9865): JSON documents, schemas, filters, paths,
// PATCH, projection, sorting, discovery and messages.
//
// It is pure: bytes and values in, values or typed refusals out. It knows no database, no organization and no HTTP. What it
// tolerates it tolerates for everybody, because it is safe for everybody: string booleans, letter case, members of the message in
// any case, old URNs, one object where a list is due. Mode.Strict refuses what the SCIM interoperability profile refuses.
//
// Documents are immutable by convention: Prepare and Apply give new ones that share what did not change.
package scim
