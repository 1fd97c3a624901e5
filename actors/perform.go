package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider"
)

// errIdle ends an activation that has nothing to do.
var errIdle = errors.New("actors: idle")

// step feeds an event to the machine and performs what follows, inline bot calls included.
func (a *activation) step(event conversation.Event) {
	pending := []conversation.Event{event}
	for len(pending) > 0 && a.ended == nil {
		next := pending[0]
		pending = pending[1:]
		for _, effect := range a.machine.Step(a.runtime.scheduler.Now().UnixMilli(), next) {
			if answer := a.perform(effect); answer != nil {
				pending = append(pending, answer)
			}
		}
	}
	if a.ended != nil {
		return
	}
	a.gauge(a.machine.Waiting())
	if a.endedCleanly && a.machine.Settled() {
		a.end(delivery.ErrStopping)
	}
}

// perform does what the machine asks for. An inline bot call yields the next event at once.
func (a *activation) perform(effect conversation.Effect) conversation.Event {
	switch e := effect.(type) {
	case conversation.Commit:
		a.propose(e)
	case conversation.Respond:
		if d := a.open[e.Ref]; d != nil {
			delete(a.open, e.Ref)
			d.done(delivery.Outcome{Verdict: e.Verdict})
		}
	case conversation.CallBot:
		if e.Inline {
			return a.callInline(e.Turn)
		}
		a.callBot(e.Turn)
	case conversation.Forward:
		a.forward(e)
	case conversation.RequestResolve:
		a.requestResolve(e)
	case conversation.OfferMerge:
		a.offerMerge(e)
	case conversation.ReplyPeer:
		if d := a.open[e.Ref]; d != nil {
			delete(a.open, e.Ref)
			d.done(delivery.Outcome{Answer: &delivery.Answer{Owner: e.Owner, Taken: e.Taken}})
		}
	case conversation.CancelBot:
		if a.bot.turn == e.Turn {
			a.cancelBot()
		}
	case conversation.Send:
		a.send(e)
	case conversation.Alarm:
		a.alarmMs = e.AtMs
		a.schedule()
	}
	return nil
}

func (a *activation) propose(commit conversation.Commit) {
	a.runtime.metrics.journal(commit.Journal)
	a.runtime.complaints.journal(a.id.Channel, a.logName, commit.Journal)
	a.noteIDs(commit.Command)
	commit.Command.Chain = a.chain
	mailbox, revision := a.mailbox, commit.Revision
	table, dueMs := a.table, earliestDue(commit.Command)
	a.runtime.options.Store.Propose(a.table.shard, a.term, commit.Command, commit.Lazy, func(err error) {
		table.expectTimer(dueMs)
		mailbox.Post(committed{revision, err})
	})
}

// send posts a reply beside the actor.
func (a *activation) send(e conversation.Send) {
	ctx := a.context()
	a.runtime.work.Add(1)
	a.runtime.scheduler.Go(func() { // not by goCounted: its closure would be one more for each reply
		defer a.runtime.work.Done()
		done := conversation.SendDone{Seq: e.Seq, Try: e.Try, Result: a.post(ctx, e.Outgoing)}
		if !done.Result.NotTried {
			a.runtime.metrics.sends.WithLabelValues(done.Result.Outcome.String()).Inc()
		}
		a.mailbox.Post(result{event: done})
	})
}

func (a *activation) post(ctx context.Context, out *provider.Outgoing) (sent provider.Result) {
	defer func() {
		if p := recover(); p != nil {
			a.runtime.metrics.panics.Inc()
			a.runtime.options.Logger.Error("a sender panicked", "conversation", a.logName(), "panic", fmt.Sprintf("%T",
				p), "stack", string(debug.Stack()))
			sent = provider.Result{Outcome: provider.Unknown, Reason: "panic"}
		}
	}()
	if !a.runtime.options.Store.Leased(a.table.shard, a.term) {
		// Another node may lead already, and send this reply, too.
		return provider.Result{Outcome: provider.RetryLater, NotTried: true, RetryAfter: leaseAgain,
			Reason: "not sent: the lead is not confirmed"}
	}
	return a.channel.Sender.Send(ctx, out)
}

// leaseAgain is how soon a reply is tried again that was not sent since the lead was not confirmed.
// Either it is by then, or the activation has ended.
const leaseAgain = 100 * time.Millisecond

// context returns the context of bot calls and sends: it ends with the activation.
func (a *activation) context() context.Context {
	if a.ctx == nil {
		a.ctx, a.cancel = context.WithCancel(a.runtime.ctx)
	}
	return a.ctx
}

// schedule sets the timer to the earlier of the machine's alarm and the end of idleness. The timer
// is not moved with every message: when it rings too early it is set again.
func (a *activation) schedule() {
	now := a.runtime.scheduler.Now()
	wait := a.lastUsed.Add(a.runtime.options.IdleAfter).Sub(now)
	if a.alarmMs > 0 {
		wait = min(wait, time.UnixMilli(a.alarmMs).Sub(now))
	}
	wait = max(wait, time.Millisecond)
	if a.timer == nil {
		mailbox := a.mailbox
		a.timer = a.runtime.scheduler.After(wait, func() { mailbox.Post(alarm{}) })
		return
	}
	a.timer.Reset(wait)
}

// rang: the machine's time has come, or this activation has nothing to do and leaves.
func (a *activation) rang() {
	if a.machine == nil {
		return
	}
	now := a.runtime.scheduler.Now()
	if a.alarmMs > 0 && now.UnixMilli() >= a.alarmMs {
		a.tick()
		if a.ended != nil {
			return
		}
	}
	idle := a.retire(a.runtime.options.IdleAfter)
	if a.ended != nil {
		return
	}
	if idle {
		a.lastUsed = now // busy without messages: look again in a while
	}
	a.schedule()
}

// leastIdle is how long a conversation stays in memory without anything to do where room is needed
// for others.
const leastIdle = time.Second

// retire ends an activation that was not used for so long, if it has nothing to do; false where it
// was used.
func (a *activation) retire(after time.Duration) (unused bool) {
	unused = a.runtime.scheduler.Now().Sub(a.lastUsed) >= after
	if unused && a.machine.Idle() && a.table.leave(a, true) {
		a.end(errIdle)
	}
	return unused
}

// tick tells the machine that time went on.
func (a *activation) tick() { a.step(conversation.Ticked{StatusMs: a.channel.statusMs.Load()}) }

// gauge keeps the sums over all conversations.
func (a *activation) gauge(inbox, outbox int) {
	a.runtime.metrics.inbox.Add(float64(inbox - a.inbox))
	a.runtime.metrics.outbox.Add(float64(outbox - a.outbox))
	a.inbox, a.outbox = inbox, outbox
}
