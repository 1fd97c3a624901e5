package simulate

import (
	"slices"
	"time"
)

// latencies collects durations. It keeps all of them: a run has millions at most, and a percentile
// that was estimated is one that has to be explained.
type latencies []int64

func (l *latencies) add(d time.Duration) { *l = append(*l, int64(d)) }

// Percentiles of a latency, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func (l latencies) percentiles() Percentiles {
	if len(l) == 0 {
		return Percentiles{}
	}
	slices.Sort(l)
	at := func(p float64) float64 { return float64(l[min(len(l)-1, int(p*float64(len(l))))]) / 1e6 }
	return Percentiles{P50: at(0.50), P90: at(0.90), P99: at(0.99), Max: float64(l[len(l)-1]) / 1e6}
}
