package conversation

import (
	"hash/fnv"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// startTurn runs the bot over the next messages or the next timer, if no turn is under way and one
// may be run.
func (c *Conversation) startTurn() {
	c.wakeMs = 0
	for c.turn == nil && !c.stopping && !c.linking() {
		if at := max(c.head.RetryAtMs, c.notBeforeMs); at > c.nowMs {
			if len(c.inbox)+len(c.timers) > 0 {
				c.wakeMs = at
			}
			return
		}
		messages, timer := c.next()
		switch {
		case timer != nil && c.sessionGoesOn(timer):
		case timer != nil:
			c.run(nil, timer)
		case len(messages) == 0:
			return
		default:
			if messages = c.dropLate(messages); len(messages) > 0 {
				c.run(messages, nil)
			}
		}
	}
}

// next returns what the next turn is about: messages, or a timer, or neither where all has to wait.
// A turn that failed is repeated as it was, so that its id stays the same. Else what became due
// first goes first.
func (c *Conversation) next() (messages []waiting, timer *wactorv1.Timer) {
	if messages, timer = c.repeated(); messages == nil && timer == nil {
		messages, timer = c.fresh()
	}
	if timer != nil && c.turned > c.applied || !c.stored(messages) {
		// A bot that calls out gets only what is on disk: the message, and the state of the turn
		// before. Running another message meanwhile would take them out of turn. The commit that is
		// awaited will bring us back here.
		return nil, nil
	}
	return messages, timer
}

// repeated returns what the failed turn was about that is to be tried again.
func (c *Conversation) repeated() (messages []waiting, timer *wactorv1.Timer) {
	if c.head.Attempts == 0 {
		return nil, nil
	}
	return c.retryMessages(), c.timer(c.head.RetryTimer)
}

// retryMessages returns those of the failed turn.
func (c *Conversation) retryMessages() (messages []waiting) {
	for _, seq := range c.head.RetryMessages {
		for _, w := range c.inbox {
			if w.message.Seq == seq {
				messages = append(messages, w)
			}
		}
	}
	return messages
}

func (c *Conversation) fresh() (messages []waiting, timer *wactorv1.Timer) {
	messages, wake := c.batch()
	timer, timerWake := c.dueTimer()
	if timerWake > 0 && (wake == 0 || timerWake < wake) {
		wake = timerWake
	}
	switch {
	case len(messages) == 0 && timer == nil:
		c.wakeMs = wake
		return nil, nil
	case timer != nil && (len(messages) == 0 || timer.DueMs <= messages[0].message.ReceivedMs):
		return nil, timer
	}
	return messages, nil
}

// stored reports whether messages may be run now: inline at once, else when they and the turn
// before are on disk.
func (c *Conversation) stored(messages []waiting) bool {
	if len(messages) == 0 || len(messages) == 1 && c.mayInline(messages[0]) {
		return true
	}
	for _, w := range messages {
		if max(w.revision, c.turned) > c.applied {
			return false
		}
	}
	return true
}

// dropLate absorbs late messages where the bot does not want them, and flags them where it does.
// What is flagged already stays: a dead letter that an operator wants to be tried again is never
// dropped for being late.
func (c *Conversation) dropLate(messages []waiting) []waiting {
	kept := make([]waiting, 0, len(messages))
	for _, w := range messages {
		if w.message.Late || !isLate(w.message, min(c.head.NewestSentMs, c.nowMs)) {
			kept = append(kept, w)
			continue
		}
		if c.cfg.Order.Late == policy.Drop {
			c.consume(w.message.Seq)
			c.absorb(w.message, "late: a message that was sent later was processed before")
			continue
		}
		w.message.Late = true
		kept = append(kept, w)
	}
	return kept
}

// run starts a turn.
func (c *Conversation) run(messages []waiting, timer *wactorv1.Timer) {
	turn := &Turn{
		Attempt: int(c.head.Attempts) + 1, Conversation: c.id, Version: c.head.Version, User: c.head.User,
		State: c.state,
		Timer: timer, Now: time.UnixMilli(c.nowMs).UTC(),
	}
	turn.Messages = unwrap(messages)
	turn.ID = turnID(c.id, c.head.CreatedMs, c.head.Version, timer, seqs(turn.Messages)...)
	if window := c.cfg.Sending.Window; window > 0 && c.head.LastMessageMs > 0 {
		turn.WindowUntil = time.UnixMilli(c.head.LastMessageMs).Add(window).UTC()
	}
	c.turn = turn
	c.startedMs = c.nowMs
	c.inline = len(messages) == 1 && c.mayInline(messages[0])
	c.effect(CallBot{Turn: turn, Inline: c.inline})
}

func unwrap(messages []waiting) []*wactorv1.Message {
	out := make([]*wactorv1.Message, len(messages))
	for i, w := range messages {
		out[i] = w.message
	}
	return out
}

func (c *Conversation) mayInline(w waiting) bool {
	return c.cfg.Inline && !w.deferred && c.cfg.Burst.Policy.Splits() && c.cfg.Order.Hold == 0
}

// current reports whether a result is that of the bot call under way.
func (c *Conversation) current(turn *Turn) bool { return turn != nil && c.turn == turn }

// answered commits a turn.
func (c *Conversation) answered(e Answered) {
	if !c.current(e.Turn) {
		return
	}
	answer := e.Answer
	switch {
	case len(answer.Replies) > MaxReplies:
		c.failed(Failed{Turn: e.Turn, Reason: "more than 20 replies in one turn", BotMicros: e.BotMicros})
		return
	case len(answer.State) > MaxStateBytes:
		c.failed(Failed{Turn: e.Turn, Reason: "state larger than 256 KiB", BotMicros: e.BotMicros})
		return
	}
	if reason := c.unfitTimers(answer); reason != "" {
		c.failed(Failed{Turn: e.Turn, Reason: reason, BotMicros: e.BotMicros})
		return
	}
	for _, reply := range answer.Replies {
		if _, err := proto.Marshal(reply); err != nil {
			c.failed(Failed{Turn: e.Turn, Reason: "a reply holds invalid UTF-8", BotMicros: e.BotMicros})
			return
		}
	}
	turn := c.endTurn()
	c.turned = c.revision + 1
	c.head.Version++
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, Node: c.cfg.Node, TurnId: turn.ID,
		MessageSeqs:   seqs(turn.Messages),
		VersionBefore: turn.Version, VersionAfter: c.head.Version, StartedMs: c.startedMs, BotUs: e.BotMicros,
		Attempt: uint32(turn.Attempt), Replies: uint32(len(answer.Replies)), Late: turn.late(),
		Timer:  turn.Timer.GetName(),
		Reason: answer.Note,
	})
	switch {
	case turn.Timer.GetName() == SessionExpired:
		c.endSession()
	case answer.End:
		if c.state != nil {
			c.setState(nil)
		}
	case answer.State != nil:
		c.setState(answer.State)
	}
	c.changeTimers(answer)
	c.head.ActiveMs = c.nowMs
	c.watchSession()
	for _, reply := range answer.Replies {
		c.say(reply, c.head.Version, turn.answers())
	}
	for _, message := range turn.Messages {
		// else one dated ahead would make all others late
		c.head.NewestSentMs = max(c.head.NewestSentMs, min(sentMs(message), c.nowMs))
	}
}

