package actors

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ErrNoDeadLetter: the conversation has no dead letter of that number, or not any more.
var ErrNoDeadLetter = errors.New("actors: no such dead letter")

// ErrUnretryable: the dead letter holds nothing that could be tried again: it is a piece of a
// webhook that nobody understood, or a reply whose words are not kept.
var ErrUnretryable = errors.New("actors: this dead letter can't be tried again: skip it, or give a text where it is " +
	"of a reply")

// retryLetter and skipLetter are what an operator asks of a conversation.
type (
	retryLetter struct {
		seq  uint64
		text string
	}
	skipLetter struct{ seq uint64 }
)

// Retry takes a dead letter up again, with another text where one is given. It returns when that is
// on stable storage.
func (r *Runtime) Retry(ctx context.Context, id conversation.ID, seq uint64, text string) error {
	return r.operate(ctx, id, retryLetter{seq: seq, text: text})
}

// Skip drops a dead letter. It returns when that is on stable storage.
func (r *Runtime) Skip(ctx context.Context, id conversation.ID, seq uint64) error {
	return r.operate(ctx, id, skipLetter{seq: seq})
}

func (r *Runtime) operate(ctx context.Context, id conversation.ID, question any) error {
	done := make(chan error, 1)
	r.options.Elsewhere(&Delivery{Conversation: id, question: question, Done: func(verdict conversation.Verdict,
		err error) {
		switch {
		case err == nil && verdict == conversation.Duplicate:
			err = ErrNoDeadLetter
		case err == nil && verdict == conversation.Unretryable:
			err = ErrUnretryable
		}
		done <- err
	}})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *activation) retry(ref uint64, q retryLetter) {
	letter, err := a.letter(q.seq)
	if a.canRead(ref, err) {
		a.step(conversation.Retried{Ref: ref, Letter: letter, Text: q.text})
	}
}

// errLooked ends a scan that has seen what it looked for.
var errLooked = errors.New("actors: looked")

// letter reads a dead letter; nil where there is none of that number.
func (a *activation) letter(seq uint64) (*wactorv1.DeadLetter, error) {
	var found *wactorv1.DeadLetter
	from := record.Number(seq)
	err := a.runtime.options.Store.ScanFrom(a.table.shard, a.id.String(), wactorv1.RecordKind_RECORD_KIND_DEAD, from,
		func(suffix, value []byte) error {
			if !bytes.Equal(suffix, from) {
				return errLooked
			}
			found = &wactorv1.DeadLetter{}
			return cmp.Or(proto.Unmarshal(value, found), errLooked)
		})
	if errors.Is(err, errLooked) {
		return found, nil
	}
	return nil, err
}
