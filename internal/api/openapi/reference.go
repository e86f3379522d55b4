package openapi

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
)

// Reference writes the page of the API: the operations that are among the routes, by tag, and the objects they speak of.
func Reference(routes []Route) string {
	p := &paper{}
	p.line("# REST API", "",
		"Written from `internal/api/openapi` by `go generate ./internal/api`; change it there. The same is served as OpenAPI 3.1 at `/openapi.json`.", "",
		introduction, "",
		"Lists answer `{\"object\":\"list\",\"data\":[…],\"list_metadata\":{\"before\":…,\"after\":…}}`; `after` is the cursor of the next page, null at the end.", "",
		"Refusals answer a [Problem](#problem): `code` is for programs, `message` for people, `errors` names the fields (400 and 422), and the header",
		"`X-Request-ID` names the request in the log. Every operation may answer "+codes(everyRefusal())+".")
	p.idempotency()
	all := Operations()
	paths := map[string]map[string]pathItemOp{}
	for _, t := range tags() {
		p.tag(t, routesOf(t.Name, routes, all), all, paths)
	}
	p.objects(reachable(paths))
	return p.String()
}

// everyRefusal is what belongs to no operation in particular.
func everyRefusal() map[int][]string {
	return map[int][]string{400: {"invalid_query"}, 401: {"unauthorized"}, 429: {"rate_limited"}}
}

// paper is Markdown in the making.
type paper struct {
	strings.Builder

	objectsAt string // the page that describes objects; empty: this one
}

func (p *paper) line(lines ...string) {
	for _, l := range lines {
		p.WriteString(l + "\n")
	}
}

func (p *paper) idempotency() {
	p.line("", "## Repeating a request", "",
		"Send an `Idempotency-Key` (a UUID, or any text of up to 255 printable ASCII characters) with a POST, PUT, PATCH or DELETE, and send the request",
		"again with the same key when its answer was lost. For 24 hours, for each management key and route:", "",
		"- the first answer is kept, sealed, and a repeat gets the same status and body with the header `Idempotency-Replayed: true`;",
		"- the key with another path, query or body is refused with 422 `idempotency_key_reused`;",
		"- while the first request is under way a repeat gets 409 `idempotency_in_progress` with `Retry-After`;",
		"- answers of 429 and 5xx are not kept, nor what is refused before the operation begins (401, 404 for an unknown path, 405, a key or body that cannot be read):",
		"  the repeat is a first request again;",
		"- an answer over 1 MiB is not kept: a repeat gets 409 `idempotency_answer_not_kept`.", "",
		"A request with a key is carried out at most once. When the server was stopped by force in the middle of one, it may not know whether it took effect;",
		"a repeat then gets 409 `idempotency_unknown` instead of being carried out a second time: look whether what you asked for is there, and use a new key.",
		"The key is ignored where nothing can change (GET, and `POST /api_keys/validations`, whose answer must not outlive the key it is about).", "",
		"## Limits", "",
		"Each management key may make `--api-rate-limit` requests a second (200 unless set), with a burst of as many, in each process. Requests without a valid key are counted",
		"under the address they come from and never against a key. Over the limit the answer is 429 `rate_limited` with `Retry-After` in seconds.",
		"A body may have 1 MiB.")
}

// routesOf are those of a tag, by pattern, reading before changing.
func routesOf(tag string, routes []Route, all map[Route]Operation) []Route {
	of := slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { return all[r].Tag != tag })
	order := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	slices.SortFunc(of, func(a, b Route) int {
		if c := strings.Compare(a.Pattern, b.Pattern); c != 0 {
			return c
		}
		return slices.Index(order, a.Method) - slices.Index(order, b.Method)
	})
	return of
}

func (p *paper) tag(t tag, routes []Route, all map[Route]Operation, paths map[string]map[string]pathItemOp) {
	if len(routes) == 0 {
		return
	}
	p.line("", "## "+strings.ToUpper(t.Name[:1])+strings.ReplaceAll(t.Name[1:], "-", " "), "", t.Description)
	for _, r := range routes {
		op := all[r]
		if paths[r.Pattern] == nil {
			paths[r.Pattern] = map[string]pathItemOp{}
		}
		paths[r.Pattern][r.Method] = op.item(r)
		p.operation(r, op)
	}
}

