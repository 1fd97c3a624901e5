package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
)

// position is where a conversation waits.
type position struct {
	step *step
	// asked: the step has put its question, the next message is the answer. Else the next message enters the step.
	asked bool
	// tries counts the bad answers.
	tries int
}

// storedState is the JSON of a conversation.
type storedState struct {
	Asked bool            `json:"asked"`
	Step  string          `json:"step"`
	Tries int             `json:"tries"`
	Vars  json.RawMessage `json:"vars"`
}

// load reads a state: where the conversation waits, and its variables. The note is not empty where it starts again.
func (f *Flow) load(data json.RawMessage) (position, map[string]any, string) {
	if len(data) == 0 {
		return position{step: f.start}, maps.Clone(f.vars), ""
	}
	stored, vars, ok := decodeState(data)
	if !ok {
		return position{step: f.start}, maps.Clone(f.vars), fmt.Sprintf("the state is not one of a flow: started again at %s", f.start.name)
	}
	for name, value := range f.vars {
		if _, set := vars[name]; !set {
			vars[name] = value // a variable that the flow got later
		}
	}
	at := position{step: f.steps[stored.Step], asked: stored.Asked, tries: max(stored.Tries, 0)}
	switch {
	case at.step == nil:
		return position{step: f.start}, vars, fmt.Sprintf("step %q is gone: started again at %s", fit(stored.Step, MaxName), f.start.name)
	case at.asked && !at.step.asks():
		return position{step: at.step}, vars, fmt.Sprintf("step %s asks nothing any more: entered again", at.step.name)
	}
	return at, vars, ""
}

func (s *step) asks() bool {
	_, ok := s.exit.(question)
	return ok
}

func decodeState(data []byte) (stored storedState, vars map[string]any, ok bool) {
	if len(data) > MaxState || json.Unmarshal(data, &stored) != nil || stored.Step == "" {
		return stored, nil, false
	}
	if len(stored.Vars) == 0 || bytes.Equal(stored.Vars, []byte("null")) {
		return stored, map[string]any{}, true
	}
	// A state holds many values: each was within the limits of one when it was set, and all are within MaxState.
	value, err := decodeWithin(stored.Vars, &normaliser{left: MaxState}, 0)
	if err != nil {
		return stored, nil, false
	}
	vars, ok = value.(map[string]any)
	return stored, vars, ok
}

// appendState writes a state, keys sorted.
func appendState(dst []byte, at position, vars map[string]any) []byte {
	dst = append(dst, '{')
	if at.asked {
		dst = append(dst, `"asked":true,`...)
	}
	dst = append(dst, `"step":`...)
	dst = appendQuoted(dst, at.step.name)
	if at.tries > 0 {
		dst = append(dst, `,"tries":`...)
		dst = strconv.AppendInt(dst, int64(at.tries), 10)
	}
	dst = append(dst, `,"vars":`...)
	dst = appendObject(dst, vars)
	return append(dst, '}')
}
