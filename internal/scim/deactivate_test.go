package scim

import "testing"

//scim:27,T1,T2,T6,T9
func TestA_wish_to_deactivate_is_found_in_bodies_that_may_be_refused(t *testing.T) {
	const patch = `"schemas":["` + PatchURN + `"],"Operations":`
	for body, want := range map[string]bool{
		`{"userName":"","active":false}`:                                    true,
		`{"ACTIVE":"False","emails":7}`:                                     true,
		`{"active":true}`:                                                   false,
		`{"active":"no"}`:                                                   false,
		`{"active":null}`:                                                   false,
		`{"userName":"u"}`:                                                  false,
		`{"active":true,"Active":false}`:                                    true,
		`{"` + UserURN + `":{"active":false}}`:                              true,
		`{"` + UserURN + `:active":false}`:                                  true,
		`{"custom":{"active":false}}`:                                       false,
		`{"name":{"active":false}}`:                                         false,
		`{` + patch + `[{"op":"replace","value":{"active":false}}]}`:        true,
		`{` + patch + `[{"op":"Replace","path":"active","value":"False"}]}`: true,
		`{` + patch + `[{"OP":"add","Path":" ACTIVE ","Value":[{"value":"false"}]}]}`:                                   true,
		`{` + patch + `[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:user:Active","value":false}]}`:    true,
		`{` + patch + `[{"op":"replace","path":"` + UserURN + `.active","value":false}]}`:                               true,
		`{` + patch + `[{"op":"replace","path":"` + UserURN + `","value":{"active":false}}]}`:                           true,
		`{` + patch + `[{"op":"replace","path":"active","value":{"active":false}}]}`:                                    true,
		`{` + patch + `[{"op":"replace","value":{"` + UserURN + `:active":"false"}}]}`:                                  true,
		`{` + patch + `[{"op":"boom","path":7},3,{"op":"replace","path":"active","value":false},{"path":"]["}]}`:        true,
		`{"operations":[{"op":"replace","path":"active","value":false}]}`:                                               true,
		`{` + patch + `{"op":"replace","path":"active","value":false}}`:                                                 true,
		`{` + patch + `[{"op":"replace","path":"active","value":false},{"op":"replace","path":"active","value":true}]}`: false,
		`{` + patch + `[{"op":"remove","path":"active","value":false}]}`:                                                false,
		`{` + patch + `[{"op":"replace","path":"name.active","value":false}]}`:                                          false,
		`{` + patch + `[{"op":"replace","path":"inactive","value":false}]}`:                                             false,
		`{` + patch + `[{"op":"replace","path":"` + EnterpriseURN + `:active","value":false}]}`:                         false,
		"{\"x\":\"\xff\",\"active\":false}":                                                                             true,
		`{"active":false`:                                                                                               false,
		`[]`:                                                                                                            false,
		``:                                                                                                              false,
	} {
		if got := AsksDeactivation([]byte(body)); got != want {
			t.Errorf("%s: got %v", body, got)
		}
	}
}
