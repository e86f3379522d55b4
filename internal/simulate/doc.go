// Package simulate plays an identity provider, so that Rollcall can be seen working and tried without a tenant anywhere: a SAML 2.0
// identity provider (NewSAML) and an OpenID provider (NewOIDC).
//
// # It signs in anybody as anybody
//
// Whoever opens its page chooses a person or types one, and is that person: there is no password, on purpose. A connection that trusts it
// has no lock. It is for demonstrations and tests on one's own machine; nothing mounts it unless it is asked for by name, and every page
// says so. Its keys are made at start and kept nowhere, so what trusts one run does not trust the next.
//
// Beside signing in it can misbehave: refuse, send a response for another application, an expired, unsigned or changed one, or one signed by
// an unknown key. So people see how Rollcall refuses, and what it tells the administrator.
//
// It knows no database. Codes, tokens and the last sign-ins are kept in memory, bounded in number and time.
package simulate
