package actors

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Conversations of one user talk to each other as gateways do to them: by deliveries, which may
// have to go to another node.

// maxHops bounds how often a delivery is forwarded: aliases lead to an older conversation each
// time, and a user has few.
const maxHops = 8

var errTooManyHops = errors.New("actors: a chain of aliases has no end")

// forward takes a delivery to the conversation that this identity belongs to.
func (a *activation) forward(e conversation.Forward) {
	d := a.open[e.Ref]
	if d == nil {
		return
	}
	delete(a.open, e.Ref)
	if d.hops++; d.hops > maxHops {
		d.Done(0, errTooManyHops)
		return
	}
	d.Conversation = e.To
	a.runtime.options.Elsewhere(d)
}

// requestResolve asks another identity for its owner. Without an answer the machine asks again.
func (a *activation) requestResolve(e conversation.RequestResolve) {
	a.question(e.To, conversation.ResolveRequest{By: e.By, CreatedMs: e.CreatedMs},
		func(answer conversation.ReplyPeer) conversation.Event {
			return conversation.ResolveReply{Name: e.To.User, Owner: answer.Owner}
		})
}

// offerMerge offers what waits here to an older conversation.
func (a *activation) offerMerge(e conversation.OfferMerge) {
	offer := conversation.MergeOffer{
		From: e.From, User: e.User, ToldMs: e.ToldMs, Names: e.Names, Claims: e.Claims, Messages: cloneAll(e.Messages),
	}
	a.question(e.To, offer, func(answer conversation.ReplyPeer) conversation.Event {
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

func (a *activation) question(to conversation.ID, question any, event func(conversation.ReplyPeer) conversation.Event) {
	mailbox := a.mailbox
	a.runtime.options.Elsewhere(&Delivery{
		Conversation: to, question: question, Done: func(conversation.Verdict, error) {},
		answer: func(answer conversation.ReplyPeer) { mailbox.Post(result{event: event(answer)}) },
	})
}

// answerQuestion hands a question to the machine.
func (a *activation) answerQuestion(ref uint64, question any) {
	switch q := question.(type) {
	case conversation.ResolveRequest:
		q.Ref = ref
		a.step(q)
	case retryLetter:
		a.retry(ref, q)
	case skipLetter:
		if letter, err := a.letter(q.seq); a.canRead(ref, err) {
			a.step(conversation.Skipped{Ref: ref, Letter: letter})
		}
	case conversation.MergeOffer:
		q.Ref = ref
		q.Known = a.knownAll(q.Messages)
		q.Messages = cloneAll(q.Messages) // the machine makes them its own; the offer may have to be tried again
		if a.ended == nil {
			a.step(q)
		}
	}
}

// canRead answers a delivery for which the store can't be read.
func (a *activation) canRead(ref uint64, err error) bool {
	if err != nil {
		a.open[ref].Done(0, err)
		delete(a.open, ref)
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
