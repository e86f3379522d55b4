package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// shown is an event as every consumer sees it, in lists and in webhooks alike.
type shown struct {
	Object    string         `json:"object"`
	ID        string         `json:"id"`
	Event     Type           `json:"event"`
	Data      jsontext.Value `json:"data"`
	CreatedAt string         `json:"created_at"`
	Context   jsontext.Value `json:"context"`
}

// JSON is the event as consumers see it. Some of them parse it, write it again with JSON.stringify and check a signature over
// that, so it is what JSON.stringify(JSON.parse(…)) gives: compact, nothing escaped that need not be, numbers as
// ECMAScript writes them (RFC 8785 section 3.2.2.3), and members whose names are numbers before the others.
func (e Event) JSON() ([]byte, error) {
	out, err := jsonv2.Marshal(shown{
		Object: "event", ID: e.ID, Event: e.Type, Data: orNull(stringified(e.Data)), CreatedAt: Shown(e.CreatedAt),
		Context: orNull(stringified(e.Context)),
	}, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return out, nil
}

func orNull(v jsontext.Value) jsontext.Value {
	if len(v) == 0 {
		return jsontext.Value("null")
	}
	return v
}

// stringified changes what JSON.stringify would write otherwise. Nearly no payload has anything of the kind; it is returned as it is.
func stringified(text json.RawMessage) jsontext.Value {
	if !suspicious(text) {
		return jsontext.Value(text)
	}
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	out, err := restringify(make([]byte, 0, len(text)), d)
	if err != nil { // no JSON: nothing can be said about it
		return jsontext.Value(text)
	}
	return out
}

// suspicious looks for a number that is not a plain short integer, and for a name that begins with a digit.
func suspicious(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			end := closing(text, i+1)
			if end+1 < len(text) && text[end+1] == ':' && '0' <= text[i+1] && text[i+1] <= '9' {
				return true
			}
			i = end
		case c == '-' || '0' <= c && c <= '9':
			n := len(text[i:]) - len(bytes.TrimLeft(text[i:], "0123456789+-.eE"))
			if n > 15 || bytes.ContainsAny(text[i:i+n], "+-.eE") {
				return true
			}
			i += n - 1
		}
	}
	return false
}

// closing finds the quote that ends a string.
func closing(text []byte, i int) int {
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// restringify reads one value and appends it as ECMAScript writes it.
func restringify(dst []byte, d *jsontext.Decoder) ([]byte, error) {
	switch d.PeekKind() {
	case '{':
		return restringifyObject(dst, d)
	case '[':
		return restringifyArray(dst, d)
	}
	v, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	if v.Kind() == '0' {
		v = v.Clone()
		if err := v.Format(jsontext.CanonicalizeRawInts(true), jsontext.CanonicalizeRawFloats(true)); err != nil {
			return nil, err
		}
	}
	return append(dst, v...), nil
}

func restringifyArray(dst []byte, d *jsontext.Decoder) (_ []byte, err error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	for first := true; d.PeekKind() != ']'; first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, err = restringify(dst, d); err != nil {
			return nil, err
		}
	}
	_, err = d.ReadToken()
	return append(dst, ']'), err
}

// restringifyObject puts names that are array indexes first, in their order (ECMA-262, OrdinaryOwnPropertyKeys). A name that comes
// twice is where it was first, with the last value.
func restringifyObject(dst []byte, d *jsontext.Decoder) ([]byte, error) {
	type member struct {
		name  string
		text  []byte
		index int64 // -1: none
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var members []member
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		m.index = arrayIndex(m.name)
		if m.text, err = jsontext.AppendQuote(nil, m.name); err != nil {
			return nil, err
		}
		if m.text, err = restringify(append(m.text, ':'), d); err != nil {
			return nil, err
		}
		if at := slices.IndexFunc(members, func(o member) bool { return o.name == m.name }); at >= 0 {
			members[at] = m
		} else {
			members = append(members, m)
		}
	}
	slices.SortStableFunc(members, func(a, b member) int {
		switch {
		case a.index < 0 && b.index < 0:
			return 0
		case a.index < 0:
			return 1
		case b.index < 0:
			return -1
		default:
			return int(a.index - b.index)
		}
	})
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, m.text...)
	}
	_, err := d.ReadToken()
	return append(dst, '}'), err
}

// arrayIndex is the number a name is, -1 if it is none: canonical, and below 2³²-1.
func arrayIndex(name string) int64 {
	n, err := strconv.ParseInt(name, 10, 64)
	if err != nil || n < 0 || n >= 1<<32-1 || strconv.FormatInt(n, 10) != name {
		return -1
	}
	return n
}

// Shown writes a moment as events and the API do.
func Shown(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
