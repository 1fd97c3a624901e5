package control

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// configured is a record of nodes 1, 2, ... with channels such as "shop bank:2", whose digest is 1
// where none is given; "-" has none.
func configured(nodes ...string) *clusterv1.ClusterState {
	state := &clusterv1.ClusterState{Revision: 1, Shards: 1, Replicas: 3}
	for i, channels := range nodes {
		m := memberOf(uint64(i+1), string(rune('a'+i)), clusterv1.Standing_STANDING_ACTIVE)
		for _, c := range strings.Fields(strings.Trim(channels, "-")) {
			name, digest, other := strings.Cut(c, ":")
			channel := &clusterv1.MemberChannel{Name: name, Digest: 1}
			if other {
				channel.Digest = uint64(digest[0])
			}
			m.Channels = append(m.Channels, channel)
		}
		state.Members = append(state.Members, m)
	}
	return state
}

func TestDifferences(t *testing.T) {
	for name, test := range map[string]struct {
		nodes []string
		want  map[uint64]Difference
	}{
		"all alike": {[]string{"shop", "shop", "shop"}, nil},
		"a typo": {[]string{"shop", "shopp", "shop"}, map[uint64]Difference{2: {Lacks: []string{"shop"},
			Alone: []string{"shopp"}}}},
		"another bot": {[]string{"shop", "shop", "shop:2"}, map[uint64]Difference{3: {Other: []string{"shop"}}}},
		"a channel is added": {[]string{"shop bank", "shop", "shop"},
			map[uint64]Difference{1: {Alone: []string{"bank"}}}},
		"and goes on": {[]string{"shop bank", "shop bank", "shop"},
			map[uint64]Difference{3: {Lacks: []string{"bank"}}}},
		"two that differ": {[]string{"shop", "shopp"}, nil}, // nothing says which is right
		"three of a kind": {[]string{"a", "b", "c"}, map[uint64]Difference{1: {Alone: []string{"a"}},
			2: {Alone: []string{"b"}}, 3: {Alone: []string{"c"}}}},
		"older versions": {[]string{"shop", "-", "-", "shop"}, nil},
	} {
		if test.want == nil {
			test.want = map[uint64]Difference{}
		}
		if diff := cmp.Diff(test.want, Differences(configured(test.nodes...))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	state := configured("shop", "shop", "shopp", "shopp", "shopp")
	for _, gone := range state.Members[3:] {
		gone.Standing = clusterv1.Standing_STANDING_REMOVED
	}
	if got := slices.Collect(maps.Keys(Differences(state))); !slices.Equal(got, []uint64{3}) {
		t.Errorf("with nodes that were removed: %v differ", got)
	}
}

// TestANodeThatLacksAChannelLeadsNothing: it gives its shard to the next one that should hold it,
// though it is the preferred leader, and gets none.
func TestANodeThatLacksAChannelLeadsNothing(t *testing.T) {
	differences := Differences(configured("shopp", "shop", "shop"))
	if got := servers([]uint64{1, 2, 3}, differences); !slices.Equal(got, []uint64{2, 3, 1}) {
		t.Errorf("the leaders are %v", got)
	}
	c := newLeader().control
	c.Replicas = &stubborn{}
	c.leaderships.set(1, 3)
	state := configured("shopp", "shop", "shop")
	state.Wanted = []*clusterv1.Wanted{{}, {Nodes: []uint64{1, 2, 3}}}
	c.state.set(state)
	for node := range uint64(3) {
		c.gossip.(everyone)[node+1] = true
	}
	if steps, _ := c.moves.look(); !steps {
		t.Error("it keeps its shard")
	}
	c.Close()
}

// TestDifferencesAreReportedOnce: and when they are over.
func TestDifferencesAreReportedOnce(t *testing.T) {
	c := newLeader().control
	var lines bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	w := newWatching(c)
	state := configured("shopp", "shop", "shop")
	c.state.set(state)
	for range 3 {
		w.compare()
	}
	if n := strings.Count(lines.String(), "lacks channel shop, which most nodes have"); n != 1 {
		t.Errorf("reported %d times:\n%s", n, &lines)
	}
	if got := c.Lacks(); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("it lacks %v", got)
	}
	state = configured("shop", "shop", "shop")
	state.Revision = 2
	c.state.set(state)
	w.compare()
	w.compare()
	if n := strings.Count(lines.String(), "is that of most nodes again"); n != 1 {
		t.Errorf("its end was reported %d times:\n%s", n, &lines)
	}
}
