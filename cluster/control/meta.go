package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/placement"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// meta is what the leader of the meta group does: it takes nodes in, watches who is gone, and
// writes down where shards are wanted. Its decisions are those of plan.go; all it writes replaces
// the revision that it read, so that two leaders can't mix.
type meta struct {
	control *Control
	loop    *loop
	// term is the one in which this node leads the meta group, as the loop saw it last.
	term uint64
	// turn is held while the state is changed.
	turn turn
	// seen is when each node was last known to live, in this term; the loop alone uses it.
	seen map[uint64]time.Time
	// probed is when nodes that gossip misses were called.
	probed time.Time
}

const (
	// planEvery is how often the leader looks at the cluster.
	planEvery = 500 * time.Millisecond
	// probeEvery is how often a node that gossip misses is called.
	probeEvery = 5 * time.Second
	// writeWithin bounds one write of the state.
	writeWithin = 3 * time.Second
)

func newMeta(c *Control) *meta {
	m := &meta{control: c}
	m.turn.control = c
	m.loop = newLoop(c.tasks, m.look)
	return m
}

// look plans while this node leads the meta group.
func (m *meta) look(ctx context.Context) (next time.Duration) {
	if now := m.control.leaderships.term(0); now != m.term {
		m.term = now
		m.seen = map[uint64]time.Time{} // how long a node has been gone is counted anew
	}
	if m.term == 0 {
		return planEvery
	}
	if err := m.plan(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrNotMeta) {
		m.control.Logger.Warn("the cluster's record was not written; trying again", "error", err)
	}
	return planEvery
}

func (m *meta) plan(ctx context.Context) error {
	c := m.control
	state := c.state.get()
	m.watch(ctx, state)
	settles := state.GetFormed() && !state.GetSettled() && settled(state, c.replicasAt(ctx, eligibleNodes(state)))
	return m.change(ctx, func(state *clusterv1.ClusterState) error {
		if findMember(state, c.Identity.Node()) == nil {
			if err := registerMember(state, c.member(), c.Config.Shards); err != nil {
				return err
			}
		}
		replaceLost(state, m.gone)
		if !c.Config.FinalizeByHand || !state.Settled {
			raiseFormat(state)
		}
		place(state)
		state.Settled = state.Settled || settles
		return nil
	})
}

// watch notes who lives. A node that gossip misses is called now and then: gossip alone may be cut.
// One that was lost under another leader stays so until it gives a sign of life.
func (m *meta) watch(ctx context.Context, state *clusterv1.ClusterState) {
	now := m.control.Scheduler.Now()
	var missed []uint64
	for _, member := range state.GetMembers() {
		node := member.Node
		_, known := m.seen[node]
		switch {
		case member.Standing == clusterv1.Standing_STANDING_REMOVED:
		case m.control.gossip.Alive(node):
			m.seen[node] = now
		case m.isSucceeded(state, member):
			m.seen[node] = now.Add(-m.control.Config.ReplaceAfter - 1) // another one answers at its address
		case !known && member.Standing == clusterv1.Standing_STANDING_LOST:
			m.seen[node] = now.Add(-m.control.Config.ReplaceAfter - 1)
			missed = append(missed, node)
		case !known:
			m.seen[node] = now
		default:
			missed = append(missed, node)
		}
	}
	if len(missed) == 0 || now.Sub(m.probed) < probeEvery {
		return
	}
	m.probed = now
	for node := range m.control.replicasAt(ctx, missed) {
		m.seen[node] = m.control.Scheduler.Now()
	}
}

// isSucceeded reports whether there is another node now in the place of a member.
func (m *meta) isSucceeded(state *clusterv1.ClusterState, member *clusterv1.Member) bool {
	other := successor(state, member)
	return other != nil && m.control.gossip.Alive(other.Node)
}

func (m *meta) gone(node uint64) bool {
	last, known := m.seen[node]
	return known && m.control.Scheduler.Now().Sub(last) > m.control.Config.ReplaceAfter
}

