// Package event is the append-only log of everything that changed: what happened, to what, when, and what caused it.
//
// Words: an event has an id ("event_…"), a type of the catalogue, data (the payload that consumers see), and a context (the actor
// and the exchange that caused it). A cursor is the id of the last event a reader has seen.
//
// Invariants:
//   - an event is appended in the transaction of the change it describes, so neither exists without the other;
//   - the log has one order, in which an event never appears before one that was already readable: a reader that follows a cursor
//     misses none and sees none twice, however many writers commit in parallel (see position.go for PostgreSQL);
//   - an event can be read as soon as the request that caused it was answered;
//   - events of one request that differ only in the person or the group are stored packed in one row and read as many.
package event
