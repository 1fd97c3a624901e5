package peer

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// BackupSession is the part of one node in a backup. Its methods are called one after the other.
type BackupSession interface {
	// Hold keeps conversations from taking anything from each other, and returns the shards that
	// the node leads.
	Hold(ctx context.Context) (held []*clusterv1.HeldShard, epoch uint64, err error)
	// View takes a view of each of these shards.
	View(ctx context.Context, shards []uint32) ([]*clusterv1.HeldShard, error)
	// Release ends the hold.
	Release(ctx context.Context) error
	// Read reads the view of a shard. Key and value are valid during the call only.
	Read(ctx context.Context, shard uint32, each func(key, value []byte) error) error
	// Close gives everything back.
	Close()
}

// Backup begins a session with another node. It must be closed; it fails when ctx ends.
func (p *Peers) Backup(ctx context.Context, node uint64) (BackupSession, error) {
	l := p.links.to(node)
	if l == nil {
		return nil, errUnknownAddress(node)
	}
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(ctx, p.outgoing()))
	stream, err := l.client.Backup(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &remoteSession{stream: stream, cancel: cancel}, nil
}

// remoteSession is a session with another node. The stream's context is that of Backup.
type remoteSession struct {
	stream grpc.BidiStreamingClient[clusterv1.BackupRequest, clusterv1.BackupResponse]
	cancel context.CancelFunc
}

func (s *remoteSession) do(request *clusterv1.BackupRequest) (*clusterv1.BackupResponse, error) {
	if err := s.stream.Send(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s.stream.Recv() // also says why it could not be sent
}

// Hold implements BackupSession.
func (s *remoteSession) Hold(context.Context) ([]*clusterv1.HeldShard, uint64, error) {
	response, err := s.do(&clusterv1.BackupRequest{Step: &clusterv1.BackupRequest_Hold{
		Hold: &clusterv1.BackupHold{}}})
	return response.GetHeld(), response.GetEpoch(), err
}

// View implements BackupSession.
func (s *remoteSession) View(_ context.Context, shards []uint32) ([]*clusterv1.HeldShard, error) {
	response, err := s.do(&clusterv1.BackupRequest{Step: &clusterv1.BackupRequest_View{
		View: &clusterv1.BackupView{Shards: shards}}})
	return response.GetHeld(), err
}

// Release implements BackupSession.
func (s *remoteSession) Release(context.Context) error {
	_, err := s.do(&clusterv1.BackupRequest{Step: &clusterv1.BackupRequest_Release{
		Release: &clusterv1.BackupRelease{}}})
	return err
}

// Read implements BackupSession.
func (s *remoteSession) Read(_ context.Context, shard uint32, each func(key, value []byte) error) error {
	response, err := s.do(&clusterv1.BackupRequest{Step: &clusterv1.BackupRequest_Read{
		Read: &clusterv1.BackupRead{Shard: shard}}})
	for ; err == nil; response, err = s.stream.Recv() {
		for _, record := range response.GetRecords() {
			if err := each(record.GetKey(), record.GetValue()); err != nil {
				return err
			}
		}
		if response.GetLast() {
			return nil
		}
	}
	return err
}

// Close implements BackupSession.
func (s *remoteSession) Close() { s.cancel() }

// Backup runs a session for another node.
func (s *service) Backup(stream grpc.BidiStreamingServer[clusterv1.BackupRequest, clusterv1.BackupResponse]) error {
	if _, err := s.peer(stream.Context()); err != nil {
		return err
	}
	session := s.peers.options.Work.Backup()
	defer session.Close()
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := backupStep(stream, session, request); err != nil {
			return status.Error(codes.Aborted, err.Error())
		}
	}
}

func backupStep(stream grpc.BidiStreamingServer[clusterv1.BackupRequest, clusterv1.BackupResponse],
	session BackupSession, request *clusterv1.BackupRequest) error {
	ctx, response := stream.Context(), &clusterv1.BackupResponse{}
	var err error
	switch step := request.GetStep().(type) {
	case *clusterv1.BackupRequest_Hold:
		response.Held, response.Epoch, err = session.Hold(ctx)
	case *clusterv1.BackupRequest_View:
		response.Held, err = session.View(ctx, step.View.GetShards())
	case *clusterv1.BackupRequest_Release:
		err = session.Release(ctx)
	case *clusterv1.BackupRequest_Read:
		size := 0
		err = session.Read(ctx, step.Read.GetShard(), func(key, value []byte) error {
			response.Records = append(response.Records, &clusterv1.SnapshotRecord{
				Key: append([]byte(nil), key...), Value: append([]byte(nil), value...)})
			if size += len(key) + len(value); size < snapshotBatch {
				return nil
			}
			full := response
			response, size = &clusterv1.BackupResponse{}, 0
			return stream.Send(full)
		})
		response.Last = true
	default:
		return errors.New("peer: this version does not know that step of a backup")
	}
	if err != nil {
		return err
	}
	return stream.Send(response)
}
