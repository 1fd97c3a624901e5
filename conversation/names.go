package conversation

import (
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// One person may come under several identities: a phone number, a BSUID, and new ones of either
// after a change. Each identity has a record of its own, at its own place. Where a webhook tells
// that two belong to one person, one of them becomes an alias: a record that says to which
// conversation it belongs, and forwards what still arrives for it.
//
// There is no transaction over two records. The conversation that sees a new identity writes down
// that it claims it, asks, and runs no turn until it knows the answer; each answer is a commit of
// the one that answers, and asking again yields the same. Where both are conversations the older
// one stays, by an order that both sides compute alike, and the other hands over.

// links claims the identities that a webhook tells besides this one.
func (c *Conversation) links(names ...string) {
	for _, name := range names {
		known := name == "" || name == c.id.User || name == c.head.YieldsTo ||
			slices.Contains(c.head.Names, name) || slices.Contains(c.head.Claims, name)
		if !known {
			c.head.Claims = append(c.head.Claims, name)
			c.draft.dirty = true
			c.linkAtMs = c.nowMs
		}
	}
}

// linking reports whether it is open to whom this conversation belongs: no turn runs then.
func (c *Conversation) linking() bool { return len(c.head.Claims) > 0 || c.head.YieldsTo != "" }

// alias reports whether this is only a name of another conversation.
func (c *Conversation) alias() bool { return c.head.AliasOf != "" }

// ask asks each claimed identity to whom it belongs, again and again until all have answered.
func (c *Conversation) requestResolve() {
	if c.stopping || len(c.head.Claims) == 0 || c.head.YieldsTo != "" || c.Committing() || c.nowMs < c.linkAtMs {
		return
	}
	for _, name := range c.head.Claims {
		c.effect(RequestResolve{To: c.sibling(name), By: c.id.User, CreatedMs: c.head.CreatedMs})
	}
	c.linkAtMs = c.nowMs + linkAgainMs
}

// linkAgainMs is how long an answer is awaited.
const linkAgainMs = 1000

func (c *Conversation) sibling(user string) ID { return ID{Channel: c.id.Channel, User: user} }

// asked answers to whom this identity belongs. One that nobody has used becomes an alias of whoever
// asks first. A younger conversation does not answer the one that it hands over to: that one waits
// until it has taken everything.
func (c *Conversation) resolveRequest(e ResolveRequest) {
	switch {
	case c.alias():
		c.replyOwner(e.Ref, c.head.AliasOf)
	case c.revision == 0:
		c.head.AliasOf = e.By
		c.note(linked("a name of another conversation"))
		c.replyOwner(e.Ref, e.By)
	case c.head.YieldsTo == e.By:
		c.replyOwner(e.Ref, notYet)
	case c.head.YieldsTo != "":
		c.replyOwner(e.Ref, c.head.YieldsTo)
	case c.olderThan(e.By, e.CreatedMs):
		c.replyOwner(e.Ref, c.id.User)
	default:
		c.yield(e.By)
		c.replyOwner(e.Ref, notYet)
	}
}

// notYet is the answer that there is none yet.
const notYet = ""

// olderThan is the order in which conversations that turn out to be one user's yield to each other.
func (c *Conversation) olderThan(user string, createdMs int64) bool {
	if c.head.CreatedMs != createdMs {
		return c.head.CreatedMs < createdMs
	}
	return c.id.User < user
}

// replyOwner answers when what the answer says is on disk.
func (c *Conversation) replyOwner(ref uint64, owner string) {
	c.whenApplied(ReplyPeer{Ref: ref, Owner: owner})
}

// whenApplied does something once all that was decided so far is on disk.
func (c *Conversation) whenApplied(effect Effect) {
	revision := c.revision
	if c.draft.dirty {
		revision++
	}
	if revision <= c.applied {
		c.effect(effect)
		return
	}
	c.responses = append(c.responses, response{revision: revision, instead: effect})
}

// unsettled reports whether a claimed identity may still take messages of its own. One that hands
// over here does not, nor does this one once it hands over itself.
func (c *Conversation) unsettled() bool {
	open := func(name string) bool { return !slices.Contains(c.settled, name) }
	return c.head.YieldsTo == "" && slices.ContainsFunc(c.head.Claims, open)
}

// answerLinked answers what told of new identities once they are settled: a message under one of
// them that is posted behind the answer must not begin a conversation of its own. It does not wait
// until they have handed over, which may take as long as a provider is down.
func (c *Conversation) answerLinked() {
	if len(c.unlinked) == 0 || c.unsettled() {
		return
	}
	for _, r := range c.unlinked {
		c.whenApplied(Respond{Ref: r.ref, Verdict: r.verdict})
	}
	c.unlinked = nil
}

// resolveReply takes the answer of a claimed identity.
func (c *Conversation) resolveReply(e ResolveReply) {
	i := slices.Index(c.head.Claims, e.Name)
	if i < 0 || c.head.YieldsTo != "" {
		return
	}
	switch {
	case e.Owner == notYet:
		c.settled = append(c.settled, e.Name)
		return
	case e.Owner == c.id.User || slices.Contains(c.head.Names, e.Owner):
		c.head.Claims = slices.Delete(c.head.Claims, i, i+1)
		c.head.Names = append(c.head.Names, e.Name)
		c.note(linked("another name of the user leads here"))
	case e.Owner == e.Name:
		c.yield(e.Name) // it is a conversation, and older
	default:
		// It is a name of a third one, which is the user's too: that one is asked instead. The name
		// leads there already.
		c.head.Claims = slices.Delete(c.head.Claims, i, i+1)
		if !slices.Contains(c.head.Claims, e.Owner) {
			c.head.Claims = append(c.head.Claims, e.Owner)
		}
		c.draft.dirty = true
	}
	c.linkAtMs = c.nowMs
}

func linked(reason string) *wactorv1.JournalEntry {
	return &wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_LINKED, Reason: reason}
}
