// Package itadmin is whom we deal with at a customer about their identity provider: IT contacts, the links that let them into the portal,
// and their sessions there.
//
// Words: an IT contact ("contact_…") is an address of an organization that is written to when its identity provider, a certificate or a
// token changes, and that may ask for a link. A portal link ("portal_link_…") opens the portal of one organization, for one intent or for
// everything. A portal session ("portal_session_…") is what a link was opened to. A change notice is a change that contacts are still to
// be told of; it is written with the change by package event.
//
// Portal links, by who made them:
//
//	made by the app (API):  good ──▶ used   opens once, within LinkLife, for whoever opens it
//	mailed to a contact:    good            opens for MailedLinkLife, each time with a code that is mailed to the contact then
//
// and every link ends at its time, with its contact, and with its organization.
//
// Portal sessions:
//
//	            of a link of the app
//	   ┌──────────────────────────────┐
//	opened ──▶ waiting for the code ──▶ verified ──▶ ended: signed out, SessionLife over, contact removed, organization deleted
//	             a contact's               the cookie is another from here on
//
// Invariants:
//   - looking at a link changes nothing: programs that read mails open links too;
//   - a session serves one organization and one intent, and says so to whoever asks what it may;
//   - of links and cookies only hashes are stored; a code is sealed, and gone once it was entered;
//   - asking for a link does the same work for every address, known or not;
//   - a contact is told of each change once, in the transaction that forgets the notice.
package itadmin
