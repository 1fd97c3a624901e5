// Package gossip says who is there: which nodes are alive, where they are called, and which of them
// seems to be the leader of a shard.
//
// All of it is a hint. It comes fast, it may be old or wrong, and nothing that must not be wrong
// depends on it: no voter of any shard changes by it. What the shards' logs say is the truth.
//
// Read gossip.go first, then table.go (who is there), hints.go (leaders), metadata.go (what a node
// reports of itself), seek.go (how others are found), and guard.go for what is rejected before the
// library sees it.
package gossip

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/wactor/wactor/internal/ratelog"
)

// How soon a node that died is known to be dead: one of the others probes it within a probe
// interval or two, asks others to, and suspects it then; it has 1.5 s to object, or 3 s where too
// few others confirm. (With more than ten nodes the first grows with the logarithm of their
// number.) Together that is 2 to 4 s. A node that only paused for so long is taken for dead, and is
// welcome again: this is a hint, and shards have their own, faster, means.
const (
	probeInterval           = 500 * time.Millisecond
	probeTimeout            = 250 * time.Millisecond
	suspicionMult           = 3
	suspicionMaxTimeoutMult = 2
)

// Other deviations from the library's defaults for local networks.
const (
	gossipInterval   = 100 * time.Millisecond // of changes and leader hints; nothing is sent when nothing changes
	pushPullInterval = 15 * time.Second       // of all that is known, with one node at random
	streamTimeout    = 3 * time.Second        // of such an exchange
	reclaimAfter     = time.Millisecond       // a dead node may come back at another address at once
	updateWait       = time.Millisecond       // an update goes out without being waited for
)

// Options configure a Membership.
type Options struct {
	// Self is this node, as the others will see it. Its Node and Name must be set; Gossip is not
	// read. Where RPC has no host, or any (":7947"), the others take that of the gossip address.
	Self Peer
	// Bind is where gossip is listened for, host:port, TCP and UDP both. Port 0 takes a free one.
	Bind string
	// Advertise is where others reach that: host or host:port. Default: the address of Bind and,
	// where that is any, the first private IPv4 address of this machine.
	Advertise string
	// Join are addresses of other nodes: names or IP addresses, with or without a port (default
	// 7946). All addresses of a name are taken. This node's own does no harm. They are tried for as
	// long as the membership lives.
	Join []string
	// Keys encrypt (the first) and decrypt (all): Secrets.GossipKeys. There must be one.
	Keys [][]byte
	// Label tells clusters apart that share a network and keys by mistake. At most 255 bytes; nodes
	// with different ones do not talk.
	Label string
	// Logger gets lines for what an operator should know; the chatter of the protocol is at the
	// level debug.
	Logger *slog.Logger
	// Changed is called when members, or what they report of themselves, changed. It is called on
	// one goroutine, without locks held, must not block, and is not called after Close returned.
	// One call may stand for several changes. May be nil.
	Changed func()
	// Hinted is called with a hint that is newer than what was known, from any node. It is called
	// on many goroutines and must not block. May be nil.
	Hinted func(Hint)
}

// Peer is a node, as it tells itself. What it tells must fit in 512 bytes.
type Peer struct {
	// Node is the node's id, made with its data directory. Never 0.
	Node uint64
	// Cluster is the id of the cluster that it belongs to, 0 as long as it belongs to none.
	Cluster uint64
	Name    string
	// RPC is where other nodes call it, host:port.
	RPC string
	// Zone is what nodes share that fail together; empty where none was configured.
	Zone string
	// Version is that of its program.
	Version string
	// Gossip is where it gossips, host:port.
	Gossip string
}

// Membership is this node's view of who is there. It follows what the others see after moments, and
// can be wrong: a hint, never an authority. Safe for concurrent use.
type Membership struct {
	options   Options
	list      *memberlist.Memberlist
	transport *transport
	table     *table
	hints     *hints

	address netip.AddrPort

	mu       sync.Mutex
	self     Peer
	metadata []byte // of self

	stopSeeking, stopTelling context.CancelFunc
	seeking, telling         sync.WaitGroup

	closing      sync.Mutex // serialises Update, Leave and Close
	left, closed bool
}

// Join listens for gossip and goes looking for others, without waiting for any. It fails for
// options that can't be used, and where it can't listen.
func Join(options Options) (*Membership, error) {
	metadata, targets, err := options.check()
	if err != nil {
		return nil, err
	}
	bind, advertise, err := options.addresses()
	if err != nil {
		return nil, err
	}
	keyring, err := memberlist.NewKeyring(options.Keys, options.Keys[0])
	if err != nil {
		return nil, fmt.Errorf("gossip: take the gossip keys: %w", err)
	}
	m := &Membership{options: options, self: options.Self, metadata: metadata}
	m.table = newTable(options.Self.memberName(), options.Self.Node, options.Logger, time.Now)
	m.hints = newHints(func() int { return m.table.others() + 1 })
	guard, err := newGuard(options.Label, options.Keys)
	if err != nil {
		return nil, err
	}
	complaints := ratelog.New(options.Logger, time.Now)
	logger := log.New(&libraryLog{complaints: complaints, logger: options.Logger}, "", 0)
	if m.transport, err = newTransport(bind, guard, complaints, logger); err != nil {
		return nil, err
	}
	if advertise.Port() == 0 {
		advertise = netip.AddrPortFrom(advertise.Addr(), uint16(m.transport.GetAutoBindPort()))
	}
	if m.list, err = memberlist.Create(m.config(keyring, advertise, logger)); err != nil {
		_ = m.transport.Shutdown()
		return nil, fmt.Errorf("gossip: start gossip at %v: %w; "+
			"an address that others reach can be given to advertise", bind, err)
	}
	m.address = addressOf(m.list.LocalNode())
	m.start(targets)
	return m, nil
}

