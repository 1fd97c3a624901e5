package conversation

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// inbox holds the messages that wait for a turn, in the order of their arrival, and decides which
// of them a turn takes. Of the head it owns the next arrival number, the newest time of sending
// that a turn has taken, and the taps that are young enough to be debounced.
type inbox struct {
	ledger  *ledger
	cfg     *Config
	waiting []waiting
	// bytes is the sum of their sizes.
	bytes int
	// events start no turn and wait for the next one: they are no unfinished work.
	events []waiting
	// history is for the next turn: what a person has seen or written.
	history []waiting
	next    uint64
	order   order
	presses []*wactorv1.Press
}

// order is what the inbox knows of the turns that were.
type order struct {
	// newestMs is the largest time of sending that a turn has taken: what is older comes late.
	newestMs int64
	// apartBefore is the number before which messages have turns of their own: one turn over
	// several of them has failed for good. It is not stored: after a crash they may fail together
	// again.
	apartBefore uint64
}

// waiting is a message in the inbox.
type waiting struct {
	message *wactorv1.Message
	// revision is the commit that accepts it; written says that this commit has been made.
	revision uint64
	written  bool
	// deferred says that the bot could not take it inline.
	deferred bool
	// size is what the message takes, in bytes.
	size int
}

// maxInboxBytes bounds what waits in one conversation: a message may have 3 MiB, and a bot that is
// down may leave a thousand of them.
const maxInboxBytes = 16 << 20

// maxTogether bounds messages that take one way together, in bytes: into a turn, into the dead
// letter of one, or over to another conversation. A commit may hold eight times as much, so that it
// always has room for them.
const maxTogether = 4 << 20

func (b *inbox) load(h *wactorv1.Head) {
	b.next, b.order.newestMs, b.presses = h.NextInbox, h.NewestSentMs, h.Presses
}

func (b *inbox) save(h *wactorv1.Head) {
	h.NextInbox, h.NewestSentMs, h.Presses = b.next, b.order.newestMs, b.presses
}

func (b *inbox) empty() bool { return len(b.waiting) == 0 }

// full reports whether no further message may wait.
func (b *inbox) full() bool { return len(b.waiting) >= b.cfg.Limits.Inbox || b.bytes >= maxInboxBytes }

// unfit says why a message is kept without being run; empty where it is to be run.
func (b *inbox) unfit(message *wactorv1.Message) string {
	if message.Type == TypeUnreadable {
		return "unreadable webhook: " + message.Text
	}
	if message.SentMs > 0 && b.ledger.nowMs-message.SentMs > b.cfg.StaleAfter.Milliseconds() {
		return "stale: sent more than " + b.cfg.StaleAfter.String() + " before it arrived"
	}
	return ""
}

// number gives a message that is new here its arrival number.
func (b *inbox) number(message *wactorv1.Message) {
	message.Seq = b.next
	b.next++
}

// queue puts a message behind those that wait; the commit of this step accepts it.
func (b *inbox) queue(message *wactorv1.Message) {
	b.add(waiting{message: message, revision: b.ledger.next()})
}

func (b *inbox) add(w waiting) {
	w.size = proto.Size(w.message)
	switch {
	case w.message.History:
		b.history = append(b.history, w)
		return
	case w.message.Event:
		b.events = append(b.events, w)
		return
	}
	b.bytes += w.size
	b.waiting = append(b.waiting, w)
}

// consume takes a message or an event out.
func (b *inbox) consume(seq uint64) {
	taken := func(w waiting) bool {
		if w.message.Seq != seq {
			return false
		}
		if !w.message.Event && !w.message.History {
			b.bytes -= w.size
		}
		if w.written {
			b.ledger.delete(wactorv1.RecordKind_RECORD_KIND_INBOX, record.Number(seq))
		}
		return true
	}
	b.waiting, b.events = slices.DeleteFunc(b.waiting, taken), slices.DeleteFunc(b.events, taken)
	b.history = slices.DeleteFunc(b.history, taken)
	b.ledger.touch()
}

