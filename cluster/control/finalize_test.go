package control

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// keptRecord is a record in memory.
type keptRecord struct{ state *clusterv1.ClusterState }

func (k *keptRecord) ReadState() (*clusterv1.ClusterState, error) { return k.state, nil }

func (k *keptRecord) WriteState(_ context.Context, revision uint64, state *clusterv1.ClusterState) error {
	k.state = proto.CloneOf(state)
	k.state.Revision = revision + 1
	return nil
}

// TestAnUpgradeWaitsToBeFinalized: with cluster.finalize: manual all nodes may run the new version
// for as long as an operator wants, and still go back; a new cluster has no way back to wait for.
func TestAnUpgradeWaitsToBeFinalized(t *testing.T) {
	for name, c := range map[string]struct {
		byHand, settled bool
		planned         uint32
	}{
		"by hand":       {true, true, 1},
		"automatically": {false, true, 2},
		"a new cluster": {true, false, 2},
	} {
		m := newLeader()
		self := memberOf(1, "a", clusterv1.Standing_STANDING_ACTIVE)
		self.Format = 2
		record := &keptRecord{&clusterv1.ClusterState{
			Cluster: 9, Revision: 4, Replicas: 1, Expect: 1, Format: 1, Formed: true, Settled: c.settled,
			Members: []*clusterv1.Member{self},
		}}
		m.control.Record, m.control.Config.FinalizeByHand = record, c.byHand
		m.control.gossip.(everyone)[1] = true
		m.control.state.set(record.state)
		if err := m.plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := record.state.Format; got != c.planned || NextFormat(record.state) != 2 {
			t.Errorf("%s: the cluster writes format %d and can %d, want %d and 2", name, got, NextFormat(record.state),
				c.planned)
		}
		if format, err := m.control.Finalize(t.Context()); format != 2 || err != nil || record.state.Format != 2 {
			t.Errorf("%s: finalized format %d of %d, %v", name, format, record.state.Format, err)
		}
	}
	m := newLeader()
	m.control.leaderships.set(0, 0)
	if _, err := m.control.Finalize(t.Context()); err == nil {
		t.Error("a node that is not the leader of the meta group finalizes")
	}
}
