package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// JSON is the event as every consumer sees it, in lists and in webhooks alike. Some of them parse it, write it again with
// JSON.stringify and check a signature over that, so it is what JSON.stringify(JSON.parse(…)) gives: compact, nothing escaped that
// need not be, numbers as ECMAScript writes them (RFC 8785 section 3.2.2.3), and members whose names are numbers before the others.
func (e Event) JSON() []byte { return e.AppendJSON(make([]byte, 0, len(e.Data)+len(e.Context)+256)) }

// AppendJSON appends what JSON gives. Data and context are taken as they are stored, which is compact and valid: reading them once
// more for each reader would cost more than reading them from the database.
func (e Event) AppendJSON(dst []byte) []byte {
	dst = append(append(dst, `{"object":"event","id":"`...), e.ID...)
	dst = append(append(dst, `","event":"`...), e.Type...)
	dst = append(append(dst, `","data":`...), orNull(stringified(e.Data))...)
	dst = append(append(dst, `,"created_at":"`...), Shown(e.CreatedAt)...)
	dst = append(append(dst, `","context":`...), orNull(stringified(e.Context))...)
	return append(dst, '}')
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

// suspicious looks for a number that is not a plain short integer, for a name that begins with a digit, and for room between tokens.
func suspicious(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c <= ' ':
			return true
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

// closing finds the quote that ends the string which begins at i: the first one that is not escaped.
func closing(text []byte, i int) int {
	for from := i; ; {
		n := bytes.IndexByte(text[from:], '"')
		if n < 0 {
			return len(text)
		}
		end := from + n
		slashes := end - i - len(bytes.TrimRight(text[i:end], `\`))
		if slashes%2 == 0 {
			return end
		}
		from = end + 1
	}
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
