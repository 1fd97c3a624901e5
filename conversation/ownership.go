package conversation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ownership says who answers the user: the bot, a person, or another program on the same number. Of
// the head it owns who that is.
//
// While the bot does not own the conversation no turn runs. Messages are accepted and wait in the
// inbox, timers wait outside the index of due times, and of the bot's replies at most the one whose
// attempt was under way may still leave. An index names the conversations that the bot does not
// own, so that people find them.
type ownership struct {
	ledger     *ledger
	identities *identities
	turns      *turns
	inbox      *inbox
	outbox     *outbox
	// now is nil where the bot has owned the conversation ever since.
	now *wactorv1.Ownership
}

// Who took a conversation, where that was no principal of the admin API.
const (
	ByBot      = "bot"
	ByPhone    = "phone"
	ByProvider = "provider"
)

// MaxPause is how far ahead a conversation may come back to the bot.
const MaxPause = 366 * 24 * time.Hour

// resumeTimer is the entry in the index of due times that wakes a conversation which comes back to
// the bot by itself. No timer of a bot has this name.
const resumeTimer = "\x00resume"

// pausedFormat is the format of log entries that a node must know to leave a paused conversation
// alone: the first commit of a pause has it, and with it no older node can be in the cluster.
const pausedFormat = 2

func (o *ownership) load(h *wactorv1.Head) { o.now = h.Ownership }

func (o *ownership) save(h *wactorv1.Head) { h.Ownership = o.now }

// paused reports whether another one than the bot owns the conversation.
func (o *ownership) paused() bool { return o.now.GetOwner() != wactorv1.Owner_OWNER_UNSPECIFIED }

// wakeMs is when the bot gets the conversation back by itself; 0 where it does not.
func (o *ownership) wakeMs() int64 {
	if !o.paused() {
		return 0
	}
	return o.now.UntilMs
}

// over reports whether the time of a pause is over.
func (o *ownership) over() bool {
	at := o.wakeMs()
	return at != 0 && at <= o.ledger.nowMs
}

// mine reports whether a principal may say how long a pause lasts: no other principal's claim
// stands against it. What a bot, a phone or the provider has started is anyone's.
func (o *ownership) mine(by string) bool {
	if !o.paused() {
		return true
	}
	switch o.now.By {
	case by, ByBot, ByPhone, ByProvider:
		return true
	}
	return false
}

// lasts reports whether a pause is at least as long as until that time.
func (o *ownership) lasts(untilMs int64) bool {
	return o.paused() && (o.now.UntilMs == 0 || untilMs != 0 && o.now.UntilMs >= untilMs)
}

// become writes another owner down. A pause that goes on keeps its beginning.
func (o *ownership) become(to *wactorv1.Ownership) {
	to.SinceMs, to.Epoch = o.ledger.nowMs, o.now.GetEpoch()+1
	goesOn := o.paused() && o.now.Owner == to.Owner
	if goesOn {
		to.SinceMs = o.now.SinceMs
	}
	o.forget()
	o.now = to
	if to.UntilMs != 0 {
		o.ledger.putBytes(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(to.UntilMs, resumeTimer), nil)
	}
	o.ledger.put(wactorv1.RecordKind_RECORD_KIND_PAUSED, nil, to)
	o.ledger.draft.format = pausedFormat
	if !goesOn || to.By != ByPhone { // each of its words prolongs it
		o.note(to.By, to.Reason)
	}
}

// back writes down that the bot has the conversation again, at a version.
func (o *ownership) back(by, reason string, version uint64) {
	o.forget()
	o.now = proto.CloneOf(o.now)
	o.now.Owner, o.now.UntilMs, o.now.BackMs, o.now.BackVersion =
		wactorv1.Owner_OWNER_UNSPECIFIED, 0, o.ledger.nowMs, version
	o.now.Epoch++
	o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_PAUSED, nil)
	o.note(by, reason)
}

// forget takes out the wake that a pause has set.
func (o *ownership) forget() {
	if at := o.wakeMs(); at != 0 {
		o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(at, resumeTimer))
	}
}

