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
	t.add(&wactorv1.Timer{Name: name, DueMs: dueMs})
}

// add sets a timer of a name that no other one has.
func (t *timers) add(timer *wactorv1.Timer) {
	t.byDue = append(t.byDue, timer)
	sortTimers(t.byDue)
	t.ledger.put(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(timer.Name), timer)
	t.index(timer)
}

// eventPrefix begins the names of the timers that are events: each is due at once, and starts a
// turn as a timer does. No timer of a bot has such a name.
const eventPrefix = "\x00event\x00"

// EventTimer names the timer that is the event of a key.
func EventTimer(key string) string { return eventPrefix + key }

// post lets an event of a key start a turn; false where too many wait.
func (t *timers) post(key string, event *wactorv1.Event) bool {
	events := 0
	for _, timer := range t.byDue {
		if timer.Event != nil {
			events++
		}
	}
	if events >= MaxTimers {
		return false
	}
	t.add(&wactorv1.Timer{Name: EventTimer(key), DueMs: t.ledger.nowMs, Event: event})
	return true
}

// timerName names what started a turn: a timer, or an event.
func timerName(timer *wactorv1.Timer) string {
	if event := timer.GetEvent(); event != nil {
		return event.Name
	}
	return timer.GetName()
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

// cancelAll takes out all timers, and leaves events.
func (t *timers) cancelAll() {
	for _, timer := range slices.Clone(t.byDue) {
		if timer.Event == nil {
			t.cancel(timer.Name)
		}
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
			if timer.Event == nil {
				names[timer.Name] = true
			}
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
func (t *timers) ring(timer *wactorv1.Timer, turn *Turn) {
	dueMs := t.ledger.nowMs
	if turn != nil && turn.Timer.GetName() == timer.Name {
		dueMs = max(dueMs, turn.Timer.DueMs+1) // its end must not take this one for its own
	}
	t.cancel(timer.Name)
	t.add(&wactorv1.Timer{Name: timer.Name, DueMs: dueMs, Event: timer.Event})
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
			strings.HasPrefix(set.Name, "\x00") || !utf8.ValidString(set.Name):
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
