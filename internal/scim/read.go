package scim

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Limits bounds what ReadObject takes. The size of the whole body is bounded before, where it is received.
type Limits struct {
	Depth     int // how deep objects and arrays may nest
	Members   int // how many names and array elements a body may hold altogether
	StringLen int // bytes of one string, decoded
}

// DefaultLimits are far above what any known client sends: a group of 300,000 members fits.
var DefaultLimits = Limits{Depth: 32, Members: 1_000_000, StringLen: 1 << 20}

// ReadObject reads one JSON object and refuses what two readers could understand differently: names that are equal or
// differ only in letter case (attribute names have none, RFC 7643 section 2.1), invalid UTF-8, anything after the
// object. A leading byte order mark is skipped. U+0000 is refused because not every store can keep it.
func ReadObject(data []byte, lim Limits) (*Object, error) {
	r := borrowReader(data, lim, strictNames)
	defer r.giveBack()
	o, err := r.document()
	if err != nil {
		return nil, r.explain(err)
	}
	return o, nil
}

// readLoosely reads whatever an object may still say, the last one of equal names included.
func readLoosely(data []byte) (*Object, error) {
	r := borrowReader(data, DefaultLimits, anyNames)
	defer r.giveBack()
	return r.document()
}

const (
	strictNames = false
	anyNames    = true
)

// reader builds values from JSON tokens. Strings without escapes are parts of one copy of the body, and members and
// elements are cut from slabs, so that a usual body costs a handful of allocations.
type reader struct {
	dec   *jsontext.Decoder
	src   bytes.Buffer
	whole string
	lim   Limits
	loose bool
	count int

	members []Member // scratch: the members of all open objects
	values  []Value  // scratch: the elements of all open arrays
	slab    []Member
	objects []Object
}

var readers = sync.Pool{New: func() any { return &reader{dec: new(jsontext.Decoder)} }}

func borrowReader(data []byte, lim Limits, loose bool) *reader {
	r := readers.Get().(*reader)
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r.whole, r.lim, r.loose, r.count = string(data), lim, loose, 0
	r.src = *bytes.NewBuffer(data)
	// Names are compared here, with letter case folded; invalid UTF-8 is refused by the decoder.
	r.dec.Reset(&r.src, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(loose))
	return r
}

// scratchKept bounds what one large body leaves behind in the pool.
const scratchKept = 1024

func (r *reader) giveBack() {
	if len(r.members) > 0 || cap(r.members) > scratchKept { // not empty after a refusal
		r.members = nil
	}
	if len(r.values) > 0 || cap(r.values) > scratchKept {
		r.values = nil
	}
	r.slab, r.objects, r.whole, r.src = nil, nil, "", bytes.Buffer{}
	readers.Put(r)
}

func (r *reader) document() (*Object, error) {
	if kind := r.dec.PeekKind(); kind != '{' {
		if _, err := r.dec.ReadToken(); err != nil {
			return nil, err
		}
		return nil, invalidSyntax("the body must be one JSON object, got %s", kindOf(kind))
	}
	o, err := r.object(1)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, invalidSyntax("there is something after the JSON object, at byte %d; send one object only", r.dec.InputOffset())
	}
	return o, nil
}

func kindOf(k jsontext.Kind) Kind {
	switch k {
	case '"':
		return String
	case '0':
		return Number
	case 't', 'f':
		return Bool
	case '[':
		return Array
	case '{':
		return Complex
	default:
		return Null
	}
}