func (m *Membership) start(targets []target) {
	seeking, stopSeeking := context.WithCancel(context.Background())
	telling, stopTelling := context.WithCancel(context.Background())
	m.stopSeeking, m.stopTelling = stopSeeking, stopTelling
	seek := &seeker{
		targets: targets, self: m.address, logger: m.options.Logger, lookup: lookup, contact: m.contact,
		others: m.table.others, addresses: m.table.addresses, left: m.table.left,
	}
	m.seeking.Go(func() { seek.run(seeking) })
	m.telling.Go(func() { m.tell(telling) })
}

func (o Options) check() (metadata []byte, targets []target, err error) {
	switch {
	case o.Self.Node == 0 || o.Self.Name == "":
		return nil, nil, errors.New("gossip: a member needs a node id and a name")
	case len(o.Keys) == 0:
		return nil, nil, errors.New("gossip: gossip needs a key")
	case o.Logger == nil:
		return nil, nil, errors.New("gossip: a member needs a logger")
	}
	for _, text := range o.Join {
		t, err := parseTarget(text)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, t)
	}
	metadata, err = encodeMetadata(o.Self)
	return metadata, targets, err
}

func (m *Membership) config(keyring *memberlist.Keyring, advertise netip.AddrPort,
	logger *log.Logger) *memberlist.Config {
	config := memberlist.DefaultLANConfig()
	config.Name = m.table.name
	config.Transport = m.transport
	config.Label = m.options.Label
	config.BindPort = m.transport.GetAutoBindPort()
	if advertise.Addr().IsValid() {
		config.AdvertiseAddr = advertise.Addr().String()
	}
	config.AdvertisePort = int(advertise.Port())
	config.Keyring = keyring
	config.ProbeInterval, config.ProbeTimeout = probeInterval, probeTimeout
	config.SuspicionMult, config.SuspicionMaxTimeoutMult = suspicionMult, suspicionMaxTimeoutMult
	config.GossipInterval, config.PushPullInterval = gossipInterval, pushPullInterval
	config.TCPTimeout = streamTimeout
	config.DeadNodeReclaimTime = reclaimAfter
	config.Delegate = delegate{m}
	config.Events, config.Conflict = m.table, m.table
	config.Logger = logger
	return config
}

// Rejected is the number of packets and streams that were rejected since the start, since no node
// sends such under this cluster's key.
func (m *Membership) Rejected() uint64 { return m.transport.rejected.Load() }

// memberName makes a node with a new disk under an old name a new member.
func (p Peer) memberName() string { return p.Name + "-" + hexID(p.Node) }

func (m *Membership) contact(address netip.AddrPort) error {
	_, err := m.list.Join([]string{address.String()})
	return err
}

// tell calls Changed.
func (m *Membership) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.table.changed:
			if m.options.Changed != nil {
				m.options.Changed()
			}
		}
	}
}

// Address returns where others reach this node's gossip, host:port.
func (m *Membership) Address() string { return m.address.String() }

// Peers returns the other nodes that are alive, or not yet known to be dead, by node id.
func (m *Membership) Peers() []Peer { return m.table.peers() }

// Alive reports whether a node is among Peers, or is this one.
func (m *Membership) Alive(node uint64) bool { return m.table.alive(node) }

// Update sends to others what changed of this node, such as its cluster's id, without waiting for
// them to receive it. The node's id and name can't change. It fails where the metadata would be too
// long; after Leave and Close it does nothing.
func (m *Membership) Update(self Peer) error {
	metadata, err := encodeMetadata(self)
	if err != nil {
		return err
	}
	m.closing.Lock()
	defer m.closing.Unlock()
	if m.left || m.closed {
		return nil
	}
	m.mu.Lock()
	if self.Node != m.self.Node || self.Name != m.self.Name {
		m.mu.Unlock()
		return errors.New("gossip: a member's node id and name can't change")
	}
	joined := self.Cluster != m.self.Cluster
	m.self, m.metadata = self, metadata
	m.mu.Unlock()
	_ = m.list.UpdateNode(updateWait) // its error only means that no node has received it yet
	if joined {
		m.seeking.Go(m.catchUp)
	}
	return nil
}

// catchUp asks a node of the cluster that this one has just become one of for all hints: those that
// came before were ignored.
func (m *Membership) catchUp() {
	for _, p := range m.Peers() {
		address, err := netip.ParseAddrPort(p.Gossip)
		if err == nil && p.Cluster == m.cluster() && m.contact(address) == nil {
			return
		}
	}
}

// Leave notifies others that this node goes, so that they do not have to find out, and waits until
// some have received it, or the timeout is over: that is an error, but the node has left all the
// same. It may be called once, or more, before Close.
func (m *Membership) Leave(timeout time.Duration) error {
	m.closing.Lock()
	defer m.closing.Unlock()
	if m.left || m.closed {
		return nil
	}
	m.left = true
	m.stopSeeking()
	m.transport.interrupt()
	m.seeking.Wait()
	if err := m.list.Leave(max(timeout, updateWait)); err != nil {
		return fmt.Errorf("gossip: leave: %w", err)
	}
	return nil
}

// Close ends the membership. Without Leave the others take the node for dead after some seconds. It
// may be called more than once, but not by Changed.
func (m *Membership) Close() {
	m.closing.Lock()
	defer m.closing.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	m.stopSeeking()
	m.stopTelling()
	if err := m.list.Shutdown(); err != nil {
		m.options.Logger.Warn("closing gossip failed", "error", err)
	}
	m.seeking.Wait()
	m.telling.Wait()
}
