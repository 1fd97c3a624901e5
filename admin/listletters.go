package admin

import (
	"cmp"
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// There is no list of the conversations with dead letters: it would be one more record for each.
// All conversations are read instead, which takes some seconds for a million.
const (
	// pageConversations is how many are named at once, and pageLooks how many are looked at for
	// that in one shard.
	pageConversations = 100
	pageLooks         = 20_000
	// pageWithin is how long a page looks further where it has found few.
	pageWithin = time.Second
)

// listDeadLetters names the conversations that have dead letters, shard by shard.
func (s *Service) listDeadLetters(ctx context.Context, o *operation,
	request *wactorv1.ListDeadLettersRequest) (*wactorv1.ListDeadLettersResponse, error) {
	all, next, err := gather(s, request.Channel, request.PageToken, func(shard uint32, token string) (
		[]*wactorv1.DeadLettersSummary, string, error) {
		found := &wactorv1.ListDeadLettersResponse{}
		here := &wactorv1.ListDeadLettersRequest{Channel: request.Channel, PageToken: token}
		err := s.ask(ctx, shard, o, here, found)
		return found.Conversations, found.NextPageToken, err
	})
	return &wactorv1.ListDeadLettersResponse{Conversations: all, NextPageToken: next}, err
}

func (s *Service) listDeadLettersHere(request *wactorv1.ListDeadLettersRequest) (*wactorv1.ListDeadLettersResponse,
	error) {
	shard, behind, err := s.parsePageToken(request.PageToken)
	if err != nil {
		return nil, err
	}
	page := &wactorv1.ListDeadLettersResponse{}
	var ids []conversation.ID
	looked := 0
	err = s.options.Store.Conversations(shard, behind, func(name string, deadLetters bool) error {
		if id, err := conversation.ParseID(name); err == nil && deadLetters && (request.Channel == "" ||
			request.Channel == id.Channel) {
			ids = append(ids, id)
		}
		if looked++; looked == pageLooks || len(ids) == pageConversations {
			page.NextPageToken = pageToken(shard, name)
			return errPageFull
		}
		return nil
	})
	if err := pageRead(err); err != nil {
		return nil, err
	}
	for _, id := range ids {
		summary, err := s.summarise(shard, id)
		if err != nil {
			return nil, err
		}
		if summary.Letters > 0 { // else they were just taken up
			page.Conversations = append(page.Conversations, summary)
		}
	}
	return page, nil
}

// summarise reads how many dead letters a conversation has, and the first of them: they may hold
// webhooks of some MiB.
func (s *Service) summarise(shard uint32, id conversation.ID) (*wactorv1.DeadLettersSummary, error) {
	head, letter := &wactorv1.Head{}, &wactorv1.DeadLetter{}
	first := func(kind wactorv1.RecordKind, into proto.Message) error {
		return pageRead(s.options.Store.Scan(shard, id.String(), kind, func(_, value []byte) error {
			return cmp.Or(proto.Unmarshal(value, into), errPageFull)
		}))
	}
	err := errors.Join(first(wactorv1.RecordKind_RECORD_KIND_HEAD, head), first(wactorv1.RecordKind_RECORD_KIND_DEAD,
		letter))
	return &wactorv1.DeadLettersSummary{Channel: id.Channel, User: id.User, Letters: head.DeadLetters,
		FirstMs: letter.AtMs, Reason: letter.Reason}, err
}