func (r *reader) object(depth int) (*Object, error) {
	if err := r.open(depth); err != nil {
		return nil, err
	}
	start := len(r.members)
	for r.dec.PeekKind() == '"' {
		name, err := r.text("")
		if err != nil {
			return nil, err
		}
		if err := r.oneMore(); err != nil {
			return nil, err
		}
		v, err := r.value(name, depth)
		if err != nil {
			return nil, err
		}
		r.members = append(r.members, Member{name, v})
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	members := r.members[start:]
	if name, twice := repeatedName(members); twice && !r.loose {
		return nil, invalidSyntax("the name %s occurs twice in one object; names that differ only in letter case count as one, send it once", quoted(name)).On(shorten(name))
	}
	r.members = r.members[:start]
	return r.keep(members), nil
}

// keep copies the members of a finished object out of the scratch space.
func (r *reader) keep(members []Member) *Object {
	n := len(members)
	if n > len(r.slab) {
		r.slab = make([]Member, max(n, min(48, len(r.whole)/20)))
	}
	if len(r.objects) == 0 {
		r.objects = make([]Object, max(1, min(12, len(r.whole)/96)))
	}
	o := &r.objects[0]
	r.objects = r.objects[1:]
	// The capacity ends with the object: a member added later must not overwrite its neighbour's.
	o.members = r.slab[:n:n]
	copy(o.members, members)
	clear(members)
	r.slab = r.slab[n:]
	return o
}

func (r *reader) array(name string, depth int) (Value, error) {
	if err := r.open(depth); err != nil {
		return Value{}, err
	}
	start := len(r.values)
	for r.dec.PeekKind() != ']' {
		if err := r.oneMore(); err != nil {
			return Value{}, err
		}
		v, err := r.value(name, depth)
		if err != nil {
			return Value{}, err
		}
		r.values = append(r.values, v)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return Value{}, err
	}
	list := slices.Clone(r.values[start:])
	clear(r.values[start:])
	r.values = r.values[:start]
	return ListOf(list...), nil
}

// open reads the opening bracket of what is the depth-th level.
func (r *reader) open(depth int) error {
	if depth > r.lim.Depth {
		return invalidSyntax("the body nests deeper than %d levels; SCIM needs no more", r.lim.Depth)
	}
	_, err := r.dec.ReadToken()
	return err
}

func (r *reader) oneMore() error {
	r.count++
	if r.count > r.lim.Members {
		return invalidSyntax("the body holds more than %d names and array elements; send it in several requests", r.lim.Members)
	}
	return nil
}

// value reads the value of the member name, or an element of it.
func (r *reader) value(name string, depth int) (Value, error) {
	switch r.dec.PeekKind() {
	case '{':
		o, err := r.object(depth + 1)
		return ObjectOf(o), err
	case '[':
		return r.array(name, depth+1)
	case '"':
		s, err := r.text(name)
		return StringOf(s), err
	case '0':
		raw, err := r.dec.ReadValue()
		if err != nil {
			return Value{}, err
		}
		return NumberOf(r.source(raw)), nil
	default:
		tok, err := r.dec.ReadToken()
		if err != nil {
			return Value{}, err
		}
		if tok.Kind() == 'n' {
			return Value{}, nil
		}
		return BoolOf(tok.Kind() == 't'), nil
	}
}

// text reads a string: the value of the member name, or, with no name, a name itself.
func (r *reader) text(name string) (string, error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", err
	}
	s := r.source(raw)
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') >= 0 || r.loose {
		unquoted, err := jsontext.AppendUnquote(nil, raw)
		if err != nil && !r.loose {
			return "", err
		}
		s = string(unquoted)
	}
	if len(s) > r.lim.StringLen {
		return "", invalidValue("a string%s is longer than %d bytes", in(name), r.lim.StringLen).On(shorten(name))
	}
	if !r.loose && strings.IndexByte(s, 0) >= 0 {
		return "", invalidValue("a string%s holds the character U+0000, which cannot be stored; leave it out", in(name)).On(shorten(name))
	}
	return s, nil
}

func in(name string) string {
	if name == "" {
		return " that is a name"
	}
	return " in " + quoted(name)
}

// source gives the part of the body that raw, just read, is.
func (r *reader) source(raw []byte) string {
	end := r.dec.InputOffset()
	return r.whole[end-int64(len(raw)) : end]
}

// explain makes a refusal of a decoder's error; the decoder's own words name the place and at most one character.
func (r *reader) explain(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return invalidSyntax("the body is not valid JSON: %s at byte %d", shorten(syntax.Err.Error()), syntax.ByteOffset).Because(err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return invalidSyntax("the body is empty or ends within the JSON object; send one complete object").Because(err)
	}
	return invalidSyntax("the body is not valid JSON").Because(err)
}

// fewNames is up to how many names comparing each with each is faster than a set.
const fewNames = 12

// repeatedName finds a name that occurs twice with letter case folded.
func repeatedName(members []Member) (string, bool) {
	if len(members) > fewNames {
		return repeatedAmongMany(members)
	}
	for i := range members {
		for j := range members[:i] {
			if sameName(members[i].Name, members[j].Name) {
				return members[i].Name, true
			}
		}
	}
	return "", false
}

func repeatedAmongMany(members []Member) (string, bool) {
	seen := make(map[string]struct{}, len(members))
	for i := range members {
		key := FoldKey(members[i].Name)
		if _, twice := seen[key]; twice {
			return members[i].Name, true
		}
		seen[key] = struct{}{}
	}
	return "", false
}

// sameName is EqualFold with the common case first: names of ASCII that differ in length or in the first letter. Outside
// ASCII the full folding decides, as it does among many.
func sameName(a, b string) bool {
	if !isASCII(a) || !isASCII(b) {
		return FoldKey(a) == FoldKey(b)
	}
	return len(a) == len(b) && (a == "" || lowerASCII(a[0]) == lowerASCII(b[0])) && strings.EqualFold(a, b)
}
