package api

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const (
	defaultLimit = 10
	maxLimit     = 100
	maxSearch    = 255 // characters; engines refuse longer patterns
	maxValues    = 100 // of a parameter that takes several
)

// paging is the part of a query that all lists have. Cursors are ids of the noun that is listed.
type paging struct {
	before, after string
	limit         int
	ascending     bool
}

// paging reads limit, order and cursors; ascending is the order where none is asked for.
func (c *call) paging(prefix string, ascending bool) (paging, error) {
	return c.pagingAmong(ascending, prefix)
}

// pagingAmong is paging in a list whose entries have ids of several kinds.
func (c *call) pagingAmong(ascending bool, prefixes ...string) (paging, error) {
	p := paging{before: c.query.Get("before"), after: c.query.Get("after"), ascending: ascending}
	for _, name := range []string{"before", "after"} {
		if v := c.query.Get(name); v != "" && !isAnyID(v, prefixes) {
			return p, errCursor(name, v, strings.Join(prefixes, "_ or "))
		}
	}
	switch order := c.query.Get("order"); order {
	case "", "normal":
	case "asc":
		p.ascending = true
	case "desc":
		p.ascending = false
	default:
		return p, errField("order", "invalid_order", "order is asc or desc, not %.40q.", order)
	}
	var err error
	p.limit, err = c.limit()
	return p, err
}

func (c *call) limit() (int, error) {
	text := c.query.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, errField("limit", "invalid_limit", "limit is a number from 1 to %d, not %.40q.", maxLimit, text)
	}
	return n, nil
}

func errCursor(parameter, got, prefix string) error {
	return fault.New(fault.Invalid, "invalid_cursor", "The cursor %.60q is not valid here: %s takes the id of an entry of this list, which begins with %s_.",
		got, parameter, prefix).On(parameter)
}

// backwards: the page before a cursor.
func (p paging) backwards() bool { return p.before != "" && p.after == "" }

// list is the contract's envelope.
type list struct {
	Object   string           `json:"object"`
	Data     []jsontext.Value `json:"data"`
	Metadata ends             `json:"list_metadata"`
}

// ends are the cursors of the neighbouring pages, null where there is none.
type ends struct {
	Before *string `json:"before"`
	After  *string `json:"after"`
}

// ends: beside the page lies the entry of the cursor it was read from, and in the direction read whatever more says.
func (p paging) ends(first, last string, more bool) ends {
	before, after := p.after != "", more
	if p.backwards() {
		before, after = more, true
	}
	var e ends
	if before {
		e.Before = optional(first)
	}
	if after {
		e.After = optional(last)
	}
	return e
}

// listOf makes the envelope of a page.
func listOf[T any](p paging, items []T, more bool, id func(T) string, show func(T) (jsontext.Value, error)) (list, error) {
	out := list{Object: "list", Data: make([]jsontext.Value, len(items))}
	for i, item := range items {
		var err error
		if out.Data[i], err = show(item); err != nil {
			return list{}, err
		}
	}
	if len(items) > 0 {
		out.Metadata = p.ends(id(items[0]), id(items[len(items)-1]), more)
	}
	return out, nil
}

// values reads a parameter that takes several values: comma-joined, repeated, and as name[] or name[0], as clients write it.
func (c *call) values(name string) ([]string, error) {
	var out []string
	for _, key := range c.spellings(name) {
		for _, joined := range c.query[key] {
			for v := range strings.SplitSeq(joined, ",") {
				if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
					out = append(out, v)
				}
				if len(out) > maxValues {
					return nil, errField(name, "too_many", "%s takes at most %d values.", name, maxValues)
				}
			}
		}
	}
	return out, nil
}

// among reads a parameter that takes several of a closed list.
func among[T ~string](c *call, name, code string, known []T) (out []T, err error) {
	named, err := c.values(name)
	if err != nil {
		return nil, err
	}
	for _, one := range named {
		if !slices.Contains(known, T(one)) {
			return nil, errField(name, code, "%s takes %s, not %.40q.", name, listed(known), one)
		}
		out = append(out, T(one))
	}
	return out, nil
}

// listed are values in a sentence: "a, b and c".
func listed[T ~string](values []T) string {
	text := string(values[0])
	for i, v := range values[1:] {
		if i == len(values)-2 {
			text += " and " + string(v)
		} else {
			text += ", " + string(v)
		}
	}
	return text
}

func (c *call) spellings(name string) []string {
	var keys []string
	for key := range c.query {
		rest, found := strings.CutPrefix(key, name)
		if found && (rest == "" || len(rest) > 1 && rest[0] == '[' && strings.Trim(rest[1:len(rest)-1], "0123456789") == "" && rest[len(rest)-1] == ']') {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (c *call) search() (string, error) {
	text := c.query.Get("search")
	if utf8.RuneCountInString(text) > maxSearch {
		return "", errField("search", "too_long", "search takes at most %d characters.", maxSearch)
	}
	return text, nil
}

// filterID reads a parameter that names another noun, "" if it is not given.
func (c *call) filterID(name, prefix string) (string, error) {
	id := c.query.Get(name)
	if id != "" && !isID(id, prefix) {
		return "", errField(name, "invalid_id", "%.60q is not an id that begins with %s_.", id, prefix)
	}
	return id, nil
}
