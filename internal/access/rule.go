package access

// Target is what a rule gives.
type Target string

// The closed list.
const (
	SetRole      Target = "role"      // a role, by its slug
	SetTeam      Target = "team"      // a place in a team, by its id
	SetLicence   Target = "licence"   // a licence, by the slug of its type
	SetAttribute Target = "attribute" // a custom attribute of the membership
	SetProfile   Target = "profile"   // a field of the account
)

// The fields of the account that a rule may set.
const (
	FieldFirstName  = "first_name"
	FieldLastName   = "last_name"
	FieldPictureURL = "picture_url"
	FieldLocale     = "locale"
)

// Rule gives one thing to whom all its conditions hold for. What it gives is either To or what it reads From the person.
type Rule struct {
	Set        Target
	Name       string // of the attribute or the field; "" for the other targets
	To         string
	From       string      // a SCIM path or a claim
	Transforms []Transform // of what is read, in order
	As         As          // of an attribute
	When       []Condition // none: it always holds
}

// As is the type of an attribute.
type As string

// The types. The zero value is text.
const (
	AsText    As = "text"
	AsNumber  As = "number"
	AsBoolean As = "boolean"
	AsList    As = "list"
)

// Condition is one question about a person: either whether they are in a group, or what a path or claim holds. Of several values one that
// fits is enough. Texts are compared as they are, letter case too.
type Condition struct {
	Group *Group // by id where it has one, else by name
	Path  string
	Test  Test
	Texts []string // one; of TestIn all
}

// Test is what is asked of a value.
type Test string

// The tests.
const (
	TestEquals   Test = "equals"
	TestIn       Test = "in"
	TestPrefix   Test = "prefix"
	TestContains Test = "contains"
	TestPresent  Test = "present"
	TestAbsent   Test = "absent"
)

// Transform changes the values that were read.
type Transform struct {
	Do    Do
	Text  string            // of join, before and after the separator; of json the member
	Table map[string]string // of map
}

// Do is a kind of transform.
type Do string

// The kinds. Values that come out empty are left out.
const (
	DoTrim   Do = "trim"
	DoLower  Do = "lower"
	DoUpper  Do = "upper"
	DoFirst  Do = "first"  // the first value alone
	DoJoin   Do = "join"   // all values as one text
	DoBefore Do = "before" // what stands before the first separator; all where there is none
	DoAfter  Do = "after"  // what stands after it; all where there is none
	DoMap    Do = "map"    // by a table, "*" for whatever is not in it; without "*" that is left out
	DoJSON   Do = "json"   // a member of JSON in a text, of each element of an array
)
