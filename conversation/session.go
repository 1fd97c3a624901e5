package conversation

import (
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// expire resets the state where the conversation was idle for too long before this moment: a
// message that comes then begins anew. Work that is unfinished is not idleness. Where the bot wants
// a turn for it, the session's timer does it instead.
func (c *Conversation) expire() {
	idle := c.cfg.Session.Idle.Milliseconds()
	if idle == 0 || c.state == nil || c.turn != nil || len(c.inbox) > 0 || c.nowMs-c.head.ActiveMs <= idle ||
		c.timer(SessionExpired) != nil {
		return
	}
	c.endSession()
}

func (c *Conversation) endSession() {
	c.setState(nil)
	c.note(&wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_SESSION_EXPIRED, Node: c.cfg.Node})
}

// watchSession keeps the session's timer where the bot wants a turn at its end. The timer is not
// moved with every message: when it rings too early it is set again, so that a session costs one
// timer for each idle time and not for each message.
func (c *Conversation) watchSession() {
	session := &c.cfg.Session
	switch {
	case session.Idle == 0 || !session.Turn || c.state == nil:
		c.cancelTimer(SessionExpired)
	case c.timer(SessionExpired) == nil:
		c.setTimer(SessionExpired, c.nowMs+session.Idle.Milliseconds())
	}
}

// sessionOver reports whether a session has ended whose turn is still to come: its timer is late,
// or the turn is tried again. What comes meanwhile does not bring it back. Work that was unfinished
// at its end is not idleness.
func (c *Conversation) sessionOver() bool {
	idle := c.cfg.Session.Idle.Milliseconds()
	end := c.head.ActiveMs + idle
	return idle > 0 && c.timer(SessionExpired) != nil && c.nowMs > end &&
		!slices.ContainsFunc(c.inbox, func(w waiting) bool { return w.message.ReceivedMs <= end })
}

// sessionGoesOn moves a session's timer that rang too early, and ends one that the configuration
// wants no more; false where the bot is to be told that the session is over.
func (c *Conversation) sessionGoesOn(timer *wactorv1.Timer) bool {
	if timer.Name != SessionExpired {
		return false
	}
	session := &c.cfg.Session
	end := c.head.ActiveMs + session.Idle.Milliseconds()
	switch {
	case session.Idle > 0 && end > timer.DueMs:
		c.setTimer(SessionExpired, end)
	case session.Turn && session.Idle > 0:
		return false
	default:
		c.cancelTimer(SessionExpired)
		if session.Idle > 0 {
			c.endSession()
		}
	}
	c.forgetTries() // where its turn waited for the next one
	return true
}
