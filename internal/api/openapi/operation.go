package openapi

import "slices"

// Route names an operation: method and pattern of the URL table.
type Route struct{ Method, Pattern string }

// Operation is what one method does at one address.
type Operation struct {
	ID      string // operationId, unique
	Tag     string
	Summary string // a line
	About   string // sentences; may be empty
	Query   []Parameter
	Body    *Schema
	Sparse  bool   // the body may be left out
	Example string // a body
	Answers map[int]Answer
	Refuses map[int][]string // status → codes, beside those that belong to every operation
}

// Parameter is one of the query.
type Parameter struct {
	Name   string
	Schema *Schema
	List   bool // takes several values, joined by commas
}

// Answer is a success. A nil Schema is no body.
type Answer struct {
	About  string
	Schema *Schema
	Type   string // media type; application/json if empty
}

// Operations are all that are described.
func Operations() map[Route]Operation {
	all := map[Route]Operation{}
	for _, part := range []map[Route]Operation{
		organizations(), domains(), features(), policies(), switches(), apiKeys(), directories(), brakes(), connections(), people(), events(), consumers(), webhooks(), applications(), signingKeys(), audit(), offboardings(), accounts(), memberships(), invitations(), sessions(), accessOperations(), portal(), document(),
	} {
		for route, op := range part {
			all[route] = op
		}
	}
	return all
}

// Schemas are the named ones.
func Schemas() map[string]*Schema {
	all := map[string]*Schema{"Problem": problem()}
	for _, part := range []map[string]*Schema{
		organizationSchemas(), domainSchemas(), featureSchemas(), policySchemas(), switchSchemas(), apiKeySchemas(), directorySchemas(), brakeSchemas(), connectionSchemas(), peopleSchemas(), eventSchemas(),
		consumerSchemas(), webhookSchemas(), applicationSchemas(), signingKeySchemas(), auditSchemas(), offboardingSchemas(), accountSchemas(), membershipSchemas(), invitationSchemas(), sessionSchemas(), accessSchemas(), portalSchemas(),
	} {
		for name, s := range part {
			all[name] = s
		}
	}
	return all
}

// problem is what every refusal looks like.
func problem() *Schema {
	return object(
		has("code", text("What is wrong, for programs.")),
		has("message", text("What is wrong and how to mend it, for people.")),
		may("errors", listOf("With 400 and 422: each fault.", object(
			has("code", text("What is wrong, for programs.")),
			may("field", text("The field or parameter. Always there with 422.")),
			has("message", text("What is wrong, for people.")),
		))),
		may("confirm", count("With people_left_out, people_unmatched, groups_unmatched and people_leaving: the number that confirms the request.")),
		may("request_id", text("Names the request in Rollcall's log; the same as in the header X-Request-ID.")),
	)
}

// paged adds the parameters of every list. ascending says that the oldest come first where nothing else is asked for.
func paged(more ...Parameter) []Parameter {
	return slices.Concat([]Parameter{
		{Name: "before", Schema: text("An id from a list: the page of entries before it.")},
		{Name: "after", Schema: text("An id from a list: the page of entries after it.")},
		{Name: "limit", Schema: pageLimit()},
		{Name: "order", Schema: order()},
	}, more)
}

func order() *Schema {
	s := choice("Newest first (desc) or oldest first (asc). normal is the list's own order.", "normal", "desc", "asc")
	s.Default = "desc"
	return s
}

func pageLimit() *Schema {
	s := between(1, 100, count("Entries of a page."))
	s.Default = 10
	return s
}

func asks(name string, s *Schema) Parameter { return Parameter{Name: name, Schema: s} }

func done(status int, about string, s *Schema) map[int]Answer {
	return map[int]Answer{status: {About: about, Schema: s}}
}

// gone is what a lookup by id refuses with.
func gone() map[int][]string { return map[int][]string{404: {"entity_not_found"}} }

// and joins refusals.
func and(all ...map[int][]string) map[int][]string {
	out := map[int][]string{}
	for _, one := range all {
		for status, codes := range one {
			out[status] = append(out[status], codes...)
		}
	}
	return out
}

func refuses(status int, codes ...string) map[int][]string { return map[int][]string{status: codes} }

// badPage is what a list refuses with.
func badPage() map[int][]string {
	return map[int][]string{400: {"invalid_cursor"}, 422: {"invalid_limit", "invalid_order"}}
}

// Refusals are the codes that a status may come with: those of the operation and those of all operations of its kind.
func (op Operation) Refusals(route Route) map[int][]string {
	if op.Tag == tagDocument {
		return nil
	}
	all := and(refuses(400, "invalid_query"), refuses(401, "unauthorized"), refuses(429, "rate_limited"), op.Refuses)
	if op.keyed(route) {
		all = and(all, refuses(400, "invalid_idempotency_key"), refuses(422, "idempotency_key_reused"),
			refuses(409, "idempotency_in_progress", "idempotency_unknown", "idempotency_answer_not_kept"))
	}
	if op.Body != nil {
		all = and(all, refuses(400, "invalid_json", "unsupported_encoding", "body_incomplete", "body_too_slow"), refuses(413, "body_too_large"),
			refuses(422, "invalid_type", "invalid_character"))
	}
	return all
}
