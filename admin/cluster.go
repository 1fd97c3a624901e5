package admin

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

var errAlone = connect.NewError(connect.CodeFailedPrecondition,
	errors.New("this node stays alone: it has no cluster.secret, no node to join or to expect, "+
		"and no address for others"))

// ClusterStatus describes the nodes and the shards.
func (s *Service) ClusterStatus(ctx context.Context,
	_ *connect.Request[wactorv1.ClusterStatusRequest]) (*connect.Response[wactorv1.ClusterStatusResponse], error) {
	if s.options.Cluster == nil {
		return nil, errAlone
	}
	status, err := s.options.Cluster.Status(ctx)
	if err != nil {
		return nil, connect.NewError(connect.CodeInternal, err)
	}
	return connect.NewResponse(status), nil
}

// ChangeNode drains a node, activates it again, or removes it.
func (s *Service) ChangeNode(ctx context.Context,
	request *connect.Request[wactorv1.ChangeNodeRequest]) (*connect.Response[wactorv1.ChangeNodeResponse], error) {
	switch {
	case s.options.Cluster == nil:
		return nil, errAlone
	case request.Msg.Node == "" || request.Msg.Change == wactorv1.NodeChange_NODE_CHANGE_UNSPECIFIED:
		return nil, connect.NewError(connect.CodeInvalidArgument,
			errors.New("name a node, and what is to become of it"))
	}
	response, err := s.options.Cluster.Change(ctx, request.Msg.Node, request.Msg.Change)
	switch {
	case errors.Is(err, ErrRefused):
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	case err != nil:
		return nil, connect.NewError(connect.CodeAborted, err)
	}
	return connect.NewResponse(response), nil
}
