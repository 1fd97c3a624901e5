package sim

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/wactor/wactor/actors"
)

// scheduler is the actors.Scheduler of a process. Mailboxes are emptied and tasks go on one after
// the other, when the seed says. A task is a coroutine: while it blocks others go on.
type scheduler struct {
	p *process
	// running is the task that runs now; nil while none does.
	running *task
	tasks   []*task
	stopped bool
	// patient are the tasks that wait until a context ends, at the latest.
	patient []*patience
}

// task is what runs beside its caller.
type task struct {
	// proceed lets it run until it blocks again, or ends (false).
	proceed func() (struct{}, bool)
	// stop lets it run to its end: whatever blocks returns at once.
	stop func()
	// block is called by the task. It returns false where the task is stopped.
	block func(struct{}) bool
}

// Now implements actors.Scheduler.
func (s *scheduler) Now() time.Time { return time.UnixMilli(s.p.w.wallMs()) }

// Go implements actors.Scheduler.
func (s *scheduler) Go(do func()) {
	if s.p.dead.Load() {
		return
	}
	t := &task{}
	t.proceed, t.stop = iter.Pull(func(block func(struct{}) bool) {
		t.block = block
		do()
	})
	s.tasks = append(s.tasks, t)
	s.p.in(0, func() { s.proceed(t) })
}

func (s *scheduler) proceed(t *task) {
	s.running = t
	_, blocks := t.proceed()
	s.running = nil
	if !blocks {
		s.tasks = slices.DeleteFunc(s.tasks, func(other *task) bool { return other == t })
	}
}

// await blocks the task that runs until wake is called, which may happen within start. It returns
// false where the process has died meanwhile.
func (s *scheduler) await(start func(wake func())) bool {
	if s.stopped {
		return false
	}
	if s.p.dead.Load() {
		// The power went in what this task just did, and the process falls soon. A task that goes
		// on until its context ends would never let it.
		return s.running.block(struct{}{})
	}
	t, woken := s.running, false
	start(func() {
		if !woken {
			woken = true
			s.p.in(0, func() { s.proceed(t) })
		}
	})
	return t.block(struct{}{})
}

// patience is how long a task waits.
type patience struct {
	ctx  context.Context
	wake func()
}

// awaitUntil is await, which a context ends.
func (s *scheduler) awaitUntil(ctx context.Context, start func(wake func())) bool {
	if ctx.Err() != nil {
		return false
	}
	var waits *patience
	lives := s.await(func(wake func()) {
		waits = &patience{ctx, wake}
		s.patient = append(s.patient, waits)
		start(wake)
	})
	s.patient = slices.DeleteFunc(s.patient, func(other *patience) bool { return other == waits })
	return lives
}

// endPatience wakes the tasks whose contexts have ended.
func endPatience(nodes []*node) {
	for _, n := range nodes {
		if n.proc == nil || n.proc.scheduler == nil {
			continue
		}
		for _, waits := range n.proc.scheduler.patient {
			if waits.ctx.Err() != nil {
				waits.wake()
			}
		}
	}
}

// Sleep implements actors.Scheduler. A context that ends does not wake it up, but when it wakes up
// it looks.
func (s *scheduler) Sleep(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	lives := s.await(func(wake func()) { s.p.in(s.p.clock.period(d), wake) })
	return lives && ctx.Err() == nil
}

// After implements actors.Scheduler.
func (s *scheduler) After(d time.Duration, fn func()) actors.Timer {
	t := &timer{p: s.p, fn: fn}
	t.Reset(d)
	return t
}

// stop ends all tasks of a process that has died.
func (s *scheduler) stop() {
	s.stopped = true
	for len(s.tasks) > 0 {
		t := s.tasks[0]
		s.tasks = s.tasks[1:]
		t.stop()
	}
}

// timer is an actors.Timer on the clock of a node.
type timer struct {
	p     *process
	fn    func()
	armed bool
	round int // how often it was set
}

// Reset implements actors.Timer.
func (t *timer) Reset(d time.Duration) bool {
	before := t.Stop()
	t.armed = true
	round := t.round
	t.p.in(t.p.clock.period(max(d, 0)), func() {
		if t.armed && t.round == round {
			t.armed = false
			t.fn()
		}
	})
	return before
}

// Stop implements actors.Timer.
func (t *timer) Stop() bool {
	before := t.armed
	t.armed = false
	t.round++
	return before
}

// mailbox is an actors.Mailbox.
type mailbox struct {
	p        *process
	receiver actors.Receiver
	waiting  []any
	// due: it will be emptied; closed: never again.
	due, closed bool
}

// Spawn implements actors.Scheduler.
func (s *scheduler) Spawn(receiver actors.Receiver) actors.Mailbox {
	return &mailbox{p: s.p, receiver: receiver}
}

// Post implements actors.Mailbox.
func (m *mailbox) Post(message any) {
	if m.closed || m.p.dead.Load() {
		return
	}
	m.waiting = append(m.waiting, message)
	if !m.due {
		m.due = true
		m.p.in(time.Duration(m.p.w.rng.Int64N(int64(time.Millisecond))), m.empty)
	}
}

// Close implements actors.Mailbox.
func (m *mailbox) Close() { m.closed = true }

func (m *mailbox) empty() {
	m.due = false
	waiting := m.waiting
	m.waiting = nil
	for _, message := range waiting {
		if !m.closed && m.p.proc == m.p {
			m.receiver.Receive(message)
		}
	}
}
