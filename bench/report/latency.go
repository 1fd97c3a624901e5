package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/wactor/wactor/bench/measure"
)

// point is the median p99 at one rate.
type point struct{ rate, p99 float64 }

// Latency draws the end-to-end p99 of each system by rate, both on logarithmic scales: medians of
// what was measured at a rate that was borne, rates within a tenth taken together.
func (r *Results) Latency() string {
	const left, top, width, height, right, foot = 60.0, 60.0, 760.0, 420.0, 120.0, 60.0
	d := newDrawing(int(width), int(height), "End-to-end p99 by rate")
	curves := make([][]point, len(r.Systems))
	low, high, least, most := math.Inf(1), 0.0, math.Inf(1), 0.0
	for i, s := range r.Systems {
		curves[i] = s.curve()
		for _, p := range curves[i] {
			low, high = min(low, p.rate), max(high, p.rate)
			least, most = min(least, p.p99), max(most, p.p99)
		}
	}
	if high == 0 {
		return d.end()
	}
	x := scale(low/1.1, high*1.1, left, width-right)
	y := scale(least/1.3, most*1.3, height-foot, top)
	for _, v := range ticks(low/1.1, high*1.1) {
		d.line(x(v), top, x(v), height-foot, "grid")
		d.text(x(v), height-foot+16, "middle", "small", thousands(v))
	}
	for _, v := range ticks(least/1.3, most*1.3) {
		d.line(left, y(v), width-right, y(v), "grid")
		d.text(left-8, y(v)+4, "end", "small", number(v))
	}
	d.text(left, height-14, "start", "small", "messages a second (across) and milliseconds (up), both logarithmic; a "+
		"curve ends at the highest rate that was borne")
	for i, curve := range curves {
		var points [][2]float64
		for _, p := range curve {
			points = append(points, [2]float64{x(p.rate), y(p.p99)})
			d.dot(x(p.rate), y(p.p99), colours[i%len(colours)])
		}
		d.path(points, colours[i%len(colours)])
		d.bar(width-right+14, top+float64(i)*22, 12, 12, colours[i%len(colours)])
		d.text(width-right+32, top+float64(i)*22+11, "start", "", r.Systems[i].Name)
	}
	return d.end()
}

// curve are the points of one system, by rate.
func (s System) curve() []point {
	var all []measure.Step
	for _, round := range s.Rounds {
		for _, step := range append(slices.Clone(round.Steps), round.Common...) {
			if step.Borne && step.EndToEnd.P99 > 0 {
				all = append(all, step)
			}
		}
	}
	slices.SortFunc(all, func(a, b measure.Step) int { return int(math.Copysign(1, a.Rate-b.Rate)) })
	var out []point
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Rate <= all[0].Rate*1.1 {
			n++
		}
		slices.SortFunc(all[:n], func(a, b measure.Step) int {
			return int(math.Copysign(1,
				a.EndToEnd.P99-b.EndToEnd.P99))
		})
		rate := 0.0
		for _, step := range all[:n] {
			rate += step.Rate / float64(n)
		}
		out, all = append(out, point{rate, all[n/2].EndToEnd.P99}), all[n:]
	}
	return out
}

// scale maps values to places, logarithmically.
func scale(from, to, start, end float64) func(float64) float64 {
	return func(v float64) float64 { return start + math.Log(v/from)/math.Log(to/from)*(end-start) }
}

// ticks are 1, 2, 5, 10, 20, ... within bounds.
func ticks(from, to float64) []float64 {
	var out []float64
	for power := math.Pow(10, math.Floor(math.Log10(from))); power <= to; power *= 10 {
		for _, times := range []float64{1, 2, 5} {
			if v := times * power; v >= from && v <= to {
				out = append(out, v)
			}
		}
	}
	return out
}

// String tells a point, for tests.
func (p point) String() string { return fmt.Sprintf("%.0f:%.0f", p.rate, p.p99) }
