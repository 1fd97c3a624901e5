package conversation

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// outbox holds the replies that the provider has not taken, and sends them: in order, one at a
// time, each after the outcome of the one before is committed. Of the head it owns the next number
// of a reply, when the user last wrote, the newest prompt, and what was said lately.
type outbox struct {
	ledger  *ledger
	cfg     *Config
	replies []outgoing
	next    uint64
	send    sending
	pace    pace
	taken   taken
	guard   guard
}

// taken is what the provider has.
type taken struct {
	// prompt is the provider's id of the newest reply with options.
	prompt string
	// recent are the newest replies, for one that fails after it was taken. Others, and after a
	// crash all, are in the journal.
	recent []*wactorv1.OutboxReply
	// ids are the provider's ids of the newest replies, in a ring. They are not stored.
	ids  [8]string
	next int
}

// Of the replies that were taken so many are kept, and so many bytes.
const (
	maxRecent      = 4
	maxRecentBytes = 16 << 10
)

// keep adds a reply to the recent ones.
func (t *taken) keep(first outgoing) {
	if len(first.record) > maxRecentBytes/maxRecent {
		return
	}
	if len(t.recent) == maxRecent {
		t.recent = slices.Delete(t.recent, 0, 1)
	}
	t.recent = append(t.recent, first.reply)
}

// sent notes the provider's id of a reply.
func (t *taken) sent(providerID string) {
	t.ids[t.next%len(t.ids)] = providerID
	t.next++
}

// ours reports whether a message of the provider's is a reply of this conversation.
func (t *taken) ours(providerID string) bool {
	return providerID != "" && slices.Contains(t.ids[:], providerID)
}

// find returns a recent reply; nil where it is none.
func (t *taken) find(seq uint64) *wactorv1.OutboxReply {
	for _, reply := range t.recent {
		if reply.Seq == seq {
			return reply
		}
	}
	return nil
}

// outgoing is a reply in the outbox.
type outgoing struct {
	reply    *wactorv1.OutboxReply
	revision uint64
	// record is the reply as it is stored.
	record []byte
}

// maxSent bounds the replies whose content the journal keeps, in bytes.
const maxSent = 16 << 10

// journalled is what the journal keeps of a reply that was taken.
func (o outgoing) journalled() []byte {
	if len(o.record) > maxSent {
		return nil
	}
	return o.record
}

// sending is what happens to the first reply of the outbox. The ones behind it were never sent.
type sending struct {
	phase   sendPhase
	seq     uint64
	try     uint32
	untilMs int64
	// sinceMs is since when the reply is in doubt.
	sinceMs int64
	// settles is the commit that must be applied before the next send: the outcome of the one
	// before.
	settles uint64
}

type sendPhase int

const (
	sendIdle     sendPhase = iota // may be sent
	sendInFlight                  // SendDone will come
	sendBackoff                   // not processed by the provider: sent again at untilMs
	sendInDoubt                   // fate unknown: a status is awaited until untilMs
	sendPaced                     // the provider's pair rate is used up until untilMs
	sendAwait                     // taken; the next one waits for its status until untilMs
)

// uncertain reports whether the provider may have the first reply without our knowing it.
func (s sending) uncertain() bool { return s.phase == sendInFlight || s.phase == sendInDoubt }

func (s sending) waits() bool { return s.phase != sendIdle && s.phase != sendInFlight }

func (o *outbox) load(h *wactorv1.Head) {
	o.next, o.pace.lastMessageMs, o.taken.prompt = h.NextOutbox, h.LastMessageMs, h.Prompt
	o.guard.load(h)
}

func (o *outbox) save(h *wactorv1.Head) {
	h.NextOutbox, h.LastMessageMs, h.Prompt = o.next, o.pace.lastMessageMs, o.taken.prompt
	o.guard.save(h)
}

func (o *outbox) empty() bool { return len(o.replies) == 0 }

// maxOutboxBytes bounds the replies that wait, as maxInboxBytes does messages.
const maxOutboxBytes = 16 << 20

