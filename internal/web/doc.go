// Package web is what every HTTP edge shares: handlers that return errors, the request id, the access log, limits,
// whose address a request came from, and the status each kind of refusal gets.
//
// It decides nothing about directories or people. An edge writes its own answers and its own error format; this package
// sees to it that each answer carries the request id found in the log, that a panic becomes a 500 which tells a stranger
// nothing, and that no header, query or body that may hold a secret reaches the log.
//
// It also has what all pages share: Site draws them from components (package ui) in the language of the browser (package words), and serves
// their files (package assets). The pages of sign-ins are here; those of the operator and of the IT admin are in rooms of their own.
//
// What must stay true:
//   - The request id is always ours. One sent by a client is ignored: it could be chosen to hide among another's lines.
//   - Forwarded headers count only when the connection comes from a proxy the operator has named.
//   - A log line never holds an Authorization header, a body, or a literal of a filter.
//   - A page is held to a Content-Security-Policy that runs and styles nothing inline.
package web
