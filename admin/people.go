package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func invalid(format string, args ...any) error {
	return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf(format, args...))
}

// mayPause checks a pause, and writes its end as a time: a duration counts from now.
func mayPause(_ *Service, _ context.Context, _ conversation.ID, request *wactorv1.PauseRequest) error {
	if utf8.RuneCountInString(request.Reason) > conversation.MaxNote {
		return invalid("reason is longer than %d characters", conversation.MaxNote)
	}
	if request.Until == "" {
		return nil
	}
	now := time.Now()
	until, err := time.Parse(time.RFC3339, request.Until)
	if after, failed := time.ParseDuration(request.Until); failed == nil {
		until, err = now.Add(after), nil
	}
	switch {
	case err != nil:
		return invalid("until is neither a duration, such as 2h, nor a time, such as 2026-12-01T09:00:00Z")
	case !until.After(now):
		return invalid("until is in the past")
	case until.Sub(now) > conversation.MaxPause:
		return invalid("until is more than a year ahead")
	}
	request.Until = until.UTC().Format(time.RFC3339Nano)
	return nil
}

func mayResume(_ *Service, _ context.Context, _ conversation.ID, request *wactorv1.ResumeRequest) error {
	if held := new(policy.Held); request.Held != "" && held.UnmarshalText([]byte(request.Held)) != nil {
		return invalid("held is %s; not %q", "context, run or drop", request.Held)
	}
	return nil
}

// listPaused names the conversations that the bot does not own, shard by shard.
func listPaused(s *Service, ctx context.Context, o *operation,
	request *wactorv1.ListPausedRequest) (*wactorv1.ListPausedResponse, error) {
	all, next, err := gather(s, request.Channel, request.PageToken, func(shard uint32, token string) (
		[]*wactorv1.PausedConversation, string, error) {
		found := &wactorv1.ListPausedResponse{}
		here := &wactorv1.ListPausedRequest{Channel: request.Channel, PageToken: token}
		err := s.ask(ctx, shard, o, here, found)
		return found.Conversations, found.NextPageToken, err
	})
	return &wactorv1.ListPausedResponse{Conversations: all, NextPageToken: next}, err
}

func listPausedHere(s *Service, request *wactorv1.ListPausedRequest) (*wactorv1.ListPausedResponse, error) {
	shard, behind, err := s.parsePageToken(request.PageToken)
	if err != nil {
		return nil, err
	}
	page := &wactorv1.ListPausedResponse{}
	err = s.options.Store.Paused(shard, behind, func(name string, value []byte) error {
		id, err := conversation.ParseID(name)
		if err != nil || request.Channel != "" && request.Channel != id.Channel {
			return nil
		}
		owner := &wactorv1.Ownership{}
		if err := proto.Unmarshal(value, owner); err != nil {
			return err
		}
		page.Conversations = append(page.Conversations, &wactorv1.PausedConversation{Channel: id.Channel,
			User: id.User, Ownership: owner})
		if len(page.Conversations) == pageConversations {
			page.NextPageToken = pageToken(shard, name)
			return errPageFull
		}
		return nil
	})
	return page, pageRead(err)
}

const (
	maxKey       = 255
	maxEventData = 64 << 10
	maxEventName = 100
)

// post has a conversation take what is posted, and tells what became of it.
func post(s *Service, ctx context.Context, request *wactorv1.PostRequest) (*wactorv1.PostResponse, error) {
	id, err := s.one(ctx, request.User, request.Channel)
	if err != nil {
		return nil, err
	}
	if request.Key == "" {
		request.Key = "wactor." + rand.Text()
	}
	if err := mayPost(s, id, request); err != nil {
		return nil, err
	}
	if err := s.options.Operator.Operate(ctx, id, principalOf(ctx).Name, request); err != nil {
		return nil, s.operatorError(ctx, id, err)
	}
	posted, err := posted(s, ctx, s.operations["Posted"], &wactorv1.PostedRequest{User: id.User, Channel: id.Channel,
		Key: request.Key})
	if err != nil {
		return nil, err
	}
	return &wactorv1.PostResponse{Posted: posted}, nil
}

// mayPost checks what is posted, and makes a reply of a text.
func mayPost(s *Service, id conversation.ID, request *wactorv1.PostRequest) error {
	if err := checkKey(request.Key); err != nil {
		return err
	}
	if request.Text != "" && request.Reply == nil && request.Event == nil {
		request.Reply = &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: request.Text}}
		request.Text = ""
	}
	switch event := request.Event; {
	case request.Text != "" || (request.Reply == nil) == (event == nil):
		return invalid("one of text, reply and event has to be given")
	case event != nil && (event.Name == "" || len(event.Name) > maxEventName):
		return invalid("event.name has to have 1 to %d bytes", maxEventName)
	case event != nil && len(event.Data) > maxEventData:
		return invalid("event.data is larger than %d KiB", maxEventData>>10)
	case event != nil && len(event.Data) > 0 && json.Unmarshal(event.Data, &map[string]json.RawMessage{}) != nil:
		return invalid("event.data is no JSON object")
	case event != nil:
		return nil
	}
	if check := s.options.Check; check != nil {
		if err := check(id.Channel, request.Reply); err != nil {
			return invalid("reply: %w", err)
		}
	}
	return nil
}

func checkKey(key string) error {
	odd := func(b byte) bool { return b <= ' ' || b > '~' }
	if key == "" || len(key) > maxKey || slices.ContainsFunc([]byte(key), odd) {
		return invalid("the key has to be 1 to %d printable ASCII characters without spaces", maxKey)
	}
	return nil
}

