// Package alert is what is wrong, where somebody has to mend it: who is told of it once by mail, and once more when it is well.
//
// Words: an alert ("alert_…") is one thing that is wrong with one subject: a directory, a connection, a webhook endpoint, a licence type. Its kind says what is
// wrong, its stage how bad. A look asks the rooms below for everything of one kind, and comes to a sign for each subject: ill, well, or unsure.
// A rhythm is how long a directory, whose provider sends in rounds, is silent when all is well.
//
// States of an alert, of which there is one row for each kind and subject:
//
//	       ill                 ill for as long as its kind has patience
//	closed ────▶ open, not told ─────────────────────────────────────▶ open, told
//	   ▲              │                                                    │ worse: told again
//	   ├──────────────┘ well, or its subject is gone: nobody is told       │
//	   └───────────────────────────────────────────────────────────────────┘ well: told; its subject is gone, or nothing more is heard of it: nobody is
//
// The kinds, and when they are ill and well:
//
//	wrong_token          the provider comes with a wrong token, three times since its last good one │ it comes with a good one
//	refused_requests     the same request was refused three times within a day                      │ it was accepted, or not repeated for three days
//	missed_cycles        a provider that sends in rounds is silent for several of its usual ones    │ it comes
//	webhook_failing      nothing has arrived at an endpoint since; stage 2: it was switched off     │ something arrives
//	certificate_ending   the last certificate ends in 30 days; stage 2: it has ended                │ there is one that goes on longer
//	licence_full         people wait for a seat of a licence; stage 2: and are kept out so long     │ nobody does
//	client_secret_ending the client secret ends in 30 days; stage 2: in 7; stage 3: it has ended    │ it was renewed
//
// Invariants:
//   - an alert is opened, told and closed by a guarded write, with its mails and its line of the audit in the same transaction: however many
//     processes look, one of them tells;
//   - that something is wrong is mailed at most once a day for each alert, however often it comes and goes;
//   - only the contacts of the subject's organization are told, and the operator; of webhooks, which are the app's, and of seats, which the app sells, the
//     operator alone;
//   - strangers cannot have mails made at will: see wrong_token in docs/operate/alerts.md;
//   - looks read through indexes, and what they cost does not grow with what a provider sends;
//   - nothing of persons is stored.
package alert
