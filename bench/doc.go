// Command bench measures Rollcall beside a floor (bench/floor) in one run and
// prints a table of ratios.
//
// Absolute numbers belong to a machine and to what else runs on it; a ratio to
// a floor measured in the same seconds travels. So every figure is taken in
// rounds: inside a round floor and Rollcall take turns, the order rotates from
// round to round, the ratio is formed inside the round, and the median over the
// rounds is shown with the spread of the floor beside it. A cell whose floor
// spreads more than 30 % is measured again, a bounded number of times.
//
// The generator shares the cores with the servers. Its client is therefore a
// few hundred instructions of HTTP/1.1 over persistent connections, but it
// checks every answer: a wrong answer fails the cell, however fast it was.
//
//	go run ./bench                                all rows, both engines
//	go run ./bench -engine sqlite -rows create,get -rounds 5
//	go run ./bench -full                          with 1,000,000 users
//	go run ./bench -quick                         small sizes: does it work at all?
//	go run ./bench -stand-in                      the floor against itself: the noise of this machine
//
// Rows, as -rows takes them (their limits are in rows.go):
//
//	lookup get list patch put create   requests/s beside the floor, 8 connections
//	                                   (create at 32 as well), 1,000 people at first
//	noop        identical PUTs against changed ones, ours against ours
//	commit      creates at 32 connections over 1, 2 ms in every commit (SQLite)
//	entra       100 directories, 25 requests/s each, open loop: p99 from the moment
//	            each request was due
//	kill        two directories, 32 writers on the group of each, kill -9 three times,
//	            everything read back and compared with what was acknowledged
//	growth      p50 from the smallest of -sizes to each larger one, beyond the floor's
//	memory      resident set at the larger -sizes (SQLite)
//	member      adding and removing one member, group of -group members against empty
//	grouphead   GET of a group with excludedAttributes=members, the same comparison
//	members500  PATCH that adds 500 members to a new group, beside the floor
//	events      page of 100 by cursor at -events events, beside an indexed read of the same bytes
//	snapshot    records/s of GET /events/snapshot at 100,000 people, memory it takes (snapmem)
//	hook        event written to webhook received here: median of one at a time (hook), through
//	            two replicas (hooktwo, PostgreSQL), p99 at 500 events/s (hookload), beside an event
//	            that goes to 50 endpoints (hookfan), beside one that never answers (hookdead).
//	            Counted from before the request that causes the event is sent
//	signins     resident set after 1,000, 10,000 and 20,000 (-full: 100,000) SAML sign-ins, from the
//	            application's request to its code, each in a browser of its own
//	logout      200 members, each with a session at an application, deactivated by SCIM one at a time: from
//	            before the request is sent to the logout token received here, median; the note has the same
//	            from the answer on, which the commit comes before
//	reapply     a mapping that changes everybody at the second of -sizes, members made of all of them:
//	            people/s against those of the load before, and p99 of 200 SCIM requests/s all the
//	            while against before (reapplyp99)
//	pages       dashboard and portal of an organization of the second of -sizes, with a group for every 20
//	            people, one of each noun, a brake that holds a hundredth and a switch to a directory with
//	            everybody: each sort of page that links lead to, the slowest one's median; and the heaviest
//	            one with stylesheet, scripts and pictures (pageload). It fails where a row of either URL
//	            table was not met and is not among those left out
//	stream      how long after a request of the provider was sent it is on the page of exchanges that an operator
//	            has open: the page is asked as often as it says itself; the longest of 40 reads and writes
//	start       process start to the first right answer, at the largest of -sizes
//	size        the release binary
//
// CPU per request, the second figure, is that of the server and of a PostgreSQL
// started here; with -postgres-url only the server's can be seen.
//
// Nothing leaves the loopback, and every process started here is stopped by its
// process id, also after an error or Ctrl-C.
package main
