package control

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wactor/wactor/cluster/placement"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// What is here decides about the cluster's state, without I/O or clock: the leader of the meta
// group writes down what comes out.

var (
	// ErrNotMeta: this node is not the leader of the meta group. Another one does, or will soon.
	ErrNotMeta = errors.New("cluster: this node is not the leader of the meta group")
	// ErrRejected: it can't be, and trying again does not help.
	ErrRejected = errors.New("cluster: rejected")
)

// newState is that of a cluster which was just founded.
func newState(cluster uint64, shards uint32, replicas, expect int) *clusterv1.ClusterState {
	return &clusterv1.ClusterState{Cluster: cluster, Shards: shards, Replicas: uint32(replicas),
		Expect: uint32(max(1, expect))}
}

func findMember(state *clusterv1.ClusterState, node uint64) *clusterv1.Member {
	for _, m := range state.GetMembers() {
		if m.Node == node {
			return m
		}
	}
	return nil
}

// registerMember takes a node into the cluster, or what it says anew of itself.
func registerMember(state *clusterv1.ClusterState, m *clusterv1.Member, shards uint32) error {
	if m.GetNode() == 0 || m.GetName() == "" || m.GetRpc() == "" {
		return fmt.Errorf("%w: a node needs an id, a name and an address", ErrRejected)
	}
	if shards != state.Shards {
		return fmt.Errorf("%w: the cluster has %d shards, node %s is configured for %d: set cluster.shards: %d",
			ErrRejected, state.Shards, m.Name, shards, state.Shards)
	}
	if m.Format < state.Format {
		return fmt.Errorf("%w: upgrade it", tooOld(m.Name, m.Format, state.Format))
	}
	for _, other := range state.Members {
		switch {
		case other.Standing == clusterv1.Standing_STANDING_REMOVED && other.Node != m.Node:
		case other.Node == m.Node && other.Standing == clusterv1.Standing_STANDING_REMOVED:
			return ErrRemoved
		case other.Node != m.Node && other.Standing != clusterv1.Standing_STANDING_LOST && !Compatible(other.Version,
			m.Version):
			return fmt.Errorf("%w: node %s runs version %s, node %s version %s: upgrade one minor version at a time",
				ErrRejected, other.Name, other.Version, m.Name, m.Version)
		}
	}
	known := findMember(state, m.Node)
	if known == nil {
		known = &clusterv1.Member{Node: m.Node, Standing: clusterv1.Standing_STANDING_ACTIVE}
		state.Members = append(state.Members, known)
	}
	known.Name, known.Rpc, known.Zone, known.Version, known.Format = m.Name, m.Rpc, m.Zone, m.Version, m.Format
	known.Channels = m.Channels
	if known.Standing == clusterv1.Standing_STANDING_LOST {
		known.Standing = clusterv1.Standing_STANDING_ACTIVE
	}
	return nil
}

func tooOld(name string, knows, written uint32) error {
	return fmt.Errorf("%w: node %s can apply log entries up to format %d, and the cluster writes format %d",
		ErrRejected,
		name, knows, written)
}

// raiseFormat lets entries of a format be written once every member can apply them, those that are
// away included. From then on a node that can't is not admitted, so the format never falls.
func raiseFormat(state *clusterv1.ClusterState) {
	state.Format = NextFormat(state)
}

// NextFormat is the highest format of log entries that all members can apply, those that are away
// included; that which is written, before all are here.
func NextFormat(state *clusterv1.ClusterState) uint32 {
	lowest := uint32(math.MaxUint32)
	for _, m := range state.GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			lowest = min(lowest, m.Format)
		}
	}
	if !state.GetFormed() || lowest == math.MaxUint32 {
		return state.GetFormat()
	}
	return max(state.Format, lowest)
}

// Compatible reports whether two versions may be in one cluster: the same major, and minors at most
// one apart. Builds without a version are their developers' own business.
func Compatible(a, b string) bool {
	aMajor, aMinor, aKnown := parseVersion(a)
	bMajor, bMinor, bKnown := parseVersion(b)
	if !aKnown || !bKnown {
		return true
	}
	return aMajor == bMajor && max(aMinor, bMinor)-min(aMinor, bMinor) <= 1
}

func parseVersion(text string) (major, minor uint64, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(text, "v"), ".", 3)
	if len(parts) < 3 {
		return 0, 0, false
	}
	major, majorErr := strconv.ParseUint(parts[0], 10, 32)
	minor, minorErr := strconv.ParseUint(parts[1], 10, 32)
	return major, minor, majorErr == nil && minorErr == nil
}

