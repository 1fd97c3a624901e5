package sim

import (
	"fmt"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// user writes messages of a conversation. What users write comes from the provider, who posts each
// message to any node until one answers that it is accepted.
type user struct {
	index    int
	id       conversation.ID
	shard    uint32
	messages []*message
}

// message is one that a user wrote.
type message struct {
	id     string
	number int // of the user's
	sentMs int64
	// written: the user has written it. acknowledged: a node has answered that it was accepted.
	written, acknowledged bool
}

// delivery is a message, or a status, on its way from the provider to a conversation.
type delivery struct {
	user   *user
	id     string
	sentMs int64
	status *conversation.StatusArrived
	// answer takes the verdict; 0 where the delivery was refused, or its fate is not known.
	answer func(conversation.Verdict)
}

// message makes the message; each delivery has its own, since a conversation changes what it is
// given.
func (d *delivery) message(w *World) *wactorv1.Message {
	return &wactorv1.Message{Id: d.id, Type: "text", Text: d.id, SentMs: d.sentMs, ReceivedMs: w.wallMs()}
}

func (w *World) settleUsers() {
	for i := range w.rules.users {
		u := &user{index: i, id: conversation.ID{Channel: "shop", User: fmt.Sprint(49151 + i)}}
		u.shard = 1 + uint32(i%w.rules.shards)
		for n := range w.rules.messages {
			u.messages = append(u.messages, &message{id: fmt.Sprintf("wamid.%d.%d", i, n), number: n})
		}
		w.users = append(w.users, u)
	}
}

// write has the users write at any time of the trouble, sometimes several messages at once.
func (w *World) write() {
	for _, u := range w.users {
		at := time.Duration(0)
		for _, m := range u.messages {
			if !w.chance(0.3) {
				at = w.between(0, w.rules.trouble)
			}
			w.after(at+w.between(0, 3*time.Millisecond), func() {
				m.written, m.sentMs = true, w.wallMs()
				w.Stats.Messages++
				w.deliver(u, m)
			})
		}
	}
}

// deliver posts a message until it is accepted, and sometimes once more.
func (w *World) deliver(u *user, m *message) {
	called := w.checks.call()
	w.post(&delivery{user: u, id: m.id, sentMs: m.sentMs}, func(verdict conversation.Verdict) {
		w.checks.delivered(u, m, called, verdict)
		again := w.between(20*time.Millisecond, 400*time.Millisecond)
		switch {
		case verdict != conversation.Accepted && verdict != conversation.Duplicate:
			w.after(again, func() { w.deliver(u, m) })
			return
		case w.healed || !w.chance(0.15):
		default:
			w.after(again, func() { w.deliver(u, m) })
		}
		if !m.acknowledged {
			m.acknowledged = true
			w.Stats.Acknowledged++
		}
	})
}

// deliverStatus posts a status until it is accepted.
func (w *World) deliverStatus(u *user, status conversation.StatusArrived) {
	w.post(&delivery{user: u, status: &status}, func(verdict conversation.Verdict) {
		if verdict != conversation.Accepted && verdict != conversation.Duplicate {
			w.after(w.between(20*time.Millisecond, 400*time.Millisecond), func() { w.deliverStatus(u, status) })
		}
	})
}

// Timeouts of the provider and of a gateway.
const (
	postTimeout    = 1200 * time.Millisecond
	gatewayTimeout = 800 * time.Millisecond
)

// post posts a webhook to some node. outcome is called once, with 0 where nobody answered in time.
func (w *World) post(d *delivery, outcome func(conversation.Verdict)) {
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
			p.gateway(d, func(v conversation.Verdict) { w.after(time.Millisecond, func() { answer(v) }) })
		})
	})
	w.after(postTimeout, func() { answer(0) })
}

// gateway takes a webhook and hands it to the leader of its conversation's shard, as far as this
// node knows.
func (p *process) gateway(d *delivery, answer func(conversation.Verdict)) {
	over := false
	once := func(v conversation.Verdict) {
		if !over && p.proc == p {
			over = true
			answer(v)
		}
	}
	to := p.w.nodeOf[p.leads[d.user.shard].Node]
	if to == nil {
		to = p.w.hints[d.user.shard]
	}
	if to == nil {
		once(0)
		return
	}
	w, arrived := p.w, false
	w.network.send(p.node, to, func(q *process) {
		if arrived {
			return // a call is not doubled: what carries it numbers its bytes
		}
		arrived = true
		forwarded := *d
		answered := false
		forwarded.answer = func(v conversation.Verdict) {
			if answered {
				w.fail("a delivery was answered twice")
			}
			answered = true
			if !q.dead.Load() {
				w.network.send(q.node, p.node, func(now *process) {
					if now == p {
						once(v)
					}
				})
			}
		}
		q.tables[d.user.shard].deliver(&forwarded)
	})
	p.in(gatewayTimeout, func() { once(0) })
}
