package access

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Limits of a mapping; ours.
const (
	maxRules      = 500
	maxRulesBytes = 256 << 10
	maxConditions = 10
	maxTransforms = 10
	maxTexts      = 500 // of a list or a table
	maxText       = 1024
	maxAttributes = 50 // custom attributes, the default ones not counted
)

var (
	attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
	profileFields = []string{FieldFirstName, FieldLastName, FieldPictureURL, FieldLocale}
	targets       = []Target{SetRole, SetTeam, SetLicence, SetAttribute, SetProfile}
	types         = []As{AsText, AsNumber, AsBoolean, AsList}
)

// wireRule is a rule as JSON has it.
type wireRule struct {
	Set       Target         `json:"set"`
	Name      string         `json:"name,omitempty"`
	To        string         `json:"to,omitempty"`
	From      string         `json:"from,omitempty"`
	Transform []wireDo       `json:"transform,omitempty"`
	As        As             `json:"as,omitempty"`
	When      wireConditions `json:"when,omitempty"`
}

// wireCondition has one of group, group_id and path; with path one of the tests.
type wireCondition struct {
	Group    *string  `json:"group,omitzero"`
	GroupID  *string  `json:"group_id,omitzero"`
	Path     *string  `json:"path,omitzero"`
	Equals   *string  `json:"equals,omitzero"`
	In       []string `json:"in,omitzero"`
	Prefix   *string  `json:"prefix,omitzero"`
	Contains *string  `json:"contains,omitzero"`
	Present  *bool    `json:"present,omitzero"`
}

// wireConditions is a list, or one condition without brackets.
type wireConditions []wireCondition

// UnmarshalJSONFrom takes both.
func (c *wireConditions) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		return json.UnmarshalDecode(d, (*[]wireCondition)(c))
	}
	var one wireCondition
	if err := json.UnmarshalDecode(d, &one); err != nil {
		return err
	}
	*c = wireConditions{one}
	return nil
}

// wireDo is "trim", or {"join": ", "}.
type wireDo struct {
	bare string
	args map[string]jsontext.Value
}

// UnmarshalJSONFrom takes both.
func (t *wireDo) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		return json.UnmarshalDecode(d, &t.bare)
	}
	return json.UnmarshalDecode(d, &t.args)
}

// MarshalJSONTo writes what UnmarshalJSONFrom takes.
func (t wireDo) MarshalJSONTo(e *jsontext.Encoder) error {
	if t.args == nil {
		return e.WriteToken(jsontext.String(t.bare))
	}
	return json.MarshalEncode(e, t.args, json.Deterministic(true))
}

// ParseRules reads the rules of a mapping: a JSON array. Every refusal names the rule, counted from 1, and the field of it. It does not know
// which roles, teams and licences there are; that is asked when a mapping is saved.
func ParseRules(text []byte) ([]Rule, error) {
	if len(text) > maxRulesBytes {
		return nil, invalidRules("The rules take %d bytes; at most %d are possible.", len(text), maxRulesBytes)
	}
	var raw []jsontext.Value
	if err := json.Unmarshal(text, &raw); err != nil || jsontext.Value(text).Kind() != '[' {
		return nil, invalidRules("The rules have to be a JSON array of objects like {\"set\":\"role\",\"to\":\"editor\",\"when\":{\"group\":\"Editors\"}}.").Because(err)
	}
	if len(raw) > maxRules {
		return nil, invalidRules("A mapping holds at most %d rules; these are %d.", maxRules, len(raw))
	}
	out := make([]Rule, len(raw))
	names := map[string]bool{}
	for i, one := range raw {
		r, err := parseRule(one)
		if err != nil {
			return nil, err.at(i)
		}
		if out[i] = r; r.Set == SetAttribute {
			names[r.Name] = true
		}
	}
	if len(names) > maxAttributes {
		return nil, invalidRules("The rules set %d custom attributes; at most %d are possible.", len(names), maxAttributes)
	}
	return out, nil
}

func invalidRules(format string, args ...any) *fault.Error {
	return fault.New(fault.Unprocessable, "invalid_rules", format, args...).On("rules")
}

