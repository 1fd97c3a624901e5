package bot

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
)

// TestBudgetIsOfTheBot: past it a turn ends, however few steps it took, and is tried again.
func TestBudgetIsOfTheBot(t *testing.T) {
	b := NewFlow(slowFlow(t), time.Nanosecond)
	defer b.Close()
	turn := simpleTurn("T1")
	turn.Messages[0].Text = strings.Repeat("a", 100)
	_, _, err := b.Inline(turn)
	var failed *conversation.BotError
	if !errors.As(err, &failed) || !strings.HasSuffix(failed.Reason, "it takes too long") || !failed.Retryable {
		t.Errorf("%v", err)
	}
}

// slowFlow works with the square of what a user wrote.
func slowFlow(t *testing.T) *flow.Flow {
	t.Helper()
	f, err := flow.Parse("x", []byte("name: x\nstart: a\nsteps:\n  a: { say: \"{{ count(split(message.text, ''), "+
		"count(split(message.text, ''), # == 'x') > 100000) }}\", wait: a }\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAFlowWorksForATenthOfASecond: an expression over what a user wrote ends, whatever the text
// is.
func TestAFlowWorksForATenthOfASecond(t *testing.T) {
	b := NewFlow(slowFlow(t), DefaultBudget)
	defer b.Close()
	turn := simpleTurn("T1")
	turn.Messages[0].Text = strings.Repeat("a", 4000)
	start := time.Now()
	_, _, err := b.Inline(turn)
	var failed *conversation.BotError
	if !errors.As(err, &failed) || !strings.HasSuffix(failed.Reason, "it takes too long") &&
		!strings.HasSuffix(failed.Reason, "it takes too many steps") {
		t.Errorf("%v", err)
	}
	// Three seconds without a bound, on a machine that does nothing else.
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestTimeOfServicesDoesNotCount: a stopwatch stands still while a service answers.
func TestTimeOfServicesDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stopwatch{budget: DefaultBudget}
		w.start()
		time.Sleep(60 * time.Millisecond)
		w.stop()
		time.Sleep(time.Hour)
		w.start()
		if w.expired() {
			t.Error("expired after 60 ms")
		}
		time.Sleep(41 * time.Millisecond)
		if !w.expired() {
			t.Error("not expired after 101 ms")
		}
	})
}
