package replication

import (
	"sync"
	"time"
)

// lane drives a part of the groups on one goroutine. What comes in waits in the inbox; a cycle
// takes all of it at once, so that the entries of every group share one batch and one fsync: the
// busier the lane, the larger the batch.
type lane struct {
	host   *Host
	groups map[uint32]*group
	active []*group // groups with something to do, in this cycle
	sends  []Message

	mu     sync.Mutex
	inbox  inputs
	closed bool
	woken  bool          // for what is in the inbox
	wake   chan struct{} // holds one token where the lane is woken
	// late wakes the lane for what does not do so at once; lateAt is when, zero where nothing of it
	// waits.
	late    *time.Timer
	lateAt  time.Time
	pace    pace
	stopped sync.WaitGroup
	endOnce sync.Once
	ended   chan struct{} // closed when the lane does nothing any more
}

func newLane(h *Host) *lane {
	l := &lane{host: h, groups: map[uint32]*group{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	l.late = time.AfterFunc(lazyWithin, l.overdue)
	l.late.Stop()
	return l
}

// lazyWithin is how long a lazy proposal waits at most for others: little beside the time that a
// provider takes for a reply, whose outcome most such proposals tell.
const lazyWithin = 5 * time.Millisecond

// inputs are what waits for a cycle.
type inputs struct {
	proposals []*proposal
	messages  []Message
	controls  []func()
	// tick: time went on. A lane that waited for its disk over several ticks has missed them, and
	// so is late, never early.
	tick bool
	// proposed and received are the bytes of the proposals, and of the entries in the messages.
	proposed int64
	received int
}

func (i *inputs) empty() bool {
	return !i.tick && len(i.proposals) == 0 && len(i.messages) == 0 && len(i.controls) == 0
}

// proposal is a command on its way into a shard's log.
type proposal struct {
	shard   uint32
	term    uint64
	command Command
	done    func(result uint64, err error)
	began   time.Time
	// lazy: no caller waits for it.
	lazy bool
}

// maxMessages and maxReceived bound the messages of other nodes that wait in a lane, and the bytes
// of their entries; the consensus core sends again what is dropped.
const (
	maxMessages = 8192
	maxReceived = 64 << 20
)

// post queues a proposal, unless the lane is full or closed.
func (l *lane) post(p *proposal) error {
	return l.put(p, func() error {
		if len(l.inbox.proposals) >= l.host.options.Limits.Queue ||
			l.inbox.proposed+int64(len(p.command.Data)) > l.host.options.Limits.QueueBytes {
			return ErrOverloaded
		}
		l.inbox.proposals = append(l.inbox.proposals, p)
		l.inbox.proposed += int64(len(p.command.Data))
		return nil
	})
}

// receive queues a message of another node.
func (l *lane) receive(m Message) error {
	return l.put(nil, func() error {
		if len(l.inbox.messages) >= maxMessages || l.inbox.received >= maxReceived {
			return ErrOverloaded
		}
		l.inbox.messages = append(l.inbox.messages, m)
		for _, e := range m.GetEntries() {
			l.inbox.received += len(e.GetData())
		}
		return nil
	})
}

// control queues something to be done between two rounds, on the lane's goroutine.
func (l *lane) control(fn func()) error {
	return l.put(nil, func() error {
		l.inbox.controls = append(l.inbox.controls, fn)
		return nil
	})
}

func (l *lane) tick() {
	_ = l.put(nil, func() error {
		l.inbox.tick = true
		return nil
	})
}

// put adds to the inbox, and wakes the lane: for a proposal later, where that is better.
func (l *lane) put(p *proposal, add func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if err := add(); err != nil {
		return err
	}
	if p == nil {
		l.rouse()
		return nil
	}
	now, at := time.Now(), l.pace.next()
	if p.lazy {
		at = now.Add(lazyWithin)
	}
	if now.Before(at) {
		l.rouseAt(now, at)
	} else {
		l.rouse()
	}
	return nil
}

// rouseAt wakes the lane at a time, if nothing does before.
func (l *lane) rouseAt(now, at time.Time) {
	if l.lateAt.IsZero() || at.Before(l.lateAt) {
		l.lateAt = at
		l.late.Reset(at.Sub(now))
	}
}

// rouse wakes the lane; its lock is held.
func (l *lane) rouse() {
	if l.woken {
		return
	}
	l.woken = true
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// overdue wakes the lane for what has waited.
func (l *lane) overdue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.inbox.empty() {
		l.rouse()
	}
}

// run cycles until the lane is closed, or the disk fails.
func (l *lane) run() {
	defer l.end()
	for range l.wake {
		in, closed := l.take()
		if closed {
			rejectClosed(in.proposals)
			return
		}
		if err := l.cycle(in); err != nil {
			l.host.db.Fail(err)
			return
		}
	}
}

func (l *lane) take() (in inputs, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	in = l.inbox
	l.inbox, l.woken = inputs{}, false
	l.late.Stop()
	l.lateAt = time.Time{}
	if !l.host.options.Manual {
		l.pace.took(time.Now(), len(in.proposals))
	}
	return in, l.closed
}

// end answers what will never be known, however the lane ended, so that no caller waits forever.
func (l *lane) end() {
	l.shut()
	in, _ := l.take()
	rejectClosed(in.proposals)
	for _, g := range l.groups {
		for _, a := range g.proposals.answers { // applied in a batch that did not reach the store
			g.proposals.pending = append(g.proposals.pending, a.proposal)
		}
		g.proposals.answers = nil
		g.proposals.abandon(ErrUnknown)
		g.endStaged(ErrClosed)
		g.log.dropSnapshot()
	}
	l.endOnce.Do(func() { close(l.ended) })
}

func rejectClosed(proposals []*proposal) {
	for _, p := range proposals {
		p.done(0, ErrClosed)
	}
}

// shut lets nothing more in, and wakes the lane.
func (l *lane) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.rouse()
}

// close stops the lane and waits until it has.
func (l *lane) close() {
	l.shut()
	l.stopped.Wait()
}

// cycle steps the groups with their inputs and performs what they ask for, until none has anything
// to do. It has no goroutine, clock or sleep of its own.
func (l *lane) cycle(in inputs) error {
	if in.tick {
		l.tickGroups()
	}
	for _, m := range in.messages {
		if g := l.groups[m.Shard]; g != nil && g.step(m) {
			l.activate(g)
		}
	}
	// Behind the messages: who asks how groups are must learn of replicas that sent something
	// while the lane waited for its disk.
	for _, fn := range in.controls {
		fn()
	}
	for _, p := range in.proposals {
		g := l.groups[p.shard]
		if g == nil {
			p.done(0, ErrNotLeader)
			continue
		}
		g.propose(p)
		l.activate(g)
	}
	for len(l.active) > 0 {
		if err := l.perform(); err != nil {
			return err
		}
	}
	return nil
}

// tickGroups lets time go on where there are other replicas. A replica that is alone needs
// no clock as long as it leads; a late message of one that was a member may have ended that, and
// then it stands for election again.
func (l *lane) tickGroups() {
	l.each(func(g *group) {
		if !g.log.alone() || !g.leading {
			g.tick()
			l.activate(g)
		}
	})
}

// each visits the groups in their order, not in a map's: a simulation that is driven by a seed
// replays a run exactly.
func (l *lane) each(visit func(*group)) {
	for shard := range uint32(l.host.options.Shards + 1) {
		if g := l.groups[shard]; g != nil {
			visit(g)
		}
	}
}

func (l *lane) activate(g *group) {
	if !g.queued && !g.gone {
		g.queued = true
		l.active = append(l.active, g)
	}
}

// do runs fn between two rounds of the lane and returns its error. With Options.Manual it runs at
// once.
func (l *lane) do(fn func() error) (err error) {
	if l.host.options.Manual {
		return fn()
	}
	done := make(chan error, 1)
	if err := l.control(func() { done <- fn() }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-l.ended:
		return ErrClosed
	}
}

// onAllLanes runs fn while no lane does anything.
func onAllLanes(lanes []*lane, fn func() error) error {
	run := fn
	for _, l := range lanes {
		inner := run
		run = func() error { return l.do(inner) }
	}
	return run()
}
