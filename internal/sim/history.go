package sim

import (
	"slices"

	"github.com/wactor/wactor/conversation"
)

// History is what was done to one conversation, seen from outside.
type History struct {
	User int
	Ops  []Op
}

// Op is a delivery of a message, or a read of how many messages were accepted.
type Op struct {
	// Read: it is a read, and Count is what it returned. Else the delivery of Message.
	Read    bool
	Count   uint64
	Message int
	// Verdict is 0 where it is not known whether the message was accepted, now or at any time
	// later.
	Verdict conversation.Verdict
	// Called and Returned order all calls and returns of a run.
	Called, Returned int64
}

// never is when an operation returns without an outcome.
const never = int64(1) << 62

// call is a moment in the order of all calls and returns.
func (c *checks) call() int64 {
	c.moments++
	return c.moments
}

// delivered notes the outcome of a delivery. Deliveries of one message whose fate is unknown are
// one in the history: the first to take effect is the only one, and it may do so at any time after
// the first call. Where one is known to have been the first, the others have no effect whenever
// they happen.
func (c *checks) delivered(m *message, called int64, verdict conversation.Verdict) {
	if verdict == conversation.Accepted {
		m.accepted++
	}
	if m.to.person.linked() {
		return // what one conversation has accepted is not all that the person wrote
	}
	h := &c.ops[m.to.person.index]
	op := Op{Message: m.number, Verdict: verdict, Called: called, Returned: c.call()}
	switch verdict {
	case conversation.Accepted, conversation.Duplicate:
		*h = append(*h, op)
		return
	case conversation.Overloaded:
		return
	}
	for _, known := range *h {
		if known.Message == m.number && !known.Read && known.Verdict == 0 {
			return
		}
	}
	op.Returned = never
	*h = append(*h, op)
}

// read reads how many messages of a conversation were accepted, where a lease
// says that no other node can have accepted more.
func (w *World) read(u *user) {
	if u.person.linked() || w.rules.letters { // a dead letter's messages are numbered again
		return
	}
	for _, n := range w.nodes {
		if !n.up() {
			continue
		}
		p := n.proc
		if now := p.leads[u.shard]; !now.Ready || !p.store.Leased(u.shard, now.Term) {
			continue
		}
		called := w.checks.call()
		head, _ := w.head(p, u)
		w.Stats.LeasedReads++
		w.checks.ops[u.person.index] = append(w.checks.ops[u.person.index], Op{
			Read: true, Count: max(head.GetNextInbox(), 1) - 1, Called: called, Returned: w.checks.call(),
		})
	}
}

// readAll reads all conversations of a shard, as the first thing under a new lease.
func (w *World) readAll(shard uint32) {
	for _, u := range w.users {
		if u.shard == shard {
			w.read(u)
		}
	}
}

func (c *checks) histories() (out []History) {
	for i, ops := range c.ops {
		first := map[int]bool{}
		for _, op := range ops {
			first[op.Message] = first[op.Message] || op.Verdict == conversation.Accepted
		}
		ops = slices.DeleteFunc(ops, func(op Op) bool { return !op.Read && op.Verdict == 0 && first[op.Message] })
		out = append(out, History{User: i, Ops: ops})
	}
	return out
}
