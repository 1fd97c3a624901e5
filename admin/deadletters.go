package admin

import (
	"context"
	"errors"
	"fmt"
	"math"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Operator changes conversations.
type Operator interface {
	// Operate applies a change, one of the API's requests, to a conversation, in the name of a
	// principal. It returns when the change is on stable storage.
	Operate(ctx context.Context, id conversation.ID, by string, request proto.Message) error
}

// deadLetters returns what waits for an operator in a user's conversations, a page of each. A
// conversation that became an alias keeps the letters that it has.
func (s *Service) deadLetters(ctx context.Context, o *operation,
	request *wactorv1.DeadLettersRequest) (*wactorv1.DeadLettersResponse, error) {
	ids, err := s.identities(ctx, request.User, request.Channel)
	if err != nil {
		return nil, err
	}
	response := &wactorv1.DeadLettersResponse{}
	for _, id := range ids {
		found := &wactorv1.DeadLettersResponse{}
		err := s.ask(ctx, s.shard(id), o, &wactorv1.DeadLettersRequest{User: id.User, Channel: id.Channel,
			After: request.After}, found)
		if err != nil {
			return nil, readError(err)
		}
		for _, c := range found.Conversations {
			if len(c.Letters) > 0 {
				response.Conversations = append(response.Conversations, c)
			}
		}
	}
	return response, nil
}

// A page of dead letters. One letter may hold a webhook of some MiB, and a change of the provider's
// may make thousands of them: all at once would not fit into memory, nor into a message between
// nodes.
const (
	pageLetters = 100
	pageBytes   = 1 << 20
)

// errPageFull ends a scan that has seen enough, which pageRead takes for no error.
var errPageFull = errors.New("admin: the page is full")

func pageRead(err error) error {
	if errors.Is(err, errPageFull) {
		return nil
	}
	return err
}

func (s *Service) deadLettersHere(request *wactorv1.DeadLettersRequest) (*wactorv1.DeadLettersResponse, error) {
	id := conversation.ID{Channel: request.Channel, User: request.User}
	out := &wactorv1.ConversationDeadLetters{Channel: id.Channel, User: &wactorv1.User{Id: id.User}}
	response := &wactorv1.DeadLettersResponse{Conversations: []*wactorv1.ConversationDeadLetters{out}}
	if request.After == math.MaxUint64 {
		return response, nil // the page after it would be the first
	}
	size, from := 0, record.Number(request.After+1)
	err := s.options.Store.ScanFrom(s.shard(id), id.String(), wactorv1.RecordKind_RECORD_KIND_DEAD, from,
		func(_, value []byte) error {
			if size += len(value); len(out.Letters) == pageLetters || len(out.Letters) > 0 && size > pageBytes {
				out.More = true
				return errPageFull
			}
			letter := &wactorv1.DeadLetter{}
			if err := proto.Unmarshal(value, letter); err != nil {
				return err
			}
			out.Letters = append(out.Letters, letter)
			return nil
		})
	return response, pageRead(err)
}

// mayReplace rejects a text for a letter that holds no reply: it would be taken up as it is, and
// the text dropped in silence. A letter that is not there is the Operator's to reject.
func (s *Service) mayReplace(ctx context.Context, id conversation.ID, request *wactorv1.RetryRequest) error {
	seq := request.Seq
	if request.Text == "" || seq == 0 {
		return nil
	}
	page := &wactorv1.DeadLettersResponse{}
	if err := s.ask(ctx, s.shard(id), s.operations["DeadLetters"], &wactorv1.DeadLettersRequest{User: id.User,
		Channel: id.Channel, After: seq - 1}, page); err != nil {
		return readError(err)
	}
	for _, c := range page.Conversations {
		if len(c.Letters) > 0 && c.Letters[0].Seq == seq && c.Letters[0].Reply == nil {
			return connect.NewError(connect.CodeInvalidArgument,
				fmt.Errorf("dead letter %d holds no reply, whose text another one could replace: retry it without a "+
					"text, or skip it", seq))
		}
	}
	return nil
}

func (s *Service) operatorError(ctx context.Context, id conversation.ID, err error) error {
	switch {
	case errors.Is(err, delivery.ErrNotLeader) && s.options.Cluster != nil:
		return connect.NewError(connect.CodeUnavailable, s.options.Cluster.NoLeader(ctx, s.shard(id)))
	case errors.Is(err, delivery.ErrNoDeadLetter):
		return connect.NewError(connect.CodeNotFound, err)
	case errors.Is(err, delivery.ErrKeyInFlight):
		return connect.NewError(connect.CodeAborted, err)
	case errors.Is(err, delivery.ErrKeyReused):
		return connect.NewError(connect.CodeAlreadyExists, err)
	case errors.Is(err, delivery.ErrUnretryable), errors.Is(err, delivery.ErrOwned), errors.Is(err,
		delivery.ErrNotOwned), errors.Is(err, delivery.ErrWindowClosed):
		return connect.NewError(connect.CodeFailedPrecondition, err)
	case errors.Is(err, delivery.ErrNotLeader), errors.Is(err, delivery.ErrStopping),
		errors.Is(err, delivery.ErrOverloaded), errors.Is(err, delivery.ErrUnknownFate):
		return connect.NewError(connect.CodeUnavailable, err)
	}
	return connect.NewError(connect.CodeInternal, err)
}

// one returns the conversation of a user on a channel; the channel may be left out where there is
// one.
func (s *Service) one(ctx context.Context, user, channel string) (conversation.ID, error) {
	ids, err := s.identities(ctx, user, channel)
	if err != nil {
		return conversation.ID{}, err
	}
	if len(ids) != 1 {
		return conversation.ID{}, connect.NewError(connect.CodeInvalidArgument,
			errors.New("there are several channels: name one"))
	}
	return ids[0], nil
}
