package conversation

import (
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// yield begins to hand this conversation over to an older one of the same user. Its running bot
// call is given up: nothing of it was committed. Replies that it has made are sent by itself,
// before the other says anything new; what waits for a turn goes over. State and timers end with
// it: the older conversation has its own.
func (c *Conversation) yield(to string) {
	c.head.YieldsTo = to
	c.head.Claims = slices.DeleteFunc(c.head.Claims, func(name string) bool { return name == to })
	c.forgetTries()
	if c.turn != nil {
		c.effect(CancelBot{c.turn})
		c.turn, c.inline = nil, false
	}
	c.note(linked("hands over to an older conversation of the user"))
}

// yieldAgain hands over what waits at a name of another conversation: messages of a dead letter
// that was taken up again.
func (c *Conversation) yieldAgain() {
	c.head.YieldsTo, c.head.AliasOf = c.head.AliasOf, ""
	c.linkAtMs = c.nowMs
}

// offerMerge offers what waits to the older conversation, a piece at a time, once nothing is left
// to be sent, again and again until all was taken.
func (c *Conversation) offerMerge() {
	if c.stopping || c.head.YieldsTo == "" || len(c.outbox) > 0 || c.Committing() || c.nowMs < c.linkAtMs {
		return
	}
	c.effect(OfferMerge{
		To: c.sibling(c.head.YieldsTo), From: c.id.User, User: c.head.User, ToldMs: c.head.ToldMs,
		Names:  slices.Clone(c.head.Names),
		Claims: slices.Clone(c.head.Claims), Messages: unwrap(together(c.inbox)),
	})
	c.linkAtMs = c.nowMs + linkAgainMs
}

// mergeOffer takes what another conversation of the same user hands over. Offered again, it takes
// nothing twice. A conversation that is not the oldest any more takes nothing, and tells which
// messages it took before: they must not be offered elsewhere.
func (c *Conversation) mergeOffer(e MergeOffer) {
	refuses := c.alias() || c.head.YieldsTo != ""
	answer := ReplyPeer{Ref: e.Ref, Owner: c.id.User}
	if refuses {
		answer.Owner = c.head.AliasOf + c.head.YieldsTo // one of the two is set
	} else {
		c.takeNames(e)
	}
	for i, message := range e.Messages {
		_, underway := c.unapplied[message.Id]
		known := underway || e.Known[i]
		if known || !refuses {
			answer.Taken = append(answer.Taken, message.Seq)
		}
		if !known && !refuses {
			c.takeMessage(message)
		}
	}
	c.whenApplied(answer)
}

func (c *Conversation) takeNames(e MergeOffer) {
	c.greet(e.User, e.ToldMs)
	for _, name := range append([]string{e.From}, e.Names...) {
		c.head.Claims = slices.DeleteFunc(c.head.Claims, func(claim string) bool { return claim == name })
		if name != c.id.User && !slices.Contains(c.head.Names, name) {
			c.head.Names = append(c.head.Names, name)
		}
	}
	c.links(e.Claims...)
	c.note(linked("took over another conversation of the user"))
}

func (c *Conversation) takeMessage(message *wactorv1.Message) {
	c.enter(message)
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, MessageId: message.Id, MessageSeq: message.Seq,
		SentMs:     message.SentMs,
		ReceivedMs: message.ReceivedMs, Reason: "taken over from another conversation of the user",
	})
	c.queue(waiting{message: message, revision: c.revision + 1})
}

// reasonMerged is why a message that another conversation took over is absorbed here.
const reasonMerged = "handed over"

// mergeResult makes an alias of this conversation once the older one has all that waited. What
// there is beside is offered next.
func (c *Conversation) mergeResult(e MergeResult) {
	if c.head.YieldsTo == "" || e.By != c.head.YieldsTo {
		return // the answer to an offer that was repeated elsewhere since
	}
	for _, w := range slices.Clone(c.inbox) {
		if slices.Contains(e.Taken, w.message.Seq) {
			c.consume(w.message.Seq)
			c.absorb(w.message, reasonMerged)
		}
	}
	if e.Owner != e.By {
		c.head.YieldsTo = e.Owner // that one belongs to another itself by now
		c.draft.dirty = true
		c.linkAtMs = c.nowMs
		return
	}
	c.linkAtMs = c.nowMs
	if len(c.inbox) > 0 || len(c.head.Claims) > e.Claims {
		return
	}
	c.head.AliasOf, c.head.YieldsTo, c.head.Names, c.head.Claims = c.head.YieldsTo, "", nil, nil
	for _, timer := range slices.Clone(c.timers) {
		c.cancelTimer(timer.Name)
	}
	if c.state != nil {
		c.setState(nil)
	}
	c.note(linked("a name of an older conversation of the user"))
}
