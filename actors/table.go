package actors

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// table holds the activations of one shard. Its lock covers memory only.
//
// A delivery finds its activation, and counts itself into its depth, under the lock; an activation
// leaves the table under the lock. So an activation that has left knows exactly how many deliveries
// are still to come through its mailbox, and none is lost.
type table struct {
	runtime *Runtime
	shard   uint32

	mu          sync.Mutex
	term        uint64
	ready       bool
	leaving     bool // the leadership is about to move to another node
	activations roster
	// retrying are the conversations that are to be activated again.
	retrying map[conversation.ID]bool

	// dueMs is no later than the first timer that the store holds (Unix milliseconds).
	dueMs atomic.Int64
}

// deliver routes a delivery, and activates its conversation where needed.
func (t *table) deliver(e delivery.Envelope, done delivery.Done) {
	if err := t.post(e.To, &arrival{e, done}, true); err != nil {
		done(delivery.Outcome{Err: err})
	}
}

// wake activates a conversation that has unfinished work.
func (t *table) wake(id conversation.ID) error { return t.post(id, wake{}, false) }

// active reports whether a conversation is in memory, or will be soon.
func (t *table) active(id conversation.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.activations.of(id) != nil || t.retrying[id]
}

func (t *table) post(id conversation.ID, message any, counted bool) error {
	r := t.runtime
	isNew := false
	defer func() { // without the lock
		if isNew {
			r.makeRoom()
		}
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.stopping.Load():
		return delivery.ErrStopping
	case !t.ready || t.leaving:
		return delivery.ErrNotLeader
	}
	a := t.activations.of(id)
	if a == nil {
		isNew = true
		most := int(r.room.most.Load())
		if d, ok := message.(*arrival); ok && !fromWebhook(d.Envelope) {
			// A conversation in memory waits for the answer, or is an alias that forwards. If
			// memory were full for those that they need, all of them might wait for ever.
			most *= 2
		}
		if int(r.room.active.Load()) >= most {
			return delivery.ErrOverloaded
		}
		if a = t.activate(id); a == nil {
			return delivery.ErrUnknownChannel
		}
	}
	if counted {
		if int(a.deliveries.depth.Load()) >= r.options.MaxMailbox {
			return delivery.ErrOverloaded
		}
		a.deliveries.depth.Add(1)
	}
	a.mailbox.Post(message)
	return nil
}

// fromWebhook reports whether an envelope comes from the provider, and not from another
// conversation or an operator.
func fromWebhook(e delivery.Envelope) bool {
	switch e.Body.(type) {
	case delivery.Inbound, delivery.Identity, delivery.Status:
		return e.Hops == 0
	}
	return false
}

// activate starts an activation; nil where its channel is none any more. The lock is held.
func (t *table) activate(id conversation.ID) *activation {
	r := t.runtime
	channel := r.channels.of(id.Channel)
	if channel == nil {
		return nil
	}
	a := newActivation(subject{runtime: r, table: t, id: id, channel: channel, term: t.term})
	r.room.active.Add(1)
	r.work.Add(1)
	a.mailbox = r.scheduler.Spawn(a)
	t.activations.add(a)
	return a
}

// askToLeave asks activations to leave that have nothing to do, so many at most, and returns how
// many.
func (t *table) askToLeave(most int) (asked int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.activations.all
	for ; asked < min(most, len(all)); asked++ {
		all[t.runtime.options.Random()%uint64(len(all))].mailbox.Post(makeRoom{})
	}
	return asked
}

// leave takes an activation out of the table. With onlyUnused it stays where a delivery is on its
// way to it.
func (t *table) leave(a *activation, onlyUnused bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if onlyUnused && a.deliveries.depth.Load() > 0 {
		return false
	}
	t.activations.remove(a)
	return true
}

// changeLeadership takes news of the shard's leadership; true where this node may activate
// from now on. A new term ends all activations of the old one.
func (t *table) changeLeadership(term uint64, ready bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.term == term && t.ready == ready {
		return false
	}
	t.term, t.ready, t.leaving = term, ready, false
	t.dueMs.Store(0) // look at once
	for _, a := range t.activations.all {
		a.mailbox.Post(stopNow{delivery.ErrNotLeader})
	}
	t.activations.clear()
	return ready
}

// readyIn reports the term in which conversations of the shard may be activated here, if they may.
func (t *table) readyIn() (term uint64, ready bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.term, t.ready && !t.leaving
}

func (t *table) isReady() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ready && !t.leaving
}

// leads reports whether this node still leads the shard in a term.
func (t *table) leads(term uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ready && !t.leaving && t.term == term
}

func (t *table) each(fn func(*activation)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.activations.all {
		fn(a)
	}
}

// takeUp takes up the unfinished work of the shard, a few hundred conversations at a time, as long
// as the term lasts. All names are read before: while there is no room for more conversations this
// takes long, and a view of the store that is kept open keeps what was deleted since.
func (t *table) takeUp(term uint64) {
	const atOnce = 256
	r := t.runtime
	var ids []conversation.ID
	err := r.options.Store.Work(t.shard, func(name string) error {
		id, err := conversation.ParseID(name)
		if err != nil || r.channels.of(id.Channel) == nil {
			r.options.Logger.Warn("unfinished work of a channel that is not configured", "shard", t.shard)
			return nil
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		r.options.Logger.Error("unfinished work can't be read; it waits for its users to write again", "shard", t.shard,
			"error", err)
	}
	for i, id := range ids {
		if i%atOnce == atOnce-1 && (!r.pause(10*time.Millisecond) || !t.leads(term)) {
			return
		}
		err := t.wake(id)
		for ; errors.Is(err, delivery.ErrOverloaded); err = t.wake(id) {
			if !r.pause(100*time.Millisecond) || !t.leads(term) {
				return
			}
		}
		if err != nil {
			return // the term is over
		}
	}
}

// pause waits; false where the runtime stops meanwhile.
func (r *Runtime) pause(d time.Duration) bool {
	return r.scheduler.Sleep(r.running, d) && !r.stopping.Load()
}

// retryLater activates a conversation again, after a wait, whose activation failed while it had
// unfinished work. One that waits already is not tried more often.
func (t *table) retryLater(id conversation.ID, term uint64, wait time.Duration) {
	t.mu.Lock()
	before := t.retrying[id]
	t.retrying[id] = true
	t.mu.Unlock()
	if before {
		return
	}
	t.runtime.scheduler.After(wait, func() {
		t.mu.Lock()
		delete(t.retrying, id)
		t.mu.Unlock()
		if t.leads(term) {
			if err := t.wake(id); errors.Is(err, delivery.ErrOverloaded) {
				t.retryLater(id, term, wait)
			}
		}
	})
}
