// Package idempotency keeps the first answer to a request that carries an Idempotency-Key, so that a client which lost the answer
// may send the request again and nothing happens twice.
//
// Words: a key is what the client chose. A claim is its row: taken before the request is carried out, it holds the answer afterwards.
// A claim belongs to a caller (a management key) and a route (method and pattern), so that callers never meet each other's answers.
//
//	Begin ─▶ claimed ──Keep──▶ kept (or done, when the answer was too large to keep) ──24 h──▶ gone
//	            ├───Release──▶ gone: nothing was changed, so a repeat is a first request again
//	            └─2 minutes──▶ unknown ──24 h──▶ gone
//
// What is promised: within [Lifetime] a request with the same key is carried out at most once. The claim and what the request
// does are separate commits, so a process can die between them, or a database lose its connection in the middle of a commit.
// Then nobody knows whether the request took effect. Such a claim is never taken over: a repeat is refused with
// "idempotency_unknown" for the rest of its lifetime, and the client has to look for itself before it sends a new key. To wrongly
// refuse is a nuisance; to wrongly repeat makes a second organization or a second token.
//
// What must stay true:
//   - A claim is committed before the request is carried out, and one row can be claimed once, by whichever replica.
//   - Answers are sealed, bound to their row: they may hold a secret that is shown once. Of the key and of what was asked only
//     hashes are stored.
package idempotency
