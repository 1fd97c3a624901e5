package actors

import (
	"errors"
	"math"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Timers of conversations that are not in memory are found in the store's index of due times. An
// active conversation has its own alarm; to wake it as well does no harm.

const (
	// timerTick is how often the shards are looked at, and with that how late a timer may be.
	timerTick = 250 * time.Millisecond
	// timerAgain is how soon a timer that was due and is still in the index wakes again: its turn
	// may be under way, or its activation may have failed.
	timerAgain = time.Second
	// defaultTimersAtOnce bounds the conversations that one look at a shard activates.
	defaultTimersAtOnce = 1000
)

// errEnough ends a scan.
var errEnough = errors.New("actors: enough")

// watchTimers wakes conversations whose timers are due, until the runtime stops.
func (r *Runtime) watchTimers() {
	for r.pause(timerTick) {
		now := r.scheduler.Now().UnixMilli()
		for _, t := range r.tables[1:] {
			t.ringTimers(now)
		}
	}
}

// ringTimers wakes the conversations of a shard whose timers are due.
func (t *table) ringTimers(nowMs int64) {
	if t.dueMs.Load() > nowMs || !t.isReady() {
		return
	}
	// What is committed from here on lowers the new value; what was committed before is found by
	// the scan.
	t.dueMs.Store(math.MaxInt64)
	found := 0
	err := t.runtime.options.Store.Due(t.shard, math.MaxInt64/2, func(dueMs int64, name, _ string) error {
		if dueMs > nowMs {
			t.expectTimer(dueMs)
			return errEnough
		}
		t.expectTimer(nowMs + timerAgain.Milliseconds())
		id, err := conversation.ParseID(name)
		if err != nil || t.runtime.channels.of(id.Channel) == nil {
			return nil
		}
		switch {
		case t.active(id):
			return nil // it has an alarm of its own; to count it would let stuck turns hide the timers behind them
		case found == t.runtime.options.timersAtOnce:
			t.expectTimer(nowMs) // the others at the next look
			return errEnough
		case t.wake(id) != nil:
			return errEnough
		}
		found++
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		t.runtime.options.Logger.Error("timers can't be read", "shard", t.shard, "error", err)
		t.expectTimer(nowMs + timerAgain.Milliseconds())
	}
}

// expectTimer notes that a timer is due then.
func (t *table) expectTimer(dueMs int64) {
	for {
		known := t.dueMs.Load()
		if known <= dueMs || t.dueMs.CompareAndSwap(known, dueMs) {
			return
		}
	}
}

// earliestDue is when the first timer is due that a commit sets.
func earliestDue(commit *wactorv1.Commit) int64 {
	earliest := int64(math.MaxInt64)
	for _, put := range commit.Puts {
		if dueMs, ok := record.DueMs(put.Suffix); ok && put.Kind == wactorv1.RecordKind_RECORD_KIND_DUE {
			earliest = min(earliest, dueMs)
		}
	}
	return earliest
}
