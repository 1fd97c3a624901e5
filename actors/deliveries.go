package actors

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// arrival is a delivery in a mailbox.
type arrival struct {
	delivery.Envelope
	done delivery.Done
}

// deliveries are those that an activation has to answer. All but depth is its actor's alone.
type deliveries struct {
	// depth counts those in the mailbox, and those that are held.
	depth atomic.Int32
	// held wait until the machine has room for their commits.
	held []*arrival
	// open are with the machine, by their ref.
	open    map[uint64]*arrival
	nextRef uint64
	// order is that of the messages that were taken.
	order delivery.Order
}

// reject answers a message whose predecessor was not taken; false where it may be taken.
func (d *deliveries) reject(arrived *arrival) bool {
	if d.order.Take(arrived.Place) || planted.Is(planted.OrderUnchecked) {
		return false
	}
	d.depth.Add(-1)
	arrived.done(delivery.Outcome{Err: delivery.ErrOutOfTurn})
	return true
}

// add makes a delivery an open one and returns its ref.
func (d *deliveries) add(arrived *arrival) (ref uint64) {
	d.depth.Add(-1)
	d.nextRef++
	d.open[d.nextRef] = arrived
	return d.nextRef
}

// remove takes an open delivery out; nil where there is none.
func (d *deliveries) remove(ref uint64) *arrival {
	arrived := d.open[ref]
	delete(d.open, ref)
	return arrived
}

// answer answers an open delivery, if it still is one.
func (d *deliveries) answer(ref uint64, outcome delivery.Outcome) {
	if arrived := d.remove(ref); arrived != nil {
		arrived.done(outcome)
	}
}

// answerAll answers all open deliveries in their order. While commits are under way, it is not
// known what became of those that can't be repeated.
func (d *deliveries) answerAll(err error, committing bool) {
	for _, ref := range slices.Sorted(maps.Keys(d.open)) {
		arrived := d.remove(ref)
		if committing && !arrived.Repeatable() {
			arrived.done(delivery.Outcome{Err: delivery.ErrUnknownFate})
			continue
		}
		arrived.done(delivery.Outcome{Err: err})
	}
}
