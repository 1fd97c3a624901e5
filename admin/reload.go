package admin

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Reloader reads the configuration of this node again and takes up what needs no restart, whole or
// not at all. With check it only says what it would do.
type Reloader interface {
	Reload(check bool) (*wactorv1.ReloadResponse, error)
}

// reloading makes the entry of the reload of one node. Another node may ask for it, too.
func reloading() *operation {
	o := serve("Reload", reload)
	o.answer = func(s *Service, data []byte) (proto.Message, error) {
		request := &wactorv1.ReloadRequest{}
		if err := proto.Unmarshal(data, request); err != nil {
			return nil, err
		}
		return s.options.Reloader.Reload(request.Check)
	}
	return o
}

func reload(s *Service, _ context.Context, request *wactorv1.ReloadRequest) (*wactorv1.ReloadResponse, error) {
	response, err := s.options.Reloader.Reload(request.Check)
	if err != nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	}
	return response, nil
}

// reloadCluster has all nodes check first, so that one mistake changes none of them, and then
// reload one after the other. It ends at the first that fails.
func reloadCluster(s *Service, ctx context.Context,
	request *wactorv1.ReloadClusterRequest) (*wactorv1.ReloadClusterResponse, error) {
	if s.options.Cluster == nil {
		return nil, errAlone
	}
	nodes := s.options.Cluster.Nodes()
	checked := reloadEach(s, ctx, nodes, true, false)
	if request.Check || !checked.Agree {
		return checked, nil
	}
	return reloadEach(s, ctx, nodes, false, true), nil
}

// reloadEach asks one node after the other; agree says that none failed and that all serve alike.
func reloadEach(s *Service, ctx context.Context, nodes []NodeName, check, stop bool) *wactorv1.ReloadClusterResponse {
	all := &wactorv1.ReloadClusterResponse{Agree: true, Checked: check}
	digest := ""
	for _, node := range nodes {
		one := &wactorv1.NodeReload{Node: node.Name}
		all.Nodes = append(all.Nodes, one)
		if stop && !all.Agree {
			one.Skipped = true
			continue
		}
		response, err := reloadAt(s, ctx, node, check)
		if err != nil {
			one.Error, all.Agree = err.Error(), false
			continue
		}
		one.Response = response
		if digest == "" {
			digest = response.Digest
		}
		all.Agree = all.Agree && digest == response.Digest
	}
	return all
}

func reloadAt(s *Service, ctx context.Context, node NodeName, check bool) (*wactorv1.ReloadResponse, error) {
	if node.Self {
		return s.options.Reloader.Reload(check)
	}
	data, err := proto.Marshal(&wactorv1.ReloadRequest{Check: check})
	if err != nil {
		return nil, err
	}
	if data, err = s.options.Cluster.AskNode(ctx, node.ID, "Reload", data); err != nil {
		return nil, err
	}
	response := &wactorv1.ReloadResponse{}
	if err := proto.Unmarshal(data, response); err != nil {
		return nil, errors.New("the node answered what is no answer to a reload")
	}
	return response, nil
}
