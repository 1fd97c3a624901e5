package conversation

import (
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Events are messages of types that the bot does not receive: they wait beside the inbox, start no
// turn, and are given to the next one. Few are kept, and the oldest are absorbed first.
const (
	maxEvents     = 20
	maxEventBytes = 256 << 10
)

// receive decides whether a message starts a turn. First says that it begins a session.
func (b *inbox) receive(message *wactorv1.Message, first bool) {
	message.Event = !b.cfg.Receives.Starts(message.Type, first)
}

// keepEvents absorbs the oldest events where too many wait.
func (b *inbox) keepEvents() {
	size := 0
	for _, w := range b.events {
		size += w.size
	}
	for len(b.events) > maxEvents || size > maxEventBytes {
		oldest := b.events[0]
		size -= oldest.size
		b.consume(oldest.message.Seq)
		b.ledger.absorbed(oldest.message, "too many events wait for the next turn")
	}
}

// all returns the messages that wait and the events.
func (b *inbox) all() []waiting { return slices.Concat(b.waiting, b.events) }

// happened returns the events that a turn may read: those on disk, or all where it is inline.
func (b *inbox) happened(inline bool) []waiting {
	end := len(b.events)
	for end > 0 && !inline && !b.ledger.applied(b.events[end-1].revision) {
		end--
	}
	return b.events[:end]
}
