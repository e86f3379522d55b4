package portal

import (
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// secretView is the page of a connection's client secret, which is never shown.
type secretView struct {
	Name, ClientID       string
	Ends                 time.Time // zero: nobody has told
	Day                  string    // as it is in the form
	WrongDay, WrongField string
	Set                  ui.FormProps
}

// oidcConnection is one of the organization that has a client secret.
func (c *call) oidcConnection() (sso.Connection, error) {
	one, err := c.connection(c.path("connection"))
	if err == nil && one.Protocol != sso.OIDC {
		err = fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	return one, err
}

func showSecret(c *call) error {
	one, err := c.oidcConnection()
	if err != nil {
		return err
	}
	return c.secretPage(http.StatusOK, one, secretView{Day: dayOf(one.ClientSecretExpiresAt)})
}

func (c *call) secretPage(status int, one sso.Connection, v secretView) error {
	v.Name, v.ClientID, v.Ends, v.Set = one.Name, one.ClientID, one.ClientSecretExpiresAt, c.formTo("/portal/secrets/"+string(one.ID))
	return c.page(status, c.shell(c.t("portal.secret_title")), secretPage(v))
}

// setSecret takes a new secret, or only the day on which the one that is there ends.
func setSecret(c *call) error {
	one, err := c.oidcConnection()
	if err != nil {
		return err
	}
	v := secretView{Day: c.form.Get("client_secret_expires_at")}
	var change sso.Change
	if text := c.form.Get("client_secret"); text != "" {
		change.ClientSecret = &text
	}
	if !secretEnds(&change, v.Day, one) {
		v.WrongDay = c.t("portal.secret_day_wrong")
		return c.secretPage(http.StatusUnprocessableEntity, one, v)
	}
	_, err = c.s.o.Connections.Update(c.ctx(), c.actor(), one.ID, change)
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		if f.Field == "client_secret_expires_at" {
			v.WrongDay = f.Message
		} else {
			v.WrongField = f.Message
		}
		return c.secretPage(http.StatusUnprocessableEntity, one, v)
	}
	if err != nil {
		return err
	}
	c.redirect("/portal/home")
	return nil
}

// secretEnds adds the day on which a client secret ends to a change, as it was sent; false where that is no day. It belongs to a new secret, and
// one that was not touched keeps the hour that the app has told.
func secretEnds(change *sso.Change, day string, c sso.Connection) bool {
	ends, ok := readDay(day)
	if change.ClientSecret != nil || day != dayOf(c.ClientSecretExpiresAt) {
		change.ClientSecretExpiresAt = &ends
	}
	return ok
}

// dayOf is a moment as a field for a day has it; "" for none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// readDay is the beginning of a day, UTC; the zero time for "".
func readDay(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}
