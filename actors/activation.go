package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// Messages of an activation, besides an *arrival.
type (
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

// activation is the actor of one conversation. Its parts hold what the machine's effects need; only
// the activation itself speaks to the machine.
type activation struct {
	subject
	machine    *conversation.Conversation
	deliveries deliveries
	tasks      tasks
	clock      clock
	ids        ids
	backlog    backlog
	// follows is what the machine has its rules from.
	follows *service
	chain   uint64 // names its commits
	ended   error  // why this activation has ended; what still comes is handed back
	// endsCleanly: it ends as soon as the machine has settled. stopped: nothing more comes.
	endsCleanly, stopped bool
}

// newActivation returns an activation without a mailbox.
func newActivation(of subject) *activation {
	a := &activation{subject: of, chain: of.runtime.options.Random()}
	a.deliveries.open = map[uint64]*arrival{}
	a.tasks.subject, a.clock.subject, a.ids.subject = &a.subject, &a.subject, &a.subject
	return a
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
			a.tasks.returned(m.turn)
		}
		if a.ended == nil {
			a.runtime.links.result(a, m.event)
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
	a.follows = a.channel.now()
	loader := conversation.NewLoader(a.id, a.follows.Config)
	revision, err := a.store().Load(a.table.shard, a.id.String(), loader.Record)
	if err != nil {
		a.runtime.options.Logger.Error("a conversation can't be loaded", "conversation", a.logName(), "error", err)
		a.end(fmt.Errorf("actors: load: %w", err))
		return false
	}
	a.clock.use()
	a.machine = loader.Done(revision)
	a.backlog.known.Letters = a.machine.Backlog().Letters // those of before are known
	a.step(conversation.Started{})
	a.clock.schedule()
	return a.ended == nil
}

// commitFailed ends the activation: the chain of commits is broken, and what is in memory may be
// ahead of the truth.
func (a *activation) commitFailed(err error) {
	level := slog.LevelWarn
	if errors.Is(err, delivery.ErrNotLeader) {
		level = slog.LevelDebug // hundreds of conversations find it out one by one whenever a leader goes
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
	a.endsCleanly = true
	a.tasks.cancelBot()
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
	a.tasks.end()
	a.clock.stop()
	committing := a.machine != nil && a.machine.Committing()
	a.deliveries.answerAll(err, committing)
	for _, d := range a.deliveries.held {
		a.handBack(d)
	}
	a.deliveries.held = nil
	// What is in memory may be ahead of the disk, and after a panic anything: what waited before
	// the last step counts as well.
	known := &a.backlog.known
	unfinished := known.Messages+known.Replies > 0 || committing || a.machine != nil && a.machine.Unfinished()
	a.hide()
	// One that was stopped for a transfer goes on elsewhere, or is taken up by CancelTransfer,
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
	if a.stopped || a.deliveries.depth.Load() > 0 && !planted.Is(planted.ClosedWithMail) {
		return
	}
	a.stopped = true
	a.mailbox.Close()
	a.runtime.room.active.Add(-1)
	a.runtime.work.Done()
}
