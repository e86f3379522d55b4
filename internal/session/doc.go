// Package session is the rows of what keeps people signed in: sessions, authorization codes, access and refresh tokens, and the codes
// that are mailed to prove an address. It decides nothing about who may sign in: the issuer mints and checks, members end.
//
// Words: a session ("session_…") is one person in one browser, at one organization at most; the browser holds a cookie, and only the
// cookie's hash is stored. A new sign-in of the same person in the same browser, at the same organization and by the same way in, goes on
// in the session that is there, under a new cookie: applications that know it notice nothing, and what they hold still ends with it. At
// another organization it is a session beside it. Signing out at the browser ends all of that person's there, as people expect it. A grant ("grant_…") is what one application got by one code: all tokens that came of it. A code is redeemed
// once, an access token is shown until it expires, a refresh token is used once and followed by another of the same grant. A grant may
// have no session: where the app keeps the accounts, a sign-in ends in a profile. A magic auth ("magic_auth_…") is six digits and a link
// mailed to an address.
//
// States of a session: living ──▶ ended (with a reason, told by session.revoked), or expired: unused for its idle time, or at its end.
//
// States of a code: issued ──▶ used; of a refresh token: issued ──▶ used; and both, like access tokens, ──▶ taken back with their session,
// grant, application, profile, connection or organization, or expired.
//
// Invariants:
//   - what ends a session ends its codes and tokens in the same write, and appends one session.revoked;
//   - who writes tokens of a session holds the session's row and finds it living, who ends it holds the row alone: no token is written
//     beside the end of its session and survives it;
//   - of codes, tokens and cookies only the SHA-256 of 256 random bits is stored; a mailed code of six digits is sealed;
//   - a code, a refresh token and a magic auth are used by one write and no other;
//   - an address is mailed five codes an hour and ten a day at most, and 25 codes a day are looked at for it, in all processes together;
//   - a session is ended by any name that its provider has given it, and is told to the provider by the one of its last sign-in;
//   - whatever is found by a hash is found living, or not at all.
package session
