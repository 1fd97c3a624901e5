package peer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/grpc"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// slowPeer takes a message of a snapshot in a while, or never.
type slowPeer struct {
	clusterv1.NodeServiceClient
	grpc.ClientStream
	ctx   context.Context
	takes time.Duration
	got   int
}

func (p *slowPeer) Snapshot(ctx context.Context, _ ...grpc.CallOption) (
	grpc.ClientStreamingClient[clusterv1.SnapshotRequest, clusterv1.SnapshotResponse], error,
) {
	p.ctx = ctx
	return p, nil
}

func (p *slowPeer) Send(*clusterv1.SnapshotRequest) error {
	p.got++
	select {
	case <-time.After(p.takes):
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

func (p *slowPeer) CloseAndRecv() (*clusterv1.SnapshotResponse, error) {
	return &clusterv1.SnapshotResponse{}, p.ctx.Err()
}

// large is a snapshot of a thousand messages.
type large struct{}

func (large) Close() {}
func (large) Each(each func(key, value []byte) error) error {
	value := make([]byte, snapshotBatch)
	for i := range 1000 {
		if err := each([]byte{byte(i >> 8), byte(i)}, value); err != nil {
			return err
		}
	}
	return nil
}

// TestASnapshotMayTakeHours: as long as it gets on.
func TestASnapshotMayTakeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			takes time.Duration
			got   int
			err   error
		}{
			{snapshotStalls / 2, 1001, nil},
			{2 * snapshotStalls, 1, context.Canceled},
		} {
			peer := &slowPeer{takes: test.takes}
			p := New(Options{Self: node{1, 9}})
			p.links.byNode[2] = &link{node: 2, client: peer}
			began := time.Now()
			err := p.sendSnapshot(t.Context(), Message{Shard: 1, Node: 2, Message: &raftpb.Message{}}, large{})
			if !errors.Is(err, test.err) || peer.got != test.got {
				t.Errorf("with %v a message: %v after %v and %d messages", test.takes, err, time.Since(began), peer.got)
			}
		}
	})
}

// node is a node of a cluster.
type node struct{ id, cluster uint64 }

func (n node) Node() uint64    { return n.id }
func (n node) Cluster() uint64 { return n.cluster }
