package peer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wactor/wactor/cluster/trust"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// record is what a node knows of the members. Nothing else of Control is called.
type record struct {
	Control
	mu       sync.Mutex
	standing map[uint64]clusterv1.Standing
}

func (r *record) Standing(node uint64) (clusterv1.Standing, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.standing[node], r.standing != nil
}

func (r *record) set(node uint64, standing clusterv1.Standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.standing[node] = standing
}

func (r *record) RecordOfRemoved(node uint64) *clusterv1.ClusterState {
	if standing, _ := r.Standing(node); standing == clusterv1.Standing_STANDING_REMOVED {
		return &clusterv1.ClusterState{Revision: 7}
	}
	return nil
}

func (*record) State(context.Context, uint64) *clusterv1.ClusterState {
	return &clusterv1.ClusterState{Revision: 8, Shards: 16}
}

// replicas are none.
type replicas struct{}

func (replicas) Replicas() ([]*clusterv1.ReplicaStatus, error) { return nil, nil }
func (replicas) CreateReplica(uint32, uint64) error            { return nil }

// received counts consensus messages.
type received struct {
	Consensus
	n atomic.Int64
}

func (r *received) Receive(uint64, uint32, []byte) error { r.n.Add(1); return nil }
func (*received) Unreachable(uint64)                     {}

// willing takes every delivery.
type willing struct{ Work }

func (willing) Deliver(_ delivery.Envelope, _ bool, done delivery.Done) {
	done(delivery.Outcome{Verdict: conversation.Duplicate})
}

// neighbours are two nodes of one cluster, what the second one knows, and the way to it.
func neighbours(t *testing.T) (first, second *Peers, known *record, way *street) {
	t.Helper()
	active := clusterv1.Standing_STANDING_ACTIVE
	known = &record{standing: map[uint64]clusterv1.Standing{1: active, 2: active}}
	var both []*Peers
	var ways []*street
	addresses := map[uint64]string{}
	for id := uint64(1); id <= 2; id++ {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		credentials, err := trust.Public().Credentials(id)
		if err != nil {
			t.Fatal(err)
		}
		ways = append(ways, &street{Listener: listener})
		addresses[id] = listener.Addr().String()
		both = append(both, New(Options{
			Self: node{id, 7}, Listener: ways[id-1], Credentials: credentials, Consensus: &received{}, Control: known,
			Replicas: replicas{}, Work: willing{}, Fatal: func(error) {}, Logger: slog.New(slog.DiscardHandler),
		}))
	}
	for _, p := range both {
		p.Readdress(addresses)
		p.Serve()
		t.Cleanup(p.Close)
	}
	t.Cleanup(ways[1].thaw) // before the nodes are closed
	return both[0], both[1], known, ways[1]
}

// street is the way to a node's listener. Frozen, it keeps its connections open and carries
// nothing, as that to a process does that stands still.
type street struct {
	net.Listener
	mu     sync.Mutex
	frozen chan struct{} // closed with the end of the frost; nil where there is none
}

func (s *street) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	return cart{conn, s}, err
}

func (s *street) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = make(chan struct{})
}

func (s *street) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen != nil {
		close(s.frozen)
		s.frozen = nil
	}
}

func (s *street) wait() {
	s.mu.Lock()
	frozen := s.frozen
	s.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

type cart struct {
	net.Conn
	street *street
}

func (c cart) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.street.wait()
	return n, err
}

func (c cart) Write(b []byte) (int, error) {
	c.street.wait()
	return c.Conn.Write(b)
}