// posted tells what became of what was posted under a key.
func posted(s *Service, ctx context.Context, o *operation,
	request *wactorv1.PostedRequest) (*wactorv1.PostedResponse, error) {
	id, err := s.one(ctx, request.User, request.Channel)
	if err == nil {
		err = checkKey(request.Key)
	}
	if err != nil {
		return nil, err
	}
	for range maxAliases {
		found := &wactorv1.PostedResponse{}
		here := &wactorv1.PostedRequest{User: id.User, Channel: id.Channel, Key: request.Key}
		if err := s.ask(ctx, s.shard(id), o, here, found); err != nil {
			return nil, readError(err)
		}
		switch {
		case found.AliasOf != "":
			id.User = found.AliasOf
		case found.State == "":
			return nil, connect.NewError(connect.CodeNotFound, errors.New("nothing was posted under this key"))
		default:
			return found, nil
		}
	}
	return nil, connect.NewError(connect.CodeInternal, errors.New("an alias of an alias, without an end"))
}

// postedHere reads what became of a key from what is stored: what waits lies in outbox or timers, a
// status is remembered beside the message ids, and what failed is a dead letter.
func postedHere(s *Service, request *wactorv1.PostedRequest) (*wactorv1.PostedResponse, error) {
	id := conversation.ID{Channel: request.Channel, User: request.User}
	view := newView(id)
	shard, name := s.shard(id), id.String()
	waits := map[string]bool{} // replies by number, events by name
	_, err := s.options.Store.Load(shard, name, func(kind wactorv1.RecordKind, suffix, value []byte) error {
		switch kind {
		case wactorv1.RecordKind_RECORD_KIND_OUTBOX, wactorv1.RecordKind_RECORD_KIND_TIMER:
			waits[string(suffix)] = true
		}
		return view.Record(kind, suffix, value)
	})
	found := &wactorv1.PostedResponse{Key: request.Key, AliasOf: view.AliasOf()}
	if err != nil || found.AliasOf != "" {
		return found, err
	}
	key, err := keyOf(s, shard, name, view.head, request.Key)
	if key == nil || err != nil {
		return found, err
	}
	found.Id, found.PostedMs = key.ReplyId, key.AtMs
	if key.ReplySeq == 0 {
		return eventState(s, shard, name, found, waits)
	}
	return replyState(s, shard, name, view, key, found, waits[string(record.Number(key.ReplySeq))])
}

// keyOf reads what is remembered under a key; nil where nothing is.
func keyOf(s *Service, shard uint32, name string, head *wactorv1.Head, key string) (*wactorv1.PostedKey, error) {
	for _, generation := range slices.Backward(head.SeenGenerations) { // a reply may have got another number
		value, err := s.options.Store.SeenValue(shard, name, generation, conversation.PostedID(key))
		if err != nil || len(value) == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		posted := &wactorv1.PostedKey{}
		return posted, proto.Unmarshal(value, posted)
	}
	return nil, nil
}

// eventState tells what became of an event.
func eventState(s *Service, shard uint32, name string, found *wactorv1.PostedResponse,
	waits map[string]bool) (*wactorv1.PostedResponse, error) {
	timer := conversation.EventTimer(found.Key)
	found.State = "done"
	if waits[timer] {
		found.State = "queued"
		return found, nil
	}
	return found, eachLetter(s, shard, name, func(letter *wactorv1.DeadLetter) bool {
		if letter.Timer.GetName() != timer {
			return false
		}
		found.State, found.Reason = "failed", letter.Reason
		return true
	})
}

// replyState tells what became of a reply.
func replyState(s *Service, shard uint32, name string, view *view, key *wactorv1.PostedKey,
	found *wactorv1.PostedResponse, waits bool) (*wactorv1.PostedResponse, error) {
	if waits {
		err := s.options.Store.Scan(shard, name, wactorv1.RecordKind_RECORD_KIND_JOURNAL, view.Journal)
		found.State = "queued"
		if doubtful := view.last(wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT); doubtful.GetReplySeq() == key.ReplySeq {
			found.State, found.Reason = "in_doubt", doubtful.Reason
		}
		return found, err
	}
	found.State = "sent"
	for _, status := range []string{"delivered", "read", "played", "failed"} {
		for _, generation := range view.head.SeenGenerations {
			seen, err := s.options.Store.Seen(shard, name, generation, conversation.StatusKeys(key.ReplyId, status)[0])
			if err != nil {
				return nil, err
			}
			if seen {
				found.State = status
			}
		}
	}
	return found, eachLetter(s, shard, name, func(letter *wactorv1.DeadLetter) bool {
		if letter.Reply.GetSeq() != key.ReplySeq {
			return false
		}
		found.State, found.Reason = "failed", letter.Reason
		return true
	})
}

// eachLetter reads the dead letters of a conversation until one is the one that was looked for.
func eachLetter(s *Service, shard uint32, name string, is func(*wactorv1.DeadLetter) bool) error {
	return pageRead(s.options.Store.Scan(shard, name, wactorv1.RecordKind_RECORD_KIND_DEAD,
		func(_, value []byte) error {
			letter := &wactorv1.DeadLetter{}
			if err := proto.Unmarshal(value, letter); err != nil {
				return err
			}
			if is(letter) {
				return errPageFull
			}
			return nil
		}))
}
