package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/wactor/wactor/cluster/trust"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Metadata keys of every call.
const (
	keyCluster = "wactor-cluster"
	keyNode    = "wactor-node"
)

const (
	// maxMessage bounds one gRPC message. A command of a log has up to 32 MiB.
	maxMessage = 64 << 20
	// silence is how long written bytes may stay unacknowledged until a connection counts as
	// broken.
	silence = 2 * time.Second
)

// links are the connections to other nodes, one to each.
type links struct {
	peers *Peers

	mu     sync.Mutex
	byNode map[uint64]*link
	closed bool
}

// link is the connection to one node, with the streams over it.
type link struct {
	node    uint64
	address string
	conn    *grpc.ClientConn
	client  clusterv1.NodeServiceClient
	raft    *consensusStream
	work    *deliveryStream
}

func newLinks(p *Peers) *links { return &links{peers: p, byNode: map[uint64]*link{}} }

// to returns the link to a node, whose address may have changed; nil where the address is unknown.
func (l *links) to(node uint64) *link {
	address := l.peers.address(node)
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.byNode[node]
	switch {
	case l.closed:
		return nil
	case known != nil && (known.address == address || address == ""):
		return known
	case known != nil:
		l.peers.run(func(context.Context) { known.close() })
		delete(l.byNode, node)
	}
	if address == "" {
		return nil
	}
	made, err := l.dial(node, address)
	if err != nil {
		l.peers.options.Logger.Error("a node can't be called", "node", hexID(node), "error", err)
		return nil
	}
	l.byNode[node] = made
	return made
}

func (l *links) dial(node uint64, address string) (*link, error) {
	conn, err := l.peers.dial(node, address)
	if err != nil {
		return nil, err
	}
	made := &link{node: node, address: address, conn: conn, client: clusterv1.NewNodeServiceClient(conn)}
	made.raft = newConsensusStream(l.peers, made)
	made.work = newDeliveryStream(l.peers, made)
	return made, nil
}

// dial makes a connection to a node; node 0 is the one that is there.
func (p *Peers) dial(node uint64, address string) (*grpc.ClientConn, error) {
	config := p.options.Credentials.Client()
	verify := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if err := verify(state); err != nil {
			return err
		}
		named, err := trust.NodeOf(state)
		if err == nil && node != 0 && named != 0 && named != node {
			err = fmt.Errorf("%w: at %s is node %s, not %s", trust.ErrUntrusted, address, hexID(named), hexID(node))
		}
		return err
	}
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: silence,
			PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2,
				MaxDelay: time.Second},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithInitialWindowSize(4<<20), grpc.WithInitialConnWindowSize(16<<20),
	)
}

// reset breaks the streams to a node that is gone: what waits for it need not wait for a timeout.
func (l *links) reset(node uint64) {
	l.mu.Lock()
	known := l.byNode[node]
	delete(l.byNode, node)
	l.mu.Unlock()
	if known != nil {
		known.close()
	}
}

func (l *links) close() {
	l.mu.Lock()
	l.closed = true
	all := l.byNode
	l.byNode = map[uint64]*link{}
	l.mu.Unlock()
	for _, one := range all {
		one.close()
	}
}

func (l *link) close() {
	l.raft.stop()
	l.work.stop()
	_ = l.conn.Close()
	l.raft.wait()
	l.work.wait()
}

// outgoing names the caller.
func (p *Peers) outgoing() metadata.MD {
	return metadata.Pairs(keyCluster, hexID(p.options.Self.Cluster()), keyNode, hexID(p.options.Self.Node()))
}

// jitter spreads a wait, so that nodes do not do the same at once for ever.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
