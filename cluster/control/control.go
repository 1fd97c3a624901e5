// Package control makes nodes one cluster: it founds and joins, keeps the cluster's record, and
// moves replicas to the nodes where they are wanted.
//
// It decides by three kinds of knowledge. Gossip says who is there; it may be wrong, and costs time
// then, nothing else. The record, which the meta group's log holds, says who is a member and where
// shards are wanted (meta.go, plan.go). Each shard's own log says what its replicas are; its leader
// carries moves out, step by step (moves.go). How a cluster begins is in formation.go.
//
// Control takes its transport, gossip, clock and scheduler as parameters. It starts no goroutine
// and waits for no channel: what runs beside its caller is started by the Scheduler, and waits in
// Scheduler.Sleep, which an event ends early by ending the context. So a simulation can run it one
// step at a time.
package control

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Config is what a node's configuration says.
type Config struct {
	Name, Zone string
	// Version is that of the program, and Format the highest format of log entries that it can
	// apply.
	Version string
	Format  uint32
	// RPC is where other nodes call this one, host:port; without a host they take that of the
	// gossip address.
	RPC string
	// Join are the gossip addresses of other nodes, for the log.
	Join []string
	// Channels are those that this node is configured for at the moment, which should be alike on
	// all. Nil: none.
	Channels func() []*clusterv1.MemberChannel
	// Expect is the number of nodes that found a new cluster together. With 1 the node founds none:
	// it has one already, or waits for one to join.
	Expect int
	// Shards is the number of groups of conversations. Replicas is how many nodes hold each, in a
	// cluster that is founded here.
	Shards   uint32
	Replicas int
	// ReplaceAfter is how long a node must be gone for others to take its replicas, where there are
	// others. Default 15 minutes.
	ReplaceAfter time.Duration
	// FinalizeByHand leaves a format that all nodes can apply unused until Finalize, once the
	// cluster is settled.
	FinalizeByHand bool
}

// Events are notified of changes. None may block; each may be nil.
type Events struct {
	// Allow receives the highest format of log entries that all nodes can apply, which may be
	// written from then on. It never falls.
	Allow func(format uint32)
	// LeaderChanged receives a newer hint on the leader of a shard.
	LeaderChanged func(gossip.Hint)
	// Sized receives the number of nodes that share the work: those that may hold replicas and are
	// alive, this one included.
	Sized func(nodes int)
	// Fatal receives, once, why this node can't be one of its cluster any more: it was removed.
	Fatal func(error)
}

// Options configure a Control.
type Options struct {
	Config   Config
	Events   Events
	Identity Identity
	Replicas Replicas
	Record   Record
	// Scheduler runs everything. Random draws ids, and spreads what nodes do.
	Scheduler Scheduler
	Random    func() uint64
	Logger    *slog.Logger
}

// Control is this node's part in the cluster's decisions. Its methods may be called by any
// goroutine.
type Control struct {
	Options
	tasks     *tasks
	transport Transport
	gossip    Gossip

	state       *known
	leaderships leaderships
	formation   *formation
	meta        *meta
	moves       *moves
	watching    *watching
	following   *follower
}

// New returns a Control that does nothing before Start. It fails where the record can't be read, or
// was written by a newer version.
func New(options Options) (*Control, error) {
	if options.Config.ReplaceAfter == 0 {
		options.Config.ReplaceAfter = 15 * time.Minute
	}
	options.Events = options.Events.withDefaults()
	c := &Control{Options: options, tasks: newTasks(options.Scheduler)}
	c.state = newKnown()
	c.formation, c.meta, c.moves, c.watching = newFormation(c), newMeta(c), newMoves(c), newWatching(c)
	c.following = &follower{Control: c}
	state, err := c.Record.ReadState()
	switch {
	case err != nil:
		return nil, err
	case state.GetFormat() > c.Config.Format:
		return nil, fmt.Errorf("%w: start it with a version that is no older than the last one here",
			tooOld(c.Config.Name, c.Config.Format, state.Format))
	case state != nil:
		c.state.set(state)
	}
	return c, nil
}

