package conversation

import (
	"hash/fnv"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// startTurn runs the bot over the next message, if none is running and one may be run.
func (c *Conversation) startTurn() {
	if c.turn != nil || c.stopping || c.nowMs < c.head.RetryAtMs {
		return
	}
	next := c.nextMessage()
	if next < 0 {
		return
	}
	w := c.inbox[next]
	message := w.message
	message.Late = sentMs(message) < c.head.NewestSentMs
	c.turn = &Turn{
		ID:           turnID(c.id, c.head.CreatedMs, c.head.Version, message.Seq),
		Attempt:      int(c.head.Attempts) + 1,
		Conversation: c.id,
		Version:      c.head.Version,
		User:         c.head.User,
		State:        c.state,
		Messages:     []*wactorv1.Message{message},
		Now:          time.UnixMilli(c.nowMs).UTC(),
	}
	c.startedMs = c.nowMs
	c.inline = c.mayInline(w)
	c.effect(CallBot{Turn: c.turn, Inline: c.inline})
}

// nextMessage returns the index of the message whose turn it is, -1 where it may not be run yet. A turn that failed is repeated
// over its message. Else what waits together is taken by the second in which it was sent, then by arrival: the provider's
// clock knows whole seconds, and two messages of one second are told apart by their arrival alone.
func (c *Conversation) nextMessage() int {
	best := -1
	for i, w := range c.inbox {
		if c.head.Attempts > 0 && w.message.Seq == c.head.RetryInbox {
			best = i
			break
		}
		if best < 0 || sentMs(w.message)/1000 < sentMs(c.inbox[best].message)/1000 {
			best = i
		}
	}
	if best < 0 || c.mayInline(c.inbox[best]) || max(c.inbox[best].revision, c.turned) <= c.applied {
		return best
	}
	// A bot that calls out gets only what is on disk: the message, and the state of the turn before. Running another message
	// meanwhile would take them out of turn.
	return -1
}

func (c *Conversation) mayInline(w waiting) bool { return c.cfg.Inline && !w.deferred }

// sentMs is when the user sent a message: by the provider's clock, or failing that when it came.
func sentMs(m *wactorv1.Message) int64 {
	if m.SentMs > 0 {
		return m.SentMs
	}
	return m.ReceivedMs
}

// current reports whether a result is that of the turn under way.
func (c *Conversation) current(turnID string) bool { return c.turn != nil && c.turn.ID == turnID }

// answered commits a turn.
func (c *Conversation) answered(e Answered) {
	if !c.current(e.TurnID) {
		return
	}
	answer := e.Answer
	switch {
	case len(answer.Replies) > MaxReplies:
		c.failed(Failed{TurnID: e.TurnID, Reason: "more than 20 replies in one turn", BotMicros: e.BotMicros})
		return
	case len(answer.State) > MaxStateBytes:
		c.failed(Failed{TurnID: e.TurnID, Reason: "state larger than 256 KiB", BotMicros: e.BotMicros})
		return
	case len(answer.Timers) > 0:
		c.failed(Failed{TurnID: e.TurnID, Reason: "timers are not available in this version", BotMicros: e.BotMicros})
		return
	}
	for _, reply := range answer.Replies {
		if _, err := proto.Marshal(reply); err != nil {
			c.failed(Failed{TurnID: e.TurnID, Reason: "a reply holds invalid UTF-8", BotMicros: e.BotMicros})
			return
		}
	}
	turn := c.endTurn()
	c.turned = c.revision + 1
	c.head.Version++
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, Node: c.cfg.Node, TurnId: turn.ID, MessageSeqs: seqs(turn.Messages),
		VersionBefore: turn.Version, VersionAfter: c.head.Version, StartedMs: c.startedMs, BotUs: e.BotMicros,
		Attempt: uint32(turn.Attempt), Replies: uint32(len(answer.Replies)), Late: turn.Messages[0].Late, Reason: answer.Note,
	})
	switch {
	case answer.End:
		c.setState(nil)
	case answer.State != nil:
		c.setState(answer.State)
	}
	for _, reply := range answer.Replies {
		c.post(reply, c.head.Version, turn)
	}
	for _, message := range turn.Messages {
		c.head.NewestSentMs = max(c.head.NewestSentMs, sentMs(message))
	}
}

