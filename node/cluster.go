package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/peer"
	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/cluster/trust"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/clock"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// leaveWithin bounds the wait until other nodes know that this one leaves.
const leaveWithin = time.Second

// startCluster makes this node one of a cluster, or begins to.
func (n *Node) startCluster() error {
	c := &n.config.Cluster
	secrets, err := n.secrets()
	if err != nil {
		return err
	}
	credentials, err := secrets.Credentials(n.store.Node())
	if c.TLS != nil {
		credentials, err = trust.LoadCredentials(n.store.Node(), c.TLS.Cert, c.TLS.Key, c.TLS.CA)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.RPC)
	if err != nil {
		return fmt.Errorf("node: cluster.rpc: %w", err)
	}
	n.router = routing.New(routing.Options{
		Self: n.store.Node(), Local: hereOf(n), Peers: &n.peers, Clock: clock.System{}, Settled: n.settled,
		Registerer: n.registry,
	})
	rpc := c.RPC
	if _, port, err := net.SplitHostPort(listener.Addr().String()); err == nil {
		asked, _, _ := net.SplitHostPort(c.RPC)
		if c.Advertise != "" {
			asked = c.Advertise
		}
		rpc = net.JoinHostPort(asked, port)
	}
	// Others may call before Start returns: what they use is there.
	started, err := cluster.Start(cluster.Options{
		Config: control.Config{
			Name: n.config.Node.Name, Zone: n.config.Node.Zone, Version: n.options.Version,
			Format: store.EntryFormat,
			RPC:    rpc, Join: c.Join, Expect: c.Expect, Shards: uint32(c.Shards), Replicas: c.Replicas,
			ReplaceAfter: c.ReplaceAfter, FinalizeByHand: c.Finalize == "manual", Channels: n.memberChannels,
		},
		Network: cluster.Network{
			Listener: listener, Gossip: c.Gossip, Advertise: c.Advertise, Keys: secrets.GossipKeys(),
			Credentials: credentials,
		},
		Host: host{Store: n.store, runtime: n.runtime, leaderships: &n.leaderships}, Work: work{n},
		Events: control.Events{
			Allow: n.store.AllowFormat, Sized: n.share, Fatal: n.end.fail,
			LeaderChanged: func(h gossip.Hint) { n.router.LeaderChanged(h.Shard, h.Node) },
		},
		Scheduler: clock.System{}, Logger: n.options.Logger,
	})
	if err != nil {
		listener.Close()
		return err
	}
	n.peers.joined.Store(started)
	n.registry.MustRegister(n.clusterGauges()...)
	return nil
}

// secrets are those that the configuration names. Without any it has seen to it that the cluster
// is on loopback only, where the nodes of one user share what they draw.
func (n *Node) secrets() (*trust.Secrets, error) {
	if texts := n.config.Cluster.Secret; len(texts) > 0 {
		return trust.NewSecrets(texts.Reveal())
	}
	folder, err := os.UserConfigDir()
	if err == nil {
		var secrets *trust.Secrets
		if secrets, err = trust.Loopback(folder); err == nil {
			return secrets, nil
		}
	}
	n.options.Logger.Warn("any user of this machine may join this cluster: set cluster.secret", "error", err)
	return trust.Public(), nil
}

// settled reports whether the cluster was formed once, as far as this node knows; after a start
// without the others, too. Alone it needs none.
func (n *Node) settled() bool {
	joined := n.peers.cluster()
	return !n.config.Cluster.Clustered() || n.store.Settled() || joined != nil && joined.Known().GetSettled()
}

// replicated reports whether other nodes hold all that this node does: each shard has replicas
// besides, and the cluster is formed.
func (p *peers) replicated() bool {
	joined := p.cluster()
	if joined == nil || !joined.Known().GetSettled() {
		return false
	}
	_, copies := cluster.Active(joined.Known())
	return copies > 1
}

// share divides the channels' pace among the nodes.
func (n *Node) share(nodes int) {
	n.serving.nodes.Store(int32(nodes))
	for _, c := range n.serving.now().channels {
		c.sender.Share(nodes)
	}
}

func (n *Node) sendRaft(messages []replication.Message) {
	joined := n.peers.cluster()
	if joined == nil {
		return
	}
	out := make([]peer.Message, len(messages))
	for i, m := range messages {
		out[i] = peer.Message{Shard: m.Shard, Node: m.Node, Message: m.Message}
	}
	joined.SendConsensus(out)
}

var errAlone = errors.New("node: there is no cluster yet")

func (n *Node) sendSnapshot(m replication.Message, snapshot *replication.Snapshot) {
	joined := n.peers.cluster()
	if joined == nil {
		snapshot.Close()
		n.store.SnapshotSent(m, errAlone)
		return
	}
	joined.SendSnapshot(peer.Message{Shard: m.Shard, Node: m.Node, Message: m.Message}, snapshot,
		func(err error) {
			n.store.SnapshotSent(m, err)
		})
}

// work answers what other nodes ask of this one's conversations.
type work struct{ n *Node }

