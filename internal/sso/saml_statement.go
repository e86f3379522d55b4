package sso

import "github.com/rollcallhq/rollcall/internal/saml"

// asserted turns an assertion into a statement.
func asserted(a *saml.Assertion) statement {
	st := statement{protocol: SAML, subject: a.Subject.Value, format: a.Subject.Format, raw: map[string]any{}}
	for _, one := range a.Attributes {
		st.attributes = append(st.attributes, attribute{name: one.Name, friendly: one.FriendlyName, values: one.Values})
		values := one.Values[:min(len(one.Values), MaxGroups)]
		if len(values) == 1 {
			st.raw[one.Name] = values[0]
		} else if _, there := st.raw[one.Name]; !there {
			st.raw[one.Name] = values
		}
	}
	return st
}
