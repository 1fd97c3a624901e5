package actors

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/provider"
)

// send posts a reply beside the actor.
func (t *tasks) send(e conversation.Send) {
	ctx := t.context()
	t.runtime.work.Add(1)
	t.runtime.scheduler.Go(func() { // not by goCounted: its closure would be one more for each reply
		defer t.runtime.work.Done()
		service := t.channel.use()
		defer service.done()
		done := conversation.SendDone{Seq: e.Seq, Try: e.Try, Result: t.post(ctx, service, e.Outgoing)}
		service.metrics.send(done.Result, e.ReceivedMs, t.runtime.scheduler.Now())
		t.mailbox.Post(result{event: done})
	})
}

func (t *tasks) post(ctx context.Context, service *service, out *provider.Outgoing) (sent provider.Result) {
	defer func() {
		if p := recover(); p != nil {
			t.runtime.metrics.panics.Inc()
			t.runtime.options.Logger.Error("a sender panicked", "conversation", t.logName(), "panic", fmt.Sprintf("%T",
				p), "stack", string(debug.Stack()))
			sent = provider.Result{Outcome: provider.Unknown, Reason: "panic"}
		}
	}()
	if !t.store().Leased(t.table.shard, t.term) {
		// Another node may be leader already, and send this reply, too.
		return provider.Result{Outcome: provider.RetryLater, NotTried: true, RetryAfter: leaseAgain,
			Reason: "not sent: the leadership is not confirmed"}
	}
	return service.Sender.Send(ctx, out)
}

// leaseAgain is how soon a reply is tried again that was not sent since the leadership was not
// confirmed. Either it is by then, or the activation has ended.
const leaseAgain = 100 * time.Millisecond
