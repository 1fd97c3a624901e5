package conversation

import (
	"cmp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/internal/planted"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// How an in-doubt reply is resolved, as its journal entry says. A status reported that the provider
// took it or that it failed; or no status came, and the reply was sent again or parked as a dead
// letter.
const (
	InDoubtTaken  = "taken"
	InDoubtFailed = "failed"
	InDoubtResent = "resent"
	InDoubtParked = "parked"
)

// resume takes up what the activation before left: its first reply may have been on its way, unless
// it said otherwise.
func (o *outbox) resume() {
	if !o.empty() && !o.ledger.chain.clean && !planted.Is(planted.InDoubtForgotten) {
		o.hold("the activation before ended without a word")
	}
}

// hold awaits a status that tells whether the provider took the first reply.
func (o *outbox) hold(reason string) {
	nowMs := o.ledger.nowMs
	o.send.seq, o.send.phase = o.replies[0].reply.Seq, sendInDoubt
	o.send.sinceMs, o.send.untilMs = nowMs, nowMs+o.cfg.InDoubt.Wait.Milliseconds()
	o.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT, Node: o.cfg.Node, ReplySeq: o.send.seq, Reason: reason,
	})
}

// tick ends the waits that are over.
func (o *outbox) tick(e Ticked) {
	if !o.send.waits() || o.ledger.nowMs < o.send.untilMs {
		return
	}
	if o.send.phase == sendInDoubt && !o.resolve(e.StatusMs) {
		return
	}
	o.send.phase = sendIdle
}

// resolve decides about the first reply, of which no status came in time; true where it is to be
// sent again. While no status of any reply came since it is in doubt, the ingress may be down, and
// the wait goes on. It is sent again only when it is on disk that it was in doubt: what may be
// doubled is counted, whatever happens next.
func (o *outbox) resolve(statusMs int64) bool {
	nowMs := o.ledger.nowMs
	if until := o.send.sinceMs + o.cfg.InDoubt.Max.Milliseconds(); statusMs < o.send.sinceMs && nowMs < until {
		o.send.untilMs = min(until, nowMs+o.cfg.InDoubt.Wait.Milliseconds())
		return false
	}
	reason := ""
	switch {
	case o.replies[0].reply.Withdrawn:
		reason = "in doubt: no status came in time, and the conversation has another owner"
	case o.cfg.InDoubt.Then == policy.Park:
		reason = "in doubt: no status came in time, parked"
	case o.windowClosed(o.replies[0].reply.Reply):
		reason = "in doubt: no status came in time, and the customer service window is closed"
	}
	if reason != "" {
		o.refused(reason)
		o.ledger.noteResolved(InDoubtParked)
		return false
	}
	o.ledger.note(&wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_RESENT, Node: o.cfg.Node,
		ReplySeq: o.send.seq})
	o.ledger.noteResolved(InDoubtResent)
	if !planted.Is(planted.ResentBeforeCommit) {
		o.send.settles = o.ledger.next()
	}
	return true
}

// TypeFailed is the type of the message in which a bot reads that a reply failed after the provider
// had taken it. Its text is what the provider says about it, and its raw the Reply, encoded.
const TypeFailed = policy.Failed

// failure is a status that says that a reply failed.
type failure struct {
	StatusArrived
	reply *wactorv1.OutboxReply
}

// take sends the reply once more, lets the bot know, or makes a dead letter of it.
func (f failure) take(c *Conversation) {
	switch {
	case f.WindowClosed && f.mayAgain(c):
		// By our clock the user wrote lately enough: the provider may not have noticed that yet.
		entry := c.ledger.draft.journal[len(c.ledger.draft.journal)-1]
		entry.Reason = strings.TrimPrefix(entry.Reason+"; sent once more: the customer service window is open", "; ")
		c.outbox.sendAgain(f.reply)
	case c.ledger.cfg.Receives.Failed() && f.mayReport(c):
		f.report(c)
	default:
		c.ledger.deadLetter(&wactorv1.DeadLetter{
			Reason: strings.TrimSuffix("provider reported failed: "+f.codeReason(), ": "), Reply: f.reply,
		})
	}
}

