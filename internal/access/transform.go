package access

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// longestValue bounds what a transform can make of a value, and what is stored of one: a picture in a data: URL has no place here.
const longestValue = 8 << 10

// storable: a database can hold it, and it is of a size that is worth it.
func storable(s string) bool {
	return len(s) <= longestValue && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

func finite(n float64) bool { return !math.IsNaN(n) && !math.IsInf(n, 0) }

// apply changes values; what comes out empty is left out.
func (t Transform) apply(values []string) []string {
	switch {
	case len(values) == 0:
		return nil
	case t.Do == DoFirst:
		return values[:1]
	case t.Do == DoJoin:
		return kept(nil, strings.Join(values, t.Text))
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		if t.Do == DoJSON {
			out = appendJSON(out, v, t.Text)
			continue
		}
		out = kept(out, t.one(v))
	}
	return out
}

func kept(out []string, v string) []string {
	if v == "" || !storable(v) {
		return out
	}
	return append(out, v)
}

func (t Transform) one(v string) string {
	switch t.Do {
	case DoTrim:
		return strings.TrimSpace(v)
	case DoLower:
		return strings.ToLower(v)
	case DoUpper:
		return strings.ToUpper(v)
	case DoBefore:
		before, _, _ := strings.Cut(v, t.Text)
		return before
	case DoAfter:
		if _, after, found := strings.Cut(v, t.Text); found {
			return after
		}
	case DoMap:
		if to, ok := t.Table[v]; ok {
			return to
		}
		return t.Table["*"]
	case DoFirst, DoJoin, DoJSON: // of all values together
	}
	return v
}

// appendJSON takes a member out of JSON in a text. What is no JSON gives nothing: Microsoft Entra sends app roles as
// "{\"id\":\"…\",\"value\":\"Admin\",\"displayName\":\"Admin\"}".
func appendJSON(out []string, text, member string) []string {
	const deepest = 20
	if !shallow(text, deepest) {
		return out
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v, jsontext.AllowDuplicateNames(false)); err != nil {
		return out
	}
	list, is := v.([]any)
	if !is {
		list = []any{v}
	}
	for _, one := range list {
		if o, is := one.(map[string]any); is {
			out = appendTexts(out, o[member])
		}
	}
	return out
}

// shallow bounds how deep JSON goes before it is read into memory.
func shallow(text string, deepest int) bool {
	d := jsontext.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		if _, err := d.ReadToken(); err != nil {
			return d.StackDepth() == 0
		}
		if d.StackDepth() > deepest {
			return false
		}
	}
}
