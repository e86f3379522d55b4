package second

import (
	"errors"
	"testing"

	"github.com/russellhaering/gosaml2/types"

	"github.com/rollcallhq/rollcall/internal/saml"
)

// What gosaml2 hands over is not trusted to be whole: each thing that it could leave out refuses.
func TestAnswer_of_the_second_that_lacks_something_is_a_disagreement(t *testing.T) {
	whole := func() *types.Response {
		return &types.Response{SignatureValidated: true, Assertions: []types.Assertion{{
			ID: "_a", Issuer: &types.Issuer{Value: "i"}, Subject: &types.Subject{NameID: &types.NameID{Value: "n"}},
			AttributeStatement: &types.AttributeStatement{Attributes: []types.Attribute{{Name: "x"}}},
		}}}
	}
	ours := &saml.Assertion{ID: "_a", Issuer: "i", Subject: saml.NameID{Value: "n"}, Attributes: []saml.Attribute{{Name: "x"}}}
	c := checker{ours: ours}
	if err := c.compare(whole()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*types.Response){
		"no assertion":      func(r *types.Response) { r.Assertions = nil },
		"two assertions":    func(r *types.Response) { r.Assertions = append(r.Assertions, r.Assertions[0]) },
		"no signature":      func(r *types.Response) { r.SignatureValidated = false },
		"no issuer":         func(r *types.Response) { r.Assertions[0].Issuer = nil },
		"no subject":        func(r *types.Response) { r.Assertions[0].Subject = nil },
		"no NameID":         func(r *types.Response) { r.Assertions[0].Subject.NameID = nil },
		"another attribute": func(r *types.Response) { r.Assertions[0].AttributeStatement.Attributes[0].Name = "y" },
		"more attributes": func(r *types.Response) {
			s := r.Assertions[0].AttributeStatement
			s.Attributes = append(s.Attributes, types.Attribute{Name: "y"})
		},
	} {
		r := whole()
		change(r)
		var refusal *saml.Error
		if err := c.compare(r); !errors.As(err, &refusal) || refusal.Code != saml.CodeVerifiersDisagree {
			t.Errorf("%s: %v, want %s", name, err, saml.CodeVerifiersDisagree)
		}
	}
}
