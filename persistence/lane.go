package persistence

import (
	"sync"
	"time"
)

// lane drives a part of the groups on one goroutine. What comes in waits in the inbox; a cycle takes all of it at once, so
// that the entries of every group share one batch and one fsync: the busier the lane, the larger the batch.
type lane struct {
	store  *Store
	groups map[uint32]*group
	active []*group // groups with something to do, in this cycle

	mu      sync.Mutex
	inbox   []*proposal
	bytes   int64
	closed  bool
	wake    chan struct{} // holds one token where the inbox is not empty
	stopped sync.WaitGroup
}

// proposal is a command on its way into a shard's log.
type proposal struct {
	shard uint32
	term  uint64
	data  []byte
	done  func(Applied, error)
	began time.Time
}

// post queues a proposal, unless the lane is full or closed.
func (l *lane) post(p *proposal) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrClosed
	case len(l.inbox) >= l.store.options.MaxQueue || l.bytes+int64(len(p.data)) > l.store.options.MaxQueueBytes:
		return ErrOverloaded
	}
	l.inbox = append(l.inbox, p)
	l.bytes += int64(len(p.data))
	if len(l.inbox) == 1 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// run cycles until the lane is closed, or the disk fails.
func (l *lane) run() {
	defer l.end()
	for range l.wake {
		inputs, closed := l.take()
		if closed {
			refuse(inputs)
			return
		}
		if err := l.cycle(inputs); err != nil {
			l.store.fatal(err)
			return
		}
	}
}

func (l *lane) take() (inputs []*proposal, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	inputs = l.inbox
	l.inbox, l.bytes = nil, 0
	return inputs, l.closed
}

// end answers what will never be known, however the lane ended, so that nobody waits forever.
func (l *lane) end() {
	l.shut()
	inputs, _ := l.take()
	refuse(inputs)
	for _, g := range l.groups {
		for _, a := range g.answers { // applied in a batch that did not reach the store
			g.pending = append(g.pending, a.proposal)
		}
		g.answers = nil
		g.abandon(ErrUnknown)
	}
}

func refuse(inputs []*proposal) {
	for _, p := range inputs {
		p.done(Applied{}, ErrClosed)
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
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close stops the lane and waits until it has.
func (l *lane) close() {
	l.shut()
	l.stopped.Wait()
}

// cycle steps the groups with their inputs and performs what they ask for, until none has anything to do. It has no
// goroutine, clock or sleep of its own.
func (l *lane) cycle(inputs []*proposal) error {
	for _, p := range inputs {
		g := l.groups[p.shard]
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

func (l *lane) activate(g *group) {
	if !g.queued {
		g.queued = true
		l.active = append(l.active, g)
	}
}
