// Package signin is the browser's way in, and the OpenID provider that apps talk to. Like every edge it decides nothing: it parses, calls
// one verb, and answers with a redirect, a page or JSON. Serves says which paths are its own; the whole list is in routes.go.
//
// Cookies: one binds the steps of a browser to each other, one is the key of the session, new after every sign-in, one remembers what was
// typed last, one remembers for a minute that the browser was sent back to its provider. See web.Cookie.
//
// Forms of our own pages are taken from our own pages alone (http.CrossOriginProtection). What an identity provider posts comes from
// elsewhere by its nature: there the answer itself is proof, bound to the browser by its cookie. Where the cookie did not come along, which
// is what browsers do with a post from another site when there is no TLS, a page posts the same once more from here.
//
// Other origins: scripts of public applications may read the discovery document, the keys, tokens and the user info. All of these are
// answered without cookies, so the origin does not matter and is not asked.
//
// Refusals: a sign-in that is refused shows one page that is the same for all but its number. Routes that programs call answer in the form
// of RFC 6749, section 5.2, and are never stored.
package signin
