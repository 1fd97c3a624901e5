package conversation

import (
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestUnreachedAttemptsWaitForATime: the first is written, those within the time are not counted,
// and the ones behind it are.
func TestUnreachedAttemptsWaitForATime(t *testing.T) {
	p := policy.Retry{Min: time.Second, Max: 10 * time.Second, Unreachable: time.Minute}
	for name, test := range map[string]struct {
		policy       policy.Retry
		sinceMs      int64
		waits, first bool
	}{
		"the first":      {p, 0, true, true},
		"a later one":    {p, 100_000 - 59_000, true, false},
		"after the time": {p, 100_000 - 60_000, false, false},
		"switched off":   {policy.Retry{Min: time.Second, Max: time.Second}, 0, false, false},
	} {
		r := retry{unreachableMs: test.sinceMs}
		waits, first := r.waitUnreached(100_000, test.policy, "turn")
		if waits != test.waits || first != test.first || waits != (r.atMs > 100_000) || r.attempts != 0 {
			t.Errorf("%s: waits %v, first %v, next at %d, %d attempts", name, waits, first, r.atMs, r.attempts)
		}
	}
}

// TestTimersOfAnAnswer: what can't be set fails the turn with a reason.
func TestTimersOfAnAnswer(t *testing.T) {
	many := make([]SetTimer, MaxTimers+1)
	for i := range many {
		many[i] = SetTimer{Name: strings.Repeat("n", i+1), After: time.Second}
	}
	for want, answer := range map[string]*Answer{
		"":                             {Timers: []SetTimer{{Name: strings.Repeat("n", maxTimerName), After: 1}}},
		"a timer can't have this name": {Timers: []SetTimer{{Name: strings.Repeat("n", maxTimerName+1), After: 1}}},
		"a timer must be set ahead":    {Timers: []SetTimer{{Name: "n"}}},
		"more than 50 timers":          {Timers: many},
	} {
		if got := (&timers{}).unfit(answer, nil); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestIdentitiesAreClaimedOnce: its own name, known names and the one that it is merged into are
// not.
func TestIdentitiesAreClaimedOnce(t *testing.T) {
	c := New(ID{Channel: "shop", User: "1"}, Config{}.WithDefaults())
	i := &c.identities
	i.names, i.yieldsTo = []string{"2"}, "3"
	i.claim("", "1", "2", "3", "4", "4")
	if len(i.claims) != 1 || i.claims[0] != "4" || !c.ledger.draft.dirty {
		t.Errorf("claims %v", i.claims)
	}
}

// TestDueTimersComeInOrder: by time, then by name.
func TestDueTimersComeInOrder(t *testing.T) {
	c := New(ID{Channel: "shop", User: "1"}, Config{}.WithDefaults())
	for _, timer := range []*wactorv1.Timer{{Name: "b", DueMs: 5}, {Name: "a", DueMs: 5}, {Name: "c", DueMs: 4}} {
		c.turns.timers.set(timer.Name, timer.DueMs)
	}
	for nowMs, want := range map[int64]string{3: "", 4: "c", 9: "c"} {
		c.ledger.nowMs = nowMs
		if timer, _ := c.turns.timers.due(); timer.GetName() != want {
			t.Errorf("at %d the timer %q is due, want %q", nowMs, timer.GetName(), want)
		}
	}
}
