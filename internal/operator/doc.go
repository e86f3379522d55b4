// Package operator is who may use the dashboard: the people who run this installation.
//
// Words: an operator ("operator_…") is one of them, with a role: an owner may do everything, an admin everything but look after operators, and who
// is read_only changes nothing but their own sign-in. A link is a secret in an address that signs in once. A passkey ("operator_passkey_…") is a key
// that a device or a password manager holds (WebAuthn level 3); it signs in for good. A session ("operator_session_…") is a browser that is signed in.
//
// There are no passwords. The first operator comes by the link that a start prints while there is none, everybody else by a link that the
// server's command line or an owner makes; whoever has come in by one may keep a passkey.
//
// States of a link:
//
//	open ──▶ used
//	  │
//	  └────▶ expired: after 24 hours that of a start and that of an owner, after 15 minutes that of the command line; at once where its operator is
//	         removed, and that of a start where somebody else has become the first operator
//
// Invariants:
//   - of links, and of what sessions are known by, only the hash is stored;
//   - a link, and a challenge, is good once, and for nothing but what it was made for;
//   - a passkey counts only with the person verified by the device (user verification), and at the one host that it was made for;
//   - where there are operators one of them at least is an owner;
//   - who is removed is out with the same transaction: sessions, links and passkeys;
//   - the role is read with each request: less is less at once.
package operator