// endTurn takes what the turn under way is about out of the conversation: it is consumed, or
// becomes a dead letter.
func (c *Conversation) endTurn() *Turn {
	turn := c.turn
	c.turn, c.inline = nil, false
	c.forgetTries()
	for _, message := range turn.Messages {
		c.consume(message.Seq)
	}
	// else it was set anew meanwhile
	if timer := turn.Timer; timer != nil && c.timer(timer.Name).GetDueMs() == timer.DueMs {
		c.cancelTimer(timer.Name)
	}
	return turn
}

// forgetTries ends the wait of a failed turn for its next try.
func (c *Conversation) forgetTries() {
	c.head.Attempts, c.head.RetryMessages, c.head.RetryTimer, c.head.RetryAtMs = 0, nil, "", 0
}

func (c *Conversation) consume(seq uint64) {
	c.inbox = slices.DeleteFunc(c.inbox, func(w waiting) bool {
		if w.message.Seq != seq {
			return false
		}
		c.inboxBytes -= w.size
		if w.written {
			c.delete(wactorv1.RecordKind_RECORD_KIND_INBOX, record.Number(seq))
		}
		return true
	})
	c.draft.dirty = true
}

// deferTurn gives an inline turn up, so that its message is accepted before the bot is called.
func (c *Conversation) deferTurn(e Deferred) {
	if !c.current(e.Turn) {
		return
	}
	for i := range c.inbox {
		if c.inbox[i].message.Seq == c.turn.Messages[0].Seq {
			c.inbox[i].deferred = true
		}
	}
	c.turn, c.inline = nil, false
}

