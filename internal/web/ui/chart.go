package ui

import (
	"math"
	"strconv"
	"strings"
)

// ChartKind is how numbers are drawn.
type ChartKind string

// The closed list of ChartKind.
const (
	Bars  ChartKind = "bars"
	Lines ChartKind = "lines"
)

// Series is a row of numbers, one for each label of the chart. None may be below 0.
type Series struct {
	Name   string
	Values []float64
	Tone   Tone // "": the colour of the brand
}

// ChartProps is numbers over something, mostly time. The table with the same numbers is part of it.
type ChartProps struct {
	ID     string
	Title  string
	Text   string // what it says, for those who do not see it: "Most sign-ins on Tuesday, 412"
	Kind   ChartKind
	Over   string // heading of the labels, like "Day"
	Labels []string
	Series []Series
}

// The chart is drawn on this many units and scaled to its place.
const (
	chartWidth  = 640.0
	chartHeight = 220.0
	chartLeft   = 44.0
	chartRight  = 8.0
	chartTop    = 10.0
	chartBottom = 26.0
)

type bar struct{ x, y, w, h, tone string }

type mark struct{ x, y, label string }

// top is the end of the scale: at least the greatest value, and its quarters are round.
func (c ChartProps) top() float64 {
	most := 0.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			most = max(most, v)
		}
	}
	if most <= 4 {
		return 4 // whole steps
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, step := range []float64{1, 2, 4, 6, 8, 10} {
		if step*unit >= most {
			return step * unit
		}
	}
	return 10 * unit
}

func (c ChartProps) y(v float64) float64 {
	return chartTop + (chartHeight-chartTop-chartBottom)*(1-max(0, v)/c.top())
}

func (c ChartProps) slot() float64 {
	return (chartWidth - chartLeft - chartRight) / float64(max(1, len(c.Labels)))
}

func unit(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// bars are the rectangles of all series, beside each other at each label.
func (c ChartProps) bars() []bar {
	var out []bar
	slot := c.slot()
	width := min(28, slot*0.72/float64(max(1, len(c.Series))))
	for n, s := range c.Series {
		for i, v := range s.at(len(c.Labels)) {
			x := chartLeft + slot*(float64(i)+0.5) + width*(float64(n)-float64(len(c.Series))/2)
			y := c.y(v)
			out = append(out, bar{unit(x), unit(y), unit(max(1, width-2)), unit(chartHeight - chartBottom - y), string(s.Tone)})
		}
	}
	return out
}

// at gives exactly n values.
func (s Series) at(n int) []float64 {
	out := make([]float64, n)
	copy(out, s.Values)
	return out
}

// path is the line of a series; area closes it at the bottom.
func (c ChartProps) path(s Series) string {
	var out strings.Builder
	for i, v := range s.at(len(c.Labels)) {
		out.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
		out.WriteString(unit(chartLeft+c.slot()*(float64(i)+0.5)) + " " + unit(c.y(v)))
	}
	return out.String()
}

func (c ChartProps) area(s Series) string {
	if len(c.Labels) == 0 {
		return ""
	}
	bottom := unit(chartHeight - chartBottom)
	return c.path(s) + "L" + unit(chartLeft+c.slot()*(float64(len(c.Labels))-0.5)) + " " + bottom + "L" + unit(chartLeft+c.slot()*0.5) + " " + bottom + "Z"
}

// scale are the lines across, with their numbers.
func (c ChartProps) scale() []mark {
	var out []mark
	for i := range 5 {
		v := c.top() * float64(i) / 4
		out = append(out, mark{x: unit(chartLeft - 8), y: unit(c.y(v)), label: short(v)})
	}
	return out
}

// ticks are the labels below: as many as can be read beside each other.
func (c ChartProps) ticks() []mark {
	var out []mark
	every := max(1, (len(c.Labels)+6)/7)
	for i, label := range c.Labels {
		if i%every == 0 {
			out = append(out, mark{x: unit(chartLeft + c.slot()*(float64(i)+0.5)), y: unit(chartHeight - 8), label: label})
		}
	}
	return out
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return unit(v/1e6) + "M"
	case v >= 1e3:
		return unit(v/1e3) + "k"
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// value is a number of the table, whole.
func (s Series) value(i int) string {
	if i >= len(s.Values) {
		return "0"
	}
	return strconv.FormatFloat(s.Values[i], 'f', -1, 64)
}
