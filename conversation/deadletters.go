package conversation

import (
	"time"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// retried takes a dead letter up again. Its messages get new arrival numbers, so that they come
// after what was taken meanwhile, and a reply gets a new number and a new id: the provider may have
// seen the old one.
func (c *Conversation) retried(e Retried) {
	e.Letter = c.ledger.newest(e.Letter)
	if c.inbox.full() || c.outbox.full() {
		c.ledger.effect(Respond{Ref: e.Ref, Verdict: Overloaded})
		return
	}
	if e.Letter != nil && !c.identities.retryable(e.Letter, e.Text) {
		c.ledger.effect(Respond{Ref: e.Ref, Verdict: Unretryable})
		return
	}
	if !c.ledger.removeLetter(e.Ref, e.Letter, e.By, "retried by an operator") {
		return
	}
	for _, message := range e.Letter.Messages {
		c.enterAgain(proto.CloneOf(message))
	}
	if c.identities.alias() {
		c.identities.yieldAgain()
		return
	}
	if timer := e.Letter.Timer; timer != nil && timer.Name != sessionExpired {
		c.turns.timers.ring(timer, c.turns.run.turn)
	}
	if reply := said(e.Letter, e.Text); reply != nil {
		c.outbox.post(reply, origin{
			version: e.Letter.Reply.Version, answers: e.Letter.Reply.Answers, onFailure: e.Letter.Reply.OnFailure,
			author: e.By,
		})
	}
}

// enterAgain queues a message of a dead letter.
func (c *Conversation) enterAgain(message *wactorv1.Message) {
	// another conversation may know later ones
	message.Late = message.Late || c.inbox.comesLate(message, c.turns.underway()) || c.identities.alias() ||
		c.identities.open()
	c.inbox.number(message)
	c.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, Node: c.ledger.cfg.Node, MessageId: message.Id,
		MessageSeq: message.Seq, SentMs: message.SentMs, ReceivedMs: message.ReceivedMs,
		Reason: "a dead letter, retried",
	})
	c.inbox.queue(message)
}

// retryable reports whether a letter holds anything to try again: not what no codec could read, not
// the end of a session, and not a reply that failed long after it was taken, whose content is not
// kept, unless there is a text to say instead. What a name of another conversation had to say is
// not said after that one took over, but its messages go there.
func (i *identities) retryable(letter *wactorv1.DeadLetter, text string) bool {
	if len(letter.Messages) > 0 {
		return letter.Messages[0].Type != TypeUnreadable
	}
	timer := letter.Timer != nil && letter.Timer.Name != sessionExpired && i.yieldsTo == ""
	return !i.alias() && (timer || said(letter, text) != nil)
}

// said is the reply of a letter, with another text where one is given; nil where there is none.
func said(letter *wactorv1.DeadLetter, text string) *wactorv1.Reply {
	reply := letter.Reply.GetReply()
	if letter.Reply != nil && text != "" {
		return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}, PreviewUrl: reply.GetPreviewUrl(),
			ReplyTo: reply.GetReplyTo()}
	}
	return reply
}

// afterRestore is how many numbers of messages and replies a restored conversation leaves out: more
// than the cluster of the backup can have given since. Ids of turns and replies are derived from
// them. With the same ids a bot would answer what it answered then, and a late status of that reply
// would settle another one.
const afterRestore = 1_000_000

// Why something is in a dead letter that a backup holds as unfinished.
const (
	reasonMayBeSent     = "restored from a backup: the reply may have been sent since"
	reasonMayBeAnswered = "restored from a backup: the messages may have been answered since"
	reasonMayHaveRung   = "restored from a backup: the timer may have run since"
)

// apply makes a conversation that of a cluster that was restored.
func (e Restored) apply(c *Conversation) {
	l := &c.ledger
	l.note(&wactorv1.JournalEntry{
		Kind:   wactorv1.JournalKind_JOURNAL_KIND_NOTE,
		Reason: "restored from a backup of " + time.UnixMilli(e.TakenMs).UTC().Format(time.RFC3339),
	})
	c.inbox.next += afterRestore
	c.outbox.next += afterRestore
	if !e.Hold {
		return
	}
	for !c.outbox.empty() {
		c.outbox.refused(reasonMayBeSent)
	}
	c.turns.retry.forget()
	if c.ownership.paused() {
		return // messages and timers wait for a person, who decides about them
	}
	// Of a conversation that is being merged, the older one may have some of the messages already.
	// It takes the others, so each of them keeps one fate.
	for c.identities.yieldsTo == "" && !c.inbox.empty() {
		messages := unwrap(together(c.inbox.waiting))
		for _, message := range messages {
			c.inbox.consume(message.Seq)
		}
		l.deadLetter(&wactorv1.DeadLetter{Reason: reasonMayBeAnswered, Messages: messages})
	}
	for timer, _ := c.turns.timers.due(); timer != nil; timer, _ = c.turns.timers.due() {
		c.turns.timers.cancel(timer.Name)
		if timer.Name != sessionExpired { // the next message begins a session all the same
			l.deadLetter(&wactorv1.DeadLetter{Reason: reasonMayHaveRung, Timer: timer})
		}
	}
}
