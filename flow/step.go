package flow

import (
	"fmt"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// active are the types of messages that a user sends to say something. They enter steps and answer
// questions.
var active = map[string]bool{
	"text": true, "image": true, "video": true, "audio": true, "document": true, "sticker": true, "location": true,
	"contacts":     true,
	"button_reply": true, "list_reply": true, "flow_reply": true, "button": true, "order": true,
}

// passive are the types that a flow can handle by its key on. Without a handler they change nothing
// and nobody answers them, as those types that the provider has yet to invent: a reaction is no
// answer to a question.
var passive = map[string]bool{
	"reaction": true, "edit": true, "revoke": true, "system": true, "unsupported": true, "unreadable": true,
	"request_welcome": true,
}

// Step runs the flow over one message: from where the conversation waits to the next stop, or to
// the first call.
//
// It is pure: the same input makes the same output. An error is a *RunError; nothing of the run
// counts then.
func (f *Flow) Step(in Input) (Output, error) {
	if in.Message == nil {
		return Output{Note: "the flow has no step for a timer"}, nil
	}
	handler := f.handlers[in.Message.GetType()]
	if handler == nil && !active[in.Message.GetType()] {
		return Output{Note: "the flow has no step for a message of type " + typeName(in.Message.GetType())}, nil
	}
	at, vars, note := f.load(in.State)
	r := newRun(f, in, vars)
	r.note(note)
	next, err := r.route(at, handler)
	return r.goOn(next, err)
}

// typeName returns a provider's type for a note, unless it is nothing like one.
func typeName(name string) string {
	if isName(name, true) {
		return name
	}
	return "unknown"
}

// Resume goes on after a call.
func (f *Flow) Resume(c *Continuation, result CallResult) (Output, error) {
	r := c.run
	r.pending = nil
	r.step = c.step
	next, err := c.step.call.finish(r, result)
	if err == nil && next == nil {
		next, err = r.leave(c.step)
	}
	return r.goOn(next, err)
}

// route returns the step that the message enters; nil where the run has stopped already. Words of
// the whole flow come first: a user who writes "stop" means it, whatever was asked.
func (r *run) route(at position, handler *step) (*step, error) {
	switch {
	case handler != nil:
		return handler, nil
	case r.trigger() != nil:
		return r.trigger(), nil
	case !at.asked:
		return at.step, nil
	}
	r.step = at.step
	asked, ok := at.step.exit.(question)
	if !ok {
		return nil, r.fail(at.step.at, "the step asks nothing", nil)
	}
	return asked.answer(r, at.tries)
}

// trigger returns the step of a word of the whole flow: typed, or the text of a template's button.
func (r *run) trigger() *step {
	m := r.in.Message
	if len(r.flow.triggers) == 0 || m.GetType() != "text" && m.GetType() != "button" {
		return nil
	}
	return r.flow.triggers[fold(m.GetText())]
}

// goOn runs step after step to the next stop or call, and makes the output.
func (r *run) goOn(next *step, err error) (Output, error) {
	for err == nil && next != nil {
		next, err = r.enter(next)
	}
	switch {
	case err != nil:
		return Output{}, err
	case r.pending != nil:
		return Output{Call: r.pending, Continuation: &Continuation{run: r, step: r.step}}, nil
	}
	return r.output()
}

// enter runs a step and returns the next one; nil at a stop and at a call.
func (r *run) enter(s *step) (*step, error) {
	r.step = s
	if r.entered++; r.entered > MaxStepsPerTurn {
		return nil, r.fail(s.at, fmt.Sprintf("more than %d steps in one turn: an endless loop", MaxStepsPerTurn), nil)
	}
	for _, a := range s.set {
		if err := r.set(a); err != nil {
			return nil, err
		}
	}
	if s.call != nil {
		return s.call.begin(r)
	}
	return r.leave(s)
}

// leave says what the step says and takes its exit.
func (r *run) leave(s *step) (*step, error) {
	for _, m := range s.say {
		if err := m.post(r); err != nil {
			return nil, err
		}
	}
	return s.exit.leave(r)
}

func (r *run) output() (Output, error) {
	out := Output{Replies: r.replies, Note: r.notes, End: r.ended}
	if r.ended {
		return out, nil
	}
	out.State = appendState(make([]byte, 0, 128), r.at, r.vars)
	if len(out.State) > MaxState {
		return Output{}, r.fail(r.step.at, fmt.Sprintf("the state is larger than %d KiB", MaxState>>10), nil)
	}
	return out, nil
}

// reply adds a reply to the turn.
func (r *run) reply(at place, reply *wactorv1.Reply) error {
	if len(r.replies) >= MaxReplies {
		return r.fail(at, fmt.Sprintf("more than %d messages in one turn", MaxReplies), nil)
	}
	r.replies = append(r.replies, reply)
	return nil
}
