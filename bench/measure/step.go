package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wactor/wactor/bench/machine"
	"github.com/wactor/wactor/simulate"
)

// Step is what a system did at one rate.
type Step struct {
	// Rate is that of the load in messages a second; PerSecond is how many were answered.
	Rate      float64 `json:"rate"`
	PerSecond float64 `json:"perSecond"`
	// Accept is until the 200, EndToEnd until the Graph API took the reply, both in milliseconds
	// from when a message was due.
	Accept   simulate.Percentiles `json:"acceptMs"`
	EndToEnd simulate.Percentiles `json:"endToEndMs"`
	// CPU seconds per 1,000 messages: of servers and stores, and of the load generator.
	CPU          float64 `json:"cpuSecondsPer1000"`
	GeneratorCPU float64 `json:"generatorCpuSecondsPer1000"`
	// Borne says that the system bears the rate; Why says why not.
	Borne bool   `json:"borne"`
	Why   string `json:"why,omitempty"`
}

const (
	// maxP99 is the end-to-end p99 that a rate may have, in milliseconds.
	maxP99 = 500
	// maxBehind is how long after the last message was due the last reply may come.
	maxBehind = time.Second
)

// Steady is the load of a rate: users who write when they have their answer.
func Steady(rate float64, duration time.Duration, users int) Load {
	return Load{Pattern: simulate.Steady, Users: users, Rate: rate, Duration: duration, FirstUser: steadyUsers}
}

// steadyUsers is the number of the first user who writes steadily: the system knows them after the
// first load.
const steadyUsers = 4915100000001

// Try puts a steady load on a system for a while. It fails only where measuring does: a system that
// breaks down under the load does not bear it.
func (g *Generator) Try(ctx context.Context, url string, processes []int, l Load) (Step, error) {
	before, err := machine.CPU(processes...)
	if err != nil {
		return Step{}, err
	}
	out, err := g.Run(ctx, url, l, 4*l.Duration+30*time.Second)
	if err != nil {
		if ctx.Err() != nil {
			return Step{}, ctx.Err()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return Step{Rate: l.Rate, Why: "the load did not end"}, nil
		}
		return Step{}, err
	}
	after, err := machine.CPU(processes...)
	if err != nil {
		return Step{}, err
	}
	s := Step{Rate: l.Rate, PerSecond: out.PerSecond, Accept: out.Accept, EndToEnd: out.EndToEnd}
	if out.Replied > 0 {
		s.CPU = (after - before).Seconds() / float64(out.Replied) * 1000
		s.GeneratorCPU = out.GeneratorCPU.Seconds() / float64(out.Replied) * 1000
	}
	s.Why = judge(out.Report, l.Duration)
	s.Borne = s.Why == ""
	return s, nil
}

// judge says why a rate was not borne; empty where it was.
func judge(r *simulate.Report, duration time.Duration) string {
	switch behind := r.Seconds - duration.Seconds(); {
	case r.Accepted < r.Messages:
		return fmt.Sprintf("%d of %d messages were not accepted", r.Messages-r.Accepted, r.Messages)
	case r.Violations > 0:
		return fmt.Sprintf("%d violations", r.Violations)
	case r.Replied < r.Messages:
		return fmt.Sprintf("%d messages had no reply", r.Messages-r.Replied)
	case behind > maxBehind.Seconds():
		return fmt.Sprintf("%.1f s behind", behind)
	case r.EndToEnd.P99 >= maxP99:
		return fmt.Sprintf("p99 %.0f ms", r.EndToEnd.P99)
	}
	return ""
}
