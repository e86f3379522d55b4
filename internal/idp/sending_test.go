package idp

import (
	"strings"
	"testing"
)

func TestSending_tells_what_the_guide_maps_what_the_vendor_rules_out_and_what_nobody_knows(t *testing.T) {
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		provider  Slug
		attribute Attribute
		want      Sending
	}{
		{"entra-id", AttributePicture, Sending{Can: AbilityNo}},
		{"entra-id", AttributeEmail, Sending{Can: AbilityYes, Source: "mail"}},
		{"entra-id", AttributeName, Sending{Can: AbilityYes, Source: "givenName"}},
		{"entra-id", AttributeDepartment, Sending{Can: AbilityYes, Source: "department"}},
		{"entra-id", AttributeManager, Sending{Can: AbilityYes, Source: "manager"}},
		{"entra-id", AttributeRoles, Sending{Can: AbilityYes}},
		{"entra-id", AttributeCostCenter, Sending{Can: AbilityUnknown}},
		{"okta", AttributeManager, Sending{Can: AbilityYes, Source: "user.managerId"}},
		{"okta", AttributeEmail, Sending{Can: AbilityYes}},
		{"okta", AttributeGroups, Sending{Can: AbilityYes}},
		{"ibm-verify", AttributeGroups, Sending{Can: AbilityNo}},
	} {
		p, known := catalog.Provider(tc.provider)
		if !known {
			t.Fatalf("no %s", tc.provider)
		}
		tc.want.Attribute = tc.attribute
		found := false
		for _, got := range p.Sending() {
			if found = found || got == tc.want; got.Attribute == tc.attribute && got != tc.want {
				t.Errorf("%s: %+v, want %+v", tc.provider, got, tc.want)
			}
		}
		if !found {
			t.Errorf("%s: nothing about %s", tc.provider, tc.attribute)
		}
	}
	for _, a := range Attributes() {
		if a.Path() == "" {
			t.Errorf("%s lies nowhere", a)
		}
	}
}

func TestSent_again_is_what_the_guides_of_Okta_and_Entra_call_it(t *testing.T) {
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for slug, want := range map[Slug]string{"okta": "Force Sync", "entra-id": "Provision on demand"} {
		if p, _ := catalog.Provider(slug); !strings.Contains(p.SendAgain, want) {
			t.Errorf("%s: %q lacks %q", slug, p.SendAgain, want)
		}
	}
	if p, _ := catalog.Provider("okta"); !p.PushesApart {
		t.Error("Okta takes one group for both")
	}
}
