package conversation

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// phases are what each step does once its event is taken, in this order. Each says why it stands
// where it stands.
var phases = []func(*Conversation){
	// First, since the event may have settled the last claim: the answer joins the event's commit.
	func(c *Conversation) { c.identities.answerLinked() },
	// A conversation that yields runs no turn. Before the commit, which writes the turn off.
	func(c *Conversation) {
		if c.identities.yieldsTo != "" {
			c.turns.giveUp()
		}
	},
	// What the event decided is a commit of its own: a turn that starts below must not wait with
	// it. Only a message that arrived waits, so that an inline turn shares its commit.
	func(c *Conversation) {
		if !c.joins {
			c.commit()
		}
	},
	// Before the send, so that a bot is called before a provider.
	(*Conversation).startTurn,
	// Behind the turn: what becomes of its replies is decided once they are committed.
	func(c *Conversation) {
		if !c.stopping {
			c.outbox.start(c.identities.user)
		}
	},
	// What message and start decided. While an inline bot is asked, its answer decides the rest.
	func(c *Conversation) {
		if !c.turns.run.inline {
			c.commit()
		}
	},
	// Other conversations are asked only when nothing is on its way to the store: what they receive
	// must be on disk.
	(*Conversation).askOthers,
	// Last, since all of the above may wait for a time.
	(*Conversation).setAlarm,
}

// startTurn runs the bot over the next messages or the next timer, if no turn is under way and one
// may be run: not while the outbox is full, from whatever source, nor while the bot does not own
// the conversation.
func (c *Conversation) startTurn() {
	t := &c.turns
	t.run.wakeMs = 0
	configure(c)
	for !t.running() && !c.stopping && !c.identities.open() && !c.ownership.paused() && !c.outbox.full() && !t.waits() {
		messages, timer := t.next()
		switch {
		case timer != nil && t.sessionGoesOn(timer):
		case timer != nil:
			callBot(c, nil, timer)
		case len(messages) == 0:
			return
		default:
			if messages = c.inbox.dropLate(messages); len(messages) > 0 {
				callBot(c, messages, nil)
			}
		}
	}
}

// callBot runs the bot over messages or a timer.
func callBot(c *Conversation, messages []waiting, timer *wactorv1.Timer) {
	c.turns.start(messages, &Turn{Timer: timer, User: c.identities.user, WindowUntil: c.outbox.windowUntil(),
		Paused: c.ownership.before(c.turns.version)})
}

// commit makes a commit of what changed, if anything did. A graceful stop changes the mark that
// nothing is being sent.
func (c *Conversation) commit() {
	l := &c.ledger
	clean := c.stopping && !c.outbox.send.uncertain()
	if clean && (!l.chain.clean && !c.outbox.empty() || len(l.draft.journal) > 0) {
		l.touch()
	}
	if !l.draft.dirty {
		return
	}
	l.open(clean)
	c.inbox.flush()
	for _, m := range machines(c) {
		m.save(l.head)
	}
	l.commit(c.Unfinished(), quiet(c))
}

// quiet reports whether nothing waits for the newest commit.
func quiet(c *Conversation) bool {
	if timer, _ := c.turns.timers.due(); timer != nil && !c.ownership.paused() {
		return false // its turn waits for the one before
	}
	return !c.turns.running() && !c.Unfinished() && !c.stopping && !c.ledger.awaited()
}

func (c *Conversation) askOthers() {
	if c.stopping {
		return
	}
	c.identities.request()
	if c.outbox.empty() { // what this one has said leaves before the other one says anything
		c.identities.offer(&c.inbox, c.ownership.now)
	}
}

// setAlarm asks to be woken when the earliest wait is over.
func (c *Conversation) setAlarm() {
	var at int64
	sooner := func(ms int64) {
		if ms != 0 && (at == 0 || ms < at) {
			at = ms
		}
	}
	if !c.stopping {
		if !c.turns.running() {
			sooner(c.turns.run.wakeMs)
		}
		if c.outbox.send.waits() {
			sooner(c.outbox.send.untilMs)
		}
		sooner(c.identities.wakeMs())
		sooner(c.ownership.wakeMs())
	}
	if at != c.alarmMs {
		c.alarmMs = at
		c.ledger.effect(Alarm{AtMs: at})
	}
}
