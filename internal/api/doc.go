// Package api is the REST API: paths, JSON, cursors and error shapes of the WorkOS API, so that its official clients work after
// a change of their base URL, and routes of our own in the same style where WorkOS has none. Rollcall is not affiliated with WorkOS.
//
// The handler of New stands behind web.Front, which gives every answer its X-Request-ID, and is mounted at the root: it answers
// each path below it, those that are nobody's with a 404 in JSON.
//
// What must stay true:
//   - A handler takes a *call, and only the door (auth.go) makes one, so nothing here is reachable without a management key but the
//     OpenAPI document, which is the same for everybody.
//   - A request with an Idempotency-Key is carried out at most once (idempotency.go); one without it pays nothing for that.
//   - Every route is described in the package openapi, and every answer is as described there.
//   - Every body that is not empty is application/json, errors too: clients throw at anything else.
//   - What a stranger sends is never answered 5xx. Ids and cursors are checked for their form before a noun sees them, and no
//     text with U+0000 or broken UTF-8 gets further than here, because no database column can hold it.
//   - A secret is in the one answer that makes it and in no error.
package api