// Deliver takes a delivery that another node forwarded.
func (w work) Deliver(e delivery.Envelope, relay bool, done delivery.Done) {
	w.n.router.Receive(e, relay, done)
}

// peers are the other nodes, as the router sees them: none until there is a cluster. The store's
// lanes ask it from the start.
type peers struct {
	joined atomic.Pointer[cluster.Cluster]
}

var _ routing.Peers = (*peers)(nil)

// cluster is the one that this node has; nil where it has none yet, or stays alone.
func (p *peers) cluster() *cluster.Cluster { return p.joined.Load() }

func (p *peers) Send(node uint64, e delivery.Envelope, relay bool, done delivery.Done) {
	c := p.cluster()
	if c == nil {
		done(delivery.Outcome{Err: delivery.ErrNotLeader})
		return
	}
	c.Send(node, e, relay, done)
}

func (p *peers) Leader(shard uint32) uint64 {
	if c := p.cluster(); c != nil {
		hint, _ := c.Leader(shard)
		return hint.Node
	}
	return 0
}

func (p *peers) Wanted(shard uint32) []uint64 {
	if c := p.cluster(); c != nil {
		return c.Wanted(shard)
	}
	return nil
}

func (p *peers) Lost(node uint64) bool {
	c := p.cluster()
	return c != nil && c.Lost(node)
}

func (p *peers) Relays(shard uint32, leader uint64) []uint64 {
	if c := p.cluster(); c != nil {
		return c.Relays(shard, leader)
	}
	return nil
}

func (p *peers) Isolated() time.Duration {
	if c := p.cluster(); c != nil {
		return c.Isolated()
	}
	return 0
}

// leaderHint is another node that may be the leader of a shard; 0 where there is none.
func (n *Node) leaderHint(shard uint32) uint64 {
	if leader := n.peers.Leader(shard); leader != n.store.Node() {
		return leader
	}
	return 0
}

// Admin answers a call of the admin API for what this node leads.
func (w work) Admin(ctx context.Context, procedure string, request []byte) ([]byte, error) {
	return w.n.api.Answer(ctx, procedure, request)
}

// reachable is the number of shards whose leader takes what this node has for it, as far as it
// knows. Gossip is not asked where the leader answers: it alone may be cut. Where the leader does
// not, a new one is being elected, or another node reaches it; so gossip decides, which knows after
// seconds that the leader is gone and no node took its place.
func (n *Node) reachable() int {
	joined := n.peers.cluster()
	found, isolated := 0, joined.Isolated() > 0
	for shard := uint32(1); shard <= uint32(n.config.Cluster.Shards); shard++ {
		hint, known := joined.Leader(shard)
		switch {
		case !known:
		case n.leaderships.term(shard) != 0, hint.Node != n.store.Node() && joined.Reaches(hint.Node), !isolated &&
			joined.Alive(hint.Node):
			found++
		}
	}
	return found
}

func (n *Node) clusterGauges() []prometheus.Collector {
	joined := n.peers.cluster()
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	counter := func(name, help string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	return []prometheus.Collector{
		gauge("wactor_cluster_members", "Nodes of the cluster that are not removed.", func() int {
			members := 0
			for _, m := range joined.Known().GetMembers() {
				if m.Standing != clusterv1.Standing_STANDING_REMOVED {
					members++
				}
			}
			return members
		}),
		gauge("wactor_cluster_members_alive", "Nodes of the cluster that gossip takes for alive, this one included.",
			func() int {
				alive := 0
				for _, m := range joined.Known().GetMembers() {
					if m.Standing != clusterv1.Standing_STANDING_REMOVED && joined.Alive(m.Node) {
						alive++
					}
				}
				return alive
			}),
		counter("wactor_gossip_rejected_total", "Gossip under the cluster's key that no node sends, which was "+
			"rejected: another program has the secret.",
			func() uint64 { gossip, _ := joined.Rejected(); return gossip }),
		counter("wactor_peer_calls_rejected_total", "Calls and messages of nodes that are no members, which were "+
			"rejected: they were removed, or never registered.",
			func() uint64 { _, calls := joined.Rejected(); return calls }),
		gauge("wactor_shards_led", "Shards of conversations that this node leads.", n.leaderships.led),
		gauge("wactor_shards_reachable", "Shards of conversations whose leader this node knows.", n.reachable),
	}
}

// memberChannels are the channels that this node serves at the moment, as other nodes compare them.
func (n *Node) memberChannels() []*clusterv1.MemberChannel {
	channels := n.serving.now().config.Channels
	out := make([]*clusterv1.MemberChannel, len(channels))
	for i, c := range channels {
		_, number := c.Settings.Number()
		alike := strings.Join([]string{c.Provider, number, c.Bot}, "\x00")
		out[i] = &clusterv1.MemberChannel{Name: c.Name, Digest: xxhash.Sum64String(alike)}
	}
	slices.SortFunc(out, func(a, b *clusterv1.MemberChannel) int { return strings.Compare(a.Name, b.Name) })
	return out
}
