package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/trust"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Options configure a Cluster.
type Options struct {
	// Name and Zone are this node's, as the configuration has them.
	Name, Zone string
	// Version is that of the program.
	Version string
	// Format is the highest format of log entries that this node can apply. Allow is told the
	// highest that all can, which may be written; it never falls. It is called on one goroutine and
	// must not block. May be nil.
	Format uint32
	Allow  func(format uint32)
	// Listener takes the calls of other nodes. It is closed with the cluster.
	Listener net.Listener
	// RPC is where they reach it, host:port; without a host they take that of the gossip address.
	RPC string
	// Gossip is where this node gossips, and Advertise where others reach that: see
	// gossip.Options.
	Gossip, Advertise string
	// Join are gossip addresses of other nodes.
	Join []string
	// Keys encrypt the gossip, Credentials the calls.
	Keys        [][]byte
	Credentials *trust.Credentials
	// Expect is the number of nodes that found a new cluster together. With 1 the node founds none:
	// Host already has one, or the node waits for one to join.
	Expect int
	// Shards is the number of groups of conversations. Replicas is how many nodes hold each, in a
	// cluster that is founded here.
	Shards   uint32
	Replicas int
	// ReplaceAfter is how long a node must be gone for others to take its replicas, where there are
	// others. Default 15 minutes.
	ReplaceAfter time.Duration

	Host Host
	Work Work
	// Hinted is told of a new leader of a shard, whoever said so. It must not block. May be nil.
	Hinted func(gossip.Hint)
	// Sized is told how many nodes share the work: those that may hold replicas and are alive, this
	// one included. It is called on one goroutine and must not block. May be nil.
	Sized func(nodes int)
	// Fatal is told, once, why this node can't be one of its cluster any more: it was removed.
	Fatal  func(error)
	Logger *slog.Logger
}

// label keeps the gossip of other programs out that use the same library and, by mistake, the same
// key.
const label = "wactor"

// Cluster is this node's part in a cluster: it finds the others, founds or joins, and carries
// replicas to where they are wanted.
type Cluster struct {
	options    Options
	host       Host
	log        *slog.Logger
	links      *links
	server     *grpc.Server
	membership membership
	formation  *formation
	meta       *meta
	moves      *moves
	state      *known

	// addresses are where nodes are called.
	addresses atomic.Pointer[map[uint64]string]
	// alive are the others that gossip knew last.
	alive map[uint64]bool
	// foreign are the nodes of other clusters that gossip knew last.
	foreign map[uint64]bool
	// asking ends the question for a newer state that waits at another node; nil where none does.
	asking atomic.Pointer[context.CancelFunc]

	leadsMu sync.Mutex
	leads   map[uint32]gossip.Hint // those that this node may use

	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
	starting  sync.Mutex // orders running.Go before Close
	changed   chan struct{}
	closeOnce sync.Once
	removed   sync.Once
}

