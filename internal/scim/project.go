package scim

import (
	"slices"
	"strings"
)

// maxProjected bounds how many names one request may ask for; resources have far fewer attributes.
const maxProjected = 500

// Projection is what `attributes` and `excludedAttributes` ask for (RFC 7644 section 3.4.2.5). The zero value is the default
// set.
type Projection struct {
	only   []Path // asked for by `attributes`
	except []Path // asked for by `excludedAttributes`
	also   []Path // see Also
	narrow bool   // `attributes` was given: without a name known here only the minimum set is left
}

// ParseProjection reads the names of both parameters; each string may be a list with commas. Both together contradict each
// other (RFC 7644 section 3.9); `attributes` wins then. Names nobody knows are no fault. Refusal: 400 invalidValue for a text
// that cannot be a name.
func ParseProjection(attributes, excluded []string) (Projection, error) {
	only, err := projectedPaths("attributes", attributes)
	if err != nil || len(only) > 0 {
		return Projection{only: only, narrow: true}, err
	}
	except, err := projectedPaths("excludedAttributes", excluded)
	return Projection{except: except}, err
}

func projectedPaths(parameter string, lists []string) ([]Path, error) {
	var paths []Path
	for _, list := range lists {
		for _, name := range appendNames(nil, list) {
			path, err := ParsePath(name, DefaultFilterLimits)
			if err != nil {
				return nil, invalidValue("%s: %s is no attribute's name; write names with commas between them, as in userName,name.givenName", parameter, quoted(name)).
					On(parameter).Because(err)
			}
			path.Filter = nil // Microsoft's collections write emails[type eq "work"].value; all elements are given then
			paths = append(paths, path)
		}
	}
	if len(paths) > maxProjected {
		return nil, invalidValue("%s holds %d names; %d are allowed", parameter, len(paths), maxProjected).On(parameter)
	}
	return paths, nil
}

// Also gives a projection that returns these attributes too if their schema says returned=request: a client that set one in
// a write gets it back in the answer (RFC 7643 section 7). What the client asked to leave out stays out.
func (p Projection) Also(names ...string) (Projection, error) {
	paths, err := projectedPaths("attributes", names)
	p.also = slices.Concat(p.also, paths)
	return p, err
}

// IsAll reports the default set.
func (p Projection) IsAll() bool { return !p.narrow && len(p.except) == 0 }

// Wants reports whether the answer may hold the core attribute, so that what is costly to find, as a group's members, need
// not be looked up. It only says no when that is certain.
func (p Projection) Wants(attr string) bool {
	if p.narrow {
		return slices.ContainsFunc(p.only, func(path Path) bool { return namesCore(path, attr) })
	}
	return !slices.ContainsFunc(p.except, func(path Path) bool {
		return strings.EqualFold(path.Attr, attr) && path.Sub == "" && isCoreURN(path.URN)
	})
}

func isCoreURN(urn string) bool {
	return urn == "" || strings.EqualFold(urn, UserURN) || strings.EqualFold(urn, GroupURN)
}

// namesCore sees an attribute of any URN: that of a foreign schema costs a look-up too much, never an attribute too few.
func namesCore(path Path, attr string) bool {
	return strings.EqualFold(path.Attr, attr) || (path.URN != "" && (strings.EqualFold(path.Sub, attr) || looksWhole(path)))
}

// looksWhole: `urn:…:core:2.0:Group` asks for everything in that schema.
func looksWhole(path Path) bool {
	return path.Attr == "" || (path.Sub == "" && endsInVersion(path.URN))
}

// Project gives the document as the client asked for it; doc itself is not changed. What is returned=always stays,
// what is returned=never goes, and returned=request needs to be named.
func (r *ResourceType) Project(doc *Object, p Projection) *Object {
	v := viewOf(r, p)
	out := make([]Member, 0, doc.Len())
	for _, member := range doc.Members() {
		var kept Value
		if s := r.extension(member.Name); s != nil || (isURN(member.Name) && member.Value.Kind() == Complex) {
			kept = v.container(s, member)
		} else {
			kept = v.attribute("", r.Core.Attribute(member.Name), member)
		}
		if kept.Kind() != Null {
			out = append(out, Member{member.Name, kept})
		}
	}
	return NewObject(out...)
}

