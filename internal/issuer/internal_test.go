package issuer

import "testing"

func TestTeller_looks_at_nothing_twice_while_the_cursor_stands_and_begins_there_when_it_has_moved(t *testing.T) {
	var l teller
	if from := l.seenFrom("event_1"); from != "event_1" {
		t.Errorf("before anything was looked at it begins at %q", from)
	}
	l.looked("event_1", "event_5")
	if from := l.seenFrom("event_1"); from != "event_5" {
		t.Errorf("the cursor stands, and it looks again from %q", from)
	}
	if from := l.seenFrom("event_3"); from != "event_3" { // another process has moved it
		t.Errorf("the cursor has moved to event_3, and it looks from %q", from)
	}
}
