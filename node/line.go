package node

import (
	"cmp"
	"slices"
	"time"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
)

// line is what waits for one conversation while its leader changes. One trip is tried at a time, in
// the order in which they came: each by itself, one that came late would find the new leader before
// one that has waited for an election, and the user's messages would change places.
type line struct {
	waiting  []*trip // by number
	underway *trip
	timer    *time.Timer // set while none is under way
}

// lineKey names a line. Messages of a conversation share one; whatever else waits has its own,
// since its order does not matter.
type lineKey struct {
	conversation conversation.ID
	number       uint64
}

func (t *trip) ordered() bool { return t.delivery.Message != nil }

// join puts a new trip behind those of its conversation that wait; false where none does.
func (r *router) join(t *trip) bool {
	if r.lined.Load() == 0 || !t.ordered() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.lines[t.key]
	if l != nil {
		r.queue(l, t, actors.ErrNotLeader)
	}
	return l != nil
}

// wait puts a trip that was tried back into its line. The lock is held.
func (r *router) wait(t *trip, pause time.Duration, err error) {
	l := r.lines[t.key]
	if l == nil {
		l = &line{}
		r.lines[t.key] = l
		r.lined.Add(1)
	}
	r.queue(l, t, err)
	if l.underway == t {
		l.underway = nil
	}
	if l.underway == nil && l.timer == nil {
		l.timer = time.AfterFunc(pause, func() { r.proceed(l, t.key, nil) })
	}
}

// queue puts a trip to its place. The lock is held.
func (r *router) queue(l *line, t *trip, err error) {
	at, _ := slices.BinarySearchFunc(l.waiting, t.number, func(other *trip,
		number uint64) int {
		return cmp.Compare(other.number, number)
	})
	l.waiting = slices.Insert(l.waiting, at, t)
	t.reason, t.waited = err, true
	t.expiry = time.AfterFunc(time.Until(t.deadline), func() { r.expire(t) })
}

// left goes on with the line of a trip that has ended.
func (r *router) left(t *trip) {
	if !t.waited {
		return
	}
	r.mu.Lock()
	l := r.lines[t.key]
	r.mu.Unlock()
	r.proceed(l, t.key, t)
}

// proceed tries the next of a line: its time has come (ended is nil), or the one before has ended.
func (r *router) proceed(l *line, key lineKey, ended *trip) {
	r.mu.Lock()
	if l == nil || r.lines[key] != l || l.underway != ended {
		r.mu.Unlock()
		return
	}
	l.underway, l.timer = nil, nil
	var next *trip
	if len(l.waiting) > 0 {
		next = l.waiting[0]
		next.expiry.Stop()
		l.underway, l.waiting = next, l.waiting[1:]
	}
	if next == nil || !next.ordered() {
		delete(r.lines, key)
		r.lined.Add(-1)
	}
	r.mu.Unlock()
	if next != nil {
		next.start()
	}
}

// expire ends a trip whose time is over while it waits.
func (r *router) expire(t *trip) {
	r.mu.Lock()
	at := -1
	l := r.lines[t.key]
	if l != nil {
		at = slices.Index(l.waiting, t)
	}
	if at >= 0 {
		l.waiting = slices.Delete(l.waiting, at, at+1)
	}
	r.mu.Unlock()
	if at >= 0 {
		t.end(t.reason)
	}
}

// close ends all that waits to be tried again, now and later.
func (r *router) close() {
	r.mu.Lock()
	r.closed = true
	lines := r.lines
	r.lines = map[lineKey]*line{}
	r.lined.Store(0)
	r.mu.Unlock()
	for _, l := range lines {
		if l.timer != nil {
			l.timer.Stop()
		}
		for _, t := range l.waiting {
			t.expiry.Stop()
			t.end(actors.ErrStopping)
		}
	}
}
