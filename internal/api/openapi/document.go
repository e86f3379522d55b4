package openapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Path is where the document is served. It needs no key.
const Path = "/openapi.json"

// apiVersion changes when a client would have to.
const apiVersion = "1"

const introduction = "The API of Rollcall, a self-hosted SCIM 2.0 directory-sync server. Paths, JSON and errors are those of the WorkOS API, " +
	"so its official clients work after a change of their base URL; what WorkOS does not have is in the same style. " +
	"Every request needs the management key as a bearer token. Unknown parameters and members are ignored. Times are UTC with milliseconds."

const tagDocument = "openapi"

// document describes itself.
func document() map[Route]Operation {
	return map[Route]Operation{
		{"GET", Path}: {
			ID: "getOpenAPI", Tag: tagDocument, Summary: "Get this document", About: "It needs no key and may be cached.",
			Answers: done(200, "An OpenAPI 3.1 document.", anything("OpenAPI 3.1.")),
		},
	}
}

// tags in the order of the reference.
func tags() []tag {
	return []tag{
		{tagOrganizations, "An organization is a customer of your app."},
		{tagDomains, "A domain that an organization has proven is its own."},
		{tagAPIKeys, "Keys that an organization's own programs use."},
		{tagDirectories, "A directory is what one identity provider of an organization sends."},
		{tagConnections, "A connection is how an organization's people sign in: SAML or OpenID Connect with one identity provider."},
		{tagUsers, "The people of a directory."},
		{tagGroups, "The groups of a directory."},
		{tagEvents, "The log of everything that happened. Its types are in the reference of events."},
		{tagConsumers, "Readers of the log whose cursor Rollcall keeps."},
		{tagWebhooks, "Events delivered to your app."},
		{tagApplications, "The OpenID clients that people sign in to, and where their browsers may be sent."},
		{tagAccounts, "A user is a person's account in your app, across organizations."},
		{tagMemberships, "A user's place in an organization: who is in, as what, and why."},
		{tagInvitations, "An invitation asks somebody in, with the role, the teams and the licence that they will have."},
		{tagRoles, "What members may be, and what each role permits."},
		{tagTeams, "A group is a team: a set of an organization's members."},
		{tagLicences, "What an organization has bought, and who holds it."},
		{tagMappings, "What a directory or a connection gives its people."},
		{tagSessions, "A session is one person in one browser, at one organization."},
		{tagAudit, "Who changed what, who has access and had it, and what became of those whose access ended."},
		{tagPortal, "Where an organization's IT looks after its identity provider, and whom we write to about it."},
		{tagDocument, "This description."},
	}
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type apiDocument struct {
	OpenAPI    string                           `json:"openapi"`
	Info       info                             `json:"info"`
	Servers    []server                         `json:"servers"`
	Security   []map[string][]string            `json:"security"`
	Tags       []tag                            `json:"tags"`
	Paths      map[string]map[string]pathItemOp `json:"paths"`
	Components components                       `json:"components"`
}

type info struct {
	Title       string            `json:"title"`
	Version     string            `json:"version"`
	Description string            `json:"description"`
	License     map[string]string `json:"license"`
}

type server struct {
	URL string `json:"url"`
}

type components struct {
	Schemas         map[string]*Schema           `json:"schemas"`
	Parameters      map[string]parameter         `json:"parameters"`
	Headers         map[string]header            `json:"headers"`
	SecuritySchemes map[string]map[string]string `json:"securitySchemes"`
}

type pathItemOp struct {
	OperationID string                 `json:"operationId"`
	Tags        []string               `json:"tags"`
	Summary     string                 `json:"summary"`
	Description string                 `json:"description,omitempty"`
	Security    *[]map[string][]string `json:"security,omitzero"`
	Parameters  []parameter            `json:"parameters,omitempty"`
	RequestBody *requestBody           `json:"requestBody,omitzero"`
	Responses   map[string]response    `json:"responses"`
}

type parameter struct {
	Ref         string  `json:"$ref,omitempty"`
	Name        string  `json:"name,omitempty"`
	In          string  `json:"in,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitzero"`
	Deprecated  bool    `json:"deprecated,omitzero"`
	Style       string  `json:"style,omitempty"`
	Explode     *bool   `json:"explode,omitzero"`
	Schema      *Schema `json:"schema,omitzero"`
}

type requestBody struct {
	Required bool               `json:"required,omitzero"`
	Content  map[string]content `json:"content"`
}

type content struct {
	Schema  *Schema        `json:"schema,omitzero"`
	Example jsontext.Value `json:"example,omitzero"`
}

type response struct {
	Description string             `json:"description"`
	Headers     map[string]header  `json:"headers,omitempty"`
	Content     map[string]content `json:"content,omitempty"`
}

type header struct {
	Ref         string  `json:"$ref,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema,omitzero"`
}

const jsonType = "application/json"

// Document writes the OpenAPI document of those operations that are among the routes.
func Document(routes []Route) []byte {
	doc := apiDocument{
		OpenAPI: "3.1.1",
		Info: info{
			Title: "Rollcall", Version: apiVersion, Description: introduction,
			License: map[string]string{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		Servers:  []server{{URL: "/"}},
		Security: []map[string][]string{{"managementKey": {}}},
		Paths:    map[string]map[string]pathItemOp{},
	}
	all := Operations()
	used := []string{}
	for _, route := range routes {
		op, described := all[route]
		if !described {
			continue
		}
		if doc.Paths[route.Pattern] == nil {
			doc.Paths[route.Pattern] = map[string]pathItemOp{}
		}
		doc.Paths[route.Pattern][strings.ToLower(route.Method)] = op.item(route)
		used = append(used, op.Tag)
	}
	doc.Tags = slices.DeleteFunc(tags(), func(t tag) bool { return !slices.Contains(used, t.Name) })
	doc.Components = shared()
	doc.Components.Schemas = reachable(doc.Paths)
	text, err := json.Marshal(doc, json.Deterministic(true))
	if err != nil { // values of our own
		panic(fmt.Errorf("openapi document: %w", err))
	}
	return text
}

func shared() components {
	return components{
		Parameters: map[string]parameter{"IdempotencyKey": {
			Name: "Idempotency-Key", In: "header", Schema: &Schema{Type: []string{typeString}, MaxLength: 255},
			Description: "A text of your choice, best a UUID: within 24 hours the same request with the same key is carried out at most once, and a repeat " +
				"gets the first answer, with the header Idempotency-Replayed: true.",
		}},
		Headers: map[string]header{
			"RequestId":  {Description: "Names the request in Rollcall's log.", Schema: &Schema{Type: []string{typeString}}},
			"RetryAfter": {Description: "Seconds to wait.", Schema: count("")},
			"Replayed":   {Description: "true when this is the answer that the first request with the Idempotency-Key got.", Schema: choice("", "true")},
		},
		SecuritySchemes: map[string]map[string]string{"managementKey": {
			"type": "http", "scheme": "bearer", "description": "The management key, printed at the first start or set with ROLLCALL_API_KEY.",
		}},
	}
}

func (op Operation) item(route Route) pathItemOp {
	out := pathItemOp{
		OperationID: op.ID, Tags: []string{op.Tag}, Summary: op.Summary, Description: op.About,
		Parameters: op.parameters(route), Responses: op.responses(route),
	}
	if op.Tag == tagDocument {
		out.Security = &[]map[string][]string{}
	}
	if op.Body != nil {
		out.RequestBody = &requestBody{Required: !op.Sparse, Content: map[string]content{jsonType: {Schema: op.Body, Example: jsontext.Value(op.Example)}}}
	}
	return out
}

func (op Operation) parameters(route Route) []parameter {
	var out []parameter
	for _, name := range pathParameters(route.Pattern) {
		out = append(out, parameter{
			Name: name, In: "path", Required: true, Description: pathAbout(route.Pattern, name), Schema: &Schema{Type: []string{typeString}},
		})
	}
	for _, q := range op.Query {
		s := *q.Schema
		p := parameter{Name: q.Name, In: "query", Description: s.Description, Deprecated: s.Deprecated, Schema: &s}
		s.Description, s.Deprecated = "", false
		if q.List {
			p.Style, p.Explode = "form", new(bool)
		}
		out = append(out, p)
	}
	if op.keyed(route) {
		out = append(out, parameter{Ref: "#/components/parameters/IdempotencyKey"})
	}
	return out
}

// keyed: the Idempotency-Key counts.
func (op Operation) keyed(route Route) bool {
	return route.Method != http.MethodGet && !slices.Contains(OnlyReads(), route)
}

// OnlyReads are operations of an unsafe method that change nothing. Their answers are not kept for an Idempotency-Key: a kept "this
// API key is valid" would be given for a day after the key was revoked.
func OnlyReads() []Route { return []Route{{http.MethodPost, "/api_keys/validations"}} }

// pathParameters are the names in braces.
func pathParameters(pattern string) []string {
	var names []string
	for segment := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// pathBefore is the segment before a parameter.
func pathBefore(pattern, name string) string {
	before, _, _ := strings.Cut(pattern, "/{"+name+"}")
	return before[strings.LastIndexByte(before, '/')+1:]
}

// pathAbout describes a parameter of the path by the segment before it: /directories/{id} takes the id of a directory.
func pathAbout(pattern, name string) string {
	last := pathBefore(pattern, name)
	if name == "old_id" {
		if last == "groups" {
			return "Id of the group on the old side of the switch: directory_group_…."
		}
		return "Id on the old side of the switch: directory_user_…, or om_… of a member who only signs in."
	}
	switch last {
	case "organizations":
		return "Id of the organization: org_…."
	case "roles":
		return "Slug of the role."
	case "permissions":
		return "Slug of the permission."
	case "groups":
		return "Id of the team: group_…."
	case "organization-memberships":
		return "Id of the membership: om_…."
	case "licence_types":
		return "Slug of the licence type."
	case "external_id":
		if strings.HasPrefix(pattern, "/user_management/") {
			return "Your own id of the user."
		}
		return "Your own id of the organization."
	case "users":
		return "Id of the user: user_…."
	case "invitations":
		return "Id of the invitation: invitation_…."
	case "by_token":
		return "The token of the mailed link."
	case "organization_memberships":
		return "Id of the membership: om_…."
	case "organization_domains":
		return "Id of the domain: org_domain_…."
	case "break_glass_users":
		return "Id of the account: user_…."
	case "contacts":
		return "Id of the contact: contact_…."
	case "api_keys":
		return "Id of the API key: api_key_…."
	case "directories":
		return "Id of the directory: directory_…."
	case "connections":
		return "Id of the connection: conn_…."
	case "certificates":
		return "SHA-256 of the certificate, as it is listed."
	case "sign_in_attempts":
		return "Id of the attempt: sign_in_attempt_…."
	case "tokens":
		return "Id of the token: directory_token_…."
	case "holds":
		return "Id of the hold: directory_hold_…."
	case "directory_users":
		return "Id of the person: directory_user_…."
	case "directory_groups":
		return "Id of the group: directory_group_…."
	case "event_consumers":
		return "Name of the consumer."
	case "applications":
		return "Id of the application: conn_app_…."
	case "client_secrets":
		return "Id of the secret: secret_…."
	case "redirect_uris":
		return "Id of the redirect URI: redir_…."
	case "webhook_endpoints":
		return "Id of the endpoint: we_…."
	case "identity_provider_switches":
		return "Id of the switch: identity_provider_switch_…."
	case "offboardings":
		return "Id of the offboarding: offboarding_…."
	case "events":
		return "Id of the event: event_…."
	case "webhook_deliveries":
		return "Id of the delivery: webhook_delivery_…."
	}
	return ""
}

func (op Operation) responses(route Route) map[string]response {
	out := map[string]response{}
	requestID := header{Ref: "#/components/headers/RequestId"}
	for status, a := range op.Answers {
		r := response{Description: a.About, Headers: map[string]header{"X-Request-ID": requestID}}
		if op.keyed(route) {
			r.Headers["Idempotency-Replayed"] = header{Ref: "#/components/headers/Replayed"}
		}
		if a.Schema != nil {
			r.Content = map[string]content{a.mediaType(): {Schema: a.Schema}}
		}
		out[strconv.Itoa(status)] = r
	}
	if op.Tag == tagDocument {
		return out
	}
	problem := map[string]content{jsonType: {Schema: ref("Problem")}}
	for status, codes := range op.Refusals(route) {
		r := response{
			Description: http.StatusText(status) + ": " + strings.Join(codes, ", ") + ".",
			Headers:     map[string]header{"X-Request-ID": requestID}, Content: problem,
		}
		if status == http.StatusTooManyRequests {
			r.Headers["Retry-After"] = header{Ref: "#/components/headers/RetryAfter"}
		}
		out[strconv.Itoa(status)] = r
	}
	out["default"] = response{
		Description: "A failure of ours (5xx), or a refusal that belongs to no operation.",
		Headers:     map[string]header{"X-Request-ID": requestID}, Content: problem,
	}
	return out
}

func (a Answer) mediaType() string {
	if a.Type == "" {
		return jsonType
	}
	return a.Type
}

// reachable are the named schemas that the paths need, and those that these need.
func reachable(paths map[string]map[string]pathItemOp) map[string]*Schema {
	all, out := Schemas(), map[string]*Schema{}
	var visit func(s *Schema)
	visit = func(s *Schema) {
		if s == nil {
			return
		}
		if name, isRef := strings.CutPrefix(s.Ref, schemaRef); isRef && out[name] == nil && all[name] != nil {
			out[name] = all[name]
			visit(all[name])
		}
		for _, m := range s.Properties {
			visit(m.Schema)
		}
		for _, one := range slices.Concat([]*Schema{s.Items, s.Additional}, s.OneOf) {
			visit(one)
		}
	}
	for _, item := range paths {
		for _, op := range item {
			for _, p := range op.Parameters {
				visit(p.Schema)
			}
			if op.RequestBody != nil {
				visit(op.RequestBody.Content[jsonType].Schema)
			}
			for _, r := range op.Responses {
				for _, c := range r.Content {
					visit(c.Schema)
				}
			}
		}
	}
	return out
}
