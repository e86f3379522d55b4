// Package webhook tells the app what happened: endpoints, deliveries, attempts.
//
// Words: an endpoint ("we_…") is an address of the app with the event types it wants and a secret. A delivery ("whd_…") is one event
// for one endpoint; an attempt ("wha_…") is one request made for it. A replay is a new delivery of an event that was delivered, or
// not, before: same event id, same body.
//
//	pending ──2xx──▶ delivered
//	   │ └──attempts used up──▶ failed
//	   └──endpoint disabled or deleted, event no longer in the log──▶ cancelled
//
// How it goes: every event is turned into one delivery for each endpoint that wants it, past a cursor of the log (fanout.go). Each
// endpoint is served by one process at a time (lease.go), by a worker that knows what must not overtake what (lanes.go, worker.go),
// outside transactions and requests (send.go).
//
// Invariants:
//   - every event appended after an endpoint was made and while it was enabled becomes exactly one delivery for it, whatever
//     processes come and go;
//   - a delivery is attempted until it is delivered, its attempts are used up, or it is cancelled: at least once, always with the
//     same id and body;
//   - an event about an entity is sent only when every earlier one that concerns it was delivered or given up, and that is on disk.
//     While an earlier one is being retried the later ones wait, for up to three days; other entities go on;
//   - an endpoint that does not answer costs the others nothing;
//   - who receives is never in a private network, unless the operator has named it.
package webhook
