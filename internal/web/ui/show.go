package ui

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// BadgeProps is a short word about a state.
type BadgeProps struct {
	Label string
	Tone  Tone // "": Neutral
	Dot   bool // a dot before the word, for states that are going on
	Icon  Icon
}

// AlertProps is a message in the page. One that answers what somebody just did is Live: it is read out at once.
type AlertProps struct {
	Tone  Tone
	Title string
	Text  string // may be ""; further content are the children
	Live  bool
}

// CardProps is a frame with a heading around its children.
type CardProps struct {
	ID     string
	Title  string // "": no heading
	Text   string
	Action templ.Component // at the right of the heading; may be nil
	Footer templ.Component // may be nil
	Flush  bool            // the children reach the frame: a table
	Danger bool            // what it offers cannot be undone
}

// HeadProps is the top of a page.
type HeadProps struct {
	Title   string
	Text    string
	Badge   templ.Component // may be nil
	Actions templ.Component // may be nil
	Back    Link            // may be zero
}

// Pair is a line of a list of keys and values. Value is drawn where it is not nil, else Text; both empty: "None".
type Pair struct {
	Key   string
	Text  string
	Value templ.Component
	Mono  bool
}

// StatProps is a number with its name.
type StatProps struct {
	Label string
	Value string
	Note  string // like "12 more than last week"
	Tone  Tone   // of the note
	Href  string
	Icon  Icon
}

// TimeProps is a moment. The zero time is shown as "Never".
type TimeProps struct {
	At       time.Time
	Absolute bool // words like "22 Nov 2026, 08:40:25 UTC" instead of "5 minutes ago"
}

// AvatarProps are the first letters of somebody's name, or of an address.
type AvatarProps struct {
	Name  string
	Large bool
}

// EmptyProps stands where there is nothing yet, and says what to do.
type EmptyProps struct {
	Icon    Icon
	Title   string
	Text    string
	Actions templ.Component // may be nil
}

// CodeProps is text of a machine. Marks are lines, counted from 1, with a sentence about each.
type CodeProps struct {
	ID    string
	Label string // what it is
	Text  string
	JSON  bool         // colours keys and values; text that is no JSON is shown as it is
	Marks map[int]Mark // may be nil
	Copy  bool
}

// Mark is a sentence about a line of code.
type Mark struct {
	Tone Tone
	Text string
}

// ProgressProps is how far something is. Max 0: nobody knows.
type ProgressProps struct {
	Label string
	Value int
	Max   int
	Note  string
}

// EventProps is a line of a timeline.
type EventProps struct {
	Title  string
	Text   string
	At     time.Time
	Tone   Tone
	Icon   Icon // "": that of the tone
	Who    string
	Href   string
	Detail templ.Component // opened by a click; may be nil
}

// Tab is a page beside others.
type Tab struct {
	Label   string
	Href    string
	Current bool
	Count   int // shown if above 0
}

// StepState is how far a step is.
type StepState string

// The closed list of StepState.
const (
	StepDone    StepState = "done"
	StepCurrent StepState = "current"
	StepNext    StepState = "next"
	StepWrong   StepState = "wrong"
)

// Step is one of several in order.
type Step struct {
	Label string
	Note  string
	Href  string // "": cannot be gone to yet
	State StepState
}

// ConfirmProps is a page that asks before something happens. It names what will happen and whom it concerns, and works without script.
type ConfirmProps struct {
	Title   string
	Text    string
	Lines   []string // what will happen, one by one
	Form    FormProps
	Confirm string  // label of the button that does it
	Variant Variant // of it; "": Danger
	Cancel  Link
	Type    string // what has to be typed in to confirm, the name of an organization for one; "": nothing. The field is called "confirm"
	Error   string // of that field
}

// ToastProps is a message that goes by itself where there is a script, and stays where there is none.
type ToastProps struct {
	Tone  Tone
	Title string
	Text  string
}

// initials are the first letters of the first and the last word; of an address those of what is before the @.
func initials(name string) string {
	name, _, _ = strings.Cut(name, "@")
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	out := first(words[0])
	if len(words) > 1 {
		out += first(words[len(words)-1])
	}
	return strings.ToUpper(out)
}

func first(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	return string(r)
}

// hue picks one of six colours, always the same for a name.
func hue(name string) string {
	sum := 0
	for _, r := range strings.ToLower(name) {
		sum = (sum*31 + int(r)) % 9973
	}
	return "avatar-" + string(rune('1'+sum%6))
}

// ago says how long before or after now a moment is.
func ago(ctx context.Context, at time.Time) string {
	d := Of(ctx).Now.Sub(at)
	past := d >= 0
	if !past {
		d = -d
	}
	say := func(unit string, n int) string {
		if past {
			return N(ctx, "time."+unit+"_ago", n)
		}
		return N(ctx, "time.in_"+unit, n)
	}
	const day = 24 * time.Hour
	switch {
	case d < 45*time.Second:
		return T(ctx, "time.now")
	case d < time.Hour:
		return say("minutes", max(1, int(d.Round(time.Minute)/time.Minute)))
	case d < day:
		return say("hours", int(d/time.Hour))
	case d < 60*day:
		return say("days", int(d/day))
	case d < 730*day:
		return say("months", int(d/(30*day)))
	}
	return say("years", int(d/(365*day)))
}

// exactly is a moment for a person who compares it with a log.
func exactly(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
