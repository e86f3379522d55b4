package openapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/event"
)

// The contract is what the compatible API's own description says of the operations that are here too, without its words.
type contract struct {
	Operations map[string]struct {
		Parameters []map[string]any `json:"parameters"`
		Body       *struct {
			Required bool           `json:"required"`
			Schema   map[string]any `json:"schema"`
		} `json:"body"`
		Answers map[string]map[string]any `json:"answers"`
	} `json:"operations"`
	Schemas map[string]map[string]any `json:"schemas"`
}

// readContract is the one place that knows where it is.
func readContract(t *testing.T) contract {
	t.Helper()
	raw, err := os.ReadFile("../testdata/contract_operations.json")
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// comparison holds our document against the contract: it must promise at least what the contract does in answers, and ask for no
// more in requests, so that whoever is written for the contract is served. Members that only one of the two has are differences
// as well.
type comparison struct {
	contract contract
	ours     map[string]any // by name
	found    map[string]bool
}

func (c *comparison) differs(at, format string, args ...any) {
	c.found[at+": "+fmt.Sprintf(format, args...)] = true
}

// resolved follows references; the place is then named after the schema.
func resolved(at string, s map[string]any, named func(string) any) (string, map[string]any) {
	for {
		ref, ok := s["$ref"].(string)
		if !ok {
			return at, s
		}
		at = ref[strings.LastIndexByte(ref, '/')+1:]
		s, _ = named(at).(map[string]any)
	}
}

// schemas compares; answered says that values come from us and must be good for them, else the other way round.
func (c *comparison) schemas(at string, ours, theirs map[string]any, answered bool) {
	at, ours = resolved(at, ours, func(name string) any { return c.ours[name] })
	_, theirs = resolved(at, theirs, func(name string) any { return c.contract.Schemas[name] })
	if ours == nil || theirs == nil {
		c.differs(at, "one of the two schemas is missing")
		return
	}
	if alternatives, ok := theirs["oneOf"].([]any); ok {
		c.alternatives(at, ours, alternatives, answered)
		return
	}
	from, to := ours, theirs // every value of from must be one of to
	if !answered {
		from, to = theirs, ours
	}
	if got, want := typesOf(from), typesOf(to); len(want) > 0 && !subset(got, want) {
		c.differs(at, "type %v, not %v", typesOf(ours), typesOf(theirs))
	}
	if got, want := valuesOf(from), valuesOf(to); len(want) > 0 && (len(got) == 0 || !subset(got, want)) {
		c.differs(at, "values %v, not %v", valuesOf(ours), valuesOf(theirs))
	}
	for _, word := range []string{"format", "maxLength", "pattern", "minimum", "maximum", "maxProperties", "propertyNames"} {
		if to[word] != nil && fmt.Sprint(from[word]) != fmt.Sprint(to[word]) {
			c.differs(at, "%s %v, not %v", word, ours[word], theirs[word])
		}
	}
	if ours["deprecated"] != theirs["deprecated"] {
		c.differs(at, "deprecated %v, not %v", ours["deprecated"], theirs["deprecated"])
	}
	if !subset(texts(to["required"]), texts(from["required"])) {
		c.differs(at, "requires %v, not %v", texts(ours["required"]), texts(theirs["required"]))
	}
	c.members(at, ours, theirs, answered)
}

func (c *comparison) members(at string, ours, theirs map[string]any, answered bool) {
	mine, _ := ours["properties"].(map[string]any)
	other, _ := theirs["properties"].(map[string]any)
	for name, s := range other {
		if mine[name] == nil {
			c.differs(at, "%s is missing", name)
			continue
		}
		c.schemas(at+"."+name, mine[name].(map[string]any), s.(map[string]any), answered)
	}
	for name := range mine {
		if other[name] == nil && len(other) > 0 {
			c.differs(at, "%s is ours", name)
		}
	}
	for _, word := range []string{"items", "additionalProperties"} {
		mine, haveMine := ours[word].(map[string]any)
		other, haveOther := theirs[word].(map[string]any)
		switch {
		case haveMine && haveOther:
			c.schemas(at+"[]", mine, other, answered)
		case haveMine != haveOther && haveOther:
			c.differs(at, "%s %v, not %v", word, ours[word], theirs[word])
		}
	}
}

// alternatives: each of ours has to be one of theirs.
func (c *comparison) alternatives(at string, ours map[string]any, theirs []any, answered bool) {
	mine, ok := ours["oneOf"].([]any)
	if !ok {
		mine = []any{ours}
	}
	for _, one := range mine {
		var closest map[string]bool
		for j, other := range theirs {
			try := comparison{contract: c.contract, ours: c.ours, found: map[string]bool{}}
			try.schemas(at, one.(map[string]any), other.(map[string]any), answered)
			if j == 0 || len(try.found) < len(closest) {
				closest = try.found
			}
		}
		maps.Copy(c.found, closest)
	}
}

func typesOf(s map[string]any) []string {
	if one, ok := s["type"].(string); ok {
		return []string{one}
	}
	return texts(s["type"])
}

func valuesOf(s map[string]any) []string {
	if one, ok := s["const"].(string); ok {
		return []string{one}
	}
	return texts(s["enum"])
}

func texts(v any) []string {
	all, _ := v.([]any)
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = fmt.Sprint(one)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func TestContract_is_kept_by_every_operation_that_it_has(t *testing.T) {
	d, c := read(t), readContract(t)
	diff := &comparison{contract: c, ours: d.At("components", "schemas").(map[string]any), found: map[string]bool{}}
	for at, theirs := range c.Operations {
		method, pattern, _ := strings.Cut(at, " ")
		route := openapi.Route{Method: method, Pattern: pattern}
		ours, _ := d.At("paths", pattern, strings.ToLower(method)).(map[string]any)
		if ours == nil {
			diff.differs(at, "the operation is missing")
			continue
		}
		diff.parameters(at, ours, theirs.Parameters)
		if theirs.Body != nil {
			body, _ := d.At("paths", pattern, strings.ToLower(method), "requestBody").(map[string]any)
			if required, _ := body["required"].(bool); required && !theirs.Body.Required {
				diff.differs(at, "the body is required")
			}
			mine, _ := d.At("paths", pattern, strings.ToLower(method), "requestBody", "content", "application/json", "schema").(map[string]any)
			diff.schemas(at+" body", mine, theirs.Body.Schema, false)
		}
		diff.answers(at, route, ours["responses"].(map[string]any), theirs.Answers)
	}
	report(t, diff.found, operationDifferences())
}

func (c *comparison) parameters(at string, ours map[string]any, theirs []map[string]any) {
	all, _ := ours["parameters"].([]any)
	for _, other := range theirs {
		i := slices.IndexFunc(all, func(one any) bool {
			p := one.(map[string]any)
			return p["name"] == other["name"] && p["in"] == other["in"]
		})
		if i < 0 {
			c.differs(at, "the parameter %s is missing", other["name"])
			continue
		}
		mine := all[i].(map[string]any)
		required, _ := mine["required"].(bool)
		for _, word := range []string{"style", "explode", "deprecated"} {
			if !reflect.DeepEqual(mine[word], other[word]) {
				c.differs(at, "%s of the parameter %s is %v, not %v", word, other["name"], mine[word], other[word])
			}
		}
		if required != other["required"] {
			c.differs(at, "the parameter %s is required: %v", other["name"], required)
		}
		_, schema := resolved("", other["schema"].(map[string]any), func(name string) any { return c.contract.Schemas[name] })
		own := mine["schema"].(map[string]any)
		if fmt.Sprint(own["default"]) != fmt.Sprint(schema["default"]) {
			c.differs(at, "default of %s is %v, not %v", other["name"], own["default"], schema["default"])
		}
		c.schemas(at+" "+other["name"].(string), own, schema, false)
	}
}

func (c *comparison) answers(at string, route openapi.Route, ours map[string]any, theirs map[string]map[string]any) {
	const refusals = "4"
	op := openapi.Operations()[route]
	successes := 0
	for status, schema := range theirs {
		mine, _ := ours[status].(map[string]any)
		switch {
		case strings.HasPrefix(status, refusals):
			c.refusal(at, status, op.Refusals(route), schema)
		case mine != nil:
			successes++
			content, _ := mine["content"].(map[string]any)
			if content == nil {
				if len(schema) > 0 {
					c.differs(at, "%s has no body", status)
				}
				continue
			}
			body := content["application/json"].(map[string]any)["schema"].(map[string]any)
			if schema["$ref"] == "EventList" { // see TestContract_is_kept_by_every_type_of_event
				continue
			}
			c.schemas(at, body, schema, true)
		}
	}
	if successes == 0 {
		c.differs(at, "none of the successes is the contract's")
	}
}

// refusal: each code that the contract names is one of ours.
func (c *comparison) refusal(at, status string, ours map[int][]string, theirs map[string]any) {
	var n int
	if _, err := fmt.Sscan(status, &n); err != nil {
		c.differs(at, "status %s", status)
		return
	}
	if ours[n] == nil {
		c.differs(at, "%s is never answered", status)
		return
	}
	walk(nil, theirs, func(_ []string, v any) {
		o, _ := v.(map[string]any)
		members, _ := o["properties"].(map[string]any)
		code, _ := members["code"].(map[string]any)
		if value, named := code["const"].(string); named && !slices.Contains(ours[n], value) {
			c.differs(at, "%s never has the code %s", status, value)
		}
	})
}

func TestContract_is_kept_by_every_type_of_event(t *testing.T) {
	d, c := read(t), readContract(t)
	diff := &comparison{contract: c, ours: d.At("components", "schemas").(map[string]any), found: map[string]bool{}}
	kinds := openapi.Kinds()
	compared := 0
	for _, part := range c.Schemas["EventSchema"]["allOf"].([]any) {
		alternatives, _ := part.(map[string]any)["oneOf"].([]any)
		for _, one := range alternatives {
			theirs := one.(map[string]any)
			name := theirs["properties"].(map[string]any)["event"].(map[string]any)["const"].(string)
			kind, known := kinds[event.Type(name)]
			if !known {
				diff.differs(name, "is not described")
				continue
			}
			compared++
			ours := plain(t, kind.Data)
			diff.schemas(name, ours, theirs["properties"].(map[string]any)["data"].(map[string]any), true)
			if envelope, served := diff.ours[openapi.SchemaOf(event.Type(name))].(map[string]any); served {
				if !subset(texts(theirs["required"]), texts(envelope["required"])) {
					diff.differs(name, "the envelope requires %v", envelope["required"])
				}
			}
		}
	}
	diff.schemas("EventContext", diff.ours["EventContext"].(map[string]any), c.Schemas["EventContextDto"], true)
	if compared < 20 {
		t.Errorf("only %d types were compared", compared)
	}
	report(t, diff.found, eventDifferences())
}

func TestContract_comparison_finds_each_kind_of_difference(t *testing.T) {
	compare := func(ours, theirs string, answered bool) []string {
		c := &comparison{found: map[string]bool{}}
		var mine, other map[string]any
		for text, into := range map[string]*map[string]any{ours: &mine, theirs: &other} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		c.schemas("x", mine, other, answered)
		return slices.Sorted(maps.Keys(c.found))
	}
	const none = ""
	for _, one := range []struct{ ours, theirs, answered, asked string }{
		{`{"type":"string"}`, `{"type":"string" }`, none, none},
		{`{"type":"string"}`, `{"type":["string","null"]}`, none, "type [string]"},
		{`{"type":["string","null"]}`, `{"type":"string"}`, "type [null string]", none},
		{`{"type":"string","enum":["a"]}`, `{"type":"string","enum":["a","b"]}`, none, "values [a]"},
		{`{"type":"string","enum":["a","b"]}`, `{"type":"string","enum":["a"]}`, "values [a b]", none},
		{`{"type":"string"}`, `{"type":"string","const":"a"}`, "values []", none},
		{`{"type":"string"}`, `{"type":"string","format":"date-time"}`, "format", none},
		{`{"type":"string","maxLength":3}`, `{"type":"string"}`, none, "maxLength 3"},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, "requires []", none},
		{`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, `{"type":"object","properties":{"a":{"type":"string"}} }`, none, "requires [a]"},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"b":{"type":"string"}}}`, "b is missing", "a is ours"},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"integer"}}}`, "x.a: type", "x.a: type"},
		{`{"type":"array","items":{"type":"string"}}`, `{"type":"array","items":{"type":"integer"}}`, "x[]: type", "x[]: type"},
		{`{"type":"array"}`, `{"type":"array","items":{"type":"integer"}}`, "items", "items"},
		{`{"type":"string"}`, `{"oneOf":[{"type":"null"},{"type":"string"}]}`, none, none},
		{`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `{"oneOf":[{"type":"string"},{"type":"null"}]}`, "type [integer]", "type [integer]"},
		{`{"type":"string","deprecated":true}`, `{"type":"string"}`, "deprecated", "deprecated"},
	} {
		for answered, want := range map[bool]string{true: one.answered, false: one.asked} {
			got := strings.Join(compare(one.ours, one.theirs, answered), "; ")
			if want == none && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s and %s, answered %v: found %q, want %q", one.ours, one.theirs, answered, got, want)
			}
		}
	}
}

