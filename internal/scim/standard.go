package scim

// The schema URNs of RFC 7643 and the message URNs of RFC 7644.
const (
	UserURN                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseURN            = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ServiceProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeURN          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaURN                = "urn:ietf:params:scim:schemas:core:2.0:Schema"

	ListURN         = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchURN       = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	PatchURN        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	BulkRequestURN  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	ErrorURN        = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// The constructors below start from the defaults of RFC 7643 section 2.2; with… functions say what differs.

func simple(name string, t Type, description string, changes ...func(*Attribute)) *Attribute {
	a := &Attribute{
		Name: name, Type: t, Description: description,
		Mutability: ReadWrite, Returned: ReturnedDefault, Uniqueness: UniqueNone,
		// Both are case-exact by definition (RFC 7643 sections 2.3.6 and 2.3.7).
		CaseExact: t == TypeBinary || t == TypeReference,
	}
	for _, change := range changes {
		change(a)
	}
	return a
}

func text(name, description string, changes ...func(*Attribute)) *Attribute {
	return simple(name, TypeString, description, changes...)
}

func reference(name, description string, to []string, changes ...func(*Attribute)) *Attribute {
	a := simple(name, TypeReference, description, changes...)
	a.ReferenceTypes = to
	return a
}

func complexOf(name, description string, sub []*Attribute, changes ...func(*Attribute)) *Attribute {
	a := simple(name, TypeComplex, description, changes...)
	a.Sub = sub
	return a
}

func multi(a *Attribute)     { a.Multi = true }
func required(a *Attribute)  { a.Required = true }
func caseExact(a *Attribute) { a.CaseExact = true }
func readOnly(a *Attribute)  { a.Mutability = ReadOnly }
func immutable(a *Attribute) { a.Mutability = Immutable }
func always(a *Attribute)    { a.Returned = ReturnedAlways }
func onServer(a *Attribute)  { a.Uniqueness = UniqueServer }
func secret(a *Attribute)    { a.Mutability, a.Returned = WriteOnly, ReturnedNever }

func canonical(values ...string) func(*Attribute) {
	return func(a *Attribute) { a.Canonical = values }
}

func alsoNamed(names ...string) func(*Attribute) {
	return func(a *Attribute) { a.aka = names }
}

// plural makes the usual multi-valued attribute of value, display, type and primary (RFC 7643 section 2.4).
func plural(name, description string, value *Attribute, types ...string) *Attribute {
	return complexOf(name, description, []*Attribute{
		value,
		text("display", "A name for people to read."),
		text("type", "A label for what the value is used for.", canonical(types...)),
		simple("primary", TypeBoolean, "Whether this is the preferred value; true at most once."),
	}, multi)
}

// commonAttributes are those of RFC 7643 section 3.1, and schemas of section 3.
func commonAttributes() []*Attribute {
	return []*Attribute{
		reference("schemas", "The URNs of the schemas the resource uses.", []string{"uri"}, multi, required, always, func(a *Attribute) {
			a.CaseExact = false // URNs are compared in any letter case, RFC 7644 section 3.10
		}),
		text("id", "The identifier the server gave; it never changes.", caseExact, readOnly, always, onServer),
		text("externalId", "The identifier the client gave.", caseExact),
		complexOf("meta", "What the server says about the resource.", []*Attribute{
			text("resourceType", "The name of the resource type.", caseExact, readOnly),
			simple("created", TypeDateTime, "When the resource was made.", readOnly),
			simple("lastModified", TypeDateTime, "When the resource last changed.", readOnly),
			reference("location", "The address of the resource.", []string{"uri"}, readOnly),
			text("version", "The entity tag of the resource.", caseExact, readOnly),
		}, readOnly),
	}
}

func userSchema() *Schema {
	emails := plural("emails", "Email addresses.", text("value", "The address."), "work", "home", "other")
	s := &Schema{
		ID: UserURN, Name: "User", Description: "A person's account",
		common: commonAttributes(),
		aliases: []string{
			"urn:ietf:params:scim:schemas:core:2.0User", "urn:scim:schemas:core:2.0:User", "urn:scim:schemas:core:2.0",
			"urn:scim:schemas:core:1.0", "urn:ietf:params:scim:schemas:core:2.0",
		},
		Attributes: append(userSingles(), append([]*Attribute{emails}, userPlurals()...)...),
	}
	s.short = map[string]Target{"email": {emails, emails.SubAttribute("value")}}
	return s.indexed()
}

func userSingles() []*Attribute {
	return []*Attribute{
		text("userName", "The name the person signs in with.", required, onServer),
		complexOf("name", "The parts of the person's name.", []*Attribute{
			text("formatted", "The whole name, ready to show."),
			text("familyName", "The family name."),
			text("givenName", "The given name."),
			text("middleName", "The middle names."),
			text("honorificPrefix", "What goes before the name, as \"Ms.\"."),
			text("honorificSuffix", "What goes after the name, as \"III\"."),
		}),
		text("displayName", "The name to show."),
		text("nickName", "The casual name."),
		reference("profileUrl", "The address of a page about the person.", []string{"external"}),
		text("title", "The job title."),
		text("userType", "How the person relates to the organization, as \"Employee\"."),
		text("preferredLanguage", "The languages to write to the person in, as in Accept-Language."),
		text("locale", "The language tag by which numbers and dates are shown."),
		text("timezone", "The time zone, by its name in the Olson database."),
		simple("active", TypeBoolean, "Whether the account may be used."),
		text("password", "Taken and not kept: people sign in with their identity provider.", secret),
	}
}

func userPlurals() []*Attribute {
	value := func(description string) *Attribute { return text("value", description) }
	return []*Attribute{
		plural("phoneNumbers", "Phone numbers.", value("The number."), "work", "home", "mobile", "fax", "pager", "other"),
		plural("ims", "Instant messaging addresses.", value("The address."), "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		plural("photos", "Pictures of the person.", reference("value", "The address of the picture.", []string{"external"}), "photo", "thumbnail"),
		complexOf("addresses", "Postal addresses.", []*Attribute{
			text("formatted", "The whole address, ready to show."),
			text("streetAddress", "Street, house and the like."),
			text("locality", "The city."),
			text("region", "The state or region."),
			text("postalCode", "The postal code."),
			text("country", "The country."),
			text("type", "A label for what the address is used for.", canonical("work", "home", "other")),
			simple("primary", TypeBoolean, "Whether this is the preferred address; true at most once."),
		}, multi),
		complexOf("groups", "The groups the person is in; changed through the groups.", []*Attribute{
			text("value", "The id of the group.", caseExact, readOnly),
			reference("$ref", "The address of the group.", []string{"Group"}, readOnly),
			text("display", "The name of the group.", readOnly),
			text("type", "Whether the person is a member itself or by a nested group.", readOnly, canonical("direct", "indirect")),
		}, multi, readOnly),
		plural("entitlements", "What the person is entitled to.", value("The entitlement.")),
		plural("roles", "The person's roles.", value("The role.")),
		plural("x509Certificates", "Certificates of the person.", simple("value", TypeBinary, "One certificate, DER in base64.")),
	}
}

func enterpriseSchema() *Schema {
	s := &Schema{
		ID: EnterpriseURN, Name: "EnterpriseUser", Description: "What an enterprise keeps about a person",
		aliases: []string{
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0",
			"urn:scim:schemas:extension:enterprise:2.0:User", "urn:scim:schemas:extension:enterprise:2.0",
			"urn:scim:schemas:extension:enterprise:1.0",
		},
		Attributes: []*Attribute{
			text("employeeNumber", "The number the organization gave the person."),
			text("costCenter", "The cost centre."),
			text("organization", "The organization."),
			text("division", "The division."),
			text("department", "The department."),
			complexOf("manager", "The person's manager.", []*Attribute{
				text("value", "The id of the manager's user.", caseExact, alsoNamed("managerId")),
				reference("$ref", "The address of the manager's user.", []string{"User"}),
				text("displayName", "The name of the manager.", readOnly),
			}),
		},
	}
	return s.indexed()
}

func groupSchema() *Schema {
	s := &Schema{
		ID: GroupURN, Name: "Group", Description: "A group of people",
		common: commonAttributes(),
		aliases: []string{
			"urn:ietf:params:scim:schemas:core:2.0Group", "urn:scim:schemas:core:2.0:Group", "urn:scim:schemas:core:2.0",
			"urn:scim:schemas:core:1.0", "urn:ietf:params:scim:schemas:core:2.0",
		},
		Attributes: []*Attribute{
			text("displayName", "The name of the group.", required),
			complexOf("members", "Who is in the group.", []*Attribute{
				text("value", "The id of the member.", caseExact, immutable),
				reference("$ref", "The address of the member.", []string{"User", "Group"}, immutable),
				text("type", "What kind of resource the member is.", immutable, canonical("User", "Group")),
				text("display", "The name of the member.", immutable),
			}, multi),
		},
	}
	return s.indexed()
}
