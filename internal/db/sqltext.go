package db

import (
	"strconv"
	"strings"
)

// piece is a stretch of SQL text: either code, or something in which $1 and
// keywords mean nothing (a string, a quoted name, a comment).
type piece struct {
	text  string
	plain bool // quoted or comment
}

// pieces splits SQL text at quotes and comments.
func pieces(sql string) []piece {
	var out []piece
	start := 0
	for i := 0; i < len(sql); {
		end := opaqueEnd(sql, i)
		if end == i {
			i++
			continue
		}
		if i > start {
			out = append(out, piece{text: sql[start:i]})
		}
		out = append(out, piece{text: sql[i:end], plain: true})
		start, i = end, end
	}
	if start < len(sql) {
		out = append(out, piece{text: sql[start:]})
	}
	return out
}

// opaqueEnd returns where the quoted text or comment that starts at i ends, or i
// when none does. A doubled quote inside reads as two adjacent strings, which is
// as good here.
func opaqueEnd(sql string, i int) int {
	rest := sql[i:]
	switch {
	case rest[0] == '\'' || rest[0] == '"':
		return closing(sql, i+1, rest[:1])
	case strings.HasPrefix(rest, "--"):
		return closing(sql, i+2, "\n")
	case strings.HasPrefix(rest, "/*"):
		return closing(sql, i+2, "*/")
	}
	return i
}

func closing(sql string, from int, mark string) int {
	if n := strings.Index(sql[from:], mark); n >= 0 {
		return from + n + len(mark)
	}
	return len(sql)
}

// mapPlaceholders rewrites every $n of the code; f gets n, counted from 1.
func mapPlaceholders(sql string, f func(n int) string) string {
	var b strings.Builder
	for _, p := range pieces(sql) {
		if p.plain {
			b.WriteString(p.text)
			continue
		}
		mapCode(&b, p.text, f)
	}
	return b.String()
}

func mapCode(b *strings.Builder, code string, f func(n int) string) {
	for {
		i := strings.IndexByte(code, '$')
		if i < 0 {
			b.WriteString(code)
			return
		}
		end := i + 1
		for end < len(code) && code[end] >= '0' && code[end] <= '9' {
			end++
		}
		b.WriteString(code[:i])
		if n, err := strconv.Atoi(code[i+1 : end]); err == nil {
			b.WriteString(f(n))
		} else {
			b.WriteString(code[i:end])
		}
		code = code[end:]
	}
}

// sqliteText turns $n into ?n, or into a bare ? when the numbers simply count up:
// the driver looks numbered parameters up by name, bare ones by position. A
// trailing semicolon would make the driver parse the text on each use.
func sqliteText(sql string) string {
	sql = strings.TrimRight(sql, "; \t\r\n")
	next, counting := 1, true
	mapPlaceholders(sql, func(n int) string {
		counting = counting && n == next
		next++
		return ""
	})
	return mapPlaceholders(sql, func(n int) string {
		if counting {
			return "?"
		}
		return "?" + strconv.Itoa(n)
	})
}
