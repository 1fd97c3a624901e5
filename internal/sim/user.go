package sim

import (
	"fmt"
	"time"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
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

func (w *World) settleUsers() {
	for i := range w.rules.users {
		u := &user{index: i, id: conversation.ID{Channel: channel, User: fmt.Sprint(49151 + i)}}
		u.shard = placement.ShardOf(u.id.String(), uint32(w.rules.shards))
		for n := range w.rules.messages {
			u.messages = append(u.messages, &message{id: fmt.Sprintf("wamid.%d.%d", i, n), number: n})
		}
		w.users = append(w.users, u)
		w.userOf[u.id.String()] = u
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
	content := func() delivery.Envelope {
		return delivery.Envelope{To: u.id, Origin: "gateway", Body: delivery.Inbound{
			User:    &wactorv1.User{WaId: u.id.User},
			Message: &wactorv1.Message{Id: m.id, Type: "text", Text: m.id, SentMs: m.sentMs, ReceivedMs: w.wallMs()},
		}}
	}
	w.post(content, func(verdict conversation.Verdict) {
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
func (w *World) deliverStatus(u *user, status delivery.Status) {
	content := func() delivery.Envelope { return delivery.Envelope{To: u.id, Origin: "gateway", Body: status} }
	w.post(content, func(verdict conversation.Verdict) {
		if verdict != conversation.Accepted && verdict != conversation.Duplicate {
			w.after(w.between(20*time.Millisecond, 400*time.Millisecond), func() { w.deliverStatus(u, status) })
		}
	})
}
