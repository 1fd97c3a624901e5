package bot

import (
	"context"

	"github.com/wactor/wactor/conversation"
)

// Bot answers turns. Turn is called from many goroutines at once, for different conversations; it
// may block until ctx ends.
//
// The turn is read-only. The answer is not nil where the error is nil. An error that is no
// *conversation.BotError counts as retryable.
type Bot interface {
	Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error)
}

// Inliner is a bot that can answer some turns inside the process, without waiting for anything:
// such a turn shares the commit of its message's acceptance.
//
// Inline is called on the conversation's own goroutine and must not block. Where ok is false
// nothing has happened and the turn is to be run by Turn, once its message is accepted; answer and
// err mean nothing then.
type Inliner interface {
	Inline(turn *conversation.Turn) (answer *conversation.Answer, ok bool, err error)
}

// Func is a bot that is a Go function. It keeps Bot's promises, except that a nil answer without an
// error says: no replies, state unchanged.
type Func func(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error)

// Turn calls the function.
func (f Func) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	answer, err := f(ctx, turn)
	if answer == nil && err == nil {
		answer = &conversation.Answer{}
	}
	return answer, err
}