// end ends a pause without a change of the owner: the conversation is another one's name from now
// on.
func (o *ownership) end() {
	if o.paused() {
		o.forget()
		o.ledger.delete(wactorv1.RecordKind_RECORD_KIND_PAUSED, nil)
		o.now = nil
	}
}

func (o *ownership) note(by, reason string) {
	o.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_OWNER, Node: o.ledger.cfg.Node, Status: OwnerName(o.now.Owner), By: by,
		Reason: reason,
	})
}

// OwnerName is an owner in the words of the journal and of bots: bot, human or other_app.
func OwnerName(owner wactorv1.Owner) string {
	switch owner {
	case wactorv1.Owner_OWNER_HUMAN:
		return "human"
	case wactorv1.Owner_OWNER_OTHER_APP:
		return "other_app"
	}
	return "bot"
}

// before is the time in which the bot did not own the conversation, where the turn of a version is
// the first one behind it; else nil.
func (o *ownership) before(version uint64) *wactorv1.Ownership {
	if o.now.GetBackMs() == 0 || o.now.BackVersion != version {
		return nil
	}
	return o.now
}

// pause gives the conversation to another owner. The bot's replies that have not left are
// withdrawn, unless it gave the conversation away itself: then they are its last words.
func (o *ownership) pause(to *wactorv1.Ownership) {
	if !o.paused() {
		o.turns.giveUp()
		o.turns.timers.suspend()
	}
	o.become(to)
	if to.By != ByBot {
		o.outbox.withdraw()
	}
	o.inbox.keepHeld(o.ledger.cfg.Handoff.Hold)
}

// resume gives the conversation back to the bot. The time of the pause is no idleness of the
// session.
func (o *ownership) resume(by, reason string, held policy.Held) {
	o.back(by, reason, o.turns.version)
	o.inbox.release(held, o.ledger.cfg.Handoff.Hold)
	o.turns.session.activeMs = o.ledger.nowMs
	o.turns.timers.resume()
}

// resumeWhenOver gives the conversation back to the bot where its time is over.
func (o *ownership) resumeWhenOver() {
	if o.over() {
		o.resume("", "its time is over", o.ledger.cfg.Handoff.Held)
	}
}

// operated takes what a principal asks for, or a person's words, where this identity has a
// conversation of its own, or may begin one; false where it was passed on or rejected.
func (o *ownership) operated(ref uint64) bool {
	l := o.ledger
	switch {
	case o.identities.alias():
		l.whenApplied(Forward{Ref: ref, To: o.identities.sibling(o.identities.aliasOf)})
	case o.identities.yieldsTo != "" || l.full():
		l.effect(Respond{Ref: ref, Verdict: Overloaded}) // a merge takes a moment
	default:
		o.identities.begin()
		return true
	}
	return false
}

// takePause gives the conversation to a person, as a principal wants it.
func (o *ownership) takePause(e Paused) {
	switch {
	case !o.operated(e.Ref):
	case !e.Take && !o.mine(e.By):
		o.ledger.effect(Respond{Ref: e.Ref, Verdict: Owned})
	default:
		o.pause(&wactorv1.Ownership{Owner: wactorv1.Owner_OWNER_HUMAN, UntilMs: e.UntilMs, By: e.By, Reason: e.Reason})
		o.ledger.respond(e.Ref, Accepted)
	}
}

// takeResume gives the conversation back to the bot, as a principal wants it.
func (o *ownership) takeResume(e Resumed) {
	switch {
	case o.ledger.chain.revision > 0 && !o.operated(e.Ref):
	case !o.paused():
		o.ledger.effect(Respond{Ref: e.Ref, Verdict: NotOwned})
	default:
		held := o.ledger.cfg.Handoff.Held
		if e.Held != nil {
			held = *e.Held
		}
		o.resume(e.By, "", held)
		o.ledger.respond(e.Ref, Accepted)
	}
}