// find returns those of these messages that wait.
func (b *inbox) find(numbers []uint64) (messages []waiting) {
	for _, seq := range numbers {
		for _, w := range b.waiting {
			if w.message.Seq == seq {
				messages = append(messages, w)
			}
		}
	}
	return messages
}

// deferInline notes that the bot can't take a message inline.
func (b *inbox) deferInline(seq uint64) {
	for i := range b.waiting {
		if b.waiting[i].message.Seq == seq {
			b.waiting[i].deferred = true
		}
	}
}

// mayInline reports whether the bot may answer a message inline: nothing may come before or with
// it.
func (b *inbox) mayInline(w waiting) bool {
	return b.cfg.Inline && !w.deferred && b.cfg.Burst.Policy.Splits() && b.cfg.Order.Hold == 0
}

// taken notes the messages of a turn that is committed.
func (b *inbox) taken(messages []*wactorv1.Message) {
	for _, message := range messages {
		// else one dated ahead would make all others late
		b.order.newestMs = max(b.order.newestMs, min(sentMs(message), b.ledger.nowMs))
	}
}

// flush writes the messages that no turn of this very commit has consumed.
func (b *inbox) flush() {
	for _, messages := range [...][]waiting{b.waiting, b.events, b.history} {
		for i := range messages {
			if w := &messages[i]; !w.written {
				b.ledger.put(wactorv1.RecordKind_RECORD_KIND_INBOX, record.Number(w.message.Seq), w.message)
				w.written = true
			}
		}
	}
}

// together returns the first messages that may go together: at least one.
func together(messages []waiting) []waiting {
	size := 0
	for i, w := range messages {
		if size += w.size; i > 0 && size > maxTogether {
			return messages[:i:i]
		}
	}
	return messages
}

func unwrap(messages []waiting) []*wactorv1.Message {
	out := make([]*wactorv1.Message, len(messages))
	for i, w := range messages {
		out[i] = w.message
	}
	return out
}

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
		size -= b.events[0].size
		b.drop(b.events[0], "too many events wait for the next turn")
	}
}

// all returns the messages that wait, the events and the history.
func (b *inbox) all() []waiting { return slices.Concat(b.waiting, b.events, b.history) }

// stored returns which of these a turn may read: those on disk, or all where it is inline.
func (b *inbox) stored(messages []waiting, inline bool) []waiting {
	end := len(messages)
	for end > 0 && !inline && !b.ledger.applied(messages[end-1].revision) {
		end--
	}
	return messages[:end]
}

// maxHistoryBytes bounds the history, which one turn takes.
const maxHistoryBytes = 512 << 10

// keepHeld absorbs the oldest messages where more wait than are held for a bot that does not own
// the conversation.
func (b *inbox) keepHeld(most int) {
	for len(b.waiting) > most || b.bytes > maxInboxBytes {
		b.drop(b.waiting[0], "too many messages are held")
	}
}

// keepHistory absorbs the oldest history where there is too much of it.
func (b *inbox) keepHistory(most int) {
	size := 0
	for _, w := range b.history {
		size += w.size
	}
	for len(b.history) > most || size > maxHistoryBytes {
		size -= b.history[0].size
		b.drop(b.history[0], "too much was said for the history")
	}
}

// drop absorbs a message that waits.
func (b *inbox) drop(w waiting, reason string) {
	b.consume(w.message.Seq)
	b.ledger.absorbed(w.message, reason)
}

// release decides what becomes of the messages that were held, now that the bot owns the
// conversation again.
func (b *inbox) release(held policy.Held, most int) {
	if held == policy.Run {
		return
	}
	for _, w := range slices.Clone(b.waiting) {
		if held == policy.Forget {
			b.drop(w, "held, and dropped when the bot got the conversation back")
			continue
		}
		b.consume(w.message.Seq)
		w.message = proto.CloneOf(w.message)
		w.message.History, w.written, w.revision = true, false, b.ledger.next()
		b.history = append(b.history, w)
	}
	slices.SortFunc(b.history, func(x, y waiting) int { return cmp.Compare(x.message.Seq, y.message.Seq) })
	b.keepHistory(most)
}