// extension finds the schema of a container by its canonical URN, the only spelling documents have.
func (r *ResourceType) extension(urn string) *Schema {
	for i := range r.Extensions {
		if r.Extensions[i].Schema.ID == urn {
			return r.Extensions[i].Schema
		}
	}
	return nil
}

// view is a projection with its names resolved for one resource type.
type view struct {
	narrow             bool
	only, except, also []place
}

func viewOf(r *ResourceType, p Projection) view {
	resolved := func(paths []Path) []place {
		places := make([]place, len(paths))
		for i, path := range paths {
			places[i] = r.resolve(path)
		}
		return places
	}
	return view{p.narrow, resolved(p.only), resolved(p.except), resolved(p.also)}
}

// container projects an extension; s is nil if no schema describes it.
func (v view) container(s *Schema, in Member) Value {
	out := make([]Member, 0, in.Value.Object().Len())
	for _, member := range in.Value.Object().Members() {
		var a *Attribute
		if s != nil {
			a = s.Attribute(member.Name)
		}
		if kept := v.attribute(in.Name, a, member); kept.Kind() != Null {
			out = append(out, Member{member.Name, kept})
		}
	}
	return objectOrNull(NewObject(out...))
}

// attribute gives what is left of one attribute; a is nil if no schema describes it.
func (v view) attribute(container string, a *Attribute, m Member) Value {
	returned := ReturnedDefault
	if a != nil {
		returned = a.Returned
	}
	all, some := mentioned(v.only, container, m.Name)
	out, less := mentioned(v.except, container, m.Name)
	also, _ := mentioned(v.also, container, m.Name)
	switch {
	case returned == ReturnedNever:
		return Value{}
	case returned == ReturnedAlways:
		return m.Value
	case out:
		return Value{}
	case returned == ReturnedRequest && !all && !also && len(some) == 0:
		return Value{}
	case !v.narrow, all, also:
		return subsOf(a, m.Value, less, true)
	case len(some) > 0:
		return subsOf(a, m.Value, some, false)
	}
	return Value{}
}

// mentioned reports whether the places name the attribute as a whole, and else which of its sub-attributes.
func mentioned(places []place, container, name string) (whole bool, subs []string) {
	for _, at := range places {
		switch {
		case !strings.EqualFold(at.container, container):
		case at.whole, strings.EqualFold(at.name, name) && at.subName == "":
			return true, nil
		case strings.EqualFold(at.name, name):
			subs = append(subs, at.subName)
		}
	}
	return false, subs
}

// subsOf keeps of each element all sub-attributes but the named ones, or only those.
func subsOf(a *Attribute, v Value, named []string, but bool) Value {
	if but && len(named) == 0 && !hidesSubs(a) {
		return v
	}
	switch v.Kind() {
	case Array:
		var list []Value
		for _, e := range v.List() {
			list = appendValue(list, subsOf(a, e, named, but))
		}
		return listOrNull(list)
	case Complex:
		out := make([]Member, 0, v.Object().Len())
		for _, member := range v.Object().Members() {
			if keepsSub(a, member.Name, named, but) {
				out = append(out, member)
			}
		}
		return objectOrNull(NewObject(out...))
	}
	return v
}

// hidesSubs reports sub-attributes that not every answer holds.
func hidesSubs(a *Attribute) bool {
	return a != nil && slices.ContainsFunc(a.Sub, func(s *Attribute) bool {
		return s.Returned == ReturnedNever || s.Returned == ReturnedRequest
	})
}

func keepsSub(a *Attribute, name string, named []string, but bool) bool {
	returned := ReturnedDefault
	if a != nil {
		if s := a.SubAttribute(name); s != nil {
			returned = s.Returned
		}
	}
	isNamed := slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, name) })
	switch returned {
	case ReturnedNever:
		return false
	case ReturnedAlways:
		return true
	case ReturnedRequest:
		return isNamed && !but
	}
	return isNamed != but
}
