package placement

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// layout is a placement on its way. Nodes and zones are known by their positions, shards by their
// numbers.
type layout struct {
	nodes    []Node // by id
	replicas int
	zones    []share
	zone     []int      // of each node
	holders  [][]int    // of each shard
	leaders  []int      // of each shard in the previous placement, or none
	former   [][]int    // the holders of each shard in the previous placement that are still there
	shards   [][]int    // of each node, ascending
	weights  [][]uint64 // of each node, by shard; computed when first asked for
}

// none is the leader of a shard that has none.
const none = -1

func newLayout(groups, replicas int, nodes []Node) *layout {
	l := &layout{
		nodes: nodes, replicas: replicas, zone: make([]int, len(nodes)), shards: make([][]int, len(nodes)),
		weights: make([][]uint64, len(nodes)),
		holders: make([][]int, groups), leaders: make([]int, groups), former: make([][]int, groups),
	}
	for shard := range l.leaders {
		l.leaders[shard] = none
	}
	var sizes []int
	named := map[string]int{}
	for node, n := range nodes {
		zone, known := named[n.Zone]
		if !known || n.Zone == "" {
			zone = len(sizes)
			sizes = append(sizes, 0)
			named[n.Zone] = zone
		}
		l.zone[node] = zone
		sizes[zone]++
	}
	l.zones = shares(groups, replicas, sizes)
	return l
}

// keep takes over what the previous placement has on nodes that are still there.
func (l *layout) keep(previous [][]uint64) {
	for shard, ids := range previous[:min(len(previous), len(l.holders))] {
		for place, id := range ids {
			node, known := slices.BinarySearchFunc(l.nodes, id, func(n Node, id uint64) int {
				return cmp.Compare(n.ID,
					id)
			})
			if !known || slices.Contains(l.holders[shard], node) {
				continue
			}
			l.hold(shard, node)
			if place == 0 {
				l.leaders[shard] = node
			}
		}
		l.former[shard] = slices.Clone(l.holders[shard])
	}
}

// trim takes replicas from a shard until it can be filled within the bounds of its zones: those
// that are too many, or stand where another zone needs one. The leader is the last to go.
func (l *layout) trim(shard int) {
	for {
		tooFull := func(zone int) bool { return l.inZone(shard, zone) > l.zones[zone].most }
		inNeed, needed := 0, 0
		for zone, bounds := range l.zones {
			inNeed += max(0, bounds.fewest-l.inZone(shard, zone))
			if tooFull(zone) {
				needed++
			}
		}
		var mayGo func(zone int) bool
		switch {
		case needed > 0:
			mayGo = tooFull
		case len(l.holders[shard])+inNeed > l.replicas:
			mayGo = func(zone int) bool { return l.inZone(shard, zone) > l.zones[zone].fewest }
		default:
			return
		}
		gone := none
		for _, node := range l.holders[shard] {
			if mayGo(l.zone[node]) && (gone == none || l.goesBefore(shard, node, gone)) {
				gone = node
			}
		}
		l.release(shard, gone)
	}
}

// goesBefore reports whether a shard gives up its replica on node a rather than that on node b.
func (l *layout) goesBefore(shard, a, b int) bool {
	if leads := l.leaders[shard]; a == leads || b == leads {
		return b == leads
	}
	return cmp.Or(cmp.Compare(l.room(a), l.room(b)), cmp.Compare(l.weight(shard, a), l.weight(shard, b))) < 0
}

// fill gives a shard the replicas that it lacks: on the nodes of highest weight among those that
// have room, or, where none has any, on those that are the least over their bound.
func (l *layout) fill(shard int) {
	for len(l.holders[shard]) < l.replicas {
		missing := l.replicas - len(l.holders[shard])
		for zone, bounds := range l.zones {
			missing -= max(0, bounds.fewest-l.inZone(shard, zone))
		}
		chosen := none
		for node, zone := range l.zone {
			bound := l.zones[zone].most
			if missing == 0 { // all that are left belong to zones in need
				bound = l.zones[zone].fewest
			}
			if slices.Contains(l.holders[shard], node) || l.inZone(shard, zone) >= bound {
				continue
			}
			if chosen == none || l.fits(shard, node, chosen) {
				chosen = node
			}
		}
		l.hold(shard, chosen)
	}
}

// fits reports whether a replica of a shard goes to node a rather than to node b.
func (l *layout) fits(shard, a, b int) bool {
	return cmp.Or(
		cmp.Compare(min(1, l.room(a)), min(1, l.room(b))), // the same for all with room
		cmp.Compare(l.weight(shard, a), l.weight(shard, b)),
	) > 0
}

// room returns how many more shards a node may hold; it is negative where it holds too many.
func (l *layout) room(node int) int {
	return l.zones[l.zone[node]].mostGroups - len(l.shards[node])
}

// weight is the rendezvous hash of a shard and a node. Where thousands of shards move, each is
// asked for thousands of times.
func (l *layout) weight(shard, node int) uint64 {
	if l.weights[node] == nil {
		l.weights[node] = make([]uint64, len(l.holders))
		var key [12]byte
		binary.LittleEndian.PutUint64(key[4:], l.nodes[node].ID)
		for other := range l.holders {
			binary.LittleEndian.PutUint32(key[:], uint32(other))
			l.weights[node][other] = xxhash.Sum64(key[:])
		}
	}
	return l.weights[node][shard]
}

// inZone returns how many replicas of a shard lie in a zone.
func (l *layout) inZone(shard, zone int) int {
	count := 0
	for _, node := range l.holders[shard] {
		if l.zone[node] == zone {
			count++
		}
	}
	return count
}

func (l *layout) hold(shard, node int) {
	l.holders[shard] = append(l.holders[shard], node)
	place, _ := slices.BinarySearch(l.shards[node], shard)
	l.shards[node] = slices.Insert(l.shards[node], place, shard)
}

func (l *layout) release(shard, node int) {
	place := slices.Index(l.holders[shard], node)
	l.holders[shard] = slices.Delete(l.holders[shard], place, place+1)
	place, _ = slices.BinarySearch(l.shards[node], shard)
	l.shards[node] = slices.Delete(l.shards[node], place, place+1)
}