// first is the state of a cluster that has none yet. It was founded by this node with the consent
// of others; or this node was alone so far, which makes it a cluster of one, and what lies on its
// disk may need all that this version knows.
func (m *meta) first() *clusterv1.ClusterState {
	o := m.control.Config
	state := newState(m.control.Identity.Cluster(), o.Shards, o.Replicas, o.Expect)
	if m.control.Identity.Consented() == 0 {
		state.Expect, state.Format = 1, o.Format
	}
	return state
}

// change changes the state, if this node leads the meta group. It returns when the change is on
// stable storage.
func (m *meta) change(ctx context.Context, decide func(*clusterv1.ClusterState) error) error {
	c := m.control
	if !m.turn.take(ctx) {
		return ctx.Err()
	}
	defer m.turn.give()
	if c.leaderships.term(0) == 0 {
		return ErrNotMeta
	}
	before, err := c.Record.ReadState()
	if err != nil {
		return err
	}
	after := m.first()
	if before != nil {
		after = proto.CloneOf(before)
	}
	if err := decide(after); err != nil {
		return err
	}
	if before != nil && proto.Equal(before, after) {
		c.state.set(before)
		return nil
	}
	ctx, cancel := c.tasks.within(ctx, writeWithin)
	defer cancel()
	if err := c.Record.WriteState(ctx, before.GetRevision(), after); err != nil {
		return fmt.Errorf("%w: %w", ErrNotMeta, err)
	}
	after.Revision = before.GetRevision() + 1
	m.tell(before, after)
	c.state.set(after)
	return nil
}

// tell logs what an operator should see of a change.
func (m *meta) tell(before, after *clusterv1.ClusterState) {
	log := m.control.Logger
	for _, now := range after.Members {
		was := findMember(before, now.Node)
		switch {
		case was == nil:
			log.Info("a node is a member now", "peer", hexID(now.Node), "name", now.Name, "rpc", now.Rpc, "version",
				now.Version)
		case was.Standing != now.Standing:
			log.Info("a node's standing changed", "peer", hexID(now.Node), "name", now.Name, "standing",
				Standing(now.Standing))
		}
	}
	if after.Format > before.GetFormat() {
		log.Info("all nodes can apply log entries of a newer format, which are written from now on: no node can go "+
			"back to an older version", "format", after.Format)
	}
	if after.Settled && !before.GetSettled() {
		log.Info("the cluster is formed: all shards are where they are wanted", "nodes", len(eligible(after)),
			"replicas", placement.Copies(len(eligible(after)), int(after.Replicas)))
	}
}

// register takes a node in.
func (m *meta) register(ctx context.Context, member *clusterv1.Member, shards uint32) (*clusterv1.ClusterState, error) {
	err := m.change(ctx, func(state *clusterv1.ClusterState) error {
		err := registerMember(state, member, shards)
		place(state)
		return err
	})
	return m.control.state.get(), err
}

// operate changes a node's standing for an operator.
func (m *meta) operate(ctx context.Context, name string, standing clusterv1.Standing) (*clusterv1.ClusterState, error) {
	c := m.control
	switch {
	case c.leaderships.term(0) == 0:
		return nil, ErrNotMeta
	case standing == clusterv1.Standing_STANDING_REMOVED:
		if err := m.mayRemove(ctx, name); err != nil {
			return nil, err
		}
	case standing != clusterv1.Standing_STANDING_ACTIVE && standing != clusterv1.Standing_STANDING_DRAINING:
		return nil, fmt.Errorf("%w: no operator makes a node %v", ErrRejected, Standing(standing))
	}
	err := m.change(ctx, func(state *clusterv1.ClusterState) error {
		member, err := namedMember(state, name)
		if err != nil {
			return err
		}
		switch {
		case member.Standing == clusterv1.Standing_STANDING_REMOVED:
			return fmt.Errorf("%w: node %s was removed, and can't come back under its id", ErrRejected, member.Name)
		case member.Standing == clusterv1.Standing_STANDING_LOST && standing == clusterv1.Standing_STANDING_ACTIVE:
			return fmt.Errorf("%w: node %s is lost; it is active again when it comes back", ErrRejected, member.Name)
		}
		member.Standing = standing
		if len(eligible(state)) == 0 {
			return fmt.Errorf("%w: no node would be left to hold the shards", ErrRejected)
		}
		place(state)
		return nil
	})
	return c.state.get(), err
}

