package mail

import (
	"regexp"
	"strings"
)

// told is an error as it is kept and logged: one line, short, and without addresses.
func told(err error) string {
	address := regexp.MustCompile(`[^\s<>"',;:()]+@[^\s<>"',;:()]+`)
	out := line(address.ReplaceAllString(err.Error(), "…"))
	if runes := []rune(out); len(runes) > maxError {
		out = string(runes[:maxError]) + "…"
	}
	return strings.TrimSpace(out)
}
