package app

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// Text is a setting as it was written, and where.
type Text struct {
	values []string
	from   string // by the name the person used: "--listen", "ROLLCALL_LISTEN", "listen (rollcall.conf line 3)"; "default"
}

// Decode takes the value of a flag from kong. Nothing is checked here: kong would stop at the first fault.
func (t *Text) Decode(ctx *kong.DecodeContext) error {
	v, err := ctx.Scan.PopValue("value")
	if err != nil {
		return err
	}
	t.values = append(t.values, fmt.Sprint(v.Value))
	t.from = "--" + ctx.Value.Name
	return nil
}

func (t *Text) isSet() bool { return t.from != "" }

// Prefer gives a setting a value that only a flag overrides; it does nothing for a name that is none.
func (s *Settings) Prefer(name, value string) {
	for _, row := range s.rows() {
		if row.name == name && !row.text.isSet() {
			*row.text = Text{values: []string{value}, from: "preset of this command"}
		}
	}
}

// setting is one row of Settings with what its tags say.
type setting struct {
	name   string // the flag's name without dashes; also the file's
	text   *Text
	preset string
	list   bool
	env    bool // only by environment
	hide   string
	hidden bool
}

func (s setting) variable() string {
	return "ROLLCALL_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// rows lists the settings in the order of the struct.
func (s *Settings) rows() []setting {
	v := reflect.ValueOf(s).Elem()
	var out []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		row := setting{
			name:   f.Tag.Get("name"),
			text:   v.Field(i).Addr().Interface().(*Text),
			preset: f.Tag.Get("preset"),
			hide:   f.Tag.Get("hide"),
		}
		_, row.list = f.Tag.Lookup("list")
		_, row.env = f.Tag.Lookup("envonly")
		_, row.hidden = f.Tag.Lookup("hidden")
		if row.name == "" {
			row.name = dashed(f.Name)
		}
		out = append(out, row)
	}
	return out
}

// dashed is kong's own naming of plain fields: DataDir becomes data-dir.
func dashed(field string) string {
	var b strings.Builder
	for i, c := range field {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}

// HelpText is the help of a flag with its default and its variable; kong's ValueFormatter.
func HelpText(v *kong.Value) string {
	help := v.Help
	if v.Target.Type() != reflect.TypeFor[Text]() {
		return kong.DefaultHelpValueFormatter(v)
	}
	if preset := v.Tag.Get("preset"); preset != "" {
		help += " Default: " + preset + "."
	}
	return help + " ($" + setting{name: v.Name}.variable() + ")"
}
