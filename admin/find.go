package admin

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// A conversation is found by the id of a message of its user, or by its name in logs: neither has
// an index, so all conversations are looked at, page by page.

func (s *Service) find(ctx context.Context, o *operation, request *wactorv1.FindRequest) (*wactorv1.FindResponse,
	error) {
	if (request.MessageId == "") == (request.LogName == "") {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("give one of message_id and log_name"))
	}
	page := &wactorv1.FindResponse{}
	next, err := s.eachShard(request.PageToken, func(shard uint32, token string) (string, error) {
		found := &wactorv1.FindResponse{}
		here := &wactorv1.FindRequest{MessageId: request.MessageId, LogName: request.LogName, Channel: request.Channel,
			PageToken: token}
		if err := s.ask(ctx, shard, o, here, found); err != nil {
			return "", readError(err)
		}
		page.Conversations = append(page.Conversations, found.Conversations...)
		return found.NextPageToken, nil
	}, func() bool { return len(page.Conversations) > 0 })
	page.NextPageToken = next
	return page, err
}

func (s *Service) findHere(request *wactorv1.FindRequest) (*wactorv1.FindResponse, error) {
	shard, behind, err := s.parsePageToken(request.PageToken)
	if err != nil {
		return nil, err
	}
	page, looked := &wactorv1.FindResponse{}, 0
	err = s.options.Store.Conversations(shard, behind, func(name string, _ bool) error {
		id, err := conversation.ParseID(name)
		if err == nil && (request.Channel == "" || request.Channel == id.Channel) {
			meant := request.LogName != "" && s.options.LogName(id) == request.LogName
			if request.MessageId != "" {
				if meant, err = s.hasAccepted(shard, name, request.MessageId); err != nil {
					return err
				}
			}
			if meant {
				found := &wactorv1.ConversationName{Channel: id.Channel, User: id.User}
				page.Conversations = append(page.Conversations, found)
			}
		}
		if looked++; looked == pageLooks {
			page.NextPageToken = pageToken(shard, name)
			return errPageFull
		}
		return nil
	})
	return page, pageRead(err)
}

// hasAccepted reports whether a conversation remembers the id of a message.
func (s *Service) hasAccepted(shard uint32, name, message string) (bool, error) {
	head := &wactorv1.Head{}
	err := s.options.Store.Scan(shard, name, wactorv1.RecordKind_RECORD_KIND_HEAD, func(_, value []byte) error {
		return proto.Unmarshal(value, head)
	})
	if err != nil {
		return false, err
	}
	for _, generation := range head.SeenGenerations {
		if seen, err := s.options.Store.Seen(shard, name, generation, message); seen || err != nil {
			return seen, err
		}
	}
	return false, nil
}
