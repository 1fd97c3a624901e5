package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

const (
	// snapshotBatch is about how much of a snapshot travels as one message.
	snapshotBatch = 256 << 10
	// snapshotStalls bounds how long nothing of a snapshot gets on, or the other side takes to put
	// it in its place. The whole has no bound: a shard may be as large as a disk.
	snapshotStalls = time.Minute
)

// SendSnapshot streams a snapshot to a node, on a goroutine of its own, and closes it. done
// receives the outcome.
func (p *Peers) SendSnapshot(m Message, snapshot Snapshot, done func(error)) {
	ok := p.run(func(ctx context.Context) {
		err := p.sendSnapshot(ctx, m, snapshot)
		snapshot.Close()
		if err != nil && ctx.Err() == nil {
			p.options.Logger.Warn("a snapshot was not sent", "shard", m.Shard, "to", hexID(m.Node), "error", err)
		}
		done(err)
	})
	if !ok {
		snapshot.Close()
		done(context.Canceled)
	}
}

func (p *Peers) sendSnapshot(ctx context.Context, m Message, snapshot Snapshot) error {
	l := p.links.to(m.Node)
	if l == nil {
		return errUnknownAddress(m.Node)
	}
	data, err := proto.Marshal(m.Message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(ctx, p.outgoing()))
	defer cancel()
	stalls := time.AfterFunc(snapshotStalls, cancel)
	defer stalls.Stop()
	stream, err := l.client.Snapshot(ctx)
	if err != nil {
		return err
	}
	out := snapshotWriter{stream: stream, stalls: stalls,
		request: &clusterv1.SnapshotRequest{Message: &clusterv1.RaftMessage{Shard: m.Shard, Message: data}}}
	if err := snapshot.Each(out.add); err != nil {
		return out.reason(err)
	}
	out.request.Last, out.request.Count, out.request.Checksum = true, out.sum.count, out.sum.hash.Sum64()
	if err := out.flush(); err != nil {
		return out.reason(err)
	}
	_, err = stream.CloseAndRecv()
	return err
}

// snapshotWriter gathers records.
type snapshotWriter struct {
	stream  grpc.ClientStreamingClient[clusterv1.SnapshotRequest, clusterv1.SnapshotResponse]
	stalls  *time.Timer
	request *clusterv1.SnapshotRequest
	size    int
	sum     snapshotSum
}

func (w *snapshotWriter) add(key, value []byte) error {
	w.sum.add(key, value)
	w.request.Records = append(w.request.Records, &clusterv1.SnapshotRecord{Key: append([]byte(nil), key...),
		Value: append([]byte(nil), value...)})
	if w.size += len(key) + len(value); w.size < snapshotBatch {
		return nil
	}
	return w.flush()
}

func (w *snapshotWriter) flush() error {
	err := w.stream.Send(w.request)
	w.stalls.Reset(snapshotStalls)
	w.request, w.size = &clusterv1.SnapshotRequest{}, 0
	return err
}

// reason is what the other side said, where it ended the stream.
func (w *snapshotWriter) reason(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	_, err = w.stream.CloseAndRecv()
	return err
}

// snapshotSum is the checksum over the records of a snapshot.
type snapshotSum struct {
	hash  xxhash.Digest
	count uint64
}

func (s *snapshotSum) add(key, value []byte) {
	if s.count++; s.count == 1 {
		s.hash.Reset()
	}
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:], uint64(len(key)))
	binary.BigEndian.PutUint64(lengths[8:], uint64(len(value)))
	_, _ = s.hash.Write(lengths[:])
	_, _ = s.hash.Write(key)
	_, _ = s.hash.Write(value)
}

// Snapshot receives the state of a shard.
func (s *service) Snapshot(stream grpc.ClientStreamingServer[clusterv1.SnapshotRequest,
	clusterv1.SnapshotResponse]) error {
	from, err := s.peer(stream.Context())
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	staged, err := s.peers.options.Consensus.Stage(first.GetMessage().GetShard())
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if err := receiveSnapshot(stream, first, staged); err != nil {
		staged.Discard()
		return status.Error(codes.DataLoss, err.Error())
	}
	done := make(chan error, 1)
	staged.Commit(from, first.GetMessage().GetMessage(), func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			return status.Error(codes.FailedPrecondition, err.Error())
		}
		return stream.SendAndClose(&clusterv1.SnapshotResponse{})
	case <-s.peers.ctx.Done():
		return status.Error(codes.Unavailable, "the node stops")
	}
}

func receiveSnapshot(
	stream grpc.ClientStreamingServer[clusterv1.SnapshotRequest, clusterv1.SnapshotResponse],
	request *clusterv1.SnapshotRequest, staged Stage,
) error {
	var sum snapshotSum
	for {
		for _, record := range request.GetRecords() {
			sum.add(record.GetKey(), record.GetValue())
			if err := staged.Add(record.GetKey(), record.GetValue()); err != nil {
				return err
			}
		}
		if request.GetLast() {
			if request.GetCount() != sum.count || request.GetChecksum() != sum.hash.Sum64() {
				return fmt.Errorf("peer: a snapshot of %d records came as %d, or with other contents",
					request.GetCount(), sum.count)
			}
			return nil
		}
		var err error
		if request, err = stream.Recv(); err != nil {
			return fmt.Errorf("peer: a snapshot broke off: %w", err)
		}
	}
}
