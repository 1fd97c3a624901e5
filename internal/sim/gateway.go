package sim

import (
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// Timeouts of the provider and of a gateway.
const (
	postTimeout    = 1200 * time.Millisecond
	gatewayTimeout = 800 * time.Millisecond
)

// post posts a webhook to some node: what content makes of it. outcome is called once, with 0 where
// no node answered in time.
func (w *World) post(content func() delivery.Envelope, outcome func(conversation.Verdict)) {
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
			p.take(content(), func(v conversation.Verdict) { w.after(time.Millisecond, func() { answer(v) }) })
		})
	})
	w.after(postTimeout, func() { answer(0) })
}

// take is a gateway: it hands what a webhook holds to the router, and answers in time.
func (p *process) take(e delivery.Envelope, answer func(conversation.Verdict)) {
	over := false
	once := func(v conversation.Verdict) {
		if !over && p.proc == p {
			over = true
			answer(v)
		}
	}
	p.w.record.comment("node %d routes %s", p.index, describe(e))
	routed := p.w.checks.routed(p, e)
	answered := false
	p.unanswered++
	p.router.Deliver(e, func(o delivery.Outcome) {
		if answered {
			p.w.fail("a delivery was answered twice")
		}
		answered = true
		p.unanswered--
		if o.Err != nil {
			once(0)
			return
		}
		routed(o.Verdict)
		once(o.Verdict)
	})
	p.in(gatewayTimeout, func() { once(0) })
}
