package control

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/clock"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// lonely is node 1 of cluster 9, which holds nothing.
type lonely struct{ Identity }

func (lonely) Node() uint64      { return 1 }
func (lonely) Cluster() uint64   { return 9 }
func (lonely) Consented() uint64 { return 1 }

// silent is a transport over which no node answers.
type silent struct{ Transport }

func (silent) Replicas(context.Context, uint64) ([]*clusterv1.ReplicaStatus, error) {
	return nil, errors.New("no answer")
}

// newLeader is the leader of the meta group since a moment ago, which reaches no node.
func newLeader() *meta {
	c := &Control{
		Options: Options{
			Identity: lonely{}, Replicas: holds{}, Config: Config{ReplaceAfter: time.Hour}, Scheduler: clock.System{},
			Random: rand.Uint64, Logger: slog.New(slog.DiscardHandler), Events: Events{}.withDefaults(),
		},
		state: newKnown(), transport: silent{}, gossip: everyone{}, tasks: newTasks(clock.System{}),
	}
	c.leaderships.set(0, 3)
	c.meta, c.moves = newMeta(c), newMoves(c)
	c.following = &follower{Control: c}
	c.meta.seen = map[uint64]time.Time{}
	return c.meta
}

// wantStandings lets the leader look who is there, and compares what it makes of the members.
func (m *meta) wantStandings(t *testing.T, state *clusterv1.ClusterState, want, when string) {
	t.Helper()
	m.watch(t.Context(), state)
	replaceLost(state, m.gone)
	if got := standingsOf(state); got != want {
		t.Errorf("standings %s %s, want %s", got, when, want)
	}
}

func memberOf(node uint64, name string, standing clusterv1.Standing) *clusterv1.Member {
	return &clusterv1.Member{Node: node, Name: name, Rpc: "h:1", Version: "v1.0.0", Standing: standing}
}

// TestWhoIsLostStaysLostUnderANewLeader: to count anew how long a node is gone must not bring it
// back, and with it replicas to a node that is dead.
func TestWhoIsLostStaysLostUnderANewLeader(t *testing.T) {
	m := newLeader()
	state := &clusterv1.ClusterState{Replicas: 3, Members: []*clusterv1.Member{
		memberOf(1, "a", clusterv1.Standing_STANDING_ACTIVE), memberOf(2, "b", clusterv1.Standing_STANDING_ACTIVE),
		memberOf(3, "c", clusterv1.Standing_STANDING_ACTIVE), memberOf(4, "d", clusterv1.Standing_STANDING_LOST),
	}}
	for range 2 {
		m.watch(t.Context(), state)
		replaceLost(state, m.gone)
		for i, want := range []clusterv1.Standing{
			clusterv1.Standing_STANDING_ACTIVE, clusterv1.Standing_STANDING_ACTIVE, clusterv1.Standing_STANDING_ACTIVE,
			clusterv1.Standing_STANDING_LOST,
		} {
			if got := state.Members[i]; got.Standing != want {
				t.Errorf("node %s is %s", got.Name, Standing(got.Standing))
			}
		}
	}
	m.control.gossip.(everyone)[4] = true
	m.watch(t.Context(), state)
	if replaceLost(state, m.gone); state.Members[3].Standing != clusterv1.Standing_STANDING_ACTIVE {
		t.Error("who is back is still lost")
	}
}

// TestAnEmptiedDiskDoesNotKeepAClusterFromBeingFormed: the node that had the disk is not waited
// for, however often that happened: none of its shards could be placed meanwhile, and one that is
// missed with most others is otherwise not given up.
func TestAnEmptiedDiskDoesNotKeepAClusterFromBeingFormed(t *testing.T) {
	m := newLeader()
	active := clusterv1.Standing_STANDING_ACTIVE
	state := &clusterv1.ClusterState{Replicas: 3, Members: []*clusterv1.Member{
		memberOf(1, "a", active), memberOf(2, "b", active), memberOf(3, "c", active), memberOf(4, "c", active),
		memberOf(5, "c", active), memberOf(6, "c", active),
	}}
	for _, member := range state.Members {
		member.Rpc = member.Name + ":7947"
	}
	for _, node := range []uint64{1, 2, 6} {
		m.control.gossip.(everyone)[node] = true
	}
	m.wantStandings(t, state, "aallla", "at first")
	// The disk is put back: the newest is gone then, and it is waited for.
	delete(m.control.gossip.(everyone), 6)
	m.control.gossip.(everyone)[3] = true
	m.wantStandings(t, state, "aaalla", "after the first disk is back")
	// It is only started again: what has the newer disk is not there to take its place.
	delete(m.control.gossip.(everyone), 3)
	m.wantStandings(t, state, "aaalla", "while it is started again")
}

// TestWhoWasAloneIsAClusterOfOne: its conversations must not wait for as many nodes as found a new
// cluster.
func TestWhoWasAloneIsAClusterOfOne(t *testing.T) {
	m := newLeader()
	m.control.Config.Expect, m.control.Config.Format = 3, 2
	if s := m.first(); s.Expect != 3 || s.Format != 0 {
		t.Errorf("who founded a cluster with others expects %d nodes and writes format %d", s.Expect, s.Format)
	}
	m.control.Identity = alone{}
	if s := m.first(); s.Expect != 1 || s.Format != 2 {
		t.Errorf("who was alone expects %d nodes and writes format %d", s.Expect, s.Format)
	}
}

// alone is a node that never founded a cluster with others.
type alone struct{ lonely }

