package admin

import (
	"context"
	"errors"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// trace returns the journals of a user's conversations, with a verdict on each. Where there is
// none, it offers the conversations of other spellings of the number.
func (s *Service) trace(ctx context.Context, o *operation, request *wactorv1.TraceRequest) (*wactorv1.TraceResponse,
	error) {
	ids, err := s.identities(ctx, request.User, request.Channel)
	if err != nil {
		return nil, err
	}
	response := &wactorv1.TraceResponse{}
	for _, id := range ids {
		trace, err := s.traceOf(ctx, o, id)
		if err != nil {
			return nil, readError(err)
		}
		if trace != nil {
			response.Conversations = append(response.Conversations, trace)
			continue
		}
		for _, spelling := range otherSpellings(id.User) {
			other, err := s.traceOf(ctx, o, conversation.ID{Channel: id.Channel, User: spelling})
			if err != nil {
				return nil, readError(err)
			}
			if other != nil {
				name := &wactorv1.ConversationName{Channel: id.Channel, User: spelling}
				response.Others = append(response.Others, name)
			}
		}
	}
	return response, nil
}

// maxAliases bounds how many aliases are followed to a conversation.
const maxAliases = 64

// traceOf reads one conversation, or the one that an alias belongs to; nil where there is none.
func (s *Service) traceOf(ctx context.Context, o *operation, id conversation.ID) (*wactorv1.ConversationTrace, error) {
	for range maxAliases {
		response := &wactorv1.TraceResponse{}
		err := s.ask(ctx, s.shard(id), o, &wactorv1.TraceRequest{User: id.User, Channel: id.Channel},
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
func (s *Service) traceHere(request *wactorv1.TraceRequest) (*wactorv1.TraceResponse, error) {
	id := conversation.ID{Channel: request.Channel, User: request.User}
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
	if err := pageRead(s.options.Store.Scan(s.shard(id), id.String(), wactorv1.RecordKind_RECORD_KIND_DEAD,
		view.Dead)); err != nil {
		return nil, err
	}
	trace := view.Trace()
	trace.Shard, trace.Revision, trace.LogName = s.shard(id), revision, s.options.LogName(id)
	trace.Waiting = view.waiting(s.options.Node.Held(id.Channel))
	trace.Verdict = verdict(trace)
	return &wactorv1.TraceResponse{Conversations: []*wactorv1.ConversationTrace{trace}}, nil
}
