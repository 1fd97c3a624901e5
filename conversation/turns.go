package conversation

import (
	"slices"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// turns runs the bot: one turn at a time, over messages that it takes from the inbox, or over a
// timer. It owns the bot's state, the timers, and of the head the version, the attempts of the turn
// that failed, and when the conversation was last active.
type turns struct {
	ledger *ledger
	cfg    *Config
	inbox  *inbox
	// version is the number of turns committed.
	version uint64
	run     run
	retry   retry
	timers  timers
	session session
}

// run is the turn under way, if one is.
type run struct {
	turn *Turn
	// inline: the draft waits for its answer.
	inline    bool
	startedMs int64
	// wakeMs is when messages or timers that wait may be taken; 0 where none does.
	wakeMs int64
	// committed is the commit of the last turn.
	committed uint64
	// noticed is the version of the turn during which the user was notified that the bot is busy.
	noticed uint64
}

func (t *turns) load(h *wactorv1.Head) {
	t.version, t.session.activeMs = h.Version, h.ActiveMs
	t.retry.attempts, t.retry.messages, t.retry.timer, t.retry.atMs, t.retry.unreachableMs =
		h.Attempts, h.RetryMessages, h.RetryTimer, h.RetryAtMs, h.UnreachableMs
}

func (t *turns) save(h *wactorv1.Head) {
	h.Version, h.ActiveMs = t.version, t.session.activeMs
	h.Attempts, h.RetryMessages, h.RetryTimer, h.RetryAtMs, h.UnreachableMs =
		t.retry.attempts, t.retry.messages, t.retry.timer, t.retry.atMs, t.retry.unreachableMs
}

// running reports whether a bot call is under way.
func (t *turns) running() bool { return t.run.turn != nil }

// current reports whether a result is that of the bot call under way.
func (t *turns) current(turn *Turn) bool { return turn != nil && t.run.turn == turn }

// stop forgets the turn under way: its answer, should one still come, is ignored.
func (t *turns) stop() { t.run.turn, t.run.inline = nil, false }

// waits reports whether a failed turn has to wait for its next attempt, or the bot for its return.
func (t *turns) waits() bool {
	at := max(t.retry.atMs, t.retry.notBeforeMs)
	if at <= t.ledger.nowMs {
		return false
	}
	if len(t.inbox.waiting)+len(t.timers.byDue) > 0 {
		t.run.wakeMs = at
	}
	return true
}

// next returns what the next turn is about: messages, or a timer, or neither where all has to wait.
// A turn that failed is repeated as it was, so that its id stays the same. Else what became due
// first goes first.
func (t *turns) next() (messages []waiting, timer *wactorv1.Timer) {
	if messages, timer = t.repeated(); messages == nil && timer == nil {
		messages, timer = t.fresh()
	}
	if timer != nil && !t.ledger.applied(t.run.committed) || !t.stored(messages) {
		// A bot that calls out gets only what is on disk: the message, and the state of the turn
		// before. Running another message meanwhile would take them out of turn. The commit that is
		// awaited will bring us back here.
		return nil, nil
	}
	return messages, timer
}

// repeated returns what the failed turn was about that is to be tried again.
func (t *turns) repeated() (messages []waiting, timer *wactorv1.Timer) {
	if t.retry.attempts == 0 {
		return nil, nil
	}
	return t.inbox.find(t.retry.messages), t.timers.get(t.retry.timer)
}

func (t *turns) fresh() (messages []waiting, timer *wactorv1.Timer) {
	messages, wake := t.inbox.batch()
	timer, timerWake := t.timers.due()
	if timerWake > 0 && (wake == 0 || timerWake < wake) {
		wake = timerWake
	}
	switch {
	case len(messages) == 0 && timer == nil:
		t.run.wakeMs = wake
		return nil, nil
	case timer != nil && (len(messages) == 0 || timer.DueMs <= messages[0].message.ReceivedMs):
		return nil, timer
	}
	return messages, nil
}

// stored reports whether messages may be run now: inline at once, else when they and the turn
// before are on disk.
func (t *turns) stored(messages []waiting) bool {
	if len(messages) == 0 || len(messages) == 1 && t.inbox.mayInline(messages[0]) {
		return true
	}
	for _, w := range messages {
		if !t.ledger.applied(max(w.revision, t.run.committed)) {
			return false
		}
	}
	return true
}

// start calls the bot over messages, or over the timer of a turn whose other parts the turns know.
func (t *turns) start(messages []waiting, turn *Turn) {
	l := t.ledger
	turn.Attempt, turn.Conversation, turn.Version = int(t.retry.attempts)+1, l.id, t.version
	turn.State, turn.Messages, turn.Now = t.session.state, unwrap(messages), time.UnixMilli(l.nowMs).UTC()
	t.run.inline = len(messages) == 1 && t.inbox.mayInline(messages[0])
	t.inbox.keepHistory(t.cfg.Handoff.Hold)
	turn.Events = unwrap(t.inbox.stored(t.inbox.events, t.run.inline))
	turn.History = unwrap(t.inbox.stored(t.inbox.history, t.run.inline))
	turn.ID = turnID(l.id, l.head.CreatedMs, t.version, turn.Timer, seqs(turn.Messages)...)
	t.run.turn, t.run.startedMs = turn, l.nowMs
	l.effect(CallBot{Turn: turn, Inline: t.run.inline})
}

// check says why an answer can't be committed; where it can, the reason is empty, and the sums are
// those of its replies.
func (t *turns) check(answer *Answer) (sums [MaxReplies]uint32, reason string) {
	switch {
	case len(answer.Replies) > MaxReplies:
		return sums, "more than 20 replies in one turn"
	case len(answer.State) > MaxStateBytes:
		return sums, "state larger than 256 KiB"
	}
	if reason := t.timers.unfit(answer, t.run.turn.Timer); reason != "" {
		return sums, reason
	}
	if reason := answer.Handoff.unfit(t.ledger.nowMs); reason != "" {
		return sums, reason
	}
	for i, reply := range answer.Replies {
		sum, err := sumOf(reply)
		if err != nil {
			return sums, "a reply holds invalid UTF-8"
		}
		sums[i] = sum
	}
	return sums, ""
}

// complete commits an answer, and returns its turn: the replies are the caller's to post.
func (t *turns) complete(e Answered) *Turn {
	answer, turn := e.Answer, t.end()
	beside := slices.Concat(turn.Events, turn.History)
	for _, message := range beside {
		t.inbox.consume(message.Seq)
	}
	t.run.committed = t.ledger.next()
	t.version++
	t.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, Node: t.cfg.Node, TurnId: turn.ID,
		MessageSeqs:   append(seqs(turn.Messages), seqs(beside)...),
		VersionBefore: turn.Version, VersionAfter: t.version,
		StartedMs: t.run.startedMs, BotUs: e.BotMicros, Attempt: uint32(turn.Attempt),
		Replies: uint32(len(answer.Replies)), Late: turn.late(), Timer: timerName(turn.Timer), Reason: answer.Note,
	})
	switch {
	case turn.Timer.GetName() == sessionExpired:
		t.endSession()
	case answer.End:
		if t.session.state != nil {
			t.session.set(t.ledger, nil)
		}
	case answer.State != nil:
		t.session.set(t.ledger, answer.State)
	}
	t.timers.change(answer)
	t.session.activeMs = t.ledger.nowMs
	t.watchSession()
	t.inbox.taken(turn.Messages)
	return turn
}

