package conversation

import (
	"strconv"
	"strings"

	"github.com/wactor/wactor/internal/planted"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// GenerationMs is the length of a generation of message ids. Ids are written to the generation of
// their arrival and forgotten a whole generation at a time: no scan, no index by time, one range
// deletion. Part of the stored format.
const GenerationMs = 3 * 24 * 3600 * 1000

// Generation returns the generation of a time (Unix milliseconds).
func Generation(ms int64) uint32 { return uint32(ms / GenerationMs) }

// ForgetBefore returns the first generation that is still needed at a time under a deduplication
// window.
func ForgetBefore(nowMs, windowMs int64) uint32 { return Generation(max(0, nowMs-windowMs)) }

// Generations returns where the store may hold message ids of this conversation. A conversation
// that is new, or whose user was silent for longer than the window, has none and costs no look-up.
func (c *Conversation) Generations() []uint32 { return c.head.SeenGenerations }

// maxInboxBytes bounds what waits in one conversation: a message may have 3 MiB, and a bot that is
// down may leave a thousand of them.
const maxInboxBytes = 16 << 20

// accept takes a message in, once.
func (c *Conversation) accept(e Arrived) {
	id := e.Message.Id
	revision, underway := c.unapplied[id]
	switch {
	case c.Full():
		c.effect(Respond{Ref: e.Ref, Verdict: Overloaded})
		return
	case underway || e.Known && !planted.Is(planted.DedupLeftOut):
		c.duplicate(e, revision)
		return
	case c.alias():
		// Only once it is on disk that this is an alias: else a crash could make this message new
		// here after it ran there.
		c.whenApplied(Forward{Ref: e.Ref, To: c.sibling(c.head.AliasOf)})
		return
	case len(c.inbox) >= c.cfg.MaxInbox || c.inboxBytes >= maxInboxBytes || len(c.outbox) >= c.cfg.MaxInbox:
		// The replies of a user who writes faster than the provider takes them would grow without
		// end.
		c.effect(Respond{Ref: e.Ref, Verdict: Overloaded})
		return
	}
	message := e.Message
	message.ReceivedMs = min(message.ReceivedMs, c.nowMs) // a gateway's clock may be ahead of this one's
	c.enter(message)
	c.greet(e.User, min(sentMs(message), c.nowMs))
	c.links(e.User.GetWaId(), e.User.GetUserId())
	if message.Type == typeSystem && c.unsettled() {
		c.unlinked = append(c.unlinked, response{ref: e.Ref, verdict: Accepted})
	} else {
		c.respond(e.Ref, Accepted)
	}
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, Node: e.Node, MessageId: id, MessageSeq: message.Seq,
		SentMs: message.SentMs, ReceivedMs: message.ReceivedMs,
	})
	if reason := c.unfit(message); reason != "" {
		c.deadLetter(&wactorv1.DeadLetter{Reason: reason, Messages: []*wactorv1.Message{message}})
		return
	}
	if reason, answer := c.spare(message); reason != "" {
		c.absorb(message, reason)
		if answer != nil {
			c.say(answer, 0, id)
		}
		return
	}
	if c.busy() {
		c.refuseBusy(message)
		return
	}
	c.interrupt(message)
	c.queue(waiting{message: message, revision: c.revision + 1})
}

// enter gives a message that is new here its number, and notes that its user has written.
func (c *Conversation) enter(message *wactorv1.Message) {
	c.expire()
	message.Seq = c.head.NextInbox
	c.head.NextInbox++
	if !c.sessionOver() {
		c.head.ActiveMs = c.nowMs
	}
	if message.Type != typeSystem {
		c.head.LastMessageMs = max(c.head.LastMessageMs, min(sentMs(message), c.nowMs))
	}
	c.remember(message.Id)
}

// typeSystem is the type of a message by which the provider tells something about a user, who has
// not written it.
const typeSystem = "system"

// TypeUnreadable is the type of a message that stands for a piece of a signed webhook that nobody
// understood.
const TypeUnreadable = "unreadable"

