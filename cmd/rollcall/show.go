package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// column is one thing that people see of an object.
type column[T any] struct {
	head string
	wide bool // only where one object is shown
	cell func(T) string
}

func col[T any](head string, cell func(T) string) column[T] { return column[T]{head: head, cell: cell} }

func wide[T any](head string, cell func(T) string) column[T] {
	return column[T]{head: head, wide: true, cell: cell}
}

// object is anything that a client gives.
type object interface{ JSON() json.RawMessage }

// flushEvery rows a table is aligned and written, so that a long list begins to appear and takes no memory.
const flushEvery = 100

// some is part of the commands that list.
type some struct {
	Limit int `default:"0" placeholder:"N" help:"At most N rows; without it all."`
}

// few is the same for lists without a natural end.
type few struct {
	Limit int `default:"50" placeholder:"N" help:"At most N rows, 50 unless told; 0: all."`
}

// list prints what there is, a table for people and lines for programs, and says where it stopped short.
func list[T object](w world, asJSON bool, limit int, items iter.Seq2[T, error], columns []column[T]) error {
	if limit < 0 {
		return usageError("--limit is a number from 0")
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	n := 0
	for item, err := range items {
		if err != nil {
			_ = table.Flush() // what came before the error was asked for; the error says more
			return err
		}
		if limit > 0 && n == limit {
			fmt.Fprintln(w.stderr, "There are more; --limit 0 shows all.")
			break
		}
		if asJSON {
			if err := printJSON(w.stdout, item); err != nil {
				return err
			}
			n++
			continue
		}
		if n == 0 {
			fmt.Fprintln(table, strings.Join(heads(columns), "\t"))
		}
		fmt.Fprintln(table, strings.Join(cells(columns, item), "\t"))
		if n++; n%flushEvery == 0 {
			if err := table.Flush(); err != nil {
				return err
			}
		}
	}
	if n == 0 && !asJSON {
		fmt.Fprintln(w.stderr, "There are none.")
	}
	return table.Flush()
}

func heads[T any](columns []column[T]) []string {
	var out []string
	for _, c := range columns {
		if !c.wide {
			out = append(out, c.head)
		}
	}
	return out
}

func cells[T any](columns []column[T], item T) []string {
	var out []string
	for _, c := range columns {
		if !c.wide {
			out = append(out, orDash(c.cell(item)))
		}
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

// one prints a single object; what is not set is left out.
func one[T object](w world, asJSON bool, item T, columns []column[T]) error {
	if asJSON {
		return printJSON(w.stdout, item)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	for _, c := range columns {
		if value := c.cell(item); value != "" {
			fmt.Fprintf(table, "%s\t%s\n", c.head, printable(value))
		}
	}
	return table.Flush()
}

func printJSON(out io.Writer, item object) error {
	_, err := fmt.Fprintf(out, "%s\n", item.JSON())
	return err
}

// note is for people beside the answer; programs that read stdout do not see it.
func (w world) note(format string, args ...any) { fmt.Fprintf(w.stderr, format+"\n", args...) }

// done tells people that something without an answer has happened.
func (w world) done(asJSON bool, format string, args ...any) {
	if !asJSON {
		w.note(format, args...)
	}
}

// printable keeps what identity providers wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// ago says how long ago, in the largest unit that fits.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := time.Since(t)
	switch {
	case d < -time.Minute:
		return when(t)
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}

// when is a moment, in UTC.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// only leaves out what is not wanted.
func only[T any](items iter.Seq2[T, error], wanted func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			if (err != nil || wanted(item)) && !yield(item, err) {
				return
			}
		}
	}
}

// count says how many of what.
func count(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
