package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wactor/wactor/conversation"
)

// Bounds of a breaker.
const (
	// breakAfter is how many calls in a row must have failed, whosever they were.
	breakAfter = 10
	// firstPause and longestPause bound how long the bot is left alone; the pause doubles while it
	// keeps failing.
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// recovered is how many calls at once must have been answered before any number is let through
	// again.
	recovered = 64
)

// Guarded returns a bot that is left alone while it fails for everybody: without it, each of ten
// thousand conversations would go on calling an endpoint that is down, and keep it down. A call
// that is not made is a BotError with NotCalled, which costs its turn no attempt.
//
// After a pause one call is let through. Each success lets one more call through at once than the
// time before, so that a bot that comes back is not thrown over by all that waited; which
// conversation comes next is left to their jittered waits.
//
// StateOf tells how the bot that it returns stands.
//
// What counts are failures that are retryable (5xx, timeouts, no connection). A 4xx shows that the
// bot is alive.
func Guarded(b Bot) Bot {
	g := &guarded{bot: b}
	if inliner, ok := b.(Inliner); ok {
		return guardedInliner{g, inliner}
	}
	return g
}

// State is how a guarded bot stands.
type State int

const (
	// Calling: all calls pass.
	Calling State = iota
	// Recovering: some calls at once pass, to see whether it is well again.
	Recovering
	// Paused: no call passes.
	Paused
)

// StateOf is how a bot stands that Guarded returned; Calling for others.
func StateOf(b Bot) State {
	if g, ok := b.(interface{ state(time.Time) State }); ok {
		return g.state(time.Now())
	}
	return Calling
}

type guarded struct {
	bot Bot

	mu       sync.Mutex
	failures int           // in a row
	pause    time.Duration // the last one; 0 while all is well
	until    time.Time     // no call before
	limit    int           // of calls at once while it recovers; 0 is none
	underway int
}

// guardedInliner answers inline past the breaker: such an answer makes no call.
type guardedInliner struct {
	*guarded
	inliner Inliner
}

func (g guardedInliner) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	return g.inliner.Inline(turn)
}

// queued is a bot whose calls wait for each other. The breaker is asked behind that wait: what
// happened meanwhile counts.
type queued interface {
	wait(ctx context.Context) (leave func(), err error)
	call(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error)
}

func (g *guarded) Turn(ctx context.Context, turn *conversation.Turn) (answer *conversation.Answer, err error) {
	call := g.bot.Turn
	if q, ok := g.bot.(queued); ok {
		leave, err := q.wait(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		call = q.call
	}
	if wait := g.enter(time.Now()); wait > 0 {
		return nil, &conversation.BotError{Retryable: true, NotCalled: true, RetryAfter: wait,
			Reason: "the bot fails for everybody and is left alone"}
	}
	defer func() { g.leave(time.Now(), err, ctx.Err() != nil) }() // also where the bot panics
	return call(ctx, turn)
}

func (g *guarded) state(now time.Time) State {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case now.Before(g.until):
		return Paused
	case g.limit > 0:
		return Recovering
	}
	return Calling
}

// enter lets a call through (0), or says when to ask again.
func (g *guarded) enter(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case now.Before(g.until):
		return max(g.until.Sub(now), firstPause)
	case g.limit > 0 && g.underway >= g.limit:
		return firstPause
	}
	g.underway++
	return 0
}

// leave takes the outcome of a call. One that its caller gave up says nothing about the bot.
func (g *guarded) leave(now time.Time, err error, givenUp bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underway--
	switch {
	case err != nil && givenUp:
	case !isOutage(err):
		g.failures = 0
		if g.limit > 0 {
			g.limit++
		}
		if g.limit > recovered {
			g.limit, g.pause = 0, 0
		}
	case now.Before(g.until): // a call that began before the pause did
	default:
		if g.failures++; g.failures >= breakAfter || g.limit > 0 {
			g.pause = min(max(2*g.pause, firstPause), longestPause)
			g.until, g.limit = now.Add(g.pause), 1
		}
	}
}

// isOutage reports whether an error says that the bot may fail for everybody.
func isOutage(err error) bool {
	if err == nil {
		return false
	}
	var classed *conversation.BotError
	return !errors.As(err, &classed) || classed.Retryable
}
