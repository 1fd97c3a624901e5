package admin

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

var errAlone = connect.NewError(connect.CodeFailedPrecondition,
	errors.New("this node stays alone: it has no cluster.secret, no node to join or to expect, "+
		"and no address for others"))

// Backups makes backups.
type Backups interface {
	// CreateBackup makes one. It may take minutes, and ends with ctx.
	CreateBackup(ctx context.Context) (*wactorv1.CreateBackupResponse, error)
}

func (s *Service) createBackup(ctx context.Context,
	_ *wactorv1.CreateBackupRequest) (*wactorv1.CreateBackupResponse, error) {
	if s.options.Backups == nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition,
			errors.New("the node makes no backups: its configuration has no backup.to"))
	}
	response, err := s.options.Backups.CreateBackup(ctx)
	if err != nil {
		return nil, connect.NewError(connect.CodeAborted, err)
	}
	return response, nil
}

func (s *Service) clusterStatus(ctx context.Context,
	_ *wactorv1.ClusterStatusRequest) (*wactorv1.ClusterStatusResponse, error) {
	if s.options.Cluster == nil {
		return nil, errAlone
	}
	status, err := s.options.Cluster.Status(ctx)
	if err != nil {
		return nil, connect.NewError(connect.CodeInternal, err)
	}
	return status, nil
}

func (s *Service) changeNode(ctx context.Context,
	request *wactorv1.ChangeNodeRequest) (*wactorv1.ChangeNodeResponse, error) {
	switch {
	case s.options.Cluster == nil:
		return nil, errAlone
	case request.Node == "" || request.Change == wactorv1.NodeChange_NODE_CHANGE_UNSPECIFIED:
		return nil, connect.NewError(connect.CodeInvalidArgument,
			errors.New("name a node, and what is to become of it"))
	}
	response, err := s.options.Cluster.Change(ctx, request.Node, request.Change)
	switch {
	case errors.Is(err, ErrRefused):
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	case err != nil:
		return nil, connect.NewError(connect.CodeAborted, err)
	}
	return response, nil
}

func finalize(s *Service, ctx context.Context, o *operation,
	request *wactorv1.FinalizeUpgradeRequest) (*wactorv1.FinalizeUpgradeResponse, error) {
	if s.options.Cluster == nil {
		return nil, errAlone
	}
	response := &wactorv1.FinalizeUpgradeResponse{}
	if err := s.ask(ctx, 0, o, request, response); err != nil {
		return nil, readError(err)
	}
	return response, nil
}

// finalizeWithin bounds the write of the cluster's record.
const finalizeWithin = 5 * time.Second

func finalizeHere(s *Service, _ *wactorv1.FinalizeUpgradeRequest) (*wactorv1.FinalizeUpgradeResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), finalizeWithin)
	defer cancel()
	format, err := s.options.Cluster.Finalize(ctx)
	return &wactorv1.FinalizeUpgradeResponse{Format: format}, err
}
