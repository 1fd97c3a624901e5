package conversation

import (
	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// paced takes the next send out of the pair rate; false where it has to wait. The rate is a virtual
// schedule (GCRA): each send moves it PairEvery ahead, and it may be ahead of now by PairBurst
// sends. It lives in memory: a new activation begins rested, and learns from the provider's
// complaint, should there be one.
func (c *Conversation) paced() bool {
	every := c.cfg.Sending.PairEvery.Milliseconds()
	if c.cfg.Sending.PairBurst == 0 || every == 0 {
		return true
	}
	at := max(c.pairMs, c.nowMs)
	if from := at - int64(c.cfg.Sending.PairBurst-1)*every; from > c.nowMs {
		c.send.phase = sendPaced
		c.send.untilMs = from
		return false
	}
	c.pairMs = at + every
	return true
}

// unpaced gives back what paced took for a send that was not tried.
func (c *Conversation) unpaced() {
	if c.cfg.Sending.PairBurst > 0 {
		c.pairMs -= c.cfg.Sending.PairEvery.Milliseconds()
	}
}

// slowDown takes the provider's report that the pair rate is used up.
func (c *Conversation) slowDown(outcome provider.Outcome) {
	if outcome == provider.PairLimited {
		c.pairMs = c.nowMs + int64(c.cfg.Sending.PairBurst)*c.cfg.Sending.PairEvery.Milliseconds()
	}
}

// windowClosed reports whether the provider would refuse a reply since the user has not written for
// too long. Templates are taken at any time; what a raw reply is, is not known here.
func (c *Conversation) windowClosed(reply *wactorv1.Reply) bool {
	window := c.cfg.Sending.Window.Milliseconds()
	if window == 0 || c.head.LastMessageMs == 0 || c.nowMs < c.head.LastMessageMs+window {
		return false
	}
	switch reply.GetContent().(type) {
	case *wactorv1.Reply_Template, *wactorv1.Reply_Raw:
		return false
	}
	return true
}

// statusRank orders statuses: a voice message that was played was read, one that was read was
// delivered, and one that was delivered was sent.
func statusRank(status string) int {
	switch status {
	case "sent":
		return 1
	case "delivered":
		return 2
	case "read":
		return 3
	case "played":
		return 4
	case "failed":
		return 5
	}
	return 0
}

// await makes the next reply wait for a status of the one that was just taken.
func (c *Conversation) await(seq uint64) {
	if c.cfg.Sending.Await == policy.AwaitNone || len(c.outbox) == 0 {
		return
	}
	c.send.phase = sendAwait
	c.send.seq = seq
	c.send.untilMs = c.nowMs + c.cfg.Sending.AwaitMax.Milliseconds()
}

// awaited ends that wait.
func (c *Conversation) awaited(seq uint64, status string) {
	if c.send.phase == sendAwait && seq == c.send.seq &&
		statusRank(status) >= statusRank(c.cfg.Sending.Await.String()) {
		c.send.phase = sendIdle
	}
}