func (alone) Consented() uint64 { return 0 }

// TestWhoSharesANameIsWaitedFor: two machines may have one name.
func TestWhoSharesANameIsWaitedFor(t *testing.T) {
	m := newLeader()
	active := clusterv1.Standing_STANDING_ACTIVE
	state := &clusterv1.ClusterState{Replicas: 3, Members: []*clusterv1.Member{
		memberOf(1, "a", active), memberOf(2, "b", active), memberOf(3, "b", active), memberOf(4, "c", active),
	}}
	state.Members[2].Rpc = "elsewhere:1"
	for _, node := range []uint64{1, 3, 4} {
		m.control.gossip.(everyone)[node] = true
	}
	m.wantStandings(t, state, "aaaa", "at first")
}

// TestOperatorsKnowThreeStandings: another version may ask for one that this one does not know.
func TestOperatorsKnowThreeStandings(t *testing.T) {
	for _, standing := range []clusterv1.Standing{clusterv1.Standing_STANDING_UNSPECIFIED,
		clusterv1.Standing_STANDING_LOST, 9} {
		if _, err := newLeader().operate(t.Context(), "a", standing); !errors.Is(err, ErrRejected) {
			t.Errorf("%v: %v", standing, err)
		}
	}
}

// noReplicas are none.
type noReplicas = Replicas

// holds are replicas that are leaders of some shards.
type holds struct {
	noReplicas
	shards []uint32
}

func (l holds) Replicas() ([]*clusterv1.ReplicaStatus, error) {
	var all []*clusterv1.ReplicaStatus
	for _, shard := range l.shards {
		all = append(all, &clusterv1.ReplicaStatus{Shard: shard, Leading: true})
	}
	return all, nil
}

// TestTheLastReplicasAreNotRemoved: a dead node may hold the only replica of a shard, and what is
// removed never comes back.
func TestTheLastReplicasAreNotRemoved(t *testing.T) {
	m := newLeader()
	m.control.state.set(&clusterv1.ClusterState{Revision: 1, Shards: 2, Members: []*clusterv1.Member{
		memberOf(1, "a", clusterv1.Standing_STANDING_ACTIVE), memberOf(2, "b", clusterv1.Standing_STANDING_ACTIVE),
	}})
	m.control.Replicas = holds{shards: []uint32{0, 2}}
	if err := m.mayRemove(t.Context(), "b"); !errors.Is(err, ErrRejected) {
		t.Errorf("a shard without a leader: %v", err)
	}
	m.control.Replicas = holds{shards: []uint32{0, 1, 2}}
	if err := m.mayRemove(t.Context(), "b"); err != nil {
		t.Errorf("all shards are led: %v", err)
	}
}

// relay leads one half of the shards at a time, as nodes look whose leaderships move while they are
// asked.
type relay struct {
	noReplicas
	looks *atomic.Uint32
}

func (r relay) Replicas() ([]*clusterv1.ReplicaStatus, error) {
	return holds{shards: []uint32{r.looks.Add(1) % 2}}.Replicas()
}

func TestLeadershipsInTransferAreNotMissed(t *testing.T) {
	m := newLeader()
	m.control.state.set(&clusterv1.ClusterState{Revision: 1, Shards: 1, Members: []*clusterv1.Member{memberOf(1, "a",
		clusterv1.Standing_STANDING_ACTIVE)}})
	m.control.Replicas = relay{looks: &atomic.Uint32{}}
	if n := m.control.leaderless(t.Context()); n != 0 {
		t.Errorf("%d shards have no leader", n)
	}
}

// TestALearnerDoesNotNoticeThatItIsGone: only a voter loses its leader when it receives nothing.
func TestALearnerDoesNotNoticeThatItIsGone(t *testing.T) {
	members := []*clusterv1.Replica{{Id: 1, Node: 10}, {Id: 2, Node: 20}, {Id: 3, Node: 30}}
	progress := []*clusterv1.MemberStatus{{Learner: true}, {Voter: true}, {Voter: true}}
	for replica, want := range map[uint64]bool{1: false, 2: true, 4: false} {
		r := &clusterv1.ReplicaStatus{Shard: 1, Replica: replica, Members: members, Progress: progress}
		if got := votes(r); got != want {
			t.Errorf("replica %d: votes %v", replica, got)
		}
	}
}

func TestReplicasThatAreGone(t *testing.T) {
	theirs := []*clusterv1.ReplicaStatus{
		{Shard: 1, Replica: 2, Next: 7, Members: []*clusterv1.Replica{{Id: 2, Node: 20}, {Id: 5, Node: 50},
			{Id: 6, Node: 60}}},
		{Shard: 2, Replica: 2, Next: 9, Members: []*clusterv1.Replica{{Id: 3, Node: 30}}},
		{Shard: 3, Replica: 4, Next: 9},
	}
	for _, test := range []struct {
		shard   uint32
		replica uint64
		node    uint64
		gone    bool
	}{
		{1, 4, 10, true},
		{1, 6, 60, false},
		{1, 5, 10, true},  // created here, and given to another node
		{1, 7, 10, false}, // about to be added
		{2, 1, 10, false}, // who tells is no member itself
		{3, 1, 10, false},
		{4, 1, 10, false},
	} {
		if got := gone(&clusterv1.ReplicaStatus{Shard: test.shard, Replica: test.replica}, test.node,
			theirs); got != test.gone {
			t.Errorf("replica %d of shard %d on node %d: gone %v", test.replica, test.shard, test.node, got)
		}
	}
}
