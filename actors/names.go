package actors

import (
	"errors"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Conversations of one user talk to each other as gateways do to them: by deliveries, which may
// have to go to another node.

// maxHops bounds how often a delivery is forwarded. Each alias belongs to a conversation that is
// older than itself, so a chain has an end, and only damage could make a ring of it. A chain is not
// made shorter: each link remembers the messages that it took while it was a conversation, and what
// comes again must pass it. To make one of this length a person needs as many numbers that have
// written before, the older ones linked last; each hop costs about a millisecond.
const maxHops = 1000

var errTooManyHops = errors.New("actors: a chain of aliases has no end")

// forward takes a delivery to the conversation that this identity belongs to.
func (a *activation) forward(e conversation.Forward) {
	d := a.deliveries.remove(e.Ref)
	if d == nil {
		return
	}
	onward := d.Envelope
	if onward.Hops++; onward.Hops > maxHops {
		d.done(delivery.Outcome{Err: errTooManyHops})
		return
	}
	onward.To = e.To
	a.runtime.options.Elsewhere(onward, d.done)
}

// requestResolve asks another identity for its owner.
func (s *subject) requestResolve(e conversation.RequestResolve) {
	s.request(e.To, delivery.ResolveRequest{By: e.By, CreatedMs: e.CreatedMs},
		func(answer *delivery.Answer) conversation.Event {
			return conversation.ResolveReply{Name: e.To.User, Owner: answer.Owner}
		})
}

// offerMerge offers what waits here to an older conversation.
func (s *subject) offerMerge(e conversation.OfferMerge) {
	offer := delivery.MergeOffer{
		From: e.From, User: e.User, AtMs: e.UserMs, Names: e.Names, Claims: e.Claims, Messages: cloneAll(e.Messages),
		Ownership: e.Ownership,
	}
	s.request(e.To, offer, func(answer *delivery.Answer) conversation.Event {
		return conversation.MergeResult{By: e.To.User, Owner: answer.Owner, Taken: answer.Taken, Claims: len(e.Claims)}
	})
}

func cloneAll(messages []*wactorv1.Message) []*wactorv1.Message {
	clones := make([]*wactorv1.Message, len(messages))
	for i, m := range messages {
		clones[i] = proto.CloneOf(m)
	}
	return clones
}

// receiveOffer hands a merge offer to the machine.
func (a *activation) receiveOffer(ref uint64, b delivery.MergeOffer) {
	offer := conversation.MergeOffer{
		Ref: ref, From: b.From, User: b.User, UserMs: b.AtMs, Names: b.Names, Claims: b.Claims,
		Messages: cloneAll(b.Messages), // the machine changes them; the offer may have to be tried again
		Known:    a.knownAll(b.Messages), Ownership: b.Ownership,
	}
	if a.ended == nil {
		a.runtime.links.request(a, ref, offer)
	}
}

// canRead answers a delivery for which the store can't be read.
func (a *activation) canRead(ref uint64, err error) bool {
	if err != nil {
		a.deliveries.answer(ref, delivery.Outcome{Err: err})
	}
	return err == nil
}

func (a *activation) knownAll(messages []*wactorv1.Message) []bool {
	known := make([]bool, len(messages))
	for i, m := range messages {
		known[i] = a.seen(m.Id)
	}
	return known
}

// links is what conversations of one user tell each other: resolve requests and merge offers, and
// the answers to both. A backup holds it while it takes a view of each shard. Then no view holds
// the effect of a message between two conversations whose cause is missing in another view, and
// that is all that a consistent cut asks for. Webhooks, turns and sends go on. What is not taken is
// lost as on any network: the machines ask again.
type links struct {
	mu   sync.RWMutex
	held int
}

// HoldLinks keeps conversations from taking anything from each other until release is called,
// which may be called again. When it returns, none is taking anything.
func (r *Runtime) HoldLinks() (release func()) {
	r.links.mu.Lock()
	defer r.links.mu.Unlock()
	r.links.held++
	return sync.OnceFunc(func() {
		r.links.mu.Lock()
		defer r.links.mu.Unlock()
		r.links.held--
	})
}

// step feeds an activation an event that another conversation caused; false where that is held.
func (l *links) step(a *activation, event conversation.Event) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.held > 0 {
		return false
	}
	a.step(event)
	return true
}

// request feeds a request of another conversation. While that is held it is answered as if there
// were no room for it.
func (l *links) request(a *activation, ref uint64, event conversation.Event) {
	if !l.step(a, event) {
		a.deliveries.answer(ref, delivery.Outcome{Err: delivery.ErrOverloaded})
	}
}

// result feeds the result of what was done beside the machine.
func (l *links) result(a *activation, event conversation.Event) {
	switch event.(type) {
	case conversation.ResolveReply, conversation.MergeResult:
		l.step(a, event)
	default:
		a.step(event)
	}
}
