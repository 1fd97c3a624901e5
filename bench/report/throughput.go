package report

import (
	"fmt"
	"math"
)

// Throughput draws the highest rate of each system as a bar, with the range over the rounds as a
// line in it.
func (r *Results) Throughput() string {
	const left, right, top, row = 110, 170, 60, 34
	width := 760
	d := newDrawing(width, top+row*len(r.Systems)+50, "Highest rate, messages a second")
	most := 1.0
	for _, s := range r.Systems {
		most = max(most, s.highest().most)
	}
	unit := roundStep(most / 5)
	at := func(v float64) float64 { return left + v/most*float64(width-left-right) }
	bottom := float64(top + row*len(r.Systems))
	for v := 0.0; v <= most; v += unit {
		d.line(at(v), top-8, at(v), bottom, "grid")
		d.text(at(v), bottom+16, "middle", "small", thousands(v))
	}
	for i, s := range r.Systems {
		y, rate := float64(top+row*i), s.highest()
		d.text(left-10, y+16, "end", "", s.Name)
		d.bar(left, y, at(rate.median)-left, row-12, colours[i%len(colours)])
		if rate.most > rate.least {
			d.line(at(rate.least), y+11, at(rate.most), y+11, "range")
		}
		d.text(at(rate.most)+8, y+16, "start", "small", fmt.Sprintf("%s, %s", thousands(rate.median), s.Promises))
	}
	d.text(left, bottom+38, "start", "small", fmt.Sprintf("End-to-end p99 under 500 ms, nothing left behind; %d "+
		"cores, load generator and stores included. After the rate: "+
		"what is on disk before the 200.", r.Machine.Cores))
	return d.end()
}

// roundStep is the next of 1, 2, 5, 10, 20, ... from v on.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, times := range []float64{1, 2, 5} {
		if v <= times*power*1.0001 {
			return times * power
		}
	}
	return 10 * power
}
