package conversation

import (
	"fmt"

	"github.com/wactor/wactor/internal/planted"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// typeSystem is the type of the message in which a bot reads that the user's ids have changed, and
// of its record.
const typeSystem = "system"

// TypeUnreadable is the type of a message that stands for a piece of a signed webhook that no codec
// could read.
const TypeUnreadable = "unreadable"

// accept takes a message in, once. Renames says that it reports other ids of the user: its answer
// waits until they belong here.
func (c *Conversation) accept(e Arrived, renames bool) {
	l, message := &c.ledger, e.Message
	c.joins = true
	revision, underway := l.pending.ids[message.Id]
	switch {
	case l.full():
		l.effect(Respond{Ref: e.Ref, Verdict: Overloaded})
	case underway || e.Known && !planted.Is(planted.DedupLeftOut):
		c.duplicate(e, renames, revision)
	case c.identities.alias():
		// Only once it is on disk that this is an alias: else a crash could make this message new
		// here after it ran there.
		l.whenApplied(Forward{Ref: e.Ref, To: c.identities.sibling(c.identities.aliasOf)})
	case c.inbox.full() && !c.ownership.paused() || c.outbox.full():
		l.effect(Respond{Ref: e.Ref, Verdict: Overloaded})
	default:
		message.ReceivedMs = min(message.ReceivedMs, l.nowMs) // a gateway's clock may be ahead of this one's
		c.inbox.receive(message, c.turns.sessionBegins())
		c.enter(message)
		c.identities.greet(e.User, min(sentMs(message), l.nowMs))
		c.identities.claim(e.User.GetWaId(), e.User.GetUserId())
		if !renames || !c.identities.hold(e.Ref, Accepted) {
			l.respond(e.Ref, Accepted)
		}
		accepted := &wactorv1.JournalEntry{
			Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, Node: e.Node, MessageId: message.Id,
			MessageSeq: message.Seq, SentMs: message.SentMs, ReceivedMs: message.ReceivedMs,
		}
		if message.Event {
			accepted.Reason = "an event for the next turn: the bot does not receive messages of this type"
		}
		if c.ownership.paused() {
			accepted.Reason = "held: the bot does not own the conversation"
		}
		l.note(accepted)
		c.sort(message)
	}
}

// duplicate answers a message that was accepted before: at once, or with the commit that holds it.
func (c *Conversation) duplicate(e Arrived, renames bool, revision uint64) {
	c.ledger.noteDuplicate(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_DUPLICATE, Node: e.Node, MessageId: e.Message.Id,
		ReceivedMs: e.Message.ReceivedMs,
	})
	if !renames || !c.identities.hold(e.Ref, Duplicate) {
		c.ledger.respondAt(revision, e.Ref, Duplicate)
	}
}

// enter gives a message that is new here its number, and notes that its user has written, if it was
// the user.
func (c *Conversation) enter(message *wactorv1.Message) {
	if !c.ownership.paused() {
		c.turns.expire()
	}
	c.inbox.number(message)
	c.turns.touched()
	if message.Type != typeSystem && message.Type != TypeFailed {
		c.outbox.userWrote(sentMs(message))
	}
	c.ledger.remember(message.Id, nil)
}

// sort decides what becomes of a message that was accepted: a dead letter, nothing, or a turn.
func (c *Conversation) sort(message *wactorv1.Message) {
	if reason := c.inbox.unfit(message); reason != "" {
		c.ledger.deadLetter(&wactorv1.DeadLetter{Reason: reason, Messages: []*wactorv1.Message{message}})
		return
	}
	if message.Event {
		c.inbox.queue(message)
		c.inbox.keepEvents()
		return
	}
	if c.ownership.paused() {
		c.inbox.queue(message)
		c.inbox.keepHeld(c.ledger.cfg.Handoff.Hold)
		return
	}
	if reason, answer := c.spare(message); reason != "" {
		c.absorb(message, reason, answer)
		return
	}
	if c.turns.busy() {
		notice := ""
		if c.turns.notice() {
			notice = c.ledger.cfg.Burst.Notice
		}
		c.absorb(message, "the bot was busy", notice)
		return
	}
	c.turns.interrupt(message)
	c.inbox.queue(message)
}

// absorb ends a message that no turn takes; answer, where not empty, is said to the user.
func (c *Conversation) absorb(message *wactorv1.Message, reason, answer string) {
	c.ledger.absorbed(message, reason)
	if answer != "" {
		c.outbox.sayText(answer, origin{answers: message.Id, receivedMs: message.ReceivedMs})
	}
}

// Verdict is the answer to a delivery.
type Verdict int

const (
	// Accepted: the message is on stable storage.
	Accepted Verdict = iota + 1
	// Duplicate: the message was accepted before, and is on stable storage.
	Duplicate
	// Overloaded: a limit of this conversation is reached; nothing was kept, the provider must
	// send again.
	Overloaded
	// Unretryable: a dead letter holds nothing that could be tried again; nothing was changed.
	Unretryable
	// Owned: another principal owns the conversation; nothing was changed.
	Owned
	// NotOwned: the bot owns the conversation; nothing was changed.
	NotOwned
	// KeyInFlight: what was posted under this key is on its way to the store.
	KeyInFlight
	// KeyReused: something else was posted under this key; nothing was changed.
	KeyReused
	// WindowClosed: the provider would not take the message, since the user has not written for too
	// long; nothing was changed.
	WindowClosed
)

func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Duplicate:
		return "duplicate"
	case Overloaded:
		return "overloaded"
	case Unretryable:
		return "unretryable"
	case Owned:
		return "owned"
	case NotOwned:
		return "not owned"
	case KeyInFlight:
		return "key in flight"
	case KeyReused:
		return "key reused"
	case WindowClosed:
		return "window closed"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}
