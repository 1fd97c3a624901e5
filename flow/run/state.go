package run

import (
	"fmt"
	"strconv"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/flow/value"
)

// Limits of a turn. Past one of them the turn fails.
const (
	// MaxCalls is how many services may be called between two stops.
	MaxCalls = 10
	// MaxReplies is how many messages one turn may send; the limit of package conversation.
	MaxReplies = 20
	// MaxState is how large the state may be, in bytes of JSON; the limit of package conversation.
	MaxState = value.MaxBytes
)

// Position is where a conversation waits.
type Position struct {
	Step string
	// Asked: the step has put its question, the next message is the answer. Else the next message
	// enters the step.
	Asked bool
	// Tries counts the bad answers.
	Tries int
}

// Stored is a state as it was written.
type Stored struct {
	Position
	Vars map[string]any
}

// ReadState reads a state; false where it is none of a flow. It holds many values: each was within
// the limits of one when it was set, all are within MaxState.
func ReadState(data []byte) (Stored, bool) {
	if len(data) > MaxState {
		return Stored{}, false
	}
	v, err := value.DecodeWithin(data, MaxState, -1)
	fields, isMap := v.(map[string]any)
	if err != nil || !isMap {
		return Stored{}, false
	}
	var s Stored
	s.Step, _ = fields["step"].(string)
	s.Asked, _ = fields["asked"].(bool)
	s.Tries, _ = fields["tries"].(int)
	s.Tries = max(s.Tries, 0)
	vars, given := fields["vars"]
	if s.Vars, _ = vars.(map[string]any); s.Vars == nil && !given {
		s.Vars = map[string]any{}
	}
	return s, s.Step != "" && s.Vars != nil
}

// State writes where the run stopped, and its variables: keys sorted, the same bytes for the same
// state. Past MaxState it is a failure at the given place.
func (r *Run) State(at source.Place) ([]byte, error) {
	out := append(make([]byte, 0, 128), '{')
	if r.stop.Asked {
		out = append(out, `"asked":true,`...)
	}
	out = append(out, `"step":`...)
	out = value.AppendQuoted(out, r.stop.Step)
	if r.stop.Tries > 0 {
		out = append(out, `,"tries":`...)
		out = strconv.AppendInt(out, int64(r.stop.Tries), 10)
	}
	out = append(out, `,"vars":`...)
	out = append(value.AppendObject(out, r.Vars), '}')
	if len(out) > MaxState {
		return nil, expr.Fail(at, fmt.Sprintf("the state is larger than %d KiB", MaxState>>10), nil)
	}
	return out, nil
}
