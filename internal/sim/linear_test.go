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
	for i, op := range joined(h.Ops) {
		if op.Called > op.Returned {
			return fmt.Errorf("conversation %d: message %d was accepted behind a duplicate of it: %+v", h.User,
				op.Message, h.Ops)
		}
		ops = append(ops, porcupine.Operation{ClientId: i, Input: op, Call: op.Called, Return: op.Returned})
	}
	if result := porcupine.CheckOperationsTimeout(accepting, ops, 20*time.Second); result != porcupine.Ok {
		return fmt.Errorf("the history of conversation %d is not linearizable (%v): %+v", h.User, result, h.Ops)
	}
	return nil
}

// joined makes one operation of all deliveries of a message, which says as much and keeps the
// search short: the message gets into the set once, and has to be there when the first duplicate
// returns. Where one delivery was accepted it is that one which brings it.
func joined(ops []Op) (out []Op) {
	at := map[int]int{} // by message
	for _, op := range ops {
		i, known := at[op.Message]
		switch {
		case op.Read:
			out = append(out, op)
		case !known:
			at[op.Message] = len(out)
			out = append(out, op)
		case op.Verdict == conversation.Accepted && out[i].Verdict == conversation.Accepted:
			out = append(out, op) // which can't be
		case op.Verdict == conversation.Accepted:
			op.Returned = min(op.Returned, out[i].Returned)
			out[i] = op
		default:
			out[i].Returned = min(out[i].Returned, op.Returned)
			if out[i].Verdict != conversation.Accepted {
				out[i].Called = min(out[i].Called, op.Called)
			}
		}
	}
	return out
}

// TestManyUnknownsAreChecked: where nearly all outcomes are unknown the search has as many ways as
// there are sets of messages.
func TestManyUnknownsAreChecked(t *testing.T) {
	const messages = 14
	var ops []Op
	for m := range messages {
		ops = append(ops, Op{Message: m, Called: int64(m), Returned: never})
	}
	for i := range int64(10) {
		ops = append(ops, Op{Read: true, Called: 100 + 4*i, Returned: 101 + 4*i})
	}
	for m := range messages {
		ops = append(ops, Op{Message: m, Verdict: conversation.Duplicate, Called: int64(99 + 2*m),
			Returned: int64(200 + m)})
	}
	for i := range int64(10) {
		ops = append(ops, Op{Read: true, Count: messages, Called: 300 + 2*i, Returned: 301 + 2*i})
	}
	if err := checkLinear(History{Ops: ops}); err != nil {
		t.Error(err)
	}
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
		"unknown and a duplicate, read between": {[]Op{{Called: 1, Returned: never},
			{Verdict: conversation.Duplicate, Called: 4, Returned: 7}, read(0, 2, 3), read(1, 5, 6)}, true},
		"unknown and a duplicate, read too late": {[]Op{{Called: 1, Returned: never},
			{Verdict: conversation.Duplicate, Called: 2, Returned: 3}, read(0, 4, 5)}, false},
		"duplicate while it is accepted": {[]Op{{Verdict: conversation.Duplicate, Called: 1, Returned: 4},
			accepted(0, 2, 6), read(0, 2, 3), read(1, 5, 6)}, true},
		"accepted, and read behind its duplicate": {[]Op{{Verdict: conversation.Duplicate, Called: 1, Returned: 4},
			accepted(0, 2, 9), read(0, 5, 6)}, false},
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
