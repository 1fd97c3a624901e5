package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// taker takes what is asked of a conversation, or fails.
type taker struct {
	last proto.Message
	err  error
}

func (o *taker) Operate(_ context.Context, _ conversation.ID, _ string, request proto.Message) error {
	o.last = request
	return o.err
}

// TestPausesEndAhead: what is no time, or none that a pause could end at, is rejected; a duration
// counts from now.
func TestPausesEndAhead(t *testing.T) {
	for until, want := range map[string]connect.Code{
		"": 0, "2h": 0, "2126-01-01T00:00:00Z": connect.CodeInvalidArgument, "-1s": connect.CodeInvalidArgument,
		"400y": connect.CodeInvalidArgument, "2020-01-01T00:00:00Z": connect.CodeInvalidArgument,
		"tomorrow": connect.CodeInvalidArgument,
	} {
		operator := &taker{}
		_, err := call[*wactorv1.PauseResponse](service(heads{}, operator), "Pause",
			&wactorv1.PauseRequest{User: "1", Channel: "shop", Until: until})
		if err != nil && connect.CodeOf(err) != want || err == nil && want != 0 {
			t.Errorf("until %q: %v", until, err)
		}
		if until != "2h" {
			continue
		}
		at, err := time.Parse(time.RFC3339, operator.last.(*wactorv1.PauseRequest).Until)
		if left := time.Until(at); err != nil || left < time.Hour || left > 2*time.Hour {
			t.Errorf("a pause of 2h ends at %v, %v", at, err)
		}
	}
}

// postings is a store with one conversation, in which one reply and one event were posted.
type postings struct {
	heads
	waits, dead bool
	statuses    map[string]bool
}

func (p postings) Load(shard uint32, name string, each func(wactorv1.RecordKind, []byte, []byte) error) (uint64,
	error) {
	if p.waits {
		reply, _ := proto.Marshal(&wactorv1.OutboxReply{Seq: 3})
		for kind, suffix := range map[wactorv1.RecordKind][]byte{
			wactorv1.RecordKind_RECORD_KIND_OUTBOX: record.Number(3),
			wactorv1.RecordKind_RECORD_KIND_TIMER:  []byte(conversation.EventTimer("event")),
		} {
			if err := each(kind, suffix, reply); err != nil {
				return 0, err
			}
		}
	}
	return p.heads.Load(shard, name, each)
}

func (p postings) SeenValue(_ uint32, _ string, _ uint32, id string) ([]byte, error) {
	switch id {
	case conversation.PostedID("reply"):
		return proto.Marshal(&wactorv1.PostedKey{Sum: []byte("s"), ReplySeq: 3, ReplyId: "w1.a.3.1", AtMs: 5})
	case conversation.PostedID("event"):
		return proto.Marshal(&wactorv1.PostedKey{Sum: []byte("s"), AtMs: 5})
	}
	return nil, nil
}

func (p postings) Seen(_ uint32, _ string, _ uint32, id string) (bool, error) {
	return p.statuses[id], nil
}

func (p postings) Scan(_ uint32, _ string, kind wactorv1.RecordKind, each func(suffix, value []byte) error) error {
	if kind != wactorv1.RecordKind_RECORD_KIND_DEAD || !p.dead {
		return nil
	}
	for _, letter := range []*wactorv1.DeadLetter{
		{Reason: "another", Reply: &wactorv1.OutboxReply{Seq: 2}},
		{Reason: "refused", Reply: &wactorv1.OutboxReply{Seq: 3}},
		{Reason: "bot: 400", Timer: &wactorv1.Timer{Name: conversation.EventTimer("event")}},
	} {
		value, _ := proto.Marshal(letter)
		if err := each(nil, value); err != nil {
			return err
		}
	}
	return nil
}

