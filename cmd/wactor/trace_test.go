package main

import (
	"context"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// timelines is an admin API that knows these users' conversations.
type timelines struct {
	wactorv1connect.UnimplementedAdminServiceHandler
	known map[string]*wactorv1.ConversationTrace
}

func (s timelines) Trace(_ context.Context,
	request *connect.Request[wactorv1.TraceRequest]) (*connect.Response[wactorv1.TraceResponse], error) {
	response := &wactorv1.TraceResponse{}
	if c := s.known[request.Msg.User]; c != nil {
		response.Conversations = append(response.Conversations, c)
	}
	if request.Msg.User == "5511987654321" {
		response.Others = []*wactorv1.ConversationName{{Channel: "shop", User: "551187654321"}}
	}
	return connect.NewResponse(response), nil
}

// Find knows a message and a name in logs of the user "broken".
func (s timelines) Find(_ context.Context,
	request *connect.Request[wactorv1.FindRequest]) (*connect.Response[wactorv1.FindResponse], error) {
	switch {
	case request.Msg.PageToken == "":
		return connect.NewResponse(&wactorv1.FindResponse{NextPageToken: "2"}), nil
	case request.Msg.MessageId == "wamid.1", request.Msg.LogName == "0123456789abcdef":
		found := []*wactorv1.ConversationName{{Channel: "shop", User: "broken"}}
		return connect.NewResponse(&wactorv1.FindResponse{Conversations: found}), nil
	}
	return connect.NewResponse(&wactorv1.FindResponse{}), nil
}

// agoIs is how long ago something was: it depends on the day of the test.
var agoIs = regexp.MustCompile(`\([0-9hms]+\)`)

// TestTrace: what an operator reads, and what a script goes by.
func TestTrace(t *testing.T) {
	const at = 1767366245000
	good := &wactorv1.ConversationTrace{
		Channel: "shop", Shard: 3, Version: 2, Revision: 5, Outbox: 1, Trimmed: true, LogName: "0123456789abcdef",
		Entries: []*wactorv1.JournalEntry{
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED, AtMs: at, MessageSeq: 1, MessageId: "wamid.\x1b[2J1",
				SentMs: at - 500, ReceivedMs: at, Node: "node-1"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, AtMs: at + 7, VersionAfter: 1, MessageSeqs: []uint64{1},
				BotUs: 1500, Attempt: 2, Node: "node-1"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, AtMs: at + 1000, Timer: "nudge", Reason: "one\nline"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, AtMs: at + 2000, VersionBefore: 1, VersionAfter: 2,
				Timer: "nudge", Replies: 2},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_SENT, AtMs: at + 2001, ReplySeq: 1, ProviderId: "wamid.out1"},
		},
	}
	const goodText = `shop  shard 3, version 2, revision 5, 0 waiting, 1 to send, 0 dead letters, in logs 0123456789abcdef
  (older entries are no longer kept)
  2026-01-02 15:04:05.000             accepted    message 1, wamid. [2J1, sent 500ms before, on node-1
  2026-01-02 15:04:05.007      +7 ms  turn        0 -> 1, over message 1, bot 1.5ms, attempt 2, on node-1
  2026-01-02 15:04:06.000    +993 ms  bot failed  timer nudge, (one line)
  2026-01-02 15:04:07.000   +1000 ms  turn        1 -> 2, timer nudge, 2 replies
  2026-01-02 15:04:07.001      +1 ms  sent        reply 1, wamid.out1
  verdict: in order. Versions 1 to 2 without a gap, no turn overlaps another, no message in two turns.

`
	const brokenText = "shop  shard 0, version 0, revision 0, 0 waiting, 0 to send, 0 dead letters, in logs \n" +
		"  verdict: BROKEN\n    - message 1 is in turn 1 and in turn 2\n\n"
	waits := &wactorv1.ConversationTrace{Channel: "shop", Waiting: []*wactorv1.Waiting{
		{For: wactorv1.WaitsFor_WAITS_FOR_CHANNEL, Count: 2, SinceMs: at, Reason: "expired token"}}}
	broken := &wactorv1.ConversationTrace{Channel: "shop", Violations: []string{"message 1 is in turn 1 and in turn 2"}}
	_, handler := wactorv1connect.NewAdminServiceHandler(timelines{known: map[string]*wactorv1.ConversationTrace{
		"good": good, "broken": broken, "waits": waits}})
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, c := range []struct {
		args     string
		code     int
		out      string // all of it
		problems string // a part
	}{
		{"good", 0, goodText, ""},
		{"broken", 2, brokenText, ""},
		{"waits", 3, "shop  shard 0, version 0, revision 0, 0 waiting, 0 to send, 0 dead letters, in logs \n" +
			"  verdict: waiting\n    - 2 replies wait for their channel since 2026-01-02 15:04:05 (AGO): expired " +
			"token\n\n", ""},
		{"stranger", 4, "", "no conversation with this user is known here"},
		{"wamid.1", 2, brokenText, ""},
		{"0123456789abcdef", 2, brokenText, ""},
		{"wamid.2", 4, "", "no conversation with this user is known here"},
		{"5511987654321", 4, "", "another spelling of the number: wactor trace 551187654321 --channel shop"},
		{"good stranger", 1, "", "accepts 1 arg(s), received 2"},
	} {
		out, problems, code := runMain(t, t.TempDir(), append(strings.Fields("trace --admin "+server.URL),
			strings.Fields(c.args)...)...)
		out = agoIs.ReplaceAllString(out, "(AGO)")
		if code != c.code || out != c.out || !strings.Contains(problems, c.problems) {
			t.Errorf("wactor trace %s: exit status %d, %s\n%s\nwant %d\n%s", c.args, code, problems, out, c.code, c.out)
		}
	}
	for user, want := range map[string]int{"good": 0, "broken": 2, "waits": 3, "stranger": 4} {
		out, _, code := runMain(t, t.TempDir(), "trace", "--json", user, "--admin", server.URL)
		var got wactorv1.TraceResponse
		lenient := protojson.UnmarshalOptions{DiscardUnknown: true} // times are there as RFC 3339, too
		if err := lenient.Unmarshal([]byte(out), &got); err != nil || code != want ||
			(len(got.Conversations) == 1) != (want != 4) {
			t.Errorf("wactor trace --json %s: exit status %d, %v\n%s", user, code, err, out)
		}
	}
}
