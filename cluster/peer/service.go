package peer

import (
	"context"
	"errors"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/trust"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// service answers the other nodes.
type service struct {
	clusterv1.UnimplementedNodeServiceServer
	peers *Peers
}

// caller reads who calls. The node is the one of its certificate; with certificates that name none,
// it is the one that the call names.
func caller(ctx context.Context) (node, cluster uint64, err error) {
	md, _ := metadata.FromIncomingContext(ctx)
	read := func(key string) uint64 {
		values := md.Get(key)
		if len(values) != 1 {
			return 0
		}
		n, _ := strconv.ParseUint(values[0], 16, 64)
		return n
	}
	node, cluster = read(keyNode), read(keyCluster)
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return 0, 0, status.Error(codes.Unauthenticated, "no connection")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return 0, 0, status.Error(codes.Unauthenticated, "no TLS")
	}
	named, err := trust.NodeOf(info.State)
	if err != nil || node == 0 || named != 0 && named != node {
		return 0, 0, status.Error(codes.Unauthenticated, "the caller is not the node of its certificate")
	}
	return node, cluster, nil
}

// peer is a caller of this cluster, as a member of it: a node that was removed still has its
// certificate, and the id of the cluster.
func (s *service) peer(ctx context.Context) (node uint64, err error) {
	node, err = s.ofCluster(ctx)
	if err != nil {
		return 0, err
	}
	return node, s.mayCall(node)
}

// ofCluster is a caller that names this cluster.
func (s *service) ofCluster(ctx context.Context) (node uint64, err error) {
	node, cluster, err := caller(ctx)
	if err != nil {
		return 0, err
	}
	own := s.peers.options.Self.Cluster()
	if own == 0 || cluster != own {
		return 0, status.Errorf(codes.FailedPrecondition, "cluster %s is another one: this node is of %s",
			hexID(cluster), hexID(own))
	}
	return node, nil
}

// mayCall rejects nodes that are no members, as far as this node knows: those that were removed,
// and those that never registered. One that has just registered is let in as soon as the new record
// is here, and tries again until then. A node that has no record yet can't tell.
func (s *service) mayCall(node uint64) error {
	standing, known := s.peers.options.Control.Standing(node)
	switch {
	case !known, standing != clusterv1.Standing_STANDING_UNSPECIFIED && standing != clusterv1.Standing_STANDING_REMOVED:
		return nil
	case standing == clusterv1.Standing_STANDING_REMOVED:
		s.peers.rejected.Add(1)
		return status.Errorf(codes.PermissionDenied, "node %s was removed from the cluster", hexID(node))
	}
	s.peers.rejected.Add(1)
	return status.Errorf(codes.PermissionDenied, "node %s is no member of the cluster that this node knows",
		hexID(node))
}

// Nominate implements clusterv1.NodeServiceServer.
func (s *service) Nominate(ctx context.Context, request *clusterv1.NominateRequest) (*clusterv1.NominateResponse,
	error) {
	node, cluster, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if cluster != 0 || node != request.GetNode() {
		return nil, status.Error(codes.InvalidArgument, "a node proposes itself, and has no cluster")
	}
	reason := s.peers.options.Control.Nominate(node)
	return &clusterv1.NominateResponse{Granted: reason == "", Reason: reason}, nil
}

// Join implements clusterv1.NodeServiceServer.
func (s *service) Join(ctx context.Context, request *clusterv1.JoinRequest) (*clusterv1.JoinResponse, error) {
	node, cluster, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	own := s.peers.options.Self.Cluster()
	if own == 0 || cluster != 0 && cluster != own {
		return nil, status.Errorf(codes.FailedPrecondition, "cluster %s is another one: this node is of %s",
			hexID(cluster), hexID(own))
	}
	if request.GetMember().GetNode() != node {
		return nil, status.Error(codes.InvalidArgument, "a node registers itself")
	}
	state, err := s.peers.options.Control.Register(ctx, request.GetMember(), request.GetShards())
	if err != nil {
		return nil, statusOf(err)
	}
	return &clusterv1.JoinResponse{State: state}, nil
}

// State implements clusterv1.NodeServiceServer.
func (s *service) State(ctx context.Context, request *clusterv1.StateRequest) (*clusterv1.StateResponse, error) {
	node, err := s.ofCluster(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.mayCall(node); err != nil {
		if removed := s.peers.options.Control.RecordOfRemoved(node); removed != nil {
			return &clusterv1.StateResponse{State: removed}, nil // how else would it know?
		}
		return nil, err
	}
	return &clusterv1.StateResponse{State: s.peers.options.Control.State(ctx, request.GetKnownRevision())}, nil
}

// Operate implements clusterv1.NodeServiceServer.
func (s *service) Operate(ctx context.Context, request *clusterv1.OperateRequest) (*clusterv1.OperateResponse, error) {
	if _, err := s.peer(ctx); err != nil {
		return nil, err
	}
	state, err := s.peers.options.Control.OperateAsLeader(ctx, request.GetNode(), request.GetStanding())
	if err != nil {
		return nil, statusOf(err)
	}
	return &clusterv1.OperateResponse{State: state}, nil
}

// CreateReplica implements clusterv1.NodeServiceServer.
func (s *service) CreateReplica(ctx context.Context,
	request *clusterv1.CreateReplicaRequest) (*clusterv1.CreateReplicaResponse, error) {
	if _, err := s.peer(ctx); err != nil {
		return nil, err
	}
	if err := s.peers.options.Replicas.CreateReplica(request.GetShard(), request.GetReplica()); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &clusterv1.CreateReplicaResponse{}, nil
}

// Replicas implements clusterv1.NodeServiceServer.
func (s *service) Replicas(ctx context.Context, _ *clusterv1.ReplicasRequest) (*clusterv1.ReplicasResponse, error) {
	if _, err := s.peer(ctx); err != nil {
		return nil, err
	}
	replicas, err := s.peers.options.Replicas.Replicas()
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &clusterv1.ReplicasResponse{Replicas: replicas}, nil
}

// Raft implements clusterv1.NodeServiceServer.
func (s *service) Raft(stream grpc.ClientStreamingServer[clusterv1.RaftRequest, clusterv1.RaftResponse]) error {
	from, err := s.peer(stream.Context())
	if err != nil {
		return err
	}
	for {
		request, err := stream.Recv()
		if err != nil {
			return status.Error(codes.Unavailable, "the stream is over")
		}
		if err := s.mayCall(from); err != nil {
			return err
		}
		for _, m := range request.GetMessages() {
			if err := s.peers.options.Consensus.Receive(from, m.GetShard(), m.GetMessage()); err != nil {
				s.peers.options.Logger.Debug("a consensus message was dropped", "from", hexID(from), "shard",
					m.GetShard(),
					"error", err)
			}
		}
	}
}

// Admin implements clusterv1.NodeServiceServer.
func (s *service) Admin(ctx context.Context, request *clusterv1.AdminRequest) (*clusterv1.AdminResponse, error) {
	if _, err := s.peer(ctx); err != nil {
		return nil, err
	}
	response, err := s.peers.options.Work.Admin(ctx, request.GetProcedure(), request.GetRequest())
	if err != nil {
		return nil, err
	}
	return &clusterv1.AdminResponse{Response: response}, nil
}

// statusOf makes a gRPC error of the classes that callers tell apart.
func statusOf(err error) error {
	switch {
	case errors.Is(err, control.ErrNotMeta):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, control.ErrRejected), errors.Is(err, control.ErrRemoved):
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}
