package sso

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
)

// Limits of what is kept of a person.
const (
	MaxGroups   = 5_000
	maxIDPID    = 512  // bytes
	maxName     = 255  // characters of a person's name
	maxValue    = 4096 // bytes of a custom attribute's value
	maxNested   = 4    // levels of claims inside claims
	maxListed   = 40   // names of attributes in a refusal
	maxShown    = 300  // bytes of foreign text in a refusal
	nameIDName  = "NameID"
	transient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	persistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	emailFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
)

// Names of what an attribute can mean; every other name of an AttributeMap is a custom attribute.
const (
	meansIDPID     = "idp_id"
	meansEmail     = "email"
	meansFirstName = "first_name"
	meansLastName  = "last_name"
	meansName      = "name"
	meansGroups    = "groups"
	meansRoles     = "roles"
)

func meanings() []string {
	return []string{meansIDPID, meansEmail, meansFirstName, meansLastName, meansName, meansGroups, meansRoles}
}

// attribute is one thing said of a person.
type attribute struct {
	name, friendly string
	values         []string
}

// statement is what a provider said of a person, by whichever protocol.
type statement struct {
	protocol   Protocol
	subject    string // NameID, or sub
	format     string // of the NameID
	whom       Subject
	attributes []attribute
	raw        map[string]any
	verified   *bool // what the document that holds the email says of it
}

// mapping finds in statements what things mean for a connection.
type mapping struct {
	own   AttributeMap
	claim map[idp.Claim][]string // the provider's names, then well-known ones
	ids   []string               // the provider's names of the id alone
}

func mappingOf(catalog *idp.Catalog, c Connection) mapping {
	provider, _ := catalog.Provider(idp.Slug(c.Provider))
	return mapping{
		own:   c.AttributeMap,
		claim: catalog.SignInNames(idp.Slug(c.Provider), idp.Protocol(c.Protocol)),
		ids:   provider.Claims[idp.Protocol(c.Protocol)][idp.ClaimID],
	}
}

// names are where to look for something.
func (m mapping) names(meaning string, claim idp.Claim) []string {
	if own := m.own[meaning]; len(own) > 0 {
		return own
	}
	return m.claim[claim]
}

// profile makes a profile of a statement. Refusals: missing_attribute, naming the attributes that did come.
func (m mapping) profile(c Connection, st statement, allowUnverified bool) (Profile, *fault.Error) {
	p := Profile{OrganizationID: c.OrganizationID, ConnectionID: c.ID, ConnectionType: c.Type, Raw: st.raw}
	var refused *fault.Error
	if p.IDPID, refused = m.idpID(st); refused != nil {
		return p, refused
	}
	if p.Email, refused = m.email(st); refused != nil {
		return p, refused
	}
	if st.verified != nil && !*st.verified && !allowUnverified {
		return p, deny(MissingAttribute, "email_verified: true", "email_verified: false",
			"The identity provider says that the person's email address is not verified. Verify it there, or allow such addresses for this connection.")
	}
	p.EmailVerified = st.verified != nil && *st.verified
	p.FirstName = tidy(st.first(m.names(meansFirstName, idp.ClaimFirstName)), maxName)
	p.LastName = tidy(st.first(m.names(meansLastName, idp.ClaimLastName)), maxName)
	p.Name = tidy(st.first(m.names(meansName, idp.ClaimDisplayName)), maxName)
	p.Groups, p.GroupsCut = listed(st.find(m.names(meansGroups, idp.ClaimGroups)))
	p.Roles, _ = listed(st.find(m.names(meansRoles, idp.ClaimRoles)))
	p.Custom = m.custom(st)
	return p, nil
}

// idpID is the key of the person. Where a name for it was chosen nothing else will do: a second best would be another person.
// Otherwise it is the attribute that the provider is known for, a persistent NameID, a well-known attribute, or a NameID that at
// least is not made up for this one sign-in.
func (m mapping) idpID(st statement) (string, *fault.Error) {
	names := m.own[meansIDPID]
	if len(names) == 0 {
		names = m.ids
	}
	id, refused := st.one("an identifier", names)
	switch {
	case refused != nil:
		return "", refused
	case id != "":
	case len(m.own[meansIDPID]) > 0:
		return "", st.missing("the identifier", names)
	case st.format == persistent:
		id = st.subject
	default:
		if id, refused = st.one("an identifier", m.claim[idp.ClaimID]); refused != nil {
			return "", refused
		}
		if id == "" && st.format != transient {
			id = st.subject
		}
	}
	if id == "" {
		return "", st.missing("the identifier", append([]string{"NameID of the format persistent"}, m.claim[idp.ClaimID]...))
	}
	if len(id) > maxIDPID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return "", deny(MissingAttribute, fmt.Sprintf("at most %d bytes of text", maxIDPID), fmt.Sprintf("%d bytes", len(id)),
			"The person's identifier is longer than %d bytes or holds control characters.", maxIDPID)
	}
	return id, nil
}

// email is the first of the candidates that is an address. An address in two versions under one name is no address.
func (m mapping) email(st statement) (string, *fault.Error) {
	names := m.names(meansEmail, idp.ClaimEmail)
	why, bad := "", ""
	for _, name := range names {
		text, refused := st.one("the email address", []string{name})
		if refused != nil {
			return "", refused
		}
		if text == "" {
			continue
		}
		email, _, reason := parseEmail(strings.TrimSpace(text))
		if reason == "" {
			return email, nil
		}
		if why == "" {
			why, bad = reason, text
		}
	}
	if len(m.own[meansEmail]) == 0 && st.protocol == SAML && (st.format == emailFormat || why == "" && st.format != transient) {
		email, _, reason := parseEmail(strings.TrimSpace(st.subject))
		if reason == "" {
			return email, nil
		}
		if st.format == emailFormat && why == "" {
			why, bad = reason, st.subject
		}
	}
	if why != "" {
		return "", deny(MissingAttribute, "an email address like ann@example.com", bad, "The email address that came is none: %s.", why)
	}
	return "", st.missing("the email address", names)
}

