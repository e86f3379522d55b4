package scim

// discoverySchemas are those of the resources by which a server describes itself (RFC 7643 sections 5 to 7). Nobody writes
// them, so everything in them is readOnly.
func discoverySchemas() []*Schema {
	return []*Schema{serviceProviderConfigSchema(), resourceTypeSchema(), schemaSchema()}
}

func readOnlyComplex(name, description string, sub []*Attribute, changes ...func(*Attribute)) *Attribute {
	return complexOf(name, description, sub, append(changes, readOnly)...)
}

func flag(name, description string) *Attribute {
	return simple(name, TypeBoolean, description, required, readOnly)
}

func size(name, description string, changes ...func(*Attribute)) *Attribute {
	return simple(name, TypeInteger, description, append(changes, readOnly)...)
}

func isSupported() *Attribute { return flag("supported", "Whether it is supported.") }

func serviceProviderConfigSchema() *Schema {
	option := func(name, description string, more ...*Attribute) *Attribute {
		return readOnlyComplex(name, description, append([]*Attribute{isSupported()}, more...), required)
	}
	s := &Schema{
		ID: ServiceProviderConfigURN, Name: "ServiceProviderConfig", Description: "What the server can do", common: commonAttributes(),
		Attributes: []*Attribute{
			reference("documentationUri", "The address of the server's documentation.", []string{"external"}, readOnly),
			option("patch", "Changing parts of resources."),
			option("bulk", "Several operations in one request.",
				size("maxOperations", "The most operations of one request.", required),
				size("maxPayloadSize", "The most bytes of one request.", required)),
			option("filter", "Filtered queries.", size("maxResults", "The most resources of one answer.", required)),
			option("changePassword", "Changing passwords."),
			option("sort", "Sorted queries."),
			option("etag", "Versions of resources."),
			readOnlyComplex("pagination", "The ways to page.", []*Attribute{
				flag("cursor", "Whether there are pages by cursor."),
				flag("index", "Whether there are pages by index."),
				text("defaultPaginationMethod", "How pages are made if the client does not say.", readOnly, canonical("cursor", "index")),
				size("defaultPageSize", "How many resources a page has if the client does not say."),
				size("maxPageSize", "The most resources of one page."),
				size("cursorTimeout", "The seconds a cursor is good for."),
			}),
			simple("interopProfileConformant", TypeBoolean, "Whether the server follows the interoperability profile.", readOnly),
			readOnlyComplex("authenticationSchemes", "The ways to authenticate.", []*Attribute{
				text("type", "The kind of scheme.", required, readOnly, canonical(
					string(SchemeOAuth), string(SchemeOAuth2), string(SchemeBearerToken), string(SchemeHTTPBasic), string(SchemeHTTPDigest))),
				text("name", "The scheme's name.", required, readOnly),
				text("description", "What to know about the scheme.", required, readOnly),
				reference("specUri", "The address of the scheme's specification.", []string{"external"}, readOnly),
				reference("documentationUri", "The address of the scheme's documentation.", []string{"external"}, readOnly),
				simple("primary", TypeBoolean, "Whether this is the preferred scheme.", readOnly),
			}, multi, required),
		},
	}
	return s.indexed()
}

func resourceTypeSchema() *Schema {
	s := &Schema{
		ID: ResourceTypeURN, Name: "ResourceType", Description: "A kind of resource", common: commonAttributes(),
		Attributes: []*Attribute{
			text("name", "The type's name.", required, readOnly),
			text("description", "What the resources are.", readOnly),
			reference("endpoint", "The endpoint, relative to the base address.", []string{"uri"}, required, readOnly),
			reference("schema", "The URN of the core schema.", []string{"uri"}, required, readOnly),
			readOnlyComplex("schemaExtensions", "The extensions of the type.", []*Attribute{
				reference("schema", "The URN of the extension.", []string{"uri"}, required, readOnly),
				flag("required", "Whether every resource must have the extension."),
			}, multi),
		},
	}
	return s.indexed()
}

func schemaSchema() *Schema {
	s := &Schema{
		ID: SchemaURN, Name: "Schema", Description: "A set of attributes", common: commonAttributes(),
		Attributes: []*Attribute{
			text("name", "The schema's name.", readOnly),
			text("description", "What the attributes are about.", readOnly),
			readOnlyComplex("attributes", "The attributes.", append(characteristics(TypeComplex),
				readOnlyComplex("subAttributes", "The attributes within a complex one.", characteristics(), multi)), multi, required),
		},
	}
	return s.indexed()
}

// characteristics describe an attribute; a sub-attribute cannot be complex (errata 8415), so that type is further.
func characteristics(further ...Type) []*Attribute {
	types := []string{
		string(TypeString), string(TypeBoolean), string(TypeDecimal), string(TypeInteger), string(TypeDateTime),
		string(TypeBinary), string(TypeReference),
	}
	for _, t := range further {
		types = append(types, string(t))
	}
	return []*Attribute{
		text("name", "The attribute's name.", required, readOnly),
		text("type", "The data type.", required, readOnly, canonical(types...)),
		flag("multiValued", "Whether it holds several values."),
		text("description", "What the attribute is.", readOnly),
		flag("required", "Whether it must have a value."),
		text("canonicalValues", "Suggested values.", multi, readOnly),
		simple("caseExact", TypeBoolean, "Whether letter case matters.", readOnly),
		text("mutability", "Who may write it.", required, readOnly, canonical(
			string(ReadOnly), string(ReadWrite), string(Immutable), string(WriteOnly))),
		text("returned", "When it is part of an answer.", required, readOnly, canonical(
			string(ReturnedAlways), string(ReturnedNever), string(ReturnedDefault), string(ReturnedRequest))),
		text("uniqueness", "Among what its values are unique.", required, readOnly, canonical(
			string(UniqueNone), string(UniqueServer), string(UniqueGlobal))),
		text("referenceTypes", "What a reference may point to.", multi, readOnly),
	}
}
