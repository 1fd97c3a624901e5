package admin

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Trace returns the journals of a user's conversations, with a verdict on each.
func (s *Service) Trace(ctx context.Context,
	request *connect.Request[wactorv1.TraceRequest]) (*connect.Response[wactorv1.TraceResponse], error) {
	ids, err := s.identities(request.Msg.User, request.Msg.Channel)
	if err != nil {
		return nil, err
	}
	response := &wactorv1.TraceResponse{}
	for _, id := range ids {
		trace, err := s.trace(ctx, id)
		if err != nil {
			return nil, readError(err)
		}
		if trace != nil {
			response.Conversations = append(response.Conversations, trace)
		}
	}
	return connect.NewResponse(response), nil
}

// maxAliases bounds how many aliases are followed to a conversation.
const maxAliases = 8

// trace reads one conversation, or the one that an alias belongs to; nil where there is none.
func (s *Service) trace(ctx context.Context, id conversation.ID) (*wactorv1.ConversationTrace, error) {
	for range maxAliases {
		response := &wactorv1.TraceResponse{}
		err := s.answerWhereLed(ctx, id, procedureTrace, &wactorv1.TraceRequest{User: id.User, Channel: id.Channel},
			response)
		if err != nil || len(response.Conversations) == 0 {
			return nil, err
		}
		trace := response.Conversations[0]
		if trace.AliasOf == "" {
			return trace, nil
		}
		id.User = trace.AliasOf
	}
	return nil, errors.New("the identity is an alias of an alias, without an end")
}

// traceHere reads what lies under one identity on this node: a conversation, an alias, or nothing.
func (s *Service) traceHere(id conversation.ID) (*wactorv1.TraceResponse, error) {
	view := newView(id)
	revision, err := s.options.Store.Load(s.shard(id), id.String(), view.Record)
	if err != nil || revision == 0 {
		return &wactorv1.TraceResponse{}, err
	}
	if alias := view.AliasOf(); alias != "" {
		return &wactorv1.TraceResponse{Conversations: []*wactorv1.ConversationTrace{{AliasOf: alias}}}, nil
	}
	if err := s.options.Store.Scan(s.shard(id), id.String(), wactorv1.RecordKind_RECORD_KIND_JOURNAL,
		view.Journal); err != nil {
		return nil, err
	}
	trace := view.Trace()
	trace.Shard, trace.Revision = s.shard(id), revision
	return &wactorv1.TraceResponse{Conversations: []*wactorv1.ConversationTrace{trace}}, nil
}
