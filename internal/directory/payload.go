package directory

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Payloads are JSON written by hand: a request that adds 500 members writes 500 of them.

// payload is a JSON object in the making, which remembers where its members are.
type payload struct {
	text   []byte
	fields []field
}

// field is one member of a payload: its value is text[from:to].
type field struct {
	name     string
	from, to int
}

func newPayload(size int) payload {
	return payload{text: make([]byte, 0, size), fields: make([]field, 0, 20)}
}

// member begins a member; what is appended to text until the next one is its value.
func (p *payload) member(name string) {
	p.end()
	if len(p.text) == 0 {
		p.text = append(p.text, '{')
	} else {
		p.text = append(p.text, ',')
	}
	p.text = append(scim.AppendString(p.text, name), ':')
	p.fields = append(p.fields, field{name: name, from: len(p.text)})
}

// end closes the member that was begun last.
func (p *payload) end() {
	if n := len(p.fields); n > 0 && p.fields[n-1].to == 0 {
		p.fields[n-1].to = len(p.text)
	}
}

func (p *payload) raw(name string, json []byte) {
	p.member(name)
	p.text = append(p.text, json...)
}

func (p *payload) string(name, value string) {
	p.member(name)
	p.text = scim.AppendString(p.text, value)
}

// stringOrNull writes an empty string as null.
func (p *payload) stringOrNull(name, value string) {
	if value == "" {
		p.raw(name, null)
		return
	}
	p.string(name, value)
}

var null = []byte("null")

func (p *payload) time(name string, t time.Time) {
	p.member(name)
	p.text = t.UTC().AppendFormat(p.text, `"2006-01-02T15:04:05.000Z"`)
}

func (p *payload) bool(name string, b bool) {
	p.member(name)
	p.text = strconv.AppendBool(p.text, b)
}

func (p *payload) int(name string, n int64) {
	p.member(name)
	p.text = strconv.AppendInt(p.text, n, 10)
}

// json completes the object. Nothing may be added afterwards.
func (p *payload) json() []byte {
	p.end()
	if len(p.text) == 0 {
		return []byte("{}")
	}
	return append(p.text, '}')
}

// value is a member's JSON, nil if there is none.
func (p *payload) value(name string) []byte {
	p.end()
	for _, f := range p.fields {
		if f.name == name {
			return p.text[f.from:f.to]
		}
	}
	return nil
}

// person is a user with its document parsed.
type person struct {
	User
	doc *scim.Object
}

func (s *Service) person(u User) (person, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	return person{u, doc}, err
}

// userField is a member of the directory user as API and events show it.
type userField struct {
	name  string
	from  []string // the attributes of the document it is made of; nil: none, or more than those
	write func(*payload, string, person)
}

// userFields are all of them, in order, without groups.
var userFields = [...]userField{
	{"object", nil, func(p *payload, name string, _ person) { p.string(name, "directory_user") }},
	{"id", nil, func(p *payload, name string, u person) { p.string(name, string(u.ID)) }},
	{"directory_id", nil, func(p *payload, name string, u person) { p.string(name, string(u.DirectoryID)) }},
	{"organization_id", nil, nil}, // of the directory: see payload
	{"idp_id", nil, func(p *payload, name string, u person) { p.string(name, u.IdPID) }},
	{"email", []string{"emails", "userName"}, func(p *payload, name string, u person) { p.stringOrNull(name, Email(u.doc)) }},
	{"first_name", []string{"name"}, func(p *payload, name string, u person) { p.stringOrNull(name, u.nameOf("givenName")) }},
	{"last_name", []string{"name"}, func(p *payload, name string, u person) { p.stringOrNull(name, u.nameOf("familyName")) }},
	{"name", []string{"displayName", "name"}, func(p *payload, name string, u person) { p.stringOrNull(name, u.displayName()) }},
	{"emails", []string{"emails"}, func(p *payload, name string, u person) { p.emails(name, u.doc) }},
	{"job_title", []string{"title"}, func(p *payload, name string, u person) { p.stringOrNull(name, u.doc.Text("title")) }},
	{"username", []string{"userName"}, func(p *payload, name string, u person) { p.stringOrNull(name, u.doc.Text("userName")) }},
	{"state", []string{"active"}, func(p *payload, name string, u person) { p.string(name, string(u.State())) }},
	{"raw_attributes", nil, func(p *payload, name string, u person) { p.raw(name, u.Document) }},
	{"custom_attributes", nil, func(p *payload, name string, u person) { c := customAttributes(u.doc); p.raw(name, c.json()) }},
	{"created_at", nil, func(p *payload, name string, u person) { p.time(name, u.CreatedAt) }},
	{"updated_at", nil, func(p *payload, name string, u person) { p.time(name, u.UpdatedAt) }},
}

