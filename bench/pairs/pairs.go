// Package pairs compares two systems on a machine whose speed changes. Both run all the time, warm;
// load alternates between them in slices of a few seconds, and each slice of one is compared with
// the slice of the other beside it. What the machine does to both of a pair is not in their ratio.
package pairs

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/system"
)

// Load names what users do in a slice.
type Load int

// The loads.
const (
	// Full lets many users write as soon as they have their answer: as fast as the system goes.
	Full Load = iota
	// Half is half of what the slower of both systems does at full rate.
	Half
	// Low is LowRate.
	Low

	loads = 3
)

// LowRate is the rate of Low in messages a second.
const LowRate = 300

// concurrency is how many users write at once at full rate.
const concurrency = 128

// Comparison says which pairs are measured.
type Comparison struct {
	// A and B are running systems. B is compared with A.
	A, B *system.Running
	// Pairs is how often each load is put on both.
	Pairs int
	// Users write, in slices of Slice.
	Users int
	Slice time.Duration

	Generator *measure.Generator
	// Log gets a line for each pair.
	Log io.Writer
}

// Measured is what was measured in the pairs of one load.
type Measured struct {
	// Rate is that of the load in messages a second; 0 for Full.
	Rate float64
	// A and B have a step for each pair.
	A, B []measure.Step
}

// ratio compares what read returns of the steps of each pair.
func (m *Measured) ratio(read func(measure.Step) float64) Ratio {
	a, b := make([]float64, len(m.A)), make([]float64, len(m.B))
	for i := range m.A {
		a[i], b[i] = read(m.A[i]), read(m.B[i])
	}
	return Compare(a, b)
}

// Run measures the pairs, by load. It fails where measuring does; a system that does not bear a
// load has a step that says so.
func (c *Comparison) Run(ctx context.Context) ([loads]Measured, error) {
	var all [loads]Measured
	sides := [2]*measure.Target{c.target(c.A), c.target(c.B)}
	slower := 0.0
	for _, side := range sides {
		perSecond, err := side.WarmUp(ctx)
		if err != nil {
			return all, err
		}
		if slower == 0 || perSecond < slower {
			slower = perSecond
		}
	}
	all[Half].Rate, all[Low].Rate = max(1, float64(int(slower/2))), LowRate
	for pair := range c.Pairs {
		for load := range all {
			// Who is first changes from pair to pair, so that neither profits from it.
			order := [2]int{pair % 2, 1 - pair%2}
			var steps [2]measure.Step
			for _, side := range order {
				var err error
				if steps[side], err = c.slice(ctx, sides[side], all[load].Rate); err != nil {
					return all, err
				}
			}
			all[load].A, all[load].B = append(all[load].A, steps[0]), append(all[load].B, steps[1])
			c.print(pair, all[load].Rate, steps)
		}
	}
	return all, nil
}

func (c *Comparison) target(running *system.Running) *measure.Target {
	return &measure.Target{Generator: c.Generator, URL: running.URL, Processes: running.IDs(), Users: c.Users,
		Duration: c.Slice}
}

func (c *Comparison) slice(ctx context.Context, target *measure.Target, rate float64) (measure.Step, error) {
	load := measure.Steady(rate, c.Slice, c.Users)
	if rate == 0 {
		load.Concurrency = concurrency
	}
	return c.Generator.Try(ctx, target.URL, target.Processes, load)
}

func (c *Comparison) print(pair int, rate float64, steps [2]measure.Step) {
	name := "full rate"
	if rate > 0 {
		name = fmt.Sprintf("%.0f/s", rate)
	}
	fmt.Fprintf(c.Log, "pair %d of %d, %s:", pair+1, c.Pairs, name)
	for i, s := range steps {
		fmt.Fprintf(c.Log, " %s %.0f/s, CPU %.3f ms, accept %.1f / %.1f ms", [2]string{"A", "B"}[i], s.PerSecond, s.CPU,
			s.Accept.P50, s.Accept.P99)
		if s.Why != "" {
			fmt.Fprintf(c.Log, " (%s)", s.Why)
		}
		if i == 0 {
			fmt.Fprint(c.Log, ";")
		}
	}
	fmt.Fprintln(c.Log)
}