// end takes what the turn under way is about out of the conversation: it is consumed, or becomes a
// dead letter.
func (t *turns) end() *Turn {
	turn := t.run.turn
	t.stop()
	t.retry.forget()
	for _, message := range turn.Messages {
		t.inbox.consume(message.Seq)
	}
	// else it was set anew meanwhile
	if timer := turn.Timer; timer != nil && t.timers.get(timer.Name).GetDueMs() == timer.DueMs {
		t.timers.cancel(timer.Name)
	}
	return turn
}

// deferInline gives an inline turn up, so that its message is accepted before the bot is called.
func (t *turns) deferInline(e Deferred) {
	if t.current(e.Turn) {
		t.inbox.deferInline(t.run.turn.Messages[0].Seq)
		t.stop()
	}
}

// interrupt gives the running turn up for a new message, where the policy wants it: its messages
// and the new one are taken together. So are those of a turn that failed and waits for its next
// attempt.
func (t *turns) interrupt(message *wactorv1.Message) {
	turn := t.run.turn
	switch {
	case turn == nil && t.inbox.interruptible(unwrap(t.inbox.find(t.retry.messages)), message):
		t.retry.messages = nil
	case turn != nil && !t.run.inline && t.inbox.interruptible(turn.Messages, message):
		t.ledger.note(&wactorv1.JournalEntry{
			Kind: wactorv1.JournalKind_JOURNAL_KIND_INTERRUPTED, Node: t.cfg.Node, TurnId: turn.ID,
			MessageSeqs: seqs(turn.Messages), StartedMs: t.run.startedMs, Attempt: uint32(turn.Attempt),
		})
		t.run.turn = nil
		t.retry.messages = nil
		t.ledger.effect(CancelBot{turn})
	}
}

// giveUp cancels the turn under way, and forgets the one that failed: another conversation takes
// what they are about.
func (t *turns) giveUp() {
	t.retry.forget()
	if t.running() {
		t.ledger.effect(CancelBot{t.run.turn})
		t.stop()
	}
}

// busy reports whether a message is rejected now.
func (t *turns) busy() bool {
	return t.cfg.Burst.Policy.Rejects() && (t.running() || !t.inbox.empty())
}

// notice reports whether the user is notified now that the bot is busy: once for each turn.
func (t *turns) notice() bool {
	if t.cfg.Burst.Notice == "" || t.run.noticed == t.version+1 {
		return false
	}
	t.run.noticed = t.version + 1
	return true
}

// underway are the messages that a turn takes, or will take again.
func (t *turns) underway() []*wactorv1.Message {
	if t.running() {
		return t.run.turn.Messages
	}
	return unwrap(t.inbox.find(t.retry.messages))
}
