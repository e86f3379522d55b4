package ui

import "strings"

// piece is text with the class that colours it, "" for none.
type piece struct{ text, class string }

func plain(text string) [][]piece {
	var out [][]piece
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		out = append(out, []piece{{text: line}})
	}
	return out
}

// colour takes JSON apart for the eye only: it changes no byte, and what is no JSON comes out as it went in.
func colour(text string) [][]piece {
	out := [][]piece{nil}
	add := func(s, class string) {
		for i, part := range strings.Split(s, "\n") {
			if i > 0 {
				out = append(out, nil)
			}
			if part != "" {
				out[len(out)-1] = append(out[len(out)-1], piece{part, class})
			}
		}
	}
	text = strings.TrimSuffix(text, "\n")
	for text != "" {
		n, class := token(text)
		add(text[:n], class)
		text = text[n:]
	}
	return out
}

// token measures what stands first: a string, a word like a number or true, or what is between them.
func token(text string) (length int, class string) {
	const between = " \t\r\n{}[]:,"
	switch {
	case text[0] == '"':
		n := stringEnd(text)
		if strings.HasPrefix(strings.TrimLeft(text[n:], " \t"), ":") {
			return n, "code-key"
		}
		return n, "code-string"
	case strings.ContainsRune(between, rune(text[0])):
		n := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune(between, r) })
		if n < 0 {
			n = len(text)
		}
		return n, ""
	}
	n := strings.IndexAny(text[1:], between+`"`) + 1
	if n == 0 {
		n = len(text)
	}
	return n, "code-word"
}

func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n': // a string that is not closed ends with its line
			return i
		}
	}
	return len(text)
}
