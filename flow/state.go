package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/wactor/wactor/flow/value"
)

// position is where a conversation waits.
type position struct {
	step *step
	// asked: the step has put its question, the next message is the answer. Else the next message
	// enters the step.
	asked bool
	// tries counts the bad answers.
	tries int
}

// load reads a state: where the conversation waits, and its variables. The note is not empty where
// it starts again.
func (f *Flow) load(data json.RawMessage) (position, map[string]any, string) {
	if len(data) == 0 {
		return position{step: f.start}, maps.Clone(f.vars), ""
	}
	s, ok := decodeState(data)
	if !ok {
		return position{step: f.start}, maps.Clone(f.vars), fmt.Sprintf("the state is not one of a flow: started "+
			"again at %s", f.start.name)
	}
	//lint:order each variable is set by itself
	for name, value := range f.vars {
		if _, set := s.vars[name]; !set {
			s.vars[name] = value // a variable that the flow got later
		}
	}
	at := position{step: f.steps[s.step], asked: s.asked, tries: max(s.tries, 0)}
	switch {
	case at.step == nil:
		return position{step: f.start}, s.vars, fmt.Sprintf("step %q is gone: started again at %s",
			fit(s.step, MaxName), f.start.name)
	case at.asked && !at.step.asks():
		return position{step: at.step}, s.vars, fmt.Sprintf("step %s asks nothing any more: entered again",
			at.step.name)
	}
	return at, s.vars, ""
}

func (s *step) asks() bool {
	_, ok := s.exit.(question)
	return ok
}

// stored is a state as it was written.
type stored struct {
	step  string
	asked bool
	tries int
	vars  map[string]any
}

// decodeState reads a state. It holds many values: each was within the limits of one when it was
// set, all are within MaxState.
func decodeState(data []byte) (stored, bool) {
	if len(data) > MaxState {
		return stored{}, false
	}
	v, err := value.DecodeWithin(data, MaxState, -1)
	fields, isMap := v.(map[string]any)
	if err != nil || !isMap {
		return stored{}, false
	}
	var s stored
	s.step, _ = fields["step"].(string)
	s.asked, _ = fields["asked"].(bool)
	s.tries, _ = fields["tries"].(int)
	vars, given := fields["vars"]
	if s.vars, _ = vars.(map[string]any); s.vars == nil && !given {
		s.vars = map[string]any{}
	}
	return s, s.step != "" && s.vars != nil
}

// appendState writes a state, keys sorted.
func appendState(dst []byte, at position, vars map[string]any) []byte {
	dst = append(dst, '{')
	if at.asked {
		dst = append(dst, `"asked":true,`...)
	}
	dst = append(dst, `"step":`...)
	dst = value.AppendQuoted(dst, at.step.name)
	if at.tries > 0 {
		dst = append(dst, `,"tries":`...)
		dst = strconv.AppendInt(dst, int64(at.tries), 10)
	}
	dst = append(dst, `,"vars":`...)
	dst = value.AppendObject(dst, vars)
	return append(dst, '}')
}