// full reports whether so many replies wait that no message is accepted, no turn runs and no reply
// is taken up again: the outbox holds at most one turn's replies more.
func (o *outbox) full() bool {
	size := 0
	for i := range o.replies {
		size += len(o.replies[i].record)
	}
	return len(o.replies) >= o.cfg.Limits.Inbox || size >= maxOutboxBytes
}

// origin is what a reply comes from.
type origin struct {
	// version is that of the turn; 0 for a reply of the configuration.
	version uint64
	// answers is the id of the newest message that is answered; empty where a timer rang.
	answers string
	// receivedMs is when the first of these messages was received, for the metrics; 0 where the
	// reply is not the first one to them.
	receivedMs int64
	// onFailure: what is answered is that another reply failed.
	onFailure bool
	// author is who wrote it; empty for the bot's and the configuration's.
	author string
	// key and sum are of what was posted.
	key string
	sum []byte
}

// post appends a reply.
func (o *outbox) post(reply *wactorv1.Reply, from origin) {
	o.number(&wactorv1.OutboxReply{
		Reply: reply, Version: from.version, CreatedMs: o.ledger.nowMs, Answers: from.answers,
		ReceivedMs: from.receivedMs, OnFailure: from.onFailure, Author: from.author, Key: from.key, Sum: from.sum,
	})
}

// number appends a reply under the next number.
func (o *outbox) number(out *wactorv1.OutboxReply) {
	l := o.ledger
	out.Seq, out.Id = o.next, replyID(l.head.CreatedMs, o.next, l.id.User)
	o.next++
	if out.Key != "" {
		l.remember(PostedID(out.Key), encode(&wactorv1.PostedKey{Sum: out.Sum, AtMs: out.CreatedMs, ReplySeq: out.Seq,
			ReplyId: out.Id}))
	}
	encoded := encode(out)
	l.putBytes(wactorv1.RecordKind_RECORD_KIND_OUTBOX, record.Number(out.Seq), encoded)
	o.replies = append(o.replies, outgoing{reply: out, revision: l.next(), record: encoded})
}

// sendAgain puts a reply that failed after all into its place: before all that were never sent.
// They get numbers behind it, so that the order of the numbers stays that of sending.
func (o *outbox) sendAgain(failed *wactorv1.OutboxReply) {
	first := 0
	if o.send.uncertain() {
		first = 1
	}
	behind := slices.Clone(o.replies[first:])
	o.replies = o.replies[:first]
	again := proto.CloneOf(failed)
	again.Again = true
	o.number(again)
	for _, out := range behind {
		o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_OUTBOX, record.Number(out.reply.Seq))
		o.number(proto.CloneOf(out.reply))
	}
}

// start sends the first reply, if it is committed and so is the outcome of the one before.
func (o *outbox) start(user *wactorv1.User) {
	l := o.ledger
	if o.send.phase != sendIdle || o.empty() {
		return
	}
	first := o.replies[0]
	if !l.applied(first.revision) && !planted.Is(planted.SentBeforeCommit) || !l.applied(o.send.settles) {
		return
	}
	if l.chain.clean {
		// The store says that nothing is being sent. It must stop saying so before something is.
		l.touch()
		o.send.settles = l.next()
		return
	}
	if o.send.seq != first.reply.Seq {
		o.send = sending{seq: first.reply.Seq}
	}
	if o.windowClosed(first.reply.Reply) {
		o.refused("the customer service window is closed")
		return
	}
	if !o.paced() {
		return
	}
	o.send.phase = sendInFlight
	o.send.try++
	l.effect(Send{Seq: o.send.seq, Try: o.send.try, ReceivedMs: first.reply.ReceivedMs, Outgoing: &provider.Outgoing{
		To: user, ReplyID: first.reply.Id, Reply: first.reply.Reply, Answers: first.reply.Answers,
	}})
}

