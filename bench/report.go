package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// writeTable prints the cells as a Markdown table.
func writeTable(w io.Writer, cells []cell) error {
	var b strings.Builder
	b.WriteString("| engine | measured | at least | aim | now | floor req/s | ours req/s | CPU ratio | spread | verdict |\n")
	b.WriteString("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |\n")
	for _, c := range cells {
		now := c.Limit.show(c.Now)
		if c.Failure != "" {
			now = "-"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | **%s** | %s | %s | %s | %s | %s |\n",
			c.Engine, c.Measured, c.Limit.show(c.Limit.Least), c.Limit.show(c.Limit.Aim), now,
			number("%.0f", c.FloorRPS), number("%.0f", c.OursRPS), number("%.2f", c.CPURatio), number("%.0f %%", 100*c.Spread), c.Verdict)
	}
	writeNotes(&b, cells)
	_, err := io.WriteString(w, b.String())
	return err
}

func number(format string, x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf(format, x)
}

func writeNotes(b *strings.Builder, cells []cell) {
	b.WriteByte('\n')
	for _, c := range cells {
		note := c.Note
		if c.Failure != "" {
			note = "FAILED: " + c.Failure
		}
		if c.FloorCPU > 0 {
			note = strings.TrimPrefix(note+fmt.Sprintf("; CPU floor %.0f, ours %.0f µs per request", c.FloorCPU, c.OursCPU), "; ")
		}
		if c.Repeats > 0 {
			note = strings.TrimPrefix(note+fmt.Sprintf("; measured %d times", c.Repeats+1), "; ")
		}
		if note != "" {
			fmt.Fprintf(b, "- %s, %s: %s\n", c.Engine, c.Measured, strings.ReplaceAll(note, "\n", " "))
		}
	}
}

// results is the JSON file.
type results struct {
	At     time.Time `json:"at"`
	Go     string    `json:"go"`
	CPUs   int       `json:"cpus"`
	OS     string    `json:"os"`
	Rounds int       `json:"rounds"`
	Cells  []cell    `json:"cells"`
}

func writeJSON(file string, o options, cells []cell) error {
	raw, err := json.MarshalIndent(results{
		At: time.Now().UTC(), Go: runtime.Version(), CPUs: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Rounds: o.rounds, Cells: cells,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}
