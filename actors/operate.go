package actors

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Operate has a conversation apply a change of the admin API, by one of its requests, in the name
// of a principal. It returns when that is on stable storage.
func (r *Runtime) Operate(ctx context.Context, id conversation.ID, by string, request proto.Message) error {
	done := make(chan error, 1)
	r.options.Elsewhere(delivery.Envelope{To: id, Body: delivery.Operation{By: by, Request: request}},
		func(o delivery.Outcome) {
			_, posts := request.(*wactorv1.PostRequest)
			if again := posts && o.Verdict == conversation.Duplicate; o.Err == nil && !again {
				o.Err = rejections[o.Verdict]
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

// rejections are the errors of what a conversation did not take from a principal.
var rejections = map[conversation.Verdict]error{
	conversation.Duplicate:    delivery.ErrNoDeadLetter,
	conversation.Unretryable:  delivery.ErrUnretryable,
	conversation.Overloaded:   delivery.ErrOverloaded,
	conversation.Owned:        delivery.ErrOwned,
	conversation.NotOwned:     delivery.ErrNotOwned,
	conversation.KeyInFlight:  delivery.ErrKeyInFlight,
	conversation.KeyReused:    delivery.ErrKeyReused,
	conversation.WindowClosed: delivery.ErrWindowClosed,
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
	case *wactorv1.PauseRequest:
		paused := conversation.Paused{Ref: ref, By: o.By, Reason: r.Reason, Take: r.Take}
		if until, err := time.Parse(time.RFC3339, r.Until); err == nil {
			paused.UntilMs = until.UnixMilli()
		}
		a.step(paused)
	case *wactorv1.ResumeRequest:
		resumed := conversation.Resumed{Ref: ref, By: o.By}
		if held := new(policy.Held); held.UnmarshalText([]byte(r.Held)) == nil {
			resumed.Held = held
		}
		a.step(resumed)
	case *wactorv1.PostRequest:
		a.posted(ref, o.By, r)
	default:
		a.canRead(ref, fmt.Errorf("actors: conversations know no change by %T", o.Request))
	}
}

// posted hands what is posted to the machine, with what is remembered under its key.
func (a *activation) posted(ref uint64, by string, r *wactorv1.PostRequest) {
	event := conversation.Posted{Ref: ref, By: by, Key: r.Key, Reply: r.Reply,
		Sum: conversation.SumOf(r.Reply, r.Event)}
	if r.Event != nil {
		event.Event = &wactorv1.Event{Name: r.Event.Name, Data: r.Event.Data, By: by}
	}
	for _, generation := range a.machine.Generations() {
		value, err := a.store().SeenValue(a.table.shard, a.id.String(), generation, conversation.PostedID(r.Key))
		if known := (&wactorv1.PostedKey{}); err == nil && len(value) > 0 {
			event.Known, err = known, proto.Unmarshal(value, known)
		}
		if !a.canRead(ref, err) {
			return
		}
	}
	a.step(event)
}
