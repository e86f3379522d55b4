package scim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Match reports whether a complete canonical resource satisfies the filter. Who asks for many resources prepares once
// with Matcher.
func (r *ResourceType) Match(f Filter, doc *Object) bool { return r.Matcher(f)(doc) }

// Matcher prepares a filter for many resources of this type: names are resolved and literals brought to their keys once.
// The function is safe for concurrent use.
func (r *ResourceType) Matcher(f Filter) func(doc *Object) bool {
	test := compileFilter(f, r.selector)
	return func(doc *Object) bool { return test(ObjectOf(doc)) }
}

// elementMatcher prepares a value filter for the elements of one attribute; a may be nil for an unknown one.
func elementMatcher(f Filter, a *Attribute) func(Value) bool {
	return compileFilter(f, func(p Path, _ bool) selector { return elementSelector(a, p) })
}

// selector finds the values a path names. each yields Null where an element, or the resource, has no value there.
type selector struct {
	each     func(from Value, yield func(Value) bool)
	attr     *Attribute // nil if unknown
	fallback Value      // what an absent value means; Null if nothing
	userName bool       // compared by UserNameKey
}

// finder looks a path up. element asks for elements themselves where the path names no sub-attribute; a comparison
// means their `value` then (RFC 7644 section 3.4.2.2).
type finder func(p Path, element bool) selector

func compileFilter(f Filter, find finder) func(Value) bool {
	switch f := f.(type) {
	case And:
		left, right := compileFilter(f.Left, find), compileFilter(f.Right, find)
		return func(v Value) bool { return left(v) && right(v) }
	case Or:
		left, right := compileFilter(f.Left, find), compileFilter(f.Right, find)
		return func(v Value) bool { return left(v) || right(v) }
	case Not:
		of := compileFilter(f.Of, find)
		return func(v Value) bool { return !of(v) }
	case Compare:
		return compileCompare(f, find(f.Path, false))
	case Present:
		return compilePresent(find(f.Path, true))
	case ValuePath:
		return compilePresent(find(f.Path, true))
	default:
		return func(Value) bool { return false }
	}
}

func compilePresent(sel selector) func(Value) bool {
	return func(from Value) (found bool) {
		sel.each(from, func(v Value) bool {
			found = hasValue(v)
			return !found
		})
		return found
	}
}

