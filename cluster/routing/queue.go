package routing

import (
	"slices"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// queue is what has no outcome yet of the messages to one conversation. Several may be in flight at
// once, each naming the one before it (delivery.Order). Once an attempt has failed only the first
// is tried, until a leader has taken one: each by itself, those behind it would be rejected.
//
// Whatever is not ordered has a queue of its own.
type queue struct {
	key     queueKey
	flights []*flight // by number
	// probing: an attempt has failed, and no leader has taken a message since.
	probing bool
	// stop stops the timer of the first one's next attempt; nil where there is none.
	stop func() bool
	// moving: a goroutine is making the attempts that are due, so that they leave in turn.
	moving bool

	room [1]*flight // of flights, which is mostly one
}

// queueKey names a queue. Messages of a conversation share one.
type queueKey struct {
	conversation conversation.ID
	number       uint64
}

// join puts a new flight at the end of its queue.
func (r *Router) join(f *flight) *queue {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers++
	f.number = r.numbers
	key := queueKey{conversation: f.envelope.To}
	if f.relayed || !f.envelope.Ordered() {
		key.number = f.number
	}
	q := r.queues[key]
	if q == nil {
		q = &queue{key: key}
		q.flights = q.room[:0]
		r.queues[key] = q
	}
	f.queue = q
	q.flights = append(q.flights, f)
	if q.probing {
		r.expireLater(f, delivery.ErrNotLeader)
	}
	return q
}

// proceed makes the attempts of a queue that are due, one after the other.
func (r *Router) proceed(q *queue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.moving {
		return // who does it goes on
	}
	q.moving = true
	for f, after := q.due(); f != nil; f, after = q.due() {
		f.stopExpiry()
		f.state = underWay
		e := f.envelope
		if q.key.number == 0 {
			e.Place = delivery.Place{Router: r.id, Number: f.number, After: after}
		}
		r.mu.Unlock()
		f.attempt(e)
		r.mu.Lock()
	}
	q.moving = false
	if len(q.flights) == 0 && r.queues[q.key] == q {
		delete(r.queues, q.key)
	}
}

// due is the next flight to try, and the number of the one before it; nil where none is.
func (q *queue) due() (next *flight, after uint64) {
	switch {
	case len(q.flights) == 0:
		return nil, 0
	case q.probing:
		if first := q.flights[0]; first.state == waiting && q.stop == nil {
			return first, 0
		}
		return nil, 0
	}
	at := len(q.flights)
	for at > 0 && q.flights[at-1].state == waiting {
		at--
	}
	if at == len(q.flights) {
		return nil, 0
	}
	if at > 0 {
		after = q.flights[at-1].number
	}
	return q.flights[at], after
}

// wait puts a flight that was tried back into its queue. The lock is held.
func (r *Router) wait(f *flight, pause time.Duration, err error) {
	q := f.queue
	f.state, q.probing = waiting, true
	r.expireLater(f, err)
	if q.flights[0] == f && q.stop == nil {
		q.stop = r.options.Clock.AfterFunc(pause, func() {
			r.mu.Lock()
			q.stop = nil
			r.mu.Unlock()
			r.proceed(q)
		})
	}
}

// leave takes a flight that has ended out of its queue; taken says that a leader has taken it.
func (r *Router) leave(f *flight, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := f.queue
	if at := slices.Index(q.flights, f); at >= 0 {
		q.flights = slices.Delete(q.flights, at, at+1)
	}
	f.state = ended
	inFlight := func(f *flight) bool { return f.state == underWay }
	q.probing = q.probing && (!taken || slices.ContainsFunc(q.flights, inFlight))
}

// expireLater lets a flight wait until its time is over. The lock is held.
func (r *Router) expireLater(f *flight, reason error) {
	clock := r.options.Clock
	f.reason = reason
	f.expiry = clock.AfterFunc(f.deadline.Sub(clock.Now()), func() { r.expire(f) })
}

// expire ends a flight whose time is over while it waits.
func (r *Router) expire(f *flight) {
	r.mu.Lock()
	waits := f.state == waiting
	if waits {
		f.state = ended
	}
	r.mu.Unlock()
	if waits {
		f.end(f.reason)
	}
}

// abandon ends all that waits, and returns it in its order. The lock is held.
func (r *Router) abandon() (left []*flight) {
	for _, q := range r.queues {
		if q.stop != nil {
			q.stop()
		}
		for _, f := range q.flights {
			if f.state == waiting {
				f.state = ended
				left = append(left, f)
			}
		}
	}
	sortFlights(left)
	return left
}
