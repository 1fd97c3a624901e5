package flow

import (
	"encoding/json"
	"fmt"

	"github.com/wactor/wactor/flow/definition"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Output is what one run of a flow makes: an end of the run, or a call to perform before it can go
// on.
type Output struct {
	// State replaces the state: a JSON object with sorted keys, the same bytes for the same state.
	// Nil where the state stays as it is, and where End clears it.
	State json.RawMessage
	// Replies are at most run.MaxReplies, each within WhatsApp's limits.
	Replies []*wactorv1.Reply
	// End says that the conversation is over: its state is to be cleared.
	End bool
	// Note is for the journal; it holds nothing that the user wrote.
	Note string
	// Call is a request that the caller performs; then Resume goes on with Continuation. All other
	// fields are empty then.
	Call         *Call
	Continuation *Continuation
}

// Continuation is a run that waits for the result of its call. It is good for one Resume and lives
// in memory only: a turn that is repeated starts from its Input.
type Continuation struct {
	turn *turn
	step *definition.Step
	part int // the one that calls
}

// RunError is a run that failed: where in the flow, and why. Its text holds nothing that a user
// wrote.
type RunError struct {
	File, Step   string
	Line, Column int
	Reason       string
	// Retryable: the same run may succeed later, because a service that it calls may. NotReached,
	// beside it: that service has seen nothing of the call.
	Retryable, NotReached bool

	cause error
}

func (e *RunError) Error() string {
	return fmt.Sprintf("flow: %s:%d:%d: step %s: %s", e.File, e.Line, e.Column, e.Step, e.Reason)
}

// Unwrap returns the whole cause. It may hold texts of the user: show it to the author who tries a
// flow, never to a log.
func (e *RunError) Unwrap() error { return e.cause }
