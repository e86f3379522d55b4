package main

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"
)

const streamRounds = 40

// polled is where a list asks for what is new, and how often.
var polled = regexp.MustCompile(`hx-get="([^"]+)"[^>]* hx-trigger="every ([0-9]+m?s)"`)

// stream has an operator look at the exchanges of a directory while its provider sends requests, now a read and now a write, each at some
// moment between two questions of the page.
func (l *lab) stream(ctx context.Context, eng engine, s *side, d *directory, id string) error {
	v, err := asOperator(ctx, s, d)
	if err != nil {
		return err
	}
	text, _, err := v.get(ctx, "/dashboard/directories/"+id+"/exchanges")
	if err != nil {
		return err
	}
	c := d.dial()
	defer c.close()
	sends := []task{d.lookups(0, 1), d.puts(0, 1)}
	var took []float64
	for n := range streamRounds {
		var begun time.Time
		if text, err = v.awaits(ctx, text, func() error {
			begun = time.Now()
			_, err := sends[n%len(sends)](c)
			return err
		}); err != nil {
			return err
		}
		took = append(took, time.Since(begun).Seconds()*1000)
	}
	slices.Sort(took)
	row := rowOf("stream").cell(eng, "")
	row.Now = took[len(took)-1]
	row.Note = fmt.Sprintf("%d requests, median %.0f ms", len(took), percentile(took, 0.5))
	l.record(ctx, row)
	return nil
}

// awaits sends something at a random moment of a page's rhythm, and asks on as the page does until it shows something new, which is given.
func (v *visitor) awaits(ctx context.Context, text string, send func() error) (string, error) {
	m := polled.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("the page of exchanges asks for nothing new: %.500s", text)
	}
	every, err := time.ParseDuration(m[2])
	if err != nil {
		return "", err
	}
	path := html.UnescapeString(m[1])
	before := rand.N(every)
	time.Sleep(before)
	if err := send(); err != nil {
		return "", err
	}
	wait := every - before
	for range 100 {
		time.Sleep(wait)
		wait = every
		fresh, _, err := v.get(ctx, path)
		if err != nil || fresh != "" {
			return fresh, err
		}
	}
	return "", fmt.Errorf("GET %s shows nothing new", path)
}
