// Package org is the organizations: the app's customers, their domains, and the installation's management key.
//
// Words: an organization ("org_…") is a customer of the app. An organization domain ("org_domain_…") is an internet domain it says
// is its own; what it may do with people depends on whether that is verified.
//
// States of a domain: pending ──▶ verified, or failed. It counts for nothing until it is verified.
//
// Invariants: an external id names one organization; a domain is verified for one organization at most; every other noun belongs
// to exactly one organization.
package org
