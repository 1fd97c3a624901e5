package actors

import (
	"errors"

	"github.com/wactor/wactor/conversation"
)

// receive takes a delivery out of the mailbox. Where the machine has no room for its commit, it
// waits. It is not refused: the provider would send the whole webhook again, and the duplicates at
// its beginning would take up the room of the messages behind them, with every repetition anew.
func (a *activation) receive(d *Delivery) {
	switch {
	case a.ended != nil:
		a.handBack(d)
	case len(a.held) > 0 || a.full():
		a.held = append(a.held, d)
	default:
		a.take(d)
	}
}

// takeHeld takes what waited, in its order, as far as there is room.
func (a *activation) takeHeld() {
	for len(a.held) > 0 && a.ended == nil && !a.full() {
		d := a.held[0]
		a.held[0] = nil // the array lives on
		a.held = a.held[1:]
		a.take(d)
	}
	if len(a.held) == 0 {
		a.held = nil
	}
}

func (a *activation) full() bool { return a.machine != nil && a.machine.Full() }

func (a *activation) take(d *Delivery) {
	a.depth.Add(-1)
	a.nextRef++
	ref := a.nextRef
	a.open[ref] = d // from here on, whatever happens, end answers it
	if a.load() {
		a.lastUsed = a.runtime.scheduler.Now()
		a.deliver(ref, d)
	}
}

// deliver hands a message or a status to the machine.
func (a *activation) deliver(ref uint64, d *Delivery) {
	if d.question != nil {
		a.answerQuestion(ref, d.question)
		return
	}
	if d.Status != nil {
		a.channel.statusMs.Store(a.runtime.scheduler.Now().UnixMilli())
		status := *d.Status
		status.Ref = ref
		for _, key := range conversation.StatusKeys(status.ReplyID, status.Status) {
			status.Known = status.Known || a.seen(key)
		}
		if a.ended == nil {
			a.step(status)
		}
		return
	}
	known := a.seen(d.Message.Id)
	a.step(conversation.Arrived{Ref: ref, Message: d.Message, User: d.User, Known: known, Node: d.Node})
}

// handBack routes a delivery that reached an activation which has ended.
func (a *activation) handBack(d *Delivery) {
	a.depth.Add(-1)
	if errors.Is(a.ended, errIdle) || errors.Is(a.ended, ErrUnknownFate) {
		a.runtime.Deliver(d) // it was not tried
		return
	}
	d.Done(0, a.ended)
}
