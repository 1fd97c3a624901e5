package measure

import (
	"context"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/simulate"
)

// Trial is a load that looks for wrong answers rather than slow ones.
type Trial string

// The trials.
const (
	// Bursts are five messages of a user at once.
	Bursts Trial = "bursts"
	// Duplicates are pairs of messages, of which three in ten webhooks come twice, at once or
	// later.
	Duplicates Trial = "duplicates"
	// Swaps are pairs of messages, of which two in ten come in the other order than they were sent.
	Swaps Trial = "swaps"
	// Kill is one server process killed with -9 in the middle of pairs, and started again after a
	// second.
	Kill Trial = "kill -9"
)

// Trials are all of them, in the order in which they are made: a system that was killed is not
// asked again.
var Trials = []Trial{Bursts, Duplicates, Swaps, Kill}

// Result is what came of a trial.
type Result struct {
	Messages int `json:"messages"`
	Accepted int `json:"accepted"`
	simulate.Counts
	// Violations is their sum; a reply that came again after a kill is none.
	Violations int `json:"violations"`
	// Slowest is the longest time until a reply, in milliseconds.
	Slowest float64 `json:"slowestMs"`
}

// downFor is how long a killed process is down before it is started again.
const downFor = time.Second

// Killable is a system of which a process can be killed.
type Killable interface {
	// Kill ends a server process as a crash does.
	Kill(process int)
	// Restart starts it again, and returns when it is ready.
	Restart(ctx context.Context, process int) error
}

// load is that of a trial at a rate.
func (trial Trial) load(rate float64, duration time.Duration) Load {
	l := Load{Pattern: simulate.Pairs, Users: 500, Rate: rate, Duration: duration}
	switch trial {
	case Bursts:
		l = Load{Pattern: simulate.Burst, Users: max(20, int(rate*duration.Seconds()/5)), Messages: 5, Concurrency: 32,
			FirstUser: 4915200000001}
	case Duplicates:
		l.Duplicates, l.FirstUser = 30, 4915300000001
	case Swaps:
		l.Swaps, l.FirstUser = 20, 4915400000001
	case Kill:
		l.AllowResent, l.Settle, l.FirstUser = true, 20*time.Second, 4915500000001
		l.Duration = max(duration, 4*time.Second)
	}
	return l
}

// Try makes a trial at a rate.
func (t *Target) Try(ctx context.Context, trial Trial, rate float64, k Killable) (Result, error) {
	l := trial.load(rate, t.Duration)
	killed := make(chan error, 1)
	if trial == Kill {
		go func() { killed <- killOnce(ctx, k, l.Duration/3) }()
	} else {
		killed <- nil
	}
	out, err := t.Generator.Run(ctx, t.URL, l, 4*l.Duration+2*time.Minute)
	if wrong := <-killed; wrong != nil {
		return Result{}, wrong
	}
	if err != nil {
		return Result{}, err
	}
	return Result{
		Messages: out.Messages, Accepted: out.Accepted, Counts: out.Counts, Violations: out.Violations,
		Slowest: out.EndToEnd.Max,
	}, nil
}

// killOnce kills the first process after a while.
func killOnce(ctx context.Context, k Killable, after time.Duration) error {
	for _, next := range []struct {
		wait time.Duration
		do   func() error
	}{
		{after, func() error { k.Kill(0); return nil }},
		{downFor, func() error { return k.Restart(ctx, 0) }},
	} {
		if !pause.For(ctx, next.wait) {
			return ctx.Err()
		}
		if err := next.do(); err != nil {
			return err
		}
	}
	return nil
}
