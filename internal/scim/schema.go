package scim

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Type is the data type of an attribute (RFC 7643 section 2.3).
type Type string

// The closed list of data types.
const (
	TypeString    Type = "string"
	TypeBoolean   Type = "boolean"
	TypeDecimal   Type = "decimal"
	TypeInteger   Type = "integer"
	TypeDateTime  Type = "dateTime"
	TypeBinary    Type = "binary"
	TypeReference Type = "reference"
	TypeComplex   Type = "complex"
)

// Mutability says who may write an attribute, and how often (RFC 7643 section 7).
type Mutability string

// The closed list of mutabilities.
const (
	ReadOnly  Mutability = "readOnly"
	ReadWrite Mutability = "readWrite"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when an attribute is part of an answer (RFC 7643 section 7).
type Returned string

// The closed list of the ways to return an attribute.
const (
	ReturnedAlways  Returned = "always"
	ReturnedNever   Returned = "never"
	ReturnedDefault Returned = "default"
	ReturnedRequest Returned = "request"
)

// Uniqueness says among what the values of an attribute are unique (RFC 7643 section 7).
type Uniqueness string

// The closed list of uniquenesses.
const (
	UniqueNone   Uniqueness = "none"
	UniqueServer Uniqueness = "server"
	UniqueGlobal Uniqueness = "global"
)

// Mode says how much of what clients really send is taken. The zero value takes every known dialect.
type Mode struct {
	// Strict follows the interoperability profile: what is unknown or of the wrong JSON type is refused, never mended.
	Strict bool
}

// Attribute is one attribute or sub-attribute as its schema declares it. It is shared by all requests and never changes.
type Attribute struct {
	Name        string
	Type        Type
	Multi       bool
	Required    bool
	CaseExact   bool
	Mutability  Mutability
	Returned    Returned
	Uniqueness  Uniqueness
	Canonical   []string // suggestions, not a closed list (RFC 7643 section 2.4)
	Description string

	ReferenceTypes []string
	Sub            []*Attribute

	// aka are names under which clients are known to send this attribute; answers never use them.
	aka []string
}

// SubAttribute finds a sub-attribute by name in any letter case; nil if there is none.
func (a *Attribute) SubAttribute(name string) *Attribute {
	for _, s := range a.Sub {
		if s.Name == name {
			return s
		}
	}
	for _, s := range a.Sub {
		if s.goesBy(name) {
			return s
		}
	}
	return nil
}

func (a *Attribute) goesBy(name string) bool {
	if strings.EqualFold(a.Name, name) {
		return true
	}
	for _, other := range a.aka {
		if strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

// Schema is a set of attributes under one URN. It is shared by all requests and never changes.
type Schema struct {
	ID          string
	Name        string
	Description string
	Attributes  []*Attribute

	// common are the attributes every resource has without its schema listing them (RFC 7643 section 3.1).
	common []*Attribute
	// aliases are other URNs by which clients are known to name this schema.
	aliases []string
	// short maps names accepted in filters only to what they mean.
	short map[string]Target
	// index holds the attributes by folded name.
	index map[string]*Attribute
	// needs are the attributes that are required or have a required sub-attribute.
	needs []*Attribute
}

// Target names an attribute and, if Sub is not nil, a sub-attribute of it.
type Target struct{ Attribute, Sub *Attribute }

// indexed completes a schema literal; lookups in a schema without index would find nothing.
func (s *Schema) indexed() *Schema {
	s.index = make(map[string]*Attribute, len(s.Attributes)+len(s.common))
	for _, list := range [][]*Attribute{s.common, s.Attributes} {
		for _, a := range list {
			s.index[FoldKey(a.Name)] = a
		}
	}
	for _, a := range s.Attributes {
		if a.Required || slices.ContainsFunc(a.Sub, func(sub *Attribute) bool { return sub.Required }) {
			s.needs = append(s.needs, a)
		}
	}
	return s
}

// Attribute finds an attribute by name in any letter case; nil if there is none. A core schema also knows the common
// attributes id, externalId, meta and schemas.
func (s *Schema) Attribute(name string) *Attribute {
	var folded [64]byte
	if len(name) > len(folded) {
		return s.index[FoldKey(name)]
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= utf8.RuneSelf {
			return s.index[FoldKey(name)]
		}
		folded[i] = lowerASCII(c)
	}
	return s.index[string(folded[:len(name)])]
}

// FilterAlias finds what a short name means that is accepted in filters only, in any letter case: `email` for emails.value.
func (s *Schema) FilterAlias(name string) (Target, bool) {
	t, ok := s.short[FoldKey(name)]
	return t, ok
}

func (s *Schema) goesBy(urn string) bool {
	if strings.EqualFold(s.ID, urn) {
		return true
	}
	for _, other := range s.aliases {
		if strings.EqualFold(other, urn) {
			return true
		}
	}
	return false
}

// Extension is a schema whose attributes a resource may carry in a container named by its URN (RFC 7643 section 3.3).
type Extension struct {
	Schema   *Schema
	Required bool
}

// ResourceType is a kind of resource: its endpoint, its core schema and its extensions (RFC 7643 section 6).
type ResourceType struct {
	ID          string
	Name        string
	Endpoint    string // with a leading slash, relative to the base address
	Description string
	Core        *Schema
	Extensions  []Extension
}

// Schema finds the core schema or an extension by URN in any letter case, also by the misspelt and outdated URNs seen in
// traffic; nil if this type does not know it.
func (r *ResourceType) Schema(urn string) *Schema {
	if urn == r.Core.ID {
		return r.Core
	}
	for i := range r.Extensions {
		if r.Extensions[i].Schema.ID == urn {
			return r.Extensions[i].Schema
		}
	}
	if r.Core.goesBy(urn) {
		return r.Core
	}
	for i := range r.Extensions {
		if r.Extensions[i].Schema.goesBy(urn) {
			return r.Extensions[i].Schema
		}
	}
	return nil
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
