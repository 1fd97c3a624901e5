package examples

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestSlowBotAnswersOnceAndStopsWhenInterrupted: a turn over several messages gets one reply; a
// request that is closed ends, and the bot goes on with the next.
func TestSlowBotAnswersOnceAndStopsWhenInterrupted(t *testing.T) {
	t.Setenv("THINK_MS", "400")
	b := connect(t, start(t, "node", "slow-bot/bot.mjs"), "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Turn(ctx, turnOf("A", "", "a")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an interrupted turn: %v", err)
	}
	answer, err := b.Turn(t.Context(), turnOf("B", `{"turns":4}`, "a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if state, replies := texts(answer); state != `{"turns":5}` || len(replies) != 1 || replies[0] != "step 5: a | b | c" {
		t.Errorf("state %s, replies %q", state, replies)
	}
}
