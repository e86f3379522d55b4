package scimapi

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// has tells whether the directory's provider behaves in this way; without a provider, the one its type stands for.
func (s *server) has(d directory.Directory, q idp.Quirk) bool {
	if s.o.Catalog == nil {
		return false
	}
	if p, ok := s.o.Catalog.Provider(idp.Slug(d.Provider)); ok {
		return p.Has(q)
	}
	if d.Provider != "" {
		return false
	}
	of := s.o.Catalog.ByDirectoryType(idp.DirectoryType(d.Type))
	return len(of) > 0 && of[0].Has(q)
}

// decodedOnce is the search with the values of its `eq` comparisons percent-decoded, for a provider that encodes them before it
// puts them into the filter. ok is false if the provider does not, or if that makes no difference.
func (c *call) decodedOnce(s search) (_ search, ok bool) {
	// Whether it makes a difference is asked first: that is known at once, and it hardly ever does.
	switch {
	case s.eq != nil:
		var plain string
		if plain, ok = percentDecoded(s.eq.Value); ok {
			s.eq = &directory.Equal{Attribute: s.eq.Attribute, Value: plain}
		}
	case s.filter != nil:
		s.filter, ok = decodedFilter(s.filter)
	}
	return s, ok && c.server.has(c.access.Directory, idp.QuirkEncodedFilterValue)
}

func decodedFilter(f scim.Filter) (_ scim.Filter, changed bool) {
	var left, right bool
	switch f := f.(type) {
	case scim.And:
		f.Left, left = decodedFilter(f.Left)
		f.Right, right = decodedFilter(f.Right)
		return f, left || right
	case scim.Or:
		f.Left, left = decodedFilter(f.Left)
		f.Right, right = decodedFilter(f.Right)
		return f, left || right
	case scim.Not:
		f.Of, left = decodedFilter(f.Of)
		return f, left
	case scim.ValuePath:
		f.Path.Filter, left = decodedFilter(f.Path.Filter)
		return f, left
	case scim.Compare:
		return decodedCompare(f)
	}
	return f, false
}

func decodedCompare(f scim.Compare) (_ scim.Filter, changed bool) {
	if f.Path.Filter != nil {
		f.Path.Filter, changed = decodedFilter(f.Path.Filter)
	}
	if f.Op != scim.OpEq || f.Value.Kind() != scim.String {
		return f, changed
	}
	plain, ok := percentDecoded(f.Value.Text())
	if ok {
		f.Value = scim.StringOf(plain)
	}
	return f, changed || ok
}

// percentDecoded leaves a plus sign as it is: only forms encode blanks so.
func percentDecoded(s string) (plain string, changed bool) {
	if !strings.Contains(s, "%") {
		return s, false
	}
	plain, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(plain) || strings.Contains(plain, "\x00") {
		return s, false
	}
	return plain, plain != s
}