// deliver sends a delivery and returns how it ended.
func deliver(t *testing.T, from *Peers, to uint64) error {
	t.Helper()
	ended := make(chan error, 1)
	e := delivery.Envelope{To: conversation.ID{Channel: "shop", User: "u"},
		Body: delivery.Operation{Request: &wactorv1.SkipRequest{Seq: 1}}}
	from.Send(to, e, false, func(o delivery.Outcome) { ended <- o.Err })
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("a delivery does not end")
		return nil
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestANodeThatStandsStillIsGivenUp(t *testing.T) {
	first, _, _, way := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	if !first.Reaches(2) || first.Lost(2) || first.Isolated([]uint64{2}) > 0 {
		t.Error("who answers is not reached")
	}
	way.freeze()
	began := time.Now()
	if err := deliver(t, first, 2); !errors.Is(err, errBroken) {
		t.Errorf("a delivery to who stands still: %v, want %v", err, errBroken)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it was given up after %v", took)
	}
	if first.Reaches(2) {
		t.Error("who stands still is reached")
	}
	if err := deliver(t, first, 2); !errors.Is(err, ErrUnreachable) {
		t.Errorf("the next delivery: %v, want %v", err, ErrUnreachable)
	}
	await(t, "the other node counts as lost", func() bool {
		return first.Lost(2) &&
			first.Isolated([]uint64{2}) > lostAfter
	})
	way.thaw()
	await(t, "a delivery arrives again", func() bool { return deliver(t, first, 2) == nil })
	if first.Lost(2) || first.Isolated([]uint64{2}) > 0 {
		t.Error("who is back counts as lost")
	}
}

func TestAQuietNodeIsReached(t *testing.T) {
	first, _, _, _ := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	l := first.links.to(2)
	before := l.work.pulse.silence()
	// Without deliveries signs of life come all the same.
	for range 3 {
		await(t, "time goes by", func() bool { return l.work.pulse.silence() > before+pulseEvery/2 })
		await(t, "a sign of life", func() bool { return l.work.pulse.silence() < pulseEvery/2 })
	}
	await(t, "who is quiet counts as there", func() bool { return first.Reaches(2) })
}

func TestADeadNodeIsGivenUpAtOnce(t *testing.T) {
	first, second, _, _ := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	second.Close()
	await(t, "the broken connection is seen", func() bool { return !first.Reaches(2) })
	if err := deliver(t, first, 2); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a delivery to the dead: %v, want %v", err, ErrUnreachable)
	}
}

// TestOnlyMembersAreAnswered: a node that was removed still has its certificate and the id of the
// cluster, and so has one that never registered. Neither reads anything nor changes anything.
func TestOnlyMembersAreAnswered(t *testing.T) {
	first, second, known, _ := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	if _, err := first.Replicas(t.Context(), 2); err != nil {
		t.Fatalf("a member is not answered: %v", err)
	}
	for name, standing := range map[string]clusterv1.Standing{
		"removed": clusterv1.Standing_STANDING_REMOVED, "unknown": clusterv1.Standing_STANDING_UNSPECIFIED,
	} {
		before := second.Rejected()
		known.set(1, standing)
		_, readErr := first.Replicas(t.Context(), 2)
		createErr := first.CreateReplica(t.Context(), 2, 1, 1)
		_, operateErr := first.Operate(t.Context(), 2, "a", clusterv1.Standing_STANDING_DRAINING)
		_, adminErr := first.Ask(t.Context(), 2, "Trace", nil)
		for _, err := range []error{readErr, createErr, operateErr, adminErr} {
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("a node that is %s: %v", name, err)
			}
		}
		if got := second.Rejected() - before; got < 4 {
			t.Errorf("%d calls were counted", got)
		}
		// The stream was opened while it was a member.
		await(t, "its deliveries are rejected", func() bool { return deliver(t, first, 2) != nil })
		got := second.options.Consensus.(*received)
		first.SendConsensus([]Message{{Shard: 1, Node: 2, Message: &clusterv1.RaftMessage{}}})
		time.Sleep(20 * time.Millisecond) // what is wrong would arrive in less
		if got.n.Load() != 0 {
			t.Errorf("a node that is %s sends consensus messages", name)
		}
		known.set(1, clusterv1.Standing_STANDING_ACTIVE)
		await(t, "it is a member again", func() bool { return deliver(t, first, 2) == nil })
	}
}

// TestARemovedNodeLearnsIt: and nothing else.
func TestARemovedNodeLearnsIt(t *testing.T) {
	first, _, known, _ := neighbours(t)
	known.set(1, clusterv1.Standing_STANDING_REMOVED)
	state, err := first.State(t.Context(), 2, 0)
	if err != nil || state.GetRevision() != 7 || state.GetShards() != 0 {
		t.Errorf("got %v, %v", state, err)
	}
}
