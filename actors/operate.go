package actors

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Retry takes a dead letter up again, with another text where one is given. It returns when that is
// on stable storage.
func (r *Runtime) Retry(ctx context.Context, id conversation.ID, seq uint64, text string) error {
	return r.operate(ctx, id, delivery.Retry{Seq: seq, Text: text})
}

// Skip drops a dead letter. It returns when that is on stable storage.
func (r *Runtime) Skip(ctx context.Context, id conversation.ID, seq uint64) error {
	return r.operate(ctx, id, delivery.Skip{Seq: seq})
}

func (r *Runtime) operate(ctx context.Context, id conversation.ID, operation delivery.Body) error {
	done := make(chan error, 1)
	r.options.Elsewhere(delivery.Envelope{To: id, Body: operation}, func(o delivery.Outcome) {
		switch {
		case o.Err == nil && o.Verdict == conversation.Duplicate:
			o.Err = delivery.ErrNoDeadLetter
		case o.Err == nil && o.Verdict == conversation.Unretryable:
			o.Err = delivery.ErrUnretryable
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

func (a *activation) retry(ref uint64, q delivery.Retry) {
	letter, err := a.letter(q.Seq)
	if a.canRead(ref, err) {
		a.step(conversation.Retried{Ref: ref, Letter: letter, Text: q.Text})
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
