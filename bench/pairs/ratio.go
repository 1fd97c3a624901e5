package pairs

import (
	"math/rand/v2"
	"slices"
)

// Ratio is what pairs of measurements say of B beside A.
type Ratio struct {
	// A and B are the medians of each side by itself. Their quotient is not Median: what changes
	// from pair to pair, such as the speed of the machine, is in them, and not in it.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Median is that of the ratios B/A of the pairs. With a probability of 95 % the median of all
	// pairs that could have been measured lies within Low and High.
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// Pairs is how many there were; with none all others are 0.
	Pairs int `json:"pairs"`
}

const (
	// resamples is how many samples of the pairs are drawn for an interval.
	resamples = 10_000
	// outside is the part of them on each side of the interval.
	outside = 0.025
)

// Compare computes the ratio of pairs. A pair of which one is not positive was not measured, and
// is left out. The interval is a percentile bootstrap: medians of samples that are drawn from the
// ratios, with repetition. The same pairs give the same interval.
func Compare(a, b []float64) Ratio {
	var ratios, as, bs []float64
	for i := range min(len(a), len(b)) {
		if a[i] > 0 && b[i] > 0 {
			ratios, as, bs = append(ratios, b[i]/a[i]), append(as, a[i]), append(bs, b[i])
		}
	}
	if len(ratios) == 0 {
		return Ratio{}
	}
	random := rand.New(rand.NewPCG(1, uint64(len(ratios))))
	medians, sample := make([]float64, resamples), make([]float64, len(ratios))
	for i := range medians {
		for j := range sample {
			sample[j] = ratios[random.IntN(len(ratios))]
		}
		medians[i] = median(sample)
	}
	slices.Sort(medians)
	cut := int(outside * resamples)
	return Ratio{A: median(as), B: median(bs), Median: median(ratios), Low: medians[cut],
		High: medians[resamples-1-cut], Pairs: len(ratios)}
}

// median sorts the values.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
