package idp

import (
	"fmt"
	"slices"
	"strings"
)

// Attribute is something an app wants to know of a person, in Rollcall's word for it.
type Attribute string

// The attributes that an IT admin is told about.
const (
	AttributeEmail          Attribute = "email"
	AttributeName           Attribute = "name"
	AttributeTitle          Attribute = "title"
	AttributeDepartment     Attribute = "department"
	AttributeCostCenter     Attribute = "cost_center"
	AttributeEmployeeNumber Attribute = "employee_number"
	AttributeManager        Attribute = "manager"
	AttributePicture        Attribute = "picture"
	AttributeRoles          Attribute = "roles"
	AttributeGroups         Attribute = "groups"
)

// Attributes lists every attribute, in the order in which they are shown.
func Attributes() []Attribute {
	return []Attribute{
		AttributeEmail, AttributeName, AttributeTitle, AttributeDepartment, AttributeCostCenter, AttributeEmployeeNumber, AttributeManager, AttributePicture,
		AttributeRoles, AttributeGroups,
	}
}

// Ability is whether a provider can send an attribute.
type Ability string

// The abilities. Unknown: neither the guide nor the vendor says so; the provider's own mapping decides.
const (
	AbilityYes     Ability = "yes"
	AbilityNo      Ability = "no"
	AbilityUnknown Ability = "unknown"
)

// Sending is what is known of one attribute at a provider.
type Sending struct {
	Attribute Attribute
	Can       Ability
	Source    string // what the guide maps it from; "" where it names nothing
}

// Path is where SCIM keeps the attribute: the beginning of its path, without the URN of an extension.
func (a Attribute) Path() string {
	return map[Attribute]string{
		AttributeEmail: "emails", AttributeName: "name", AttributeTitle: "title", AttributeDepartment: "department", AttributeCostCenter: "costCenter",
		AttributeEmployeeNumber: "employeeNumber", AttributeManager: "manager", AttributePicture: "photos", AttributeRoles: "roles", AttributeGroups: "groups",
	}[a]
}

// Sending tells of every attribute whether the provider can send it by SCIM, as its guide and the vendor's own words have it.
func (p Provider) Sending() []Sending {
	guide := p.Guides[SCIM]
	out := make([]Sending, 0, len(Attributes()))
	for _, a := range Attributes() {
		one := Sending{Attribute: a, Can: AbilityUnknown}
		source, mapped := guide.maps(a)
		switch {
		case slices.Contains(p.NeverSends, a):
			one.Can = AbilityNo
		case mapped:
			one.Can, one.Source = AbilityYes, source
		case a == AttributeEmail || a == AttributeName: // without which no client would be of use
			one.Can = AbilityYes
		case a == AttributeGroups && guide.checks(CheckFirstGroup):
			one.Can = AbilityYes
		}
		out = append(out, one)
	}
	return out
}

// maps tells from what a guide fills an attribute.
func (g Guide) maps(a Attribute) (source string, ok bool) {
	for _, step := range g.Steps {
		for _, b := range step.Blocks {
			for _, line := range b.Map {
				if line.of() == a.Path() {
					return line.Source, true
				}
			}
			for _, line := range b.Copy { // an expression whose target is a field of its own
				if line.Value == a.Path() {
					return "", true
				}
			}
		}
	}
	return "", false
}

func (g Guide) checks(c Check) bool {
	for _, step := range g.Steps {
		for _, b := range step.Blocks {
			if slices.Contains(b.Checks, c) {
				return true
			}
		}
	}
	return false
}

// of is the attribute of a path: without URN, filter and sub-attribute.
func (l MapLine) of() string {
	path := l.Name
	if strings.HasPrefix(strings.ToLower(path), "urn:") {
		path = path[strings.LastIndexByte(path, ':')+1:]
	}
	if end := strings.IndexAny(path, ".["); end >= 0 {
		path = path[:end]
	}
	return path
}

func (p Provider) checkSending() error {
	if p.Speaks(SCIM) != (strings.TrimSpace(p.SendAgain) != "") {
		return fmt.Errorf("send_again must be set exactly when protocols has scim")
	}
	if !p.Speaks(SCIM) && (p.PushesApart || len(p.NeverSends) > 0) {
		return fmt.Errorf("pushes_apart and never_sends mean nothing without scim in protocols")
	}
	return closed("never_sends", p.NeverSends, Attributes())
}
