// Package compare puts the same load on all systems in turn and collects what came of it. Read Run
// first.
package compare

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/pairs"
	"github.com/wactor/wactor/bench/report"
	"github.com/wactor/wactor/bench/system"
)

// Comparison says what is compared, and how long.
type Comparison struct {
	// Systems by name. Each is started with empty stores for each visit, and ended after it.
	Systems []string
	// Rounds in which the highest rate of each is searched, and in which it is measured at the
	// common rates. In each round the systems come in another order, so that none always has the
	// machine at its best.
	Rounds int
	// TrialRounds are those that also look for wrong answers; at most Rounds.
	TrialRounds int
	// Pairs is how often each load of package pairs is put on the first system and on each other
	// one, alternately; 0 compares no pairs.
	Pairs int
	// Users write, each rate for Duration, of which a slice of a pair has half.
	Users    int
	Duration time.Duration

	Options   system.Options
	Generator *measure.Generator
	// Log gets a line for each step.
	Log io.Writer
	// Save is called with what is known so far, whenever there is more.
	Save func(*report.Results) error

	results *report.Results
}

// Run visits every system in every round: first to find its highest rate, then, when all are known,
// at rates that all bear. A system that fails, fails alone: the report says so and why, and the
// others go on. Run itself fails where ctx ends or Save does.
func (c *Comparison) Run(ctx context.Context, results *report.Results) error {
	c.results = results
	results.StepSeconds, results.Users = c.Duration.Seconds(), c.Users
	for _, name := range c.Systems {
		results.Systems = append(results.Systems, report.System{Name: name, Promises: system.Promises(name),
			Processes: c.Options.ProcessesOf(name)})
	}
	if err := c.rounds(ctx, "highest rate", c.search); err != nil {
		return err
	}
	results.CommonRates = commonRates(results.Systems)
	if err := c.rounds(ctx, "common rates", c.atCommonRates); err != nil {
		return err
	}
	return c.pairs(ctx)
}

// pairs compares each system with the first. Figures of rounds are minutes apart, in which the
// machine may have become another one; these are seconds apart.
func (c *Comparison) pairs(ctx context.Context) error {
	if c.Pairs == 0 || len(c.results.Systems) == 0 {
		return nil
	}
	first := c.results.Systems[0].Name
	for i := range c.results.Systems[1:] {
		s := &c.results.Systems[1+i]
		c.print("%s beside %s\n", s.Name, first)
		var err error
		if s.Beside, err = c.beside(ctx, first, s.Name); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.print("  FAILED: %v\n", err)
			s.Failures = append(s.Failures, fmt.Sprintf("beside %s: %v", first, err))
		}
		if err := c.Save(c.results); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comparison) beside(ctx context.Context, a, b string) ([]pairs.Row, error) {
	both := &pairs.Comparison{Pairs: c.Pairs, Users: c.Users, Slice: c.Duration / 2, Generator: c.Generator, Log: c.Log}
	for _, side := range []struct {
		name    string
		running **system.Running
	}{{a, &both.A}, {b, &both.B}} {
		running, err := c.Options.Start(ctx, side.name)
		if err != nil {
			return nil, err
		}
		defer running.Stop()
		*side.running = running
	}
	all, err := both.Run(ctx)
	if err != nil {
		return nil, err
	}
	return pairs.Rows(all), nil
}

// visit measures something of a started system.
type visit func(ctx context.Context, round int, s *report.System, running *system.Running) error

func (c *Comparison) rounds(ctx context.Context, what string, do visit) error {
	for round := range c.Rounds {
		for _, i := range rotated(len(c.results.Systems), round) {
			s := &c.results.Systems[i]
			if len(s.Rounds) == round {
				s.Rounds = append(s.Rounds, report.Round{})
			}
			c.print("%s, round %d of %d: %s\n", s.Name, round+1, c.Rounds, what)
			if err := c.visit(ctx, round, s, do); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				c.print("  FAILED: %v\n", err)
				s.Failures = append(s.Failures, fmt.Sprintf("%s, round %d: %v", what, round+1, err))
			}
			if err := c.Save(c.results); err != nil {
				return err
			}
		}
	}
	return nil
}

