package measure

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSearch(t *testing.T) {
	for _, c := range []struct {
		limit, first float64
		tried        []float64
		best         float64
	}{
		{1150, 500, []float64{500, 1000, 2000, 1500, 1250, 1125, 1187.5}, 1125},
		{300, 500, []float64{500, 250, 375, 312.5, 281.25, 296.875}, 296.875},
		{0, 100, []float64{100, 50, 25}, 0},
	} {
		t.Run(fmt.Sprint(c.limit), func(t *testing.T) {
			s := NewSearch(c.first, 2, 1.08)
			var tried []float64
			for rate, ok := s.Next(); ok; rate, ok = s.Next() {
				tried = append(tried, rate)
				s.Tried(rate <= c.limit)
			}
			if !slices.Equal(tried, c.tried) || s.Best() != c.best {
				t.Errorf("%v, best %v", tried, s.Best())
			}
		})
	}
}

// TestSearchFinds lets it look for any limit from any start.
func TestSearchFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(100, 20_000).Draw(t, "limit")
		first := rapid.Float64Range(50, 10_000).Draw(t, "first")
		factor := rapid.Float64Range(1.1, 3).Draw(t, "factor")
		s := NewSearch(first, factor, 1.05)
		steps := 0
		for rate, ok := s.Next(); ok; rate, ok = s.Next() {
			if steps++; steps > 100 {
				t.Fatal("does not end")
			}
			s.Tried(rate <= limit)
		}
		if best := s.Best(); best > limit || best*1.05 < limit {
			t.Fatalf("best %v of %v", best, limit)
		}
	})
}
