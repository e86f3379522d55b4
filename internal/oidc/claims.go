package oidc

import (
	"fmt"
	"math"
	"time"
)

// reader takes typed values out of claims. A claim that is there with another type is an error; a missing one is the zero value.
type reader struct {
	claims map[string]any
	err    error
}

func (r *reader) wrong(name, wanted string) {
	if r.err == nil {
		r.err = fmt.Errorf("claim %s is not %s", name, wanted)
	}
}

func (r *reader) has(name string) bool { _, there := r.claims[name]; return there }

func (r *reader) text(name string) string {
	switch v := r.claims[name].(type) {
	case nil:
	case string:
		return v
	default:
		r.wrong(name, "a string")
	}
	return ""
}

// time reads a NumericDate (RFC 7519, section 2). What lies outside the years 1970 to 9999 is no date.
func (r *reader) time(name string) time.Time {
	switch v := r.claims[name].(type) {
	case nil:
	case float64:
		if v >= 0 && v < 253402300800 {
			whole, part := math.Modf(v)
			return time.Unix(int64(whole), int64(part*1e9)).UTC()
		}
		r.wrong(name, "a time")
	default:
		r.wrong(name, "a number of seconds")
	}
	return time.Time{}
}

// audience reads aud: one string or a list of them.
func (r *reader) audience() []string {
	if one, ok := r.claims["aud"].(string); ok {
		return []string{one}
	}
	return r.texts("aud")
}

func (r *reader) texts(name string) []string {
	switch v := r.claims[name].(type) {
	case nil:
	case []any:
		out := make([]string, 0, len(v))
		for _, one := range v {
			text, ok := one.(string)
			if !ok {
				r.wrong(name, "a list of strings")
				return nil
			}
			out = append(out, text)
		}
		return out
	default:
		r.wrong(name, "a list of strings")
	}
	return nil
}
