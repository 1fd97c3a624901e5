package conversation

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// batch returns the messages of the next turn in order; none where they have to wait, until wakeMs
// where that is known.
func (b *inbox) batch() (messages []waiting, wakeMs int64) {
	if b.empty() {
		return nil, 0
	}
	if at := b.readyMs(); at > b.ledger.nowMs {
		return nil, at
	}
	if b.cfg.Burst.Policy.Splits() {
		next := earliest(b.waiting)
		return b.waiting[next : next+1 : next+1], 0
	}
	messages = together(inOrder(b.waiting, b.cfg.Burst.MaxMessages))
	if i := slices.IndexFunc(messages, func(w waiting) bool { return w.message.Seq < b.order.apartBefore }); i >= 0 {
		messages = messages[:max(1, i):max(1, i)]
	}
	return messages, 0
}

// split gives these messages a turn each: a turn over all of them has failed for good. What is
// wrong with one of them, or with all of them together (too many replies), must not make a dead
// letter of the others.
func (b *inbox) split(messages []*wactorv1.Message) {
	for _, message := range messages {
		b.order.apartBefore = max(b.order.apartBefore, message.Seq+1)
	}
}

// readyMs is when the messages that wait may be taken.
func (b *inbox) readyMs() int64 {
	burst, hold := &b.cfg.Burst, b.cfg.Order.Hold.Milliseconds()
	if hold == 0 && (!burst.Policy.Waits() || burst.Quiet == 0) {
		return 0
	}
	oldest, newest, flush := b.waiting[0].message.ReceivedMs, int64(0), len(b.waiting) >= burst.MaxMessages
	for _, w := range b.waiting {
		oldest, newest = min(oldest, w.message.ReceivedMs), max(newest, w.message.ReceivedMs)
		flush = flush || w.message.Choice != nil || burst.Flushes(w.message.Text)
	}
	at := int64(0)
	if burst.Policy.Waits() && !flush {
		at = min(newest+burst.Quiet.Milliseconds(), oldest+burst.MaxWait.Milliseconds())
	}
	return max(at, oldest+hold)
}

// interruptible reports whether a turn over messages may be given up for one more. A user who never
// stops writing interrupts for MaxWait at most.
func (b *inbox) interruptible(messages []*wactorv1.Message, more *wactorv1.Message) bool {
	burst := &b.cfg.Burst
	if !burst.Policy.Interrupts() || len(messages) == 0 || len(messages) >= burst.MaxMessages ||
		messages[0].Seq < b.order.apartBefore {
		return false
	}
	size, oldest := proto.Size(more), b.ledger.nowMs
	for _, m := range messages {
		size, oldest = size+proto.Size(m), min(oldest, m.ReceivedMs)
	}
	return size <= maxTogether && b.ledger.nowMs-oldest < burst.MaxWait.Milliseconds()
}

// Messages that wait together are taken by the time at which they were sent, then by arrival.
// WhatsApp's clock knows whole seconds: two messages of one second differ by their arrival
// alone, unless all that wait of that second carry milliseconds. (To compare each pair by what that
// pair carries would not be an order: with a at 1 s, b at 1.5 s and c at 1.4 s arriving as b, a, c,
// each would come before the next.)

// sentMs is when the user sent a message: by the provider's clock, or failing that when it came.
func sentMs(m *wactorv1.Message) int64 {
	if m.SentMs > 0 {
		return m.SentMs
	}
	return m.ReceivedMs
}

func sentSecond(m *wactorv1.Message) int64 { return sentMs(m) / 1000 }

func hasMillis(m *wactorv1.Message) bool { return sentMs(m)%1000 != 0 }

// earliest returns the index of the first message in order; -1 where none waits.
func earliest(inbox []waiting) int {
	best, fine := -1, true
	for i := range inbox {
		m := inbox[i].message
		switch {
		case best < 0 || sentSecond(m) < sentSecond(inbox[best].message):
			best, fine = i, hasMillis(m)
		case sentSecond(m) == sentSecond(inbox[best].message):
			fine = fine && hasMillis(m)
		}
	}
	if best < 0 || !fine {
		return best
	}
	second := sentSecond(inbox[best].message)
	for i := range inbox {
		if m := inbox[i].message; sentSecond(m) == second && sentMs(m) < sentMs(inbox[best].message) {
			best = i
		}
	}
	return best
}

// inOrder returns the first n messages in order.
func inOrder(inbox []waiting, n int) []waiting {
	sorted := slices.Clone(inbox)
	slices.SortStableFunc(sorted, func(a, b waiting) int {
		return cmp.Compare(sentSecond(a.message),
			sentSecond(b.message))
	})
	for begin := 0; begin < len(sorted); {
		end, fine := begin, true
		for ; end < len(sorted) && sentSecond(sorted[end].message) == sentSecond(sorted[begin].message); end++ {
			fine = fine && hasMillis(sorted[end].message)
		}
		if fine {
			slices.SortStableFunc(sorted[begin:end], func(a, b waiting) int {
				return cmp.Compare(sentMs(a.message),
					sentMs(b.message))
			})
		}
		begin = end
	}
	return sorted[:min(n, len(sorted))]
}

// isLate reports whether a message was sent before one that a turn has taken already (newestMs), by
// the same comparison.
func isLate(m *wactorv1.Message, newestMs int64) bool {
	sent := sentMs(m)
	if sent/1000 != newestMs/1000 {
		return sent < newestMs
	}
	return sent%1000 != 0 && newestMs%1000 != 0 && sent < newestMs
}

// dropLate absorbs late messages where the bot does not want them, and flags them where it does.
// What is flagged already stays: a dead letter that an operator wants to be tried again is never
// dropped for being late.
func (b *inbox) dropLate(messages []waiting) []waiting {
	kept := make([]waiting, 0, len(messages))
	for _, w := range messages {
		if w.message.Late || !isLate(w.message, min(b.order.newestMs, b.ledger.nowMs)) {
			kept = append(kept, w)
			continue
		}
		if b.cfg.Order.Late == policy.Drop {
			b.consume(w.message.Seq)
			b.ledger.absorbed(w.message, "late: a message that was sent later was processed before")
			continue
		}
		w.message.Late = true
		kept = append(kept, w)
	}
	return kept
}

// comesLate reports whether a message was sent before one that a turn has taken, or takes.
func (b *inbox) comesLate(message *wactorv1.Message, underway []*wactorv1.Message) bool {
	newest := b.order.newestMs
	for _, m := range underway {
		newest = max(newest, sentMs(m))
	}
	return isLate(message, min(newest, b.ledger.nowMs))
}
