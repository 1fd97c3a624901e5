package conversation

import (
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// retried takes a dead letter up again. Its messages get new arrival numbers, so that they come
// after what was taken meanwhile, and a reply gets a new number and a new id: the provider may have
// seen the old one.
func (c *Conversation) retried(e Retried) {
	if e.Letter != nil && !c.retryable(e.Letter, e.Text) {
		c.effect(Respond{Ref: e.Ref, Verdict: Unretryable})
		return
	}
	if !c.removeLetter(e.Ref, e.Letter, "retried by an operator") {
		return
	}
	for _, message := range e.Letter.Messages {
		message = proto.CloneOf(message)
		// another one may know later ones
		message.Late = message.Late || c.comesLate(message) || c.alias() || c.linking()
		message.Seq = c.head.NextInbox
		c.head.NextInbox++
		c.note(&wactorv1.JournalEntry{
			Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, Node: c.cfg.Node, MessageId: message.Id,
			MessageSeq: message.Seq,
			SentMs:     message.SentMs, ReceivedMs: message.ReceivedMs, Reason: "a dead letter, retried",
		})
		c.queue(waiting{message: message, revision: c.revision + 1})
	}
	if c.alias() {
		c.yieldAgain()
		return
	}
	if timer := e.Letter.Timer; timer != nil && timer.Name != SessionExpired {
		dueMs := c.nowMs
		if c.turn != nil && c.turn.Timer.GetName() == timer.Name {
			dueMs = max(dueMs, c.turn.Timer.DueMs+1) // its end must not take this one for its own
		}
		c.setTimer(timer.Name, dueMs)
	}
	if reply := said(e.Letter, e.Text); reply != nil {
		c.post(reply, e.Letter.Reply.Version, e.Letter.Reply.Answers)
	}
}

// comesLate reports whether a message was sent before one that a turn has taken, or takes.
func (c *Conversation) comesLate(message *wactorv1.Message) bool {
	newest := c.head.NewestSentMs
	taken := unwrap(c.retryMessages())
	if c.turn != nil {
		taken = c.turn.Messages
	}
	for _, m := range taken {
		newest = max(newest, sentMs(m))
	}
	return isLate(message, min(newest, c.nowMs))
}

// retryable reports whether a letter holds anything to try again: not what nobody could read, not
// the end of a session, and not a reply that failed after it was taken, unless there is a text to
// say instead: what it said is not kept. What a name of another conversation had to say is not said
// after that one took over, but its messages go there.
func (c *Conversation) retryable(letter *wactorv1.DeadLetter, text string) bool {
	if len(letter.Messages) > 0 {
		return letter.Messages[0].Type != TypeUnreadable
	}
	timer := letter.Timer != nil && letter.Timer.Name != SessionExpired && c.head.YieldsTo == ""
	return !c.alias() && (timer || said(letter, text) != nil)
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

func (c *Conversation) skipped(e Skipped) {
	c.removeLetter(e.Ref, e.Letter, "skipped by an operator")
}

// removeLetter takes a letter out; false where it is gone already.
func (c *Conversation) removeLetter(ref uint64, letter *wactorv1.DeadLetter, reason string) bool {
	if letter == nil || c.removedLetters[letter.Seq] {
		c.effect(Respond{Ref: ref, Verdict: Duplicate})
		return false
	}
	if c.removedLetters == nil {
		c.removedLetters = map[uint64]bool{}
	}
	c.removedLetters[letter.Seq] = true
	c.delete(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(letter.Seq))
	c.head.DeadLetters -= min(c.head.DeadLetters, 1)
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_NOTE, Node: c.cfg.Node, MessageSeqs: seqs(letter.Messages),
		ReplySeq: letter.Reply.GetSeq(),
		Reason:   "dead letter " + reason,
	})
	c.respond(ref, Accepted)
	return true
}
