package dashboard

import (
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func showFeatures(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	on, err := c.s.o.Organizations.Features(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	w := c.words()
	f := formView{
		ID: "features", Form: c.form(hrefOf("organizations", string(o.ID), "features")), Title: w.T("organizations.tab_features"), Text: w.T("organizations.features_text"),
		Save: w.T("organizations.save"),
	}
	for _, one := range org.AllFeatures() {
		f.Fields = append(f.Fields, ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{
			ID: string(one), Label: w.T("organizations.feature_" + string(one)), Hint: w.T("organizations.feature_hint_" + string(one)), Disabled: !c.changes(),
		}, On: on.On(one)}))
	}
	return c.show(organizationFrame(o, w.T("organizations.tab_features")), forms(c.organizationSheet(o, "features"), c.readable(f)))
}

// readable takes the button off a form for those who may only look.
func (c *call) readable(f formView) formView {
	if !c.changes() {
		f.Save = ""
	}
	return f
}

// setFeatures takes a switch that was not sent as off: that is how browsers say it.
func setFeatures(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	changes := map[org.Feature]bool{}
	for _, one := range org.AllFeatures() {
		changes[one] = c.posted.Get(string(one)) != ""
	}
	if _, err := c.s.o.Organizations.SetFeatures(c.ctx(), c.operator.Actor(), o.ID, changes); err != nil {
		return err
	}
	return c.done(hrefOf("organizations", string(o.ID), "features"), "saved")
}
