// Package sso is an organization's ways to its identity provider: connections, their certificates, what the providers assert of people,
// and every attempt to sign in.
//
// Words: a connection ("conn_…") is an organization's link to one identity provider, by SAML or OpenID Connect. Its key is in every
// address that the provider stores. A profile ("prof_…") is what the provider last asserted of a person; (connection, idp id) is who
// that is, the email address is data. An attempt ("sign_in_attempt_…") is one way to the provider and back, or an answer that came
// without having been asked for. A refusal is an outcome of an attempt: a stable code, what was wanted, what was got, who must mend it.
// A test is an attempt that ends in a list of checks and in nothing else.
//
// States of a connection:               of an attempt:
//
//	draft ──has what its protocol needs──▶ validating          at_provider ──▶ succeeded
//	  ▲ └────────lost it─────────┘            │ first success       ├────────▶ failed
//	  │                                       ▼                     └────────▶ timed_out (ten minutes)
//	  └──────── taken away ──────────────── active ◀──by hand──▶ inactive
//
// Invariants:
//   - a connection is found by the address that was called, and where several have one path by the open request that is answered, never by
//     what a message says of its issuer; what is verified has to say the same, and at one organization's host no other's connection is found;
//   - nothing is decided by what was not verified: an unverified message can at most choose the attempt its refusal is noted at, and
//     that only for the browser that made the attempt;
//   - an attempt is used once and an assertion is used once, whatever processes there are;
//   - a sign-in that was begun before its connection was switched off or deleted does not end in a session;
//   - what a provider sends without having been asked is never a sign-in;
//   - a stranger can fill no table: what belongs to no attempt is kept a hundred times per connection, and open attempts are so many at most
//     per browser (the oldest times out) and per network (the next is refused);
//   - whether a person may come in, and with which address, is decided elsewhere (member, lifecycle): here it is found out who it is;
//   - what is noted of a person can be found and taken out when they are to be forgotten;
//   - client secrets, private keys and what providers sent are sealed; the network is never asked inside a transaction.
package sso
