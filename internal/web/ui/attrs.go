package ui

import (
	"cmp"
	"maps"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

func (b ButtonProps) variant() string { return string(cmp.Or(b.Variant, Primary)) }

func (b ButtonProps) size() string {
	switch {
	case b.IconOnly && b.Small:
		return "icon-sm"
	case b.IconOnly:
		return "icon"
	case b.Small:
		return "sm"
	}
	return "default"
}

func (b ButtonProps) linkAttrs() templ.Attributes {
	a := templ.Attributes{"download": b.Download}
	if b.External {
		a["target"], a["rel"] = "_blank", "noopener noreferrer"
	}
	maps.Copy(a, b.Attrs)
	return a
}

func (b ButtonProps) buttonAttrs() templ.Attributes {
	a := templ.Attributes{"type": cmp.Or(b.Type, "submit"), "disabled": b.Disabled}
	for name, value := range map[string]string{"name": b.Name, "value": b.Value, "form": b.Form} {
		if value != "" {
			a[name] = value
		}
	}
	maps.Copy(a, b.Attrs)
	return a
}

func (i InputProps) attrs() templ.Attributes {
	a := i.common()
	a["type"], a["value"], a["autocomplete"] = cmp.Or(i.Type, "text"), i.Value, cmp.Or(i.Autocomplete, "off")
	a["readonly"], a["autofocus"] = i.ReadOnly, i.AutoFocus
	if i.Placeholder != "" {
		a["placeholder"] = i.Placeholder
	}
	if i.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(i.MaxLength)
	}
	if i.Mono {
		a["class"], a["spellcheck"], a["autocapitalize"] = "mono", "false", "none"
	}
	maps.Copy(a, i.Attrs)
	return a
}

func (t TextAreaProps) attrs() templ.Attributes {
	a := t.common()
	a["rows"], a["readonly"] = strconv.Itoa(cmp.Or(t.Rows, 4)), t.ReadOnly
	if t.Placeholder != "" {
		a["placeholder"] = t.Placeholder
	}
	if t.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(t.MaxLength)
	}
	if t.Mono {
		a["class"], a["spellcheck"], a["autocapitalize"] = "mono", "false", "none"
	}
	return a
}

// attrs: a tick is no answer that one has to give.
func (s SwitchProps) attrs() templ.Attributes {
	a := s.common()
	a["value"], a["checked"], a["required"] = cmp.Or(s.Value, "on"), s.On, false
	return a
}

func (c CheckProps) attrs() templ.Attributes {
	a := c.common()
	a["value"], a["checked"] = cmp.Or(c.Value, "on"), c.Checked
	return a
}

// safeHref lets through what leads to a page: an address of ours, http, https, mailto, and an app's own scheme with a name like
// com.example.app (RFC 8252 section 7.1). What would run as a script leads nowhere.
func safeHref(href string) string {
	scheme, _, found := strings.Cut(href, ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return href
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto":
		return href
	}
	if strings.Contains(scheme, ".") && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" {
		return href
	}
	return "#unsafe"
}