// takeEcho takes words that a person of the business wrote elsewhere. They give the conversation to
// that person for a time, or for longer where it is that person's already.
func (o *ownership) takeEcho(e Echoed) {
	l, message := o.ledger, e.Message
	revision, underway := l.pending.ids[message.Id]
	switch {
	case underway || e.Known:
		l.respondAt(revision, e.Ref, Duplicate)
	case o.outbox.taken.ours(message.Id):
		l.effect(Respond{Ref: e.Ref, Verdict: Accepted})
	case !o.operated(e.Ref):
	default:
		o.identities.greet(e.User, min(sentMs(message), l.nowMs))
		o.identities.claim(e.User.GetWaId(), e.User.GetUserId())
		o.remark(message, ByPhone)
		l.remember(message.Id, nil)
		l.respond(e.Ref, Accepted)
		lasts := l.cfg.Handoff.OnEcho.Milliseconds()
		if until := l.nowMs + lasts; lasts > 0 && !o.lasts(until) && o.mine(ByPhone) {
			o.pause(&wactorv1.Ownership{Owner: wactorv1.Owner_OWNER_HUMAN, UntilMs: until, By: ByPhone,
				Reason: "a person wrote on the business's phone"})
		}
	}
}

// PostedID is the id under which a key is remembered, beside message ids. It starts with a byte
// that no provider's message id starts with.
func PostedID(key string) string { return "\x00posted\x00" + key }

// SumOf is the checksum of what is posted, by which something else under the same key is found.
func SumOf(reply *wactorv1.Reply, event *wactorv1.Event) []byte {
	hash := sha256.New()
	for _, part := range []proto.Message{reply, event} {
		data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(part) // invalid UTF-8 is rejected before
		hash.Write(binary.AppendUvarint(nil, uint64(len(data))))
		hash.Write(data)
	}
	return hash.Sum(nil)
}

// takePost sends a principal's message in its turn among the replies, or lets an event start a
// turn.
func (o *ownership) takePost(e Posted) {
	l, id := o.ledger, PostedID(e.Key)
	reject := func(verdict Verdict) { l.effect(Respond{Ref: e.Ref, Verdict: verdict}) }
	_, underway := l.pending.ids[id]
	switch {
	case underway:
		reject(KeyInFlight)
	case e.Known != nil && !bytes.Equal(e.Known.Sum, e.Sum):
		reject(KeyReused)
	case e.Known != nil:
		reject(Duplicate)
	case !o.operated(e.Ref):
	case o.outbox.full():
		reject(Overloaded)
	case e.Reply != nil && o.outbox.windowClosed(e.Reply):
		reject(WindowClosed)
	case e.Event != nil && !o.turns.timers.post(e.Key, e.Event):
		reject(Overloaded)
	default:
		if e.Event != nil {
			o.turns.run.committed = l.next() // it starts a turn once it is on disk
			l.note(&wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_EVENT, Node: l.cfg.Node,
				Timer: e.Event.Name, By: e.By})
			l.remember(id, encode(&wactorv1.PostedKey{Sum: e.Sum, AtMs: l.nowMs}))
		} else {
			reply := replyID(l.head.CreatedMs, o.outbox.next, l.id.User)
			o.outbox.post(e.Reply, origin{author: e.By, key: e.Key, sum: e.Sum})
			o.remark(&wactorv1.Message{Id: reply, Type: "text", Text: e.Reply.GetText(), SentMs: l.nowMs,
				ReceivedMs: l.nowMs}, e.By)
		}
		l.respond(e.Ref, Accepted)
	}
}

// remark keeps a person's words for the bot's next turn.
func (o *ownership) remark(message *wactorv1.Message, author string) {
	message.History, message.Author = true, author
	o.inbox.number(message)
	o.inbox.queue(message)
	o.ledger.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_REMARK, Node: o.ledger.cfg.Node, MessageId: message.Id,
		MessageSeq: message.Seq, SentMs: message.SentMs, ReceivedMs: message.ReceivedMs, By: author,
	})
	if !o.turns.running() { // else that turn takes the oldest; the next one begins with a look
		o.inbox.keepHistory(o.ledger.cfg.Handoff.Hold)
	}
}