// TestStatesOfWhatWasPosted: what waits, what the provider reports, and what failed and why.
func TestStatesOfWhatWasPosted(t *testing.T) {
	all := heads{"shop/1": {SeenGenerations: []uint32{1, 2}}}
	status := func(words ...string) map[string]bool {
		seen := map[string]bool{}
		for _, word := range words {
			seen[conversation.StatusKeys("w1.a.3.1", word)[0]] = true
		}
		return seen
	}
	for name, c := range map[string]struct {
		key, state, reason string
		store              postings
	}{
		"waits":        {"reply", "queued", "", postings{heads: all, waits: true}},
		"sent":         {"reply", "sent", "", postings{heads: all}},
		"read":         {"reply", "read", "", postings{heads: all, statuses: status("delivered", "read")}},
		"failed":       {"reply", "failed", "refused", postings{heads: all, dead: true, statuses: status("failed")}},
		"event waits":  {"event", "queued", "", postings{heads: all, waits: true}},
		"event done":   {"event", "done", "", postings{heads: all}},
		"event failed": {"event", "failed", "bot: 400", postings{heads: all, dead: true}},
	} {
		response, err := call[*wactorv1.PostedResponse](service(c.store, nil), "Posted",
			&wactorv1.PostedRequest{User: "1", Channel: "shop", Key: c.key})
		if err != nil || response.State != c.state || response.Reason != c.reason || response.PostedMs != 5 {
			t.Errorf("%s: %v, %v", name, response, err)
		}
	}
	for _, key := range []string{"other", "", "with space", strings.Repeat("k", 256)} {
		_, err := call[*wactorv1.PostedResponse](service(postings{heads: all}, nil), "Posted",
			&wactorv1.PostedRequest{User: "1", Channel: "shop", Key: key})
		if code := connect.CodeOf(err); code != connect.CodeNotFound && code != connect.CodeInvalidArgument {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

// TestPostsOverHTTP: each answer has its status, and says in JSON what is wrong.
func TestPostsOverHTTP(t *testing.T) {
	const fine = `{"text":"hi"}`
	for name, c := range map[string]struct {
		key, body string
		err       error
		status    int
		says      string
	}{
		"taken":          {`"reply"`, fine, nil, 202, `"w1.a.3.1"`},
		"an event":       {"event", `{"event":{"name":"shipped","data":{"n":1}}}`, nil, 202, `"done"`},
		"a reply":        {"reply", `{"reply":{"template":{"name":"x","language":"en"}}}`, nil, 202, `"sent"`},
		"without a key":  {"", fine, nil, 400, "Idempotency-Key is missing"},
		"a bad key":      {"a\tb c", fine, nil, 400, "printable ASCII"},
		"no JSON":        {"reply", `{`, nil, 400, "JSON"},
		"a typo":         {"reply", `{"txt":"hi"}`, nil, 400, "txt"},
		"nothing":        {"reply", `{}`, nil, 400, "one of text, reply and event"},
		"two things":     {"reply", `{"text":"x","event":{"name":"y"}}`, nil, 400, "one of text, reply and event"},
		"no reply":       {"reply", `{"reply":{"txt":"x"}}`, nil, 400, "not a reply"},
		"a nameless one": {"reply", `{"event":{"name":""}}`, nil, 400, "event.name"},
		"too large":      {"reply", `{"text":"` + strings.Repeat("x", maxPost) + `"}`, nil, 413, "1 MiB"},
		"in flight":      {"reply", fine, delivery.ErrKeyInFlight, 409, "key_in_flight"},
		"reused":         {"reply", fine, delivery.ErrKeyReused, 422, "key_reused"},
		"window":         {"reply", fine, delivery.ErrWindowClosed, 422, "window_closed"},
		"overload":       {"reply", fine, delivery.ErrOverloaded, 503, "overloaded"},
		"disk":           {"reply", fine, errors.New("disk"), 500, "disk"},
	} {
		s := service(postings{heads: heads{"shop/1": {SeenGenerations: []uint32{1}}}}, &taker{err: c.err})
		request := httptest.NewRequest(http.MethodPost, "/v1/channels/shop/conversations/1/messages",
			strings.NewReader(c.body))
		if c.key != "" {
			request.Header.Set("Idempotency-Key", c.key)
		}
		answer := httptest.NewRecorder()
		REST(s).ServeHTTP(answer, request)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.says) {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
}
