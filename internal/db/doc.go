// Package db is the only place that knows which database engine is underneath.
//
// Everything above writes one SQL text for both engines: $1 placeholders
// (a number may repeat or come out of order), the column types TEXT, BIGINT and
// BOOLEAN, times as UTC microseconds in a BIGINT, JSON as TEXT.
//
// There are three ways in:
//
//   - [DB.Query], [DB.QueryRow], [DB.Ask] and [DB.Snapshot] read outside any write;
//   - [DB.Write] is the hot write: its statements are data, gathered outside and
//     sent once, all or nothing. On SQLite waiting writes share one commit; on
//     PostgreSQL they travel as one pipelined batch;
//   - [DB.Tx] runs a function inside a transaction, for verbs that are not hot.
//
// Invariants:
//
//   - when Write or Tx returns nil, the change is on disk;
//   - when it returns an error, nothing of it is there, save for
//     [UnknownOutcomeError], which says that nobody can tell;
//   - an SQLite file belongs to one process at a time;
//   - no caller code runs while the SQLite writer serves a Write.
package db
