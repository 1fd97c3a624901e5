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
	// Ask has the node that leads a shard answer (Service.Answer).
	Ask(ctx context.Context, shard uint32, procedure string, request []byte) ([]byte, error)
	// Status describes all nodes and shards.
	Status(ctx context.Context) (*wactorv1.ClusterStatusResponse, error)
	// Change changes a node's standing. The error is an ErrRefused where trying again does not
	// help.
	Change(ctx context.Context, node string, change wactorv1.NodeChange) (*wactorv1.ChangeNodeResponse, error)
	// NoLeader tells an operator why a shard has no leader that could be asked: an ErrNoMajority or
	// an ErrNoLeader.
	NoLeader(ctx context.Context, shard uint32) error
}

// ErrRefused: what an operator wants of a node can't be.
var ErrRefused = errors.New("refused")

// The procedures that nodes ask of each other. Each is for one conversation, or one shard.
const (
	procedureTrace           = "Trace"
	procedureDeadLetters     = "DeadLetters"
	procedureListDeadLetters = "ListDeadLetters"
)

func (s *Service) shard(id conversation.ID) uint32 {
	return placement.ShardOf(id.String(), s.options.Shards)
}

// answerWhereLed answers a procedure for one conversation on the node that leads it.
func (s *Service) answerWhereLed(ctx context.Context, id conversation.ID, procedure string, request,
	response proto.Message) error {
	return s.answerInShard(ctx, s.shard(id), procedure, request, response)
}

// answerInShard answers a procedure on the node that leads a shard.
func (s *Service) answerInShard(ctx context.Context, shard uint32, procedure string, request,
	response proto.Message) error {
	data, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	if c := s.options.Cluster; c == nil || c.Leads(shard) {
		data, err = s.Answer(ctx, procedure, data)
	} else {
		data, err = c.Ask(ctx, shard, procedure, data)
	}
	if err != nil {
		return err
	}
	return proto.Unmarshal(data, response)
}

// Answer answers a procedure with what lies on this node, for another one. It asks nobody else.
func (s *Service) Answer(_ context.Context, procedure string, data []byte) ([]byte, error) {
	switch procedure {
	case procedureTrace:
		return answer(data, &wactorv1.TraceRequest{}, func(r *wactorv1.TraceRequest) (proto.Message, error) {
			return s.traceHere(conversation.ID{Channel: r.Channel, User: r.User})
		})
	case procedureDeadLetters:
		return answer(data, &wactorv1.DeadLettersRequest{}, func(r *wactorv1.DeadLettersRequest) (proto.Message,
			error) {
			found, err := s.deadLettersHere(conversation.ID{Channel: r.Channel, User: r.User}, r.After)
			return &wactorv1.DeadLettersResponse{Conversations: []*wactorv1.ConversationDeadLetters{found}}, err
		})
	case procedureListDeadLetters:
		return answer(data, &wactorv1.ListDeadLettersRequest{}, func(r *wactorv1.ListDeadLettersRequest) (proto.Message,
			error) {
			return s.listDeadLettersHere(r)
		})
	}
	return nil, fmt.Errorf("admin: this version does not know the procedure %q", procedure)
}

func answer[R proto.Message](data []byte, request R, find func(R) (proto.Message, error)) ([]byte, error) {
	if err := proto.Unmarshal(data, request); err != nil {
		return nil, err
	}
	found, err := find(request)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(found)
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
