package cluster

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/trust"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// lodger is a host without replicas.
type lodger struct {
	Host
	node  uint64
	state *clusterv1.ClusterState
}

func (h lodger) Node() uint64                                { return h.node }
func (h lodger) Cluster() uint64                             { return h.state.Cluster }
func (h lodger) ReadState() (*clusterv1.ClusterState, error) { return h.state, nil }
func (lodger) Consented() uint64                             { return 0 }
func (lodger) Settled() bool                                 { return false }
func (lodger) Settle() error                                 { return nil }
func (lodger) Replicas() ([]*clusterv1.ReplicaStatus, error) { return nil, nil }
func (lodger) Unreachable(uint64)                            {}
func (lodger) Receive(uint64, uint32, []byte) error          { return nil }
func (lodger) Admin(context.Context, string, []byte) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

func (lodger) WriteState(context.Context, uint64, *clusterv1.ClusterState) error {
	return errors.ErrUnsupported
}

// Deliver answers at once.
func (lodger) Deliver(_ delivery.Envelope, _ bool, done delivery.Done) {
	done(delivery.Outcome{Verdict: 1})
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

// neighbours are two nodes of one cluster, and the way to the second.
func neighbours(t *testing.T) (first, second *Cluster, way *street) {
	t.Helper()
	state := &clusterv1.ClusterState{Cluster: 7, Revision: 1, Shards: 1}
	var listeners []*street
	for node := range uint64(2) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, &street{Listener: listener})
		state.Members = append(state.Members, &clusterv1.Member{Node: node + 1, Name: "n",
			Rpc: listener.Addr().String()})
	}
	var nodes []*Cluster
	for i, listener := range listeners {
		credentials, err := trust.Loopback().Credentials(uint64(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		host := lodger{node: uint64(i + 1), state: state}
		node, err := Start(Options{
			Name: "n", Version: "dev", Listener: listener, RPC: listener.Addr().String(), Gossip: "127.0.0.1:0",
			Keys:        trust.Loopback().GossipKeys(),
			Credentials: credentials, Expect: 1, Shards: 1, Replicas: 3, Host: host, Work: host, Fatal: func(error) {},
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(node.Close)
		nodes = append(nodes, node)
	}
	t.Cleanup(listeners[1].thaw) // before the nodes are closed
	return nodes[0], nodes[1], listeners[1]
}

// deliver sends a delivery and returns how it ended.
func deliver(t *testing.T, from *Cluster, to uint64) error {
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

func TestWhoStandsStillIsGivenUp(t *testing.T) {
	first, _, way := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	if !first.Reaches(2) || first.Lost(2) || first.Isolated() > 0 {
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
	await(t, "the other node counts as lost", func() bool { return first.Lost(2) && first.Isolated() > lostAfter })
	way.thaw()
	await(t, "a delivery arrives again", func() bool { return deliver(t, first, 2) == nil })
	if first.Lost(2) || first.Isolated() > 0 {
		t.Error("who is back counts as lost")
	}
}

func TestWhoIsQuietIsReached(t *testing.T) {
	first, _, _ := neighbours(t)
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

func TestWhoDiedIsGivenUpAtOnce(t *testing.T) {
	first, second, _ := neighbours(t)
	await(t, "a delivery arrives", func() bool { return deliver(t, first, 2) == nil })
	second.Close()
	await(t, "the broken connection is seen", func() bool { return !first.Reaches(2) })
	if err := deliver(t, first, 2); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a delivery to the dead: %v, want %v", err, ErrUnreachable)
	}
}

// Two nodes that ask each other for news both wait for ten seconds, unless the word of a new leader
// ends that.
func TestNewsOfALeaderEndTheQuestion(t *testing.T) {
	first, _, _ := neighbours(t)
	await(t, "a question waits", func() bool { return first.asking.Load() != nil })
	waiting, began := first.asking.Load(), time.Now()
	first.membership.Announce(gossip.Hint{Shard: 0, Term: 5, Node: 2})
	await(t, "it is put anew", func() bool { now := first.asking.Load(); return now != nil && now != waiting })
	if took := time.Since(began); took > stateWait/2 {
		t.Errorf("it took %v", took)
	}
}

// TestOperatorsWaitForALeader: the meta group moves while nodes are drained and removed, and has no
// leader for a moment.
func TestOperatorsWaitForALeader(t *testing.T) {
	first, _, _ := neighbours(t)
	lead := time.AfterFunc(300*time.Millisecond, func() { first.Led(gossip.Hint{Shard: 0, Term: 5, Node: 1}, true) })
	defer lead.Stop()
	if _, err := first.Operate(t.Context(), "nobody", clusterv1.Standing_STANDING_DRAINING); !errors.Is(err,
		ErrRefused) {
		t.Errorf("got %v, want the answer of the leader", err)
	}
}
