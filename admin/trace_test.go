package admin

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestTheVerdictNamesWhatWaits: why a user has no answer, since when, and for what.
func TestTheVerdictNamesWhatWaits(t *testing.T) {
	type records = map[wactorv1.RecordKind][]proto.Message
	const (
		head, inbox, outbox = wactorv1.RecordKind_RECORD_KIND_HEAD, wactorv1.RecordKind_RECORD_KIND_INBOX,
			wactorv1.RecordKind_RECORD_KIND_OUTBOX
		dead, journal = wactorv1.RecordKind_RECORD_KIND_DEAD, wactorv1.RecordKind_RECORD_KIND_JOURNAL
	)
	entries := func(entries ...*wactorv1.JournalEntry) []proto.Message {
		return []proto.Message{&wactorv1.Journal{Entries: entries}}
	}
	messages := []proto.Message{&wactorv1.Message{ReceivedMs: 5000}, &wactorv1.Message{ReceivedMs: 4000}}
	replies := []proto.Message{&wactorv1.OutboxReply{Seq: 3, CreatedMs: 6000}, &wactorv1.OutboxReply{Seq: 4,
		CreatedMs: 7000}}
	for name, c := range map[string]struct {
		records records
		held    time.Time
		want    *wactorv1.Waiting
	}{
		"nothing": {records{head: {&wactorv1.Head{}}}, time.Time{}, nil},
		"the bot": {records{inbox: messages}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_BOT, Count: 2, SinceMs: 4000}},
		"a retry": {records{inbox: messages, head: {&wactorv1.Head{Attempts: 2, RetryAtMs: 9000}},
			journal: entries(&wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, AtMs: 8000,
				Reason: "http 500"})}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_RETRY, Count: 2, SinceMs: 4000, AgainMs: 9000,
				Reason: "2 attempts failed, the last one at 1970-01-01T00:00:08Z: http 500"}},
		"the provider": {records{outbox: replies}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_PROVIDER, Count: 2, SinceMs: 6000}},
		"a failed attempt": {records{outbox: replies, journal: entries(&wactorv1.JournalEntry{AtMs: 8000, ReplySeq: 3,
			Kind: wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED, Reason: "rate"})}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_PROVIDER, Count: 2, SinceMs: 6000,
				Reason: "the last attempt failed at 1970-01-01T00:00:08Z: rate"}},
		"the channel": {records{outbox: replies}, time.UnixMilli(1000),
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_CHANNEL, Count: 2, SinceMs: 6000,
				Reason: "the channel can't send since 1970-01-01T00:00:01Z: expired token"}},
		"a status": {records{outbox: replies, journal: entries(&wactorv1.JournalEntry{AtMs: 8000, ReplySeq: 3,
			Kind: wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT})}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_STATUS, Count: 2, SinceMs: 6000,
				Reason: "the fate of an attempt at 1970-01-01T00:00:08Z is unknown"}},
		"an operator": {records{head: {&wactorv1.Head{DeadLetters: 3}}, dead: {&wactorv1.DeadLetter{AtMs: 5000,
			Reason: "bot: http 400"}}}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_OPERATOR, Count: 3, SinceMs: 5000,
				Reason: "bot: http 400"}},
		"a person": {records{head: {&wactorv1.Head{Ownership: &wactorv1.Ownership{By: "bot", Reason: "a refund",
			Owner: wactorv1.Owner_OWNER_HUMAN, SinceMs: 5000, UntilMs: 9000}}}, inbox: messages}, time.Time{},
			&wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_PERSON, Count: 2, SinceMs: 5000, AgainMs: 9000,
				Reason: "taken by bot: a refund"}},
		"a person no longer": {records{head: {&wactorv1.Head{Ownership: &wactorv1.Ownership{By: "bot",
			SinceMs: 5000, BackMs: 6000}}}}, time.Time{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.records[head] == nil {
				c.records[head] = []proto.Message{&wactorv1.Head{}}
			}
			s := service(stored(c.records), nil)
			s.options.Node = heldSince(c.held)
			response, err := call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: "1",
				Channel: "shop"})
			if err != nil || len(response.Conversations) != 1 {
				t.Fatalf("%v, %v", response, err)
			}
			var want []*wactorv1.Waiting
			verdict := verdictInOrder
			if c.want != nil {
				want, verdict = append(want, c.want), verdictWaiting
			}
			got := response.Conversations[0]
			if diff := cmp.Diff(want, got.Waiting, protocmp.Transform()); diff != "" || got.Verdict != verdict {
				t.Errorf("verdict %s (-want +got):\n%s", got.Verdict, diff)
			}
			if got.LogName != "c0ffee" {
				t.Errorf("in logs it is %q", got.LogName)
			}
		})
	}
}