func (m mapping) custom(st statement) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(m.own)) {
		if slices.Contains(meanings(), name) {
			continue
		}
		switch values := clean(st.find(m.own[name])); len(values) {
		case 0:
		case 1:
			out[name] = values[0]
		default:
			out[name] = values[:min(len(values), MaxGroups)]
		}
	}
	return out
}

// find gives what was said under the first of the names that was used. A name counts as written, else in any letter case; only when no
// attribute is named so does a FriendlyName count, which nothing keeps apart from another's.
func (st statement) find(names []string) []string {
	for _, name := range names {
		if values := st.named(name); len(values) > 0 {
			return values
		}
	}
	for _, name := range names {
		if values := st.befriended(name); len(values) > 0 {
			return values
		}
	}
	return nil
}

func (st statement) named(name string) []string {
	if name == nameIDName && st.subject != "" && st.format != transient {
		return []string{st.subject}
	}
	exact := st.gather(func(a attribute) bool { return a.name == name })
	if len(exact) > 0 {
		return exact
	}
	return st.gather(func(a attribute) bool { return strings.EqualFold(a.name, name) })
}

func (st statement) befriended(name string) []string {
	return st.gather(func(a attribute) bool { return a.friendly != "" && strings.EqualFold(a.friendly, name) })
}

// gather joins the values of attributes, without empty ones and repetitions.
func (st statement) gather(is func(attribute) bool) (out []string) {
	seen := map[string]bool{}
	for _, a := range st.attributes {
		if !is(a) {
			continue
		}
		for _, v := range a.values {
			if v != "" && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

func (st statement) first(names []string) string {
	if values := st.find(names); len(values) > 0 {
		return values[0]
	}
	return ""
}

// one gives the only value under a name, "" if there is none. Two different ones are a refusal: which one counts must not be up to
// whoever writes the document.
func (st statement) one(what string, names []string) (string, *fault.Error) {
	values := st.find(names)
	if len(values) > 1 {
		return "", deny(MissingAttribute, "one value", fmt.Sprintf("%d different ones", len(values)),
			"The answer has %s in %d different versions, so it is not clear who the person is.", what, len(values))
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// missing names what came, names only: values are nobody's business.
func (st statement) missing(what string, wanted []string) *fault.Error {
	var came []string
	for _, a := range st.attributes {
		name := a.name
		if a.friendly != "" {
			name += " (" + a.friendly + ")"
		}
		came = append(came, name)
	}
	slices.Sort(came)
	got := "no attributes"
	if len(came) > 0 {
		got = strings.Join(came[:min(len(came), maxListed)], ", ")
	}
	if st.format == transient {
		got += "; a NameID that is another one at each sign-in (transient)"
	}
	f := deny(MissingAttribute, "", "", "The answer lacks %s of the person.", what)
	f.Wanted, f.Got = shownLong("one of: "+strings.Join(wanted, ", ")), shownLong(got)
	return f
}

// listed are groups or roles, the first of them where there are too many.
func listed(values []string) (kept []string, cut int) {
	values = clean(values)
	if len(values) <= MaxGroups {
		return values, 0
	}
	return values[:MaxGroups], len(values) - MaxGroups
}

func clean(values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if v = tidy(v, maxValue); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// tidy makes foreign text fit for a column: valid, without control characters, bounded.
func tidy(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.TrimSpace(s))
	return string(runes[:min(len(runes), limit)])
}

// shown is foreign text in a refusal.
func shown(s string) string { return bounded(s, maxShown) }

// shownLong is a list in a refusal.
func shownLong(s string) string { return bounded(s, 4*maxShown) }

func bounded(s string, limit int) string {
	s = tidy(s, limit+1)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

// claimed turns the claims of OpenID Connect into a statement. Claims inside claims are named with dots, as in realm_access.roles.
func claimed(claims map[string]any) statement {
	st := statement{protocol: OIDC, raw: map[string]any{}}
	st.subject, _ = claims["sub"].(string)
	st.whom = Subject{Value: st.subject}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if !ofProtocol(name) {
			st.raw[name] = cutList(claims[name])
		}
		st.attributes = appendClaim(st.attributes, name, claims[name], 1)
	}
	return st
}

// ofProtocol are claims that say nothing of a person and belong to one exchange of messages.
func ofProtocol(name string) bool {
	return slices.Contains([]string{"nonce", "at_hash", "c_hash", "s_hash", "exp", "iat", "nbf", "jti"}, name)
}

func appendClaim(out []attribute, name string, value any, level int) []attribute {
	if object, is := value.(map[string]any); is {
		if level >= maxNested {
			return out
		}
		for _, inner := range slices.Sorted(maps.Keys(object)) {
			out = appendClaim(out, name+"."+inner, object[inner], level+1)
		}
		return out
	}
	if values := texts(value); len(values) > 0 {
		out = append(out, attribute{name: name, values: values})
	}
	return out
}

// texts are the values of a claim. Numbers are written as JSON would; what has no text is left out.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case fmt.Stringer: // json.Number
		return []string{v.String()}
	case []any:
		var out []string
		for _, item := range v {
			if _, nested := item.([]any); !nested {
				out = append(out, texts(item)...)
			}
		}
		return out
	default:
		return nil
	}
}

// cutList bounds what is kept of a list as it came.
func cutList(value any) any {
	if list, is := value.([]any); is && len(list) > MaxGroups {
		return list[:MaxGroups]
	}
	return value
}
