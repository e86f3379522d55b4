package main

import (
	"math"
	"slices"
)

// median of xs, NaN when there are none. xs is left as it is.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(xs))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// percentile by nearest rank: the smallest value that at least p (0 to 1) of
// all values do not exceed. sorted must be ascending; NaN when it is empty.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// spread is (max-min)/median: 0.3 means that the rounds differ by 30 %.
func spread(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	return (slices.Max(xs) - slices.Min(xs)) / median(xs)
}

// ratios divides pairwise: the values of one round belong together, because
// the machine was equally busy then. NaN where the divisor is not positive.
func ratios(over, under []float64) []float64 {
	out := make([]float64, min(len(over), len(under)))
	for i := range out {
		out[i] = math.NaN()
		if under[i] > 0 {
			out[i] = over[i] / under[i]
		}
	}
	return out
}

// known drops what could not be measured.
func known(xs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
}