// stored is a store of one conversation.
type stored map[wactorv1.RecordKind][]proto.Message

func (s stored) Load(_ uint32, _ string, each func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	for _, kind := range []wactorv1.RecordKind{wactorv1.RecordKind_RECORD_KIND_HEAD,
		wactorv1.RecordKind_RECORD_KIND_INBOX, wactorv1.RecordKind_RECORD_KIND_OUTBOX} {
		err := s.Scan(0, "", kind, func(suffix, value []byte) error { return each(kind, suffix, value) })
		if err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (s stored) Scan(_ uint32, _ string, kind wactorv1.RecordKind, each func(suffix, value []byte) error) error {
	for _, record := range s[kind] {
		value, err := proto.Marshal(record)
		if err != nil {
			return err
		}
		if err := each(nil, value); err != nil {
			return err
		}
	}
	return nil
}

func (s stored) ScanFrom(shard uint32, name string, kind wactorv1.RecordKind, _ []byte, each func(suffix,
	value []byte) error) error {
	return s.Scan(shard, name, kind, each)
}

func (stored) SeenValue(uint32, string, uint32, string) ([]byte, error) { return nil, nil }

func (stored) Paused(uint32, string, func(string, []byte) error) error { return nil }

func (stored) Seen(uint32, string, uint32, string) (bool, error) { return false, nil }

func (stored) Conversations(uint32, string, func(string, bool) error) error { return nil }

// heldSince is a node whose channels can't send since a time.
type heldSince time.Time

func (heldSince) ShardsLed() int { return 0 }
func (heldSince) Active() int    { return 0 }

func (h heldSince) Held(string) (time.Time, string) { return time.Time(h), "expired token" }

// TestANumberIsFoundAsPeopleWriteIt, and other spellings of it are offered, never merged.
func TestANumberIsFoundAsPeopleWriteIt(t *testing.T) {
	s := service(heads{
		"shop/4915100000001": {Version: 1}, "shop/+odd": {Version: 2}, "shop/ 12 ": {Version: 3},
		"shop/551187654321": {Version: 4}, "shop/5215512345678": {Version: 5}, "bank/541112345678": {Version: 6},
	}, nil)
	for user, want := range map[string]uint64{
		"4915100000001": 1, "+49 151 0000-0001": 1, " (49) 151/000000.01": 1, "+odd": 2, " 12 ": 3, "551187654321": 4,
	} {
		response, err := call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: user})
		if err != nil || len(response.Conversations) != 1 || response.Conversations[0].Version != want {
			t.Errorf("%q: %v, %v", user, response, err)
		}
	}
	for user, want := range map[string]string{
		"+55 11 98765-4321": "shop/551187654321", "525512345678": "shop/5215512345678",
		"5491112345678": "bank/541112345678", "4915100000002": "", "US.1": "",
	} {
		response, err := call[*wactorv1.TraceResponse](s, "Trace", &wactorv1.TraceRequest{User: user})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, other := range response.Others {
			got = append(got, other.Channel+"/"+other.User)
		}
		if len(response.Conversations) != 0 || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %q offered", user, response, want)
		}
	}
}

func TestAConversationIsFoundByAMessageOrItsNameInLogs(t *testing.T) {
	all := registry{1: {}, 2: {}, 4: {"shop/last": 0}}
	for i := range 300 {
		all[2]["shop/"+strings.Repeat("x", i%7)+string(rune('a'+i%26))] = 0
	}
	s := service(all, nil)
	s.options.LogName = func(id conversation.ID) string { return "name of " + id.User }
	find := func(request *wactorv1.FindRequest) (found []string) {
		for {
			response, err := call[*wactorv1.FindResponse](s, "Find", request)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range response.Conversations {
				found = append(found, c.Channel+"/"+c.User)
			}
			if request.PageToken = response.NextPageToken; request.PageToken == "" {
				return found
			}
		}
	}
	for _, c := range []struct {
		request *wactorv1.FindRequest
		want    []string
	}{
		{&wactorv1.FindRequest{MessageId: "wamid.shop/last"}, []string{"shop/last"}},
		{&wactorv1.FindRequest{LogName: "name of last"}, []string{"shop/last"}},
		{&wactorv1.FindRequest{LogName: "name of last", Channel: "bank"}, nil},
		{&wactorv1.FindRequest{MessageId: "wamid.none"}, nil},
	} {
		if got := find(c.request); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q", c.request, got)
		}
	}
	ctx := withPrincipal(context.Background(), local)
	if _, err := s.run(ctx, operations["Find"], &wactorv1.FindRequest{}); connect.CodeOf(err) !=
		connect.CodeInvalidArgument {
		t.Errorf("nothing to find: %v", err)
	}
}
