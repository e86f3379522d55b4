// Package portal is the IT admin's pages: connecting an identity provider, and looking after it.
//
// Words: a visit is a request before the door, by somebody who asks for a link, opens one, or enters a code. A call is a request behind
// it: by a session of one organization. The table (routes.go) says which is which, and for which intents of a link a page is.
//
// What must stay true:
//   - only the door makes a call, and the organization of a call is that of its session: no handler reads one from a request, and what
//     is named in an address (a connection, a directory) is looked up among those of the organization;
//   - reading changes nothing; what changes something is posted, from our own pages, with the token of the session;
//   - a link made for one purpose opens the pages of that purpose alone;
//   - a page that was asked for before anybody was in is come back to only where the table has it and it does nothing when it is opened (resume.go): what a
//     browser remembers leads nowhere else;
//   - every page works without script.
package portal

//go:generate go tool templ generate -path . -log-level error
