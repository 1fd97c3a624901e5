package conversation

import (
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestTimerThatIsDueWaitsForTheTurnBefore: so that one's commit is not lazy, though it has no reply.
func TestTimerThatIsDueWaitsForTheTurnBefore(t *testing.T) {
	cfg := Config{}.WithDefaults()
	for dueMs, want := range map[int64]bool{99: false, 100: false, 101: true} {
		c := New(ID{Channel: "shop", User: "49151"}, cfg)
		c.nowMs, c.timers = 100, []*wactorv1.Timer{{Name: "again", DueMs: dueMs}}
		if got := c.quiet(); got != want {
			t.Errorf("a timer that is due at %d, at 100: nothing waits: %v", dueMs, got)
		}
	}
}
