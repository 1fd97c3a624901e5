package peer

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/pause"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

const (
	// raftQueue is how many messages wait for one node, and raftQueueBytes the bytes from which on
	// nothing more is taken; what is dropped the consensus core sends again.
	raftQueue      = 8192
	raftQueueBytes = 64 << 20
	// raftBatch bounds what travels as one message of the stream, about.
	raftBatch = 1 << 20
)

// consensusStream carries consensus messages to one node, in order, many at once.
type consensusStream struct {
	peers *Peers
	link  *link

	mu      sync.Mutex
	queue   []Message
	bytes   int // in the queue
	wake    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	stopped sync.WaitGroup
}

func newConsensusStream(p *Peers, l *link) *consensusStream {
	s := &consensusStream{peers: p, link: l, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.stopped.Go(s.run)
	return s
}

func (s *consensusStream) stop() { s.cancel() }
func (s *consensusStream) wait() { s.stopped.Wait() }

// send queues messages; what can't be queued is lost.
func (s *consensusStream) send(messages []Message) {
	s.mu.Lock()
	queued := 0
	for queued < len(messages) && len(s.queue) < raftQueue && s.bytes < raftQueueBytes {
		s.queue = append(s.queue, messages[queued])
		s.bytes += proto.Size(messages[queued].Message)
		queued++
	}
	s.mu.Unlock()
	signal(s.wake)
	if queued < len(messages) {
		s.peers.options.Consensus.Unreachable(s.link.node)
	}
}

func (s *consensusStream) take() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue, s.bytes = nil, 0
	return all
}

// run keeps a stream open as long as the link lasts.
func (s *consensusStream) run() {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		began := time.Now()
		s.stream()
		if s.take(); s.ctx.Err() != nil {
			return
		}
		s.peers.options.Consensus.Unreachable(s.link.node)
		if time.Since(began) > 5*time.Second {
			wait = 20 * time.Millisecond
		}
		if !pause.For(s.ctx, jitter(wait)) {
			return
		}
	}
}

// stream sends until the stream breaks.
func (s *consensusStream) stream() {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(s.ctx, s.peers.outgoing()))
	defer cancel()
	stream, err := s.link.client.Raft(ctx)
	if err != nil {
		return
	}
	for {
		select {
		case <-s.wake:
		case <-stream.Context().Done():
			return
		}
		messages := s.take()
		for len(messages) > 0 {
			request := &clusterv1.RaftRequest{}
			for size := 0; len(messages) > 0 && size < raftBatch; messages = messages[1:] {
				data, err := proto.Marshal(messages[0].Message)
				if err != nil {
					continue // it can't be: the consensus core made it
				}
				size += len(data)
				request.Messages = append(request.Messages, &clusterv1.RaftMessage{Shard: messages[0].Shard,
					Message: data})
			}
			if err := stream.Send(request); err != nil {
				return
			}
		}
	}
}

// SendConsensus sends consensus messages to the nodes that they are for. It does not block.
func (p *Peers) SendConsensus(messages []Message) {
	for len(messages) > 0 {
		node, n := messages[0].Node, 1
		for n < len(messages) && messages[n].Node == node {
			n++
		}
		if l := p.links.to(node); l != nil {
			l.raft.send(messages[:n])
		}
		messages = messages[n:]
	}
}
