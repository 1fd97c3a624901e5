package actors

import (
	"errors"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// receive takes a delivery out of the mailbox. Where the machine has no room for its commit, it
// waits. It is not refused: the provider would send the whole webhook again, and the duplicates at
// its beginning would take up the room of the messages behind them, with every repetition anew.
func (a *activation) receive(d *arrival) {
	switch {
	case a.ended != nil:
		a.handBack(d)
	case len(a.deliveries.held) > 0 || a.full():
		a.deliveries.held = append(a.deliveries.held, d)
	default:
		a.take(d)
	}
}

// takeHeld takes what waited, in its order, as far as there is room.
func (a *activation) takeHeld() {
	for len(a.deliveries.held) > 0 && a.ended == nil && !a.full() {
		d := a.deliveries.held[0]
		a.deliveries.held[0] = nil // the array lives on
		a.deliveries.held = a.deliveries.held[1:]
		a.take(d)
	}
	if len(a.deliveries.held) == 0 {
		a.deliveries.held = nil
	}
}

func (a *activation) full() bool { return a.machine != nil && a.machine.Full() }

func (a *activation) take(d *arrival) {
	if a.deliveries.reject(d) {
		return
	}
	ref := a.deliveries.add(d) // from here on, whatever happens, end answers it
	if a.load() {
		a.clock.use()
		a.deliver(ref, d.Envelope)
	}
}

// deliver hands a body to the machine.
func (a *activation) deliver(ref uint64, e delivery.Envelope) {
	switch b := e.Body.(type) {
	case delivery.Inbound:
		known := a.seen(b.Message.Id)
		a.step(conversation.Arrived{Ref: ref, Message: b.Message, User: b.User, Known: known, Node: e.Origin})
	case delivery.Identity:
		known := a.seen(b.Message.Id)
		a.step(conversation.IdentityChanged{Ref: ref, Message: b.Message, User: b.User, Known: known, Node: e.Origin})
	case delivery.Status:
		a.receiveStatus(ref, b)
	case delivery.ResolveRequest:
		a.runtime.links.request(a, ref, conversation.ResolveRequest{Ref: ref, By: b.By, CreatedMs: b.CreatedMs})
	case delivery.MergeOffer:
		a.receiveOffer(ref, b)
	case delivery.Operation:
		a.operate(ref, b)
	}
}

func (a *activation) receiveStatus(ref uint64, b delivery.Status) {
	a.channel.statusMs.Store(a.runtime.scheduler.Now().UnixMilli())
	status := conversation.StatusArrived{
		Ref: ref, ReplyID: b.ReplyID, Status: b.Status, ProviderID: b.ProviderID, Code: b.Code, Reason: b.Reason,
		AtMs: b.AtMs, WindowClosed: b.WindowClosed,
	}
	for _, key := range conversation.StatusKeys(status.ReplyID, status.Status) {
		status.Known = status.Known || a.seen(key)
	}
	if a.ended != nil {
		return
	}
	if status.Status == "failed" && !status.Known {
		sent, err := a.sent(status.ReplyID)
		if !a.canRead(ref, err) {
			return
		}
		status.Reply = sent
	}
	a.step(status)
}

// handBack routes a delivery that reached an activation which has ended.
func (a *activation) handBack(d *arrival) {
	a.deliveries.depth.Add(-1)
	if errors.Is(a.ended, errIdle) || errors.Is(a.ended, delivery.ErrUnknownFate) {
		a.runtime.Deliver(d.Envelope, d.done) // it was not tried
		return
	}
	d.done(delivery.Outcome{Err: a.ended})
}
