package saml_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/beevik/etree"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// Wrapping attacks move, copy and rename elements of signed documents. So does this, at random: whatever comes out and is accepted is
// about the genuine person, in every word. The seed is fixed, so that what it finds it finds again.
func TestAccepted_identity_is_genuine_whatever_is_moved(t *testing.T) {
	random := rand.New(rand.NewPCG(20120808, 1))
	accepts := 0
	each(t, func(t *testing.T, l samltest.Layout) {
		genuine := idp.Respond(message(), l)
		want := fmt.Sprintf("%+v", accepted(t, genuine, expectation()).Attributes)
		for range 400 {
			doc := etree.NewDocument()
			if err := doc.ReadFromBytes(genuine); err != nil {
				t.Fatal(err)
			}
			for range 1 + random.IntN(3) {
				disturb(random, doc.Root())
			}
			data, err := doc.WriteToBytes()
			if err != nil {
				t.Fatal(err)
			}
			a, err := saml.Consume(data, expectation())
			if err != nil {
				continue
			}
			accepts++
			if a.Subject.Value != samltest.Person || a.ID != samltest.AssertionID || a.Issuer != idp.EntityID || fmt.Sprintf("%+v", a.Attributes) != want {
				t.Fatalf("accepted %+v\n%s", a, data)
			}
		}
	})
	if accepts == 0 {
		t.Error("nothing was accepted, so nothing was tested")
	}
}

// disturb changes one thing that may be anywhere.
func disturb(random *rand.Rand, root *etree.Element) {
	all := root.FindElements(".//*")
	pick := func() *etree.Element { return all[random.IntN(len(all))] }
	one, other := pick(), pick()
	switch random.IntN(7) {
	case 0:
		other.AddChild(one.Copy())
	case 1:
		if !inside(other, one) {
			other.AddChild(one)
		}
	case 2:
		one.Parent().RemoveChild(one)
	case 3:
		one.Parent().InsertChildAt(one.Index(), samltest.Forge(one))
	case 4:
		one.Tag, other.Tag = other.Tag, one.Tag
	case 5:
		if len(one.Attr) > 0 {
			a := &one.Attr[random.IntN(len(one.Attr))]
			a.Value = []string{samltest.EvilID, samltest.AssertionID, samltest.ResponseID, "urn:x", ""}[random.IntN(5)]
		}
	case 6:
		one.SetText([]string{samltest.Evil, samltest.Person, ""}[random.IntN(3)])
	}
}

func inside(el, of *etree.Element) bool {
	for ; el != nil; el = el.Parent() {
		if el == of {
			return true
		}
	}
	return false
}
