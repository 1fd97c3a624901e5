package conversation

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// batch returns the messages of the next turn in order; none where they have to wait, until wakeMs
// where that is known.
func (c *Conversation) batch() (messages []waiting, wakeMs int64) {
	if len(c.inbox) == 0 {
		return nil, 0
	}
	if at := c.readyMs(); at > c.nowMs {
		return nil, at
	}
	if c.cfg.Burst.Policy.Splits() {
		next := earliest(c.inbox)
		return c.inbox[next : next+1 : next+1], 0
	}
	messages = together(inOrder(c.inbox, c.cfg.Burst.MaxMessages))
	if i := slices.IndexFunc(messages, func(w waiting) bool { return w.message.Seq < c.apartBefore }); i >= 0 {
		messages = messages[:max(1, i):max(1, i)]
	}
	return messages, 0
}

// takeApart gives the messages of a turn that failed for good a turn each: what is wrong with one
// of them, or with all of them together (too many replies), is not to make a dead letter of the
// others. The user hears of it once. Nothing of it is stored. After a crash they may fail together
// once more.
func (c *Conversation) takeApart() {
	for _, message := range c.turn.Messages {
		c.apartBefore = max(c.apartBefore, message.Seq+1)
	}
	c.forgetTries()
	c.turn, c.apologised = nil, false
}

// maxTogether bounds messages that take one way together, in bytes: into a turn, into the dead
// letter of one, or over to another conversation. A commit may hold eight times as much, so that it
// always has room for them.
const maxTogether = 4 << 20

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

// flushes reports whether a message ends the wait for quiet at once.
func flushes(burst *policy.Burst, m *wactorv1.Message) bool {
	return m.Choice != nil || burst.Flushes(m.Text)
}

// readyMs is when the messages that wait may be taken.
func (c *Conversation) readyMs() int64 {
	burst, hold := &c.cfg.Burst, c.cfg.Order.Hold.Milliseconds()
	if hold == 0 && (!burst.Policy.Waits() || burst.Quiet == 0) {
		return 0
	}
	oldest, newest, flush := c.inbox[0].message.ReceivedMs, int64(0), len(c.inbox) >= burst.MaxMessages
	for _, w := range c.inbox {
		oldest, newest = min(oldest, w.message.ReceivedMs), max(newest, w.message.ReceivedMs)
		flush = flush || flushes(burst, w.message)
	}
	at := int64(0)
	if burst.Policy.Waits() && !flush {
		at = min(newest+burst.Quiet.Milliseconds(), oldest+burst.MaxWait.Milliseconds())
	}
	return max(at, oldest+hold)
}

// interrupt gives the running turn up for a new message, where the policy wants it: its messages
// and the new one are taken together. So are those of a turn that failed and waits for its next
// attempt.
func (c *Conversation) interrupt(message *wactorv1.Message) {
	turn := c.turn
	switch {
	case turn == nil && c.interruptible(unwrap(c.retryMessages()), message):
		c.head.RetryMessages = nil
	case turn != nil && !c.inline && c.interruptible(turn.Messages, message):
		c.note(&wactorv1.JournalEntry{
			Kind: wactorv1.JournalKind_JOURNAL_KIND_INTERRUPTED, Node: c.cfg.Node, TurnId: turn.ID,
			MessageSeqs: seqs(turn.Messages),
			StartedMs:   c.startedMs, Attempt: uint32(turn.Attempt),
		})
		c.turn = nil
		c.head.RetryMessages = nil
		c.effect(CancelBot{turn})
	}
}

// interruptible reports whether a turn over messages may be given up for one more. A user who never
// stops writing interrupts for MaxWait at most.
func (c *Conversation) interruptible(messages []*wactorv1.Message, more *wactorv1.Message) bool {
	burst := &c.cfg.Burst
	if !burst.Policy.Interrupts() || len(messages) == 0 || len(messages) >= burst.MaxMessages ||
		messages[0].Seq < c.apartBefore {
		return false
	}
	size, oldest := proto.Size(more), c.nowMs
	for _, m := range messages {
		size, oldest = size+proto.Size(m), min(oldest, m.ReceivedMs)
	}
	return size <= maxTogether && c.nowMs-oldest < burst.MaxWait.Milliseconds()
}

// busy reports whether a message is rejected now.
func (c *Conversation) busy() bool {
	return c.cfg.Burst.Policy.Rejects() && (c.turn != nil || len(c.inbox) > 0)
}

// refuseBusy absorbs a message that came while the bot was busy, with one notice for each turn.
func (c *Conversation) refuseBusy(message *wactorv1.Message) {
	c.absorb(message, "the bot was busy")
	if notice := textReply(c.cfg.Burst.Notice); notice != nil && c.noticed != c.head.Version+1 {
		c.noticed = c.head.Version + 1
		c.say(notice, 0, message.Id)
	}
}

// absorb ends a message that was accepted and that no turn takes.
func (c *Conversation) absorb(message *wactorv1.Message, reason string) {
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ABSORBED, MessageSeqs: []uint64{message.Seq}, MessageId: message.Id,
		Reason: reason,
	})
}
