package actors

import (
	"errors"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// errIdle ends an activation that has nothing to do.
var errIdle = errors.New("actors: idle")

// step feeds an event to the machine and performs what follows, inline bot calls included.
func (a *activation) step(event conversation.Event) {
	if now := a.channel.now(); now != a.follows && a.machine != nil {
		a.follows = now
		a.machine.Configure(now.Config)
	}
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
	a.show(a.machine.Backlog())
	if a.endsCleanly && a.machine.Settled() {
		a.end(delivery.ErrStopping)
	}
}

// perform does what the machine asks for. An inline bot call yields the next event at once.
func (a *activation) perform(effect conversation.Effect) conversation.Event {
	switch e := effect.(type) {
	case conversation.Commit:
		a.propose(e)
	case conversation.Respond:
		a.respond(e)
	case conversation.CallBot:
		if e.Inline {
			return a.tasks.callInline(e.Turn)
		}
		a.tasks.callBot(e.Turn)
	case conversation.Forward:
		a.forward(e)
	case conversation.RequestResolve:
		a.requestResolve(e)
	case conversation.OfferMerge:
		a.offerMerge(e)
	case conversation.ReplyPeer:
		a.deliveries.answer(e.Ref, delivery.Outcome{Answer: &delivery.Answer{Owner: e.Owner, Taken: e.Taken}})
	case conversation.CancelBot:
		a.tasks.cancelCall(e.Turn)
	case conversation.Send:
		a.tasks.send(e)
	case conversation.Alarm:
		a.clock.alarmMs = e.AtMs
		a.clock.schedule()
	}
	return nil
}

// respond answers a delivery. A message that was accepted before is counted here: it alone makes no
// commit.
func (a *activation) respond(e conversation.Respond) {
	d := a.deliveries.remove(e.Ref)
	if d == nil {
		return
	}
	if _, message := d.Body.(delivery.Inbound); message && e.Verdict == conversation.Duplicate {
		a.follows.metrics.duplicates.Inc()
	}
	d.done(delivery.Outcome{Verdict: e.Verdict})
}

func (a *activation) propose(commit conversation.Commit) {
	a.runtime.metrics.journal(a.follows.metrics, commit.Journal)
	a.runtime.complaints.journal(a.id.Channel, a.logName, commit.Journal)
	a.ids.note(commit.Command)
	commit.Command.Chain = a.chain
	mailbox, revision := a.mailbox, commit.Revision
	table, dueMs := a.table, earliestDue(commit.Command)
	command := &wactorv1.Command{Command: &wactorv1.Command_Commit{Commit: commit.Command}, Format: commit.Format}
	a.store().Propose(a.table.shard, a.term, command, commit.Lazy, func(err error) {
		table.expectTimer(dueMs)
		mailbox.Post(committed{revision, err})
	})
}

// rang: the machine's time has come, or this activation has nothing to do and leaves.
func (a *activation) rang() {
	if a.machine == nil {
		return
	}
	if a.clock.due() {
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
		a.clock.use() // busy without messages: look again in a while
	}
	a.clock.schedule()
}

// leastIdle is how long a conversation stays in memory without anything to do where room is needed
// for others.
const leastIdle = time.Second

// retire ends an activation that was not used for so long, if it has nothing to do; false where it
// was used.
func (a *activation) retire(after time.Duration) (unused bool) {
	unused = a.clock.unusedFor(after)
	if unused && a.machine.Idle() && a.table.leave(a, true) {
		a.end(errIdle)
	}
	return unused
}

// tick lets the machine look at the time.
func (a *activation) tick() { a.step(conversation.Ticked{StatusMs: a.channel.statusMs.Load()}) }
