package conversation

import (
	"strconv"
	"strings"

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

// status takes a delivery status in. It settles the reply that is on its way or in doubt, if it is
// that one's; else it is only noted.
func (o *outbox) status(e StatusArrived) {
	l := o.ledger
	created, seq, user, ok := parseReplyID(e.ReplyID)
	if !ok || created != l.head.CreatedMs || user != l.id.User || seq >= o.next {
		l.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // not a reply of this conversation
		return
	}
	for _, key := range StatusKeys(e.ReplyID, e.Status) {
		if revision, ok := l.pending.ids[key]; ok {
			l.respondAt(revision, e.Ref, Duplicate)
			return
		}
	}
	open := !o.empty() && o.replies[0].reply.Seq == seq
	o.awaited(seq, e.Status)
	switch {
	case e.Known:
		l.effect(Respond{Ref: e.Ref, Verdict: Duplicate})
		return
	case !open && e.Status == "sent":
		l.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // says nothing that the answer to the send did not say
		return
	}
	l.remember(StatusKey(e.ReplyID, e.Status))
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
		o.refused(e.failedReason())
	case open:
		o.took(e.ProviderID, "status")
		o.awaited(seq, e.Status)
	case e.Status == "failed":
		l.deadLetter(&wactorv1.DeadLetter{
			Reason: e.failedReason(),
			Reply:  o.taken.find(seq, e.ReplyID),
		})
	}
}

// failedReason is why a reply failed, for its dead letter.
func (e *StatusArrived) failedReason() string {
	return strings.TrimSuffix("provider reported failed: "+e.codeReason(), ": ")
}

// codeReason is the provider's code and what it says about it; empty where there is neither.
func (e *StatusArrived) codeReason() string {
	if e.Code == 0 {
		return e.Reason
	}
	return strings.TrimSuffix("code "+strconv.Itoa(e.Code)+": "+e.Reason, ": ")
}
