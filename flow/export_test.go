package flow

import "encoding/json"

// RestartNote is what loading a state notes: empty where the conversation goes on in the step that
// it names.
func RestartNote(f *Flow, state json.RawMessage) string {
	_, _, note := f.load(state)
	return note
}