// unfit says why a message is kept without being run; empty where it is to be run.
func (c *Conversation) unfit(message *wactorv1.Message) string {
	if message.Type == TypeUnreadable {
		return "unreadable webhook: " + message.Text
	}
	if message.SentMs > 0 && c.nowMs-message.SentMs > c.cfg.StaleAfter.Milliseconds() {
		return "stale: sent more than " + c.cfg.StaleAfter.String() + " before it arrived"
	}
	return ""
}

// duplicate answers a message that was accepted before: at once, or with the commit that holds it.
func (c *Conversation) duplicate(e Arrived, revision uint64) {
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_DUPLICATE, Node: e.Node, MessageId: e.Message.Id,
		ReceivedMs: e.Message.ReceivedMs,
	})
	if e.Message.Type == typeSystem && c.unsettled() {
		c.unlinked = append(c.unlinked, response{ref: e.Ref, verdict: Duplicate})
		return
	}
	if revision <= c.applied {
		c.effect(Respond{Ref: e.Ref, Verdict: Duplicate})
		return
	}
	c.responses = append(c.responses, response{ref: e.Ref, revision: revision, verdict: Duplicate})
}

// respond answers a delivery when the draft is applied.
func (c *Conversation) respond(ref uint64, verdict Verdict) {
	if planted.Is(planted.AcceptedBeforeCommit) {
		c.effect(Respond{Ref: ref, Verdict: verdict})
		return
	}
	c.responses = append(c.responses, response{ref: ref, revision: c.revision + 1, verdict: verdict})
}

// remember adds an id to those that were accepted.
func (c *Conversation) remember(id string) {
	c.draft.seen = append(c.draft.seen, id)
	c.unapplied[id] = c.revision + 1
}

// acceptStatus takes a delivery status in. It settles the reply that is on its way or in doubt, if
// it is that one's; else it is only noted.
func (c *Conversation) acceptStatus(e StatusArrived) {
	created, seq, _, ok := parseReplyID(e.ReplyID)
	if !ok || created != c.head.CreatedMs || seq >= c.head.NextOutbox {
		c.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // not a reply of this conversation
		return
	}
	for _, key := range StatusKeys(e.ReplyID, e.Status) {
		if revision, ok := c.unapplied[key]; ok {
			c.responses = append(c.responses, response{ref: e.Ref, revision: revision, verdict: Duplicate})
			return
		}
	}
	open := len(c.outbox) > 0 && c.outbox[0].reply.Seq == seq
	c.awaited(seq, e.Status)
	switch {
	case e.Known:
		c.effect(Respond{Ref: e.Ref, Verdict: Duplicate})
		return
	case !open && e.Status == "sent":
		c.effect(Respond{Ref: e.Ref, Verdict: Accepted}) // says nothing that the answer to the send did not say
		return
	}
	c.remember(StatusKey(e.ReplyID, e.Status))
	c.respond(e.Ref, Accepted)
	c.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_STATUS, ReplySeq: seq, ProviderId: e.ProviderID, Status: e.Status,
		SentMs: e.AtMs, Reason: codeReason(e.Code),
	})
	if open && c.send.phase == sendInDoubt {
		c.noteResolved(map[bool]string{true: InDoubtFailed, false: InDoubtTaken}[e.Status == "failed"])
	}
	switch {
	case open && e.Status == "failed":
		c.refused(provider.Result{Outcome: provider.Refused, Code: e.Code, Reason: failedReason(e.Code)})
	case open:
		c.taken(e.ProviderID, "status")
		c.awaited(seq, e.Status)
	case e.Status == "failed":
		c.deadLetter(&wactorv1.DeadLetter{
			Reason: failedReason(e.Code),
			Reply:  &wactorv1.OutboxReply{Seq: seq, Id: e.ReplyID},
		})
	}
}

func failedReason(code int) string {
	return strings.TrimSuffix("provider reported failed: "+codeReason(code), ": ")
}

func codeReason(code int) string {
	if code == 0 {
		return ""
	}
	return "code " + strconv.Itoa(code)
}
