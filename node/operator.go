package node

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// operator applies the changes of the admin API to conversations.
type operator struct{ runtime *actors.Runtime }

// Operate implements admin.Operator.
func (o operator) Operate(ctx context.Context, id conversation.ID, _ string, request proto.Message) error {
	switch r := request.(type) {
	case *wactorv1.RetryRequest:
		return o.runtime.Retry(ctx, id, r.Seq, r.Text)
	case *wactorv1.SkipRequest:
		return o.runtime.Skip(ctx, id, r.Seq)
	}
	return fmt.Errorf("node: conversations know no change by %T", request)
}