func (e Events) withDefaults() Events {
	if e.Allow == nil {
		e.Allow = func(uint32) {}
	}
	if e.LeaderChanged == nil {
		e.LeaderChanged = func(gossip.Hint) {}
	}
	if e.Sized == nil {
		e.Sized = func(int) {}
	}
	if e.Fatal == nil {
		e.Fatal = func(error) {}
	}
	return e
}

// Start begins to look for other nodes, and to do what is to be done.
func (c *Control) Start(transport Transport, gossip Gossip) {
	c.transport, c.gossip = transport, gossip
	c.watching.readdress()
	c.Events.Allow(c.state.get().GetFormat())
	c.state.changed = c.watching.loop.poke
	c.watching.loop.start()
	c.meta.loop.start()
	c.moves.loop.start()
	c.tasks.run(c.following.follow)
	c.tasks.run(sweeper{c}.run)
}

// Stop begins nothing any more, and ends what waits. Close does so, too.
func (c *Control) Stop() { c.tasks.stop() }

// Close returns when nothing runs any more.
func (c *Control) Close() { c.tasks.close() }

// Self is what this node reports of itself by gossip.
func (c *Control) Self() gossip.Peer {
	return gossip.Peer{
		Node: c.Identity.Node(), Cluster: c.Identity.Cluster(), Name: c.Config.Name, RPC: c.Config.RPC,
		Zone: c.Config.Zone, Version: c.Config.Version,
	}
}

// member is this node as the record knows it.
func (c *Control) member() *clusterv1.Member {
	var channels []*clusterv1.MemberChannel
	if c.Config.Channels != nil {
		channels = c.Config.Channels()
	}
	return &clusterv1.Member{
		Node: c.Identity.Node(), Name: c.Config.Name, Rpc: c.gossip.WithHost(c.Config.RPC), Zone: c.Config.Zone,
		Version: c.Config.Version, Format: c.Config.Format, Standing: clusterv1.Standing_STANDING_ACTIVE,
		Channels: channels,
	}
}

// GossipChanged is called when the nodes that gossip knows changed. It does not block.
func (c *Control) GossipChanged() { c.watching.loop.poke() }

// Hinted takes a newer hint on the leader of a shard. It does not block.
func (c *Control) Hinted(hint gossip.Hint) {
	if hint.Shard == 0 {
		c.following.hinted()
	}
	c.Events.LeaderChanged(hint)
}

// Wanted are the nodes that should hold a shard, the preferred leader first; nil where that is not
// known.
func (c *Control) Wanted(shard uint32) []uint64 {
	if wanted := c.state.get().GetWanted(); int(shard) < len(wanted) {
		return wanted[shard].Nodes
	}
	return nil
}

// Known is the cluster's record, as this node knows it; nil where it knows none. It must not be
// changed.
func (c *Control) Known() *clusterv1.ClusterState { return c.state.get() }

// Others are the other nodes of the cluster, some of them first.
func (c *Control) Others(first []uint64) []uint64 {
	list := newNodes(c.Identity.Node())
	list.add(first...)
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			list.add(m.Node)
		}
	}
	return list.all
}

// nodes is a list of other nodes, each once, in the order in which they were added.
type nodes struct {
	self uint64
	seen map[uint64]bool
	all  []uint64
}

func newNodes(self uint64) *nodes {
	return &nodes{self: self, seen: map[uint64]bool{}, all: make([]uint64, 0, 8)}
}

func (n *nodes) add(all ...uint64) {
	for _, node := range all {
		if node != n.self && node != 0 && !n.seen[node] {
			n.seen[node] = true
			n.all = append(n.all, node)
		}
	}
}

// hexID writes the id of a node or a cluster.
func hexID(id uint64) string { return fmt.Sprintf("%016x", id) }

// ErrRemoved is why a node can't be one of its cluster any more.
var ErrRemoved = errors.New("cluster: this node was removed from its cluster; to join anew, start it with an empty " +
	"data directory")
