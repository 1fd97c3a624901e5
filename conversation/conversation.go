package conversation

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Conversation is the state of one activation of one conversation. It is not safe for concurrent
// use: one owner steps it. It is made of machines that own their state; DESIGN.md says which.
type Conversation struct {
	ledger     ledger
	inbox      inbox
	turns      turns
	outbox     outbox
	identities identities
	ownership  ownership
	alarmMs    int64
	// joins: what the event of this step decided shares a commit with the turn that it starts.
	joins    bool
	stopping bool
	// next are the rules that hold once no turn is under way; nil where they do already.
	next *Config
}

// machine is a part of a conversation that owns a part of its head.
type machine interface {
	// load takes the part from a head that was read, save writes it to one that is committed.
	load(*wactorv1.Head)
	save(*wactorv1.Head)
}

// New returns a conversation that does not exist in the store yet.
func New(id ID, cfg *Config) *Conversation {
	c := &Conversation{ledger: newLedger(id, cfg)}
	l := &c.ledger
	c.inbox = inbox{ledger: l, cfg: cfg}
	c.turns = turns{ledger: l, cfg: cfg, inbox: &c.inbox, timers: timers{ledger: l}}
	c.outbox = outbox{ledger: l, cfg: cfg}
	c.identities = identities{ledger: l}
	c.ownership = ownership{ledger: l, identities: &c.identities, turns: &c.turns, inbox: &c.inbox, outbox: &c.outbox}
	c.load(l.head)
	return c
}

// Configure replaces the rules. A turn under way ends by those that it began with.
func (c *Conversation) Configure(cfg *Config) { c.next = cfg }

// configure takes rules up that wait, between two turns.
func configure(c *Conversation) {
	if c.next == nil || c.turns.running() {
		return
	}
	c.ledger.cfg, c.inbox.cfg, c.turns.cfg, c.outbox.cfg = c.next, c.next, c.next, c.next
	c.next = nil
}

func machines(c *Conversation) [5]machine {
	return [...]machine{&c.inbox, &c.turns, &c.outbox, &c.identities, &c.ownership}
}

// load takes a head that was read from the store.
func (c *Conversation) load(head *wactorv1.Head) {
	c.ledger.head, c.ledger.chain.clean = head, head.Clean
	for _, m := range machines(c) {
		m.load(head)
	}
	c.turns.timers.suspended = c.ownership.paused()
}

// Step takes one event at a time (Unix milliseconds, never running backwards) and returns what must
// be done, in order.
func (c *Conversation) Step(nowMs int64, event Event) []Effect {
	c.ledger.nowMs = max(nowMs, c.ledger.nowMs)
	configure(c)
	c.joins = false
	if !c.stopping {
		c.ownership.resumeWhenOver()
	}
	c.take(event)
	for _, phase := range phases {
		phase(c)
	}
	return c.ledger.takeEffects()
}

// take changes the machine that an event concerns.
func (c *Conversation) take(event Event) {
	switch e := event.(type) {
	case Started:
		c.outbox.resume()
	case Arrived:
		c.accept(e, false)
	case IdentityChanged:
		c.accept(Arrived(e), true)
	case StatusArrived:
		if reply := c.outbox.status(e); reply != nil {
			failure{e, reply}.take(c)
		}
	case Committed:
		c.ledger.committed(e.Revision)
	case Answered:
		c.answered(e)
	case Deferred:
		c.turns.deferInline(e)
	case Failed:
		c.failed(e)
	case SendDone:
		c.outbox.done(e)
	case Ticked:
		if !c.stopping {
			c.outbox.tick(e)
		}
	case ResolveRequest:
		c.identities.resolveRequest(e)
	case ResolveReply:
		c.identities.resolveReply(e)
	case MergeOffer:
		c.mergeOffer(e)
	case MergeResult:
		c.mergeResult(e)
	case Retried:
		c.retried(e)
	case Skipped:
		c.ledger.removeLetter(e.Ref, e.Letter, e.By, "skipped by an operator")
	case Paused:
		c.ownership.takePause(e)
	case Resumed:
		c.ownership.takeResume(e)
	case Echoed:
		c.ownership.takeEcho(e)
	case Restored:
		e.apply(c)
	case Posted:
		c.ownership.takePost(e)
	case Stopping:
		c.stopping = true
		c.turns.stop()
	}
}

// answered commits a turn, or fails it where its answer can't be kept.
func (c *Conversation) answered(e Answered) {
	if !c.turns.current(e.Turn) {
		return
	}
	sums, reason := c.turns.check(e.Answer)
	if reason != "" {
		c.failed(Failed{Turn: e.Turn, Reason: reason, BotMicros: e.BotMicros})
		return
	}
	turn := c.turns.complete(e)
	from := origin{version: c.turns.version, answers: turn.Answers(), receivedMs: turn.receivedMs(),
		onFailure: turn.onFailure()}
	for i, reply := range e.Answer.Replies {
		c.outbox.say(reply, sums[i], from)
		from.receivedMs = 0 // how long the user waited, the first reply tells
	}
	if handoff := e.Answer.Handoff; handoff != nil {
		c.ownership.pause(handoff.ownership(c.ledger.nowMs, c.ledger.cfg.Handoff.For))
	}
}

