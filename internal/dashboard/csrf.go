package dashboard

import (
	"crypto/hmac"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// tokenField is the field of a form that shows that the form is ours.
const tokenField = "csrf"

// formPurpose tells these tokens from those of other cookies.
const formPurpose = "rollcall operator form"

// form is a form of ours that posts to an address.
func (c *call) form(action string, hidden ...ui.Hidden) ui.FormProps {
	return ui.FormProps{Action: action, Hidden: append([]ui.Hidden{{Name: tokenField, Value: c.token}}, hidden...)}
}

// sameOrigin refuses what another site has sent. Browsers say where a form comes from (Fetch standard: Sec-Fetch-Site, Origin).
func (v *visit) sameOrigin() error {
	if err := v.s.origin.Check(v.r); err != nil {
		return crossOrigin().Because(err)
	}
	return nil
}

func crossOrigin() *fault.Error {
	return fault.New(fault.Forbidden, "cross_origin", "This form was not sent from its own page. Open the page again and send it from there.")
}

// readForm takes a form only from our own origin and with the token of the session: one of the two alone would do.
func (c *call) readForm() error {
	if err := c.sameOrigin(); err != nil {
		return err
	}
	values, err := c.fields()
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(values.Get(tokenField)), []byte(c.token)) {
		return crossOrigin()
	}
	c.posted = values
	return nil
}
