package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// queue is what waits for one conversation while its leader changes. One flight is tried at a time,
// in the order in which they came: each by itself, one that came late would find the new leader
// before one that has waited for an election, and the user's messages would change places.
type queue struct {
	waiting  []*flight // by number
	underWay *flight
	stop     func() bool // of the timer; set while none is under way
}

// queueKey names a queue. Messages of a conversation share one; whatever else waits has its own,
// since its order does not matter.
type queueKey struct {
	conversation conversation.ID
	number       uint64
}

// join puts a new flight behind those of its conversation that wait; false where none does.
func (r *Router) join(f *flight) bool {
	if r.queued.Load() == 0 || !f.envelope.Ordered() || planted.Is(planted.QueuePassed) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[f.key]
	if q != nil {
		r.insert(q, f, delivery.ErrNotLeader)
	}
	return q != nil
}

// wait puts a flight that was tried back into its queue. The lock is held.
func (r *Router) wait(f *flight, pause time.Duration, err error) {
	q := r.queues[f.key]
	if q == nil {
		q = &queue{}
		r.queues[f.key] = q
		r.queued.Add(1)
	}
	r.insert(q, f, err)
	if q.underWay == f {
		q.underWay = nil
	}
	if q.underWay == nil && q.stop == nil {
		q.stop = r.options.Clock.AfterFunc(pause, func() { r.proceed(q, f.key, nil) })
	}
}

// insert puts a flight to its place. The lock is held.
func (r *Router) insert(q *queue, f *flight, err error) {
	at, _ := slices.BinarySearchFunc(q.waiting, f.number, func(other *flight, number uint64) int {
		return cmp.Compare(other.number, number)
	})
	q.waiting = slices.Insert(q.waiting, at, f)
	f.reason, f.waited = err, true
	clock := r.options.Clock
	f.expiry = clock.AfterFunc(f.deadline.Sub(clock.Now()), func() { r.expire(f) })
}

// left goes on with the queue of a flight that has ended.
func (r *Router) left(f *flight) {
	if !f.waited {
		return
	}
	r.mu.Lock()
	q := r.queues[f.key]
	r.mu.Unlock()
	r.proceed(q, f.key, f)
}

// proceed tries the next of a queue: its time has come (ended is nil), or the one before has ended.
func (r *Router) proceed(q *queue, key queueKey, ended *flight) {
	r.mu.Lock()
	if q == nil || r.queues[key] != q || q.underWay != ended {
		r.mu.Unlock()
		return
	}
	q.underWay, q.stop = nil, nil
	var next *flight
	if len(q.waiting) > 0 {
		next = q.waiting[0]
		next.stopExpiry()
		q.underWay, q.waiting = next, q.waiting[1:]
	}
	if next == nil || !next.envelope.Ordered() {
		delete(r.queues, key)
		r.queued.Add(-1)
	}
	r.mu.Unlock()
	if next != nil {
		next.start()
	}
}

// expire ends a flight whose time is over while it waits.
func (r *Router) expire(f *flight) {
	r.mu.Lock()
	at := -1
	q := r.queues[f.key]
	if q != nil {
		at = slices.Index(q.waiting, f)
	}
	if at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	}
	r.mu.Unlock()
	if at >= 0 {
		f.end(f.reason)
	}
}
