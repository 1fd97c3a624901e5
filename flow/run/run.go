package run

import (
	"fmt"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/flow/value"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Run is one turn over one message.
type Run struct {
	expr.Env
	In   Input
	Vars map[string]any
	// Step is the name of the step under way.
	Step string
	// Pending is a call that the caller has to perform before the run can go on.
	Pending *Call

	calls   int
	replies []*wactorv1.Reply
	notes   string
	stop    Position
	ended   bool
	back    bool
}

// New returns a run over variables, which become its own. Uses says what the flow's expressions
// read of user and message.
func New(in Input, vars map[string]any, uses expr.Usage) Run {
	names := map[string]any{
		"vars": vars, "now": in.Now.UTC(), "version": int(in.Version), "error": "", "window_open": !in.WindowClosed,
	}
	if uses.User {
		names["user"] = expr.UserValue(in.User)
	}
	if uses.Message {
		names["message"] = expr.MessageValue(in.Message, uses.Raw)
	}
	return Run{Env: expr.NewEnv(names, in.Expired), In: in, Vars: vars}
}

// Assign sets a variable to a value that still has to be checked; at is the place to blame.
func (r *Run) Assign(at source.Place, name string, made any) error {
	v, err := value.Normalise(made)
	if err != nil {
		return expr.Fail(at, fmt.Sprintf("variable %s: %v", name, err), err)
	}
	r.Vars[name] = v
	return nil
}

// Wait stops the run; the next message enters the step.
func (r *Run) Wait(step string) { r.stop = Position{Step: step} }

// Ask stops the run; the next message is the answer to the question of the step under way, after so
// many bad ones.
func (r *Run) Ask(tries int) { r.stop = Position{Step: r.Step, Asked: true, Tries: tries} }

// GoBack stops the run where the conversation waited before this turn.
func (r *Run) GoBack() { r.back = true }

// GoesBack reports whether the run stopped so.
func (r *Run) GoesBack() bool { return r.back }

// End ends the conversation: its state is to be cleared.
func (r *Run) End() { r.ended = true }

// Ended reports whether the conversation is over.
func (r *Run) Ended() bool { return r.ended }

// Note adds to the journal's note of the turn. It must hold nothing that a user wrote.
func (r *Run) Note(text string) {
	switch {
	case text == "":
	case r.notes == "":
		r.notes = text
	default:
		r.notes += "; " + text
	}
}

// LeftOut notes that something is not said, and why.
func (r *Run) LeftOut(what, why string) {
	r.Note("step " + r.Step + ": " + what + " was left out: " + why)
}

// Notes returns what was noted.
func (r *Run) Notes() string { return r.notes }

// CountCall counts a call and returns its number in the turn, from 1.
func (r *Run) CountCall(at source.Place) (int, error) {
	if r.calls++; r.calls > MaxCalls {
		return 0, expr.Fail(at, fmt.Sprintf("more than %d calls in one turn", MaxCalls), nil)
	}
	return r.calls, nil
}
