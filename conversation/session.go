package conversation

import (
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// sessionExpired is the name of the timer whose turn ends a session. A bot can't set a timer of
// this name.
const sessionExpired = "session_expired"

// session is the bot's state and when it was last used.
type session struct {
	// state is a JSON object; nil where a session is to begin.
	state []byte
	// activeMs is when a message came or a turn was committed: idle time counts from here.
	activeMs int64
}

func (s *session) set(l *ledger, state []byte) {
	s.state = state
	if state == nil {
		l.delete(wactorv1.RecordKind_RECORD_KIND_STATE, nil)
		return
	}
	l.putBytes(wactorv1.RecordKind_RECORD_KIND_STATE, nil, state)
}

// clear ends state and timers without a turn.
func (t *turns) clear() {
	t.timers.cancelAll()
	for _, event := range slices.Clone(t.timers.byDue) {
		t.timers.cancel(event.Name)
		t.ledger.deadLetter(&wactorv1.DeadLetter{Timer: event,
			Reason: "an event, while its conversation became a name of another one"})
	}
	if t.session.state != nil {
		t.session.set(t.ledger, nil)
	}
}

// sessionBegins reports whether a message that comes now is the first of a session.
func (t *turns) sessionBegins() bool {
	idle := t.cfg.Session.Idle.Milliseconds()
	return t.session.activeMs == 0 || idle > 0 && t.ledger.nowMs-t.session.activeMs > idle
}

// touched notes that a message came.
func (t *turns) touched() {
	if !t.sessionOver() {
		t.session.activeMs = t.ledger.nowMs
	}
}

// expire resets the state where the conversation was idle for too long before this moment: a
// message that comes then begins anew. Work that is unfinished is not idleness. Where the bot wants
// a turn for it, the session's timer does it instead.
func (t *turns) expire() {
	idle := t.cfg.Session.Idle.Milliseconds()
	if idle == 0 || t.session.state == nil || t.running() || !t.inbox.empty() ||
		t.ledger.nowMs-t.session.activeMs <= idle || t.timers.get(sessionExpired) != nil {
		return
	}
	t.endSession()
}

func (t *turns) endSession() {
	t.session.set(t.ledger, nil)
	t.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_SESSION_EXPIRED, Node: t.cfg.Node,
	})
}

// watchSession keeps the session's timer where the bot wants a turn at its end. The timer is not
// moved with every message: when it rings too early it is set again, so that a session costs one
// timer for each idle time and not for each message.
func (t *turns) watchSession() {
	session := &t.cfg.Session
	switch {
	case session.Idle == 0 || !session.Turn || t.session.state == nil:
		t.timers.cancel(sessionExpired)
	case t.timers.get(sessionExpired) == nil:
		t.timers.set(sessionExpired, t.ledger.nowMs+session.Idle.Milliseconds())
	}
}

// sessionOver reports whether a session has ended whose turn is still to come: its timer is late,
// or the turn is tried again. What comes meanwhile does not bring it back. Work that was unfinished
// at its end is not idleness.
func (t *turns) sessionOver() bool {
	idle := t.cfg.Session.Idle.Milliseconds()
	end := t.session.activeMs + idle
	return idle > 0 && t.timers.get(sessionExpired) != nil && t.ledger.nowMs > end &&
		!slices.ContainsFunc(t.inbox.waiting, func(w waiting) bool { return w.message.ReceivedMs <= end })
}

// sessionGoesOn moves a session's timer that rang too early, and ends one that the configuration
// wants no more; false where the bot is to be notified that the session is over.
func (t *turns) sessionGoesOn(timer *wactorv1.Timer) bool {
	if timer.Name != sessionExpired {
		return false
	}
	session := &t.cfg.Session
	end := t.session.activeMs + session.Idle.Milliseconds()
	switch {
	case session.Idle > 0 && end > timer.DueMs:
		t.timers.set(sessionExpired, end)
	case session.Turn && session.Idle > 0:
		return false
	default:
		t.timers.cancel(sessionExpired)
		if session.Idle > 0 {
			t.endSession()
		}
	}
	t.retry.forget() // where its turn waited for the next attempt
	return true
}
