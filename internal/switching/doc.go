// Package switching is the change of an organization's identity provider to another: which connection and directory go, which come, and who
// of the old side is who of the new.
//
// Words: a switch ("identity_provider_switch_…") has two sides, from and to. The counterpart of a person or group of the old side is the one
// of the new side that is the same. They are matched where exactly one is found, ambiguous where several could be meant or one by several,
// unmatched where none is; a hand may say otherwise.
//
//	            cut over                 14 days later
//	preparing ────────────▶ cut_over ───────────────────▶ finished
//	    │                      │
//	    └──▶ cancelled         └── within 14 days ──▶ reverted
//
// Invariants:
//   - an organization has one switch at most that is preparing or cut over;
//   - while it is prepared nothing but its own rows change: rows of a hand's words alone;
//   - who is ambiguous or unmatched is carried over by nobody: they stay as they are;
//   - of two people of the old side none ever has the other's counterpart;
//   - rows name ids alone, so that an erasure has nothing to take out of them.
//
// What a cut-over does to connections, directories, members and mappings is done by those rooms; lifecycle puts it together.
package switching
