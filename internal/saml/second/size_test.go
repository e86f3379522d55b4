package second_test

import (
	"errors"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

// People are in many groups. goxmldsig counts an element for each of its walks, so it stops long before it has seen as many as its limit.
func TestSecond_agrees_or_tells_the_gap_however_many_groups_there_are(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		for n := 10; n <= 1200; n += 35 {
			many := message()
			many.Attributes = []samltest.Attribute{{Name: "groups", Values: make([]string, n)}}
			if err := check(t, idp.Respond(many, l), expectation()); err != nil && !errors.Is(err, second.GapSize) {
				t.Errorf("%d groups: %v", n, err)
			}
		}
	})
}
