package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wactor/wactor/conversation"
)

// tasks run beside an activation: bot calls and sends. What they yield comes back through the
// mailbox.
type tasks struct {
	*subject
	// ctx is theirs, and ends with the activation; nil until one needs it.
	ctx    context.Context
	cancel context.CancelFunc
	calls  calls
}

// calls are the bot calls of an activation. They never overlap: one that was cancelled returns
// before the next one starts.
type calls struct {
	// turn is that of the newest call until it has returned, and cancel cancels it.
	turn    *conversation.Turn
	cancel  context.CancelFunc
	running bool
	// next starts the call that waits for the one that runs; nil where none waits.
	next func()
}

// context returns the context of bot calls and sends.
func (t *tasks) context() context.Context {
	if t.ctx == nil {
		t.ctx, t.cancel = context.WithCancel(t.runtime.ctx)
	}
	return t.ctx
}

// end cancels what runs, and starts nothing more.
func (t *tasks) end() {
	t.calls.next = nil
	if t.cancel != nil {
		t.cancel()
	}
}

// callInline runs the bot inside the actor.
func (t *tasks) callInline(turn *conversation.Turn) conversation.Event {
	service := t.channel.now()
	if service.inliner == nil {
		return conversation.Deferred{Turn: turn}
	}
	started := t.runtime.scheduler.Now()
	answer, ok, err := t.inline(service, turn)
	if err == nil && !ok {
		return conversation.Deferred{Turn: turn}
	}
	return eventOf(service, turn, answer, err, t.runtime.scheduler.Now().Sub(started))
}

func (t *tasks) inline(service *service, turn *conversation.Turn) (answer *conversation.Answer, ok bool, err error) {
	defer t.recoverBot(&err)
	return service.inliner.Inline(turn)
}

// callBot runs the bot beside the actor.
func (t *tasks) callBot(turn *conversation.Turn) {
	ctx, cancel := context.WithCancel(t.context())
	t.calls.turn, t.calls.cancel = turn, cancel
	t.showTyping(ctx, turn)
	start := func() {
		t.calls.running = true
		t.runtime.goCounted(func() {
			defer cancel()
			service := t.channel.use()
			defer service.done()
			started := t.runtime.scheduler.Now()
			answer, err := t.ask(ctx, service, turn)
			took := t.runtime.scheduler.Now().Sub(started)
			t.mailbox.Post(result{eventOf(service, turn, answer, err, took), turn})
		})
	}
	if t.calls.running {
		t.calls.next = start
		return
	}
	start()
}

// returned notes that the bot call of a turn has returned, and starts the one that waits.
func (t *tasks) returned(turn *conversation.Turn) {
	if turn == t.calls.turn {
		t.calls.turn = nil // it holds the state of before, and messages
	}
	next := t.calls.next
	t.calls.running, t.calls.next = false, nil
	if next != nil {
		next()
	}
}

// cancelCall cancels the bot call of a turn, if it is the newest.
func (t *tasks) cancelCall(turn *conversation.Turn) {
	if t.calls.turn == turn {
		t.cancelBot()
	}
}

func (t *tasks) cancelBot() {
	if t.calls.cancel != nil {
		t.calls.cancel()
	}
}

func (t *tasks) ask(ctx context.Context, service *service, turn *conversation.Turn) (answer *conversation.Answer,
	err error) {
	defer t.recoverBot(&err)
	return service.Bot.Turn(ctx, turn)
}

// recoverBot turns a panic of a bot into an error: it would happen again with the same message.
func (t *tasks) recoverBot(err *error) {
	if p := recover(); p != nil {
		t.runtime.metrics.panics.Inc()
		t.runtime.options.Logger.Error("a bot panicked", "conversation", t.logName(), "panic", fmt.Sprintf("%T", p),
			"stack", string(debug.Stack()))
		*err = conversation.Permanent("panic")
	}
}

// eventOf makes an event of what the bot returned.
func eventOf(service *service, turn *conversation.Turn, answer *conversation.Answer, err error,
	took time.Duration) conversation.Event {
	service.metrics.bot(took, err)
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
