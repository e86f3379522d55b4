package ui

import "github.com/a-h/templ"

// Variant is the weight of a button.
type Variant string

// The closed list of Variant. A page has one Primary at most; Danger is for what cannot be undone.
const (
	Primary   Variant = "primary"
	Secondary Variant = "outline"
	Ghost     Variant = "ghost"
	Danger    Variant = "destructive"
	TextLink  Variant = "link"
)

// ButtonProps is a button, or with Href a link that looks like one.
type ButtonProps struct {
	Label    string
	Variant  Variant // "": Primary
	Icon     Icon    // before the label; "": none
	IconOnly bool    // the label is heard and not seen
	Small    bool
	Wide     bool   // as wide as what it stands in
	Href     string // a link
	External bool   // with Href: opens a window of its own, and says so
	Download bool   // with Href
	Type     string // "": submit
	Name     string
	Value    string
	Form     string // id of a form that it does not stand in
	Disabled bool
	Attrs    templ.Attributes // hx-… and the like
}

// FieldProps is a control with its label, hint and error. Of the kinds of control below one is drawn into it.
type FieldProps struct {
	ID       string // also Name where that is ""
	Name     string
	Label    string
	Hint     string
	Error    string
	Optional bool // says so; the others are required unless Lax
	Lax      bool // neither required nor said to be optional: filters
	Disabled bool
	ReadOnly bool
	Why      string // why it cannot be changed, shown where it is ReadOnly or Disabled
}

func (f FieldProps) name() string {
	if f.Name != "" {
		return f.Name
	}
	return f.ID
}

func (f FieldProps) required() bool { return !f.Optional && !f.Lax && !f.Disabled && !f.ReadOnly }

// describedBy names the texts that belong to the control.
func (f FieldProps) describedBy() string {
	var hint, wrong, why string
	if f.Hint != "" {
		hint = f.ID + "-hint"
	}
	if f.Error != "" {
		wrong = f.ID + "-error"
	}
	if f.Why != "" {
		why = f.ID + "-why"
	}
	return ids(wrong, hint, why)
}

// common are the attributes that every control of a field has.
func (f FieldProps) common() templ.Attributes {
	a := templ.Attributes{"id": f.ID, "name": f.name(), "required": f.required(), "disabled": f.Disabled}
	if f.Error != "" {
		a["aria-invalid"] = "true"
	}
	if by := f.describedBy(); by != "" {
		a["aria-describedby"] = by
	}
	return a
}

// InputProps is a line to type into.
type InputProps struct {
	FieldProps

	Type         string // "": text
	Value        string
	Placeholder  string
	Autocomplete string // "": off
	MaxLength    int    // 0: none
	Mono         bool   // for keys, addresses and numbers
	AutoFocus    bool
	Attrs        templ.Attributes
}

// TextAreaProps is several lines to type into.
type TextAreaProps struct {
	FieldProps

	Value       string
	Placeholder string
	Rows        int // 0: 4
	MaxLength   int
	Mono        bool
}

// Option is one choice.
type Option struct {
	Value, Label, Hint string // the hint is shown by Choices only
	Disabled           bool
}

// SelectProps is one choice of many; ChoicesProps of few, with a sentence about each.
type SelectProps struct {
	FieldProps

	Value   string
	Empty   string // label of the choice of none; "": there is no such choice
	Options []Option
	Auto    bool // sends its form by script when it changes
}

// ChoicesProps is one choice of few, each with a sentence about it.
type ChoicesProps struct {
	FieldProps

	Value   string
	Options []Option
}

// SwitchProps is on or off. It changes nothing by itself: it stands in a form with a button.
type SwitchProps struct {
	FieldProps

	On    bool
	Value string // what is sent when it is on; "": "on"
}

// CheckProps is a tick beside a sentence.
type CheckProps struct {
	FieldProps

	Checked bool
	Value   string
}

// CopyProps is a value to take along. Without script it is selected whole by a click.
type CopyProps struct {
	ID    string
	Label string // what it is; seen above the value
	Value string
	Hint  string
	Bare  bool // without the label to be seen: in a table, in a list of keys and values
}

// FormProps is a form of ours: it posts to our own origin.
type FormProps struct {
	Action string // "": the address of the page itself
	Get    bool   // filters and searches
	Hidden []Hidden
	ID     string
	Attrs  templ.Attributes
}

// Hidden is a field that is only sent along.
type Hidden struct{ Name, Value string }

func (f FormProps) method() string {
	if f.Get {
		return "get"
	}
	return "post"
}
