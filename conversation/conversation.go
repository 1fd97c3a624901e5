package conversation

import (
	"slices"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Conversation is the state of one activation of one conversation. It is not safe for concurrent
// use: one owner steps it.
type Conversation struct {
	id  ID
	cfg *Config

	head  *wactorv1.Head
	state []byte
	inbox []waiting
	// inboxBytes is the sum of their sizes.
	inboxBytes int
	outbox     []outgoing
	timers     []*wactorv1.Timer // by due time

	// revision is that of the last commit made, applied that of the last commit known to be
	// applied.
	revision, applied uint64
	// follows: a commit was made already.
	follows bool
	// working says that the work index holds this conversation, as of revision.
	working bool
	// clean is Head.clean as of revision.
	clean bool

	turn      *Turn
	inline    bool // the turn under way is inline: the draft waits for its answer
	startedMs int64
	send      sending
	// pairMs is when the provider's pair rate is back at rest, if nothing more is sent.
	pairMs int64
	// wakeMs is when messages or timers that wait may be taken; 0 where none does.
	wakeMs int64
	// notBeforeMs is when the bot may be asked again that was not called since it fails for
	// everybody.
	notBeforeMs int64
	// linkAtMs is when claimed identities are asked again, or the offer to an older conversation is
	// repeated.
	linkAtMs int64
	alarmMs  int64
	stopping bool
	// removedLetters are the dead letters that left in a commit which may not be applied yet: what
	// the store can't know.
	removedLetters map[uint64]bool
	// apartBefore is the number before which messages have turns of their own: one over several of
	// them has failed for good. apologised: the user was told so.
	apartBefore uint64
	apologised  bool
	// noticed is the version of the turn during which the user was told that the bot is busy.
	noticed uint64
	// turned is the commit of the last turn.
	turned uint64

	// unapplied maps each id that is in no applied commit yet to the commit that holds it: what the
	// store can't know.
	unapplied map[string]uint64
	responses []response
	// unlinked answer messages that tell of new identities, once those take no messages of their
	// own any more; settled are the claimed ones that do not.
	unlinked []response
	settled  []string

	draft   draft
	nowMs   int64
	effects []Effect
}

// waiting is a message in the inbox.
type waiting struct {
	message *wactorv1.Message
	// revision is the commit that accepts it; written says that this commit has been made.
	revision uint64
	written  bool
	// deferred says that the bot could not take it inline.
	deferred bool
	// size is what the message takes, in bytes.
	size int
}

// queue puts a message behind those that wait.
func (c *Conversation) queue(w waiting) {
	w.size = proto.Size(w.message)
	c.inboxBytes += w.size
	c.inbox = append(c.inbox, w)
}

// outgoing is a reply in the outbox.
type outgoing struct {
	reply    *wactorv1.OutboxReply
	revision uint64
}

// response is a delivery that is answered once its commit is applied.
type response struct {
	ref      uint64
	revision uint64
	verdict  Verdict
	// instead, where set, is done in place of a Respond.
	instead Effect
}

// New returns a conversation that does not exist in the store yet.
func New(id ID, cfg *Config) *Conversation {
	return &Conversation{
		id:        id,
		cfg:       cfg,
		head:      &wactorv1.Head{NextInbox: 1, NextOutbox: 1, NextDead: 1, NextJournal: 1, FirstJournal: 1},
		unapplied: map[string]uint64{},
	}
}

// Step takes one event at a time (Unix milliseconds, never running backwards) and returns what must
// be done, in order.
func (c *Conversation) Step(nowMs int64, event Event) []Effect {
	c.nowMs = max(nowMs, c.nowMs)
	switch e := event.(type) {
	case Started:
		c.resume()
	case Arrived:
		c.accept(e)
	case StatusArrived:
		c.acceptStatus(e)
	case Committed:
		c.committed(e.Revision)
	case Answered:
		c.answered(e)
	case Deferred:
		c.deferTurn(e)
	case Failed:
		c.failed(e)
	case SendDone:
		c.sendDone(e)
	case Ticked:
		c.ticked(e)
	case ResolveRequest:
		c.resolveRequest(e)
	case ResolveReply:
		c.resolveReply(e)
	case MergeOffer:
		c.mergeOffer(e)
	case MergeResult:
		c.mergeResult(e)
	case Retried:
		c.retried(e)
	case Skipped:
		c.skipped(e)
	case Stopping:
		c.stop()
	}
	c.answerLinked()
	if _, arrived := event.(Arrived); !arrived {
		c.flush() // each turn is a commit of its own
	}
	c.startTurn()
	c.startSend()
	if !c.inline {
		c.flush()
	}
	c.requestResolve()
	c.offerMerge()
	c.setAlarm()
	effects := c.effects
	c.effects = nil
	return effects
}

// committed releases what waited for commits up to revision.
func (c *Conversation) committed(revision uint64) {
	c.applied = max(c.applied, revision)
	c.responses = slices.DeleteFunc(c.responses, func(r response) bool {
		if r.revision > c.applied {
			return false
		}
		if r.instead != nil {
			c.effect(r.instead)
		} else {
			c.effect(Respond{Ref: r.ref, Verdict: r.verdict})
		}
		return true
	})
	//lint:order each is kept or deleted by itself
	for id, revision := range c.unapplied {
		if revision <= c.applied {
			delete(c.unapplied, id)
		}
	}
}

func (c *Conversation) stop() {
	c.stopping = true
	c.turn = nil // its answer, should one still come, is not of a turn under way and is ignored
	c.inline = false
}

func (c *Conversation) effect(e Effect) { c.effects = append(c.effects, e) }

// setAlarm asks to be woken when the earliest wait is over.
func (c *Conversation) setAlarm() {
	var at int64
	if !c.stopping {
		if c.turn == nil {
			at = c.wakeMs
		}
		if c.send.waits() && (at == 0 || c.send.untilMs < at) {
			at = c.send.untilMs
		}
		if c.linking() && c.linkAtMs > c.nowMs && (at == 0 || c.linkAtMs < at) {
			at = c.linkAtMs
		}
	}
	if at != c.alarmMs {
		c.alarmMs = at
		c.effect(Alarm{AtMs: at})
	}
}

// ID returns the identity.
func (c *Conversation) ID() ID { return c.id }

// Version returns the number of turns made.
func (c *Conversation) Version() uint64 { return c.head.Version }

// Revision returns the revision of the last commit made.
func (c *Conversation) Revision() uint64 { return c.revision }

// Waiting returns how many messages wait for a turn and how many replies for the provider.
func (c *Conversation) Waiting() (inbox, outbox int) { return len(c.inbox), len(c.outbox) }

// Full reports whether so many commits are on their way that a message would be refused as
// overload.
func (c *Conversation) Full() bool { return c.revision-c.applied >= uint64(c.cfg.MaxPipeline) }

// Unfinished reports whether messages, replies or links to other identities wait: what is to be
// taken up again after a crash.
func (c *Conversation) Unfinished() bool { return len(c.inbox)+len(c.outbox) > 0 || c.linking() }

// Committing reports whether commits are on their way, so that nobody knows what will become of
// them if the activation ends.
func (c *Conversation) Committing() bool { return c.applied < c.revision }

// Idle reports whether nothing is unfinished or under way: the activation may end without losing
// anything.
func (c *Conversation) Idle() bool {
	return c.turn == nil && !c.Unfinished() && !c.Committing()
}

// Settled reports, after Stopping, whether all that can be committed is: nothing is on its way to
// the store or the provider.
func (c *Conversation) Settled() bool {
	return c.turn == nil && !c.Committing() && c.send.phase != sendInFlight
}
