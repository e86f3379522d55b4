package dashboard

import (
	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// Setting is one setting of the installation as it holds, fit to be shown: secrets are masked by who gives it.
type Setting struct {
	Name   string // as the command line has it, without dashes
	Value  string
	Origin string // "default", or by what it was set
}

// settingPages are the addresses of the installation's settings. They are read at the start and changed nowhere but there.
func settingPages() []row {
	return []row{{Prefix + "settings", "dashboard_settings", operator.ReadOnly, showSettings, operator.Admin, nil}}
}

func showSettings(c *call) error {
	w := c.words()
	t := ui.TableProps{
		ID: "settings", Caption: w.T("config.title"), Empty: ui.EmptyProps{Icon: ui.IconSettings, Title: w.T("config.none")},
		Columns: []ui.Column{{Label: w.T("config.setting")}, {Label: w.T("config.value")}, {Label: w.T("config.origin")}},
	}
	for _, s := range c.s.o.Settings {
		value := unsetValue()
		if s.Value != "" {
			value = ui.Mono(s.Value)
		}
		origin := ui.BadgeProps{Label: s.Origin, Tone: ui.Info}
		if s.Origin == "default" {
			origin = ui.BadgeProps{Label: w.T("config.default")}
		}
		t.Rows = append(t.Rows, ui.Row{ID: "setting-" + s.Name, Cells: []templ.Component{ui.Mono(s.Name), value, ui.Badge(origin)}})
	}
	s := sheetView{Head: ui.HeadProps{Title: w.T("config.title"), Text: w.T("config.lead")}}
	version := c.s.o.Version
	return c.show(frame{Title: w.T("config.title")}, settingsView{Sheet: s, Table: t, Facts: []ui.Pair{
		{Key: w.T("config.version"), Text: version, Mono: true}, {Key: w.T("config.issuer"), Text: c.issuerAddress(), Mono: true}, {Key: w.T("config.database"), Text: c.s.o.Database, Mono: true},
	}}.view())
}

func (c *call) issuerAddress() string {
	if c.s.o.Issuer == nil {
		return ""
	}
	return c.s.o.Issuer.Issuer()
}

// settingsView is what holds here and where it comes from.
type settingsView struct {
	Sheet sheetView
	Facts []ui.Pair
	Table ui.TableProps
}
