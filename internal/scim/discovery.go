package scim

import (
	"strconv"
	"time"
)

// Capabilities is what ServiceProviderConfig tells (RFC 7643 section 5, RFC 9865 section 4). What is zero is announced as
// not supported, so it must be refused too.
type Capabilities struct {
	DocumentationURI string

	BulkOperations int // most operations of one bulk request
	BulkPayload    int // most bytes of one bulk request
	FilterResults  int // most resources of one answer; 0: no filters
	Sort           bool
	ETag           bool
	ChangePassword bool

	Cursors         bool // cursor pages; index pages are always there, and the default for clients that know no other
	DefaultPageSize int
	MaxPageSize     int
	CursorTimeout   time.Duration // how long a cursor is good for; told in whole seconds

	Strict bool // the directory follows the interoperability profile

	AuthenticationSchemes []AuthenticationScheme
}

// AuthenticationSchemeType is how a client may authenticate (RFC 7643 section 5).
type AuthenticationSchemeType string

// The closed list of authentication schemes.
const (
	SchemeOAuth       AuthenticationSchemeType = "oauth"
	SchemeOAuth2      AuthenticationSchemeType = "oauth2"
	SchemeBearerToken AuthenticationSchemeType = "oauthbearertoken"
	SchemeHTTPBasic   AuthenticationSchemeType = "httpbasic"
	SchemeHTTPDigest  AuthenticationSchemeType = "httpdigest"
)

// AuthenticationScheme is one way to authenticate, described for people.
type AuthenticationScheme struct {
	Type             AuthenticationSchemeType
	Name             string
	Description      string
	SpecURI          string
	DocumentationURI string
	Primary          bool
}

// ServiceProviderConfig gives the resource at location, its absolute address.
func ServiceProviderConfig(c Capabilities, location string) *Object {
	o := NewObject(Member{"schemas", texts(ServiceProviderConfigURN)})
	setText(o, "documentationUri", c.DocumentationURI)
	o.Set("patch", supported(true))
	bulk := c.BulkOperations > 0
	o.Set("bulk", supported(bulk, Member{"maxOperations", numberOf(c.BulkOperations)}, Member{"maxPayloadSize", numberOf(c.BulkPayload)}))
	o.Set("filter", supported(c.FilterResults > 0, Member{"maxResults", numberOf(c.FilterResults)}))
	o.Set("changePassword", supported(c.ChangePassword))
	o.Set("sort", supported(c.Sort))
	o.Set("etag", supported(c.ETag))
	o.Set("pagination", c.pagination())
	if c.Strict {
		o.Set("interopProfileConformant", BoolOf(true))
	}
	schemes := make([]Value, 0, len(c.AuthenticationSchemes))
	for _, s := range c.AuthenticationSchemes {
		schemes = append(schemes, s.describe())
	}
	o.Set("authenticationSchemes", ListOf(schemes...))
	o.Set("meta", discoveryMeta("ServiceProviderConfig", location))
	return o
}

func (c Capabilities) pagination() Value {
	o := NewObject(Member{"cursor", BoolOf(c.Cursors)}, Member{"index", BoolOf(true)}, Member{"defaultPaginationMethod", StringOf("index")})
	setSize := func(name string, n int) {
		if n > 0 {
			o.Set(name, numberOf(n))
		}
	}
	setSize("defaultPageSize", c.DefaultPageSize)
	setSize("maxPageSize", c.MaxPageSize)
	if c.Cursors {
		setSize("cursorTimeout", int(c.CursorTimeout/time.Second))
	}
	return ObjectOf(o)
}

func (s AuthenticationScheme) describe() Value {
	o := NewObject(
		Member{"type", StringOf(string(s.Type))},
		Member{"name", StringOf(s.Name)},
		Member{"description", StringOf(s.Description)},
	)
	setText(o, "specUri", s.SpecURI)
	setText(o, "documentationUri", s.DocumentationURI)
	o.Set("primary", BoolOf(s.Primary))
	return ObjectOf(o)
}

