// Package measure puts load on a system and tells what came of it: the highest rate that it bears,
// latencies, CPU, and violations.
package measure

// Search looks for the highest rate that a system bears: in steps of a factor until one rate fails
// and one below it does not, then between the two. It holds no clock and makes no load: the caller
// tries what Next says and tells it to Tried.
type Search struct {
	// good is the highest rate that was borne, bad the lowest above it that was not; 0 where there
	// is none yet.
	good, bad float64
	rate      float64
	factor    float64
	precision float64
}

// rounding forgives that a factor that was applied and taken back is not quite itself.
const rounding = 1 + 1e-9

// Rates outside of these are not tried, in messages a second.
const (
	lowestRate  = 20
	highestRate = 100_000
)

// NewSearch begins at a rate. It ends when the lowest bad rate is at most precision times the
// highest good one.
func NewSearch(first, factor, precision float64) *Search {
	return &Search{rate: first, factor: factor, precision: precision}
}

// Next is the rate to try; false where the search has ended.
func (s *Search) Next() (rate float64, ok bool) {
	switch {
	case s.good > 0 && s.bad > 0 && s.bad <= s.good*s.precision*rounding:
		return 0, false
	case s.rate < lowestRate || s.rate > highestRate:
		return 0, false
	}
	return s.rate, true
}

// Tried tells how the rate that Next returned was borne.
func (s *Search) Tried(borne bool) {
	if borne {
		s.good = s.rate
	} else {
		s.bad = s.rate
	}
	switch {
	case s.bad == 0:
		s.rate = s.good * s.factor
	case s.good == 0:
		s.rate = s.bad / s.factor
	default:
		s.rate = (s.good + s.bad) / 2
	}
}

// Best is the highest rate that was borne; 0 where none was.
func (s *Search) Best() float64 { return s.good }