// Start listens for the other nodes and begins to look for them. It does not wait for any.
func Start(options Options) (*Cluster, error) {
	if options.ReplaceAfter == 0 {
		options.ReplaceAfter = 15 * time.Minute
	}
	if options.Hinted == nil {
		options.Hinted = func(gossip.Hint) {}
	}
	if options.Allow == nil {
		options.Allow = func(uint32) {}
	}
	if options.Sized == nil {
		options.Sized = func(int) {}
	}
	c := &Cluster{
		options: options, host: options.Host, log: options.Logger, state: newKnown(), alive: map[uint64]bool{},
		leads:   map[uint32]gossip.Hint{},
		changed: make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.links, c.formation, c.meta, c.moves = newLinks(c), newFormation(c), newMeta(c), newMoves(c)
	c.addresses.Store(&map[uint64]string{})
	if state, err := c.host.ReadState(); err != nil {
		return nil, err
	} else if state.GetFormat() > options.Format {
		return nil, fmt.Errorf("%w: start it with a version that is no older than the last one here",
			tooOld(c.options.Name, options.Format, state.Format))
	} else if state != nil {
		c.state.set(state)
	}
	var err error
	c.membership, err = gossip.Join(gossip.Options{
		Self: c.self(), Bind: options.Gossip, Advertise: options.Advertise, Join: options.Join, Keys: options.Keys,
		Label:  label,
		Logger: options.Logger, Changed: func() { signal(c.changed) }, Hinted: c.hinted,
	})
	if err != nil {
		return nil, err
	}
	c.serve()
	c.readdress()
	c.options.Allow(c.state.get().GetFormat())
	for _, run := range []func(context.Context){c.watch, c.follow, c.meta.run, c.moves.run, c.sweep} {
		c.goRun(run)
	}
	return c, nil
}

// self is what this node tells of itself.
func (c *Cluster) self() gossip.Peer {
	return gossip.Peer{
		Node: c.host.Node(), Cluster: c.host.Cluster(), Name: c.options.Name, RPC: c.options.RPC, Zone: c.options.Zone,
		Version: c.options.Version,
	}
}

// member is this node as the cluster's state knows it.
func (c *Cluster) member() *clusterv1.Member {
	return &clusterv1.Member{
		Node: c.host.Node(), Name: c.options.Name, Rpc: c.membership.WithHost(c.options.RPC),
		Zone:    c.options.Zone,
		Version: c.options.Version, Format: c.options.Format, Standing: clusterv1.Standing_STANDING_ACTIVE,
	}
}

func (c *Cluster) serve() {
	c.server = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(c.options.Credentials.Server())),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: silence}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second,
			PermitWithoutStream: true}),
		grpc.InitialWindowSize(4<<20), grpc.InitialConnWindowSize(16<<20),
		grpc.ConnectionTimeout(silence), // who says nothing is no node
		grpc.WaitForHandlers(true),      // so that nothing uses the host behind Close
	)
	clusterv1.RegisterNodeServiceServer(c.server, &service{cluster: c})
	c.goRun(func(ctx context.Context) {
		if err := c.server.Serve(c.options.Listener); err != nil && ctx.Err() == nil {
			c.options.Fatal(fmt.Errorf("cluster: serve %v: %w", c.options.Listener.Addr(), err))
		}
	})
}

// goRun runs something that Close waits for; false where it is closed.
func (c *Cluster) goRun(run func(context.Context)) bool {
	c.starting.Lock()
	defer c.starting.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.running.Go(func() { run(c.ctx) })
	return true
}

// watch follows what gossip says.
func (c *Cluster) watch(ctx context.Context) {
	for sized, news := 1, c.state.news(); ; {
		select {
		case <-ctx.Done():
			return
		case <-c.changed:
		case <-news:
		}
		news = c.state.news() // before the state is read: else a change meanwhile would be seen by nobody
		c.readdress()
		c.complain()
		now := map[uint64]bool{}
		for _, p := range c.peers() {
			now[p.Node] = true
		}
		for node := range c.alive {
			if !now[node] && !c.Reaches(node) { // gossip alone may be cut
				c.links.reset(node)
			}
		}
		for node := range now {
			if !c.alive[node] && !c.Reaches(node) { // who is back shall not wait until the link tries again
				c.links.reset(node)
			}
		}
		c.alive = now
		c.options.Allow(c.state.get().GetFormat())
		c.settle()
		if size := c.size(); size != sized {
			sized = size
			c.options.Sized(size)
		}
		c.meta.poke()
		c.moves.poke()
	}
}

// settle remembers, for a start without the others, that the cluster was formed.
func (c *Cluster) settle() {
	if c.host.Settled() || !c.state.get().GetSettled() {
		return
	}
	if err := c.host.Settle(); err != nil {
		c.log.Warn("this node can't write down that the cluster is formed", "error", err)
	}
}