// Describe gives the type's element of /ResourceTypes; base is the address SCIM paths are relative to, without a slash at
// its end.
func (r *ResourceType) Describe(base string) *Object {
	o := NewObject(
		Member{"schemas", texts(ResourceTypeURN)},
		Member{"id", StringOf(r.ID)},
		Member{"name", StringOf(r.Name)},
		Member{"endpoint", StringOf(r.Endpoint)},
		Member{"description", StringOf(r.Description)},
		Member{"schema", StringOf(r.Core.ID)},
	)
	extensions := make([]Value, 0, len(r.Extensions))
	for _, e := range r.Extensions {
		extensions = append(extensions, ObjectOf(NewObject(
			Member{"schema", StringOf(e.Schema.ID)}, Member{"required", BoolOf(e.Required)})))
	}
	o.Set("schemaExtensions", ListOf(extensions...))
	o.Set("meta", discoveryMeta("ResourceType", base+"/ResourceTypes/"+r.ID))
	return o
}

// Describe gives the schema's element of /Schemas, complete as RFC 7643 section 7 defines it; base is the address SCIM
// paths are relative to, without a slash at its end.
func (s *Schema) Describe(base string) *Object {
	o := NewObject(
		Member{"schemas", texts(SchemaURN)},
		Member{"id", StringOf(s.ID)},
		Member{"name", StringOf(s.Name)},
		Member{"description", StringOf(s.Description)},
		Member{"attributes", describeAll(s.Attributes)},
	)
	o.Set("meta", discoveryMeta("Schema", base+"/Schemas/"+s.ID))
	return o
}

func describeAll(attributes []*Attribute) Value {
	list := make([]Value, 0, len(attributes))
	for _, a := range attributes {
		list = append(list, ObjectOf(a.describe()))
	}
	return ListOf(list...)
}

func (a *Attribute) describe() *Object {
	o := NewObject(Member{"name", StringOf(a.Name)}, Member{"type", StringOf(string(a.Type))})
	if a.Type == TypeComplex {
		o.Set("subAttributes", describeAll(a.Sub))
	}
	o.Set("multiValued", BoolOf(a.Multi))
	o.Set("description", StringOf(a.Description))
	o.Set("required", BoolOf(a.Required))
	if len(a.Canonical) > 0 {
		o.Set("canonicalValues", texts(a.Canonical...))
	}
	o.Set("caseExact", BoolOf(a.CaseExact))
	o.Set("mutability", StringOf(string(a.Mutability)))
	o.Set("returned", StringOf(string(a.Returned)))
	// Complex and binary values have no uniqueness of their own (errata 6004, 8435); "none" says just that.
	o.Set("uniqueness", StringOf(string(a.Uniqueness)))
	if a.Type == TypeReference {
		o.Set("referenceTypes", texts(a.ReferenceTypes...))
	}
	return o
}

func discoveryMeta(resourceType, location string) Value {
	return ObjectOf(NewObject(Member{"resourceType", StringOf(resourceType)}, Member{"location", StringOf(location)}))
}

// MetaOf makes the `meta` of a resource (RFC 7643 section 3.1): times in UTC with at most microseconds, version as in the
// ETag header, or "" for none.
func MetaOf(resourceType string, created, lastModified time.Time, location, version string) Value {
	o := NewObject(
		Member{"resourceType", StringOf(resourceType)},
		Member{"created", StringOf(dateTime(created))},
		Member{"lastModified", StringOf(dateTime(lastModified))},
		Member{"location", StringOf(location)},
	)
	setText(o, "version", version)
	return ObjectOf(o)
}

func dateTime(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}

func supported(yes bool, more ...Member) Value {
	return ObjectOf(NewObject(append([]Member{{"supported", BoolOf(yes)}}, more...)...))
}

func texts(all ...string) Value {
	list := make([]Value, 0, len(all))
	for _, s := range all {
		list = append(list, StringOf(s))
	}
	return ListOf(list...)
}

func setText(o *Object, name, s string) {
	if s != "" {
		o.Set(name, StringOf(s))
	}
}

func numberOf(n int) Value { return NumberOf(strconv.Itoa(n)) }
