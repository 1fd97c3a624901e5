package conversation

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// leastTimer is how soon a timer rings: one that is set for sooner rings then. maxTimerName bounds
// its name, in bytes.
const (
	leastTimer   = time.Second
	maxTimerName = 200
)

// timers are records of the conversation, each with an entry in the shard's index of due times:
// the leader of the shard finds the timers that are due without loading a conversation.
type timers struct {
	ledger *ledger
	// byDue are the timers by due time, then by name.
	byDue []*wactorv1.Timer
	// suspended timers are in no index: the bot does not own the conversation.
	suspended bool
}

// due returns the first timer that is due; nil where there is none, then wakeMs is when the next
// one is.
func (t *timers) due() (timer *wactorv1.Timer, wakeMs int64) {
	if len(t.byDue) == 0 {
		return nil, 0
	}
	if first := t.byDue[0]; first.DueMs <= t.ledger.nowMs {
		return first, 0
	}
	return nil, t.byDue[0].DueMs
}

// get returns a timer; nil where it is not set.
func (t *timers) get(name string) *wactorv1.Timer {
	for _, timer := range t.byDue {
		if timer.Name == name {
			return timer
		}
	}
	return nil
}

// set sets a timer, or moves the one of the same name.
func (t *timers) set(name string, dueMs int64) {
	if old := t.get(name); old != nil {
		if old.DueMs == dueMs {
			return
		}
		t.cancel(name)
	}
	timer := &wactorv1.Timer{Name: name, DueMs: dueMs}
	t.byDue = append(t.byDue, timer)
	sortTimers(t.byDue)
	t.ledger.put(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(name), timer)
	t.index(timer)
}

func (t *timers) index(timer *wactorv1.Timer) {
	if !t.suspended {
		t.ledger.putBytes(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(timer.DueMs, timer.Name), nil)
	}
}

// suspend takes the timers out of the index, so that none wakes the conversation until resume.
func (t *timers) suspend() {
	t.suspended = true
	for _, timer := range t.byDue {
		t.ledger.delete(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(timer.DueMs, timer.Name))
	}
}

// resume lets the timers ring again; those that were due meanwhile are due now.
func (t *timers) resume() {
	t.suspended = false
	for _, timer := range t.byDue {
		t.index(timer)
	}
}

// cancel takes a timer out; one that is not set is no error.
func (t *timers) cancel(name string) {
	t.byDue = slices.DeleteFunc(t.byDue, func(timer *wactorv1.Timer) bool {
		if timer.Name != name {
			return false
		}
		t.ledger.delete(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(name))
		t.ledger.delete(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(timer.DueMs, timer.Name))
		return true
	})
}

func (t *timers) cancelAll() {
	for _, timer := range slices.Clone(t.byDue) {
		t.cancel(timer.Name)
	}
}

// change does what an answer asks for. The end of a conversation ends its timers too, except those
// that the same answer sets.
func (t *timers) change(answer *Answer) {
	for _, name := range answer.CancelTimers {
		if name != sessionExpired {
			t.cancel(name)
		}
	}
	if answer.End {
		t.cancelAll()
	}
	for _, set := range answer.Timers {
		t.set(set.Name, t.ledger.nowMs+max(set.After, leastTimer).Milliseconds())
	}
}

// names are those of the timers that remain beside what an answer sets, other than the session's.
func (t *timers) names(answer *Answer, rang *wactorv1.Timer) map[string]bool {
	names := map[string]bool{}
	if !answer.End {
		for _, timer := range t.byDue {
			names[timer.Name] = true
		}
	}
	delete(names, rang.GetName())
	for _, name := range answer.CancelTimers {
		delete(names, name)
	}
	delete(names, sessionExpired)
	return names
}

// ring lets a timer ring again that became a dead letter, while a turn may be under way.
func (t *timers) ring(name string, turn *Turn) {
	dueMs := t.ledger.nowMs
	if turn != nil && turn.Timer.GetName() == name {
		dueMs = max(dueMs, turn.Timer.DueMs+1) // its end must not take this one for its own
	}
	t.set(name, dueMs)
}

// unfit says why the timers of an answer can't be set; empty where they can. Rang is the timer that
// started its turn.
func (t *timers) unfit(answer *Answer, rang *wactorv1.Timer) string {
	if len(answer.Timers) == 0 {
		return ""
	}
	names := t.names(answer, rang)
	for _, set := range answer.Timers {
		switch {
		case set.Name == "" || len(set.Name) > maxTimerName || set.Name == sessionExpired ||
			set.Name == resumeTimer || !utf8.ValidString(set.Name):
			return "a timer can't have this name"
		case set.After <= 0:
			return "a timer must be set ahead"
		}
		names[set.Name] = true
	}
	if len(names) > MaxTimers {
		return "more than 50 timers"
	}
	return ""
}

func sortTimers(timers []*wactorv1.Timer) {
	slices.SortFunc(timers, func(a, b *wactorv1.Timer) int {
		return cmp.Or(cmp.Compare(a.DueMs, b.DueMs), strings.Compare(a.Name, b.Name))
	})
}