// mayAgain reports whether the reply may be sent once more: a bot's not while another one owns the
// conversation.
func (f failure) mayAgain(c *Conversation) bool {
	open := c.outbox.windowUntil().UnixMilli() > c.ledger.nowMs
	return open && f.reply.Reply != nil && !f.reply.Again && !c.identities.alias() && c.identities.yieldsTo == "" &&
		(f.reply.Author != "" || !c.ownership.paused())
}

// mayReport reports whether the bot may answer: not to a failure of what it said about one.
func (f failure) mayReport(c *Conversation) bool {
	return !f.reply.OnFailure && !c.identities.alias() && !c.inbox.full() && !c.ownership.paused()
}

// report queues the message in which the bot reads it.
func (f failure) report(c *Conversation) {
	message := &wactorv1.Message{
		Id: TypeFailed + "." + f.ReplyID, Type: TypeFailed, Text: readable(f.codeReason()),
		ContextId: f.ProviderID, SentMs: f.AtMs, ReceivedMs: c.ledger.nowMs,
	}
	if f.reply.Reply != nil {
		message.Raw = encode(f.reply.Reply)
	}
	c.enter(message)
	c.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, Node: c.ledger.cfg.Node, MessageId: message.Id,
		MessageSeq: message.Seq, SentMs: message.SentMs, ReceivedMs: message.ReceivedMs, ReplySeq: f.reply.Seq,
		Reason: "a reply failed, which the bot receives",
	})
	c.inbox.queue(message)
}

// SentReply finds a reply that a status names in a journal record, for StatusArrived; nil where the
// record does not hold it.
func SentReply(journal *wactorv1.Journal, replyID string) (*wactorv1.OutboxReply, error) {
	_, seq, _, _ := parseReplyID(replyID)
	for _, e := range journal.Entries {
		if e.Kind != wactorv1.JournalKind_JOURNAL_KIND_SENT || e.ReplySeq != seq || len(e.Reply) == 0 {
			continue
		}
		reply := &wactorv1.OutboxReply{}
		if err := proto.Unmarshal(e.Reply, reply); err != nil || reply.Id == replyID {
			return reply, err
		}
	}
	return nil, nil
}

// status takes a delivery status in. It settles the reply that is on its way or in doubt, if it is
// that one's; else it is only noted. It returns the reply where the status says that it failed.
func (o *outbox) status(e StatusArrived) (failed *wactorv1.OutboxReply) {
	l := o.ledger
	created, seq, user, ok := parseReplyID(e.ReplyID)
	if !ok || created != l.head.CreatedMs || user != l.id.User || seq >= o.next {
		l.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // not a reply of this conversation
		return nil
	}
	for _, key := range StatusKeys(e.ReplyID, e.Status) {
		if revision, ok := l.pending.ids[key]; ok {
			l.respondAt(revision, e.Ref, Duplicate)
			return nil
		}
	}
	open := !o.empty() && o.replies[0].reply.Seq == seq
	o.awaited(seq, e.Status)
	switch {
	case e.Known:
		l.effect(Respond{Ref: e.Ref, Verdict: Duplicate})
		return nil
	case !open && e.Status == "sent":
		l.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // says nothing that the answer to the send did not say
		return nil
	}
	l.remember(statusKey(e.ReplyID, e.Status), nil)
	l.respond(e.Ref, Accepted)
	l.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_STATUS, ReplySeq: seq, ProviderId: e.ProviderID, Status: e.Status,
		SentMs: e.AtMs, Reason: e.codeReason(),
	})
	if open && o.send.phase == sendInDoubt {
		l.noteResolved(map[bool]string{true: InDoubtFailed, false: InDoubtTaken}[e.Status == "failed"])
	}
	switch {
	case open && e.Status == "failed":
		return o.settle().reply
	case open:
		o.took(e.ProviderID, "status")
		o.awaited(seq, e.Status)
	case e.Status == "failed":
		return cmp.Or(o.taken.find(seq), e.Reply, &wactorv1.OutboxReply{Seq: seq, Id: e.ReplyID})
	}
	return nil
}

// codeReason is the provider's code and what it says about it; empty where there is neither.
func (e *StatusArrived) codeReason() string {
	if e.Code == 0 {
		return e.Reason
	}
	return strings.TrimSuffix("code "+strconv.Itoa(e.Code)+": "+e.Reason, ": ")
}
