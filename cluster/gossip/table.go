package gossip

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// missLost is how long the address of a node that is gone is tried again. Gossip itself tries for
// 30 s.
const missLost = time.Hour

// table is who is there, as the library tells. It calls under its own lock: nothing here calls it
// back, or blocks.
type table struct {
	name   string // this node's own, in the library
	node   uint64
	logger *slog.Logger
	now    func() time.Time
	// changed and left, of capacity 1, hold a value when something changed, or a node was lost,
	// since it was last taken.
	changed, left chan struct{}

	mu      sync.Mutex
	present map[string]present // by name in the library
	lost    map[string]lost
	// claimed is another address that claims to be a node that is present.
	claimed map[string]netip.AddrPort
	joins   uint64
}

// present is a node that is alive, or not yet known to be dead.
type present struct {
	peer    Peer
	known   bool // its metadata could be read
	joined  uint64
	address netip.AddrPort
}

// lost is a node that left or died.
type lost struct {
	address netip.AddrPort
	since   time.Time
}

func newTable(name string, node uint64, logger *slog.Logger, now func() time.Time) *table {
	return &table{
		name: name, node: node, logger: logger, now: now, changed: make(chan struct{}, 1), left: make(chan struct{}, 1),
		present: map[string]present{}, lost: map[string]lost{}, claimed: map[string]netip.AddrPort{},
	}
}

// NotifyJoin is called for each node that is new, or back.
func (t *table) NotifyJoin(n *memberlist.Node) {
	if n.Name == t.name {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joins++
	t.put(n, t.joins)
	delete(t.lost, n.Name)
	delete(t.claimed, n.Name)
	if p := t.present[n.Name]; p.known {
		t.logger.Info("a node is there", "peer", hexID(p.peer.Node), "name", p.peer.Name, "gossip", p.peer.Gossip)
	}
	signal(t.changed)
}

// NotifyUpdate is called when a node's metadata changed.
func (t *table) NotifyUpdate(n *memberlist.Node) {
	if n.Name == t.name {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(n, t.present[n.Name].joined)
	signal(t.changed)
}

// NotifyLeave is called for each node that left, or is taken for dead.
func (t *table) NotifyLeave(n *memberlist.Node) {
	if n.Name == t.name {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	gone := t.present[n.Name]
	delete(t.present, n.Name)
	missed := lost{address: gone.address, since: t.now()}
	// The library refused this address as long as the node seemed to be alive at its old one, and
	// has forgotten it.
	if claimed, moved := t.claimed[n.Name]; moved {
		missed.address = claimed
		delete(t.claimed, n.Name)
	}
	t.lost[n.Name] = missed
	if gone.known {
		t.logger.Info("a node is gone", "peer", hexID(gone.peer.Node), "name", gone.peer.Name, "gossip",
			gone.peer.Gossip)
	}
	signal(t.changed)
	signal(t.left)
}

// NotifyConflict is called, again and again, when two processes have the same name and so the same
// node id. That is what a node does that comes back at another address before it was taken for
// dead; but also a copied data directory.
func (t *table) NotifyConflict(existing, other *memberlist.Node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	address := addressOf(other)
	if t.claimed[existing.Name] == address {
		return
	}
	t.claimed[existing.Name] = address
	t.logger.Warn("two addresses claim one node id: has the node moved, or was its data directory copied?",
		"name", existing.Name, "gossip", addressOf(existing), "other", address)
}

func (t *table) put(n *memberlist.Node, joined uint64) {
	address := addressOf(n)
	peer, err := decodeMetadata(n.Meta)
	if err != nil {
		t.logger.Warn("ignoring a node whose metadata can't be read", "name", n.Name, "gossip", address, "error", err)
	} else {
		peer.Gossip = address.String()
		peer.RPC = withHost(peer.RPC, address.Addr())
	}
	t.present[n.Name] = present{peer: peer, known: err == nil, joined: joined, address: address}
}

// peers returns the others by node id. A node that was renamed is there under both names until the
// old one is taken for dead.
func (t *table) peers() []Peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	latest := map[uint64]present{}
	for _, p := range t.present {
		if p.known && p.peer.Node != t.node && p.joined >= latest[p.peer.Node].joined {
			latest[p.peer.Node] = p
		}
	}
	peers := make([]Peer, 0, len(latest))
	for _, p := range latest {
		peers = append(peers, p.peer)
	}
	slices.SortFunc(peers, func(a, b Peer) int { return cmp.Compare(a.Node, b.Node) })
	return peers
}

func (t *table) alive(node uint64) bool {
	if node == t.node {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.present {
		if p.known && p.peer.Node == node {
			return true
		}
	}
	return false
}

// others is the number of other nodes.
func (t *table) others() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.present)
}

// addresses returns those of the other nodes, and those of nodes that are missed.
func (t *table) addresses() (known map[netip.AddrPort]bool, missed []netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known = make(map[netip.AddrPort]bool, len(t.present))
	for _, p := range t.present {
		known[p.address] = true
	}
	for name, l := range t.lost {
		switch {
		case t.now().Sub(l.since) > missLost:
			delete(t.lost, name)
		case l.address.IsValid() && !known[l.address]:
			missed = append(missed, l.address)
		}
	}
	slices.SortFunc(missed, netip.AddrPort.Compare)
	return known, missed
}

// signal leaves a value in a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func hexID(id uint64) string { return fmt.Sprintf("%016x", id) }
