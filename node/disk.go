package node

import (
	"fmt"

	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/delivery"
)

// here are the conversations of this node, to which no new messages come while its disk is nearly
// full: the provider sends them again. All else, such as statuses and what an operator does, still
// comes, since it ends work rather than making more.
type here struct {
	routing.Local
	full func() bool
}

// Deliver implements routing.Local.
func (h here) Deliver(e delivery.Envelope, done delivery.Done) {
	if e.Message() != nil && h.full() {
		done(delivery.Outcome{Err: fmt.Errorf("%w: the disk is nearly full", delivery.ErrOverloaded)})
		return
	}
	h.Local.Deliver(e, done)
}

func hereOf(n *Node) here { return here{Local: n.runtime, full: n.store.Full} }
