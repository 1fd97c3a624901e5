package sim

import (
	"fmt"
	"time"

	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider"
)

// messenger takes replies. It has no idempotency key: what is posted twice is taken twice.
type messenger struct {
	w *World
	// taken are the replies by conversation, in the order in which each was taken first.
	taken [][]*takenReply
}

type takenReply struct {
	id, text string
	seq      uint64
	times    int
}

func newMessenger(w *World) messenger {
	return messenger{w: w, taken: make([][]*takenReply, len(w.users))}
}

// post is the request of a process; done is called if it still lives when it knows what became of
// it.
func (v *messenger) post(p *process, u *user, out *provider.Outgoing, done func(provider.Result)) {
	w := v.w
	w.record.note("node %d posts a reply of conversation %d", uint64(p.index), uint64(u.index))
	if r := v.of(u, out.ReplyID); r != nil && w.journal(p, u).resends(r.seq) < r.times {
		w.fail("conversation %d: reply %d is sent again before that is committed", u.index, r.seq)
	}
	troubled := !w.healed
	if troubled && w.chance(0.02) { // the connection breaks before anything arrives, and the outcome is unknown
		p.in(w.between(0, 200*time.Millisecond),
			func() { done(provider.Result{Outcome: provider.Unknown}) })
		return
	}
	w.after(w.between(time.Millisecond, 30*time.Millisecond), func() {
		if troubled && w.chance(0.02) {
			p.in(time.Millisecond, func() {
				done(provider.Result{Outcome: provider.RetryLater, Code: 130429,
					RetryAfter: 50 * time.Millisecond})
			})
			return
		}
		reply := v.take(u, out)
		result := provider.Result{Outcome: provider.Sent, ProviderID: fmt.Sprintf("wamid.reply.%d",
			reply.seq)}
		if troubled && w.chance(0.03) {
			result = provider.Result{Outcome: provider.Unknown} // the answer was lost
		}
		p.in(w.between(time.Millisecond, 30*time.Millisecond), func() { done(result) })
	})
}

func (v *messenger) take(u *user, out *provider.Outgoing) *takenReply {
	w := v.w
	text := out.Reply.GetText()
	if r := v.of(u, out.ReplyID); r != nil {
		r.times++
		w.Stats.Doubled++
		w.record.note("the provider takes reply %d of conversation %d again", r.seq, uint64(u.index))
		if r.text != text {
			w.fail("conversation %d: a reply was sent as %q and as %q", u.index, r.text, text)
		}
		v.status(u, r)
		return r
	}
	r := &takenReply{id: out.ReplyID, text: text, seq: uint64(len(v.taken[u.index]) + 1), times: 1}
	v.taken[u.index] = append(v.taken[u.index], r)
	w.Stats.Replies++
	w.record.note("the provider takes reply %d of conversation %d", r.seq, uint64(u.index))
	v.status(u, r)
	return r
}

// of is a reply that was taken; nil where it was not.
func (v *messenger) of(u *user, id string) *takenReply {
	for _, r := range v.taken[u.index] {
		if r.id == id {
			return r
		}
	}
	return nil
}

// status tells what became of the reply, mostly.
func (v *messenger) status(u *user, r *takenReply) {
	w := v.w
	for _, status := range []string{"sent", "delivered"} {
		if w.chance(0.4) {
			w.after(w.between(5*time.Millisecond, 500*time.Millisecond), func() {
				w.deliverStatus(u, delivery.Status{
					ReplyID: r.id, Status: status, ProviderID: fmt.Sprintf("wamid.reply.%d", r.seq), AtMs: w.wallMs(),
				})
			})
		}
	}
}
