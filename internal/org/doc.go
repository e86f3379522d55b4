// Package org is the organizations: the app's customers, their domains, API keys and features, and what the installation keeps of its
// own: management key, client id, the key of a test identity provider.
//
// Words: an organization ("org_…") is a customer of the app. An organization domain ("org_domain_…") is an internet domain it says
// is its own; what it may do with people depends on whether that is verified. An API key ("api_key_…") is a secret that the
// organization's own programs show, with permissions that mean what the app wants; the permission "scim" means that the key is good for
// the organization's directories. A feature is what the operator switches on and off for an organization; it is on until it is
// switched off. The doors are those who remember whom they let in.
//
// States of a domain; only a verified one counts:
//
//	             TXT record found, by DNS
//	pending ────────────────────────────────▶ verified
//	 │   ▲       or the operator vouches: manual    ▲
//	 │   └─ asked for again ─┐                      │ the operator vouches,
//	 └────────────────────▶ failed ─────────────────┘ or asked for again and the record found
//	  30 days without a record,
//	  or verified for another organization
//
// A pending domain is proven by one of two TXT records (Domain.Records): "rollcall-domain-verification=<token>" at the domain itself, or
// "<token>" at _rollcall-domain-verification.<domain>. The DNS is asked half a minute after the domain is made, and then at ever longer
// distances, up to a day. A verified domain is not looked at again.
//
// States of an API key: good ──▶ expired (its end has come, for ever), and deleted from either.
//
// Invariants:
//   - an external id names one organization; every other noun belongs to exactly one organization;
//   - a domain is verified for one organization at most, and no refusal names that one to another;
//   - a deleted organization is found by nobody; its row is bare and stays for what points at it;
//   - what is made for an organization holds its row, so that nothing is made for one that is being deleted;
//   - of a secret only the hash is stored;
//   - the DNS is never asked inside a transaction.
package org