// failed gives a bot call up.
func (c *Conversation) failed(e Failed) {
	if !c.turns.current(e.Turn) {
		return
	}
	if turn := c.turns.failed(e); turn != nil {
		from := origin{answers: turn.Answers(), receivedMs: turn.receivedMs(), onFailure: turn.onFailure()}
		c.outbox.sayText(c.ledger.cfg.OnFailure.Reply, from)
	}
}

// ID returns the identity.
func (c *Conversation) ID() ID { return c.ledger.id }

// Version returns the number of turns made.
func (c *Conversation) Version() uint64 { return c.turns.version }

// Revision returns the revision of the last commit made.
func (c *Conversation) Revision() uint64 { return c.ledger.chain.revision }

// Backlog is what a conversation has left to do.
type Backlog struct {
	// Messages wait for a turn, Replies for the provider, Letters for an operator.
	Messages, Replies, Letters int
	// MessageMs is when the first of the messages was received, ReplyMs when the first of the
	// replies was made (Unix milliseconds); 0 where none waits.
	MessageMs, ReplyMs int64
}

// Backlog returns what is left to do. What is held while the bot does not own the conversation
// waits for no turn.
func (c *Conversation) Backlog() Backlog {
	b := Backlog{Letters: int(c.ledger.head.DeadLetters)}
	if b.Replies = len(c.outbox.replies); !c.ownership.paused() {
		b.Messages = len(c.inbox.waiting)
	}
	if b.Messages > 0 {
		b.MessageMs = c.inbox.waiting[0].message.ReceivedMs
	}
	if b.Replies > 0 {
		b.ReplyMs = c.outbox.replies[0].reply.CreatedMs
	}
	return b
}

// Full reports whether so many commits are on their way that a message would be answered
// Overloaded.
func (c *Conversation) Full() bool { return c.ledger.full() }

// Unfinished reports whether messages, replies or links to other identities wait: what is to be
// taken up again after a crash.
func (c *Conversation) Unfinished() bool {
	return !c.inbox.empty() && !c.ownership.paused() || !c.outbox.empty() || c.identities.open()
}

// Committing reports whether commits are on their way: their fate is unknown if the activation
// ends.
func (c *Conversation) Committing() bool { return c.ledger.committing() }

// Idle reports whether nothing is unfinished or under way: the activation may end without losing
// anything.
func (c *Conversation) Idle() bool { return !c.turns.running() && !c.Unfinished() && !c.Committing() }

// Settled reports, after Stopping, whether all that can be committed is: nothing is on its way to
// the store or the provider.
func (c *Conversation) Settled() bool {
	return !c.turns.running() && !c.Committing() && c.outbox.send.phase != sendInFlight
}

// Loader rebuilds a conversation from its records: head, state, inbox, outbox and timers, each kind
// in the order of its suffixes. A conversation of which there are no records is new.
type Loader struct{ c *Conversation }

// NewLoader begins to load a conversation.
func NewLoader(id ID, cfg *Config) *Loader { return &Loader{c: New(id, cfg)} }

// Record takes one record. The value is copied where it is kept.
func (l *Loader) Record(kind wactorv1.RecordKind, suffix, value []byte) error {
	var err error
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_HEAD:
		head := &wactorv1.Head{}
		err = proto.Unmarshal(value, head)
		l.c.load(head)
	case wactorv1.RecordKind_RECORD_KIND_STATE:
		l.c.turns.session.state = append([]byte{}, value...)
	case wactorv1.RecordKind_RECORD_KIND_INBOX:
		message := &wactorv1.Message{}
		err = proto.Unmarshal(value, message)
		l.c.inbox.add(waiting{message: message, written: true})
	case wactorv1.RecordKind_RECORD_KIND_OUTBOX:
		reply := &wactorv1.OutboxReply{}
		err = proto.Unmarshal(value, reply)
		l.c.outbox.replies = append(l.c.outbox.replies, outgoing{reply: reply, record: slices.Clone(value)})
	case wactorv1.RecordKind_RECORD_KIND_TIMER:
		timer := &wactorv1.Timer{}
		err = proto.Unmarshal(value, timer)
		l.c.turns.timers.byDue = append(l.c.turns.timers.byDue, timer)
	}
	if err != nil {
		return fmt.Errorf("conversation: load %v record: %w", kind, err)
	}
	return nil
}

// Done returns the conversation at the revision at which its records were read.
func (l *Loader) Done(revision uint64) *Conversation {
	chain := &l.c.ledger.chain
	chain.revision, chain.applied = revision, revision
	sortTimers(l.c.turns.timers.byDue)
	chain.working = l.c.Unfinished()
	return l.c
}
