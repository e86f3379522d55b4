package web

import "strings"

// Pattern is the path of a row of a URL table: /organizations/{id}. {name} stands for one segment that is not empty. The first slash does not
// count, each further one does.
type Pattern []string

// NewPattern takes a pattern apart.
func NewPattern(text string) Pattern { return Segments(text) }

// Segments takes a path apart, for Match.
func Segments(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// Match gives what the placeholders stand for in the segments of a path, and whether the pattern is that path's.
func (p Pattern) Match(segments []string) (map[string]string, bool) {
	if len(segments) != len(p) {
		return nil, false
	}
	values := map[string]string{}
	for i, want := range p {
		switch name, placeholder := strings.CutPrefix(want, "{"); {
		case placeholder && segments[i] != "":
			values[strings.TrimSuffix(name, "}")] = segments[i]
		case placeholder || want != segments[i]:
			return nil, false
		}
	}
	return values, true
}

// Find gives the row of a URL table that a path belongs to, and what the placeholders stand for; nil for none. A row that is written out goes
// before one with a placeholder, else the first.
func Find[R any](rows []R, pattern func(*R) Pattern, path string) (found *R, values map[string]string) {
	segments := Segments(path)
	for i := range rows {
		if got, ok := pattern(&rows[i]).Match(segments); ok && (found == nil || len(got) < len(values)) {
			found, values = &rows[i], got
		}
	}
	return found, values
}