// done takes the result of a send; that of a reply which a status settled meanwhile is ignored.
func (o *outbox) done(e SendDone) {
	if o.send.phase != sendInFlight || e.Seq != o.send.seq || e.Try != o.send.try {
		return
	}
	switch outcome := e.Result.Outcome; {
	case e.Result.NotTried:
		o.send.phase = sendPaced
		o.send.try--
		o.unpaced()
		o.send.untilMs = o.ledger.nowMs + max(e.Result.RetryAfter.Milliseconds(), 1)
	case outcome == provider.Sent:
		o.took(e.Result.ProviderID, e.Result.Reason)
		return
	case outcome == provider.Refused:
		o.refused(e.Result.Reason)
		return
	case outcome == provider.Unknown:
		o.hold(e.Result.Reason)
		return
	default:
		o.backOff(e.Result)
	}
	if o.replies[0].reply.Withdrawn { // meanwhile; the provider does not have it
		o.ledger.note(notSent(o.settle().reply))
	}
}

// backOff waits before the first reply is sent again, which was certainly not taken.
func (o *outbox) backOff(result provider.Result) {
	o.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED, ReplySeq: o.send.seq, Attempt: o.send.try,
		Reason: result.Reason,
	})
	o.send.phase = sendBackoff
	o.slowDown(result.Outcome)
	o.send.untilMs = o.ledger.nowMs + max(result.RetryAfter, resendAfter(result, o.send.try)).Milliseconds()
}

// resendAfter is the wait before a reply is sent again that was certainly not taken: 4^X seconds
// after the pair rate limit, which is what WhatsApp asks for; a held channel is probed every half
// minute.
func resendAfter(result provider.Result, try uint32) time.Duration {
	shift := min(try-1, 6)
	switch result.Outcome {
	case provider.ChannelHeld:
		return 30 * time.Second
	case provider.PairLimited:
		return min(time.Second<<(2*shift), 256*time.Second)
	}
	return min(time.Second<<shift, time.Minute)
}

// took: the provider has the reply.
func (o *outbox) took(providerID, how string) {
	settled := o.settle()
	o.guard.sent(o.ledger.nowMs)
	o.taken.keep(settled)
	o.taken.sent(providerID)
	first := settled.reply
	if hasOptions(first.Reply) && providerID != "" {
		o.taken.prompt = providerID
	}
	o.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_SENT, Node: o.cfg.Node, ReplySeq: first.Seq, ProviderId: providerID,
		VersionAfter: first.Version, Attempt: o.send.try, Reason: how, Reply: settled.journalled(),
	})
	o.await(first.Seq)
}

// refused: the provider will never take the reply.
func (o *outbox) refused(reason string) {
	o.ledger.deadLetter(&wactorv1.DeadLetter{Reason: reason, Reply: o.settle().reply})
}

// withdraw takes the replies out that no person has written and that the provider can't have. One
// whose attempt is under way, or in doubt, stays until its fate is known, and is not sent again.
func (o *outbox) withdraw() {
	kept := make([]outgoing, 0, len(o.replies))
	for i, out := range o.replies {
		suffix := record.Number(out.reply.Seq)
		switch {
		case out.reply.Author != "" || out.reply.Withdrawn:
			kept = append(kept, out)
		case i == 0 && o.send.uncertain():
			out.reply = proto.CloneOf(out.reply)
			out.reply.Withdrawn = true
			o.ledger.put(wactorv1.RecordKind_RECORD_KIND_OUTBOX, suffix, out.reply)
			kept = append(kept, out)
		default:
			if i == 0 && o.send.phase != sendAwait {
				o.send.phase = sendIdle
			}
			o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_OUTBOX, suffix)
			o.ledger.note(notSent(out.reply))
		}
	}
	o.replies = kept
}

// settle takes the first reply out; the next one waits for the commit that says so.
func (o *outbox) settle() outgoing {
	first := o.replies[0]
	o.replies = o.replies[1:]
	o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_OUTBOX, record.Number(first.reply.Seq))
	o.send.phase = sendIdle
	o.send.settles = o.ledger.next()
	return first
}

// textReply is a reply of a configured text.
func textReply(text string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}
}
