package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// nodesOf makes a state of nodes 1, 2, ... with the standings that letters name: active, draining,
// lost, removed.
func stateOf(standings string, replicas, expect int) *clusterv1.ClusterState {
	letters := map[rune]clusterv1.Standing{
		'a': clusterv1.Standing_STANDING_ACTIVE, 'd': clusterv1.Standing_STANDING_DRAINING,
		'l': clusterv1.Standing_STANDING_LOST, 'r': clusterv1.Standing_STANDING_REMOVED,
	}
	state := newState(7, 4, replicas, expect)
	for i, letter := range standings {
		state.Members = append(state.Members, &clusterv1.Member{
			Node: uint64(i + 1), Name: "node-" + string('1'+rune(i)), Rpc: "10.0.0.1:7947", Version: "1.2.0",
			Standing: letters[letter],
		})
	}
	return state
}

func standingsOf(state *clusterv1.ClusterState) string {
	out := ""
	for _, m := range state.Members {
		out += Standing(m.Standing)[:1]
	}
	return out
}

func TestRegister(t *testing.T) {
	for name, c := range map[string]struct {
		standings string
		member    *clusterv1.Member
		shards    uint32
		want      string // of the error
		after     string
	}{
		"new":               {"aa", &clusterv1.Member{Node: 3, Name: "c", Rpc: "h:1", Version: "1.2.1"}, 4, "", "aaa"},
		"again":             {"aa", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2", Version: "1.3.0"}, 4, "", "aa"},
		"back from lost":    {"al", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2"}, 4, "", "aa"},
		"draining stays so": {"ad", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2"}, 4, "", "ad"},
		"removed":           {"ar", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2"}, 4, "was removed", "ar"},
		"without a name":    {"a", &clusterv1.Member{Node: 2, Rpc: "h:2"}, 4, "needs an id", "a"},
		"other shards":      {"a", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2"}, 8, "set cluster.shards: 4", "a"},
		"two minors apart": {"a", &clusterv1.Member{Node: 2, Name: "c", Rpc: "h:2", Version: "1.4.0"}, 4,
			"one minor version at a time", "a"},
		"two minors from a removed one": {
			"ar", &clusterv1.Member{Node: 1, Name: "a", Rpc: "h:1", Version: "1.4.0"}, 4, "", "ar",
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := stateOf(c.standings, 3, 1)
			err := registerMember(state, c.member, c.shards)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got := standingsOf(state); got != c.after {
				t.Errorf("standings %s, want %s", got, c.after)
			}
			if known := findMember(state, c.member.Node); err == nil && (known.Rpc != c.member.Rpc ||
				known.Version != c.member.Version) {
				t.Errorf("known as %v", known)
			}
		})
	}
}

func TestCompatible(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1.2.0", "1.2.9", true}, {"1.2.0", "v1.3.0-rc.1", true}, {"1.2.0", "1.4.0", false}, {"1.9.0", "2.0.0", false},
		{"dev", "1.0.0", true}, {"", "", true}, {"1.2", "1.9.0", true},
	} {
		if got := Compatible(c.a, c.b); got != c.want || Compatible(c.b, c.a) != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

// TestEntriesOfANewerFormatWaitForAllNodes: as long as one member can't apply them they are not
// written, and once they may be written no such node is taken in.
func TestEntriesOfANewerFormatWaitForAllNodes(t *testing.T) {
	state := stateOf("aadlr", 3, 3)
	raise := func(formats ...uint32) uint32 {
		for i, format := range formats {
			state.Members[i].Format = format
		}
		raiseFormat(state)
		return state.Format
	}
	if got := raise(2, 2, 2, 2, 0); got != 0 {
		t.Errorf("before the nodes are here: format %d", got)
	}
	state.Formed = true
	for _, c := range []struct {
		formats []uint32
		want    uint32
	}{
		{[]uint32{0, 2, 2, 2, 0}, 0}, {[]uint32{1, 2, 1, 0, 0}, 0}, {[]uint32{1, 2, 1, 2, 0}, 1},
		{[]uint32{1, 0, 1, 2, 0}, 1},
		{[]uint32{2, 2, 2, 2, 0}, 2},
	} {
		if got := raise(c.formats...); got != c.want {
			t.Errorf("members apply %v: format %d, want %d", c.formats, got, c.want)
		}
	}
	for format, want := range map[uint32]string{1: "format 1, and the cluster writes format 2: upgrade it", 2: "",
		3: ""} {
		for _, node := range []uint64{1, 9} { // a member that was put back, and a stranger
			err := registerMember(state, &clusterv1.Member{Node: node, Name: "c", Rpc: "h:1", Format: format},
				state.Shards)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("node %d, which applies format %d: %v, want %q", node, format, err, want)
			}
		}
	}
}

func TestReplaceLost(t *testing.T) {
	for _, c := range []struct {
		name, before string
		gone         map[uint64]bool
		after        string
	}{
		{"all are there", "aaaa", nil, "aaaa"},
		{"another one takes its place", "aaaa", map[uint64]bool{2: true}, "alaa"},
		{"no other one could", "aaa", map[uint64]bool{2: true}, "aaa"},
		{"only so many as can be replaced", "aaaaa", map[uint64]bool{1: true, 2: true}, "llaaa"},
		{"half are gone: who says so is cut off", "aaaa", map[uint64]bool{1: true, 2: true}, "aaaa"},
		{"it is back", "alaa", nil, "aaaa"},
		{"it is still away", "alaa", map[uint64]bool{2: true}, "alaa"},
		{"what an operator wants stays", "adra", nil, "adra"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := stateOf(c.before, 3, 1)
			replaceLost(state, func(node uint64) bool { return c.gone[node] })
			if got := standingsOf(state); got != c.after {
				t.Errorf("standings %s, want %s", got, c.after)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	state := stateOf("aa", 3, 3)
	if place(state); state.Formed || len(state.Wanted) > 0 {
		t.Error("shards were placed before all nodes were there")
	}
	state.Members = append(state.Members, stateOf("aaa", 3, 3).Members[2])
	if place(state); !state.Formed || len(state.Wanted) != 5 || len(state.Wanted[0].Nodes) != 3 {
		t.Errorf("with three nodes: %v", state)
	}
	before := proto.CloneOf(state)
	if place(state); !proto.Equal(before, state) {
		t.Errorf("placed again: %s", cmp.Diff(before.Wanted, state.Wanted))
	}
	state.Members[0].Standing = clusterv1.Standing_STANDING_DRAINING
	if place(state); len(state.Wanted[0].Nodes) != 1 || state.Wanted[0].Nodes[0] == 1 {
		t.Errorf("two nodes are left: %v", state.Wanted)
	}
	for _, m := range state.Members {
		m.Standing = clusterv1.Standing_STANDING_DRAINING
	}
	before = proto.CloneOf(state)
	if place(state); !proto.Equal(before, state) {
		t.Error("without nodes the placement changed")
	}
}

func TestNamedMember(t *testing.T) {
	state := stateOf("aara", 3, 1)
	state.Members[3].Name = "node-2"
	for name, want := range map[string]uint64{"node-1": 1, "0000000000000002": 2, "0000000000000003": 3, "node-2": 0,
		"node-3": 0, "node-9": 0} {
		m, err := namedMember(state, name)
		if m.GetNode() != want || (err == nil) != (want != 0) || err != nil && !errors.Is(err, ErrRejected) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := namedMember(state, "node-9"); err == nil || !strings.HasSuffix(err.Error(), "it has node-1, node-2") {
		t.Errorf("node-9: %v", err)
	}
}

// TestMachinesOfOneNameAreCountedApart: a name need not be given.
func TestMachinesOfOneNameAreCountedApart(t *testing.T) {
	state := stateOf("aaaaa", 3, 5)
	for i, m := range state.Members {
		m.Name, m.Rpc = "wactor", fmt.Sprintf("h%d:1", i)
	}
	replaceLost(state, func(node uint64) bool { return node == state.Members[4].Node })
	if got := standingsOf(state); got != "aaaal" {
		t.Errorf("standings %s", got)
	}
}

func TestSettled(t *testing.T) {
	state := stateOf("aaa", 3, 3)
	place(state)
	// replicas are what a leader of all shards tells, with so many voters.
	replicas := func(voters int, outgoing bool) map[uint64][]*clusterv1.ReplicaStatus {
		var all []*clusterv1.ReplicaStatus
		for shard := range state.Shards + 1 {
			r := &clusterv1.ReplicaStatus{Shard: shard, Leading: true}
			for i := range voters {
				r.Members = append(r.Members, &clusterv1.Replica{Id: uint64(i + 1), Node: uint64(i + 1)})
				r.Progress = append(r.Progress, &clusterv1.MemberStatus{Voter: true, Outgoing: outgoing})
			}
			all = append(all, r)
		}
		return map[uint64][]*clusterv1.ReplicaStatus{1: all}
	}
	missing := replicas(3, false)
	missing[1] = missing[1][1:]
	for name, c := range map[string]struct {
		replicas map[uint64][]*clusterv1.ReplicaStatus
		want     bool
	}{
		"all": {replicas(3, false), true}, "one voter": {replicas(1, false), false}, "in between": {replicas(3, true),
			false},
		"no leader reports": {nil, false}, "one leader does not report": {missing, false},
	} {
		if got := settled(state, c.replicas); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
