package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wactor/wactor/conversation"
)

// calls are the bot calls of an activation. They never overlap: one that was cancelled returns
// before the next one starts.
type calls struct {
	inliner Inliner
	// turn is that of the newest call until it has returned, and cancel cancels it.
	turn    *conversation.Turn
	cancel  context.CancelFunc
	running bool
	// next starts the call that waits for the one that runs; nil where none waits.
	next func()
}

// callInline runs the bot inside the actor.
func (a *activation) callInline(turn *conversation.Turn) conversation.Event {
	if a.bot.inliner == nil {
		return conversation.Deferred{Turn: turn}
	}
	started := a.runtime.scheduler.Now()
	answer, ok, err := a.inline(turn)
	if err == nil && !ok {
		return conversation.Deferred{Turn: turn}
	}
	return a.outcome(turn, answer, err, a.runtime.scheduler.Now().Sub(started))
}

func (a *activation) inline(turn *conversation.Turn) (answer *conversation.Answer, ok bool, err error) {
	defer a.recoverBot(&err)
	return a.bot.inliner.Inline(turn)
}

// callBot runs the bot beside the actor.
func (a *activation) callBot(turn *conversation.Turn) {
	ctx, cancel := context.WithCancel(a.context())
	a.bot.turn, a.bot.cancel = turn, cancel
	a.showTyping(ctx, turn)
	start := func() {
		a.bot.running = true
		a.runtime.goCounted(func() {
			defer cancel()
			started := a.runtime.scheduler.Now()
			answer, err := a.ask(ctx, turn)
			took := a.runtime.scheduler.Now().Sub(started)
			a.mailbox.Post(result{a.outcome(turn, answer, err, took), turn})
		})
	}
	if a.bot.running {
		a.bot.next = start
		return
	}
	start()
}

// returned notes that the bot call of a turn has returned, and starts the one that waits.
func (a *activation) returned(turn *conversation.Turn) {
	if turn == a.bot.turn {
		a.bot.turn = nil // it holds the state of before, and messages
	}
	next := a.bot.next
	a.bot.running, a.bot.next = false, nil
	if next != nil && a.ended == nil {
		next()
	}
}

func (a *activation) cancelBot() {
	if a.bot.cancel != nil {
		a.bot.cancel()
	}
}

func (a *activation) ask(ctx context.Context, turn *conversation.Turn) (answer *conversation.Answer, err error) {
	defer a.recoverBot(&err)
	return a.channel.Bot.Turn(ctx, turn)
}

// recoverBot turns a panic of a bot into an error: it would happen again with the same message.
func (a *activation) recoverBot(err *error) {
	if p := recover(); p != nil {
		a.runtime.metrics.panics.Inc()
		a.runtime.options.Logger.Error("a bot panicked", "conversation", a.logName(), "panic", fmt.Sprintf("%T", p),
			"stack", string(debug.Stack()))
		*err = conversation.Permanent("panic")
	}
}

// outcome makes an event of what the bot returned.
func (a *activation) outcome(turn *conversation.Turn, answer *conversation.Answer, err error,
	took time.Duration) conversation.Event {
	a.runtime.metrics.bot(took, err)
	if err == nil && answer == nil {
		err = conversation.Permanent("no answer")
	}
	if err == nil {
		return conversation.Answered{Turn: turn, Answer: answer, BotMicros: took.Microseconds()}
	}
	failed := conversation.Failed{Turn: turn, Retryable: true, Reason: "error", BotMicros: took.Microseconds()}
	if classed := (*conversation.BotError)(nil); errors.As(err, &classed) {
		failed.Retryable, failed.Reason = classed.Retryable, classed.Reason
		failed.NotCalled, failed.RetryAfter = classed.NotCalled, classed.RetryAfter
		failed.NotReached = classed.NotReached
	} else if errors.Is(err, context.DeadlineExceeded) {
		failed.Reason = "timeout"
	}
	return failed
}
