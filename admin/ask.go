package admin

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// What is read of a conversation is read where its shard is led: a replica elsewhere may be behind.

// Cluster reaches the other nodes.
type Cluster interface {
	// Leads reports whether this node leads a shard.
	Leads(shard uint32) bool
	// Ask sends an operation to the node that leads a shard (Service.Answer there).
	Ask(ctx context.Context, shard uint32, procedure string, request []byte) ([]byte, error)
	// Nodes are those of the cluster that are not removed, by name.
	Nodes() []NodeName
	// AskNode sends an operation to a node (Service.Answer there).
	AskNode(ctx context.Context, node uint64, procedure string, request []byte) ([]byte, error)
	// Status describes all nodes and shards.
	Status(ctx context.Context) (*wactorv1.ClusterStatusResponse, error)
	// Change changes a node's standing. The error is an ErrRefused where trying again does not
	// help.
	Change(ctx context.Context, node string, change wactorv1.NodeChange) (*wactorv1.ChangeNodeResponse, error)
	// Finalize lets the cluster write the newest format that all nodes can apply. Only the
	// leader of shard 0 can.
	Finalize(ctx context.Context) (format uint32, err error)
	// NoLeader tells an operator why a shard has no leader that could be asked: an ErrNoMajority or
	// an ErrNoLeader.
	NoLeader(ctx context.Context, shard uint32) error
}

// NodeName names a node of the cluster.
type NodeName struct {
	ID   uint64
	Name string
	// Self says that it is this node.
	Self bool
}

// ErrRefused: what an operator wants of a node can't be.
var ErrRefused = errors.New("refused")

func (s *Service) shard(id conversation.ID) uint32 {
	return placement.ShardOf(id.String(), s.options.Shards)
}

// ask has the node that leads a shard answer an operation: this one, or another.
func (s *Service) ask(ctx context.Context, shard uint32, o *operation, request, response proto.Message) error {
	data, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	if c := s.options.Cluster; c == nil || c.Leads(shard) {
		data, err = s.Answer(ctx, o.name(), data)
	} else {
		data, err = c.Ask(ctx, shard, o.name(), data)
	}
	if err != nil {
		return err
	}
	return proto.Unmarshal(data, response)
}

// Answer answers an operation that another node was called for, by what this one leads. That node
// has checked the caller's role: nodes trust each other.
func (s *Service) Answer(_ context.Context, name string, request []byte) ([]byte, error) {
	o := s.operations[name]
	if o == nil || o.answer == nil {
		return nil, fmt.Errorf("admin: this version does not know the operation %q", name)
	}
	response, err := o.answer(s, request)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(response)
}

var (
	// ErrNoLeader: the node that leads a shard can't be asked now.
	ErrNoLeader = errors.New("no node that could be asked leads the shard at the moment")
	// ErrNoMajority: nor will one, until nodes are back.
	ErrNoMajority = errors.New("no majority")
)

func readError(err error) error {
	if errors.Is(err, ErrNoLeader) || errors.Is(err, ErrNoMajority) {
		return connect.NewError(connect.CodeAborted, err)
	}
	return connect.NewError(connect.CodeInternal, err)
}
