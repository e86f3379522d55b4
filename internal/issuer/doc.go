// Package issuer is the OpenID provider towards the apps: applications and their secrets, signing keys, codes redeemed for tokens, what
// tokens say and for how long, and the telling of applications that a session has ended.
//
// Words: an application ("conn_app_…") is an OpenID client, known outside by its client id ("client_…"). One is there from the first
// start: the default application, whose client id is the installation's, and whose secrets include the management key on the compatible
// routes. A public application has no secret. An authorization is what an application asks for, checked; the browser carries it,
// sealed, to the provider and back. A grant is what a sign-in gives an application; its rows are package session's. A logout delivery tells
// one application of the end of one session (OpenID Connect Back-Channel Logout 1.0).
//
// States of a signing key: shown ──▶ signs (a day later) ──▶ shown ──▶ kept, for hints in old ID tokens. The very first one of an
// algorithm signs at once.
//
// States of a logout delivery: pending ──▶ delivered, or failed: after 24 hours, or at once where the application refuses it (400).
//
// Invariants:
//   - a redirect goes to an address that the application has registered, compared byte by byte, or not at all;
//   - a code is redeemed by one write: of its application, redirect URI, style, PKCE verifier and session; shown again it ends its grant;
//   - a refresh token is used by one write; shown again it ends its grant;
//   - another application's code or token answers like one that never was, and nothing happens to it;
//   - whether the person may still come in is asked at each redemption and each refresh;
//   - the issuer comes from the configuration, never from a request;
//   - private keys are sealed where they are stored, and secrets are hashes;
//   - nothing is called inside a transaction, and nobody but who the policy permits.
package issuer
