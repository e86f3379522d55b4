package simulate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// The marks of templates. They are written with « » because no provider sends those.
const (
	markFrom = "«from»" // begin with the object of this name; the other members are laid over it
	markPart = "«part»" // the dialect's part of this name
	markEach = "«each»" // «give» for every element of the list
	markWhen = "«when»" // «give» if the name has a value
	markGive = "«give»"
)

var (
	placeholder = regexp.MustCompile(`\{\{([a-zA-Z.]+)(\|[a-z]*)?\}\}`)
	alone       = regexp.MustCompile(`^\{\{([a-zA-Z.]+)(\|[a-z]*)?\}\}$`)
)

// render fills a template for JSON. A member whose value would be empty is left out, unless the template says "|null" or "|".
func (c *SCIMClient) render(s *scene, template any) (any, error) {
	values, err := c.renderAll(s, template)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

// renderAll gives no value, one or, for «each», many.
func (c *SCIMClient) renderAll(s *scene, template any) ([]any, error) {
	switch t := template.(type) {
	case string:
		return c.renderText(s, t)
	case []any:
		out := []any{}
		for _, element := range t {
			values, err := c.renderAll(s, element)
			if err != nil {
				return nil, err
			}
			out = append(out, values...)
		}
		return []any{out}, nil
	case map[string]any:
		return c.renderObject(s, t)
	}
	return []any{template}, nil
}

func (c *SCIMClient) renderText(s *scene, text string) ([]any, error) {
	found := alone.FindStringSubmatch(text)
	if found == nil {
		filled, err := c.text(s, text, plain)
		return []any{filled}, err
	}
	value, err := c.value(s, found[1])
	if err != nil {
		return nil, err
	}
	if list, ok := value.([]any); ok && list == nil {
		value = []any{}
	}
	if value != nil && value != "" {
		return []any{copied(value)}, nil
	}
	switch found[2] {
	case "|null":
		return []any{nil}, nil
	case "|":
		return []any{""}, nil
	}
	return nil, nil
}

func (c *SCIMClient) renderObject(s *scene, t map[string]any) ([]any, error) {
	if name, ok := t[markPart].(string); ok {
		part, known := c.dialect.Parts[name]
		if !known {
			return nil, fmt.Errorf("the dialect of %s has no part %q", c.slug, name)
		}
		return c.renderAll(s, part)
	}
	if name, ok := t[markEach].(string); ok {
		return c.renderEach(s, name, t[markGive])
	}
	if name, ok := t[markWhen].(string); ok {
		if yes, err := c.truth(s, name); err != nil || !yes {
			return nil, err
		}
		return c.renderAll(s, t[markGive])
	}
	return c.renderMembers(s, t)
}

func (c *SCIMClient) renderEach(s *scene, name string, give any) ([]any, error) {
	value, err := c.value(s, name)
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	var out []any
	for _, element := range list {
		inner := *s
		inner.item, _ = element.(map[string]any)
		values, err := c.renderAll(&inner, give)
		if err != nil {
			return nil, err
		}
		out = append(out, values...)
	}
	return out, nil
}

func (c *SCIMClient) renderMembers(s *scene, t map[string]any) ([]any, error) {
	out := map[string]any{}
	if from, ok := t[markFrom]; ok {
		under, err := c.render(s, from)
		if err != nil {
			return nil, err
		}
		out, _ = under.(map[string]any)
		if out == nil {
			return nil, fmt.Errorf("the dialect of %s begins with %v, which is no object here", c.slug, from)
		}
	}
	for name, inner := range t {
		if name == markFrom {
			continue
		}
		values, err := c.renderAll(s, inner)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out[name] = values[0]
		}
	}
	if len(out) == 0 && len(t) > 0 {
		return nil, nil
	}
	return []any{out}, nil
}

func plain(text string) string { return text }

// text fills the placeholders of a text.
func (c *SCIMClient) text(s *scene, template string, escape func(string) string) (string, error) {
	var fault error
	filled := placeholder.ReplaceAllStringFunc(template, func(mark string) string {
		value, err := c.value(s, placeholder.FindStringSubmatch(mark)[1])
		if err != nil {
			fault = err
		}
		return escape(textOf(value))
	})
	return filled, fault
}

// target fills method and target, and writes the query as the provider does.
func (c *SCIMClient) target(s *scene, send string) (method, target string, err error) {
	method, target, _ = strings.Cut(send, " ")
	path, query, _ := strings.Cut(target, "?")
	if path, err = c.text(s, path, url.PathEscape); err != nil {
		return "", "", err
	}
	var pairs []string
	if c.query != "" {
		pairs = append(pairs, c.query)
	}
	if query != "" {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if value, err = c.text(s, value, inFilter); err != nil {
				return "", "", err
			}
			pairs = append(pairs, name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", c.dialect.Blank))
		}
	}
	switch {
	case c.dialect.Ends && len(pairs) > 0:
		path += "?" + strings.Join(pairs, "&") + "&"
	case c.dialect.Ends || len(pairs) > 0:
		path += "?" + strings.Join(pairs, "&")
	}
	return method, path, nil
}

// inFilter escapes a value inside the quotes of a filter, which are JSON's (RFC 7644 §3.4.2.2).
func inFilter(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil { // of a string it cannot happen
		return text
	}
	return string(quoted[1 : len(quoted)-1])
}

// told fills a sentence. The words of a stranger in it lose what is not for reading.
func (c *SCIMClient) told(s *scene, sentence string) (string, error) {
	return c.text(s, sentence, func(text string) string {
		text = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, text)
		const longest = 400
		if len(text) > longest {
			return strings.ToValidUTF8(text[:longest], "") + "…"
		}
		return text
	})
}

func statusKey(prefix string, status int) string { return prefix + strconv.Itoa(status) }

// wants tells whether a status is no failure for a step.
func wants(step idp.DialectStep, status int) bool {
	if len(step.Want) > 0 {
		return slices.Contains(step.Want, status)
	}
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}
