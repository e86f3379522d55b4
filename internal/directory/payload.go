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

// field is one member of a payload.
type field struct {
	name string
	json []byte
}

// payload is a JSON object in the making, comparable member by member.
type payload []field

func (p *payload) add(name string, json []byte) { *p = append(*p, field{name, json}) }

func (p *payload) text(name, value string) { p.add(name, scim.AppendString(nil, value)) }

// textOrNull writes an empty string as null.
func (p *payload) textOrNull(name, value string) {
	if value == "" {
		p.add(name, []byte("null"))
		return
	}
	p.text(name, value)
}

func (p *payload) time(name string, t time.Time) {
	p.add(name, t.UTC().AppendFormat(make([]byte, 0, 28), `"2006-01-02T15:04:05.000Z"`))
}

func (p payload) size() int {
	n := 2
	for _, f := range p {
		n += len(f.name) + len(f.json) + 4
	}
	return n
}

func (p payload) json() []byte {
	out := append(make([]byte, 0, p.size()), '{')
	for i, f := range p {
		if i > 0 {
			out = append(out, ',')
		}
		out = scim.AppendString(out, f.name)
		out = append(out, ':')
		out = append(out, f.json...)
	}
	return append(out, '}')
}

func (p payload) get(name string) []byte {
	for _, f := range p {
		if f.name == name {
			return f.json
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

// stateOf is the contract's word for where the person stands.
func stateOf(u User) string {
	switch {
	case !u.Active:
		return "inactive"
	case u.Suspended:
		return "suspended"
	default:
		return "active"
	}
}

// payload is the directory user as the API and events show it, without groups.
func (p person) payload(d Directory) payload {
	name, _ := p.doc.Get("name")
	out := make(payload, 0, 20)
	out.text("object", "directory_user")
	out.text("id", string(p.ID))
	out.text("directory_id", string(d.ID))
	out.text("organization_id", d.OrganizationID)
	out.text("idp_id", p.IdPID)
	out.textOrNull("email", Email(p.doc))
	out.textOrNull("first_name", name.Object().Text("givenName"))
	out.textOrNull("last_name", name.Object().Text("familyName"))
	out.textOrNull("name", displayName(p.doc, name.Object()))
	out.add("emails", emailsJSON(p.doc))
	out.textOrNull("job_title", p.doc.Text("title"))
	out.textOrNull("username", p.doc.Text("userName"))
	out.text("state", stateOf(p.User))
	out.add("raw_attributes", p.Document)
	out.add("custom_attributes", customAttributes(p.doc).json())
	out.time("created_at", p.CreatedAt)
	out.time("updated_at", p.UpdatedAt)
	return out
}

func displayName(doc, name *scim.Object) string {
	if s := doc.Text("displayName"); s != "" {
		return s
	}
	if s := name.Text("formatted"); s != "" {
		return s
	}
	return strings.TrimSpace(name.Text("givenName") + " " + name.Text("familyName"))
}

// Email chooses one address of a document: the primary one, else that of type work, else the first, else the user name if it is an
// address, else "".
func Email(doc *scim.Object) string {
	emails, _ := doc.Get("emails")
	var work, first string
	for _, e := range emails.List() {
		value := e.Object().Text("value")
		if value == "" {
			continue
		}
		if primary, _ := e.Object().Get("primary"); primary.Bool() {
			return value
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
		return work
	case first != "":
		return first
	}
	if name := doc.Text("userName"); isAddress(name) {
		return name
	}
	return ""
}

// isAddress asks for one @ between something and a domain with a dot: enough to send mail to, and no more is known.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(strings.Trim(domain, "."), ".") && !strings.ContainsAny(s, " \t\r\n<>\",;") && !strings.Contains(domain, "@")
}

func emailsJSON(doc *scim.Object) []byte {
	emails, _ := doc.Get("emails")
	out := []byte{'['}
	for _, e := range emails.List() {
		if e.Object() == nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		var one payload
		if primary, ok := e.Object().Get("primary"); ok {
			one.add("primary", primary.AppendJSON(nil))
		}
		if kind := e.Object().Text("type"); kind != "" {
			one.text("type", kind)
		}
		one.textOrNull("value", e.Object().Text("value"))
		out = append(out, one.json()...)
	}
	return append(out, ']')
}

// customAttributes are the predefined ones of the compatible API, as far as the document holds them.
func customAttributes(doc *scim.Object) payload {
	enterprise, _ := doc.Get(scim.EnterpriseURN)
	e := enterprise.Object()
	var out payload
	for _, a := range [...]struct{ name, value string }{
		{"job_title", doc.Text("title")},
		{"employment_type", doc.Text("userType")},
		{"department_name", e.Text("department")},
		{"cost_center_name", e.Text("costCenter")},
		{"division_name", e.Text("division")},
		{"employee_number", e.Text("employeeNumber")},
		{"manager_email", managerEmail(e)},
	} {
		if a.value != "" {
			out.text(a.name, a.value)
		}
	}
	return out
}

// managerEmail is known only where the provider names managers by address.
func managerEmail(enterprise *scim.Object) string {
	manager, _ := enterprise.Get("manager")
	if value := manager.Object().Text("value"); isAddress(value) {
		return value
	}
	return ""
}

// UserPayload is the directory user as the API shows it, without groups and without the closing brace being special: a JSON object.
func UserPayload(d Directory, u User) ([]byte, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	if err != nil {
		return nil, err
	}
	return person{u, doc}.payload(d).json(), nil
}

// payload is the directory group as the API and events show it.
func (g Group) payload(d Directory) payload {
	out := make(payload, 0, 9)
	out.text("object", "directory_group")
	out.text("id", string(g.ID))
	out.text("idp_id", g.IdPID)
	out.text("directory_id", string(d.ID))
	out.text("organization_id", d.OrganizationID)
	out.text("name", g.Name)
	out.add("raw_attributes", g.Document)
	out.time("created_at", g.CreatedAt)
	out.time("updated_at", g.UpdatedAt)
	return out
}

// GroupPayload is the directory group as the API shows it.
func GroupPayload(d Directory, g Group) []byte { return g.payload(d).json() }

// Payload is the directory as the API shows it. The public address is the edge's to add.
func (d Directory) Payload(c Counts) []byte {
	out := d.common(string(d.State))
	var users, metadata payload
	users.add("active", appendInt(c.Active))
	users.add("inactive", appendInt(c.Inactive))
	metadata.add("users", users.json())
	metadata.add("groups", appendInt(c.Groups))
	out.add("metadata", metadata.json())
	return out.json()
}

// eventPayload is the directory as its events show it: they say active where the API says linked.
func (d Directory) eventPayload(domains bool) []byte {
	state := "inactive"
	if d.State == Linked {
		state = "active"
	}
	out := d.common(state)
	if domains {
		out.add("domains", []byte("[]"))
	}
	return out.json()
}

func (d Directory) common(state string) payload {
	out := make(payload, 0, 12)
	out.text("object", "directory")
	out.text("id", string(d.ID))
	out.text("organization_id", d.OrganizationID)
	out.text("external_key", d.AddressKey)
	out.text("type", string(d.Type))
	out.text("state", state)
	out.text("name", d.Name)
	out.time("created_at", d.CreatedAt)
	out.time("updated_at", d.UpdatedAt)
	return out
}

func appendInt(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

func (t Token) payload(organizationID string) []byte {
	out := make(payload, 0, 6)
	out.text("object", "directory_token")
	out.text("id", string(t.ID))
	out.text("directory_id", string(t.DirectoryID))
	out.text("organization_id", organizationID)
	out.text("token_suffix", t.Suffix)
	out.time("created_at", t.CreatedAt)
	return out.json()
}

// previous gives the shallow old values of what changed, for `previous_attributes`: of custom and raw attributes only the
// members that changed, null for those that are new. Times of change are no news.
func previous(before, after payload, was, is *scim.Object) payload {
	var out payload
	for _, f := range before {
		switch {
		case f.name == "updated_at" || bytes.Equal(f.json, after.get(f.name)):
			continue
		case f.name == "raw_attributes":
			f.json = changedMembers(was, is)
		case f.name == "custom_attributes":
			f.json = customAttributes(was).changed(customAttributes(is)).json()
		}
		out = append(out, f)
	}
	return out
}

func (p payload) changed(after payload) payload {
	var out payload
	for _, f := range p {
		if !bytes.Equal(f.json, after.get(f.name)) {
			out = append(out, f)
		}
	}
	for _, f := range after {
		if p.get(f.name) == nil {
			out.add(f.name, []byte("null"))
		}
	}
	return out
}

func changedMembers(was, is *scim.Object) []byte {
	var out payload
	for _, m := range was.Members() {
		if v, ok := is.Get(m.Name); !ok || !v.Equal(m.Value) {
			out.add(m.Name, m.Value.AppendJSON(nil))
		}
	}
	for _, m := range is.Members() {
		if _, ok := was.Get(m.Name); !ok {
			out.add(m.Name, []byte("null"))
		}
	}
	return out.json()
}

// systemContext is the cause of everything SCIM does: the directory acted.
func systemContext(d Directory, x ExchangeID, derived bool) []byte {
	name := d.Name
	return event.Context{
		Actor: event.Actor{ID: string(d.ID), Source: event.System, Name: &name}, ExchangeID: string(x), Derived: derived,
	}.JSON()
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