// plain is a schema as JSON has it.
func plain(t *testing.T, s *openapi.Schema) map[string]any {
	t.Helper()
	raw, err := jsonv2.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// report wants the differences to be those that are meant, for each of which there is a reason.
func report(t *testing.T, found map[string]bool, meant map[string][]string) {
	t.Helper()
	for why, whats := range meant {
		for _, what := range whats {
			if !found[what] {
				t.Errorf("no longer a difference (%s): %s", why, what)
			}
			delete(found, what)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(found)) {
		t.Error(what)
	}
}

// operationDifferences are meant.
func operationDifferences() map[string][]string {
	return map[string][]string{
		"there is one management key, which may do everything": {
			"DELETE /directories/{id}: 403 is never answered", "DELETE /organizations/{id}: 403 is never answered",
			"GET /directories/{id}: 403 is never answered", "GET /directories: 403 is never answered",
			"GET /directory_groups/{id}: 403 is never answered", "GET /directory_groups: 403 is never answered",
			"GET /directory_users/{id}: 403 is never answered", "GET /directory_users: 403 is never answered",
			"PUT /organizations/{id}: 403 is never answered",
			"DELETE /connections/{id}: 403 is never answered", "GET /connections/{id}: 403 is never answered", "GET /connections: 403 is never answered",
			"POST /portal/generate_link: 403 is never answered",
		},
		"a member that answers never hold and the contract lets be missing": {
			"ApiKeyValidation: agent_registration_id is missing", "Directory: domain is missing", "Organization: stripe_customer_id is missing",
		},
		"there are no passwords here, and an address that is proven may be changed": func() (out []string) {
			for _, at := range []string{"POST /user_management/users", "PUT /user_management/users/{id}"} {
				for _, code := range []string{
					"invalid_password_hash", "password_and_password_hash_provided", "password_and_password_hash_type_provided",
					"password_salt_position_requires_password_hash", "password_strength_error",
				} {
					out = append(out, at+": 400 never has the code "+code)
				}
			}
			return append(out, "PUT /user_management/users/{id}: 400 never has the code email_already_verified")
		}(),
		"what a directory manages is refused with 409 directory_managed, here as elsewhere": {
			"PUT /user_management/users/{id}: 400 never has the code email_change_not_allowed",
		},
		"a new user is of no organization": {"POST /user_management/users: 404 is never answered"},
		"everybody may be deleted":         {"DELETE /user_management/users/{id}: 409 never has the code user_deletion_not_allowed"},
		"a body that cannot be read is 400 invalid_json, and a field that is wrong 422, here as elsewhere": func() (out []string) {
			for _, at := range []string{
				"DELETE /authorization/organizations/{organizationId}/roles/{slug}", "PATCH /authorization/organizations/{organizationId}/roles/{slug}",
				"PATCH /authorization/roles/{slug}", "PATCH /organizations/{organizationId}/groups/{groupId}",
				"POST /authorization/organizations/{organizationId}/roles/{slug}/permissions", "POST /authorization/organizations/{organizationId}/roles",
				"POST /authorization/permissions", "POST /authorization/roles/{slug}/permissions", "POST /authorization/roles",
				"POST /organizations/{organizationId}/groups", "PUT /authorization/roles/{slug}/permissions",
			} {
				out = append(out, at+": 400 never has the code bad_request")
			}
			return out
		}(),
		"permissions are the installation's, which is always there": {
			"GET /authorization/permissions: 404 is never answered", "POST /authorization/permissions: 404 is never answered",
		},
		"a team is as large as it is": {
			"POST /organizations/{organizationId}/groups/{groupId}/organization-memberships: 400 never has the code group_membership_limit_exceeded",
		},
		"which of several mapped roles wins, and who administers": {
			"Role: is_admin is ours", "Role: priority is ours", "RoleChange: is_admin is ours", "RoleChange: priority is ours",
			"NewRole: is_admin is ours", "NewRole: priority is ours", "NewOrganizationRole: is_admin is ours", "NewOrganizationRole: priority is ours",
		},
		"a team that follows a directory group says so": {"Group: directory_group_id is ours", "Group: directory_id is ours", "Group: directory_managed is ours"},
		"members of a team are shown as all members are": {
			"OrganizationMembership: role is ours", "OrganizationMembership: roles is ours", "OrganizationMembership: user is ours",
		},
		"there are no sub-resources": {
			"POST /user_management/organization_memberships: 422 never has the code sub_resource_scoped_role_not_allowed",
			"PUT /user_management/organization_memberships/{id}: 422 never has the code sub_resource_scoped_role_not_allowed",
		},
		"the contract has the members in a part of its own (allOf)": {
			"NewOrganizationMembership: requires [organization_id user_id], not []", "NewUser: requires [email], not []",
		},
		"mail is tried, and no organization is barred from inviting": {
			"POST /user_management/invitations/{id}/resend: 400 never has the code email_domain_not_deliverable",
			"POST /user_management/invitations: 400 never has the code email_domain_not_deliverable",
			"POST /user_management/invitations: 400 never has the code organization_blocked_from_sending_invites",
		},
		"what invitations carry beside": {
			"Invitation: directory_id is ours", "Invitation: licence is ours", "Invitation: team_ids is ours", "Invitation: warning is ours",
			"NewInvitation: licence is ours", "NewInvitation: team_ids is ours",
		},
		"who is in, and why, and with which licence": {
			"OrganizationMembership: directory_user_id is ours", "OrganizationMembership: joined_at is ours", "OrganizationMembership: licence is ours", "OrganizationMembership: primary is ours",
			"OrganizationMembership: role_source is ours", "OrganizationMembership: wanted_licence is ours", "OrganizationMembership: why is ours",
			"OrganizationMembership: held is ours", "DirectoryUserWithGroups: held is ours",
		},
		"the name of an organization is the organization's": {"OrganizationMembership: organization_name is missing"},
		"there is no Stripe here":                           {"PUT /organizations/{id}: 400 never has the code stripe_customer_id_already_used"},
		"settings of our directories": {
			"Directory: extensions is ours", "Directory: inactive_users is ours", "Directory: label is ours", "Directory: live is ours", "Directory: provider is ours",
			"Directory: provisioning is ours", "Directory: scim_endpoint is ours", "Directory: strict is ours",
		},
		"what a connection is made of": {
			"Connection: acs_paths is ours", "Connection: acs_url is ours", "Connection: attribute_map is ours",
			"Connection: backchannel_logout_uri is ours", "Connection: certificates is ours", "Connection: client_id is ours",
			"Connection: client_secret_expires_at is ours", "Connection: client_secret_set is ours", "Connection: first_success_at is ours", "Connection: idp_entity_id is ours",
			"Connection: issuer is ours", "Connection: lacks is ours", "Connection: last_success_at is ours", "Connection: login_url is ours",
			"Connection: metadata_error is ours", "Connection: metadata_read_at is ours", "Connection: metadata_url is ours",
			"Connection: options is ours", "Connection: pending_metadata is ours", "Connection: protocol is ours", "Connection: post_logout_redirect_uri is ours", "Connection: provider is ours",
			"Connection: redirect_uri is ours", "Connection: slo_binding is ours", "Connection: slo_response_url is ours", "Connection: slo_url is ours", "Connection: sp_certificate is ours",
			"Connection: sp_entity_id is ours", "Connection: sp_metadata_url is ours", "Connection: sp_slo_url is ours",
			"Connection: sso_binding is ours", "Connection: sso_url is ours", "Connection: warnings is ours",
		},
		"settings of our applications": {
			"ConnectApplicationChange: backchannel_logout_uri is ours", "ConnectApplicationChange: initiate_login_uri is ours",
			"ConnectApplicationChange: post_logout_redirect_uris is ours", "ConnectApplicationChange: signing_alg is ours",
			"ConnectApplicationChange: uses_pkce is ours",
			"NewConnectApplication: backchannel_logout_uri is ours", "NewConnectApplication: initiate_login_uri is ours",
			"NewConnectApplication: is_public is ours", "NewConnectApplication: post_logout_redirect_uris is ours",
			"NewConnectApplication: signing_alg is ours",
		},
		"what has to be published":                  {"OrganizationDomainWithRecords: verification_records is ours"},
		"whoever follows the log reads it forwards": {"GET /events: default of order is asc, not desc"},
	}
}

// eventDifferences are meant.
func eventDifferences() map[string][]string {
	return map[string][]string{
		"a team that follows a directory group says so": func() (out []string) {
			for _, kind := range []string{"created", "deleted", "updated"} {
				for _, name := range []string{"directory_group_id", "directory_id", "directory_managed"} {
					out = append(out, "group."+kind+": "+name+" is ours")
				}
			}
			return out
		}(),
		"a member that events never hold and the contract lets be missing": {
			"EventContext: ajs_anonymous_id is missing", "EventContext: client_id is missing", "EventContext: google_analytics_client_id is missing",
			"EventContext: google_analytics_sessions is missing", "EventContext: previous_attributes is missing",
			"session.created: impersonator is missing", "session.revoked: impersonator is missing",
			"Organization: stripe_customer_id is missing",
		},
		"what caused an event, where the contract has no words for it": {"EventContext: changes is ours", "EventContext: derived is ours", "EventContext: exchange_id is ours", "EventContext: reason is ours"},
		"events and answers show the same organization":                {"Organization: allow_profiles_outside_organization is ours"},
	}
}
