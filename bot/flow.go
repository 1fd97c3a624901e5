package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
)

// Flow is a bot that runs a flow, and performs the calls of its steps over HTTP. It is safe for
// concurrent use.
//
// A turn in which the flow calls nothing is answered inline. A turn over several messages runs the
// flow over each in turn: its replies follow one another, and the last state is the turn's.
type Flow struct {
	flow   *flow.Flow
	budget time.Duration
	client *serviceClient
}

// DefaultBudget is the budget that suits nearly all flows.
const DefaultBudget = 100 * time.Millisecond

// NewFlow returns a bot for a flow that was read and checked. The budget is how long the
// expressions of one turn may work, without the time in which services answer: what a user wrote
// decides how long some work. The steps that flow counts bound them too, on a machine that is fast
// enough. Close releases the bot's connections.
func NewFlow(f *flow.Flow, budget time.Duration) *Flow {
	return &Flow{flow: f, budget: budget, client: newServiceClient()}
}

// Close ends the calls under way and closes idle connections.
func (b *Flow) Close() error { return b.client.close() }

// Inline runs the flow until it ends or calls a service; in the second case nothing has happened
// and ok is false.
func (b *Flow) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	answer, err := b.run(turn, func(*flow.Call) (flow.CallResult, error) { return flow.CallResult{}, errCalls })
	switch {
	case errors.Is(err, errCalls):
		return nil, false, nil
	case err != nil:
		return nil, true, err
	}
	return answer, true, nil
}

// errCalls ends an inline run that turns out to need a service.
var errCalls = errors.New("bot: the flow calls a service")

// Turn runs the flow to its end, calls included.
func (b *Flow) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	return b.run(turn, func(call *flow.Call) (flow.CallResult, error) { return b.client.perform(ctx, call) })
}

type performer func(*flow.Call) (flow.CallResult, error)

// stopwatch measures how long a turn works.
type stopwatch struct {
	budget  time.Duration
	before  time.Duration // in earlier stretches
	started time.Time
}

func (w *stopwatch) start() { w.started = time.Now() }

func (w *stopwatch) stop() { w.before += time.Since(w.started) }

func (w *stopwatch) expired() bool { return w.before+time.Since(w.started) > w.budget }

func (b *Flow) run(turn *conversation.Turn, perform performer) (*conversation.Answer, error) {
	if turn.Timer.GetEvent() != nil {
		return &conversation.Answer{Note: "an event was posted, and a flow has no step for one"}, nil
	}
	watch := &stopwatch{budget: b.budget}
	in := flow.Input{
		State: turn.State, User: turn.User, Timer: turn.Timer, Now: turn.Now, Version: turn.Version, TurnID: turn.ID,
		Expired:      watch.expired,
		WindowClosed: !turn.WindowUntil.IsZero() && !turn.Now.Before(turn.WindowUntil),
	}
	if len(turn.Messages) == 0 {
		out, err := b.step(in, watch, perform)
		if err != nil {
			return nil, err
		}
		return answerOf(out), nil
	}
	answer := &conversation.Answer{}
	for i, message := range turn.Messages {
		in.Message = message
		if i > 0 {
			in.TurnID = turn.ID + "." + strconv.Itoa(i) // calls of two messages have two idempotency keys
		}
		out, err := b.step(in, watch, perform)
		if err != nil {
			return nil, err
		}
		addOutput(answer, out)
		in.State = stateAfter(in.State, out)
	}
	return answer, nil
}

// step runs the flow over one input, through as many calls as it makes.
func (b *Flow) step(in flow.Input, watch *stopwatch, perform performer) (flow.Output, error) {
	watch.start()
	out, err := b.flow.Step(in)
	watch.stop()
	for err == nil && out.Call != nil {
		result, failed := perform(out.Call)
		if failed != nil {
			return flow.Output{}, failed
		}
		watch.start()
		out, err = b.flow.Resume(out.Continuation, result)
		watch.stop()
	}
	if err != nil {
		return flow.Output{}, failure(err)
	}
	return out, nil
}

// failure makes the error of a run one of a bot. Its text names a place of the flow, and nothing
// that a user wrote.
func failure(err error) error {
	var failed *flow.RunError
	if errors.As(err, &failed) && failed.Retryable {
		temporary := conversation.Temporary("%v", err)
		temporary.NotReached = failed.NotReached
		return temporary
	}
	return conversation.Permanent("%v", err)
}

func answerOf(out flow.Output) *conversation.Answer {
	return &conversation.Answer{State: out.State, Replies: out.Replies, End: out.End, Note: out.Note}
}

func addOutput(answer *conversation.Answer, out flow.Output) {
	answer.Replies = append(answer.Replies, out.Replies...)
	if out.State != nil || out.End {
		answer.State, answer.End = out.State, out.End
	}
	if answer.Note != "" && out.Note != "" {
		answer.Note += "; "
	}
	answer.Note += out.Note
}

func stateAfter(before []byte, out flow.Output) []byte {
	switch {
	case out.End:
		return nil
	case out.State != nil:
		return out.State
	}
	return before
}
