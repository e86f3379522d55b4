package sso

import "github.com/rollcallhq/rollcall/internal/saml"

// asserted turns an assertion into a statement.
func asserted(a *saml.Assertion) statement {
	st := statement{protocol: SAML, subject: a.Subject.Value, format: a.Subject.Format, whom: Subject(a.Subject), raw: map[string]any{}}
	all := map[string][]string{}
	for _, one := range a.Attributes {
		st.attributes = append(st.attributes, attribute{name: one.Name, friendly: one.FriendlyName, values: one.Values})
		all[one.Name] = append(all[one.Name], one.Values...) // of one name in two formats
	}
	for name, values := range all {
		if len(values) == 1 {
			st.raw[name] = values[0]
		} else {
			st.raw[name] = values[:min(len(values), MaxGroups)]
		}
	}
	return st
}
