package persistence

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
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

// post queues a proposal; false where the lane is full or closed.
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

// run cycles until the lane is closed.
func (l *lane) run() {
	for range l.wake {
		l.mu.Lock()
		inputs, closed := l.inbox, l.closed
		l.inbox, l.bytes = nil, 0
		l.mu.Unlock()
		if closed {
			for _, p := range inputs {
				p.done(Applied{}, ErrClosed)
			}
			break
		}
		if err := l.cycle(inputs); err != nil {
			l.store.fatal(err)
			break
		}
	}
	for _, g := range l.groups {
		g.abandon(ErrClosed)
	}
}

func (l *lane) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	l.mu.Unlock()
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

// perform takes one Ready of every active group: entries and hard states of all in one batch, synced where any must be; then
// what is committed, in another batch that is not synced, since it can be made again from the log.
func (l *lane) perform() error {
	type work struct {
		g     *group
		ready raft.Ready
	}
	var all []work
	log := l.store.db.NewBatch()
	defer log.Close()
	sync := false
	for _, g := range l.active {
		g.queued = false
		if !g.node.HasReady() {
			continue
		}
		ready := g.node.Ready()
		if err := g.log.append(log, ready.HardState, ready.Entries); err != nil {
			return err
		}
		l.store.metrics.entries.Add(float64(len(ready.Entries)))
		sync = sync || ready.MustSync
		all = append(all, work{g, ready})
	}
	l.active = l.active[:0]
	if err := l.store.write(log, sync); err != nil {
		return err
	}
	state := l.store.db.NewBatch()
	defer state.Close()
	for _, w := range all {
		// Messages to other replicas leave here, after the fsync that they vouch for. A group whose only voter is this node has none.
		if len(w.ready.CommittedEntries) > 0 {
			if err := w.g.apply(state, w.ready.CommittedEntries); err != nil {
				return err
			}
			if err := w.g.maybeTruncate(state); err != nil {
				return err
			}
		}
	}
	if err := l.store.write(state, false); err != nil {
		return err
	}
	for _, w := range all {
		w.g.revisions.rotate()
		w.g.node.Advance(w.ready)
		w.g.observe(w.ready, l.store.options.Lead)
		for _, a := range w.g.answers {
			l.store.metrics.proposal(a.proposal, a.err)
			a.proposal.done(a.applied, a.err)
		}
		clear(w.g.answers)
		w.g.answers = w.g.answers[:0]
		if w.g.node.HasReady() {
			l.activate(w.g)
		}
	}
	return nil
}

// maxUntruncated is how many bytes of applied entries a group keeps before it drops them, in one range deletion.
const maxUntruncated = 4 << 20

// maybeTruncate drops the log behind what is applied. The deletion lies in the batch that writes the applied state, or in one
// after it. Pebble's write-ahead log is replayed as a prefix: whatever a power cut leaves, where the deletion is found, the
// applied state that it relies on is found too. A cut that loses both leaves the entries. So no flush need be tracked.
func (g *group) maybeTruncate(batch *pebble.Batch) error {
	if g.untruncated < maxUntruncated {
		return nil
	}
	g.untruncated = 0
	return g.log.truncate(batch, g.applied)
}

// observe tells of a change of leadership.
func (g *group) observe(ready raft.Ready, tell func(uint32, Lead)) {
	if ready.SoftState != nil {
		g.leading = ready.SoftState.RaftState == raft.StateLeader
	}
	term := g.log.hard.GetTerm()
	now := Lead{Term: term, Ready: g.leading && g.applied.term == term}
	if now == g.lead {
		return
	}
	if g.lead.Term != now.Term || !now.Ready {
		g.abandon(ErrUnknown)
	}
	g.lead = now
	tell(g.shard, now)
}

// abandon ends the proposals whose outcome will not be known here.
func (g *group) abandon(err error) {
	pending := g.pending
	g.pending = nil
	for _, p := range pending {
		p.done(Applied{}, err)
	}
}