func (p *paper) operation(r Route, op Operation) {
	p.line("", "### "+op.Summary, "", "`"+r.Method+" "+r.Pattern+"`")
	if op.About != "" {
		p.line("", op.About)
	}
	p.parameters(r, op)
	if op.Body != nil {
		p.line("", "Body: "+p.typeName(op.Body)+sparse(op)+".")
	}
	p.line("")
	for _, status := range slices.Sorted(maps.Keys(op.Answers)) {
		a := op.Answers[status]
		p.line(fmt.Sprintf("Answers **%d**%s: %s", status, p.withBody(a), a.About))
	}
	if len(op.Refuses) > 0 {
		p.line("Refuses with " + codes(op.Refuses) + ".")
	}
	p.line("", "```", curl(r, op), "```")
}

func sparse(op Operation) string {
	if op.Sparse {
		return "; may be left out"
	}
	return ""
}

func (p *paper) withBody(a Answer) string {
	switch {
	case a.Schema == nil:
		return ", no body"
	case a.Type != "":
		return " " + p.typeName(a.Schema) + " as " + a.Type
	default:
		return " " + p.typeName(a.Schema)
	}
}

func (p *paper) parameters(r Route, op Operation) {
	var rows []string
	for _, one := range op.parameters(r) {
		if one.Ref != "" {
			continue
		}
		name := "`" + one.Name + "`"
		if one.In == "path" {
			name = "`{" + one.Name + "}`"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", name, p.typeName(one.Schema), meaning(one.Description, one.Schema, one.Deprecated)))
	}
	if len(rows) > 0 {
		p.line("", "| Parameter | Type | Meaning |", "| --- | --- | --- |", strings.Join(rows, "\n"))
	}
}

// meaning is the words and what the type's name does not say.
func meaning(words string, s *Schema, deprecated bool) string {
	if deprecated {
		words = "Deprecated. " + words
	}
	if s.Default != nil {
		words += fmt.Sprintf(" Default: %v.", s.Default)
	}
	if len(s.Enum) > 0 {
		words += " One of `" + strings.Join(s.Enum, "`, `") + "`."
	}
	if s.Minimum != nil && s.Maximum != nil {
		words += fmt.Sprintf(" From %d to %d.", *s.Minimum, *s.Maximum)
	}
	return strings.ReplaceAll(strings.TrimSpace(words), "|", `\|`)
}

// typeName says in a word or two what a value is.
func (p *paper) typeName(s *Schema) string {
	name, isRef := strings.CutPrefix(s.Ref, schemaRef)
	switch {
	case isRef:
		return p.link(name)
	case s.Const != nil:
		return fmt.Sprintf("`%#v`", s.Const)
	case len(s.OneOf) > 0:
		names := make([]string, len(s.OneOf))
		for i, one := range s.OneOf {
			names[i] = p.typeName(one)
		}
		return strings.Join(names, " or ")
	case s.Items != nil:
		return "list of " + p.typeName(s.Items)
	case s.Format == "date-time":
		return strings.Join(append([]string{"time"}, s.Type[1:]...), " or ")
	}
	return strings.Join(s.Type, " or ")
}

func (p *paper) link(name string) string {
	return "[" + name + "](" + p.objectsAt + "#" + strings.ToLower(name) + ")"
}

// codes lists refusals by status.
func codes(refusals map[int][]string) string {
	var out []string
	for _, status := range slices.Sorted(maps.Keys(refusals)) {
		out = append(out, fmt.Sprintf("%d `%s`", status, strings.Join(refusals[status], "`, `")))
	}
	return strings.Join(out, "; ")
}

// curl is an example that a shell takes.
func curl(r Route, op Operation) string {
	if op.Tag == tagDocument {
		return "curl $ROLLCALL_URL" + r.Pattern
	}
	text := "curl "
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || op.Body == nil) {
		text += "-X " + r.Method + " "
	}
	text += "$ROLLCALL_URL" + samplePath(r.Pattern) + " -H \"Authorization: Bearer $ROLLCALL_API_KEY\""
	if op.Body != nil {
		text += " -H 'Content-Type: application/json' \\\n  -d '" + op.Example + "'"
	}
	return text
}

