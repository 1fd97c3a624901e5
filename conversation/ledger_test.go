package conversation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestTimerThatIsDueWaitsForTheTurnBefore: so that one's commit is not lazy, though it has no
// reply.
func TestTimerThatIsDueWaitsForTheTurnBefore(t *testing.T) {
	cfg := Config{}.WithDefaults()
	for dueMs, want := range map[int64]bool{99: false, 100: false, 101: true} {
		c := New(ID{Channel: "shop", User: "49151"}, cfg)
		c.ledger.nowMs, c.turns.timers.byDue = 100, []*wactorv1.Timer{{Name: "again", DueMs: dueMs}}
		if got := quiet(c); got != want {
			t.Errorf("a timer that is due at %d, at 100: nothing waits: %v", dueMs, got)
		}
	}
}

// TestReasonsMayHoldAnything: what a bot says of its failure can be stored, whatever it is made of.
func TestReasonsMayHoldAnything(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.keepUp()
	turn := w.call.Turn
	w.call = nil
	w.step(Failed{Turn: turn, Reason: "broken \xff"})
	w.comeToRest()
	if letters := w.letters(); len(letters) != 1 || letters[0].Reason != "bot: broken ?" {
		t.Errorf("dead letters %v", letters)
	}
}

// TestTimersHaveReadableNames: another can't be stored, and fails its turn.
func TestTimersHaveReadableNames(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.keepUp()
	w.answerWith(&Answer{Timers: []SetTimer{{Name: "broken \xff", After: 1e9}}})
	w.comeToRest()
	if letters := w.letters(); len(letters) != 1 || letters[0].Reason != "bot: a timer can't have this name" {
		t.Errorf("dead letters %v", letters)
	}
}

// TestHeadFromTheFuture: a head that was written while messages from the future counted makes
// none late.
func TestHeadFromTheFuture(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Order.Late = policy.Drop
	w := newWorld(cfg)
	w.c.inbox.order.newestMs = w.nowMs + 1e12
	w.deliver("m1", w.nowMs)
	w.comeToRest()
	if w.c.Version() != 1 {
		t.Error("the message was dropped")
	}
}

// TestNothingIsInterruptedInVain: one that does not fit beside those of the turn waits for the
// next.
func TestNothingIsInterruptedInVain(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Burst = policy.Burst{Policy: policy.Interrupt, MaxWait: time.Minute, MaxMessages: 10}
	for size, interrupted := range map[int]bool{maxTogether / 3: true, maxTogether - 100: false} {
		w := newWorld(cfg)
		for i := range 2 {
			w.deliverMessage(&wactorv1.Message{Id: fmt.Sprint("m", i), Type: "text", Text: strings.Repeat("x", size),
				SentMs: w.nowMs})
			w.keepUp()
		}
		if w.call == nil || (len(w.late) > 0) != interrupted || (len(w.call.Turn.Messages) == 2) != interrupted {
			t.Errorf("two messages of %d bytes: %d cancelled calls, call %v", size, len(w.late), w.call)
		}
	}
}