// namedMember finds a node by its name or its id in hex; of several with one name that which is not
// removed.
func namedMember(state *clusterv1.ClusterState, name string) (*clusterv1.Member, error) {
	var found []*clusterv1.Member
	for _, m := range state.GetMembers() {
		if hexID(m.Node) == name {
			return m, nil
		}
		if m.Name == name && m.Standing != clusterv1.Standing_STANDING_REMOVED {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: the cluster has no node %q; it has %s", ErrRejected, name,
			strings.Join(memberNames(state), ", "))
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%w: %d nodes are named %q: give the id of one, such as %s", ErrRejected, len(found), name,
		hexID(found[0].Node))
}

// memberNames are those of the nodes that are not removed, each once.
func memberNames(state *clusterv1.ClusterState) []string {
	var names []string
	for _, m := range state.GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// eligible are the nodes that may hold replicas.
func eligible(state *clusterv1.ClusterState) []placement.Node {
	var nodes []placement.Node
	for _, m := range state.GetMembers() {
		if m.Standing == clusterv1.Standing_STANDING_ACTIVE {
			nodes = append(nodes, placement.Node{ID: m.Node, Zone: m.Zone})
		}
	}
	return nodes
}

// replaceLost marks nodes that were gone for too long, as far as others can take their place, and
// unmarks who is back. Gossip alone never gets here: gone means that calls
// to the node fail too.
func replaceLost(state *clusterv1.ClusterState, gone func(node uint64) bool) {
	for _, m := range state.Members {
		if m.Standing == clusterv1.Standing_STANDING_LOST && !gone(m.Node) {
			m.Standing = clusterv1.Standing_STANDING_ACTIVE
		}
	}
	var lost []*clusterv1.Member
	active, machines, missed := 0, 0, 0
	for _, m := range state.Members {
		if m.Standing != clusterv1.Standing_STANDING_ACTIVE {
			continue
		}
		active++
		if gone(m.Node) {
			lost = append(lost, m)
		}
		if successor(state, m) == nil {
			machines++
			if gone(m.Node) {
				missed++
			}
		}
	}
	if 2*missed >= machines {
		return // who misses so many is more likely to be cut off itself
	}
	for _, m := range lost {
		// Fewer replicas than before would be less safe than one that may come back.
		if placement.Copies(active-1, int(state.Replicas)) < placement.Copies(active, int(state.Replicas)) {
			return
		}
		m.Standing = clusterv1.Standing_STANDING_LOST
		active--
	}
}

// successor is the same machine with an emptied disk, which is a new node: the last active member
// that came later under the name and the address of a member. nil where there is none.
func successor(state *clusterv1.ClusterState, m *clusterv1.Member) *clusterv1.Member {
	for _, other := range slices.Backward(state.GetMembers()) {
		switch {
		case other.Node == m.Node:
			return nil
		case other.Name == m.Name && other.Rpc == m.Rpc && other.Standing == clusterv1.Standing_STANDING_ACTIVE:
			return other
		}
	}
	return nil
}

// Active tells how many nodes may hold replicas, and how many of them each shard gets.
func Active(state *clusterv1.ClusterState) (nodes, replicas int) {
	nodes = len(eligible(state))
	return nodes, placement.Copies(nodes, int(state.GetReplicas()))
}

// place decides which nodes should hold each shard, once the cluster is formed.
func place(state *clusterv1.ClusterState) {
	nodes := eligible(state)
	if len(nodes) >= int(state.Expect) {
		state.Formed = true
	}
	if !state.Formed || len(nodes) == 0 {
		return
	}
	previous := make([][]uint64, len(state.Wanted))
	for shard, w := range state.Wanted {
		previous[shard] = w.Nodes
	}
	wanted := placement.Want(previous, state.Shards, int(state.Replicas), nodes)
	state.Wanted = make([]*clusterv1.Wanted, len(wanted))
	for shard, nodes := range wanted {
		state.Wanted[shard] = &clusterv1.Wanted{Nodes: nodes}
	}
}

// settled reports whether every shard is where it is wanted, by what nodes tell of their replicas.
func settled(state *clusterv1.ClusterState, replicas map[uint64][]*clusterv1.ReplicaStatus) bool {
	placed := map[uint32]bool{}
	for _, all := range replicas {
		for _, r := range all {
			if r.Leading && int(r.Shard) < len(state.GetWanted()) && isPlaced(r, state.Wanted[r.Shard].Nodes) {
				placed[r.Shard] = true
			}
		}
	}
	return len(state.GetWanted()) > 0 && len(placed) == len(state.Wanted)
}

// isPlaced reports whether the voters of a group, as its leader tells, are the wanted nodes.
func isPlaced(r *clusterv1.ReplicaStatus, wanted []uint64) bool {
	voters := 0
	for i, m := range r.Progress {
		if m.Outgoing || i >= len(r.Members) {
			return false
		}
		if m.Voter {
			if !slices.Contains(wanted, r.Members[i].Node) {
				return false
			}
			voters++
		}
	}
	return voters == len(wanted)
}
