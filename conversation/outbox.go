package conversation

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// sending is what happens to the first reply of the outbox. The ones behind it were never sent.
type sending struct {
	phase   sendPhase
	seq     uint64
	try     uint32
	untilMs int64
	// sinceMs is when the doubt began.
	sinceMs int64
	// settles is the commit that must be applied before the next send: the outcome of the one
	// before.
	settles uint64
}

type sendPhase int

const (
	sendIdle     sendPhase = iota // may be sent
	sendInFlight                  // on its way; SendDone will come
	sendBackoff                   // refused before processing: sent again at untilMs
	sendInDoubt                   // fate unknown: a status is awaited until untilMs
	sendPaced                     // the provider's pair rate is used up until untilMs
	sendAwait                     // taken; the next one waits for its status until untilMs
)

func (s sending) waits() bool { return s.phase != sendIdle && s.phase != sendInFlight }

// post appends a reply to the outbox.
func (c *Conversation) post(reply *wactorv1.Reply, version uint64, answers string) {
	seq := c.head.NextOutbox
	c.head.NextOutbox++
	out := &wactorv1.OutboxReply{
		Seq: seq, Id: replyID(c.head.CreatedMs, seq, c.id.User), Reply: reply, Version: version, CreatedMs: c.nowMs,
		Answers: answers,
	}
	c.put(wactorv1.RecordKind_RECORD_KIND_OUTBOX, record.Number(seq), out)
	c.outbox = append(c.outbox, outgoing{reply: out, revision: c.revision + 1})
}

// startSend sends the first reply, if it is committed and so is the outcome of the one before.
func (c *Conversation) startSend() {
	if c.send.phase != sendIdle || c.stopping || len(c.outbox) == 0 {
		return
	}
	first := c.outbox[0]
	if first.revision > c.applied && !planted.Is(planted.SentBeforeCommit) || c.send.settles > c.applied {
		return
	}
	if c.clean {
		// The store says that nothing is being sent. It must stop saying so before something is.
		c.draft.dirty = true
		c.send.settles = c.revision + 1
		return
	}
	if c.send.seq != first.reply.Seq {
		c.send = sending{seq: first.reply.Seq}
	}
	if c.windowClosed(first.reply.Reply) {
		c.refused(provider.Result{Reason: "the customer service window is closed"})
		return
	}
	if !c.paced() {
		return
	}
	c.send.phase = sendInFlight
	c.send.try++
	c.effect(Send{Seq: c.send.seq, Try: c.send.try, Outgoing: &provider.Outgoing{
		To: c.head.User, ReplyID: first.reply.Id, Reply: first.reply.Reply,
		Answers: first.reply.Answers,
	}})
}

// sendDone takes the result of a send; that of a reply which a status settled meanwhile is ignored.
func (c *Conversation) sendDone(e SendDone) {
	if c.send.phase != sendInFlight || e.Seq != c.send.seq || e.Try != c.send.try {
		return
	}
	if e.Result.NotTried {
		c.send.phase = sendPaced
		c.send.try--
		c.unpaced()
		c.send.untilMs = c.nowMs + max(e.Result.RetryAfter.Milliseconds(), 1)
		return
	}
	switch e.Result.Outcome {
	case provider.Sent:
		c.taken(e.Result.ProviderID, e.Result.Reason)
		return
	case provider.Refused:
		c.refused(e.Result)
		return
	}
	if e.Result.Outcome == provider.Unknown {
		c.holdInDoubt(e.Result.Reason)
		return
	}
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED, ReplySeq: c.send.seq, Attempt: c.send.try,
		Reason: e.Result.Reason,
	})
	c.send.phase = sendBackoff
	c.slowDown(e.Result.Outcome)
	c.send.untilMs = c.nowMs + max(e.Result.RetryAfter, resendAfter(e.Result, c.send.try)).Milliseconds()
}

// resendAfter is the wait before a reply is sent again that was certainly not taken: 4^X seconds
// after the pair rate limit, which is what WhatsApp asks for; a held channel is probed every half
// minute.
func resendAfter(result provider.Result, try uint32) time.Duration {
	shift := min(try-1, 6)
	switch {
	case result.Outcome == provider.ChannelHeld:
		return 30 * time.Second
	case result.Outcome == provider.PairLimited:
		return min(time.Second<<(2*shift), 256*time.Second)
	}
	return min(time.Second<<shift, time.Minute)
}

