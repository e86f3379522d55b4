// Package mirror keeps what the directories hold as tables of the app's own PostgreSQL, through the public client.
//
// The first run takes a snapshot, every later one goes on in the log after the event that was applied last. That place is a row
// beside the tables, written in the transaction of the rows it speaks of: whenever the mirror ends, the tables are what the
// log says up to the place. The consumer on the server is told afterwards, so that operators see how far the mirror is; its
// place is never read.
//
// It stands beside the house: its database is a foreign one, of which it knows neither version nor owner. See
// docs/adr/0010-mirror.md.
package mirror
