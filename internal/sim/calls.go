package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/gossip"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// transport is the control.Transport of a process.
type transport struct{ p *process }

var errNoAnswer = errors.New("sim: no answer")

// call has a task of another node do something, and waits until it is done there and its answer is
// here.
func (t transport) call(ctx context.Context, node uint64, do func(q *process) (answer func())) error {
	p, to := t.p, t.p.w.nodeOf[node]
	if to == nil {
		return errNoAnswer
	}
	err := errNoAnswer
	p.scheduler.awaitUntil(ctx, func(wake func()) {
		p.w.network.send(p.node, to, func(q *process) {
			if q.control == nil {
				return
			}
			q.scheduler.Go(func() {
				answer := do(q)
				if q.dead.Load() {
					return
				}
				p.w.network.send(q.node, p.node, func(now *process) {
					if now == p && err != nil {
						err = nil
						answer()
						wake()
					}
				})
			})
		})
	})
	return err
}

// Nominate implements control.Transport.
func (t transport) Nominate(ctx context.Context, node uint64) (granted bool, reason string, err error) {
	err = t.call(ctx, node, func(q *process) func() {
		why := q.control.Nominate(t.p.id)
		return func() { granted, reason = why == "", why }
	})
	return granted, reason, err
}

// Join implements control.Transport.
func (t transport) Join(ctx context.Context, node uint64, self *clusterv1.Member,
	shards uint32) (state *clusterv1.ClusterState, err error) {
	var failed error
	err = t.call(ctx, node, func(q *process) func() {
		within, cancel := context.WithCancel(context.Background())
		q.in(3*time.Second, cancel)
		s, err := q.control.Register(within, proto.CloneOf(self), shards)
		return func() { state, failed = proto.CloneOf(s), err }
	})
	return state, errors.Join(err, failed)
}

// State implements control.Transport.
func (t transport) State(ctx context.Context, node, revision uint64) (state *clusterv1.ClusterState, err error) {
	err = t.call(ctx, node, func(q *process) func() {
		s := q.control.State(context.Background(), revision)
		return func() { state = proto.CloneOf(s) }
	})
	return state, err
}

// Operate implements control.Transport.
func (t transport) Operate(context.Context, uint64, string, clusterv1.Standing) (*clusterv1.ClusterState, error) {
	return nil, control.ErrRejected
}

// CreateReplica implements control.Transport.
func (t transport) CreateReplica(ctx context.Context, node uint64, shard uint32, replica uint64) error {
	var failed error
	err := t.call(ctx, node, func(q *process) func() {
		err := replicas{q}.CreateReplica(shard, replica)
		return func() { failed = err }
	})
	return errors.Join(err, failed)
}

// Replicas implements control.Transport.
func (t transport) Replicas(ctx context.Context, node uint64) (all []*clusterv1.ReplicaStatus, err error) {
	err = t.call(ctx, node, func(q *process) func() {
		theirs, _ := replicas{q}.Replicas()
		return func() { all = theirs }
	})
	return all, err
}

// Readdress implements control.Transport.
func (transport) Readdress(map[uint64]string) {}

// Reset implements control.Transport.
func (transport) Reset(uint64) {}

// Reaches implements control.Transport.
func (t transport) Reaches(node uint64) bool { return hearsay(t).Alive(node) }

// hearsay is the control.Gossip of a process.
type hearsay struct{ p *process }

// Peers implements control.Gossip.
func (h hearsay) Peers() []gossip.Peer { return h.p.peers }

// Alive implements control.Gossip.
func (h hearsay) Alive(node uint64) bool {
	return node == h.p.id || slices.ContainsFunc(h.p.peers, func(peer gossip.Peer) bool { return peer.Node == node })
}

// Leader implements control.Gossip.
func (h hearsay) Leader(shard uint32) (gossip.Hint, bool) {
	hint, known := h.p.leaders[shard]
	return hint, known
}

// Announce implements control.Gossip.
func (h hearsay) Announce(hint gossip.Hint) {
	if !h.learn(hint) {
		return
	}
	for _, n := range h.p.w.nodes {
		if n != h.p.node {
			h.p.w.network.send(h.p.node, n, func(q *process) {
				if q.control != nil {
					hearsay{q}.learn(hint)
				}
			})
		}
	}
}

// learn keeps a hint that is newer than what is known.
func (h hearsay) learn(hint gossip.Hint) bool {
	if known := h.p.leaders[hint.Shard]; hint.Node == 0 || known.Term >= hint.Term {
		return false
	}
	h.p.leaders[hint.Shard] = hint
	h.p.in(0, func() { h.p.control.Hinted(hint) })
	return true
}

// Update implements control.Gossip.
func (hearsay) Update(gossip.Peer) error { return nil }

// WithHost implements control.Gossip.
func (hearsay) WithHost(address string) string { return address }

// spread has each process look from time to time which others it can reach, as gossip would.
func (p *process) spread() {
	p.in(p.w.between(50*time.Millisecond, 300*time.Millisecond), p.spread)
	var now []gossip.Peer
	for _, n := range p.w.nodes {
		cuts := p.w.network.cuts
		if n != p.node && n.up() && n.proc.control != nil && cuts[n.index][p.index]+cuts[p.index][n.index] == 0 {
			now = append(now, n.proc.control.Self())
		}
	}
	if !slices.Equal(now, p.peers) {
		p.peers = now
		p.control.GossipChanged()
	}
}
