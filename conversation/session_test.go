package conversation

import (
	"testing"
	"time"

	"github.com/wactor/wactor/conversation/policy"
)

// inSession is a world whose session has had a turn, and ends in a minute with another one.
func inSession() *world {
	cfg := plainConfig(false)
	cfg.Session = policy.Session{Idle: time.Minute, Turn: true}
	w := newWorld(cfg)
	w.deliver("m1", w.nowMs)
	w.keepUp()
	w.answer()
	w.keepUp()
	return w
}

// restartWith starts anew with another configuration of sessions.
func (w *world) restartWith(session policy.Session) {
	cfg := *w.cfg
	cfg.Session = session
	w.cfg = cfg.WithDefaults()
	w.crash(0)
}

// TestSessionTimerOfAnEarlierConfiguration: a timer that was set when the bot wanted a turn at the
// end of a session does what the configuration of today wants.
func TestSessionTimerOfAnEarlierConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		session policy.Session
		keeps   bool
	}{
		"no end":            {policy.Session{}, true},
		"a longer one":      {policy.Session{Idle: time.Hour, Turn: true}, true},
		"an end, no turn":   {policy.Session{Idle: time.Minute}, false},
		"no end, with turn": {policy.Session{Turn: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := inSession()
			if w.c.turns.timers.get(sessionExpired) == nil || w.c.turns.session.state == nil {
				t.Fatal("there is no session")
			}
			w.restartWith(c.session)
			w.nowMs += 2 * time.Minute.Milliseconds()
			w.tick()
			if w.keepUp(); w.call != nil {
				t.Fatal("the bot got a turn")
			}
			if keeps := w.c.turns.session.state != nil; keeps != c.keeps {
				t.Errorf("the state was kept: %v", keeps)
			}
		})
	}
}

// TestSessionThatGoesOnAfterAll: its turn waited for the next try when a longer time was
// configured. It comes at the new end.
func TestSessionThatGoesOnAfterAll(t *testing.T) {
	w := inSession()
	w.nowMs += 61_000
	w.tick()
	w.keepUp()
	turn := w.call.Turn
	w.call = nil
	w.step(Failed{Turn: turn, Retryable: true, Reason: "503"})
	w.keepUp()
	w.restartWith(policy.Session{Idle: time.Hour, Turn: true})
	w.nowMs += 10_000
	w.tick()
	if w.keepUp(); w.call != nil {
		t.Error("the session ended before its time")
	}
	w.nowMs += time.Hour.Milliseconds()
	w.tick()
	if w.keepUp(); w.call == nil || w.call.Turn.Timer.GetName() != sessionExpired {
		t.Error("the session did not end")
	}
}
