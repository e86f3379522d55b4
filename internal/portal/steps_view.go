package portal

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// Small things that the templates of steps ask for.

func clearOf(p pickView) string {
	if p.Query == "" {
		return ""
	}
	return p.Action
}

func options(all []protocolChoice) []ui.Option {
	out := make([]ui.Option, len(all))
	for i, c := range all {
		out[i] = ui.Option{Value: c.Value, Label: c.Label, Hint: c.Hint}
	}
	return out
}

func verifiedOne(all []domainView) bool {
	for _, d := range all {
		if d.State == org.Verified {
			return true
		}
	}
	return false
}

// waits says whether a check of the step has not passed.
func waits(c checksView) bool {
	for _, one := range c.Checks {
		if one.Verdict != passed {
			return true
		}
	}
	return false
}

// weight is that of the button which leads on: where something else is to be done first it stands back.
func weight(back bool) ui.Variant {
	if back {
		return ui.Secondary
	}
	return ui.Primary
}

func (f fieldView) props() ui.FieldProps {
	return ui.FieldProps{ID: f.ID, Name: string(f.Name), Label: f.Label, Hint: f.Hint, Error: f.Error, Optional: f.Optional}
}

// kind is password for what nobody should read over a shoulder. Addresses are text: the server says better what is wrong with one.
func (f fieldView) kind() string {
	switch {
	case f.Secret:
		return "password"
	case f.Day:
		return "date"
	}
	return "text"
}

func leftTone(l leftOutView) ui.Tone {
	if len(l.Names) > 0 {
		return ui.Warn
	}
	return ui.Info
}

// secondsSince is how many seconds ago something was; false: so many that nobody counts them.
func secondsSince(ctx context.Context, at time.Time) (int, bool) {
	d := ui.Of(ctx).Now.Sub(at)
	if d >= time.Minute {
		return 0, false
	}
	return max(0, int(d/time.Second)), true
}