// failed waits for the next attempt, tries each message by itself, or makes a dead letter of what
// the turn was about and goes on.
func (c *Conversation) failed(e Failed) {
	if !c.current(e.Turn) {
		return
	}
	if e.NotCalled {
		// Nothing is written: while a bot is down this happens again and again to each of its
		// conversations.
		wait := backoff(policy.Retry{Min: e.RetryAfter, Max: e.RetryAfter}, c.turn.ID, 1)
		c.notBeforeMs = c.nowMs + wait.Milliseconds()
		c.turn, c.inline = nil, false
		return
	}
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, Node: c.cfg.Node, TurnId: c.turn.ID,
		MessageSeqs: seqs(c.turn.Messages),
		StartedMs:   c.startedMs, BotUs: e.BotMicros, Attempt: uint32(c.turn.Attempt), Timer: c.turn.Timer.GetName(),
		Reason: e.Reason,
	})
	if e.Retryable && c.turn.Attempt < c.cfg.Retry.MaxAttempts {
		c.head.Attempts = uint32(c.turn.Attempt)
		c.head.RetryMessages, c.head.RetryTimer = seqs(c.turn.Messages), c.turn.Timer.GetName()
		c.head.RetryAtMs = c.nowMs + backoff(c.cfg.Retry, c.turn.ID, c.turn.Attempt).Milliseconds()
		c.turn, c.inline = nil, false
		return
	}
	if !e.Retryable && len(c.turn.Messages) > 1 {
		c.takeApart()
		return
	}
	turn := c.endTurn()
	c.deadLetter(&wactorv1.DeadLetter{Reason: "bot: " + e.Reason, Messages: turn.Messages, Timer: turn.Timer})
	if turn.Timer.GetName() == SessionExpired {
		c.endSession() // the session is over all the same
	}
	apart := len(turn.Messages) > 0 && turn.Messages[0].Seq < c.apartBefore
	if sorry := textReply(c.cfg.OnFailure.Reply); sorry != nil && turn.Timer == nil && !(apart && c.apologised) {
		c.say(sorry, 0, turn.answers())
		c.apologised = apart
	}
}

// backoff is the wait after a failed attempt (1, 2, 3, ...). The jitter is drawn from the turn's
// id: it spreads conversations as a random number would, and is the same in every replay.
func backoff(r policy.Retry, turnID string, attempt int) time.Duration {
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

// deadLetter keeps what could not be processed.
func (c *Conversation) deadLetter(letter *wactorv1.DeadLetter) {
	letter.Seq, letter.AtMs, letter.Reason = c.head.NextDead, c.nowMs, readable(letter.Reason)
	c.head.NextDead++
	c.head.DeadLetters++
	c.put(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(letter.Seq), letter)
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
