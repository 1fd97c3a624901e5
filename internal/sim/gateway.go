package sim

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Timeouts of the provider and of a gateway.
const (
	postTimeout    = 1200 * time.Millisecond
	gatewayTimeout = 800 * time.Millisecond
)

// post posts a webhook to some node: what content makes of it. outcome is called once, with 0 where
// no node answered in time.
func (w *World) post(content func(*actors.Delivery), outcome func(conversation.Verdict)) {
	w.Stats.Posts++
	gateway := w.nodes[w.rng.IntN(len(w.nodes))]
	over := false
	answer := func(verdict conversation.Verdict) {
		if !over {
			over = true
			outcome(verdict)
		}
	}
	w.after(w.between(time.Millisecond, 5*time.Millisecond), func() {
		if gateway.proc == nil {
			w.after(time.Millisecond, func() { answer(0) }) // connection refused
			return
		}
		gateway.arrive(func(p *process) {
			d := &actors.Delivery{Node: "gateway", Done: func(v conversation.Verdict, _ error) {
				w.after(time.Millisecond, func() { answer(v) })
			}}
			content(d)
			p.route(d)
		})
	})
	w.after(postTimeout, func() { answer(0) })
}

// route takes a delivery to the leader of its conversation's shard, as far as this node knows.
func (p *process) route(d *actors.Delivery) {
	w, shard := p.w, p.runtime.Shard(d.Conversation)
	over := false
	finish := func(o *clusterv1.Outcome) {
		if !over && p.proc == p {
			over = true
			d.Finish(o)
		}
	}
	to := w.nodeOf[p.leads[shard].Node]
	if to == nil {
		to = w.hints[shard]
	}
	if to == nil {
		p.in(0, func() { finish(&clusterv1.Outcome{Refusal: clusterv1.Refusal_REFUSAL_NOT_LEADER}) })
		return
	}
	sent, arrived := proto.CloneOf(d.Encode()), false
	w.network.send(p.node, to, func(q *process) {
		if arrived {
			return // a call is not doubled: what carries it numbers its bytes
		}
		arrived = true
		answered := false
		received, err := actors.Decode(sent, func(o *clusterv1.Outcome) {
			if answered {
				w.fail("a delivery was answered twice")
			}
			answered = true
			if !q.dead.Load() {
				w.network.send(q.node, p.node, func(now *process) {
					if now == p {
						finish(o)
					}
				})
			}
		})
		if err != nil {
			w.fail("node %d can't read a delivery: %v", q.index, err)
			return
		}
		q.runtimeOf().Deliver(received)
	})
	p.in(gatewayTimeout, func() { finish(&clusterv1.Outcome{Refusal: clusterv1.Refusal_REFUSAL_UNKNOWN_FATE}) })
}