// taken: the provider has the reply.
func (c *Conversation) taken(providerID, how string) {
	first := c.settle()
	if hasOptions(first.Reply) && providerID != "" {
		c.head.Prompt = providerID
	}
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_SENT, Node: c.cfg.Node, ReplySeq: first.Seq, ProviderId: providerID,
		VersionAfter: first.Version, Attempt: c.send.try, Reason: how,
	})
	c.await(first.Seq)
}

// refused: the provider will never take the reply.
func (c *Conversation) refused(result provider.Result) {
	first := c.settle()
	c.deadLetter(&wactorv1.DeadLetter{Reason: result.Reason, Reply: first})
}

// settle takes the first reply out of the outbox; the next one waits for the commit that says so.
func (c *Conversation) settle() *wactorv1.OutboxReply {
	first := c.outbox[0].reply
	c.outbox = c.outbox[1:]
	c.delete(wactorv1.RecordKind_RECORD_KIND_OUTBOX, record.Number(first.Seq))
	c.send.phase = sendIdle
	c.send.settles = c.revision + 1
	return first
}

// doubt awaits a status that tells whether the provider took the first reply.
func (c *Conversation) holdInDoubt(reason string) {
	c.send.seq = c.outbox[0].reply.Seq
	c.send.phase = sendInDoubt
	c.send.sinceMs = c.nowMs
	c.send.untilMs = c.nowMs + c.cfg.InDoubt.Wait.Milliseconds()
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT, Node: c.cfg.Node, ReplySeq: c.send.seq, Reason: reason,
	})
}

// ticked ends the waits that are over.
func (c *Conversation) ticked(e Ticked) {
	if c.stopping || !c.send.waits() || c.nowMs < c.send.untilMs {
		return
	}
	if c.send.phase == sendInDoubt && !c.resolveInDoubt(e.StatusMs) {
		return
	}
	c.send.phase = sendIdle
}

// resolveInDoubt decides about the first reply, of which no status came in time; true where it is
// to be sent again. While no status of any reply came since the doubt began, the ingress may be
// down, and the wait goes on. It is sent again only when it is on disk that it was in doubt: what
// may be doubled is counted, whatever happens next.
func (c *Conversation) resolveInDoubt(statusMs int64) bool {
	if until := c.send.sinceMs + c.cfg.InDoubt.Max.Milliseconds(); statusMs < c.send.sinceMs && c.nowMs < until {
		c.send.untilMs = min(until, c.nowMs+c.cfg.InDoubt.Wait.Milliseconds())
		return false
	}
	reason := ""
	switch {
	case c.cfg.InDoubt.Then == policy.Park:
		reason = "in doubt: no status came in time, parked"
	case c.windowClosed(c.outbox[0].reply.Reply):
		reason = "in doubt: no status came in time, and the customer service window is closed"
	}
	if reason != "" {
		c.refused(provider.Result{Reason: reason})
		c.noteResolved(InDoubtParked)
		return false
	}
	c.note(&wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_RESENT, Node: c.cfg.Node,
		ReplySeq: c.send.seq})
	c.noteResolved(InDoubtResent)
	if !planted.Is(planted.ResentBeforeCommit) {
		c.send.settles = c.revision + 1
	}
	return true
}

// How an in-doubt reply is resolved (JournalEntry.doubt). A status reported that the provider took
// it or that it failed; or no status came, and the reply was sent again or parked as a dead letter.
const (
	InDoubtTaken  = "taken"
	InDoubtFailed = "failed"
	InDoubtResent = "resent"
	InDoubtParked = "parked"
)

// noteResolved marks the newest journal entry as what resolved the in-doubt reply.
func (c *Conversation) noteResolved(outcome string) {
	c.draft.journal[len(c.draft.journal)-1].Doubt = outcome
}

// resume takes up what the activation before left: its first reply may have been on its way, unless
// it said otherwise.
func (c *Conversation) resume() {
	if len(c.outbox) > 0 && !c.clean && !planted.Is(planted.DoubtForgotten) {
		c.holdInDoubt("the activation before ended without a word")
	}
}
