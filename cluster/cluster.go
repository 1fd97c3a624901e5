// Package cluster makes nodes one cluster. It puts its rooms together: cluster/gossip (who is
// there), cluster/trust (secrets and certificates), cluster/peer (what nodes send each other) and
// cluster/control (what they decide: formation, members, moves), which uses cluster/placement
// (where shards are wanted). Deliveries are routed by cluster/routing, above all of these.
//
// Two kinds of knowledge are kept apart. What gossip reports is a hint. It comes fast, it may be
// old or wrong, and nothing that must not be wrong depends on it: no voter of any shard changes by
// it. What the shards' logs say is the truth.
package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/peer"
	"github.com/wactor/wactor/cluster/trust"
	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Host is this node, as the cluster uses it. Its methods are called on many goroutines; those that
// change something return when it is on stable storage.
type Host interface {
	control.Identity
	control.Replicas
	control.Record
	peer.Consensus
}

// Network is how this node reaches others, and they reach it.
type Network struct {
	// Listener takes the calls of other nodes. It is closed with the cluster.
	Listener net.Listener
	// Gossip is where this node gossips, and Advertise where others reach that: see gossip.Options.
	Gossip, Advertise string
	// Keys encrypt the gossip, Credentials the calls.
	Keys        [][]byte
	Credentials *trust.Credentials
}

// Options configure a Cluster.
type Options struct {
	Config    control.Config
	Network   Network
	Host      Host
	Work      peer.Work
	Events    control.Events
	Scheduler control.Scheduler
	Logger    *slog.Logger
}

// label keeps the gossip of other programs out that use the same library and, by mistake, the same
// key.
const label = "wactor"

// Cluster is this node's part in a cluster.
type Cluster struct {
	*control.Control
	host       Host
	log        *slog.Logger
	peers      *peer.Peers
	membership *gossip.Membership
	closeOnce  sync.Once
}

// Start listens for the other nodes and begins to look for them. It does not wait for any.
func Start(options Options) (*Cluster, error) {
	c := &Cluster{host: options.Host, log: options.Logger}
	var err error
	c.Control, err = control.New(control.Options{
		Config: options.Config, Events: options.Events, Identity: options.Host, Replicas: options.Host,
		Record: options.Host, Scheduler: options.Scheduler, Random: rand.Uint64, Logger: options.Logger,
	})
	if err != nil {
		return nil, err
	}
	c.membership, err = gossip.Join(gossip.Options{
		Self: c.Self(), Bind: options.Network.Gossip, Advertise: options.Network.Advertise, Join: options.Config.Join,
		Keys: options.Network.Keys, Label: label, Logger: options.Logger, Changed: c.GossipChanged, Hinted: c.Hinted,
	})
	if err != nil {
		return nil, err
	}
	c.peers = peer.New(peer.Options{
		Self: options.Host, Listener: options.Network.Listener, Credentials: options.Network.Credentials,
		Consensus: options.Host, Control: c.Control, Replicas: options.Host, Work: options.Work,
		Fatal: c.Control.Events.Fatal, Logger: options.Logger,
	})
	c.Control.Start(c.peers, c.membership)
	c.peers.Serve()
	return c, nil
}

// Leader is the newest hint on the leader of a shard; false where there is none.
func (c *Cluster) Leader(shard uint32) (gossip.Hint, bool) { return c.membership.Leader(shard) }

// Alive reports whether gossip takes a node for alive. This node is.
func (c *Cluster) Alive(node uint64) bool { return c.membership.Alive(node) }

// Reaches reports whether deliveries to a node arrive, as far as is known. This node reaches
// itself.
func (c *Cluster) Reaches(node uint64) bool { return c.peers.Reaches(node) }

// Lost reports whether a node has been silent for longer than an election takes.
func (c *Cluster) Lost(node uint64) bool { return c.peers.Lost(node) }

// Relays are the nodes that may pass a delivery on, those first that should hold its shard: all
// that this node reaches but for one.
func (c *Cluster) Relays(shard uint32, but uint64) []uint64 {
	var nodes []uint64
	for _, node := range c.Others(c.Wanted(shard)) {
		if node != but && c.Reaches(node) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// Isolated is for how long this node has received nothing from any of the others that there are; 0
// where it receives from one of them, or is alone. What it can't do alone it can't do.
func (c *Cluster) Isolated() time.Duration { return c.peers.Isolated(c.Others(nil)) }

// Send sends an envelope to another node: see peer.Peers.
func (c *Cluster) Send(node uint64, e delivery.Envelope, relay bool, done delivery.Done) {
	c.peers.Send(node, e, relay, done)
}

// SendConsensus sends messages of the consensus core to the nodes that they are for. It does not
// block.
func (c *Cluster) SendConsensus(messages []peer.Message) { c.peers.SendConsensus(messages) }

// SendSnapshot streams a snapshot to a node, beside its caller, and closes it. done receives what
// became of it.
func (c *Cluster) SendSnapshot(m peer.Message, snapshot peer.Snapshot, done func(error)) {
	c.peers.SendSnapshot(m, snapshot, done)
}

// Ask has a node answer a call of the admin API for what it leads.
func (c *Cluster) Ask(ctx context.Context, node uint64, procedure string, request []byte) ([]byte, error) {
	return c.peers.Ask(ctx, node, procedure, request)
}

// Backup begins a session of a backup with another node: see peer.Peers.
func (c *Cluster) Backup(ctx context.Context, node uint64) (peer.BackupSession, error) {
	return c.peers.Backup(ctx, node)
}

// Rejected are the numbers of what was rejected since the start: packets and streams of gossip that
// no node sends under this cluster's key, and calls of nodes that are no members.
func (c *Cluster) Rejected() (gossip, calls uint64) {
	return c.membership.Rejected(), c.peers.Rejected()
}

// Leave reports to the others that this node goes. Close must follow.
func (c *Cluster) Leave(timeout time.Duration) {
	if err := c.membership.Leave(timeout); err != nil {
		c.log.Warn("no other node was notified that this node leaves", "error", err)
	}
}

// Close ends all calls and returns when nothing runs any more. The Host must not be closed before.
func (c *Cluster) Close() {
	c.closeOnce.Do(func() {
		c.Control.Stop()
		c.peers.Close()
		c.Control.Close()
		c.membership.Close()
	})
}

// Active is how many nodes may hold replicas, and how many of them each shard gets.
func Active(state *clusterv1.ClusterState) (nodes, replicas int) { return control.Active(state) }
