package conversation

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Timers are records of the conversation, each with an entry in the shard's index of due times:
// whoever leads the shard finds the timers that are due without loading a conversation. c.timers
// holds them by due time, then by name.

// dueTimer returns the first timer that is due; nil where there is none, then wakeMs is when the
// next one is.
func (c *Conversation) dueTimer() (timer *wactorv1.Timer, wakeMs int64) {
	if len(c.timers) == 0 {
		return nil, 0
	}
	if first := c.timers[0]; first.DueMs <= c.nowMs {
		return first, 0
	}
	return nil, c.timers[0].DueMs
}

func (c *Conversation) timer(name string) *wactorv1.Timer {
	for _, timer := range c.timers {
		if timer.Name == name {
			return timer
		}
	}
	return nil
}

// setTimer sets a timer, or moves the one of the same name.
func (c *Conversation) setTimer(name string, dueMs int64) {
	if old := c.timer(name); old != nil {
		if old.DueMs == dueMs {
			return
		}
		c.cancelTimer(name)
	}
	timer := &wactorv1.Timer{Name: name, DueMs: dueMs}
	c.timers = append(c.timers, timer)
	sortTimers(c.timers)
	c.put(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(name), timer)
	c.putIndex(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(timer.DueMs, timer.Name))
}

// cancelTimer takes a timer out; one that is not set is no error.
func (c *Conversation) cancelTimer(name string) {
	c.timers = slices.DeleteFunc(c.timers, func(timer *wactorv1.Timer) bool {
		if timer.Name != name {
			return false
		}
		c.delete(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(name))
		c.delete(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(timer.DueMs, timer.Name))
		return true
	})
}

// changeTimers does what an answer asks for. The end of a conversation ends its timers too, except
// those that the same answer sets.
func (c *Conversation) changeTimers(answer *Answer) {
	for _, name := range answer.CancelTimers {
		if name != SessionExpired {
			c.cancelTimer(name)
		}
	}
	if answer.End {
		for _, timer := range slices.Clone(c.timers) {
			c.cancelTimer(timer.Name)
		}
	}
	for _, set := range answer.Timers {
		c.setTimer(set.Name, c.nowMs+set.After.Milliseconds())
	}
}

// unfitTimers says why the timers of an answer can't be set; empty where they can.
func (c *Conversation) unfitTimers(answer *Answer) string {
	if len(answer.Timers) == 0 {
		return ""
	}
	names := map[string]bool{}
	if !answer.End {
		for _, timer := range c.timers {
			names[timer.Name] = timer.Name != SessionExpired
		}
	}
	if c.turn.Timer != nil {
		delete(names, c.turn.Timer.Name)
	}
	for _, name := range answer.CancelTimers {
		delete(names, name)
	}
	for _, set := range answer.Timers {
		switch {
		case set.Name == "" || set.Name == SessionExpired || !utf8.ValidString(set.Name):
			return "a timer can't have this name"
		case set.After <= 0:
			return "a timer must be set ahead"
		}
		names[set.Name] = true
	}
	delete(names, SessionExpired)
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
