package app

import (
	"net/url"
	"strings"

	"github.com/rollcallhq/rollcall/internal/dashboard"
)

// Effective is one setting as it holds, fit to be shown: secrets are masked.
type Effective struct {
	Name   string // the flag's name without dashes
	Value  string
	Origin string // "default", or by the name the person used
}

// Effective lists the settings after Load, whether it found faults or not.
func (s *Settings) Effective() []Effective {
	var out []Effective
	for _, row := range s.rows() {
		if row.hidden && row.text.from == "default" {
			continue
		}
		out = append(out, Effective{Name: row.name, Value: row.shown(), Origin: row.text.from})
	}
	return out
}

// settings are what the operator's page shows of the configuration.
func (c Config) settings() []dashboard.Setting {
	out := make([]dashboard.Setting, len(c.Shown))
	for i, e := range c.Shown {
		out[i] = dashboard.Setting{Name: e.Name, Value: e.Value, Origin: e.Origin}
	}
	return out
}

// shown: a mask says that there is a secret, never how long it is.
func (s setting) shown() string {
	value := strings.Join(s.text.values, ", ")
	switch {
	case value == "":
		return ""
	case s.hide == "all":
		return "•••"
	case s.hide == "password":
		return withoutPassword(value)
	default:
		return value
	}
}

// withoutPassword masks the password of an address, also one given as a parameter; what cannot be read is masked whole.
func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return "•••"
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "pass") {
			q.Set(name, "xxxxx")
		}
	}
	u.RawQuery = q.Encode()
	return u.Redacted()
}
