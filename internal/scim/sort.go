package scim

import (
	"cmp"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Sort is what `sortBy` and `sortOrder` ask for (RFC 7644 section 3.4.2.3). The zero value leaves the order as it is.
type Sort struct {
	Descending bool

	asked    bool
	find     selector
	elements func(doc *Object) Value
}

// SortKey is a resource's place in a Sort. Keys of one Sort can be compared, and used after the resource is gone.
type SortKey struct {
	Missing bool // no value: last when ascending, first when descending
	Text    string
	Number  float64 // also 0 and 1 for booleans
	Time    time.Time
}

// ParseSort reads both parameters; empty ones mean no order and ascending. An attribute nobody knows orders nothing.
// Refusals: 400 invalidPath for a `sortBy` that is no path, 400 invalidValue for one without an order or an unknown
// `sortOrder`, 403 sensitive for what is never returned.
func (r *ResourceType) ParseSort(by, order string) (Sort, error) {
	s := Sort{Descending: strings.EqualFold(order, "descending")}
	if !s.Descending && order != "" && !strings.EqualFold(order, "ascending") {
		return Sort{}, invalidValue("sortOrder must be ascending or descending, got %s", quoted(order)).On("sortOrder")
	}
	if by == "" {
		return s, nil
	}
	path, err := ParsePath(by, DefaultFilterLimits)
	if err != nil {
		return Sort{}, prefixed(err, "sortBy")
	}
	at := r.resolveFilter(path)
	s.asked, s.find, s.elements = true, elementSub(at, false), at.find
	return s, checkSort(at, path, s.find.attr)
}

func checkSort(at place, path Path, leaf *Attribute) error {
	for _, a := range [...]*Attribute{at.attr, leaf} {
		if a != nil && a.Returned == ReturnedNever {
			return fault.New(fault.Forbidden, CodeSensitive, "%s is never returned, so it cannot be sorted by", a.Name).On("sortBy")
		}
	}
	switch {
	case path.Filter != nil:
		return invalidPath("sortBy must be an attribute without brackets, got %s", quoted(path.String())).On("sortBy")
	case at.attr != nil && at.attr.Type == TypeComplex && leaf == nil && at.subName == "":
		return invalidValue("sortBy %s has several parts; name one, as in %s.%s", quoted(path.String()), at.attr.Name, at.attr.Sub[0].Name).On("sortBy")
	}
	return nil
}

// Asked reports whether there is anything to sort by.
func (s Sort) Asked() bool { return s.asked }

// Key finds a resource's place: by the primary element of a multi-valued attribute, else its first.
func (s Sort) Key(doc *Object) SortKey {
	if !s.asked {
		return SortKey{Missing: true}
	}
	var leaf Value
	s.find.each(leading(s.elements(doc)), func(v Value) bool {
		leaf = v
		return false
	})
	return sortKeyOf(s.find.attr, leaf)
}

func leading(v Value) Value {
	if v.Kind() != Array || len(v.List()) == 0 {
		return v
	}
	for _, e := range v.List() {
		if isPrimary(e) {
			return e
		}
	}
	return v.List()[0]
}

// sortKeyOf follows the attribute's type, and what JSON says where no schema does.
func sortKeyOf(a *Attribute, v Value) SortKey {
	switch v.Kind() {
	case Bool:
		if v.Bool() {
			return SortKey{Number: 1}
		}
		return SortKey{}
	case Number:
		n, ok := numberMeant(v)
		return SortKey{Number: n.float, Missing: !ok}
	case String:
		return textSortKey(a, v.Text())
	default:
		return SortKey{Missing: true}
	}
}

func textSortKey(a *Attribute, s string) SortKey {
	switch {
	case s == "":
		return SortKey{Missing: true}
	case a != nil && a.CaseExact:
		return SortKey{Text: s}
	case a != nil && a.Type == TypeDateTime:
		t, ok := instant(s)
		return SortKey{Time: t.UTC(), Missing: !ok}
	}
	return SortKey{Text: FoldKey(s)}
}

// Compare is negative if a comes before b, positive if after; resources with equal keys are for the caller to order.
func (s Sort) Compare(a, b SortKey) int {
	order := a.ascending(b)
	if s.Descending {
		return -order
	}
	return order
}

func (a SortKey) ascending(b SortKey) int {
	if a.Missing != b.Missing {
		if a.Missing {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Number, b.Number), a.Time.Compare(b.Time), strings.Compare(a.Text, b.Text))
}
