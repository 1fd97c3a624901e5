package admin

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// heads is a store of conversations that have a head and nothing else.
type heads map[string]*wactorv1.Head

func (h heads) Load(_ uint32, name string, each func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	head := h[name]
	if head == nil {
		return 0, nil
	}
	value, err := proto.Marshal(head)
	if err != nil {
		return 0, err
	}
	return 7, each(wactorv1.RecordKind_RECORD_KIND_HEAD, nil, value)
}

func (heads) Scan(uint32, string, wactorv1.RecordKind, func(suffix, value []byte) error) error {
	return nil
}

func (heads) ScanFrom(uint32, string, wactorv1.RecordKind, []byte, func(suffix, value []byte) error) error {
	return nil
}

func (heads) Conversations(uint32, string, func(string, bool) error) error { return nil }

func (heads) SeenValue(uint32, string, uint32, string) ([]byte, error) { return nil, nil }

func (heads) Paused(uint32, string, func(string, []byte) error) error { return nil }

func (heads) Seen(uint32, string, uint32, string) (bool, error) { return false, nil }

// capable is a node whose channels can send.
type capable struct{}

func (capable) ShardsLed() int                  { return 0 }
func (capable) Active() int                     { return 0 }
func (capable) Held(string) (time.Time, string) { return time.Time{}, "" }

func service(store Store, operator Operator) *Service {
	logger := slog.New(slog.DiscardHandler)
	return New(Options{
		Gate: NewGate(nil, logger), Logger: logger, LogName: func(conversation.ID) string { return "c0ffee" },
		Store: store, Node: capable{}, Operator: operator, Shards: 4,
		Channels: []*wactorv1.ChannelStatus{{Name: "shop"},
			{Name: "bank"}},
	})
}

// call has a service answer an operation for a principal who may do everything.
func call[R proto.Message](s *Service, name string, request proto.Message) (R, error) {
	response, err := s.run(withPrincipal(context.Background(), local), s.operations[name], request)
	typed, _ := response.(R)
	return typed, err
}

func TestTraceFollowsAliases(t *testing.T) {
	s := service(heads{
		"shop/4915":   {AliasOf: "US.a"},
		"shop/US.a":   {Version: 3, User: &wactorv1.User{Id: "US.a"}},
		"shop/circle": {AliasOf: "circle"},
	}, nil)
	response, err := call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: " +4915 "})
	if err != nil || len(response.Conversations) != 1 || response.Conversations[0].Version != 3 ||
		response.Conversations[0].Revision != 7 {
		t.Errorf("trace of an alias: %v, %v", response, err)
	}
	if _, err := call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: "circle"}); connect.CodeOf(
		err) != connect.CodeInternal {
		t.Errorf("aliases in a circle: %v", err)
	}
	response, err = call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: "unknown"})
	if err != nil || len(response.Conversations) != 0 {
		t.Errorf("a stranger: %v, %v", response, err)
	}
}

// operator fails with an error.
type operator struct{ err error }

func (o operator) Operate(context.Context, conversation.ID, string, proto.Message) error {
	return o.err
}

func TestOperatorErrorsHaveCodes(t *testing.T) {
	for err, want := range map[error]connect.Code{
		nil: 0, delivery.ErrNoDeadLetter: connect.CodeNotFound, delivery.ErrUnretryable: connect.CodeFailedPrecondition,
		delivery.ErrOverloaded: connect.CodeUnavailable, errors.New("disk"): connect.CodeInternal,
	} {
		s := service(heads{}, operator{err})
		_, retried := call[*wactorv1.RetryResponse](s, "Retry", &wactorv1.RetryRequest{User: "1", Channel: "shop",
			Seq: 1})
		_, skipped := call[*wactorv1.SkipResponse](s, "Skip", &wactorv1.SkipRequest{User: "1", Channel: "shop", Seq: 1})
		for _, got := range []error{retried, skipped} {
			if err == nil && got != nil || err != nil && connect.CodeOf(got) != want {
				t.Errorf("%v became %v, want code %v", err, got, want)
			}
		}
	}
	s := service(heads{}, operator{})
	if _, err := call[*wactorv1.RetryResponse](s, "Retry", &wactorv1.RetryRequest{User: "1",
		Seq: 1}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("two channels and none named: %v", err)
	}
}

// leaderless is a cluster in which no node leads.
type leaderless struct{ Cluster }

func (leaderless) NoLeader(context.Context, uint32) error { return ErrNoMajority }

// TestAMissingMajorityIsNamed: "not the leader" is no help to an operator.
func TestAMissingMajorityIsNamed(t *testing.T) {
	s := service(heads{}, operator{delivery.ErrNotLeader})
	s.options.Cluster = leaderless{}
	if _, err := call[*wactorv1.SkipResponse](s, "Skip", &wactorv1.SkipRequest{User: "1", Channel: "shop",
		Seq: 1}); !errors.Is(err, ErrNoMajority) {
		t.Errorf("skip: %v", err)
	}
}