// payload is the directory user as the API and events show it.
func (u person) payload(d Directory) payload {
	p := newPayload(len(u.Document) + 1024)
	for _, f := range userFields {
		if f.write != nil {
			f.write(&p, f.name, u)
		} else {
			p.string(f.name, d.OrganizationID)
		}
	}
	p.end()
	return p
}

func (u person) nameOf(part string) string {
	name, _ := u.doc.Get("name")
	return name.Object().Text(part)
}

func (u person) displayName() string {
	name, _ := u.displayNameFrom()
	return name
}

// displayNameFrom says also what it is taken from.
func (u person) displayNameFrom() (name, from string) {
	if s := u.doc.Text("displayName"); s != "" {
		return s, "displayName"
	}
	if s := u.nameOf("formatted"); s != "" {
		return s, "name.formatted"
	}
	return strings.TrimSpace(u.nameOf("givenName") + " " + u.nameOf("familyName")), "name.givenName, name.familyName"
}

// Email chooses one address of a document: the primary one, else that of type work, else the first, else the user name if it is an
// address, else "".
func Email(doc *scim.Object) string {
	email, _ := emailOf(doc)
	return email
}

// emailOf says also what it is taken from.
func emailOf(doc *scim.Object) (email, from string) {
	emails, _ := doc.Get("emails")
	var work, first string
	for _, e := range emails.List() {
		value := e.Object().Text("value")
		if value == "" {
			continue
		}
		if primary, _ := e.Object().Get("primary"); primary.Bool() {
			return value, "emails[primary eq true].value"
		}
		if work == "" && strings.EqualFold(e.Object().Text("type"), "work") {
			work = value
		}
		if first == "" {
			first = value
		}
	}
	switch {
	case work != "":
		return work, `emails[type eq "work"].value`
	case first != "":
		return first, "emails.value"
	}
	if name := doc.Text("userName"); isAddress(name) {
		return name, "userName"
	}
	return "", ""
}

// isAddress asks for one @ between something and a domain with a dot: enough to send mail to, and no more is known.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(strings.Trim(domain, "."), ".") && !strings.ContainsAny(s, " \t\r\n<>\",;") && !strings.Contains(domain, "@")
}

func (p *payload) emails(name string, doc *scim.Object) {
	emails, _ := doc.Get("emails")
	p.member(name)
	p.text = append(p.text, '[')
	first := true
	for _, e := range emails.List() {
		if e.Object() == nil {
			continue
		}
		if !first {
			p.text = append(p.text, ',')
		}
		first = false
		one := newPayload(96)
		if primary, ok := e.Object().Get("primary"); ok {
			one.raw("primary", primary.AppendJSON(nil))
		}
		if kind := e.Object().Text("type"); kind != "" {
			one.string("type", kind)
		}
		one.stringOrNull("value", e.Object().Text("value"))
		p.text = append(p.text, one.json()...)
	}
	p.text = append(p.text, ']')
}

// customAttributes are the predefined ones of the compatible API, as far as the document holds them.
func customAttributes(doc *scim.Object) payload {
	out := newPayload(256)
	for _, a := range customSources(doc) {
		if a.value != "" {
			out.string(a.name, a.value)
		}
	}
	out.end()
	return out
}

// source is an attribute of the compatible API with what it is taken from.
type source struct{ name, value, from string }

func customSources(doc *scim.Object) [7]source {
	enterprise, _ := doc.Get(scim.EnterpriseURN)
	e := enterprise.Object()
	return [...]source{
		{"job_title", doc.Text("title"), "title"},
		{"employment_type", doc.Text("userType"), "userType"},
		{"department_name", e.Text("department"), "enterprise.department"},
		{"cost_center_name", e.Text("costCenter"), "enterprise.costCenter"},
		{"division_name", e.Text("division"), "enterprise.division"},
		{"employee_number", e.Text("employeeNumber"), "enterprise.employeeNumber"},
		{"manager_email", managerEmail(e), "enterprise.manager.value"},
	}
}

// managerEmail is known only where the provider names managers by address.
func managerEmail(enterprise *scim.Object) string {
	manager, _ := enterprise.Get("manager")
	if value := manager.Object().Text("value"); isAddress(value) {
		return value
	}
	return ""
}

// UserPayload is the directory user as the API shows it, without groups.
func UserPayload(d Directory, u User) ([]byte, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	if err != nil {
		return nil, err
	}
	p := person{u, doc}.payload(d)
	return p.json(), nil
}

// payload is the directory group as the API and events show it.
func (g Group) payload(d Directory) payload {
	p := newPayload(len(g.Document) + 512)
	p.string("object", "directory_group")
	p.string("id", string(g.ID))
	p.string("idp_id", g.IdPID)
	p.string("directory_id", string(d.ID))
	p.string("organization_id", d.OrganizationID)
	p.string("name", g.Name)
	p.raw("raw_attributes", g.Document)
	p.time("created_at", g.CreatedAt)
	p.time("updated_at", g.UpdatedAt)
	p.end()
	return p
}

