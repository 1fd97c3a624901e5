package conversation

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// yield begins to merge this conversation into an older one of the same user. Replies that it has
// made are sent by itself, before the other says anything new; what waits for a turn goes over.
// State and timers end with it: the older conversation has its own.
func (i *identities) yield(to string) {
	i.yieldsTo = to
	i.claims = slices.DeleteFunc(i.claims, func(name string) bool { return name == to })
	i.ledger.note(linked("merges into an older conversation of the user"))
}

// yieldAgain merges what waits at a name of another conversation: messages of a dead letter that
// was taken up again.
func (i *identities) yieldAgain() {
	i.yieldsTo, i.aliasOf = i.aliasOf, ""
	i.now()
}

// offer offers what waits to the older conversation, a piece at a time, again and again until all
// was taken.
func (i *identities) offer(b *inbox, owner *wactorv1.Ownership) {
	if i.yieldsTo == "" || i.ledger.committing() || i.ledger.nowMs < i.linking.againMs {
		return
	}
	i.ledger.effect(OfferMerge{
		To: i.sibling(i.yieldsTo), From: i.ledger.id.User, User: i.user, UserMs: i.userMs,
		Names: slices.Clone(i.names), Claims: slices.Clone(i.claims), Messages: unwrap(together(b.all())),
		Ownership: owner,
	})
	i.linking.againMs = i.ledger.nowMs + linkAgainMs
}

// takeNames takes what a younger conversation knows of the user.
func (i *identities) takeNames(e MergeOffer) {
	i.greet(e.User, e.UserMs)
	for _, name := range append([]string{e.From}, e.Names...) {
		i.claims = slices.DeleteFunc(i.claims, func(claim string) bool { return claim == name })
		if name != i.ledger.id.User && !slices.Contains(i.names, name) {
			i.names = append(i.names, name)
		}
	}
	i.claim(e.Claims...)
	i.ledger.note(linked("took over another conversation of the user"))
}

// merged ends this conversation: it is a name of the older one.
func (i *identities) merged() {
	i.aliasOf, i.yieldsTo, i.names, i.claims = i.yieldsTo, "", nil, nil
	i.ledger.note(linked("a name of an older conversation of the user"))
}

// mergeOffer takes what another conversation of the same user offers. Offered again, it takes
// nothing twice. A conversation that is not the oldest any more takes nothing, and reports which
// messages it took before: they must not be offered elsewhere.
func (c *Conversation) mergeOffer(e MergeOffer) {
	l, i := &c.ledger, &c.identities
	reply := ReplyPeer{Ref: e.Ref, Owner: l.id.User}
	takes := !i.alias() && i.yieldsTo == ""
	if takes {
		i.takeNames(e)
	} else {
		reply.Owner = i.aliasOf + i.yieldsTo // one of the two is set
	}
	for n, message := range e.Messages {
		_, underway := l.pending.ids[message.Id]
		known := underway || e.Known[n] && !planted.Is(planted.MergedTwice)
		if known || takes {
			reply.Taken = append(reply.Taken, message.Seq)
		}
		if !known && takes {
			if message.Author != "" {
				c.ownership.remark(message, message.Author)
				l.remember(message.Id, nil)
				continue
			}
			c.enter(message)
			l.note(&wactorv1.JournalEntry{
				Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, MessageId: message.Id, MessageSeq: message.Seq,
				SentMs: message.SentMs, ReceivedMs: message.ReceivedMs,
				Reason: "merged from another conversation of the user",
			})
			c.inbox.queue(message)
		}
	}
	if owner := e.Ownership; takes && owner.GetOwner() != 0 && !c.ownership.lasts(owner.UntilMs) {
		c.ownership.pause(proto.CloneOf(owner)) // a person who answers one name of the user answers all of them
	}
	if planted.Is(planted.MergedBeforeCommit) {
		l.effect(reply)
		return
	}
	l.whenApplied(reply)
}

// reasonMerged is why a message that another conversation took is absorbed here.
const reasonMerged = "merged into another conversation"

// mergeResult makes an alias of this conversation once the older one has all that waited. What
// there is beside is offered next.
func (c *Conversation) mergeResult(e MergeResult) {
	i := &c.identities
	if i.yieldsTo == "" || e.By != i.yieldsTo {
		return // the answer to an offer that was repeated elsewhere since
	}
	for _, w := range c.inbox.all() {
		if slices.Contains(e.Taken, w.message.Seq) {
			c.inbox.consume(w.message.Seq)
			c.ledger.absorbed(w.message, reasonMerged)
		}
	}
	i.now()
	switch {
	case e.Owner != e.By:
		i.yieldsTo = e.Owner // that one belongs to another itself by now
		c.ledger.touch()
	case len(c.inbox.all()) == 0 && len(i.claims) <= e.Claims:
		c.turns.clear()
		c.ownership.end()
		i.merged()
	}
}
