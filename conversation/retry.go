package conversation

import (
	"hash/fnv"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// retry is the turn that failed and is due for its next attempt.
type retry struct {
	// attempts is how many have failed, messages or timer what the turn is about, atMs when it may
	// be tried again.
	attempts uint32
	messages []uint64
	timer    string
	atMs     int64
	// notBeforeMs is when the bot may be called again that was not called since it fails for all
	// conversations. It is not stored.
	notBeforeMs int64
	// unreachableMs is since when the bot is not reached for this turn; 0 where it is. Unreached
	// counts the attempts since; it is not stored.
	unreachableMs int64
	unreached     int
	// apologised: the user was notified of messages which were taken apart.
	apologised bool
}

// forget ends the wait of a failed turn for its next attempt.
func (r *retry) forget() {
	*r = retry{notBeforeMs: r.notBeforeMs, apologised: r.apologised}
}

// failed waits for the next attempt, gives each message a turn of its own, or makes a dead letter
// of what the turn was about. It returns that turn where the user is to be notified, else nil.
func (t *turns) failed(e Failed) *Turn {
	turn := t.run.turn
	if e.NotCalled {
		// Nothing is written: while a bot is down this happens again and again to each of its
		// conversations.
		wait := backoff(policy.Retry{Min: e.RetryAfter, Max: e.RetryAfter}, turn.ID, 1)
		t.retry.notBeforeMs = t.ledger.nowMs + wait.Milliseconds()
		t.stop()
		return nil
	}
	if !e.NotReached {
		t.retry.unreachableMs, t.retry.unreached = 0, 0
	} else if waits, first := t.retry.waitUnreached(t.ledger.nowMs, t.cfg.Retry, turn.ID); waits {
		if first {
			t.ledger.note(t.run.failed(e, t.cfg.Node))
		}
		t.stop()
		return nil
	}
	t.ledger.note(t.run.failed(e, t.cfg.Node))
	switch {
	case e.Retryable && turn.Attempt < t.cfg.Retry.MaxAttempts:
		t.retry.attempts = uint32(turn.Attempt)
		t.retry.messages, t.retry.timer = seqs(turn.Messages), turn.Timer.GetName()
		t.retry.atMs = t.ledger.nowMs + backoff(t.cfg.Retry, turn.ID, turn.Attempt).Milliseconds()
		t.stop()
		return nil
	case !e.Retryable && len(turn.Messages) > 1:
		t.inbox.split(turn.Messages)
		t.retry.forget()
		t.run.turn, t.retry.apologised = nil, false
		return nil
	}
	return t.abandon(e.Reason)
}

// waitUnreached takes an attempt that did not reach the bot. It waits for the next one without
// counting it; false once that has lasted for too long. First says that it is the first such
// attempt, which alone is written: the bot did not see the turn, so the next one may be over other
// messages.
func (r *retry) waitUnreached(nowMs int64, p policy.Retry, turnID string) (waits, first bool) {
	first = r.unreachableMs == 0
	if p.Unreachable == 0 || !first && nowMs-r.unreachableMs >= p.Unreachable.Milliseconds() {
		return false, false
	}
	if first {
		r.unreachableMs = nowMs
	}
	r.unreached++
	r.atMs = nowMs + backoff(p, turnID, r.unreached).Milliseconds()
	return true, first
}

// failed is the journal entry of a failed attempt.
func (r *run) failed(e Failed, node string) *wactorv1.JournalEntry {
	return &wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, Node: node, TurnId: r.turn.ID,
		MessageSeqs: seqs(r.turn.Messages), StartedMs: r.startedMs, BotUs: e.BotMicros,
		Attempt: uint32(r.turn.Attempt), Timer: timerName(r.turn.Timer), Reason: e.Reason,
	}
}

// abandon makes a dead letter of what the turn under way is about. The user is notified once of
// messages that were taken apart, and not of timers.
func (t *turns) abandon(reason string) *Turn {
	turn := t.end()
	t.ledger.deadLetter(&wactorv1.DeadLetter{Reason: "bot: " + reason, Messages: turn.Messages, Timer: turn.Timer})
	if turn.Timer.GetName() == sessionExpired {
		t.endSession() // the session is over all the same
	}
	apart := len(turn.Messages) > 0 && turn.Messages[0].Seq < t.inbox.order.apartBefore
	if t.cfg.OnFailure.Reply == "" || turn.Timer != nil || apart && t.retry.apologised {
		return nil
	}
	t.retry.apologised = apart
	return turn
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