// GroupPayload is the directory group as the API shows it.
func GroupPayload(d Directory, g Group) []byte {
	p := g.payload(d)
	return p.json()
}

// Payload is the directory as the API shows it. The public address is the edge's to add.
func (d Directory) Payload(c Counts) []byte {
	p := d.common(string(d.State))
	users, metadata := newPayload(64), newPayload(96)
	users.int("active", c.Active)
	users.int("inactive", c.Inactive)
	metadata.raw("users", users.json())
	metadata.int("groups", c.Groups)
	p.raw("metadata", metadata.json())
	return p.json()
}

// eventPayload is the directory as its events show it: they say active where the API says linked.
func (d Directory) eventPayload(domains bool) []byte {
	state := "inactive"
	if d.State == Linked {
		state = "active"
	}
	p := d.common(state)
	if domains {
		p.raw("domains", []byte("[]"))
	}
	return p.json()
}

func (d Directory) common(state string) payload {
	p := newPayload(512)
	p.string("object", "directory")
	p.string("id", string(d.ID))
	p.string("organization_id", d.OrganizationID)
	p.string("external_key", d.AddressKey)
	p.string("type", string(d.Type))
	p.string("state", state)
	p.string("name", d.Name)
	p.time("created_at", d.CreatedAt)
	p.time("updated_at", d.UpdatedAt)
	return p
}

func (t Token) payload(organizationID string) []byte {
	p := newPayload(256)
	p.string("object", "directory_token")
	p.string("id", string(t.ID))
	p.string("directory_id", string(t.DirectoryID))
	p.string("organization_id", organizationID)
	p.string("token_suffix", t.Suffix)
	p.time("created_at", t.CreatedAt)
	return p.json()
}

// previousUser gives the shallow old values of what changed, for `previous_attributes`: of custom and raw attributes only the
// members that changed, null for those that are new. Times of change are no news.
func previousUser(was, is person, after *payload) []byte {
	changed := changedNames(was.doc, is.doc)
	out, old := newPayload(256), newPayload(256)
	for _, f := range userFields {
		if f.from == nil || !(f.name == "state" || slices.ContainsFunc(f.from, func(a string) bool { return slices.Contains(changed, a) })) {
			continue
		}
		f.write(&old, f.name, was)
		if value := old.value(f.name); !bytes.Equal(value, after.value(f.name)) {
			out.raw(f.name, value)
		}
	}
	if len(changed) > 0 {
		out.raw("raw_attributes", oldValues(was.doc, changed))
	}
	if custom := changedCustom(was.doc, is.doc); len(custom.fields) > 0 {
		out.raw("custom_attributes", custom.json())
	}
	return out.json()
}

// previousGroup is the same for a group.
func previousGroup(was, is groupDraft) []byte {
	out := newPayload(128)
	if was.Name != is.Name {
		out.string("name", was.Name)
	}
	if changed := changedNames(was.doc, is.doc); len(changed) > 0 {
		out.raw("raw_attributes", oldValues(was.doc, changed))
	}
	return out.json()
}

// changedNames are the attributes that are different, gone or new.
func changedNames(was, is *scim.Object) []string {
	var names []string
	for _, m := range was.Members() {
		if v, ok := is.Get(m.Name); !ok || !v.Equal(m.Value) {
			names = append(names, m.Name)
		}
	}
	for _, m := range is.Members() {
		if _, ok := was.Get(m.Name); !ok {
			names = append(names, m.Name)
		}
	}
	return names
}

func oldValues(was *scim.Object, names []string) []byte {
	p := newPayload(256)
	for _, name := range names {
		value, _ := was.Get(name) // absent is null
		p.member(name)
		p.text = value.AppendJSON(p.text)
	}
	return p.json()
}

func changedCustom(was, is *scim.Object) payload {
	before, after := customAttributes(was), customAttributes(is)
	var out payload
	for _, f := range before.fields {
		if value := before.value(f.name); !bytes.Equal(value, after.value(f.name)) {
			out.raw(f.name, value)
		}
	}
	for _, f := range after.fields {
		if before.value(f.name) == nil {
			out.raw(f.name, null)
		}
	}
	return out
}

// systemContext is the cause of everything SCIM does: the directory acted.
func systemContext(d Directory, x ExchangeID, derived bool) []byte {
	cause := systemCause(d, x)
	cause.Derived = derived
	return cause.JSON()
}

func systemCause(d Directory, x ExchangeID) event.Context {
	name := d.Name
	return event.Context{Actor: event.Actor{ID: string(d.ID), Source: event.System, Name: &name}, ExchangeID: string(x)}
}

// emailKeys are the addresses of a document that are searched by, except the user name, which has its own index.
func emailKeys(doc *scim.Object, userNameKey string) []string {
	emails, _ := doc.Get("emails")
	var keys []string
	for _, e := range emails.List() {
		if value := e.Object().Text("value"); value != "" {
			if key := scim.FoldKey(value); key != userNameKey && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