// hasValue is the meaning of `pr`: something that is not empty (RFC 7644 table 3).
func hasValue(v Value) bool {
	switch v.Kind() {
	case Null:
		return false
	case String:
		return v.Text() != ""
	case Array:
		for _, e := range v.List() {
			if hasValue(e) {
				return true
			}
		}
		return false
	case Complex:
		for _, m := range v.Object().Members() {
			if hasValue(m.Value) {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// compileCompare: any value that compares is enough (RFC 7644 section 3.4.2.2). Without any value only `ne` holds, and
// `eq null`, as null is the same as absent (RFC 7643 section 2.5).
func compileCompare(f Compare, sel selector) func(Value) bool {
	null := f.Value.Kind() == Null
	test := comparer(f.Op, f.Value, sel)
	return func(from Value) bool {
		assigned, found := false, false
		sel.each(from, func(v Value) bool {
			if v.Kind() == Null && !null {
				v = sel.fallback
			}
			if v.IsUnassigned() {
				return true
			}
			assigned = true
			found = !null && test(v)
			return !found
		})
		if null {
			return (f.Op == OpEq && !assigned) || (f.Op == OpNe && assigned)
		}
		return found || (!assigned && f.Op == OpNe)
	}
}

// selector finds a path's values in a resource.
func (r *ResourceType) selector(p Path, element bool) selector {
	at := r.resolveFilter(p)
	inner := elementSub(at, element)
	var keep func(Value) bool
	if p.Filter != nil {
		keep = elementMatcher(p.Filter, at.attr)
	}
	sel := selector{attr: inner.attr, fallback: inner.fallback}
	if at.container == "" && at.attr != nil && at.subName == "" {
		sel.userName = at.name == "userName"
		if at.name == "active" { // ActiveOf reads absence the same way
			sel.fallback = BoolOf(true)
		}
	}
	sel.each = func(from Value, yield func(Value) bool) {
		v := at.find(from.Object())
		if v.Kind() != Array {
			if keep == nil || (v.Kind() != Null && keep(v)) {
				inner.each(v, yield)
			}
			return
		}
		eachElement(v, func(e Value) bool { return (keep != nil && !keep(e)) || each(inner, e, yield) })
	}
	return sel
}

// resolveFilter is resolve with the short names that only filters and sorting know.
func (r *ResourceType) resolveFilter(p Path) place {
	if p.URN == "" && p.Sub == "" && p.Filter == nil {
		if t, ok := r.Core.FilterAlias(p.Attr); ok {
			p.Attr = t.Attribute.Name
			if t.Sub != nil {
				p.Sub = t.Sub.Name
			}
		}
	}
	at := r.resolve(p)
	if p.URN == "" && at.attr == nil {
		return r.inExtension(p, at)
	}
	return at
}

// inExtension finds an attribute that is filtered by without its URN, as Microsoft Entra does when it looks whether a
// reference is there: `id eq "…" and manager eq "…"`. The core schema comes first, so this can hide nothing.
func (r *ResourceType) inExtension(p Path, fallback place) place {
	for _, e := range r.Extensions {
		if e.Schema.Attribute(p.Attr) != nil {
			return locate(r.containerOf(e.Schema), e.Schema, p)
		}
	}
	return fallback
}

// elementSub selects inside one element what the path asks for behind the attribute.
func elementSub(at place, element bool) selector {
	switch {
	case at.subName != "":
		return elementSelector(at.attr, Path{Attr: at.subName})
	case element, at.attr != nil && at.attr.Type != TypeComplex:
		return selector{attr: at.attr, each: itself}
	default:
		return elementSelector(at.attr, Path{Attr: "value"})
	}
}

func itself(v Value, yield func(Value) bool) { yield(v) }

// elementSelector finds a sub-attribute in an element. An element that is no object is its own `value`.
func elementSelector(a *Attribute, p Path) selector {
	if p.URN != "" || p.Sub != "" {
		return selector{each: func(_ Value, yield func(Value) bool) { yield(Value{}) }}
	}
	isValue := strings.EqualFold(p.Attr, "value")
	sel := selector{}
	if a != nil {
		sel.attr = a.SubAttribute(p.Attr)
		if sel.attr == nil && isValue && a.Type != TypeComplex {
			sel.attr = a
		}
	}
	name := p.Attr
	if sel.attr != nil && sel.attr != a {
		name = sel.attr.Name
	}
	if name == "primary" { // RFC 7643 section 2.4: not specified means false
		sel.fallback = BoolOf(false)
	}
	sel.each = func(e Value, yield func(Value) bool) {
		if e.Kind() != Complex {
			if !isValue {
				e = Value{}
			}
			yield(e)
			return
		}
		v, _ := e.Object().Get(name)
		if v.Kind() == Null {
			v, _ = e.Object().GetFold(name)
		}
		if v.Kind() == Array {
			eachElement(v, yield)
			return
		}
		yield(v)
	}
	return sel
}

func eachElement(list Value, yield func(Value) bool) {
	for _, e := range list.List() {
		if !yield(e) {
			return
		}
	}
}

// each runs a selector on one element and reports whether the caller wants more.
func each(sel selector, e Value, yield func(Value) bool) bool {
	more := true
	sel.each(e, func(v Value) bool {
		more = yield(v)
		return more
	})
	return more
}

// find gives the attribute's value in a document, Null if there is none.
func (p place) find(doc *Object) Value {
	if p.container != "" {
		v := getAny(doc, p.container)
		if p.whole {
			return v
		}
		doc = v.Object()
	}
	if p.whole {
		return ObjectOf(doc)
	}
	return getAny(doc, p.name)
}

// getAny finds a member by its name, else in any letter case, as what no schema knows is kept as it was spelt.
func getAny(o *Object, name string) Value {
	v, ok := o.Get(name)
	if !ok {
		v, _ = o.GetFold(name)
	}
	return v
}

// comparer prepares the comparison of one value with the literal. The attribute's type decides, whatever JSON kind the
// literal has: a literal that cannot be of the type equals nothing, and is no error.
func comparer(op CompareOp, literal Value, sel selector) func(Value) bool {
	if sel.attr == nil {
		return dynamicComparer(op, literal)
	}
	switch sel.attr.Type {
	case TypeBoolean:
		return boolComparer(op, literal)
	case TypeInteger, TypeDecimal:
		return numberComparer(op, literal)
	case TypeDateTime:
		return timeComparer(op, literal)
	case TypeComplex:
		return func(Value) bool { return false }
	}
	return textComparer(op, literal, textKey(op, sel))
}

// toResource says whether values are addresses of users or groups.
func (a *Attribute) toResource() bool {
	return a.Type == TypeReference && (slices.Contains(a.ReferenceTypes, "User") || slices.Contains(a.ReferenceTypes, "Group"))
}

// versionless leaves the protocol's version out of an address: those that differ in nothing else are equal (RFC 7643 section 2.4).
func versionless(address string) string {
	segments := strings.Split(address, "/")
	return strings.Join(slices.DeleteFunc(segments, isVersion), "/")
}

func isVersion(segment string) bool {
	digits, ok := strings.CutPrefix(segment, "v")
	return ok && digits != "" && strings.Trim(digits, "0123456789.") == ""
}

// textKey is caseExact at work (RFC 7643 section 7). A part of a user name has no key of its own, so only whole ones
// are prepared.
func textKey(op CompareOp, sel selector) func(string) string {
	switch {
	case sel.attr.toResource() && (op == OpEq || op == OpNe):
		return versionless
	case sel.attr.CaseExact:
		return func(s string) string { return s }
	case sel.userName && op != OpCo && op != OpSw && op != OpEw:
		return UserNameKey
	default:
		return FoldKey
	}
}

// dynamicComparer is for attributes no schema describes: the value's own kind decides, and strings ignore letter case
// as is the default of RFC 7643 section 2.2.
func dynamicComparer(op CompareOp, literal Value) func(Value) bool {
	asText := textComparer(op, literal, FoldKey)
	asBool, asNumber := boolComparer(op, literal), numberComparer(op, literal)
	return func(v Value) bool {
		switch v.Kind() {
		case Bool:
			return asBool(v)
		case Number:
			return asNumber(v)
		case String:
			return asText(v)
		default:
			return false
		}
	}
}

func textComparer(op CompareOp, literal Value, key func(string) string) func(Value) bool {
	want := key(scalarText(literal))
	return func(v Value) bool {
		if v.Kind() == Complex {
			return false
		}
		got := key(scalarText(v))
		switch op {
		case OpCo:
			return strings.Contains(got, want)
		case OpSw:
			return strings.HasPrefix(got, want)
		case OpEw:
			return strings.HasSuffix(got, want)
		default:
			return ordered(op, strings.Compare(got, want))
		}
	}
}

func scalarText(v Value) string {
	if v.Kind() == Bool {
		return strconv.FormatBool(v.Bool())
	}
	return v.Text()
}

func ordered(op CompareOp, order int) bool {
	switch op {
	case OpEq:
		return order == 0
	case OpNe:
		return order != 0
	case OpGt:
		return order > 0
	case OpGe:
		return order >= 0
	case OpLt:
		return order < 0
	case OpLe:
		return order <= 0
	default:
		return false
	}
}

// boolComparer also reads "True" and "false": Entra filters by roles[primary eq "True"].
func boolComparer(op CompareOp, literal Value) func(Value) bool {
	want, ok := understoodBool(literal)
	return func(v Value) bool {
		got, isBool := understoodBool(v)
		same := ok && isBool && got == want
		return (op == OpEq && same) || (op == OpNe && !same)
	}
}

func numberComparer(op CompareOp, literal Value) func(Value) bool {
	want, ok := numberMeant(literal)
	return func(v Value) bool {
		got, isNumber := numberMeant(v)
		if !ok || !isNumber {
			return op == OpNe
		}
		return ordered(op, got.compare(want))
	}
}

// number keeps integers beyond 2^53 apart, which a float64 alone would not.
type number struct {
	float   float64
	integer int64
	whole   bool
}

func (n number) compare(m number) int {
	if n.whole && m.whole {
		return cmp.Compare(n.integer, m.integer)
	}
	return cmp.Compare(n.float, m.float)
}

func numberMeant(v Value) (number, bool) {
	if v.Kind() != Number && v.Kind() != String {
		return number{}, false
	}
	if !isNumber(v.Text()) {
		return number{}, false
	}
	n := number{}
	var err error
	n.integer, err = strconv.ParseInt(v.Text(), 10, 64)
	n.whole = err == nil
	n.float, err = strconv.ParseFloat(v.Text(), 64)
	return n, err == nil
}

// timeComparer compares instants (RFC 7643 section 2.3.5); parts of the text are compared as text.
func timeComparer(op CompareOp, literal Value) func(Value) bool {
	if op == OpCo || op == OpSw || op == OpEw {
		return textComparer(op, literal, FoldKey)
	}
	want, ok := instant(literal.Text())
	return func(v Value) bool {
		got, isTime := instant(v.Text())
		if !ok || !isTime {
			return op == OpNe
		}
		return ordered(op, got.Compare(want))
	}
}

// instant reads a dateTime; a bare date, though it is none, as its midnight in UTC.
func instant(s string) (time.Time, bool) {
	if t, ok := parseDateTime(s); ok {
		return t, true
	}
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil
}

// CheckFilter refuses what must not be asked of this type: an order among booleans or binaries (400 invalidFilter,
// RFC 7644 section 3.4.2.2) and anything about an attribute that is never returned (403 sensitive), which would make the
// filter an oracle for its value. An unknown attribute has no value; only strict mode refuses it, and everything but
// `eq` joined by `and`.
func (r *ResourceType) CheckFilter(f Filter, m Mode) error {
	return checkFilter(f, m, func(p Path, element bool) known {
		at := r.resolveFilter(p)
		return known{leaf: elementSub(at, element).attr, of: at.attr, unknown: at.unknown()}
	})
}

// known is what the schemas say about a path.
type known struct {
	leaf    *Attribute // what is compared
	of      *Attribute // the attribute whose elements brackets choose among
	unknown bool
}

type lookup func(p Path, element bool) known

func checkFilter(f Filter, m Mode, find lookup) error {
	switch f := f.(type) {
	case And:
		return checkBoth(f.Left, f.Right, m, find)
	case Or:
		if m.Strict {
			return strictFilter("or")
		}
		return checkBoth(f.Left, f.Right, m, find)
	case Not:
		if m.Strict {
			return strictFilter("not")
		}
		return checkFilter(f.Of, m, find)
	case Compare:
		return checkCompare(f, m, find)
	case Present:
		if m.Strict {
			return strictFilter("pr")
		}
		return checkFilterPath(f.Path, find(f.Path, true), m)
	case ValuePath:
		return checkFilterPath(f.Path, find(f.Path, true), m)
	}
	return invalidFilter("the filter is empty")
}

func checkBoth(left, right Filter, m Mode, find lookup) error {
	if err := checkFilter(left, m, find); err != nil {
		return err
	}
	return checkFilter(right, m, find)
}

func invalidFilter(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeInvalidFilter, format, args...)
}

func strictFilter(what string) error {
	return invalidFilter("`%s` is not allowed in a filter here: this directory follows the interoperability profile, which has only eq and and", what)
}

func checkCompare(f Compare, m Mode, find lookup) error {
	if m.Strict && f.Op != OpEq {
		return strictFilter(string(f.Op))
	}
	is := find(f.Path, false)
	if err := checkFilterPath(f.Path, is, m); err != nil {
		return err
	}
	if a := is.leaf; a != nil && f.Op.ordering() && (a.Type == TypeBoolean || a.Type == TypeBinary) {
		return invalidFilter("%s is a %s, which has no order: `%s` cannot be used on it, only eq, ne and pr",
			shorten(f.Path.String()), a.Type, f.Op).On(a.Name)
	}
	return nil
}

func checkFilterPath(p Path, is known, m Mode) error {
	for _, a := range [...]*Attribute{is.leaf, is.of} {
		if a != nil && a.Returned == ReturnedNever {
			return fault.New(fault.Forbidden, CodeSensitive, "%s is never returned, so it cannot be filtered or sorted by", a.Name).On(a.Name)
		}
	}
	if is.unknown && m.Strict {
		return invalidFilter("the attribute %s is not known here; /Schemas lists those that are", quoted(p.String()))
	}
	if p.Filter == nil {
		return nil
	}
	return checkFilter(p.Filter, m, elementLookup(is.of))
}

// elementLookup finds names in brackets among the sub-attributes of an attribute.
func elementLookup(of *Attribute) lookup {
	return func(p Path, _ bool) known {
		leaf := elementSelector(of, p).attr
		return known{leaf: leaf, of: leaf, unknown: leaf == nil}
	}
}
