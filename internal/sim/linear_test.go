package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/wactor/wactor/conversation"
)

// accepting is a conversation as its gateways see it: a set of messages, which is a bit each.
var accepting = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, input, _ any) (bool, any) {
		set, op := state.(uint64), input.(Op)
		bit := uint64(1) << op.Message
		switch {
		case op.Read:
			return count(set) == op.Count, set
		case op.Verdict == conversation.Accepted:
			return set&bit == 0, set | bit
		}
		// A duplicate may be one of the same delivery's attempt before: then it was accepted by
		// this one.
		return true, set | bit
	},
}

func count(set uint64) (n uint64) {
	for ; set != 0; set &= set - 1 {
		n++
	}
	return n
}

// checkLinear reports whether the operations on a conversation could have happened one after the
// other, each between its call and its return.
func checkLinear(h History) error {
	var ops []porcupine.Operation
	for i, op := range h.Ops {
		ops = append(ops, porcupine.Operation{ClientId: i, Input: op, Call: op.Called, Return: op.Returned})
	}
	if result := porcupine.CheckOperationsTimeout(accepting, ops, 20*time.Second); result != porcupine.Ok {
		return fmt.Errorf("the history of conversation %d is not linearizable (%v): %+v", h.User, result, h.Ops)
	}
	return nil
}

func TestHistoriesThatCannotBe(t *testing.T) {
	accepted := func(message int, called, returned int64) Op {
		return Op{Message: message, Verdict: conversation.Accepted, Called: called, Returned: returned}
	}
	read := func(count uint64, called, returned int64) Op {
		return Op{Read: true, Count: count, Called: called, Returned: returned}
	}
	for name, history := range map[string]struct {
		ops []Op
		ok  bool
	}{
		"accepted and read": {[]Op{accepted(0, 1, 2), read(1, 3, 4)}, true},
		"read too early":    {[]Op{accepted(0, 1, 4), read(0, 2, 3)}, true},
		"lost":              {[]Op{accepted(0, 1, 2), read(0, 3, 4)}, false},
		"back in time":      {[]Op{accepted(0, 1, 6), read(1, 2, 3), read(0, 4, 5)}, false},
		"accepted twice":    {[]Op{accepted(0, 1, 2), accepted(0, 3, 4)}, false},
		"duplicate of its own attempt": {[]Op{{Verdict: conversation.Duplicate, Called: 1, Returned: 4}, read(0, 2, 3),
			read(1, 5, 6)}, true},
		"duplicate of nothing": {[]Op{{Verdict: conversation.Duplicate, Called: 1, Returned: 2}, read(0, 3, 4)}, false},
		"duplicate of an unknown": {[]Op{{Called: 1, Returned: never}, {Verdict: conversation.Duplicate, Called: 2,
			Returned: 3}}, true},
		"accepted after a duplicate": {[]Op{{Verdict: conversation.Duplicate, Called: 1, Returned: 2},
			accepted(0, 3, 4)}, false},
	} {
		if err := checkLinear(History{Ops: history.ops}); (err == nil) != history.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
