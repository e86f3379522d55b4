package web

import (
	"context"
	"maps"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// values go into a sentence.
type values = map[string]templ.Component

func (p SignInPage) lead(ctx context.Context) string {
	if p.SignUp {
		return ui.T(ctx, "member.sign_up_lead")
	}
	return ui.T(ctx, "member.sign_in_lead")
}

func (p SignInPage) hidden() []ui.Hidden {
	out := []ui.Hidden{{Name: "continue", Value: p.Continue}}
	if p.SignUp {
		out = append(out, ui.Hidden{Name: "screen_hint", Value: "sign-up"})
	}
	return out
}

// invited is the sentence that says by whom and to what.
func (p InvitationPage) invited() string {
	on := p.Organization != "" && p.App != ""
	switch {
	case p.Inviter != "" && on:
		return "member.invitation_by_on"
	case p.Inviter != "":
		return "member.invitation_by"
	case on:
		return "member.invitation_passive_on"
	}
	return "member.invitation_passive"
}

func (c Check) icon() ui.Icon {
	if c.OK {
		return ui.IconCheckCircle
	}
	return ui.IconWrong
}

// typed are attributes of a field whose fault stands above the form.
func typed(wrong string, more templ.Attributes) templ.Attributes {
	a := maps.Clone(more)
	if wrong != "" {
		a["aria-invalid"], a["aria-describedby"] = "true", "wrong"
	}
	return a
}

func focused() templ.Attributes { return templ.Attributes{"autofocus": true} }
