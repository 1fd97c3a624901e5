package sim

import (
	"fmt"
	"time"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// person writes messages. They come from the provider, who posts each to any node until one answers
// that it is accepted.
type person struct {
	index    int
	messages []*message
	// users are the identities under which the person is known: one, or a phone, a business-scoped
	// id, and another phone.
	users []*user
}

// linked reports whether the person is known under several identities.
func (p *person) linked() bool { return len(p.users) > 1 }

// user is one identity, which may have a conversation.
type user struct {
	index  int
	id     conversation.ID
	shard  uint32
	person *person
}

// message is one that a person wrote.
type message struct {
	id     string
	number int // of the person's
	sentMs int64
	// to is the identity that its webhook names first, names all of them.
	to    *user
	names *wactorv1.User
	kind  string // the message's type
	// written: the person has written it. acknowledged: a node has answered that it was accepted.
	written, acknowledged bool
	// accepted counts the answers that it was, and no duplicate.
	accepted int
}

func (w *World) settleUsers() {
	for i := range w.rules.users {
		p := &person{index: i}
		w.persons = append(w.persons, p)
		p.settle(w, fmt.Sprint(49151+i))
		if w.rules.linked {
			p.settle(w, fmt.Sprintf("US.%d", i))
			p.settle(w, fmt.Sprint(49251+i))
		}
		for n := range w.rules.messages {
			m := &message{id: fmt.Sprintf("wamid.%d.%d", i, n), number: n, kind: "text"}
			p.address(w, m)
			p.messages = append(p.messages, m)
		}
	}
}

func (p *person) settle(w *World, name string) {
	u := &user{index: len(w.users), id: conversation.ID{Channel: channel, User: name}, person: p}
	u.shard = placement.ShardOf(u.id.String(), uint32(w.rules.shards))
	p.users = append(p.users, u)
	w.users = append(w.users, u)
	w.userOf[u.id.String()] = u
}

// address draws under which identities a message comes.
func (p *person) address(w *World, m *message) {
	m.to, m.names = p.users[0], &wactorv1.User{WaId: p.users[0].id.User}
	if !p.linked() {
		return
	}
	phone, id, other := p.users[0], p.users[1], p.users[2]
	switch w.rng.IntN(7) {
	case 0: // as above
	case 1: // the phone is withheld
		m.to, m.names = id, &wactorv1.User{UserId: id.id.User}
	case 2: // the number has changed
		m.to, m.names = other, &wactorv1.User{WaId: other.id.User}
	case 3, 4:
		m.names.UserId = id.id.User
	case 5:
		m.to, m.names = other, &wactorv1.User{WaId: other.id.User, UserId: id.id.User}
	case 6: // the provider reports that the number has changed
		m.to, m.names, m.kind = phone, &wactorv1.User{WaId: other.id.User}, "system"
	}
}

// write has the users write at any time of the trouble, sometimes several messages at once.
func (w *World) write() {
	for _, p := range w.persons {
		at := time.Duration(0)
		for _, m := range p.messages {
			if !w.chance(0.3) {
				at = w.between(0, w.rules.trouble)
			}
			w.after(at+w.between(0, 3*time.Millisecond), func() {
				m.written, m.sentMs = true, w.wallMs()
				w.Stats.Messages++
				w.deliver(m)
			})
		}
	}
}

// deliver posts a message until it is accepted, and sometimes once more.
func (w *World) deliver(m *message) {
	called := w.checks.call()
	content := func() delivery.Envelope {
		user := &wactorv1.User{WaId: m.names.WaId, UserId: m.names.UserId}
		in := &wactorv1.Message{Id: m.id, Type: m.kind, Text: m.id, SentMs: m.sentMs, ReceivedMs: w.wallMs()}
		e := delivery.Envelope{To: m.to.id, Origin: "gateway", Body: delivery.Inbound{Message: in, User: user}}
		if m.kind == "system" {
			e.Body = delivery.Identity{Message: in, User: user}
		}
		return e
	}
	w.post(content, func(verdict conversation.Verdict) {
		w.checks.delivered(m, called, verdict)
		again := w.between(20*time.Millisecond, 400*time.Millisecond)
		switch {
		case verdict != conversation.Accepted && verdict != conversation.Duplicate:
			w.after(again, func() { w.deliver(m) })
			return
		case w.healed || !w.chance(0.15):
		default:
			w.after(again, func() { w.deliver(m) })
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
