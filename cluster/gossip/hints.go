package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
)

// maxShard is the number of the last shard that there can be: 4096 of conversations after the meta
// group, which is shard 0. It bounds what gossip can make a node remember.
const maxShard = 4096

// Hint names the leader of a shard, as the leader announced it or as another node passed it on. It
// may be out of date.
type Hint struct {
	Shard uint32
	// Term is the shard's term that the node leads it in. Of two hints that of the greater term is
	// the newer.
	Term uint64
	Node uint64
}

// Announce tells others who leads a shard, unless the same or something newer is known. A hint
// without term or node, or of a shard that can't be, is ignored. It does not block.
func (m *Membership) Announce(h Hint) {
	if h.valid() {
		m.learn(h, true)
	}
}

func (m *Membership) learn(h Hint, pass bool) {
	if m.hints.learn(h, pass) && m.options.Hinted != nil {
		m.options.Hinted(h)
	}
}

// Leader returns the newest hint for a shard; false where there is none. The node may be dead by
// now: see Alive.
func (m *Membership) Leader(shard uint32) (Hint, bool) {
	return m.hints.leader(shard)
}

func (h Hint) valid() bool { return h.Shard <= maxShard && h.Term != 0 && h.Node != 0 }

// Hints travel as a version byte, the cluster that they are of, then shard, term and node of each,
// as varints. A message is taken whole or not at all. Terms of two clusters can't be compared: were
// the hints of another one kept, which a node with the wrong data directory sends, they would hide
// the leaders of this one.
const (
	hintsVersion    = 1
	maxClusterBytes = 10
	maxHintBytes    = 2 + 10 + 10
	maxHints        = maxShard + 1
)

var errHints = errors.New("malformed hints")

func encodeHints(cluster uint64, hints ...Hint) []byte {
	buf := binary.AppendUvarint([]byte{hintsVersion}, cluster)
	for _, h := range hints {
		buf = appendHint(buf, h)
	}
	return buf
}

func appendHint(buf []byte, h Hint) []byte {
	buf = binary.AppendUvarint(buf, uint64(h.Shard))
	buf = binary.AppendUvarint(buf, h.Term)
	return binary.AppendUvarint(buf, h.Node)
}

// decodeHints reads what any holder of the key may have sent. What it returns is valid.
func decodeHints(buf []byte) (cluster uint64, hints []Hint, err error) {
	if len(buf) == 0 || buf[0] != hintsVersion || len(buf) > 1+maxClusterBytes+maxHints*maxHintBytes {
		return 0, nil, fmt.Errorf("%w: %d bytes of an unknown kind", errHints, len(buf))
	}
	cluster, n := binary.Uvarint(buf[1:])
	if n <= 0 {
		return 0, nil, fmt.Errorf("%w: of no cluster", errHints)
	}
	for rest := buf[1+n:]; len(rest) > 0; {
		var numbers [3]uint64
		for i := range numbers {
			number, n := binary.Uvarint(rest)
			if n <= 0 {
				return 0, nil, fmt.Errorf("%w: cut off after %d", errHints, len(hints))
			}
			numbers[i], rest = number, rest[n:]
		}
		h := Hint{Shard: uint32(min(numbers[0], maxShard+1)), Term: numbers[1], Node: numbers[2]}
		if !h.valid() {
			return 0, nil, fmt.Errorf("%w: shard %d, term %d, node %x", errHints, numbers[0], h.Term, h.Node)
		}
		hints = append(hints, h)
	}
	return cluster, hints, nil
}

// transmitFactor is how often each node passes a hint on, times the logarithm of the number of
// nodes: as often as the library does with its own gossip.
const transmitFactor = 4

// hints are the newest of each shard, and what is still to be passed on. The library has a queue
// for the latter, which can lose a message when another one is replaced (v0.7.0: it uses a number
// twice); a counter for each shard is less than that, too, and lets many hints share a message.
type hints struct {
	nodes func() int // the number of nodes

	mu    sync.Mutex
	known map[uint32]Hint
	sent  map[uint32]int // of hints that are still passed on: how often they were
}

