// Package scimapi is the SCIM 2.0 edge of a directory (RFC 7643, 7644 and 9865): it parses a request, calls one verb of
// internal/directory and translates the answer. What a change means is decided below; how it is said on the wire, here.
//
// A request passes through these rooms:
//
//	routes.go     which resource an address names, and the table of methods
//	door.go       the bearer token or API key; the only way to make a call
//	users.go      groups.go  list.go  bulk.go  discovery.go: one family of handlers each
//	answer.go     errors.go: what goes back
//	exchange.go   what is recorded of it, with effect.go for its words and redact.go for what must not be kept
//
// What must stay true:
//   - A handler is a func(*call) error and only the door makes a call, so a handler that serves strangers does not compile.
//     The one thing a stranger may read is the ServiceProviderConfig, as RFC 7643 section 5 asks.
//   - Strangers get one answer, whether the token or the address is wrong: neither can be tried out.
//   - Every request leaves an exchange. That of a change is part of the change's transaction, so there is no change without
//     a recorded cause; those of reads, no-ops and refusals are handed to a buffer.
//   - No password and no token is ever in an exchange or a log line.
//   - A refused request that asked to deactivate a person stops that person's sign-in all the same: providers do not repeat
//     a request that was refused with 400, so a mistake in another attribute must not keep a leaver in. Nor must a feature that
//     is switched off: then a refused DELETE and the operations of a refused bulk request count too.
//   - Addresses in answers begin with a host that the operator has named, if one is: never with what a stranger put into Host.
//   - Nothing that a stranger sends makes a 5xx.
//
// It must be mounted on the prefix /scim/ ahead of any http.ServeMux: a mux redirects doubled slashes, which some providers
// send and do not follow.
package scimapi
