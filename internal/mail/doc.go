// Package mail is the outbox: a mail is a row of the transaction that causes it, and is sent after.
//
// Words: a message is what somebody wants said to an address; a letter is a message made of a template, ready to be sent; a mail ("mail_…")
// is its row. A sender takes letters to their mail server, or into the log.
//
// States of a mail:
//
//	pending ──▶ sent
//	   │
//	   └──────▶ failed: refused for good, too late, or given up after a day
//
// A pending mail is claimed by a process for a few minutes, sent outside any transaction, and then marked. A process that ends between
// the two leaves it to be sent again when the claim has run out: a mail is sent once, unless a process is killed just there.
//
// Invariants:
//   - no mail leaves before its transaction is committed, and none is lost after;
//   - what a mail says is sealed, and gone once it is sent or given up; whom it went to is forgotten after 30 days, the row after 90;
//   - what proves something until a moment is not sent after it;
//   - neither an address nor a name can add a line to the header;
//   - errors are kept without addresses, and never with what the mail says.
package mail
