// Package peer is what nodes send each other: one gRPC connection to each other node, with mutual
// TLS, which carries consensus messages, snapshots, deliveries and calls.
//
// Both sides of each connection check that the other has a certificate of this cluster; each call
// is checked to be of this cluster, and of a node that was not removed from it.
//
// Read peer.go first, then links.go, the streams (consensus.go, deliveries.go, snapshots.go) and
// service.go, which answers the others.
package peer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/trust"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/pause"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Self is this node. Its methods do not block.
type Self interface {
	// Node is its id, never 0.
	Node() uint64
	// Cluster is the id of its cluster, 0 where it has none yet.
	Cluster() uint64
}

// Consensus is what this node's replicas receive.
type Consensus interface {
	// Receive takes a message of the consensus core of another node. It does not block.
	Receive(from uint64, shard uint32, message []byte) error
	// Unreachable reports that messages to a node were lost.
	Unreachable(node uint64)
	// Stage begins to receive the state of a shard.
	Stage(shard uint32) (Stage, error)
}

// Stage is the state of a shard while it is received. Commit or Discard must follow.
type Stage interface {
	// Add adds a record. Keys come in their order, without the shard.
	Add(key, value []byte) error
	// Commit makes the state the replica's, if the consensus message that came with it asks for it.
	// done is called once.
	Commit(from uint64, message []byte, done func(error))
	// Discard forgets what came.
	Discard()
}

// Snapshot is the state of a shard while it is sent. It must be closed.
type Snapshot interface {
	// Each reads the records in the order of their keys, without the shard. Key and value are valid
	// during the call only.
	Each(each func(key, value []byte) error) error
	// Close gives the snapshot back.
	Close()
}

// Message is a message of the consensus core to another node. It is not changed any more.
type Message struct {
	Shard   uint32
	Node    uint64
	Message proto.Message
}

// Control answers what other nodes ask of the cluster's decisions (cluster/control).
type Control interface {
	// Nominate gives this node's consent to a founder, or says why not.
	Nominate(founder uint64) (reason string)
	// Register has the meta group know a node, where this one is its leader.
	Register(ctx context.Context, member *clusterv1.Member, shards uint32) (*clusterv1.ClusterState, error)
	// State returns a record that is newer than a revision, or the newest after a while.
	State(ctx context.Context, revision uint64) *clusterv1.ClusterState
	// OperateAsLeader changes the standing of a node, where this one is the meta group's leader.
	OperateAsLeader(ctx context.Context, name string, standing clusterv1.Standing) (*clusterv1.ClusterState, error)
	// Standing is what the record says of a node. Without a record it is not known.
	Standing(node uint64) (standing clusterv1.Standing, known bool)
	// RecordOfRemoved is what a node that was removed may know of the record; nil for others.
	RecordOfRemoved(node uint64) *clusterv1.ClusterState
}

// Replicas are those of this node.
type Replicas interface {
	// Replicas describes them, by shard.
	Replicas() ([]*clusterv1.ReplicaStatus, error)
	// CreateReplica makes an empty one, unless it is there.
	CreateReplica(shard uint32, replica uint64) error
}

// Work answers what other nodes ask for the conversations that this node leads.
type Work interface {
	// Deliver takes a delivery; with relay, to the leader, which its sender can't reach. It does
	// not block.
	Deliver(e delivery.Envelope, relay bool, done delivery.Done)
	// Admin answers a call of the admin API.
	Admin(ctx context.Context, procedure string, request []byte) ([]byte, error)
	// Backup begins a session of a backup.
	Backup() BackupSession
}

// Options configure Peers.
type Options struct {
	Self Self
	// Listener takes the calls of other nodes. It is closed with the Peers.
	Listener    net.Listener
	Credentials *trust.Credentials
	Consensus   Consensus
	Control     Control
	Replicas    Replicas
	Work        Work
	// Fatal receives why the listener can't be served any more.
	Fatal  func(error)
	Logger *slog.Logger
}

// Peers are the other nodes.
type Peers struct {
	options Options
	links   *links
	server  *grpc.Server

	// addresses are where nodes are called.
	addresses atomic.Pointer[map[uint64]string]
	rejected  atomic.Uint64

	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
	starting sync.Mutex // orders running.Go before Close
}

// New returns Peers that take no call before Serve.
func New(options Options) *Peers {
	p := &Peers{options: options}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.links = newLinks(p)
	p.addresses.Store(&map[uint64]string{})
	return p
}

// Serve takes the calls of other nodes.
func (p *Peers) Serve() {
	p.server = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(p.options.Credentials.Server())),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: silence}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second,
			PermitWithoutStream: true}),
		grpc.InitialWindowSize(4<<20), grpc.InitialConnWindowSize(16<<20),
		grpc.ConnectionTimeout(silence), // a caller that sends nothing is no node
		grpc.WaitForHandlers(true),      // so that nothing uses the host behind Close
	)
	clusterv1.RegisterNodeServiceServer(p.server, &service{peers: p})
	p.run(func(ctx context.Context) {
		if err := p.server.Serve(p.options.Listener); err != nil && ctx.Err() == nil {
			p.options.Fatal(fmt.Errorf("peer: serve %v: %w", p.options.Listener.Addr(), err))
		}
	})
	p.run(p.checkCertificates)
}

// checkCertificates reports new certificates that can't be used.
func (p *Peers) checkCertificates(ctx context.Context) {
	for reported := ""; pause.For(ctx, time.Second); {
		reported = p.options.Credentials.Report(p.options.Logger, reported)
	}
}

// run runs something that Close waits for; false where it is closed.
func (p *Peers) run(task func(context.Context)) bool {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	p.running.Go(func() { task(p.ctx) })
	return true
}

// Readdress says where nodes are called, host:port.
func (p *Peers) Readdress(addresses map[uint64]string) { p.addresses.Store(&addresses) }

// address is where a node is called; empty where that is not known.
func (p *Peers) address(node uint64) string { return (*p.addresses.Load())[node] }

// Reset breaks the connection to a node that is gone: what waits for it need not wait for a
// timeout.
func (p *Peers) Reset(node uint64) { p.links.reset(node) }

// Rejected is the number of calls, and messages of streams, of nodes that are no members of the
// cluster.
func (p *Peers) Rejected() uint64 { return p.rejected.Load() }

// Close ends all calls and returns when nothing runs any more.
func (p *Peers) Close() {
	p.starting.Lock()
	p.cancel()
	p.starting.Unlock()
	p.links.close()
	if p.server != nil {
		p.server.Stop()
	}
	p.running.Wait()
}

// signal puts a value into a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hexID writes the id of a node or a cluster.
func hexID(id uint64) string { return fmt.Sprintf("%016x", id) }
