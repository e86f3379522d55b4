package dashboard

import (
	"encoding/json"
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// place is where passkeys of this request are; false where browsers make none.
func (v *visit) place() (operator.Place, bool) { return operator.PlaceOf(v.q.Base) }

func noPasskeysHere(v *visit) error {
	return fault.New(fault.Unprocessable, "no_passkeys_here", "%s", v.words().T("dashboard.passkey_nowhere"))
}

// asked answers a script with what to ask the device.
func (v *visit) asked(c operator.Ceremony, err error) error {
	if err != nil {
		return err
	}
	return web.WriteJSON(v.w, http.StatusOK, struct {
		Key     string          `json:"key"`
		Options json.RawMessage `json:"options"`
	}{c.Key.Reveal(), c.Options})
}

// beginSignIn asks for any passkey of this host.
func beginSignIn(v *visit) error {
	at, ok := v.place()
	if !ok {
		return noPasskeysHere(v)
	}
	return v.asked(v.s.o.Operators.BeginSignIn(v.ctx(), at))
}

// finishSignIn signs in by a passkey.
func finishSignIn(v *visit) error {
	form, err := v.fields()
	if err != nil {
		return err
	}
	at, ok := v.place()
	if !ok {
		return noPasskeysHere(v)
	}
	in, err := v.s.o.Operators.SignIn(v.ctx(), at, token.Secret(form.Get("key")), []byte(form.Get("response")), v.visitor())
	if f, refused := fault.As(err); refused && f.Code == "passkey_refused" {
		v.s.o.Logger.WarnContext(v.ctx(), "an operator's passkey was refused", "request_id", v.q.ID, "cause", err)
		return v.signInPage(web.Status(f.Kind), signInView{To: local(form.Get("to")), Wrong: f.Message})
	}
	if err != nil {
		return err
	}
	if err := v.signedIn(in); err != nil {
		return err
	}
	v.redirect(local(form.Get("to")))
	return nil
}

// offerPasskey offers to keep a passkey, which nobody has to.
func offerPasskey(c *call) error { return c.offerPasskey(http.StatusOK, "") }

func (c *call) offerPasskey(status int, wrong string) error {
	_, ok := c.place()
	q, err := c.query()
	if err != nil {
		return err
	}
	page := offerView{Form: passkeyForm(c.form(passkeysPath), "make", passkeysPath+"/begin"), Possible: ok, Name: device(c.words(), c.r.UserAgent()), Wrong: wrong, Welcome: q.Has("welcome")}
	return c.plain(status, c.words().T("dashboard.passkey_offer_title"), page.view(), assets.Passkey)
}

// passkeyForm is a form whose answer passkey.js gets from the device.
func passkeyForm(f ui.FormProps, what, begin string) ui.FormProps {
	f.Hidden = append(f.Hidden, ui.Hidden{Name: "key"}, ui.Hidden{Name: "response"})
	f.Attrs = map[string]any{"data-passkey": what, "data-begin": begin}
	return f
}

func beginPasskey(c *call) error {
	at, ok := c.place()
	if !ok {
		return noPasskeysHere(c.visit)
	}
	return c.asked(c.s.o.Operators.BeginPasskey(c.ctx(), c.operator.ID, at))
}

// keepPasskey keeps what the device has made.
func keepPasskey(c *call) error {
	at, ok := c.place()
	if !ok {
		return noPasskeysHere(c.visit)
	}
	_, err := c.s.o.Operators.KeepPasskey(c.ctx(), c.operator.ID, at, token.Secret(c.posted.Get("key")), []byte(c.posted.Get("response")), c.posted.Get("name"))
	if f, refused := fault.As(err); refused && (f.Code == "passkey_refused" || f.Kind == fault.Unprocessable) {
		c.s.o.Logger.WarnContext(c.ctx(), "an operator's new passkey was refused", "request_id", c.q.ID, "cause", err)
		return c.offerPasskey(web.Status(f.Kind), f.Message)
	}
	if err != nil {
		return err
	}
	return c.done(accountPath, "passkey_kept")
}
