package flow

import (
	"errors"
	"fmt"
	"maps"

	"github.com/wactor/wactor/flow/definition"
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// MaxSteps is how many steps may run between two stops.
const MaxSteps = 100

// Step runs the flow over one message: from where the conversation waits to the next stop, or to
// the first call.
//
// It is pure: the same input makes the same output. An error is a *RunError; nothing of the run
// counts then.
func (f *Flow) Step(in Input) (Output, error) {
	if in.Message == nil {
		return Output{Note: "the flow has no step for a timer"}, nil
	}
	if in.Message.GetType() == "reaction" && in.Message.GetText() == "" {
		return Output{Note: "a reaction was taken back"}, nil
	}
	handler := f.definition.Handlers[in.Message.GetType()]
	if handler == nil && !definition.Active[in.Message.GetType()] {
		return Output{Note: "the flow has no step for a message of type " + typeName(in.Message.GetType())}, nil
	}
	at, vars, note := f.load(in.State)
	t := &turn{flow: f.definition, Run: run.New(in, vars, f.definition.Uses)}
	if f.definition.Uses.Metered {
		t.Meter()
	}
	t.Note(note)
	t.at = at
	next, err := t.route(at, handler)
	return t.goOn(next, err)
}

// Resume goes on after a call.
func (f *Flow) Resume(c *Continuation, result CallResult) (Output, error) {
	t := c.turn
	t.Pending, t.Run.Step = nil, c.step.Name
	next, err := c.step.Parts[c.part].(definition.Caller).Resume(&t.Run, result)
	if err == nil && next == nil {
		next, err = t.runParts(c.step, c.part+1)
	}
	return t.goOn(next, err)
}

// typeName returns a provider's type for a note, unless it is nothing like one.
func typeName(name string) string {
	if source.IsName(name, true) {
		return name
	}
	return "unknown"
}

// load reads a state: where the conversation waits, and its variables. The note is not empty where
// it starts again.
func (f *Flow) load(data []byte) (run.Position, map[string]any, string) {
	d := f.definition
	start := run.Position{Step: d.Start.Name}
	if len(data) == 0 {
		return start, maps.Clone(d.Vars), ""
	}
	s, ok := run.ReadState(data)
	if !ok {
		return start, maps.Clone(d.Vars), "the state is not one of a flow: started again at " + start.Step
	}
	//lint:order each variable is set by itself
	for name, first := range d.Vars {
		if _, set := s.Vars[name]; !set {
			s.Vars[name] = first // a variable that the flow got later
		}
	}
	switch step := d.Steps[s.Step]; {
	case step == nil:
		gone := fit.Cut(s.Step, source.MaxName)
		return start, s.Vars, fmt.Sprintf("step %q is gone: started again at %s", gone, start.Step)
	case s.Asked && step.Question() == nil:
		return run.Position{Step: s.Step}, s.Vars, fmt.Sprintf("step %s asks nothing any more: entered again", s.Step)
	}
	return s.Position, s.Vars, ""
}

// turn runs the steps of a flow.
type turn struct {
	run.Run
	flow    *definition.Flow
	at      run.Position // where the conversation waited before
	entered int
	last    *definition.Step
	wait    *Continuation
}

// route returns the step that the message enters; nil where the run has stopped already. Words of
// the whole flow come first: a user who writes "stop" means it, whatever was asked.
func (t *turn) route(at run.Position, handler *definition.Step) (*definition.Step, error) {
	step := t.flow.Steps[at.Step]
	switch trigger := t.flow.Triggers.Find(t.In.Message); {
	case handler != nil:
		return handler, nil
	case trigger != nil:
		return trigger, nil
	case !at.Asked:
		return step, nil
	}
	t.last, t.Run.Step = step, step.Name
	return step.Question().Answer(&t.Run, at.Tries)
}

// goOn runs step after step to the next stop or call, and makes the output.
func (t *turn) goOn(next *definition.Step, err error) (Output, error) {
	for err == nil && next != nil {
		next, err = t.enter(next)
	}
	if err == nil && t.GoesBack() {
		err = t.back()
	}
	switch {
	case err != nil:
		return Output{}, t.failed(err)
	case t.Pending != nil:
		return Output{Call: t.Pending, Continuation: t.wait}, nil
	}
	return t.output()
}

// back waits where the conversation waited before this turn: the question that was open is put
// again, with as many bad answers as it had.
func (t *turn) back() error {
	step := t.flow.Steps[t.at.Step]
	if !t.at.Asked {
		t.Wait(t.at.Step)
		return nil
	}
	t.Run.Step = step.Name
	if err := step.Question().Put(&t.Run); err != nil {
		return err
	}
	t.Ask(t.at.Tries)
	return nil
}

// enter runs a step and returns the next one; nil at a stop and at a call.
func (t *turn) enter(s *definition.Step) (*definition.Step, error) {
	t.last, t.Run.Step = s, s.Name
	if t.entered++; t.entered > MaxSteps {
		return nil, expr.Fail(s.At, fmt.Sprintf("more than %d steps in one turn: an endless loop", MaxSteps), nil)
	}
	return t.runParts(s, 0)
}

// runParts runs the parts of a step from one of them on.
func (t *turn) runParts(s *definition.Step, from int) (*definition.Step, error) {
	for i := from; i < len(s.Parts); i++ {
		next, err := s.Parts[i].Run(&t.Run)
		if err != nil || next != nil {
			return next, err
		}
		if t.Pending != nil {
			t.wait = &Continuation{turn: t, step: s, part: i}
			return nil, nil
		}
	}
	return nil, nil
}

func (t *turn) output() (Output, error) {
	out := Output{Replies: t.Replies(), Note: t.Notes(), End: t.Ended()}
	if out.End {
		return out, nil
	}
	var err error
	if out.State, err = t.State(t.last.At); err != nil {
		return Output{}, t.failed(err)
	}
	return out, nil
}

// failed says of a failure which flow and step it is in.
func (t *turn) failed(err error) error {
	var failure *expr.Failure
	if !errors.As(err, &failure) {
		failure = &expr.Failure{At: t.last.At, Reason: "it failed", Cause: err}
	}
	return &RunError{
		File: t.flow.File, Step: t.Run.Step, Line: failure.At.Line, Column: failure.At.Column,
		Reason: failure.Reason, Retryable: failure.Retryable, NotReached: failure.NotReached, cause: failure.Cause,
	}
}