// Finalize lets entries be written of the highest format that all members can apply, and returns
// it. The error is an ErrNotMeta where this node is not the leader of the meta group.
func (c *Control) Finalize(ctx context.Context) (format uint32, err error) {
	err = c.meta.change(ctx, func(state *clusterv1.ClusterState) error {
		raiseFormat(state)
		format = state.Format
		return nil
	})
	return format, err
}

// mayRemove refuses to remove a node that lives and holds replicas: some may be the only ones.
func (m *meta) mayRemove(ctx context.Context, name string) error {
	c := m.control
	member, err := namedMember(c.state.get(), name)
	if err != nil {
		return err
	}
	held, err := c.replicasOn(ctx, member.Node)
	switch {
	case err != nil && c.gossip.Alive(member.Node):
		return fmt.Errorf("%w: node %s is alive, but does not tell what it holds: %w", ErrRejected, member.Name, err)
	case len(held) > 0:
		return fmt.Errorf("%w: node %s holds %d replicas: drain it first, or stop it to give them up",
			ErrRejected, member.Name, len(held))
	case err == nil:
		return nil
	}
	if n := c.leaderless(ctx); n > 0 {
		return fmt.Errorf("%w: %d shards have no leader while node %s is away, and its replicas may be the only ones "+
			"that are left of them: start it again, and drain it",
			ErrRejected, n, member.Name)
	}
	return nil
}

// leadersWithin is how long shards without a leader are looked at again: nodes are asked one after
// the other, so a leadership that is transferred meanwhile is seen at neither node.
const leadersWithin = 2 * time.Second

// leaderless is the number of shards, the meta group included, that no node leads which answers.
func (c *Control) leaderless(ctx context.Context) int {
	led := map[uint32]bool{}
	for began := c.Scheduler.Now(); ; {
		for _, replicas := range c.ReplicasOfAll(ctx) {
			for _, r := range replicas {
				if r.Leading {
					led[r.Shard] = true
				}
			}
		}
		missing := int(c.state.get().GetShards()) + 1 - len(led)
		if missing <= 0 || c.Scheduler.Now().Sub(began) > leadersWithin ||
			!c.Scheduler.Sleep(ctx, leadersWithin/8) {
			return missing
		}
	}
}

// Standing is a standing in words.
func Standing(s clusterv1.Standing) string {
	switch s {
	case clusterv1.Standing_STANDING_ACTIVE:
		return "active"
	case clusterv1.Standing_STANDING_DRAINING:
		return "draining"
	case clusterv1.Standing_STANDING_REMOVED:
		return "removed"
	case clusterv1.Standing_STANDING_LOST:
		return "lost"
	}
	return "unknown"
}

func eligibleNodes(state *clusterv1.ClusterState) []uint64 {
	var nodes []uint64
	for _, n := range eligible(state) {
		nodes = append(nodes, n.ID)
	}
	return nodes
}

// turn is held by one task at a time.
type turn struct {
	control *Control
	mu      sync.Mutex
	held    bool
	waiting []context.CancelFunc // of the tasks that wait for it
}

// take waits for the turn; false where ctx ended before.
func (t *turn) take(ctx context.Context) bool {
	for {
		wait, wake := context.WithCancel(ctx)
		if t.tryTake(wake) {
			wake()
			return true
		}
		t.control.Scheduler.Sleep(wait, writeWithin)
		wake()
		if ctx.Err() != nil {
			return false
		}
	}
}

func (t *turn) tryTake(wake context.CancelFunc) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		t.waiting = append(t.waiting, wake)
		return false
	}
	t.held = true
	return true
}

// give ends the turn.
func (t *turn) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = false
	for _, wake := range t.waiting {
		wake()
	}
	t.waiting = nil
}
