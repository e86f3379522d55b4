package scim

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// AppendError appends an Error message (RFC 7644 section 3.12); an empty scimType is left out.
func AppendError(dst []byte, status int, scimType, detail string) []byte {
	dst = append(dst, `{"schemas":["`+ErrorURN+`"],"status":"`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, '"')
	if scimType != "" {
		dst = append(dst, `,"scimType":`...)
		dst = AppendString(dst, scimType)
	}
	dst = append(dst, `,"detail":`...)
	dst = AppendString(dst, detail)
	return append(dst, '}')
}

// Page is what a ListResponse says about itself.
type Page struct {
	TotalResults   int    // of all pages; below zero: not counted, allowed with cursors only (RFC 9865 section 2)
	StartIndex     int    // 1-based; 0 leaves it out, as a cursor page has none
	NextCursor     string // "" on the last page and on index pages
	PreviousCursor string
}

// AppendList appends a ListResponse (RFC 7644 section 3.4.2) of n resources, each appended by resource. Resources is there
// also when it is empty, as clients fail without it.
func AppendList(dst []byte, p Page, n int, resource func(dst []byte, i int) []byte) []byte {
	dst = append(dst, `{"schemas":["`+ListURN+`"]`...)
	if p.TotalResults >= 0 {
		dst = appendCount(dst, `,"totalResults":`, p.TotalResults)
	}
	if p.StartIndex > 0 {
		dst = appendCount(dst, `,"startIndex":`, p.StartIndex)
	}
	dst = appendCount(dst, `,"itemsPerPage":`, n)
	dst = appendCursor(dst, `,"nextCursor":`, p.NextCursor)
	dst = appendCursor(dst, `,"previousCursor":`, p.PreviousCursor)
	dst = append(dst, `,"Resources":[`...)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = resource(dst, i)
	}
	return append(dst, ']', '}')
}

func appendCount(dst []byte, name string, n int) []byte {
	return strconv.AppendInt(append(dst, name...), int64(n), 10)
}

func appendCursor(dst []byte, name, cursor string) []byte {
	if cursor == "" {
		return dst
	}
	return AppendString(append(dst, name...), cursor)
}

// SearchRequest is a query, from a body (RFC 7644 section 3.4.3) or from an address. Nil means not given; an empty Cursor
// asks for the first page of cursors (RFC 9865 section 2). StartIndex is at least 1 and Count at least 0, as section
// 3.4.2.4 reads smaller ones. With a Cursor, StartIndex means nothing.
type SearchRequest struct {
	Attributes         []string
	ExcludedAttributes []string
	Filter             string
	SortBy             string
	SortOrder          string
	StartIndex         *int
	Count              *int
	Cursor             *string
}

// ParseSearchRequest reads the body of a POST to /.search, names in any letter case. What it does not know is ignored.
func ParseSearchRequest(o *Object) (SearchRequest, error) {
	var q SearchRequest
	for _, member := range o.Members() {
		if err := q.take(member.Name, member.Value); err != nil {
			return SearchRequest{}, forCursors(err, o)
		}
	}
	return q, nil
}

// ParseSearchQuery reads the same from an address, where lists are separated by commas. Names come in any letter case; the
// last of repeated ones counts.
func ParseSearchQuery(values url.Values) (SearchRequest, error) {
	members := make([]Member, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if all := values[name]; len(all) > 0 {
			members = append(members, Member{name, StringOf(all[len(all)-1])})
		}
	}
	return ParseSearchRequest(NewObject(members...))
}

// forCursors gives a wrong count the code it has in a request for cursors (RFC 9865 section 2.1).
func forCursors(err error, o *Object) error {
	f, ok := fault.As(err)
	if !ok || !strings.EqualFold(f.Field, "count") {
		return err
	}
	if cursor, ok := o.GetFold("cursor"); ok && cursor.kind != Null {
		f.Code = CodeInvalidCount
	}
	return f
}

func (q *SearchRequest) take(name string, v Value) (err error) {
	if v.kind == Null {
		return nil
	}
	switch strings.ToLower(name) {
	case "attributes":
		q.Attributes, err = namesIn(name, v)
	case "excludedattributes":
		q.ExcludedAttributes, err = namesIn(name, v)
	case "filter":
		q.Filter, err = textIn(name, v)
	case "sortby":
		q.SortBy, err = textIn(name, v)
	case "sortorder":
		q.SortOrder, err = textIn(name, v)
	case "startindex":
		q.StartIndex, err = countIn(name, v, 1)
	case "count":
		q.Count, err = countIn(name, v, 0)
	case "cursor":
		var cursor string
		cursor, err = textIn(name, v)
		q.Cursor = &cursor
	}
	return err
}

func textIn(name string, v Value) (string, error) {
	if v.kind != String {
		return "", invalidValue("%s must be a string, got %s", name, shown(v)).On(name)
	}
	return v.s, nil
}

// namesIn reads an array of names, or one text with commas between them; a comma within brackets or quotation marks is
// part of a name.
func namesIn(name string, v Value) ([]string, error) {
	var names []string
	for _, e := range oneOrMany(v) {
		if e.kind != String {
			return nil, invalidValue("%s must be an array of attribute names, got %s in it", name, shown(e)).On(name)
		}
		names = appendNames(names, e.s)
	}
	return names, nil
}

func appendNames(names []string, list string) []string {
	start, brackets, inQuotes := 0, 0, false
	for i := 0; i <= len(list); i++ {
		if i < len(list) {
			switch c := list[i]; {
			case c == '"':
				inQuotes = !inQuotes
			case c == '[' && !inQuotes:
				brackets++
			case c == ']' && !inQuotes:
				brackets--
			}
			if list[i] != ',' || inQuotes || brackets > 0 {
				continue
			}
		}
		if name := strings.TrimSpace(list[start:i]); name != "" {
			names = append(names, name)
		}
		start = i + 1
	}
	return names
}

// countIn reads a whole number, also one sent as text; an empty text counts as not given.
func countIn(name string, v Value, least int) (*int, error) {
	s := strings.TrimSpace(v.s)
	if v.kind == String && s == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if (v.kind != Number && v.kind != String) || err != nil {
		return nil, invalidValue("%s must be a whole number, got %s", name, shown(v)).On(name).Compared("a whole number", shown(v))
	}
	clamped := int(min(max(n, int64(least)), math.MaxInt32))
	return &clamped, nil
}
