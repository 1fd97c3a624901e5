package sim

import (
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// flight is a message that a router took.
type flight struct {
	by     *process
	id     string
	routed int64 // when
	// accepted: it was, and no other flight of the message before it.
	accepted bool
	// failed are from when to when an attempt lasted that failed.
	failed [][2]int64
}

// routed notes that a gateway gives a message to its router, and returns what takes the verdict.
func (c *checks) routed(p *process, e delivery.Envelope) func(conversation.Verdict) {
	in, ok := e.Body.(delivery.Inbound)
	if !ok {
		return func(conversation.Verdict) {}
	}
	u := c.w.userOf[e.To.String()]
	f := &flight{by: p, id: in.Message.Id, routed: c.call()}
	c.order[u.index] = append(c.order[u.index], f)
	return func(verdict conversation.Verdict) { f.accepted = verdict == conversation.Accepted }
}

// attempted notes that a router makes an attempt, and returns what takes its outcome on to done.
func (c *checks) attempted(p *process, e delivery.Envelope, done delivery.Done) delivery.Done {
	in, ok := e.Body.(delivery.Inbound)
	if !ok {
		return done
	}
	began := c.call()
	return func(o delivery.Outcome) {
		if o.Err != nil {
			ended := c.call()
			for _, f := range c.order[c.w.userOf[e.To.String()].index] {
				if f.by == p && f.id == in.Message.Id {
					f.failed = append(f.failed, [2]int64{began, ended})
				}
			}
		}
		done(o)
	}
}

// checkOrder holds the order of acceptance against that in which routers took the messages. Those
// of one conversation that one router takes keep it, but for one whose attempt fails while others
// are on their way behind it: they may find the leader ready.
func (w *World) checkOrder(u *user, accepted map[string]uint64) {
	if w.rules.twins > 0 {
		return // which of the two runtimes is first says nothing of the router
	}
	for _, a := range w.checks.order[u.index] {
		for _, b := range w.checks.order[u.index] {
			if a.by == b.by && a.routed < b.routed && a.accepted && b.accepted && accepted[a.id] > accepted[b.id] &&
				!a.failedAround(b.routed) {
				w.fail("conversation %d: node %d routed %s before %s, and it was accepted after it", u.index,
					a.by.index,
					a.id, b.id)
			}
		}
	}
}

// failedAround reports whether an attempt was on its way at a moment, and failed.
func (f *flight) failedAround(moment int64) bool {
	for _, lasted := range f.failed {
		if lasted[0] < moment && moment < lasted[1] {
			return true
		}
	}
	return false
}