// rotated is the order of a round: all begin with another one.
func rotated(n, round int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (i + round) % n
	}
	return order
}

// visit starts a system, lets its users become known, and measures.
func (c *Comparison) visit(ctx context.Context, round int, s *report.System, do visit) error {
	running, err := c.Options.Start(ctx, s.Name)
	if err != nil {
		return err
	}
	defer running.Stop()
	return do(ctx, round, s, running)
}

func (c *Comparison) target(running *system.Running) *measure.Target {
	return &measure.Target{
		Generator: c.Generator, URL: running.URL, Processes: running.IDs(), Users: c.Users, Duration: c.Duration,
		Log: c.logStep,
	}
}

// A search goes up or down in steps of a quarter, and then halves what is between until it is known
// to within a tenth. The first one begins at a part of what the system does when every user writes
// as soon as there is an answer, those after it where the one before has ended, in steps of a
// tenth.
const (
	searchFrom      = 0.8
	searchFactor    = 1.25
	searchAgain     = 1.1
	searchPrecision = 1.1
)

func (c *Comparison) search(ctx context.Context, round int, s *report.System, running *system.Running) error {
	target := c.target(running)
	estimate, err := target.WarmUp(ctx)
	if err != nil {
		return err
	}
	from, factor := searchFrom*estimate, searchFactor
	if known := s.HighestRate(); known > 0 {
		from, factor = known, searchAgain
	}
	all, best, err := target.Highest(ctx, measure.NewSearch(from, factor, searchPrecision))
	if err != nil {
		return err
	}
	s.Rounds[round].Steps, s.Rounds[round].Highest = all, best
	return nil
}

func (c *Comparison) atCommonRates(ctx context.Context, round int, s *report.System, running *system.Running) error {
	target := c.target(running)
	if _, err := target.WarmUp(ctx); err != nil {
		return err
	}
	for _, rate := range c.results.CommonRates {
		step, err := target.Steady(ctx, rate)
		if err != nil {
			return err
		}
		s.Rounds[round].Common = append(s.Rounds[round].Common, step)
	}
	if round >= c.TrialRounds || len(c.results.CommonRates) == 0 {
		return nil
	}
	s.Rounds[round].Trials = map[measure.Trial]measure.Result{}
	for _, trial := range measure.Trials {
		result, err := target.Try(ctx, trial, c.results.CommonRates[0], running)
		if err != nil {
			return fmt.Errorf("%s: %w", trial, err)
		}
		s.Rounds[round].Trials[trial] = result
		c.print("  %s: %d messages, %d violations %+v\n", trial, result.Messages, result.Violations, result.Counts)
	}
	return nil
}

// commonRates are half the lowest of all highest rates, and half the lower one of the two ways that
// are recommended to people who want no races: what those do without haste, all are asked to do.
func commonRates(systems []report.System) []float64 {
	lowest, safest := 0.0, 0.0
	for _, s := range systems {
		rate := s.HighestRate()
		if rate == 0 {
			continue
		}
		if lowest == 0 || rate < lowest {
			lowest = rate
		}
		if (s.Name == "redislock" || s.Name == "occ") && (safest == 0 || rate < safest) {
			safest = rate
		}
	}
	switch {
	case lowest == 0:
		return nil
	case safest < 1.2*lowest:
		return []float64{round(lowest / 2)}
	}
	return []float64{round(lowest / 2), round(safest / 2)}
}

// round leaves two figures.
func round(rate float64) float64 {
	unit := 1.0
	for rate/unit >= 100 {
		unit *= 10
	}
	return float64(int(rate/unit)) * unit
}

func (c *Comparison) logStep(s measure.Step) {
	verdict := "borne"
	if !s.Borne {
		verdict = s.Why
	}
	c.print("  %.0f/s: %.0f/s, accept %.1f / %.1f ms, end to end %.1f / %.1f ms, CPU %.3f s per 1,000 (generator "+
		"%.3f): %s\n", s.Rate, s.PerSecond,
		s.Accept.P50, s.Accept.P99, s.EndToEnd.P50, s.EndToEnd.P99, s.CPU, s.GeneratorCPU, verdict)
}

func (c *Comparison) print(format string, values ...any) { fmt.Fprintf(c.Log, format, values...) }
