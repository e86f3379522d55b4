package app

import (
	"fmt"
	"slices"
	"strings"
)

// parseFile reads the configuration file:
//
//	# a comment
//	listen = 0.0.0.0:8080
//	trusted-proxies = 10.0.0.0/8
//	trusted-proxies = 192.168.0.0/16
//
// A name is a flag's name; underscores do for dashes. A value is the rest of the line, trimmed; one in double quotes loses
// them. Names that are none are faults: a setting that silently does nothing is worse than one that is refused.
func parseFile(path string, raw []byte, rows []setting) (map[string]Text, Faults) {
	found := map[string]Text{}
	var faults Faults
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(raw), "\uFEFF")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.ReplaceAll(strings.TrimSpace(name), "_", "-")
		from := fmt.Sprintf("%s (%s line %d)", name, path, number)
		if !ok {
			faults = append(faults, Fault{fmt.Sprintf("%s line %d", path, number), "has no \"=\"; write name = value"})
			continue
		}
		if problem := misplaced(name, rows); problem != "" {
			faults = append(faults, Fault{from, problem})
			continue
		}
		text := found[name]
		if !text.isSet() {
			text.from = from
		}
		text.values = append(text.values, unquoted(strings.TrimSpace(value)))
		found[name] = text
	}
	return found, faults
}

// misplaced says why a name cannot stand in the file.
func misplaced(name string, rows []setting) string {
	i := slices.IndexFunc(rows, func(r setting) bool { return r.name == name })
	switch {
	case i < 0:
		return "is no setting" + didYouMean(name, rows)
	case name == "config":
		return "cannot name a further file"
	case rows[i].env:
		return "may only be given by the variable " + rows[i].variable() + "; in a file use secret-key-file"
	}
	return ""
}

func unquoted(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

// didYouMean suggests the nearest name when it is near enough to be a slip of the finger.
func didYouMean(name string, rows []setting) string {
	best, nearest := 4, ""
	for _, r := range rows {
		if d := distance(name, r.name); d < best && d < len(name) && !r.hidden && !r.env {
			best, nearest = d, r.name
		}
	}
	if nearest == "" {
		return "; \"rollcall serve --help\" lists them"
	}
	return fmt.Sprintf("; did you mean %s?", nearest)
}

// distance is Levenshtein's: how many characters to insert, remove or exchange.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Strays are variables that begin with ROLLCALL_ and look like a misspelt setting. They are no faults: container platforms
// make variables of that form for a service called "rollcall".
func Strays(environ []string) []string {
	rows := (&Settings{}).rows()
	var out []string
	for _, pair := range environ {
		variable, _, _ := strings.Cut(pair, "=")
		bare, ours := strings.CutPrefix(variable, "ROLLCALL_")
		name := strings.ToLower(strings.ReplaceAll(bare, "_", "-"))
		known := slices.ContainsFunc(rows, func(r setting) bool { return r.name == name })
		if !ours || known {
			continue
		}
		if hint := nearVariable(name, rows); hint != "" {
			out = append(out, fmt.Sprintf("%s is no setting; did you mean %s?", variable, hint))
		}
	}
	return out
}

func nearVariable(name string, rows []setting) string {
	for _, r := range rows {
		if d := distance(name, r.name); d > 0 && d <= 2 && d < len(name)/2 {
			return r.variable()
		}
	}
	return ""
}
