package pairs

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wactor/wactor/bench/measure"
)

func TestCompareLeavesOutWhatBothHaveInCommon(t *testing.T) {
	var a, b []float64
	random := rand.New(rand.NewPCG(7, 7))
	for range 40 {
		machine := 1000 * math.Exp2(random.Float64()) // its speed changes by a factor of two
		a = append(a, machine*(1+0.02*random.NormFloat64()))
		b = append(b, 0.9*machine*(1+0.02*random.NormFloat64()))
	}
	got := Compare(a, b)
	if got.Pairs != 40 || got.Median < 0.88 || got.Median > 0.92 || got.Low >= got.Median || got.High <= got.Median ||
		got.High-got.Low > 0.04 {
		t.Errorf("%+v", got)
	}
	if again := Compare(a, b); again != got {
		t.Errorf("%+v, then %+v", got, again)
	}
}

func TestCompareOfFewPairs(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want Ratio
	}{
		{nil, nil, Ratio{}},
		{[]float64{0, -1, 2}, []float64{1, 1, 0}, Ratio{}},
		{[]float64{2, 0}, []float64{3, 5}, Ratio{A: 2, B: 3, Median: 1.5, Low: 1.5, High: 1.5, Pairs: 1}},
		{[]float64{1, 1, 1}, []float64{3, 1, 2}, Ratio{A: 1, B: 2, Median: 2, Low: 1, High: 3, Pairs: 3}},
	} {
		if got := Compare(c.a, c.b); got != c.want {
			t.Errorf("%v, %v: %+v, want %+v", c.a, c.b, got, c.want)
		}
	}
}

// TestIntervalHoldsTheMedian draws many sets of pairs whose true median ratio is known: it lies
// within about 95 of 100 intervals.
func TestIntervalHoldsTheMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const sets, truth = 100, 1.1
	within := 0
	for range sets {
		var a, b []float64
		for range 20 {
			a = append(a, 1)
			b = append(b, truth*math.Exp(0.1*random.NormFloat64()))
		}
		if r := Compare(a, b); r.Low <= truth && truth <= r.High {
			within++
		}
	}
	if share := float64(within) / sets; share < 0.88 {
		t.Errorf("%.3f of the intervals hold the median", share)
	}
}

func TestTable(t *testing.T) {
	var all [loads]Measured
	for range 3 {
		all[Full].A = append(all[Full].A, measure.Step{PerSecond: 1000, CPU: 0.5})
		all[Full].B = append(all[Full].B, measure.Step{PerSecond: 1100, CPU: 0.25})
	}
	all[Half].Rate = 500
	var text strings.Builder
	if err := Table(&text, "old", "new", Rows(all)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| | A: old | B: new | B/A | 95 % interval | pairs |",
		"| highest rate | 1000/s | 1100/s | 1.100 | 1.100 to 1.100 | 3 |",
		"| CPU a message at the highest rate | 0.500 ms | 0.250 ms | 0.500 | 0.500 to 0.500 | 3 |",
		"| accept p99 at half, 500/s | - | - | - | - | 0 |",
	} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
