package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/placement"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// meta is what the leader of the meta group does: it takes nodes in, watches who is gone, and
// writes down where shards are wanted. Its decisions are those of plan.go; all it writes replaces
// the revision that it read, so that two leaders can't mix.
type meta struct {
	cluster *Cluster
	wake    chan struct{}
	// turn holds a token for whoever changes the state.
	turn chan struct{}
	// seen is when each node was last known to live, since this node leads; run alone uses it.
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

func newMeta(c *Cluster) *meta {
	return &meta{cluster: c, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
}

func (m *meta) poke() { signal(m.wake) }

// run plans while this node leads the meta group.
func (m *meta) run(ctx context.Context) {
	timer := time.NewTimer(planEvery)
	defer timer.Stop()
	term := uint64(0)
	for {
		select {
		case <-m.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		timer.Reset(planEvery)
		now := m.cluster.leading(0)
		if now != term {
			term = now
			m.seen = map[uint64]time.Time{} // who is gone for how long is counted anew
		}
		if term == 0 {
			continue
		}
		if err := m.plan(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrNotMeta) {
			m.cluster.log.Warn("the cluster's state was not written; trying again", "error", err)
		}
	}
}

func (m *meta) plan(ctx context.Context) error {
	c := m.cluster
	state := c.state.get()
	m.watch(ctx, state)
	settles := state.GetFormed() && !state.GetSettled() && settled(state, c.replicasOf(ctx, eligibleNodes(state)))
	return m.change(ctx, func(state *clusterv1.ClusterState) error {
		if findMember(state, c.host.Node()) == nil {
			if err := registerMember(state, c.member(), c.options.Shards); err != nil {
				return err
			}
		}
		replaceLost(state, m.gone)
		raiseFormat(state)
		place(state)
		state.Settled = state.Settled || settles
		return nil
	})
}

// watch notes who lives. A node that gossip misses is called now and then: gossip alone may be cut.
// One that was lost under another leader stays so until it is heard of.
func (m *meta) watch(ctx context.Context, state *clusterv1.ClusterState) {
	now := time.Now()
	var missed []uint64
	for _, member := range state.GetMembers() {
		node := member.Node
		_, known := m.seen[node]
		switch {
		case member.Standing == clusterv1.Standing_STANDING_REMOVED:
		case m.cluster.Alive(node):
			m.seen[node] = now
		case m.isSucceeded(state, member):
			m.seen[node] = now.Add(-m.cluster.options.ReplaceAfter - 1) // another one answers at its address
		case !known && member.Standing == clusterv1.Standing_STANDING_LOST:
			m.seen[node] = now.Add(-m.cluster.options.ReplaceAfter - 1)
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
	for node := range m.cluster.replicasOf(ctx, missed) {
		m.seen[node] = time.Now()
	}
}

// isSucceeded reports whether there is another node now in the place of a member.
func (m *meta) isSucceeded(state *clusterv1.ClusterState, member *clusterv1.Member) bool {
	other := successor(state, member)
	return other != nil && m.cluster.Alive(other.Node)
}

func (m *meta) gone(node uint64) bool {
	last, known := m.seen[node]
	return known && time.Since(last) > m.cluster.options.ReplaceAfter
}

// first is the state of a cluster that has none yet. It was founded by this node with the consent
// of others; or this node was alone so far, which makes it a cluster of one, and what lies on its
// disk may need all that this version knows.
func (m *meta) first() *clusterv1.ClusterState {
	o := m.cluster.options
	state := newState(m.cluster.host.Cluster(), o.Shards, o.Replicas, o.Expect)
	if m.cluster.host.Consented() == 0 {
		state.Expect, state.Format = 1, o.Format
	}
	return state
}

// change changes the state, if this node leads the meta group. It returns when the change is on
// stable storage.
func (m *meta) change(ctx context.Context, decide func(*clusterv1.ClusterState) error) error {
	c := m.cluster
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.leading(0) == 0 {
		return ErrNotMeta
	}
	before, err := c.host.ReadState()
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
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := c.host.WriteState(ctx, before.GetRevision(), after); err != nil {
		return fmt.Errorf("%w: %w", ErrNotMeta, err)
	}
	after.Revision = before.GetRevision() + 1
	m.tell(before, after)
	c.state.set(after)
	return nil
}

// tell logs what an operator should see of a change.
func (m *meta) tell(before, after *clusterv1.ClusterState) {
	log := m.cluster.log
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
	return m.cluster.state.get(), err
}

// operate changes a node's standing for an operator.
func (m *meta) operate(ctx context.Context, name string, standing clusterv1.Standing) (*clusterv1.ClusterState, error) {
	c := m.cluster
	switch {
	case c.leading(0) == 0:
		return nil, ErrNotMeta
	case standing == clusterv1.Standing_STANDING_REMOVED:
		if err := m.mayRemove(ctx, name); err != nil {
			return nil, err
		}
	case standing != clusterv1.Standing_STANDING_ACTIVE && standing != clusterv1.Standing_STANDING_DRAINING:
		return nil, fmt.Errorf("%w: no operator makes a node %v", ErrRefused, Standing(standing))
	}
	err := m.change(ctx, func(state *clusterv1.ClusterState) error {
		member, err := namedMember(state, name)
		if err != nil {
			return err
		}
		switch {
		case member.Standing == clusterv1.Standing_STANDING_REMOVED:
			return fmt.Errorf("%w: node %s was removed, and can't come back under its id", ErrRefused, member.Name)
		case member.Standing == clusterv1.Standing_STANDING_LOST && standing == clusterv1.Standing_STANDING_ACTIVE:
			return fmt.Errorf("%w: node %s is lost; it is active again when it comes back", ErrRefused, member.Name)
		}
		member.Standing = standing
		if len(eligible(state)) == 0 {
			return fmt.Errorf("%w: no node would be left to hold the shards", ErrRefused)
		}
		place(state)
		return nil
	})
	return c.state.get(), err
}

// mayRemove refuses to remove a node that lives and holds replicas: some may be the only ones.
func (m *meta) mayRemove(ctx context.Context, name string) error {
	c := m.cluster
	member, err := namedMember(c.state.get(), name)
	if err != nil {
		return err
	}
	held, err := c.replicas(ctx, member.Node)
	switch {
	case err != nil && c.Alive(member.Node):
		return fmt.Errorf("%w: node %s is alive, but does not tell what it holds: %w", ErrRefused, member.Name, err)
	case len(held) > 0:
		return fmt.Errorf("%w: node %s holds %d replicas: drain it first, or stop it if they shall be given up",
			ErrRefused, member.Name, len(held))
	case err == nil:
		return nil
	}
	if n := c.leaderless(ctx); n > 0 {
		return fmt.Errorf("%w: %d shards have no leader while node %s is away, and its replicas may be the only ones "+
			"that are left of them: start it again, and drain it",
			ErrRefused, n, member.Name)
	}
	return nil
}

// leadersWithin is how long shards without a leader are looked at again: nodes are asked one after
// the other, and a lead that is handed over meanwhile is seen nowhere.
const leadersWithin = 2 * time.Second

// leaderless is the number of shards, the meta group included, that no node leads which answers.
func (c *Cluster) leaderless(ctx context.Context) int {
	led := map[uint32]bool{}
	for began := time.Now(); ; {
		for _, replicas := range c.ReplicasOfAll(ctx) {
			for _, r := range replicas {
				if r.Leading {
					led[r.Shard] = true
				}
			}
		}
		missing := int(c.state.get().GetShards()) + 1 - len(led)
		if missing <= 0 || time.Since(began) > leadersWithin || !pause(ctx, leadersWithin/8) {
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

// askWithin bounds a question to another node.
const askWithin = 2 * time.Second

// replicas asks a node how its replicas are.
func (c *Cluster) replicas(ctx context.Context, node uint64) ([]*clusterv1.ReplicaStatus, error) {
	if node == c.host.Node() {
		return c.host.Replicas()
	}
	l := c.links.to(node)
	if l == nil {
		return nil, fmt.Errorf("%w: nobody knows where node %s is", ErrUnreachable, hexID(node))
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), askWithin)
	defer cancel()
	answer, err := l.client.Replicas(ctx, &clusterv1.ReplicasRequest{})
	return answer.GetReplicas(), err
}

// replicasOf asks several nodes at once; who does not answer is left out.
func (c *Cluster) replicasOf(ctx context.Context, nodes []uint64) map[uint64][]*clusterv1.ReplicaStatus {
	type answer struct {
		node     uint64
		replicas []*clusterv1.ReplicaStatus
		err      error
	}
	answers := make(chan answer, len(nodes))
	asked := 0
	for _, node := range nodes {
		if c.goRun(func(context.Context) {
			replicas, err := c.replicas(ctx, node)
			answers <- answer{node, replicas, err}
		}) {
			asked++
		}
	}
	out := map[uint64][]*clusterv1.ReplicaStatus{}
	for range asked {
		if a := <-answers; a.err == nil {
			out[a.node] = a.replicas
		}
	}
	return out
}

// ReplicasOfAll asks all nodes of the cluster how their replicas are; who does not answer is left
// out.
func (c *Cluster) ReplicasOfAll(ctx context.Context) map[uint64][]*clusterv1.ReplicaStatus {
	var nodes []uint64
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			nodes = append(nodes, m.Node)
		}
	}
	return c.replicasOf(ctx, nodes)
}

// Ask has a node answer a call of the admin API for what it leads.
func (c *Cluster) Ask(ctx context.Context, node uint64, procedure string, request []byte) ([]byte, error) {
	l := c.links.to(node)
	if l == nil {
		return nil, fmt.Errorf("%w: nobody knows where node %s is", ErrUnreachable, hexID(node))
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), adminWithin)
	defer cancel()
	answer, err := l.client.Admin(ctx, &clusterv1.AdminRequest{Procedure: procedure, Request: request})
	return answer.GetResponse(), err
}

// adminWithin bounds one call of the admin API.
const adminWithin = 10 * time.Second
