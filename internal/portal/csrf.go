package portal

import (
	"crypto/hmac"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// csrfField is the hidden field of every form behind the door.
const csrfField = "csrf"

// formPurpose tells these tokens from those of other cookies.
const formPurpose = "rollcall portal form"

// genuine refuses a post that did not come from a page of this session. That it came from our origin was looked at before (visit.read):
// each of the two would do in a browser of today.
func (c *call) genuine() error {
	if !hmac.Equal([]byte(c.form.Get(csrfField)), []byte(c.token)) {
		return crossOrigin(c.visit)
	}
	return nil
}

func crossOrigin(v *visit) *fault.Error {
	return fault.New(fault.Forbidden, "cross_origin", "%s", v.t("portal.cross_origin"))
}

// formTo are the properties of a form of this session: every form is made by it, else the door refuses it. action "" is the page itself.
func (c *call) formTo(action string) ui.FormProps {
	return ui.FormProps{
		Action: action, Hidden: []ui.Hidden{{Name: csrfField, Value: c.token}}, Attrs: templ.Attributes{"class": "stack"},
	}
}