// size is how many nodes share the work.
func (c *Cluster) size() int {
	size := 0
	for _, n := range eligible(c.state.get()) {
		if c.Alive(n.ID) {
			size++
		}
	}
	return max(1, size)
}

// peers are the others that are alive and of this cluster, or of none yet; of any, where this node
// has none.
func (c *Cluster) peers() []gossip.Peer {
	own := c.host.Cluster()
	return slices.DeleteFunc(c.membership.Peers(), func(p gossip.Peer) bool {
		return own != 0 && p.Cluster != 0 &&
			p.Cluster != own
	})
}

// complain says once that a node of another cluster is here.
func (c *Cluster) complain() {
	own, foreign := c.host.Cluster(), map[uint64]bool{}
	for _, p := range c.membership.Peers() {
		if own == 0 || p.Cluster == 0 || p.Cluster == own {
			continue
		}
		if foreign[p.Node] = true; !c.foreign[p.Node] {
			c.log.Error("a node of another cluster is here, and is not let in; it has the data directory of another "+
				"cluster, or two clusters share a secret and know each other's addresses",
				"peer", hexID(p.Node), "name", p.Name, "gossip", p.Gossip, "its_cluster", hexID(p.Cluster), "cluster",
				hexID(own))
		}
	}
	c.foreign = foreign
}

// readdress reads anew where nodes are called: as they say themselves, else as the cluster's state
// knows it.
func (c *Cluster) readdress() {
	addresses := map[uint64]string{}
	for _, p := range c.peers() {
		addresses[p.Node] = p.RPC
	}
	for _, m := range c.state.get().GetMembers() {
		if _, gossips := addresses[m.Node]; !gossips && m.Standing != clusterv1.Standing_STANDING_REMOVED {
			addresses[m.Node] = m.Rpc
		}
	}
	delete(addresses, c.host.Node())
	before := *c.addresses.Load()
	if maps.Equal(addresses, before) {
		return
	}
	c.addresses.Store(&addresses)
	for node := range before {
		if _, known := addresses[node]; !known {
			c.links.reset(node) // it is not called any more
		}
	}
}

// address is where a node is called; empty where nobody knows.
func (c *Cluster) address(node uint64) string { return (*c.addresses.Load())[node] }

// others are the other nodes of the cluster, some of them first.
func (c *Cluster) others(first []uint64) []uint64 {
	nodes := make([]uint64, 0, 8)
	add := func(node uint64) {
		if node != c.host.Node() && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	for _, node := range first {
		add(node)
	}
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			add(m.Node)
		}
	}
	return nodes
}

// Wanted are the nodes that shall hold a shard, the preferred leader first; nil where that is not
// known.
func (c *Cluster) Wanted(shard uint32) []uint64 {
	if wanted := c.state.get().GetWanted(); int(shard) < len(wanted) {
		return wanted[shard].Nodes
	}
	return nil
}

// State is the cluster's, as this node knows it; nil where it knows none. It must not be changed.
func (c *Cluster) State() *clusterv1.ClusterState { return c.state.get() }

// Alive reports whether gossip takes a node for alive. This node is.
func (c *Cluster) Alive(node uint64) bool { return c.membership.Alive(node) }

// ErrRemoved is why a node can't be one of its cluster any more.
var ErrRemoved = errors.New("cluster: this node was removed from its cluster; to join anew, start it with an empty " +
	"data directory")

// Leave tells the others that this node goes. Close must follow.
func (c *Cluster) Leave(timeout time.Duration) {
	if err := c.membership.Leave(timeout); err != nil {
		c.log.Warn("nobody heard that this node leaves", "error", err)
	}
}

// Close ends all calls and returns when nothing runs any more. The Host must not be closed before.
func (c *Cluster) Close() {
	c.closeOnce.Do(func() {
		c.starting.Lock()
		c.cancel()
		c.starting.Unlock()
		c.links.close()
		c.server.Stop()
		c.running.Wait()
		c.membership.Close()
	})
}
