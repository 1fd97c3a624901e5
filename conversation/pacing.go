package conversation

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// pace is when replies may leave.
type pace struct {
	// pairMs is when the provider's pair rate is back at rest, if nothing more is sent. It lives in
	// memory: a new activation begins without a debt, and learns from the provider's complaint,
	// should there be one.
	pairMs int64
	// lastMessageMs is when the user last wrote: the customer service window counts from here.
	lastMessageMs int64
}

// userWrote opens the customer service window anew.
func (o *outbox) userWrote(sentMs int64) {
	o.pace.lastMessageMs = max(o.pace.lastMessageMs, min(sentMs, o.ledger.nowMs))
	o.guard.userWrote(o.ledger.nowMs)
}

// paced takes the next send out of the pair rate; false where it has to wait. The rate is a virtual
// schedule (GCRA): each send moves it PairEvery ahead, and it may be ahead of now by PairBurst
// sends.
func (o *outbox) paced() bool {
	every := o.cfg.Sending.PairEvery.Milliseconds()
	if o.cfg.Sending.PairBurst == 0 || every == 0 {
		return true
	}
	at := max(o.pace.pairMs, o.ledger.nowMs)
	if from := at - int64(o.cfg.Sending.PairBurst-1)*every; from > o.ledger.nowMs {
		o.send.phase, o.send.untilMs = sendPaced, from
		return false
	}
	o.pace.pairMs = at + every
	return true
}

// unpaced gives back what paced took for a send that was not tried.
func (o *outbox) unpaced() {
	if o.cfg.Sending.PairBurst > 0 {
		o.pace.pairMs -= o.cfg.Sending.PairEvery.Milliseconds()
	}
}

// slowDown takes the provider's report that the pair rate is used up.
func (o *outbox) slowDown(outcome provider.Outcome) {
	if outcome == provider.PairLimited {
		o.pace.pairMs = o.ledger.nowMs + int64(o.cfg.Sending.PairBurst)*o.cfg.Sending.PairEvery.Milliseconds()
	}
}

// windowUntil is when the customer service window closes; zero where the provider has none.
func (o *outbox) windowUntil() time.Time {
	if o.cfg.Sending.Window == 0 || o.pace.lastMessageMs == 0 {
		return time.Time{}
	}
	return time.UnixMilli(o.pace.lastMessageMs).Add(o.cfg.Sending.Window).UTC()
}

// windowClosed reports whether the provider would refuse a reply since the user has not written for
// too long. Templates are taken at any time; what a raw reply is, is not known here.
func (o *outbox) windowClosed(reply *wactorv1.Reply) bool {
	window := o.cfg.Sending.Window.Milliseconds()
	if window == 0 || o.ledger.nowMs < o.pace.lastMessageMs+window {
		return false
	}
	switch reply.GetContent().(type) {
	case *wactorv1.Reply_Template, *wactorv1.Reply_Raw:
		return false
	}
	return true
}

// await makes the next reply wait for a status of the one that was just taken.
func (o *outbox) await(seq uint64) {
	if o.cfg.Sending.Await == policy.AwaitNone || o.empty() {
		return
	}
	o.send.phase, o.send.seq = sendAwait, seq
	o.send.untilMs = o.ledger.nowMs + o.cfg.Sending.AwaitMax.Milliseconds()
}

// awaited ends that wait.
func (o *outbox) awaited(seq uint64, status string) {
	if o.send.phase == sendAwait && seq == o.send.seq &&
		statusRank(status) >= statusRank(o.cfg.Sending.Await.String()) {
		o.send.phase = sendIdle
	}
}
