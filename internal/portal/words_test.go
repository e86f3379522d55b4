package portal

import (
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

func TestEvery_outcome_of_going_live_is_counted_and_has_its_words(t *testing.T) {
	all, err := words.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range member.Outcomes() {
		if !all.Source().Has("setup.outcome_" + string(o)) {
			t.Errorf("no words for %s", o)
		}
		if !slices.Contains(outcomes(), o) {
			t.Errorf("%s is not counted", o)
		}
	}
}