// wrong is a refusal of one field of a rule.
type wrong struct{ field, message string }

func wrongf(field, format string, args ...any) *wrong {
	return &wrong{field, fmt.Sprintf(format, args...)}
}

func (w *wrong) at(i int) *fault.Error {
	if w.field == "" {
		return fault.New(fault.Unprocessable, "invalid_rule", "Rule %d: %s", i+1, w.message).On(fmt.Sprintf("rules.%d", i))
	}
	return fault.New(fault.Unprocessable, "invalid_rule", "Rule %d, %s: %s", i+1, w.field, w.message).On(fmt.Sprintf("rules.%d.%s", i, w.field))
}

func parseRule(text jsontext.Value) (Rule, *wrong) {
	var in wireRule
	if text.Kind() != '{' {
		return Rule{}, wrongf("", "it has to be an object.")
	}
	if err := json.Unmarshal(text, &in, json.RejectUnknownMembers(true)); err != nil {
		return Rule{}, unreadable(err)
	}
	out := Rule{Set: in.Set, Name: in.Name, To: in.To, From: in.From, As: in.As}
	if err := out.check(); err != nil {
		return Rule{}, err
	}
	var err *wrong
	if out.Transforms, err = parseTransforms(in.Transform, out); err != nil {
		return Rule{}, err
	}
	out.When, err = parseConditions(in.When)
	return out, err
}

// unreadable says which field is not as it has to be.
func unreadable(err error) *wrong {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return wrongf(fieldOf(semantic.JSONPointer), "there is no such field here.")
	case errors.As(err, &semantic):
		return wrongf(fieldOf(semantic.JSONPointer), "it has to be of another type.")
	case errors.As(err, &syntactic):
		return wrongf(fieldOf(syntactic.JSONPointer), "it cannot be read: a name may be twice, or a text be no UTF-8.")
	}
	return wrongf("", "it cannot be read.")
}

