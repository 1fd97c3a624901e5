package peer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/wactor/wactor/cluster/control"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

var _ control.Transport = (*Peers)(nil)

// call calls a node.
func call[Request, Response any](
	ctx context.Context, p *Peers, node uint64, request Request,
	method func(clusterv1.NodeServiceClient, context.Context, Request, ...grpc.CallOption) (Response, error),
) (Response, error) {
	l := p.links.to(node)
	if l == nil {
		var none Response
		return none, errUnknownAddress(node)
	}
	response, err := method(l.client, metadata.NewOutgoingContext(ctx, p.outgoing()), request)
	if status.Code(err) == codes.FailedPrecondition {
		why := status.Convert(err).Message()
		for _, before := range []string{control.ErrRejected.Error(), "cluster: refused"} { // of older versions
			why = strings.TrimPrefix(why, before+": ")
		}
		err = fmt.Errorf("%w: %s", control.ErrRejected, why)
	}
	return response, err
}

func errUnknownAddress(node uint64) error {
	return fmt.Errorf("%w: the address of node %s is not known", ErrUnreachable, hexID(node))
}

// Nominate implements control.Transport.
func (p *Peers) Nominate(ctx context.Context, node uint64) (granted bool, reason string, err error) {
	response, err := call(ctx, p, node, &clusterv1.NominateRequest{Node: p.options.Self.Node()},
		clusterv1.NodeServiceClient.Nominate)
	return response.GetGranted(), response.GetReason(), err
}

// Join implements control.Transport.
func (p *Peers) Join(ctx context.Context, node uint64, self *clusterv1.Member,
	shards uint32) (*clusterv1.ClusterState, error) {
	response, err := call(ctx, p, node, &clusterv1.JoinRequest{Member: self, Shards: shards},
		clusterv1.NodeServiceClient.Join)
	return response.GetState(), err
}

// State implements control.Transport.
func (p *Peers) State(ctx context.Context, node, revision uint64) (*clusterv1.ClusterState, error) {
	response, err := call(ctx, p, node, &clusterv1.StateRequest{KnownRevision: revision},
		clusterv1.NodeServiceClient.State)
	return response.GetState(), err
}

// Operate implements control.Transport.
func (p *Peers) Operate(ctx context.Context, node uint64, name string,
	standing clusterv1.Standing) (*clusterv1.ClusterState, error) {
	response, err := call(ctx, p, node, &clusterv1.OperateRequest{Node: name, Standing: standing},
		clusterv1.NodeServiceClient.Operate)
	return response.GetState(), err
}

// CreateReplica implements control.Transport.
func (p *Peers) CreateReplica(ctx context.Context, node uint64, shard uint32, replica uint64) error {
	_, err := call(ctx, p, node, &clusterv1.CreateReplicaRequest{Shard: shard, Replica: replica},
		clusterv1.NodeServiceClient.CreateReplica)
	return err
}

// Replicas implements control.Transport.
func (p *Peers) Replicas(ctx context.Context, node uint64) ([]*clusterv1.ReplicaStatus, error) {
	response, err := call(ctx, p, node, &clusterv1.ReplicasRequest{},
		clusterv1.NodeServiceClient.Replicas)
	return response.GetReplicas(), err
}

// adminWithin bounds one call of the admin API.
const adminWithin = 10 * time.Second

// Ask has a node answer a call of the admin API for what it leads.
func (p *Peers) Ask(ctx context.Context, node uint64, procedure string, request []byte) ([]byte, error) {
	l := p.links.to(node)
	if l == nil {
		return nil, errUnknownAddress(node)
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, p.outgoing()), adminWithin)
	defer cancel()
	answer, err := l.client.Admin(ctx, &clusterv1.AdminRequest{Procedure: procedure, Request: request})
	return answer.GetResponse(), err
}