func newHints(nodes func() int) *hints {
	return &hints{nodes: nodes, known: map[uint32]Hint{}, sent: map[uint32]int{}}
}

// learn keeps a hint that is newer, and reports whether it is. If it is passed on, others
// receive it from every node that has it; a newer hint takes the place of the older.
func (s *hints) learn(h Hint, pass bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Term <= s.known[h.Shard].Term {
		return false
	}
	s.known[h.Shard] = h
	if pass {
		s.sent[h.Shard] = 0
	} else if _, passing := s.sent[h.Shard]; passing {
		s.sent[h.Shard] = 0 // in the place of the older one
	}
	return true
}

func (s *hints) leader(shard uint32) (Hint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, known := s.known[shard]
	return h, known
}

// encode returns all that is known, as that of a cluster.
func (s *hints) encode(cluster uint64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return encodeHints(cluster, slices.Collect(maps.Values(s.known))...)
}

// gossip returns a message of at most so many bytes, nil where there is nothing to pass on. It
// takes what was passed on least.
func (s *hints) gossip(cluster uint64, limit int) []byte {
	times := transmitFactor * int(math.Ceil(math.Log10(float64(s.nodes()+1))))
	s.mu.Lock()
	defer s.mu.Unlock()
	order := make([]uint64, 0, len(s.sent)) // how often, then which shard: as one number, which sorts fast
	for shard, sent := range s.sent {
		order = append(order, uint64(sent)<<32|uint64(shard))
	}
	slices.Sort(order)
	message := encodeHints(cluster)
	empty := len(message)
	for _, next := range order {
		shard, sent := uint32(next), int(next>>32)+1
		longer := appendHint(message, s.known[shard])
		if len(longer) > limit {
			break
		}
		message = longer
		s.sent[shard] = sent
		if sent >= times {
			delete(s.sent, shard)
		}
	}
	if len(message) == empty {
		return nil
	}
	return message
}

// delegate is what the library asks, on its own goroutines. None of it blocks.
type delegate struct{ m *Membership }

// NodeMeta returns what this node tells of itself. encodeMetadata has seen to the limit.
func (d delegate) NodeMeta(int) []byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return d.m.metadata
}

// NotifyMsg takes gossip. What a node of another version sends, or a broken one, is ignored.
func (d delegate) NotifyMsg(message []byte) { d.learn(message, true) }

// GetBroadcasts returns gossip, as much as fits.
func (d delegate) GetBroadcasts(overhead, limit int) [][]byte {
	if message := d.m.hints.gossip(d.m.cluster(), limit-overhead); message != nil {
		return [][]byte{message}
	}
	return nil
}

// LocalState returns all that is known, for another node.
func (d delegate) LocalState(bool) []byte { return d.m.hints.encode(d.m.cluster()) }

// MergeRemoteState takes what LocalState returned elsewhere. It is not passed on: everybody
// exchanges states from time to time, and after a join thousands of hints would keep the gossip
// busy.
func (d delegate) MergeRemoteState(state []byte, _ bool) { d.learn(state, false) }

// learn takes hints of this node's own cluster. A node without one has no use for any.
func (d delegate) learn(message []byte, pass bool) {
	cluster, hints, err := decodeHints(message)
	if own := d.m.cluster(); err == nil && (own == 0 || cluster != own) {
		err = fmt.Errorf("%w: of cluster %s", errHints, hexID(cluster))
	}
	if err != nil {
		d.m.options.Logger.Debug("ignoring leader hints", "error", err)
		return
	}
	for _, h := range hints {
		d.m.learn(h, pass)
	}
}

// cluster is the one that this node tells to be of.
func (m *Membership) cluster() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self.Cluster
}
