package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The marks a pattern knows. They are written with « » because no provider sends those.
const (
	markAny      = "*"
	markAbsent   = "«absent»"
	markNone     = "«none»"
	markRun      = "«any»"
	markAnyOrder = "«any order»"
	markAmong    = "…"
)

// Pattern is what a JSON value must look like. See the package comment.
type Pattern struct{ value any }

// Names are the strings a replay has remembered, by name.
type Names map[string]string

// ParsePattern reads a pattern. It must be one JSON value.
func ParsePattern(text string) (*Pattern, error) {
	value, err := decodeJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	if err := checkMarks(value); err != nil {
		return nil, err
	}
	return &Pattern{value: value}, nil
}

func decodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: something follows the value")
	}
	return value, nil
}

var guillemets = regexp.MustCompile(`«[^»]*»?`)

// checkMarks refuses marks that are misspelled or cannot mean anything where they stand.
func checkMarks(value any) error {
	switch v := value.(type) {
	case string:
		if v == markAbsent || v == markNone {
			return nil
		}
		for _, mark := range guillemets.FindAllString(v, -1) {
			if mark != markRun {
				return fmt.Errorf("%q in %q: want one of %s, %s, %s, or %s as the first element of an array", mark, v, markAbsent, markNone, markRun, markAnyOrder)
			}
		}
	case []any:
		return checkArrayMarks(v)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := checkMarks(v[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func checkArrayMarks(elements []any) error {
	_, elements = arrayMode(elements)
	for i, element := range elements {
		if element == markAbsent || element == markNone || element == markAmong {
			return fmt.Errorf("element %d is %s, which cannot be an element there", i, element)
		}
		if err := checkMarks(element); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func arrayMode(elements []any) (mode string, rest []any) {
	if len(elements) > 0 && (elements[0] == markAnyOrder || elements[0] == markAmong) {
		return elements[0].(string), elements[1:]
	}
	return "", elements
}

// Match compares a decoded JSON value (numbers as [json.Number]) with the pattern
// and adds what it remembers to names. Each problem names the place by its path;
// none means a match. Names are only added when all of it matches.
func (p *Pattern) Match(value any, names Names) []string {
	if p == nil {
		return nil
	}
	attempt := maps.Clone(names)
	if attempt == nil {
		attempt = Names{}
	}
	problems := match("", p.value, value, true, attempt)
	if len(problems) == 0 && names != nil {
		maps.Copy(names, attempt)
	}
	return problems
}

func match(at string, want, got any, present bool, names Names) []string {
	switch want {
	case markAbsent:
		if present {
			return []string{fmt.Sprintf("%s: want absent, got %s", place(at), show(got))}
		}
		return nil
	case markNone:
		if list, ok := got.([]any); !present || got == nil || (ok && len(list) == 0) {
			return nil
		}
		return []string{fmt.Sprintf("%s: want absent, null or [], got %s", place(at), show(got))}
	}
	if !present {
		return []string{fmt.Sprintf("%s: want %s, got nothing", place(at), show(want))}
	}
	switch want := want.(type) {
	case map[string]any:
		return matchObject(at, want, got, names)
	case []any:
		return matchArray(at, want, got, names)
	case string:
		return matchString(at, want, got, names)
	case json.Number:
		return matchNumber(at, want, got)
	}
	if want != got {
		return []string{fmt.Sprintf("%s: want %s, got %s", place(at), show(want), show(got))}
	}
	return nil
}

func matchObject(at string, want map[string]any, got any, names Names) []string {
	object, ok := got.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: want an object, got %s", place(at), show(got))}
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, present := object[name]
		problems = append(problems, match(at+"/"+name, want[name], value, present, names)...)
	}
	return problems
}

func matchArray(at string, want []any, got any, names Names) []string {
	list, ok := got.([]any)
	if !ok {
		return []string{fmt.Sprintf("%s: want an array, got %s", place(at), show(got))}
	}
	mode, want := arrayMode(want)
	if mode != markAmong && len(list) != len(want) {
		return []string{fmt.Sprintf("%s: want %d elements, got %d: %s", place(at), len(want), len(list), show(got))}
	}
	if mode != "" {
		return matchUnordered(at, want, list, names)
	}
	var problems []string
	for i := range want {
		problems = append(problems, match(at+"/"+strconv.Itoa(i), want[i], list[i], true, names)...)
	}
	return problems
}

// matchUnordered pairs each wanted element with an element of its own. Elements
// are taken first come, first served after those with known names only, which is
// enough for stories: two patterns that fit the same element are written in order.
func matchUnordered(at string, want, list []any, names Names) []string {
	used := make([]bool, len(list))
	var problems []string
	for _, element := range want {
		if !claim(element, list, used, names) {
			problems = append(problems, fmt.Sprintf("%s: no element of its own for %s in %s", place(at), show(element), show(list)))
		}
	}
	return problems
}

func claim(want any, list []any, used []bool, names Names) bool {
	for i, element := range list {
		if used[i] {
			continue
		}
		attempt := maps.Clone(names)
		if len(match("", want, element, true, attempt)) == 0 {
			used[i] = true
			maps.Copy(names, attempt)
			return true
		}
	}
	return false
}

func matchString(at, want string, got any, names Names) []string {
	if want == markAny {
		return nil
	}
	text, ok := got.(string)
	if !ok {
		return []string{fmt.Sprintf("%s: want the string %q, got %s", place(at), want, show(got))}
	}
	if problem := matchText(want, text, names); problem != "" {
		return []string{fmt.Sprintf("%s: %s", place(at), problem)}
	}
	return nil
}

func matchNumber(at string, want json.Number, got any) []string {
	number, ok := got.(json.Number)
	if ok {
		a, okA := new(big.Rat).SetString(want.String())
		b, okB := new(big.Rat).SetString(number.String())
		if okA && okB && a.Cmp(b) == 0 {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: want the number %s, got %s", place(at), want, show(got))}
}

var nameForm = regexp.MustCompile(`\{\{([a-zA-Z][a-zA-Z0-9_]*)\}\}`)

func namesIn(text string) []string {
	var names []string
	for _, found := range nameForm.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// matchText compares one string with a pattern of literals, «any» and {{names}};
// a name not known yet takes the shortest non-empty run that fits.
func matchText(want, got string, names Names) (problem string) {
	var form strings.Builder
	var captured []string
	form.WriteString(`(?s)\A`)
	for i, part := range splitMarks(want) {
		name, isName := strings.CutPrefix(part, "{{")
		name = strings.TrimSuffix(name, "}}")
		switch {
		case i%2 == 0:
			form.WriteString(regexp.QuoteMeta(part))
		case part == markRun:
			form.WriteString(`.*`)
		case isName && names[name] != "":
			form.WriteString(regexp.QuoteMeta(names[name]))
		case isName:
			form.WriteString(`(.+?)`)
			captured = append(captured, name)
		}
	}
	form.WriteString(`\z`)
	found := regexp.MustCompile(form.String()).FindStringSubmatch(got)
	if found == nil {
		return fmt.Sprintf("want %q, got %q", fill(want, names, func(s string) string { return s }), got)
	}
	for i, name := range captured {
		names[name] = found[i+1]
	}
	return ""
}

var textMark = regexp.MustCompile(`\{\{[a-zA-Z][a-zA-Z0-9_]*\}\}|` + markRun)

// splitMarks cuts a string into literals (even places) and marks (odd places).
func splitMarks(text string) []string {
	var parts []string
	last := 0
	for _, span := range textMark.FindAllStringIndex(text, -1) {
		parts = append(parts, text[last:span[0]], text[span[0]:span[1]])
		last = span[1]
	}
	return append(parts, text[last:])
}

// fill puts remembered strings in place of their names; unknown names stay.
func fill(text string, names Names, escape func(string) string) string {
	return nameForm.ReplaceAllStringFunc(text, func(mark string) string {
		value, ok := names[mark[2:len(mark)-2]]
		if !ok {
			return mark
		}
		return escape(value)
	})
}

func (p *Pattern) names() []string {
	if p == nil {
		return nil
	}
	return collectNames(p.value)
}

func collectNames(value any) []string {
	var names []string
	switch v := value.(type) {
	case string:
		return namesIn(v)
	case []any:
		for _, element := range v {
			names = append(names, collectNames(element)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			names = append(names, collectNames(v[name])...)
		}
	}
	return names
}

func place(at string) string {
	if at == "" {
		return "the whole"
	}
	return at
}

// show prints a value on one line, cut at a length that keeps a failure readable.
func show(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprintf("%v", value)
	}
	line := strings.TrimSpace(text.String())
	const longest = 400
	if len(line) > longest {
		return strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}
