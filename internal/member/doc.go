// Package member is who is in, how, why, and how they leave: users, their identities and organization memberships.
//
// Words: a user ("user_…") is a person's account in the app, across organizations. An identity says whose account stands behind a
// connection's idp id. An organization membership ("om_…", "member" in short) is a user's place in one organization: a primary member's
// account belongs to the organization, a guest's does not. An arrival is somebody whom an identity provider has just vouched for; an
// admission is the decision to let them in.
//
// A claim is what one directory says of a person.
//
// Everything that anybody says of a membership is kept, and its state is drawn from all of it at every change (Decide); the table, the
// diagram and what every why means are in docs/reference/membership.md. Each change goes the same way: read the account with its memberships
// and claims, change what is claimed, settle, and write what has become of it under the guard of what was read (account, accountInto).
//
// How an arrival becomes somebody, in this order (Admit): by the identity; by the membership that was joined with the same directory
// person; by the address, inside a domain that the organization has verified; else as a new account. Nothing else links.
//
// Invariants:
//   - (connection, idp id) is one account for ever; no other idp id of the connection takes the account over because of its address:
//     that takes the directory's word that both are one person, under the idp id itself, or somebody's hand (Unlink);
//   - an organization acts on an account only inside its verified domains: elsewhere it neither links, nor names, nor owns it;
//   - whom a directory wants out, or has dropped, nobody lets in but a directory; what a hand has blocked only a hand lifts;
//   - an account is deprovisioned exactly while the directories of the organization where it is at home want the person out;
//   - a member who is only a guest is never joined with a directory person for signing in, unless their address lies in a verified domain;
//   - an account is primary in one organization at most, and a membership is primary exactly where the account is at home;
//   - two living accounts never share an address, two memberships of an organization never a directory person;
//   - who proves an address that nobody had proven gets the account alone: identities that others made for it are gone;
//   - who is shut out of an organization loses sessions, codes and tokens of it in the same transaction;
//   - a deleted account leaves a bare row, and events without what is personal.
package member
