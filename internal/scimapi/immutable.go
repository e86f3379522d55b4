package scimapi

import (
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// checkImmutable refuses a PUT that gives an immutable attribute another value than it has (RFC 7644 section 3.5.1). Only
// declared extensions have such attributes.
func checkImmutable(typ *scim.ResourceType, current, next *scim.Object) error {
	if err := sameImmutables(typ.Core.Attributes, current, next, ""); err != nil {
		return err
	}
	for i := range typ.Extensions {
		s := typ.Extensions[i].Schema
		was, _ := current.Get(s.ID)
		is, _ := next.Get(s.ID)
		if err := sameImmutables(s.Attributes, was.Object(), is.Object(), s.ID+":"); err != nil {
			return err
		}
	}
	return nil
}

func sameImmutables(attributes []*scim.Attribute, current, next *scim.Object, prefix string) error {
	if current.Len() == 0 {
		return nil
	}
	for _, a := range attributes {
		was, set := current.Get(a.Name)
		if !set {
			continue
		}
		is, _ := next.Get(a.Name)
		if a.Mutability == scim.Immutable && !is.Equal(was) {
			return fault.New(fault.Invalid, scim.CodeMutability, "%s%s is immutable and has a value already; send that value again.", prefix, a.Name).
				On(prefix + a.Name)
		}
		if a.Multi || was.Kind() != scim.Complex {
			continue
		}
		if err := sameImmutables(a.Sub, was.Object(), is.Object(), prefix+a.Name+"."); err != nil {
			return err
		}
	}
	return nil
}
