package actors

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Operate has a conversation apply a change of the admin API, by one of its requests, in the name
// of a principal. It returns when that is on stable storage.
func (r *Runtime) Operate(ctx context.Context, id conversation.ID, by string, request proto.Message) error {
	done := make(chan error, 1)
	r.options.Elsewhere(delivery.Envelope{To: id, Body: delivery.Operation{By: by, Request: request}},
		func(o delivery.Outcome) {
			switch {
			case o.Err == nil && o.Verdict == conversation.Duplicate:
				o.Err = delivery.ErrNoDeadLetter
			case o.Err == nil && o.Verdict == conversation.Unretryable:
				o.Err = delivery.ErrUnretryable
			case o.Err == nil && o.Verdict == conversation.Overloaded:
				o.Err = delivery.ErrOverloaded
			}
			done <- o.Err
		})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// operate hands a change to the machine, with the dead letter that it names.
func (a *activation) operate(ref uint64, o delivery.Operation) {
	var letter *wactorv1.DeadLetter
	if named, ok := o.Request.(interface{ GetSeq() uint64 }); ok {
		found, err := a.letter(named.GetSeq())
		if !a.canRead(ref, err) {
			return
		}
		letter = found
	}
	switch r := o.Request.(type) {
	case *wactorv1.RetryRequest:
		a.step(conversation.Retried{Ref: ref, By: o.By, Letter: letter, Text: r.Text})
	case *wactorv1.SkipRequest:
		a.step(conversation.Skipped{Ref: ref, By: o.By, Letter: letter})
	default:
		a.canRead(ref, fmt.Errorf("actors: conversations know no change by %T", o.Request))
	}
}
