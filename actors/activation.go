package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// Messages of an activation.
type (
	// arrival is a delivery.
	arrival struct {
		delivery.Envelope
		done delivery.Done
	}
	// wake makes an activation load and take up what is unfinished.
	wake struct{}
	// alarm says that the timer rang.
	alarm struct{}
	// committed is the outcome of a proposal.
	committed struct {
		revision uint64
		err      error
	}
	// makeRoom asks for the end of an activation that has nothing to do.
	makeRoom struct{}
	// result is an event that a send yields, or a bot call, of this turn.
	result struct {
		event conversation.Event
		turn  *conversation.Turn
	}
	// stopGracefully asks for a clean end.
	stopGracefully struct{}
	// stopNow ends the activation at once.
	stopNow struct{ err error }
)

// activation is the actor of one conversation. All fields but depth are its actor's alone.
type activation struct {
	runtime *Runtime
	table   *table
	id      conversation.ID
	channel *Channel
	term    uint64
	chain   uint64 // names its commits
	mailbox Mailbox
	// depth counts the deliveries that are in the mailbox, and those that are held.
	depth atomic.Int32
	// held are deliveries that wait until the machine has room for their commits.
	held []*arrival

	machine *conversation.Conversation
	open    map[uint64]*arrival // deliveries that are not answered, by their ref
	nextRef uint64

	bot    calls
	ctx    context.Context // of the activation; nil until a bot call or a send needs it
	cancel context.CancelFunc

	ids          ids
	timer        Timer
	alarmMs      int64 // what the machine asked for; 0: nothing
	lastUsed     time.Time
	inbox        int // as the metrics know them
	outbox       int
	ended        error // why this activation has ended; what still comes is handed back
	endedCleanly bool
	stopped      bool
}

// Receive takes one message. A panic ends the activation: what it has in memory can't be trusted
// any more.
func (a *activation) Receive(message any) {
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may hold what a user wrote: its type and the stack must do.
			a.runtime.metrics.panics.Inc()
			a.runtime.options.Logger.Error("a conversation panicked; it is loaded anew",
				"conversation", a.logName(), "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			a.end(delivery.ErrUnknownFate)
		}
		if a.ended != nil {
			a.stopWhenDrained()
		}
	}()
	switch m := message.(type) {
	case *arrival:
		a.receive(m)
	case wake:
		switch {
		case a.ended != nil:
		case a.machine == nil:
			a.load()
		default:
			a.tick()
		}
	case committed:
		if a.ended != nil {
			return
		}
		if m.err != nil {
			a.commitFailed(m.err)
			return
		}
		a.step(conversation.Committed{Revision: m.revision})
		a.takeHeld()
	case result:
		if m.turn != nil {
			a.returned(m.turn)
		}
		if a.ended == nil {
			a.step(m.event)
		}
	case alarm:
		if a.ended == nil {
			a.rang()
		}
	case makeRoom:
		if a.ended == nil && a.machine != nil {
			a.retire(min(leastIdle, a.runtime.options.IdleAfter))
		}
	case stopGracefully:
		a.stopGracefully()
	case stopNow:
		a.end(m.err)
	}
}

// load reads the conversation at the first use; false where that failed and the activation has
// ended.
func (a *activation) load() bool {
	if a.machine != nil {
		return true
	}
	loader := conversation.NewLoader(a.id, a.channel.Config)
	revision, err := a.runtime.options.Store.Load(a.table.shard, a.id.String(), loader.Record)
	if err != nil {
		a.runtime.options.Logger.Error("a conversation can't be loaded", "conversation", a.logName(), "error", err)
		a.end(fmt.Errorf("actors: load: %w", err))
		return false
	}
	a.lastUsed = a.runtime.scheduler.Now()
	a.machine = loader.Done(revision)
	a.step(conversation.Started{})
	a.schedule()
	return a.ended == nil
}

// commitFailed ends the activation: the chain of commits is broken, and what is in memory may be
// ahead of the truth.
func (a *activation) commitFailed(err error) {
	level := slog.LevelWarn
	if errors.Is(err, delivery.ErrNotLeader) {
		level = slog.LevelDebug // hundreds of conversations find it out one by one whenever a lead goes
	}
	a.runtime.options.Logger.Log(context.Background(), level, "a commit failed; the conversation is loaded anew",
		"conversation", a.logName(), "shard", a.table.shard, "error", err)
	if errors.Is(err, delivery.ErrOverloaded) {
		a.end(delivery.ErrOverloaded)
		return
	}
	a.end(delivery.ErrUnknownFate)
}

// stopGracefully lets what is under way come to its end, and commits the outcome.
func (a *activation) stopGracefully() {
	if a.ended != nil {
		return
	}
	if a.machine == nil {
		a.end(delivery.ErrStopping)
		return
	}
	a.endedCleanly = true
	a.cancelBot()
	a.step(conversation.Stopping{})
}

// end ends the activation. Deliveries that are not answered have an unknown fate, or failed for the
// given reason.
func (a *activation) end(err error) {
	if a.ended != nil {
		return
	}
	a.ended = err
	a.table.leave(a, false)
	if a.cancel != nil {
		a.cancel()
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	for _, ref := range slices.Sorted(maps.Keys(a.open)) {
		d := a.open[ref]
		delete(a.open, ref)
		if !d.Repeatable() && a.machine != nil && a.machine.Committing() {
			d.done(delivery.Outcome{Err: delivery.ErrUnknownFate})
			continue
		}
		d.done(delivery.Outcome{Err: err})
	}
	for _, d := range a.held {
		a.handBack(d)
	}
	a.held = nil
	// What is in memory may be ahead of the disk, and after a panic anything: what waited before
	// the last step counts as well.
	unfinished := a.inbox+a.outbox > 0 || a.machine != nil && (a.machine.Unfinished() || a.machine.Committing())
	a.gauge(0, 0)
	// One that was stopped for a hand-over goes on elsewhere, or is taken up by CancelTransfer,
	// unless that came before its end.
	if errors.Is(err, delivery.ErrNotLeader) || errors.Is(err, delivery.ErrStopping) && !a.table.isReady() {
		return
	}
	switch {
	case planted.Is(planted.FailureNotRetried):
	case a.machine == nil:
		a.table.retryLater(a.id, a.term, loadAgain)
	case unfinished:
		a.table.retryLater(a.id, a.term, a.runtime.options.RetryAfter)
	}
}

// loadAgain is the wait before a conversation is activated again that could not be loaded. Its next
// message tries it, too.
const loadAgain = 30 * time.Second

// stopWhenDrained stops the actor when nothing can come any more: it has left the table, so depth
// only falls.
func (a *activation) stopWhenDrained() {
	if a.stopped || a.depth.Load() > 0 && !planted.Is(planted.ClosedWithMail) {
		return
	}
	a.stopped = true
	a.mailbox.Close()
	a.runtime.active.Add(-1)
	a.runtime.work.Done()
}

// logName names the conversation in logs.
func (a *activation) logName() string { return a.runtime.options.LogName(a.id) }