// endTurn takes the messages of the turn under way out of the inbox: they are consumed, or become a dead letter.
func (c *Conversation) endTurn() *Turn {
	turn := c.turn
	c.turn, c.inline = nil, false
	c.head.Attempts, c.head.RetryInbox, c.head.RetryAtMs = 0, 0, 0
	for _, message := range turn.Messages {
		c.consume(message.Seq)
	}
	return turn
}

func (c *Conversation) consume(seq uint64) {
	c.inbox = slices.DeleteFunc(c.inbox, func(w waiting) bool {
		if w.message.Seq != seq {
			return false
		}
		if w.written {
			c.delete(wactorv1.RecordKind_RECORD_KIND_INBOX, seqKey(seq))
		}
		return true
	})
	c.draft.dirty = true
}

// deferTurn gives an inline turn up, so that its message is accepted before the bot is called.
func (c *Conversation) deferTurn(e Deferred) {
	if !c.current(e.TurnID) {
		return
	}
	for i := range c.inbox {
		if c.inbox[i].message.Seq == c.turn.Messages[0].Seq {
			c.inbox[i].deferred = true
		}
	}
	c.turn, c.inline = nil, false
}

// failed waits for the next attempt, or makes a dead letter of the messages and goes on.
func (c *Conversation) failed(e Failed) {
	if !c.current(e.TurnID) {
		return
	}
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, Node: c.cfg.Node, TurnId: c.turn.ID, MessageSeqs: seqs(c.turn.Messages),
		StartedMs: c.startedMs, BotUs: e.BotMicros, Attempt: uint32(c.turn.Attempt), Reason: e.Reason,
	})
	if e.Retryable && c.turn.Attempt < c.cfg.Retry.MaxAttempts {
		c.head.Attempts = uint32(c.turn.Attempt)
		c.head.RetryInbox = c.turn.Messages[0].Seq
		c.head.RetryAtMs = c.nowMs + c.cfg.Retry.backoff(c.turn.ID, c.turn.Attempt).Milliseconds()
		c.turn, c.inline = nil, false
		return
	}
	turn := c.endTurn()
	c.bury(&wactorv1.DeadLetter{Reason: "bot: " + e.Reason, Messages: turn.Messages})
	if c.cfg.OnFailure != nil {
		c.post(c.cfg.OnFailure, 0, turn)
	}
}

// backoff is the wait after a failed attempt (1, 2, 3, ...). The jitter is drawn from the turn's id: it spreads conversations
// as a random number would, and is the same in every replay.
func (r Retry) backoff(turnID string, attempt int) time.Duration {
	wait := r.Max
	if shift := attempt - 1; shift < 32 && r.Min<<shift < r.Max && r.Min<<shift > 0 {
		wait = r.Min << shift
	}
	hash := fnv.New32a()
	hash.Write([]byte(turnID))
	hash.Write([]byte{byte(attempt)})
	jitter := float64(hash.Sum32())/float64(1<<32)*0.4 - 0.2
	return wait + time.Duration(jitter*float64(wait))
}

// bury keeps what could not be processed.
func (c *Conversation) bury(letter *wactorv1.DeadLetter) {
	letter.Seq, letter.AtMs = c.head.NextDead, c.nowMs
	c.head.NextDead++
	c.head.DeadLetters++
	c.put(wactorv1.RecordKind_RECORD_KIND_DEAD, seqKey(letter.Seq), letter)
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, Reason: letter.Reason, MessageSeqs: seqs(letter.Messages),
		ReplySeq: letter.Reply.GetSeq(),
	})
}

func seqs(messages []*wactorv1.Message) []uint64 {
	out := make([]uint64, len(messages))
	for i, m := range messages {
		out[i] = m.Seq
	}
	return out
}
