package access

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Map says what a person gets. roles are those of the organization: what is mapped to another is nothing.
func (m Mapping) Map(src Source, roles []Role) Mapped {
	out := Mapped{
		DrivesRoles: m.DrivesRoles, DrivesTeams: m.DrivesTeams, DrivesLicences: m.DrivesLicences,
		Attributes: map[string]any{}, Why: map[string]string{},
	}
	given := map[string]bool{}
	for _, r := range m.active() {
		reason, holds := r.holds(src)
		if !holds {
			continue
		}
		values := r.values(src)
		if len(values) == 0 {
			continue
		}
		if reason == "" {
			reason = r.origin()
		}
		out.give(r, values, reason, given, roles)
	}
	if m.DrivesTeams && m.TeamsFollow {
		m.follow(&out, src)
	}
	slices.SortFunc(out.Roles, func(a, b string) int {
		x, _ := Find(roles, a)
		y, _ := Find(roles, b)
		return byPriority(x, y)
	})
	slices.Sort(out.Teams)
	return out
}

// give adds what a rule that holds gives. Of attributes, fields and the licence the first rule wins; roles and teams are gathered.
func (o *Mapped) give(r Rule, values []string, reason string, given map[string]bool, roles []Role) {
	switch r.Set {
	case SetRole:
		for _, slug := range values {
			if _, known := Find(roles, slug); known {
				o.Roles = o.gather(o.Roles, "role", slug, reason)
			}
		}
	case SetTeam:
		for _, id := range values {
			o.Teams = o.gather(o.Teams, "team", id, reason)
		}
	case SetLicence:
		if o.Licence == "" {
			o.Licence = values[0]
			o.Why["licence:"+o.Licence] = reason
		}
	case SetAttribute:
		if v, ok := r.typed(values); ok && !given["attribute:"+r.Name] {
			given["attribute:"+r.Name] = true
			o.Attributes[r.Name], o.Why["attribute:"+r.Name] = v, reason
		}
	case SetProfile:
		if field := o.field(r.Name); field != nil && *field == nil {
			*field, o.Why["profile:"+r.Name] = &values[0], reason
		}
	}
}

func (o *Mapped) gather(to []string, kind, value, reason string) []string {
	if slices.Contains(to, value) {
		return to
	}
	o.Why[kind+":"+value] = reason
	return append(to, value)
}

func (o *Mapped) field(name string) **string {
	switch name {
	case FieldFirstName:
		return &o.FirstName
	case FieldLastName:
		return &o.LastName
	case FieldPictureURL:
		return &o.PictureURL
	case FieldLocale:
		return &o.Locale
	}
	return nil
}

// follow puts people into the teams that follow their groups.
func (m Mapping) follow(out *Mapped, src Source) {
	for _, g := range src.Groups {
		if team, ok := m.Followed[g.ID]; ok && g.ID != "" {
			out.Teams = out.gather(out.Teams, "team", string(team), "group "+g.Name)
		}
	}
}

// holds asks all conditions and gives the words for the first: why somebody has what the rule gives.
func (r Rule) holds(src Source) (reason string, all bool) {
	for i, c := range r.When {
		why, ok := c.holds(src)
		if !ok {
			return "", false
		}
		if i == 0 {
			reason = why
		}
	}
	return reason, true
}

// origin is the reason of a rule without conditions.
func (r Rule) origin() string {
	if r.From != "" {
		return r.From
	}
	return "everybody"
}

func (c Condition) holds(src Source) (string, bool) {
	if c.Group != nil {
		i := slices.IndexFunc(src.Groups, func(g Group) bool {
			return c.Group.ID != "" && g.ID == c.Group.ID || c.Group.ID == "" && g.Name == c.Group.Name
		})
		if i < 0 {
			return "", false
		}
		return "group " + src.Groups[i].Name, true
	}
	values := src.texts(c.Path)
	switch c.Test {
	case TestPresent:
		return c.Path, len(values) > 0
	case TestAbsent:
		return "no " + c.Path, len(values) == 0
	case TestEquals, TestIn, TestPrefix, TestContains:
	}
	for _, v := range values {
		if c.fits(v) {
			return c.Path + " " + v, true
		}
	}
	return "", false
}

func (c Condition) fits(v string) bool {
	switch c.Test {
	case TestPrefix:
		return strings.HasPrefix(v, c.Texts[0])
	case TestContains:
		return strings.Contains(v, c.Texts[0])
	case TestEquals, TestIn, TestPresent, TestAbsent:
	}
	return slices.Contains(c.Texts, v)
}

// values are what a rule gives, before its type.
func (r Rule) values(src Source) []string {
	if r.From == "" {
		return []string{r.To}
	}
	values := src.texts(r.From)
	for _, t := range r.Transforms {
		values = t.apply(values)
	}
	return values
}

// texts reads a path or claim as texts, none of them empty.
func (s Source) texts(path string) []string {
	v, ok := s.value(path)
	if !ok {
		return nil
	}
	return appendTexts(nil, v)
}

// appendTexts writes a value as texts: of a list each element, of an object its value, or else its JSON.
func appendTexts(out []string, v any) []string {
	var text string
	switch v := v.(type) {
	case nil:
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		for _, one := range v {
			out = appendTexts(out, one)
		}
		return out
	case []any:
		for _, one := range v {
			out = appendTexts(out, one)
		}
		return out
	case map[string]any:
		if inner, ok := v["value"]; ok {
			return appendTexts(out, inner)
		}
		text = string(encode(v))
	default:
		if n, err := json.Marshal(v); err == nil { // numbers of other kinds
			text = string(n)
		}
	}
	if text == "" || !storable(text) {
		return out
	}
	return append(out, text)
}

// typed gives the value of an attribute; false: it is not of the type, and nothing is set.
func (r Rule) typed(values []string) (any, bool) {
	switch r.As {
	case AsList:
		return values, true
	case AsNumber:
		n, err := strconv.ParseFloat(strings.TrimSpace(values[0]), 64)
		return n, err == nil && finite(n)
	case AsBoolean:
		return boolean(values[0])
	case AsText:
	}
	return values[0], true
}

func boolean(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "1", "on":
		return true, true
	case "false", "no", "0", "off":
		return false, true
	}
	return false, false
}
