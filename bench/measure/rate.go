package measure

import (
	"context"
	"time"
)

// Target is a system under load.
type Target struct {
	Generator *Generator
	URL       string
	// Processes are the ids of its servers and stores.
	Processes []int
	// Users who write steadily, and how long at each rate.
	Users    int
	Duration time.Duration
	// Log gets a line for each step.
	Log func(Step)
}

// WarmUp lets every user write a message, and then many for a while: connections are open then,
// caches are full, and the users are known. It returns how many messages a second were answered
// when each user wrote as soon as there was an answer.
func (t *Target) WarmUp(ctx context.Context) (perSecond float64, err error) {
	first := Steady(0, 0, t.Users)
	first.Messages, first.Concurrency = 1, 64
	if _, err := t.Generator.Run(ctx, t.URL, first, 2*time.Minute); err != nil {
		return 0, err
	}
	many := Steady(0, t.Duration/2, t.Users)
	many.Concurrency = 128
	out, err := t.Generator.Run(ctx, t.URL, many, 2*time.Minute)
	if err != nil {
		return 0, err
	}
	return out.PerSecond, nil
}

// Steady is what the system does at one rate.
func (t *Target) Steady(ctx context.Context, rate float64) (Step, error) {
	step, err := t.Generator.Try(ctx, t.URL, t.Processes, Steady(rate, t.Duration, t.Users))
	if err == nil && t.Log != nil {
		t.Log(step)
	}
	return step, err
}

// Highest looks for the highest rate that the system bears, and returns all steps and the one at
// that rate. A rate that was not borne is tried a second time, since the machine has other things
// to do as well.
func (t *Target) Highest(ctx context.Context, s *Search) (all []Step, best Step, err error) {
	for rate, ok := s.Next(); ok; rate, ok = s.Next() {
		for range 2 {
			step, err := t.Steady(ctx, rate)
			if err != nil {
				return nil, Step{}, err
			}
			all = append(all, step)
			if step.Borne {
				best = step
				break
			}
		}
		s.Tried(all[len(all)-1].Borne)
	}
	return all, best, nil
}
