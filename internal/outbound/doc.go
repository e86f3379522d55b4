// Package outbound calls out to the world, never into private networks.
//
// Addresses to call come from people: whoever may name a webhook target could otherwise have this server read what only it can
// reach, such as a cloud's metadata service. So:
//
//   - a target's address is looked at when the connection is made, after its name was resolved: a name that means one thing when it
//     is checked and another when it is dialled gains nothing;
//   - only public addresses are called, and private ones that the operator has named (--allow-target);
//   - plain http goes only to addresses that the operator has named;
//   - redirects are not followed, proxies of the environment not used, and every call has an end.
package outbound