func fieldOf(p jsontext.Pointer) string {
	const longest = 80
	name := []rune(strings.ToValidUTF8(strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", "."), "\uFFFD"))
	return string(name[:min(len(name), longest)])
}

// check asks what can be asked without transforms and conditions.
func (r Rule) check() *wrong {
	if !slices.Contains(targets, r.Set) {
		return wrongf("set", "it has to be role, team, licence, attribute or profile, not %.40q.", string(r.Set))
	}
	if err := r.checkName(); err != nil {
		return err
	}
	if r.As != "" && (r.Set != SetAttribute || !slices.Contains(types, r.As)) {
		return wrongf("as", "only an attribute has a type, and it is text, number, boolean or list, not %.40q.", string(r.As))
	}
	if (r.To == "") == (r.From == "") {
		return wrongf("to", "give either to, which is what it gives, or from, which is the path or claim it is read from.")
	}
	if err := checkText("to", r.To); err != nil || r.To != "" {
		return err
	}
	return checkPath("from", r.From)
}

func (r Rule) checkName() *wrong {
	switch {
	case r.Set == SetAttribute && !attributeForm.MatchString(r.Name):
		return wrongf("name", "an attribute's name begins with a letter and has at most 64 letters, digits, dots, - and _; %.80q has not.", r.Name)
	case r.Set == SetProfile && !slices.Contains(profileFields, r.Name):
		return wrongf("name", "it has to be %s, not %.40q.", strings.Join(profileFields, ", "), r.Name)
	case r.Set != SetAttribute && r.Set != SetProfile && r.Name != "":
		return wrongf("name", "only an attribute and a profile field have a name.")
	}
	return nil
}

func checkText(field, s string) *wrong {
	switch {
	case len(s) > maxText:
		return wrongf(field, "it is longer than %d bytes.", maxText)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return wrongf(field, "it holds U+0000 or is not UTF-8.")
	}
	return nil
}

// checkPath: the name of a claim may be anything; what looks like a SCIM path with brackets has to be one.
func checkPath(field, path string) *wrong {
	if err := checkText(field, path); err != nil {
		return err
	}
	if path == "" {
		return wrongf(field, "it names no path or claim.")
	}
	if _, err := parsePath(path); err != nil && strings.ContainsAny(path, "[]") {
		message := "it is no SCIM path such as emails[type eq \"work\"].value."
		if f, ok := fault.As(err); ok {
			message = "it is no SCIM path: " + f.Message
		}
		return &wrong{field, message}
	}
	return nil
}

func parseTransforms(in []wireDo, r Rule) ([]Transform, *wrong) {
	switch {
	case len(in) > maxTransforms:
		return nil, wrongf("transform", "there are at most %d transforms; these are %d.", maxTransforms, len(in))
	case len(in) > 0 && r.From == "":
		return nil, wrongf("transform", "only what is read (from) can be transformed.")
	}
	var out []Transform
	for i, one := range in {
		t, err := one.parse(fmt.Sprintf("transform.%d", i))
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (t wireDo) parse(field string) (Transform, *wrong) {
	kind := Do(t.bare)
	var arg jsontext.Value
	if t.args != nil {
		if len(t.args) != 1 {
			return Transform{}, wrongf(field, "an object such as {\"join\":\", \"} has exactly one member.")
		}
		name := slices.Collect(maps.Keys(t.args))[0]
		kind, arg = Do(name), t.args[name]
	}
	switch kind {
	case DoTrim, DoLower, DoUpper, DoFirst:
		if t.args != nil {
			return Transform{}, wrongf(field, "%s takes nothing: write %q.", kind, string(kind))
		}
		return Transform{Do: kind}, nil
	case DoJoin, DoBefore, DoAfter, DoJSON:
		return parseTextual(field, kind, arg)
	case DoMap:
		return parseTable(field, arg)
	}
	return Transform{}, wrongf(field, "it has to be trim, lower, upper, first, join, before, after, map or json, not %.40q.", string(kind))
}

func parseTextual(field string, kind Do, arg jsontext.Value) (Transform, *wrong) {
	t := Transform{Do: kind}
	if arg.Kind() != '"' || json.Unmarshal(arg, &t.Text) != nil {
		return t, wrongf(field, "%s takes a text: {\"%s\":\"…\"}.", kind, kind)
	}
	if t.Text == "" && kind != DoJoin {
		return t, wrongf(field, "the text of %s is empty.", kind)
	}
	return t, checkText(field, t.Text)
}

func parseTable(field string, arg jsontext.Value) (Transform, *wrong) {
	t := Transform{Do: DoMap}
	if arg.Kind() != '{' || json.Unmarshal(arg, &t.Table) != nil {
		return t, wrongf(field, "map takes an object of texts: {\"map\":{\"Eng\":\"engineering\",\"*\":\"other\"}}.")
	}
	if len(t.Table) == 0 || len(t.Table) > maxTexts {
		return t, wrongf(field, "the table has 1 to %d entries; this has %d.", maxTexts, len(t.Table))
	}
	for _, k := range slices.Sorted(maps.Keys(t.Table)) {
		if err := checkText(field, k); err != nil {
			return t, err
		}
		if err := checkText(field, t.Table[k]); err != nil {
			return t, err
		}
	}
	return t, nil
}

func parseConditions(in []wireCondition) ([]Condition, *wrong) {
	if len(in) > maxConditions {
		return nil, wrongf("when", "there are at most %d conditions; these are %d.", maxConditions, len(in))
	}
	var out []Condition
	for i, one := range in {
		field := "when"
		if len(in) > 1 {
			field = fmt.Sprintf("when.%d", i)
		}
		c, err := one.parse(field)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (c wireCondition) parse(field string) (Condition, *wrong) {
	tests := c.tests()
	asked := 0
	for _, given := range []bool{c.Group != nil, c.GroupID != nil, c.Path != nil} {
		if given {
			asked++
		}
	}
	switch {
	case asked != 1:
		return Condition{}, wrongf(field, "give exactly one of group, group_id and path.")
	case c.Path == nil && len(tests) > 0:
		return Condition{}, wrongf(field+"."+tests[0].name, "it belongs to a path, not to a group.")
	case c.Group != nil:
		return Condition{Group: &Group{Name: *c.Group}}, checkName(field+".group", *c.Group)
	case c.GroupID != nil:
		return Condition{Group: &Group{ID: *c.GroupID}}, checkName(field+".group_id", *c.GroupID)
	case len(tests) != 1:
		return Condition{}, wrongf(field, "with a path give exactly one of equals, in, prefix, contains and present.")
	}
	if err := checkPath(field+".path", *c.Path); err != nil {
		return Condition{}, err
	}
	out := Condition{Path: *c.Path, Test: tests[0].test, Texts: tests[0].texts}
	return out, checkTexts(field+"."+tests[0].name, out)
}

func checkName(field, name string) *wrong {
	if name == "" {
		return wrongf(field, "it is empty.")
	}
	return checkText(field, name)
}

func checkTexts(field string, c Condition) *wrong {
	switch {
	case len(c.Texts) > maxTexts:
		return wrongf(field, "the list has at most %d texts; this has %d.", maxTexts, len(c.Texts))
	case c.Test == TestIn && len(c.Texts) == 0, (c.Test == TestPrefix || c.Test == TestContains) && c.Texts[0] == "":
		return wrongf(field, "it is empty.")
	}
	for _, t := range c.Texts {
		if err := checkText(field, t); err != nil {
			return err
		}
	}
	return nil
}

type wireTest struct {
	name  string
	test  Test
	texts []string
}

// tests are those that are given.
func (c wireCondition) tests() (out []wireTest) {
	if c.Equals != nil {
		out = append(out, wireTest{"equals", TestEquals, []string{*c.Equals}})
	}
	if c.In != nil {
		out = append(out, wireTest{"in", TestIn, c.In})
	}
	if c.Prefix != nil {
		out = append(out, wireTest{"prefix", TestPrefix, []string{*c.Prefix}})
	}
	if c.Contains != nil {
		out = append(out, wireTest{"contains", TestContains, []string{*c.Contains}})
	}
	if c.Present != nil {
		test := TestPresent
		if !*c.Present {
			test = TestAbsent
		}
		out = append(out, wireTest{"present", test, nil})
	}
	return out
}

// RulesJSON writes rules as ParseRules reads them.
func RulesJSON(rules []Rule) []byte {
	out := make([]wireRule, len(rules))
	for i, r := range rules {
		out[i] = r.wire()
	}
	text := encode(out)
	if bytes.Equal(text, []byte("null")) {
		return []byte("[]")
	}
	return text
}

func (r Rule) wire() wireRule {
	out := wireRule{Set: r.Set, Name: r.Name, To: r.To, From: r.From, As: r.As}
	for _, t := range r.Transforms {
		out.Transform = append(out.Transform, t.wire())
	}
	for _, c := range r.When {
		out.When = append(out.When, c.wire())
	}
	return out
}

func (t Transform) wire() wireDo {
	switch t.Do {
	case DoMap:
		return wireDo{args: map[string]jsontext.Value{string(t.Do): encode(t.Table)}}
	case DoJoin, DoBefore, DoAfter, DoJSON:
		return wireDo{args: map[string]jsontext.Value{string(t.Do): encode(t.Text)}}
	case DoTrim, DoLower, DoUpper, DoFirst:
	}
	return wireDo{bare: string(t.Do)}
}

func (c Condition) wire() (out wireCondition) {
	if c.Group != nil {
		if c.Group.ID != "" {
			out.GroupID = &c.Group.ID
		} else {
			out.Group = &c.Group.Name
		}
		return out
	}
	out.Path = &c.Path
	switch c.Test {
	case TestEquals:
		out.Equals = &c.Texts[0]
	case TestPrefix:
		out.Prefix = &c.Texts[0]
	case TestContains:
		out.Contains = &c.Texts[0]
	case TestIn:
		out.In = c.Texts
	case TestPresent, TestAbsent:
		present := c.Test == TestPresent
		out.Present = &present
	}
	return out
}