// samplePath fills the parameters in with what they look like.
func samplePath(pattern string) string {
	for _, name := range pathParameters(pattern) {
		pattern = strings.Replace(pattern, "{"+name+"}", sample(pattern, name), 1)
	}
	return pattern
}

// idPrefix finds what ids begin with in the words about a parameter.
var idPrefix = regexp.MustCompile(`: ([a-z_]+_)…`)

func sample(pattern, name string) string {
	if found := idPrefix.FindStringSubmatch(pathAbout(pattern, name)); found != nil {
		return found[1] + "01JDXA5Q0G8YQZP0R3M4T7W9KE"
	}
	switch pathBefore(pattern, name) {
	case "external_id":
		return "customer-42"
	case "roles":
		return "billing-admin"
	case "permissions":
		return "invoices:read"
	case "licence_types":
		return "pro"
	case "event_consumers":
		return "billing"
	case "by_token":
		return "Z1uX3ITnDzPgkHsF0V0mXqQk"
	case "certificates":
		return "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	}
	panic(fmt.Sprintf("%s: nothing says what %s looks like", pattern, name))
}

// objects describes the named schemas; the types of events have a page of their own.
func (p *paper) objects(named map[string]*Schema) {
	p.line("", "## Objects", "", "A member in italics may be missing.")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		s := named[name]
		if name == "Event" {
			p.line("", "### Event", "", "An event, as [the reference of events](events.md) describes it.")
			continue
		}
		if len(name) > len("Event") && slices.ContainsFunc(served(), func(k event.Type) bool { return SchemaOf(k) == name }) {
			continue
		}
		p.line("", "### "+name)
		if s.Description != "" {
			p.line("", s.Description)
		}
		p.line("")
		if len(s.OneOf) > 0 {
			for _, one := range s.OneOf {
				p.members(one)
				p.line("")
			}
			continue
		}
		p.members(s)
	}
}

func (p *paper) members(s *Schema) {
	p.line("| Member | Type | Meaning |", "| --- | --- | --- |")
	p.rows("", s)
}

func (p *paper) rows(before string, s *Schema) {
	for _, m := range s.Properties {
		name := "`" + before + m.Name + "`"
		if m.optional {
			name = "*" + name + "*"
		}
		fmt.Fprintf(p, "| %s | %s | %s |\n", name, p.typeName(m.Schema), meaning(m.Schema.Description, m.Schema, m.Schema.Deprecated))
		p.rows(before+m.Name+".", m.Schema)
		if m.Schema.Items != nil {
			p.rows(before+m.Name+"[].", m.Schema.Items)
		}
	}
}

// EventReference writes the page of events.
func EventReference() string {
	p := &paper{objectsAt: "api.md"}
	p.line("# Events", "",
		"Written from `internal/api/openapi` by `go generate ./internal/api`; change it there.", "",
		"An event is `{\"object\":\"event\",\"id\":\"event_…\",\"event\":\"dsync.user.created\",\"data\":{…},\"created_at\":\"…\",\"context\":{…}}`. `data` is what is described here,",
		"`context` is who or what caused it (below). Ids and payloads are the same at `GET /events`, in webhooks and for consumers. An event never changes,",
		"but for personal data that is erased on request.", "", "A member in italics may be missing.", "", "## Context", "")
	p.members(eventSchemas()["EventContext"])
	kinds := Kinds()
	for _, kind := range event.Types() {
		p.kind(kind, kinds[kind])
	}
	p.line("", "## Types of our own", "", "WorkOS does not have these, and its clients do not know them: only who names them, in a filter or subscription, is given them.")
	for _, kind := range event.OwnTypes() {
		p.kind(kind, kinds[kind])
	}
	return p.String()
}

func (p *paper) kind(kind event.Type, k Kind) {
	p.line("", "## "+string(kind), "", k.About, "")
	if name, isRef := strings.CutPrefix(k.Data.Ref, schemaRef); isRef {
		p.line("`data` is " + p.link(name) + ": " + memberNames(Schemas()[name]) + ".")
		return
	}
	if len(k.Data.Properties) == 0 {
		p.line("`data`: " + k.Data.Description)
		return
	}
	p.members(k.Data)
}

func memberNames(s *Schema) string {
	names := make([]string, len(s.Properties))
	for i, m := range s.Properties {
		names[i] = "`" + m.Name + "`"
	}
	return strings.Join(names, ", ")
}
