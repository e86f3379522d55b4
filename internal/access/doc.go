// Package access is what a member may be given, and what gives it: roles, permissions, teams, licence types, and the mappings by which a
// directory or a connection gives them.
//
// Words: a role ("role_…") is a name with a set of permissions; one of the installation is there for every organization, one of an
// organization for it alone. A permission ("perm_…") is a word that the app asks for. A team ("group_…", the contract's organization group)
// is a set of members; one that follows has its name and its people from a directory group. A licence type ("licence_type_…") is what an
// organization has bought, with as many seats as were bought. A mapping is the list of rules by which a source, that is a directory or a
// connection, says what its people get. A switch says whether the source drives roles, teams or licences at all.
//
//	person as the source describes them ──▶ Mapping.Map ──▶ Mapped: roles, teams, licence, attributes, profile
//	                                         pure; the member room decides what of it somebody gets
//
// Invariants:
//   - a mapping gives what its rules name and nothing else: that a group or a claim is called like a role means nothing;
//   - what is switched off is neither given nor taken;
//   - the role "member" is always there; it is neither deleted nor some organization's own;
//   - within an organization a slug names one role, its own or the installation's;
//   - a role that somebody holds or a mapping names is not deleted, nor a licence type;
//   - more seats than there are is taken by nobody, however many ask at once;
//   - people and name of a team that follows a directory group are changed by the directory alone.
//
// Who holds a role or a licence is written by the member room; here it is only counted.
package access
